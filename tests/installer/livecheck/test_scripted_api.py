"""The scripted Messages API, spoken to with a plain HTTP client."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import pytest
from claude_tier.errors import UserError
from claude_tier.livecheck import (
    Answer,
    Request,
    Script,
    ScriptedAPI,
    Usage,
    fail,
    spawn,
    text,
    thinking,
    tool_use,
)

USAGE = Usage(
    input_tokens=3,
    output_tokens=50,
    cache_read_tokens=7,
    cache_write_5m_tokens=11,
    cache_write_1h_tokens=13,
)


class Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[dict[str, Any]]:
        data = [line for line in self.body.splitlines() if line.startswith(b"data: ")]
        return [json.loads(line.removeprefix(b"data: ")) for line in data]


def ask(api: ScriptedAPI, prompt: str = "hello", *, stream: bool = True) -> Reply:
    return send(api, "POST", "/v1/messages?beta=true", message(prompt, stream=stream))


def message(prompt: str = "hello", *, stream: bool = True) -> bytes:
    content = [{"role": "user", "content": [{"type": "text", "text": prompt}]}]
    body = {"model": "claude-opus-5-5", "messages": content, "stream": stream}
    return json.dumps(body).encode()


def send(api: ScriptedAPI, method: str, path: str, body: bytes | None = None) -> Reply:
    with closing(http.client.HTTPConnection("127.0.0.1", api.port, timeout=20)) as connection:
        connection.request(method, path, body)
        response = connection.getresponse()
        return Reply(response.status, dict(response.getheaders()), response.read())


@contextmanager
def answering(*blocks: dict[str, object], **how: Any) -> Iterator[ScriptedAPI]:
    with ScriptedAPI(lambda request: Answer(blocks, **how)) as api:
        yield api


def test_stream_opens_with_a_placeholder_and_ends_with_the_usage() -> None:
    """The count of output tokens is final only in message_delta."""
    with answering(text("hi"), usage=USAGE) as api:
        heard = ask(api).events()

    assert [event["type"] for event in heard] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert heard[0]["message"]["usage"] == {**USAGE.wire(), "output_tokens": 1}
    assert heard[0]["message"]["content"] == []
    assert heard[4] == {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": USAGE.wire(),
    }


def test_blocks_stream_by_their_own_deltas() -> None:
    """Text, thinking and tool input each have their kind of delta."""
    with answering(thinking("hm"), text("hi"), tool_use("Bash", command="ls")) as api:
        heard = ask(api).events()

    deltas = [event["delta"] for event in heard if event["type"] == "content_block_delta"]
    opened = [event["content_block"] for event in heard if event["type"] == "content_block_start"]
    assert [delta["type"] for delta in deltas] == [
        "thinking_delta",
        "signature_delta",
        "text_delta",
        "input_json_delta",
    ]
    assert json.loads(deltas[-1]["partial_json"]) == {"command": "ls"}
    assert opened[2]["input"] == {}
    assert heard[-2]["delta"]["stop_reason"] == "tool_use"


def test_without_stream_the_message_is_one_object() -> None:
    """A plain request gets JSON, with the request id in a header."""
    with answering(text("hi"), usage=USAGE) as api:
        reply = ask(api, stream=False)
        exchange = api.requests[0]

    whole = reply.json()
    assert reply.headers["request-id"] == exchange.request_id
    assert whole["id"] == exchange.message_id
    assert whole["model"] == "claude-opus-5-5"
    assert whole["content"] == [{"type": "text", "text": "hi"}]
    assert whole["usage"] == USAGE.wire()


def test_ids_and_usage_are_never_the_same_twice() -> None:
    """What is counted twice or not at all must show."""
    with answering(tool_use("Bash", command="ls")) as api:
        answers = [ask(api, stream=False).json() for _ in range(5)]
        exchanges = api.requests

    assert len({whole["id"] for whole in answers}) == 5
    assert len({whole["content"][0]["id"] for whole in answers}) == 5
    assert len({exchange.request_id for exchange in exchanges}) == 5
    assert len({exchange.usage for exchange in exchanges}) == 5


def test_every_part_of_a_usage_can_be_set() -> None:
    """Old flat usage, fast mode, geography, web searches and advisor iterations."""
    advisor = {"type": "advisor_message", "model": "claude-opus-5-5", "input_tokens": 5}
    usage = Usage(
        input_tokens=1,
        cache_write_5m_tokens=9,
        web_searches=2,
        speed="fast",
        inference_geo="us",
        iterations=(advisor,),
        split=False,
    )

    assert usage.wire() == {
        "input_tokens": 1,
        "cache_creation_input_tokens": 9,
        "cache_read_input_tokens": 0,
        "output_tokens": 0,
        "server_tool_use": {"web_search_requests": 2},
        "speed": "fast",
        "inference_geo": "us",
        "iterations": [advisor],
    }


def test_a_failure_carries_status_kind_and_headers() -> None:
    """Errors are scripted like answers."""
    with ScriptedAPI(lambda request: fail(429, "slow down", headers={"retry-after": "7"})) as api:
        reply = ask(api)
        exchange = api.requests[0]

    assert (reply.status, reply.headers["retry-after"]) == (429, "7")
    assert reply.json()["error"] == {"type": "rate_limit_error", "message": "slow down"}
    assert exchange.usage is None


def test_a_cut_stream_ends_inside_its_last_block() -> None:
    """The connection closes after the delta: no stop, no final usage."""
    with answering(text("whole"), text("half"), ending="cut") as api:
        heard = ask(api).events()

    kinds = [event["type"] for event in heard]
    assert kinds.count("content_block_start") == 2
    assert kinds.count("content_block_stop") == 1
    assert kinds[-1] == "content_block_delta"


def test_a_stalled_stream_ends_when_the_api_closes() -> None:
    """A stall holds the connection open and is let go at the end."""
    with answering(text("half"), ending="stall") as api:
        connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=20)
        connection.request("POST", "/v1/messages", message())
        response = connection.getresponse()
        while b"half" not in response.readline():
            pass
    with closing(connection):
        assert response.read().strip() == b""


def test_a_fault_in_the_script_is_raised_when_the_api_closes() -> None:
    """The client gets status 400, which it does not retry; the test gets the cause."""

    def broken(request: Request) -> Answer:
        raise KeyError("nowhere")

    def run() -> None:
        with ScriptedAPI(broken) as api:
            assert ask(api).status == 400

    with pytest.raises(KeyError, match="nowhere"):
        run()


def test_other_paths_answer_as_the_client_expects() -> None:
    """Token counting, the list of models, and the probes a client makes."""
    with answering(text("hi")) as api:
        count = send(api, "POST", "/v1/messages/count_tokens", message()).json()
        models = send(api, "GET", "/v1/models?limit=1000").json()
        one = send(api, "GET", "/v1/models/claude-haiku-5-5").json()
        head = send(api, "HEAD", "/")
        missing = send(api, "POST", "/api/event_logging/batch", b"{}")
        probes = [probe.path for probe in api.probes]
        messages = api.requests

    assert count["input_tokens"] > 0
    assert "claude-opus-5-5" in [model["id"] for model in models["data"]]
    assert one["id"] == "claude-haiku-5-5"
    assert (head.status, head.body) == (200, b"")
    assert missing.status == 404
    assert len(probes) == 5
    assert messages == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    """Garbage gets status 400 and is not recorded as a request."""
    with answering(text("hi")) as api:
        reply = send(api, "POST", "/v1/messages", body)
        messages = api.requests

    assert reply.status == 400
    assert messages == []


def test_thirty_requests_at_once_are_all_answered_and_kept() -> None:
    """A fan-out of subagents connects at the same moment."""
    count = 30
    together = threading.Barrier(count)

    def one(number: int) -> list[dict[str, Any]]:
        together.wait(timeout=20)
        return ask(api, f"number {number}").events()

    with answering(text("hi")) as api, ThreadPoolExecutor(count) as pool:
        heard = list(pool.map(one, range(count)))
        exchanges = api.requests

    assert all(one[-1]["type"] == "message_stop" for one in heard)
    assert len({exchange.message_id for exchange in exchanges}) == count
    assert {e.request.prompt for e in exchanges} == {f"number {n}" for n in range(count)}


def test_wait_for_returns_the_request_once_it_came() -> None:
    """A test waits for the moment, not for a time."""
    with answering(text("hi")) as api, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, api, "the one")
        exchange = api.wait_for(lambda e: "one" in e.request.prompt)
        asked.result()

        assert exchange.request.prompt == "the one"
        with pytest.raises(UserError, match="did not come within 0 s"):
            api.wait_for(lambda e: "two" in e.request.prompt, timeout=0)


def test_spawn_names_only_the_keys_it_is_given() -> None:
    """The Agent tool is called with or without a type, as the script says."""
    assert spawn("look")["input"] == {"description": "a task", "prompt": "look"}
    assert spawn("look", subagent_type="Explore", model="haiku")["input"] == {
        "description": "a task",
        "prompt": "look",
        "subagent_type": "Explore",
        "model": "haiku",
    }


def test_a_script_is_an_ordinary_responder() -> None:
    """A Script plugs in where a function would."""
    with ScriptedAPI(Script().on("hello", text("hi there"))) as api:
        whole = ask(api, stream=False).json()

    assert whole["content"] == [{"type": "text", "text": "hi there"}]
