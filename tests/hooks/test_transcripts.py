"""Transcript lines of any form: read or left, never in the way of those around them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from claude_tier_hooks import ingest, ledger, places, policy
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Json = dict[str, Any]


def answer(number: int = 1, **more: Any) -> Json:
    """A row as the client writes it."""
    usage = {
        "input_tokens": 10,
        "output_tokens": 20,
        "cache_read_input_tokens": 30,
        "cache_creation_input_tokens": 9,
        "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5},
        "server_tool_use": {"web_search_requests": 1},
        "iterations": [],
        "speed": "standard",
    }
    message = {"id": f"msg_{number}", "model": "claude-opus-5-5", "stop_reason": "end_turn"}
    return {
        "type": "assistant",
        "sessionId": "s",
        "cwd": "/w",
        "timestamp": "2026-11-20T12:00:00.000Z",
        "requestRef": f"r{number}",
        "message": {**message, "usage": usage},
        **more,
    }


OTHERS: list[Json] = [
    {"type": "api-request", "id": "r1", "timestamp": "2026-11-20T12:00:00.000Z"},
    {"type": "attachment", "timestamp": "2026-11-20T11:00:00.000Z",
     "attachment": {"type": "model", "identity": {"modelId": "claude-fable-5-2"}}},
    {"type": "cost-state", "sessionId": "s", "totalCostUSD": 1.5,
     "modelUsage": {"claude-opus-5-5": {"inputTokens": 10, "costUSD": 1.5}}},
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["\ud800", "msg_1", "<synthetic>", "2026-02-30T99:00:00Z", "s", "x" * 500]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner,
                                                                 max_size=3),
    max_leaves=5,
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a value can be replaced: every key of every object in it."""
    if isinstance(value, dict):
        for key in value:
            yield (*path, key)
            yield from _places(value[key], (*path, key))


@st.composite
def spoilt(draw: st.DrawFn) -> Json:
    """A row of the client with up to three of its values replaced by anything."""
    row: Json = json.loads(json.dumps(draw(st.sampled_from([answer(), *OTHERS]))))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(list(_places(row))))
        at = row
        for key in way:
            at = at[key] if isinstance(at.get(key), dict) else at
        at[last] = draw(VALUES)
    return row


@pytest.fixture
def file(home: Path) -> Path:
    path = home / ".claude/projects/-w/s.jsonl"
    path.parent.mkdir(parents=True)
    return path


def compact(row: Json) -> bytes:
    """The line as the client writes it."""
    return json.dumps(row, separators=(",", ":")).encode() + b"\n"


def read(file: Path, content: bytes) -> list[sqlite3.Row]:
    """What the ledger holds after reading a file with that content."""
    file.write_bytes(content)
    Path(ledger.file()).unlink(missing_ok=True)
    db = ledger.connect(patience=10)
    try:
        ingest.everything(db, policy.load())
        return db.execute("SELECT key, usd FROM usage ORDER BY key").fetchall()
    finally:
        db.close()


@given(rows=st.lists(spoilt(), min_size=1, max_size=4))
@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_spoilt_line_is_no_obstacle_to_its_neighbours(file: Path, rows: list[Json]) -> None:
    """Were a line to raise, everything behind it would stay unread for ever."""
    lines = [answer(7), *rows, answer(8)]

    found = read(file, b"".join(map(compact, lines)))

    keys = {row[0] for row in found}
    assert {"msg_7", "msg_8"} <= keys


@given(junk=st.binary(max_size=300))
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_between_lines_are_no_obstacle(file: Path, junk: bytes) -> None:
    """Half a line, NUL bytes of a crashed machine, another file's middle."""
    line = json.dumps(answer(7)).encode() + b"\n"

    found = read(file, line + junk.replace(b"{", b"(") + b"\n" + json.dumps(answer(8)).encode())

    assert [row[0] for row in found] == ["msg_7", "msg_8"]


FORMS = {
    "with spaces": json.dumps(answer(), indent=None, separators=(", ", ": ")),
    "in ASCII": json.dumps(answer(cwd="/日本")),
    "in UTF-8": json.dumps(answer(cwd="/日本"), ensure_ascii=False),
    "with floats": json.dumps(answer()).replace("10,", "10.0,"),
    "with numbers as text": json.dumps(answer()).replace(": 20", ': "20"'),
    "two to a line": json.dumps(answer()) + json.dumps(answer(2)),
    "behind a BOM": "\N{BYTE ORDER MARK}" + json.dumps(answer()),
    "with CRLF": json.dumps(answer()) + "\r",
    "behind NUL bytes": "\0" * 100 + json.dumps(answer()),
    "behind a torn line": '{"type":"assistant","message":{"id":"msg_t","us' + json.dumps(answer()),
    "without a request id": json.dumps(answer(requestId=None)),
    "without a time": json.dumps(answer(timestamp=None)),
    "without a folder": json.dumps(answer(cwd=None)),
    "without its session": json.dumps(answer(sessionId=None)),
    "with fields of tomorrow": json.dumps(answer(tomorrow={"usage": {"input_tokens": 10**9}})),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_row_counts_in_every_form(form: str, file: Path) -> None:
    """The same figures, whoever wrote the line."""
    found = dict(read(file, FORMS[form].encode() + b"\n"))

    price = (10 * 4 + 20 * 20 + 30 * 0.2 + 4 * 5 + 5 * 8) / 1e6 + 0.01
    assert found["msg_1"] == pytest.approx(price, abs=1e-12)
    assert set(found) == ({"msg_1", "msg_2"} if form == "two to a line" else {"msg_1"})


NO_USAGE = {
    "a tool result that quotes one": {
        "type": "user",
        "message": {"content": [{"type": "tool_result", "content": json.dumps(answer())}]},
    },
    "a subagent's result": {
        "type": "user",
        "toolUseResult": {"usage": answer()["message"]["usage"], "totalTokens": 99},
    },
    "progress of a subagent": {"type": "progress", "data": {"message": answer()}},
    "an API error": answer(isApiErrorMessage=True),
    "a made-up answer": answer(message={**answer()["message"], "model": "<synthetic>"}),
    "an answer without usage": answer(message={"id": "msg_1", "model": "claude-opus-5-5"}),
}


@pytest.mark.parametrize("form", NO_USAGE)
def test_what_is_no_response_counts_nothing(form: str, file: Path) -> None:
    """However much it looks like one."""
    assert read(file, json.dumps(NO_USAGE[form]).encode() + b"\n") == []


def told(file: Path, *rows: Json) -> str | None:
    """The model of the session after those rows."""
    read(file, b"".join(map(compact, rows)))
    with sqlite3.connect(ledger.file()) as db:
        found = db.execute("SELECT model FROM session").fetchone()
    db.close()
    return found[0] if found else None


def test_what_the_client_tells_stands_over_what_answered(file: Path) -> None:
    """A skill's model, or a fallback, answers without being what subagents inherit."""
    model = OTHERS[1]

    assert told(file, answer()) == "claude-opus-5-5"
    assert told(file, model, answer()) == "claude-fable-5-2"
    assert told(file, answer(), model) == "claude-fable-5-2"
    assert told(file, {**model, "isSidechain": True}, answer()) == "claude-opus-5-5"


def test_a_transcript_with_an_unspeakable_name_is_left(home: Path, file: Path) -> None:
    """The client names files in UTF-8; another's must not stop the rest."""
    file.write_text(json.dumps(answer()) + "\n")
    odd = bytes(file.parent) + b"/\xff.jsonl"
    with open(odd, "w") as stream:  # noqa: PTH123 - pathlib knows no bytes
        stream.write(json.dumps(answer(2)) + "\n")

    assert [path for path, _, _ in places.walk(str(home / ".claude/projects"))] == [str(file)]
