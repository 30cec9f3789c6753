"""Which row of a response counts: the greatest by output tokens, then finished, then total.

A response has a row for each of its content blocks, whose figures may still grow.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Cells, Json

TOKENS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "web_searches")
_PROMPT = ("input", "cache_read", "cache_write_5m", "cache_write_1h")


def keep(best: dict[str, Json], row: Json, placed: str) -> None:
    """Put a row under the key of its response, unless a greater one is there; `placed` is the
    session whose file it stands in. A tie goes to the last row, the earliest time is kept.
    """
    key = _key(row, placed)
    known = best.get(key)
    if known is None:
        best[key] = row
        return
    first = min((at for at in (known["at"], row["at"]) if at is not None), default=None)
    if _weight_of(row) >= _weight_of(known):
        best[key] = row
    best[key]["at"] = first


def _key(row: Json, placed: str) -> str:
    key: str = row["key"]
    if not key.startswith("msg_"):
        # Local servers reuse ids: only the same prompt in the same session is the same response.
        prompt = ":".join(str(row[kind]) for kind in _PROMPT)
        key = "%s:%s:%s" % (row["copied_from"] or row["session"] or placed, key, prompt)
    return key + "#advisor%d" % row["advisor"] if "advisor" in row else key


def _weight_of(row: Json) -> tuple[int, bool, int]:
    return row["output"], row["final"], sum(row[kind] for kind in TOKENS)


def weight(cells: Cells) -> tuple[int, int, int]:
    """The same of a row of the ledger, in the order of its columns."""
    return cells[12], cells[7], sum(cells[11:17])
