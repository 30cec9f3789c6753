"""The local server of the tests: a real llama.cpp that says what it is told to."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from claude_tier.livecheck.isolation import Namespace
from llama_server import MODEL, Llama, Start

LONG = "".join(f"{n:05d}\n" for n in range(10_000))
JSON = json.dumps({"kind": "code", "why": "naïve, größer"}, ensure_ascii=False)
FREE_FORM = {"type": "json_object"}
HELLO = [{"role": "user", "content": "Hello."}]
HELLO_TOKENS = len("user: Hello.\nassistant: ") + 1

# Asks from where it runs, which may be inside a namespace.
ASK = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
connection.request("GET", "/health")
sys.stdout.write(connection.getresponse().read().decode())
"""


def ask(server: Llama, path: str = "/v1/messages", **more: Any) -> tuple[int, str]:
    """Status and body of the answer to a small request, changed by `more`."""
    body = {"model": "any", "max_tokens": 1000, "messages": HELLO, **more}
    return send(server, path, json.dumps(body))


def send(server: Llama, path: str, body: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", path, body.encode(), {"content-type": "application/json"})
    answer = connection.getresponse()
    found = answer.status, answer.read().decode()
    connection.close()
    return found


def said(server: Llama, **more: Any) -> str:
    """The text of a message."""
    status, body = ask(server, **more)
    assert status == 200, body
    return "".join(block["text"] for block in json.loads(body)["content"])


def deltas(body: str) -> list[str]:
    """The texts of a stream of the Messages API, piece by piece."""
    lines = [line for line in body.splitlines() if line.startswith("data: ")]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    return [event["delta"]["text"] for event in events if event["type"] == "content_block_delta"]


@pytest.mark.parametrize("reply", ["HEARTBEAT_OK", "a", "two words", JSON, "line\n\tline ", ""])
def test_it_says_what_it_is_told_to_say(llama: Start, reply: str) -> None:
    """To the character, whatever it is asked."""
    server = llama(reply)
    assert said(server) == reply
    assert said(server, system=f"Say {reply}", tools=[]) == reply


def test_an_answer_may_have_60_000_characters(llama: Start) -> None:
    """In at most 32 tokens, and streamed in as many pieces."""
    server = llama(LONG)
    assert said(server) == LONG
    _, body = ask(server, stream=True)
    assert "".join(deltas(body)) == LONG
    assert 16 < len(deltas(body)) <= 32


def test_a_stream_comes_in_pieces_and_ends(llama: Start) -> None:
    """It can be broken in the middle of a text, short as that is."""
    _, body = ask(llama("HEARTBEAT_OK"), stream=True)
    assert deltas(body) == ["HEA", "RTBE", "AT_OK"]
    assert body.rstrip().splitlines()[-2] == "event: message_stop"


def test_it_names_its_own_model_whatever_was_asked_for(llama: Start) -> None:
    """Which is how llama.cpp is: a wrong name is no error."""
    _, body = ask(llama(), model="claude-opus-5-5")
    assert json.loads(body)["model"] == MODEL


def test_a_prompt_counts_one_token_a_byte(llama: Start) -> None:
    """And one for its start; both the count and the usage say so, with what was cached apart."""
    server = llama("ok")
    _, counted = ask(server, "/v1/messages/count_tokens")
    assert json.loads(counted) == {"input_tokens": HELLO_TOKENS}
    for _ in range(2):
        usage = json.loads(ask(server)[1])["usage"]
        assert usage["input_tokens"] + usage["cache_read_input_tokens"] == HELLO_TOKENS
        assert usage["output_tokens"] == 2


def test_chat_completions_and_responses_say_the_same(llama: Start) -> None:
    """One server speaks all three."""
    server = llama("all well")
    chat = json.loads(ask(server, "/v1/chat/completions")[1])
    assert chat["choices"][0]["message"]["content"] == "all well"
    response = json.loads(ask(server, "/v1/responses", input="Hello.")[1])
    assert response["output"][0]["content"][0]["text"] == "all well"


def test_json_passes_the_grammar_that_asks_for_json(llama: Start) -> None:
    """What llama.cpp lets through for a response format is the text itself."""
    _, body = ask(llama(JSON), "/v1/chat/completions", response_format=FREE_FORM)
    assert json.loads(body)["choices"][0]["message"]["content"] == JSON


def test_max_tokens_cuts_an_answer(llama: Start) -> None:
    """A babbling model ends there, and nowhere else."""
    _, body = ask(llama(None), max_tokens=50)
    message = json.loads(body)
    assert message["stop_reason"] == "max_tokens"
    assert len(message["content"][0]["text"]) == 50


def test_a_prompt_above_the_context_is_refused(llama: Start) -> None:
    """With status 400 and both figures."""
    status, body = ask(llama(ctx=512), messages=[{"role": "user", "content": "x" * 600}])
    error = json.loads(body)["error"]
    assert (status, error["type"], error["n_ctx"]) == (400, "exceed_context_size_error", 512)


@pytest.mark.parametrize(
    ("body", "expected"), [("{", (400, "invalid_request_error")), ("{}", (500, "server_error"))]
)
def test_a_bad_request_may_look_like_its_own_fault(
    llama: Start, body: str, expected: tuple[int, str]
) -> None:
    """A request without messages gets status 500 where they are missed late."""
    status, answer = send(llama(), "/v1/messages", body)
    assert (status, json.loads(answer)["error"]["type"]) == expected


def test_a_stopped_server_refuses_connections(llama: Start) -> None:
    """And another one can be had on its port, as after a restart."""
    server = llama()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(server)
    assert said(llama("back", port=server.port)) == "back"


def test_a_killed_server_breaks_off_its_answers(llama: Start) -> None:
    """Killed in the middle of a stream that would never end."""
    server = llama(None, ctx=1 << 18)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    body = {"stream": True, "max_tokens": 1 << 18, "messages": HELLO}
    connection.request("POST", "/v1/messages", json.dumps(body))
    answer = connection.getresponse()
    assert answer.readline() == b"event: message_start\n"
    os.kill(server.process.pid, signal.SIGKILL)
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        answer.read()
    connection.close()


def test_a_port_that_is_taken_is_said(llama: Start) -> None:
    """With llama.cpp's own words."""
    server = llama()
    with pytest.raises(RuntimeError, match="did not start"):
        llama(port=server.port)


@pytest.mark.skipif(not Namespace.available(), reason="no right to unshare")
def test_in_a_namespace_only_those_inside_reach_it(llama: Start) -> None:
    """The real client meets it there."""
    with Namespace() as namespace:
        server = llama(namespace=namespace)
        with pytest.raises(ConnectionRefusedError):
            ask(server)
        command = namespace.command([sys.executable, "-c", ASK, str(server.port)])
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        assert json.loads(found.stdout) == {"status": "ok"}
        server.stop()
