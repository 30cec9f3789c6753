"""The recording proxy of the tests, in front of a real llama.cpp."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest
from llama_server import Start
from recorder import Recorder

BROKEN = (http.client.HTTPException, ConnectionResetError)
WORDS = "one two three four five six seven"


def ask(recorder: Recorder, path: str = "/v1/messages?beta=true", **more: Any) -> str:
    """The body of an answer; raises one of BROKEN where the connection breaks."""
    messages = [{"role": "user", "content": "Hello."}]
    body = json.dumps({"model": "any", "max_tokens": 100, "messages": messages, **more})
    connection = http.client.HTTPConnection("127.0.0.1", recorder.port, timeout=60)
    try:
        connection.request("POST", path, body, {"X-Api-Key": "sk-mine"})
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def test_it_keeps_what_was_asked_and_passes_the_answer(llama: Start) -> None:
    """Method, path, headers by lower-case name and the JSON of the body."""
    with Recorder(llama(WORDS).url) as recorder:
        answer = json.loads(ask(recorder, note="kept"))
    (request,) = recorder.requests
    assert answer["content"][0]["text"] == WORDS
    assert (request.method, request.path) == ("POST", "/v1/messages?beta=true")
    assert request.headers["x-api-key"] == "sk-mine"
    assert request.body["note"] == "kept"


def test_a_stream_passes_whole(llama: Start) -> None:
    """From its first event to its last."""
    with Recorder(llama(WORDS).url) as recorder:
        body = ask(recorder, stream=True)
    assert body.startswith("event: message_start")
    assert "event: message_stop" in body


def test_it_cuts_the_next_answer_before_its_head(llama: Start) -> None:
    """Only the next one."""
    with Recorder(llama(WORDS).url) as recorder:
        recorder.cut()
        with pytest.raises(ConnectionResetError):
            ask(recorder)
        assert WORDS in ask(recorder)


@pytest.mark.parametrize("stream", [False, True])
def test_it_cuts_an_answer_within_its_body(llama: Start, stream: bool) -> None:
    """A client sees that it is not whole, streamed or not."""
    with Recorder(llama(WORDS).url) as recorder:
        recorder.cut(after=50)
        with pytest.raises(BROKEN):
            ask(recorder, stream=stream)


def test_a_server_that_is_gone_looks_gone(llama: Start) -> None:
    """The connection is reset instead of being answered in its place."""
    server = llama(WORDS)
    with Recorder(server.url) as recorder:
        server.stop()
        with pytest.raises(ConnectionResetError):
            ask(recorder)


def test_it_ends_while_an_answer_is_under_way(llama: Start) -> None:
    """Without waiting for a model that never stops."""
    with Recorder(llama(None, ctx=1 << 18).url) as recorder:
        connection = http.client.HTTPConnection("127.0.0.1", recorder.port, timeout=60)
        messages = [{"role": "user", "content": "Hello."}]
        body = {"stream": True, "max_tokens": 1 << 18, "messages": messages}
        connection.request("POST", "/v1/messages", json.dumps(body))
        answer = connection.getresponse()
        answer.readline()
    with pytest.raises(BROKEN):
        answer.read()
    connection.close()
