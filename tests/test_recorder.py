"""The recording proxy of the tests, in front of a real llama.cpp."""

from __future__ import annotations

import errno
import http.client

import plain_client
import pytest
from llama_server import Start
from plain_client import KEY, Got, connected, post
from recorder import Recorder

BROKEN = (http.client.IncompleteRead, ConnectionResetError)
WORDS = "one two three four five six seven"
HELLO = [{"role": "user", "content": "Hello."}]
ENDLESS = 1 << 18  # tokens


def ask(recorder: Recorder, **more: object) -> Got:
    path = "/v1/messages?beta=true"
    return plain_client.ask(recorder, path, max_tokens=100, messages=HELLO, **more)


def test_it_keeps_what_was_asked_and_passes_the_answer(llama: Start) -> None:
    """Method, path, headers by lower-case name and the JSON of the body."""
    with Recorder(llama(WORDS).url) as recorder:
        got = ask(recorder, note="kept")
    (request,) = recorder.requests
    assert got.json["content"][0]["text"] == WORDS
    assert (request.method, request.path) == ("POST", "/v1/messages?beta=true")
    assert request.headers["x-api-key"] == KEY
    assert request.body["note"] == "kept"


def test_a_stream_passes_whole(llama: Start) -> None:
    """From its first event to its last."""
    with Recorder(llama(WORDS).url) as recorder:
        events = ask(recorder, stream=True).events
    assert (events[0]["type"], events[-1]["type"]) == ("message_start", "message_stop")


def test_it_cuts_the_next_answer_before_its_head(llama: Start) -> None:
    """Only the next one."""
    with Recorder(llama(WORDS).url) as recorder:
        recorder.cut()
        with connected(recorder) as connection:
            post(connection, "/v1/messages", max_tokens=100, messages=HELLO)
            with pytest.raises(ConnectionResetError) as caught:
                connection.getresponse()
        assert caught.value.errno == errno.ECONNRESET
        assert ask(recorder).status == 200


@pytest.mark.parametrize("stream", [False, True])
def test_it_cuts_an_answer_within_its_body(llama: Start, stream: bool) -> None:
    """A client sees that it is not whole, streamed or not."""
    with Recorder(llama(WORDS).url) as recorder, connected(recorder) as connection:
        recorder.cut(after=50)
        post(connection, "/v1/messages", max_tokens=100, messages=HELLO, stream=stream)
        answer = connection.getresponse()
        assert answer.status == 200
        with pytest.raises(BROKEN):
            answer.read()


def test_a_server_that_is_gone_looks_gone(llama: Start) -> None:
    """The connection is reset instead of being answered in its place."""
    server = llama(WORDS)
    with Recorder(server.url) as recorder:
        server.stop()
        with pytest.raises(ConnectionResetError) as caught:
            ask(recorder)
    assert caught.value.errno == errno.ECONNRESET


def test_it_ends_while_an_answer_is_under_way(llama: Start) -> None:
    """Without waiting for a model that never stops."""
    server = llama(None, ctx=ENDLESS)
    with Recorder(server.url) as recorder, connected(recorder) as connection:
        post(connection, "/v1/messages", max_tokens=ENDLESS, messages=HELLO, stream=True)
        answer = connection.getresponse()
        answer.readline()
        recorder.stop()
        with pytest.raises(BROKEN):
            answer.read()
