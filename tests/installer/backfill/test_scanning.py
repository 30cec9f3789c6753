"""The faster reading finds what the hooks' own reading finds, in whatever bytes there are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from claude_tier.backfill import scanning
from claude_tier_hooks import greatest, transcripts
from corpus import SCENES, build
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

SESSION = "7d0a4c9e-1111-4222-8333-444455556666"


def read(scan: Any, data: bytes) -> dict[str, Any]:
    """What a batch holds of a block, each response once as the ledger would take it."""
    batch: dict[str, Any] = {"rows": [], "refs": set(), "costs": [], "models": []}
    scan(data, batch)
    best: dict[str, Any] = {}
    for row in batch["rows"]:
        greatest.keep(best, row, "placed")
    return {**batch, "rows": best}


def alike(data: bytes) -> bool:
    return repr(read(scanning.scan, data)) == repr(read(transcripts.scan_block, data))


def row(block: int, second: int, **changes: Any) -> bytes:
    """A row as the client 2.1.329 writes it, in its order of keys."""
    message = {
        "model": "claude-opus-5-5",
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": 'She said "usage": {} and ],"stop_reason": x'}],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 3, "output_tokens": 40, "cache_read_input_tokens": 7},
    }
    message.update(changes.pop("message", {}))
    made = {
        "parentUuid": f"{block:08d}-0000-4000-8000-000000000000",
        "isSidechain": False,
        "message": message,
        "apiBlockIndex": block,
        "requestId": "req_1",
        "requestRef": "ref-1",
        "type": "assistant",
        "uuid": f"{block:08d}-ffff-4000-8000-000000000000",
        "timestamp": f"2026-11-20T10:00:{second:02d}.000Z",
        "cwd": "/repo/app",
        "sessionId": SESSION,
    }
    return json.dumps({**made, **changes}, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize("scene", SCENES)
def test_every_oddity_is_read_alike(scene: str) -> None:
    for file in build(5, scenes=[scene]).files:
        assert alike(file.content), file.path


def test_rows_of_one_response_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[bytes] = []
    loads = scanning.orjson.loads
    monkeypatch.setattr(
        scanning.orjson, "loads", lambda text: parsed.append(text) or loads(text), raising=True
    )
    found = read(scanning.scan, b"".join(row(n, n) for n in range(5)))

    assert len(parsed) == 1
    assert len(found["rows"]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"message": {"usage": {"input_tokens": 3, "output_tokens": 41}}},
        {"message": {"stop_reason": None}},
        {"message": {"model": "claude-haiku-5-5"}},
        {"message": {"id": "msg_02"}},
        {"timestamp": "2026-11-20T09:59:59.000Z"},
        {"sessionId": "another"},
        {"cwd": "/repo/other"},
        {"requestRef": "ref-2"},
        {"isApiErrorMessage": True},
        {"forkedFrom": {"sessionId": "before", "messageUuid": "x"}},
        {"type": "user"},
    ],
    ids=str,
)
def test_a_row_that_differs_in_anything_is_read_itself(changes: dict[str, Any]) -> None:
    data = row(0, 5) + row(1, 6) + row(2, 7, **changes) + row(3, 8)

    assert alike(data)


@pytest.mark.parametrize(
    "data",
    [
        row(0, 1)[:-1] + row(1, 2, message={"id": "msg_02"})[:-1] + row(2, 3),
        row(0, 1) + row(1, 2)[:-1] + b'{"type":"api-request","id":"ref-1"}\n',
        row(0, 1) + row(1, 2)[:-40],
        row(0, 1) + row(1, 2)[:-1],
        b'{"type":"api-request","id":"a"}{"type":"api-request","id":"b"}\n',
        row(0, 1, message={"content": [{"type": "tool_use", "input": {"usage": {"a": [1]}}}]}),
        row(0, 1, message={"content": [{"input": {"x": [1], "stop_reason": 1, "usage": {}}}]}),
        row(0, 1, message={"usage": {}}),
        row(0, 1).replace(b":40", b":NaN"),
        row(0, 1).replace(b"msg_01", b"\\ud800"),
        row(0, 1).replace(b"tool_use", b"\xff\xfe"),
        b"\xef\xbb\xbf" + row(0, 1).replace(b"\n", b"\r\n"),
    ],
    ids=range(12),
)
def test_odd_lines_are_read_alike(data: bytes) -> None:
    assert alike(data)


PIECES = [row(n, n) for n in range(3)] + [
    row(1, 2, message={"id": "msg_02"}),
    b'{"type":"api-request","sessionId":"%s","id":"%s","timestamp":"2026"}\n'
    % (SESSION.encode(), SESSION.encode()),
    b'{"type":"user","message":{"content":"usage"},"toolUseResult":{"usage":{}}}\n',
    b'{"type":"cost-state","totalCostUSD":1,"modelUsage":{}}\n',
    b"\n",
    b"{",
]


@given(st.lists(st.sampled_from(PIECES), max_size=8), st.data())
@settings(max_examples=examples(100))
def test_any_mixture_of_cut_and_joined_rows_is_read_alike(pieces: list[bytes], data: Any) -> None:
    """Rows cut at any byte, with bytes changed or left out."""
    text = bytearray(b"".join(pieces))
    for _ in range(data.draw(st.integers(0, 3))):
        if text:
            at = data.draw(st.integers(0, len(text) - 1))
            length = data.draw(st.integers(0, 40))
            text[at : at + length] = data.draw(st.sampled_from([b"", b"\n", b'"', b"}{", b"7"]))

    assert alike(bytes(text))
