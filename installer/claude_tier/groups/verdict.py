"""Whether what `claude -p` printed is an answer, or the failure of who should have answered."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

# How 2.1.329 begins what it prints when the API did not answer; tests/e2e/test_group_fallbacks.py
# repeats it for each kind of failure.
_FAILED = re.compile(
    r"API Error\b"
    r"|Failed to authenticate\b"
    r"|There's an issue with the selected model\b"
    r"|Credit balance is too low\b"
    r"|Prompt is too long\b"
    r"|Request too large\b"
    r"|Request timed out\b"
    r"|Invalid API key\b"
)


def failure(printed: str, *, output_format: str) -> str | None:
    """What the API's failure was; None for an answer, and for failures of another kind."""
    if output_format == "json":
        return _of_result(printed)
    text = printed.strip()
    return text if _FAILED.match(text) else None


def _of_result(printed: str) -> str | None:
    try:
        said = json.loads(printed)
    except ValueError:
        return None
    results = said if isinstance(said, list) else [said]  # a list with --verbose
    result = results[-1] if results else None
    if not isinstance(result, Mapping) or not result.get("is_error"):
        return None
    # Its subtype says "success" then.
    if result.get("terminal_reason") != "api_error" and not result.get("api_error_status"):
        return None
    return str(result.get("result") or "the API did not answer")
