"""Names for the type checker alone: importing typing costs a hook 10 ms, so nothing runs this."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
# Columns of one ledger row, in the order the statement beside it names them.
Row = tuple[Any, ...]
Cells = list[Any]
