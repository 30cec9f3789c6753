"""The fake provider of the tests: what goes wrong with it, down to the connection."""

from __future__ import annotations

import errno
import http.client
import json
import select
import socket
import subprocess
import sys
from typing import get_args

import faults
import pytest
from claude_tier.livecheck.isolation import Namespace
from claude_tier.routing.fault import Cause
from fault_server import FAULTS, Behaviour, FaultServer, Reply
from plain_client import KEY, Got, ask, connected, look, post
from wire_formats import FORMATS

# Each fault that says something, without and with a stream where it befalls those.
SAID = [
    (name, stream)
    for name, fault in FAULTS.items()
    for stream in (False, True)
    if fault.course == "whole" and (fault.streams if stream else fault.plain)
]


def streamed(path: str, behaviour: Behaviour, **body: object) -> Got:
    with FaultServer(behaviour) as server:
        return ask(server, path, stream=True, **body)


def test_it_keeps_what_it_was_asked() -> None:
    """What wants an answer of a model apart from what does not."""
    with FaultServer() as server:
        ask(server, "/v1/messages?beta=true", note="kept")
        look(server, "/api/version")
    (request,), (lookup,) = server.requests, server.lookups
    assert (request.method, request.path) == ("POST", "/v1/messages?beta=true")
    assert (request.headers["x-api-key"], request.body["note"]) == (KEY, "kept")
    assert lookup.path == "/api/version"


def test_behaviours_come_in_order_and_look_ups_take_none() -> None:
    """One for each answer."""
    with FaultServer([FAULTS["anthropic_overloaded"], Reply("second")]) as server:
        first = ask(server)
        assert look(server, "/api/tags").status == 200
        second = ask(server)
    assert first.status == 529
    assert second.json["content"][0]["text"] == "second"


def test_one_request_too_many_fails_the_test() -> None:
    """When the server ends; until then it gets status 500."""
    with (
        pytest.raises(AssertionError, match="more requests than behaviours"),
        FaultServer([Reply()]) as server,
    ):
        statuses = [ask(server).status, ask(server).status]
    assert statuses == [200, 500]


def test_a_fault_of_streams_fails_a_test_without_one() -> None:
    """It would have passed for a good answer."""
    with (
        pytest.raises(AssertionError, match="cannot befall"),
        FaultServer(FAULTS["unfinished_stream"]) as server,
    ):
        ask(server)


def test_a_function_chooses_by_the_request() -> None:
    """By path, model or whatever else there is in it."""
    down = FAULTS["ollama_died"]
    with FaultServer(lambda one: down if one.model == "bad" else Reply()) as server:
        assert ask(server, "/api/chat", model="bad").status == 500
        assert ask(server, "/api/chat", model="good").status == 200
        assert look(server, "/api/tags").status == 200


def test_there_is_a_fault_for_each_cause() -> None:
    """The catalogue covers whatever a router tells apart."""
    assert {fault.cause for fault in FAULTS.values()} == {*get_args(Cause), None}


@pytest.mark.parametrize(("name", "stream"), SAID)
def test_each_fault_says_what_it_is_to_say(name: str, stream: bool) -> None:
    """With its status and headers; in a format of its own or in the one that was asked for."""
    fault = FAULTS[name]
    with FaultServer(fault) as server:
        got = ask(server, "/v1/chat/completions", stream=stream)
    assert got.status == fault.status
    assert {header for header in fault.headers if header not in got.headers} == set()
    assert "{model}" not in got.text
    assert "{key}" not in got.text
    if isinstance(fault.body, dict):
        assert list(got.json) == list(fault.body)


def test_a_catalogue_of_one_api_has_what_any_server_does() -> None:
    """And nothing of the others."""
    found = faults.of("ollama")
    assert "ollama_model" in found
    assert "reset" in found
    assert "openai_quota" not in found


def test_each_error_of_an_api_has_the_shape_of_that_api() -> None:
    """Anthropic's type, OpenAI's code, OpenRouter's number, Ollama's bare words."""
    bodies = {
        api: [
            fault.body
            for name, fault in FAULTS.items()
            if fault.api == api and fault.body and name != "openrouter_given_up"
        ]
        for api in ("anthropic", "openai", "openrouter", "ollama", "llama_server", "litellm")
    }
    assert {body["type"] for body in bodies["anthropic"]} == {"error"}
    keys = {
        api: {tuple(sorted(body["error"])) for body in bodies[api]} for api in ("openai", "litellm")
    }
    assert keys["openai"] == keys["litellm"] == {("code", "message", "param", "type")}
    assert all(isinstance(body["error"]["code"], int) for body in bodies["openrouter"])
    assert all(isinstance(body["error"], str) for body in bodies["ollama"])
    assert all(isinstance(body["error"]["code"], int) for body in bodies["llama_server"])


def test_an_error_may_hold_the_key_and_the_model() -> None:
    """For a test that neither gets any further."""
    with FaultServer([FAULTS["leaky_error"], FAULTS["ollama_model"]]) as server:
        leak = ask(server)
        unknown = ask(server, "/api/chat", model='a "model"')
    assert KEY in leak.json["error"]["message"]
    assert leak.headers["x-seen"] == KEY
    assert unknown.json["error"] == "model 'a \"model\"' not found"


def test_a_streamed_fallback_tells_the_truth_in_headers_alone() -> None:
    """The body keeps the name that was asked for; without a stream it does not."""
    stream = streamed("/v1/chat/completions", FAULTS["litellm_streamed_fallback"])
    with FaultServer(FAULTS["litellm_fallback"]) as server:
        plain = ask(server, "/v1/chat/completions")
    assert {event["model"] for event in stream.events} == {"wanted"}
    assert stream.headers["x-litellm-model-id"] == "id-of-the-fallback"
    assert stream.headers["x-litellm-attempted-fallbacks"] == "1"
    assert plain.json["model"] == "the-fallback"


def test_who_follows_a_redirect_is_seen() -> None:
    """With the key, at another name of the same server."""
    with FaultServer(FAULTS["redirect"]) as server:
        got = ask(server)
        assert server.strayed == []
        assert got.status == 307
        where = f"http://localhost:{server.port}"
        assert got.headers["location"].startswith(f"{where}/")
        followed = ask(server, got.headers["location"].removeprefix(where))
    assert followed.status == 200
    assert [one.headers["x-api-key"] for one in server.strayed] == [KEY]
    assert len(server.requests) == 1


def test_nobody_listens_where_connections_are_refused() -> None:
    """Neither from the start, nor after the end."""
    with FaultServer(FAULTS["refused"]) as server, pytest.raises(ConnectionRefusedError):
        ask(server)
    with FaultServer() as stopped:
        stopped.stop()
        with pytest.raises(ConnectionRefusedError):
            ask(stopped)


@pytest.mark.parametrize("stream", [False, True])
def test_a_reset_comes_before_the_head(stream: bool) -> None:
    """Not as an orderly end."""
    with FaultServer(FAULTS["reset"]) as server, pytest.raises(ConnectionResetError) as caught:
        ask(server, stream=stream)
    assert caught.value.errno == errno.ECONNRESET


@pytest.mark.parametrize("path", FORMATS)
@pytest.mark.parametrize("stream", [False, True])
def test_half_a_body_is_less_than_was_announced(path: str, stream: bool) -> None:
    """By its length, or by the end that a chunked one has."""
    with FaultServer(FAULTS["half_body"]) as server, pytest.raises(http.client.IncompleteRead):
        ask(server, path, stream=stream)


def nothing_comes(sock: socket.socket) -> bool:
    return select.select([sock], [], [], 0)[0] == []


@pytest.mark.parametrize("stream", [False, True])
def test_silence_lasts_until_the_server_ends(stream: bool) -> None:
    """The request has come, and nothing goes back."""
    with FaultServer(FAULTS["silent"]) as server, connected(server) as connection:
        post(connection, "/v1/messages", stream=stream)
        server.wait_for(1)
        assert nothing_comes(connection.sock)
        server.stop()
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()


@pytest.mark.parametrize("stream", [False, True])
def test_silence_may_begin_after_the_head(stream: bool) -> None:
    """Whose status is that of a good answer."""
    with FaultServer(FAULTS["silent_after_head"]) as server, connected(server) as connection:
        post(connection, "/v1/messages", stream=stream)
        answer = connection.getresponse()
        assert answer.status == 200
        assert nothing_comes(connection.sock)
        server.stop()
        with pytest.raises(http.client.IncompleteRead):
            answer.read()


def test_silence_may_begin_within_a_stream() -> None:
    """After some of its text."""
    with FaultServer(FAULTS["stalled"]) as server, connected(server) as connection:
        post(connection, "/api/chat", stream=True)
        answer = connection.getresponse()
        lines = [json.loads(answer.readline()) for _ in range(2)]
        assert [line["done"] for line in lines] == [False, False]
        server.stop()
        with pytest.raises(http.client.IncompleteRead):
            answer.read()


@pytest.mark.parametrize("name", ["drip", "endless", "endless_error"])
@pytest.mark.parametrize("stream", [False, True])
def test_what_has_no_end_goes_on_until_the_server_ends(name: str, stream: bool) -> None:
    """Slowly, or as fast as it is read."""
    size = 30 if name == "drip" else 1_000_000
    with FaultServer(FAULTS[name]) as server, connected(server) as connection:
        post(connection, "/v1/messages", stream=stream)
        answer = connection.getresponse()
        assert answer.status == FAULTS[name].status
        assert len(answer.read(size)) == size
        server.stop()
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            answer.read()


@pytest.mark.parametrize("path", FORMATS)
def test_an_unfinished_stream_ends_in_order_amid_its_text(path: str) -> None:
    """The connection is not at fault: only the events tell."""
    got = streamed(path, FAULTS["unfinished_stream"])
    whole = streamed(path, Reply())
    assert whole.text.startswith(got.text)
    assert "All" in got.text
    assert "ll." not in got.text


@pytest.mark.parametrize("path", FORMATS)
def test_a_stream_may_lack_no_more_than_its_last_event(path: str) -> None:
    """All of its text has come."""
    got = streamed(path, FAULTS["no_last_event"])
    assert "ll." in got.text
    for end in ("message_stop", "[DONE]", "response.completed", '"done": true'):
        assert end not in got.text


@pytest.mark.parametrize("path", FORMATS)
def test_a_stream_may_be_reset_amid_its_text(path: str) -> None:
    """As when a provider's machine dies."""
    with FaultServer(FAULTS["reset_stream"]) as server, connected(server) as connection:
        post(connection, path, stream=True)
        answer = connection.getresponse()
        with pytest.raises(ConnectionResetError):
            answer.read()


@pytest.mark.parametrize("path", FORMATS)
def test_a_stream_may_say_that_it_failed(path: str) -> None:
    """After some text, and then end in order."""
    got = streamed(path, FAULTS["error_in_stream"])
    assert "All" in got.text
    assert "Overloaded" in json.dumps(got.events[-1])
    assert "error" in got.events[-1] or got.events[-1]["response"]["error"]


@pytest.mark.skipif(not Namespace.available(), reason="no right to unshare")
def test_in_a_namespace_only_those_inside_reach_it() -> None:
    """As the real client does."""
    asking = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())"
    with Namespace() as namespace, FaultServer(namespace=namespace) as server:
        with pytest.raises(ConnectionRefusedError):
            ask(server)
        command = [sys.executable, "-c", asking, f"{server.url}/api/version"]
        inside = namespace.command(command)
        found = subprocess.run(inside, capture_output=True, text=True, check=True)
    assert "version" in json.loads(found.stdout)
