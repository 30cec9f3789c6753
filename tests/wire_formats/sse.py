"""Server-sent events."""

from __future__ import annotations

import json

TYPE = "text/event-stream"


def event(kind: str, **data: object) -> bytes:
    """A named one, whose data says its name too."""
    return f"event: {kind}\n".encode() + data_only({"type": kind, **data})


def data_only(data: object) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()
