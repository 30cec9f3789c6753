"""How the fake provider spells an answer, and what it is billed for, in each API."""

from __future__ import annotations

import pytest
from fault_server import FAULTS, Behaviour, FaultServer, Reply
from plain_client import Got, ask, connected, look, post, read
from wire_formats import FORMATS

BILLED = Reply(
    "Nothing to do.",
    model="served",
    input_tokens=100,
    output_tokens=20,
    cache_read_tokens=30,
    cache_write_tokens=7,
    reasoning_tokens=5,
)


def streamed(path: str, behaviour: Behaviour = BILLED, **body: object) -> Got:
    with FaultServer(behaviour) as server:
        return ask(server, path, stream=True, **body)


def test_the_messages_api_counts_what_no_cache_had() -> None:
    """And what caches had beside it."""
    with FaultServer(BILLED) as server:
        got = ask(server, "/v1/messages").json
    assert got["content"] == [{"type": "text", "text": "Nothing to do."}]
    assert (got["model"], got["stop_reason"]) == ("served", "end_turn")
    assert got["usage"] == {
        "input_tokens": 100,
        "cache_creation_input_tokens": 7,
        "cache_read_input_tokens": 30,
        "output_tokens": 20,
    }


def test_chat_completions_count_the_whole_prompt() -> None:
    """What caches and reasoning had of it is told in the details."""
    with FaultServer(BILLED) as server:
        got = ask(server, "/v1/chat/completions").json
    (choice,) = got["choices"]
    assert choice["message"]["content"] == "Nothing to do."
    assert (got["model"], choice["finish_reason"]) == ("served", "stop")
    assert got["usage"] == {
        "prompt_tokens": 137,
        "completion_tokens": 20,
        "total_tokens": 157,
        "prompt_tokens_details": {"cached_tokens": 30},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }


def test_responses_count_the_whole_input() -> None:
    """And an answer that was cut is incomplete."""
    with FaultServer([BILLED, Reply(finish="length")]) as server:
        got, cut = (ask(server, "/v1/responses").json for _ in range(2))
    assert got["output"][0]["content"][0]["text"] == "Nothing to do."
    assert (got["model"], got["status"]) == ("served", "completed")
    assert got["usage"]["input_tokens"] == 137
    assert got["usage"]["total_tokens"] == 157
    assert (cut["status"], cut["incomplete_details"]["reason"]) == (
        "incomplete",
        "max_output_tokens",
    )


def test_ollama_counts_in_its_own_names() -> None:
    """With how long it took, in nanoseconds."""
    with FaultServer(BILLED) as server:
        got = ask(server, "/api/chat").json
    assert got["message"] == {"role": "assistant", "content": "Nothing to do."}
    assert (got["model"], got["done"], got["done_reason"]) == ("served", True, "stop")
    assert (got["prompt_eval_count"], got["eval_count"]) == (137, 20)


def test_a_stream_of_messages_has_the_figures_at_its_end() -> None:
    """What it opens with is a placeholder."""
    got = streamed("/v1/messages")
    assert got.headers["content-type"] == "text/event-stream"
    deltas = [event["delta"]["text"] for event in got.events if "text" in event.get("delta", {})]
    assert len(deltas) == 4
    assert "".join(deltas) == "Nothing to do."
    assert got.events[0]["message"]["usage"]["output_tokens"] == 1
    assert got.events[-2]["usage"]["output_tokens"] == 20
    assert got.events[-1] == {"type": "message_stop"}


def test_a_stream_of_chat_completions_is_counted_where_that_was_asked_for() -> None:
    """In a chunk of its own, before the end."""
    got = streamed("/v1/chat/completions", stream_options={"include_usage": True})
    choices = [choice for event in got.events for choice in event["choices"]]
    deltas = [choice["delta"].get("content", "") for choice in choices]
    assert "".join(deltas) == "Nothing to do."
    assert got.events[-1]["usage"]["total_tokens"] == 157
    assert got.text.endswith("data: [DONE]\n\n")
    assert "usage" not in streamed("/v1/chat/completions").text


def test_openrouter_comments_while_it_waits_and_always_counts() -> None:
    """With the cost."""
    reply = Reply(cost=0.25)
    got = streamed("/api/v1/chat/completions", reply)
    assert got.text.startswith(": OPENROUTER PROCESSING\n\n")
    assert got.events[-1]["usage"]["cost"] == 0.25


def test_a_stream_of_responses_ends_with_the_whole_response() -> None:
    """Numbered from the first event on."""
    events = streamed("/v1/responses").events
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert "".join(event.get("delta", "") for event in events) == "Nothing to do."
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["usage"]["output_tokens"] == 20


def test_ollama_streams_lines_unless_told_not_to() -> None:
    """Also where nothing is said of streams."""
    with FaultServer(BILLED) as server, connected(server) as connection:
        post(connection, "/api/chat")
        got = read(connection)
    assert got.headers["content-type"] == "application/x-ndjson"
    assert "".join(line["message"]["content"] for line in got.events) == "Nothing to do."
    assert [line["done"] for line in got.events] == [False] * 4 + [True]


@pytest.mark.parametrize("path", FORMATS)
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_not_counted_has_no_figures(path: str, stream: bool) -> None:
    """As from a proxy that leaves the usage out."""
    with FaultServer(FAULTS["uncounted"]) as server:
        text = ask(server, path, stream=stream).text
    assert "output_tokens" not in text
    assert "eval_count" not in text


def test_it_lists_its_models_in_each_way() -> None:
    """Also where it answers nothing else well."""
    with FaultServer([], models=("one", "two")) as server:
        openai = look(server, "/v1/models").json
        anthropic = look(server, "/v1/models", anthropic_version="2023-06-01").json
        openrouter = look(server, "/api/v1/models").json
        ollama = look(server, "/api/tags").json
        litellm = look(server, "/model/info").json
        shown = ask(server, "/api/show", model="one")
        unknown = ask(server, "/api/show", model="three")
    assert [one["id"] for one in openai["data"]] == ["one", "two"]
    assert (anthropic["first_id"], anthropic["has_more"]) == ("one", False)
    assert [one["pricing"]["prompt"] for one in openrouter["data"]] == ["0.000001"] * 2
    assert [one["name"] for one in ollama["models"]] == ["one", "two"]
    assert [one["model_name"] for one in litellm["data"]] == ["one", "two"]
    assert shown.json["model_info"]["llama.context_length"] == 131072
    assert (unknown.status, unknown.json) == (404, {"error": "model 'three' not found"})
