"""What is asked of each kind of provider, and what its answers mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from claude_tier.routing import fault
from claude_tier.routing.prompt import Finished, Message, Prompt
from claude_tier.routing.providers.chat import ChatReader, usage_of
from claude_tier.routing.providers.messages import MessagesReader
from fault_server import FAULTS, Fault, FaultServer, Reply
from faults.litellm import SERVED

from .asking import EVERY_WAY, KEY, MODEL, VARIABLE, WAYS, Way, ask, client

LONG = Prompt(
    (Message("user", "one"), Message("assistant", "two"), Message("user", "three")),
    system="Be brief.",
    max_tokens=99,
    temperature=0.5,
)
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
STRICT = {**SCHEMA, "additionalProperties": False}
CHAT = Way("openai-compatible", "/v1")
RESPONSES = Way("openai", "/v1", api="responses")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


def _body(way: Way, prompt: Prompt, *, model: str = MODEL, stream: bool = False) -> dict[str, Any]:
    """What a provider of that kind is sent."""
    with FaultServer(models=[model]) as server:
        assert ask(client(server.url, way), prompt, stream=stream, model=model).end
        return dict(server.requests[0].body)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", EVERY_WAY, ids=str)
def test_an_answer_is_whole(way: Way, stream: bool) -> None:
    """Text, tokens, the model that served, and why it ended; in a stream piece by piece."""
    reply = Reply("Grüße, 世界! 🌍 and more", model="served", input_tokens=13, output_tokens=5)
    with FaultServer(reply) as server:
        found = ask(client(server.url, way), stream=stream)

    assert found.end is not None, found.fault
    assert found.text == reply.text
    assert len(found.pieces) > 1 if stream else len(found.pieces) == 1
    assert (found.end.model, found.end.reason) == ("served", "end")
    assert (found.end.usage.input, found.end.usage.output, found.end.usage.measured) == (
        13,
        5,
        True,
    )


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", EVERY_WAY, ids=str)
def test_an_empty_answer_is_one(way: Way, stream: bool) -> None:
    """It ended in order: a model had nothing to say."""
    with FaultServer(Reply("")) as server:
        found = ask(client(server.url, way), stream=stream)

    assert (found.text, found.fault) == ("", None)
    assert found.end is not None


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", EVERY_WAY, ids=str)
def test_a_cut_answer_says_so(way: Way, stream: bool) -> None:
    """It reached the longest that was asked for."""
    with FaultServer(Reply(finish="length")) as server:
        found = ask(client(server.url, way), stream=stream)

    assert found.end is not None
    assert found.end.reason == "length"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", EVERY_WAY, ids=str)
def test_figures_that_nobody_gave_are_unmeasured(way: Way, stream: bool) -> None:
    """They are not none."""
    with FaultServer(Reply(counted=False)) as server:
        found = ask(client(server.url, way), stream=stream)

    assert found.end is not None
    assert not found.end.usage.measured


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "way", [each for api in ("anthropic", "openai", "openrouter") for each in WAYS[api]], ids=str
)
def test_what_came_from_a_cache_is_no_fresh_input(way: Way, stream: bool) -> None:
    """OpenAI's shapes count it among the prompt's tokens, Anthropic's beside them."""
    with FaultServer(Reply(input_tokens=10, cache_read_tokens=90)) as server:
        found = ask(client(server.url, way), stream=stream)

    assert found.end is not None
    assert (found.end.usage.input, found.end.usage.cache_read) == (10, 90)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", EVERY_WAY, ids=str)
def test_the_name_that_served_holds_no_key(way: Way, stream: bool) -> None:
    """It goes into the ledger, and onto terminals."""
    with FaultServer(Reply(model=f"{KEY}\x1b[2J")) as server:
        found = ask(client(server.url, way), stream=stream)

    assert found.end is not None
    assert found.end.model == "[key] [2J"


@pytest.mark.parametrize(("thought", "total", "output"), [(9, 41, 16), (5, 32, 7), (0, 32, 7)])
def test_thoughts_that_are_counted_apart_are_output(thought: int, total: int, output: int) -> None:
    """xAI leaves them out of the answer's tokens; others have them there already."""
    usage = {
        "prompt_tokens": 25,
        "completion_tokens": 7,
        "total_tokens": total,
        "completion_tokens_details": {"reasoning_tokens": thought},
    }

    assert usage_of(usage).output == output


def test_a_figure_that_a_stream_repeats_as_none_holds() -> None:
    """Some proxies end with an input of 0 that they had told before."""
    reader = MessagesReader(MODEL)
    begin, end = {"input_tokens": 9, "output_tokens": 1}, {"input_tokens": 0, "output_tokens": 4}
    documents: list[dict[str, object]] = [
        {"type": "message_start", "message": {"usage": begin}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": end},
        {"type": "message_stop"},
    ]
    events = [event for each in documents for event in (*reader.counted(each), *reader.part(each))]

    finished = events[-1]
    assert isinstance(finished, Finished)
    assert (finished.usage.input, finished.usage.output) == (9, 4)


def test_a_message_that_stops_without_a_reason_is_not_whole() -> None:
    """Its last words are missing."""
    assert not [*MessagesReader(MODEL).part({"type": "message_stop"})]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reason", ["error", "insufficient_system_resource", "abort"])
def test_work_that_ended_is_no_answer(reason: str, stream: bool) -> None:
    """OpenRouter, DeepSeek and vLLM say so where others give the reason of an end."""
    reader = ChatReader(MODEL)
    read, holder = (reader.part, "delta") if stream else (reader.whole, "message")
    document = {"choices": [{holder: {"content": "half"}, "finish_reason": reason}]}

    with pytest.raises(fault.Fault, match="gave up") as caught:
        list(read(document))
    assert caught.value.cause == "server"


@pytest.mark.parametrize("stream", [False, True])
def test_openrouter_says_what_it_charged(stream: bool) -> None:
    """In the usage of the answer."""
    with FaultServer(Reply(cost=0.0123)) as server:
        found = ask(client(server.url, WAYS["openrouter"][0]), stream=stream)

    assert found.end is not None
    assert found.end.usage.usd == 0.0123


@pytest.mark.parametrize(("name", "stream"), [("fallback", False), ("streamed_fallback", True)])
def test_litellm_says_who_served_in_its_headers(name: str, stream: bool) -> None:
    """The body of a stream keeps the name that was asked for."""
    with FaultServer(FAULTS[f"litellm_{name}"]) as server:
        found = ask(client(server.url, WAYS["litellm"][0]), stream=stream)

    assert found.end is not None
    assert (found.end.model, found.end.usage.usd) == (SERVED, 0.0001)


@pytest.mark.parametrize("cost", ["0.0", "None", "-1", "nan", "much"])
def test_a_cost_that_litellm_does_not_know_is_none(cost: str) -> None:
    """It says 0 of a price that it does not know."""
    with FaultServer(Reply(headers={"x-litellm-response-cost": cost})) as server:
        found = ask(client(server.url, WAYS["litellm"][0]))

    assert found.end is not None
    assert found.end.usage.usd is None


@pytest.mark.parametrize("way", EVERY_WAY, ids=str)
def test_a_key_is_shown_to_its_provider(way: Way) -> None:
    """In the header that the API reads."""
    with FaultServer() as server:
        ask(client(server.url, way))
        (request,) = server.requests

    bearer, own = request.headers.get("authorization"), request.headers.get("x-api-key")
    assert (bearer, own) != (None, None)
    assert {bearer, own} <= {f"Bearer {KEY}", KEY, None}


def test_a_missing_key_is_told_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variable to set."""
    monkeypatch.delenv(VARIABLE)
    with FaultServer() as server:
        there = client(server.url, CHAT)
        found = ask(there)
        assert not server.seen

    assert found.fault is not None
    assert (found.fault.cause, found.fault.everywhere) == ("key", True)
    assert found.fault.remedy == f"set {VARIABLE}"
    assert there.account == "-"


def test_messages_have_their_own_shape() -> None:
    """The system prompt stands apart."""
    body = _body(Way("anthropic-compatible"), LONG, stream=True)

    assert body == {
        "model": MODEL,
        "max_tokens": 99,
        "system": "Be brief.",
        "temperature": 0.5,
        "stream": True,
        "messages": [
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "two"},
            {"role": "user", "content": "three"},
        ],
    }


def test_chat_has_the_system_prompt_first_and_counts_streams() -> None:
    """Without the option a stream has no figures."""
    body = _body(CHAT, LONG, stream=True)

    assert [each["role"] for each in body["messages"]] == ["system", "user", "assistant", "user"]
    assert body["stream_options"] == {"include_usage": True}
    assert (body["max_tokens"], body["temperature"]) == (99, 0.5)


def test_openai_has_another_name_for_the_longest_answer() -> None:
    """Its newer models refuse the old one."""
    body = _body(Way("openai", "/v1"), LONG, model="gpt-4.1")

    assert (body["max_completion_tokens"], body["temperature"]) == (99, 0.5)
    assert "max_tokens" not in body


@pytest.mark.parametrize("model", ["o3", "gpt-5.2", "gpt-6-mini"])
def test_models_that_reason_get_no_temperature(model: str) -> None:
    """They refuse one."""
    assert "temperature" not in _body(Way("openai", "/v1"), LONG, model=model)


@pytest.mark.parametrize(
    ("model", "taken"),
    [
        ("claude-haiku-4-5", True),
        ("claude-opus-4-6", True),
        ("claude-sonnet-4-20250514", True),
        ("claude-3-5-haiku-latest", True),
        ("claude-opus-4-7", False),
        ("claude-haiku-5-5", False),
        ("claude-fable-5-2", False),
    ],
)
def test_a_claude_model_gets_what_it_takes(model: str, taken: bool) -> None:
    """A temperature until 4.6, a schema from then on."""
    body = _body(Way("anthropic"), replace(LONG, schema=STRICT), model=model)

    assert ("temperature" in body) == taken
    assert ("output_config" in body) != taken
    if not taken:
        assert body["output_config"]["format"] == {"type": "json_schema", "schema": STRICT}


def test_codex_models_are_asked_by_responses() -> None:
    """The only API that serves them; nothing is kept there."""
    body = _body(Way("openai", "/v1"), LONG, model="gpt-5.3-codex")

    assert (body["instructions"], body["max_output_tokens"]) == ("Be brief.", 99)
    assert body["store"] is False
    assert [each["content"] for each in body["input"]] == ["one", "two", "three"]


@pytest.mark.parametrize(("schema", "strict"), [(STRICT, True), (SCHEMA, False)])
def test_a_schema_is_enforced_to_the_letter_where_it_can_be(
    schema: dict[str, object], strict: bool
) -> None:
    """An open object is refused in strict mode."""
    prompt = replace(LONG, schema=schema)

    chat = _body(CHAT, prompt)["response_format"]
    responses = _body(RESPONSES, prompt)["text"]["format"]

    named = {"name": "answer", "schema": schema, "strict": strict}
    assert chat == {"type": "json_schema", "json_schema": named}
    assert responses == {"type": "json_schema", **named}


def test_an_open_schema_is_not_for_anthropic() -> None:
    """It refuses one; whoever asked checks the answer in any case."""
    body = _body(Way("anthropic"), replace(LONG, schema=SCHEMA), model="claude-haiku-5-5")

    assert "output_config" not in body


@pytest.mark.parametrize(
    ("words", "left_out"),
    [
        ("Invalid schema for response_format 'answer'", "response_format"),
        ("`temperature` is deprecated for this model.", "temperature"),
    ],
)
def test_what_a_model_refuses_is_left_out(words: str, left_out: str) -> None:
    """An answer can do without it, and a refusal would end the whole chain."""
    refusal = Fault("request", 400, {"error": {"message": words}})
    with FaultServer([refusal, Reply()]) as server:
        found = ask(client(server.url, CHAT), replace(LONG, schema=SCHEMA))
        first, second = (request.body for request in server.requests)

    assert found.text == "All is well."
    assert first.keys() - second.keys() == {left_out}


def test_a_refusal_of_anything_else_is_one() -> None:
    """And one that is repeated ends, too."""
    refusal = Fault("request", 400, {"error": {"message": "no temperature, no schema, nothing"}})
    with FaultServer(refusal) as server:
        found = ask(client(server.url, CHAT), replace(LONG, schema=SCHEMA))

        assert len(server.requests) == 3
    assert found.fault is not None
    assert found.fault.cause == "request"


def test_a_length_beyond_the_models_is_cut_to_it() -> None:
    """As the configuration knows it: more is refused."""
    with FaultServer() as server:
        ask(client(server.url, CHAT, models={MODEL: {"max_output": 50}}), LONG)

        assert server.requests[0].body["max_tokens"] == 50


def test_a_lone_surrogate_is_sent_as_something_readable() -> None:
    """File names have them; they are no Unicode and would be refused."""
    body = _body(CHAT, Prompt.of("caf\udce9 ok"))

    assert body["messages"][0]["content"] == "caf? ok"


@pytest.mark.parametrize(
    ("url", "path"),
    [("", "/v1/chat/completions"), ("/v1/", "/v1/chat/completions"), ("/x", "/x/chat/completions")],
)
def test_an_address_without_a_path_is_meant_with_v1(url: str, path: str) -> None:
    """One with a path is taken as it stands."""
    with FaultServer(lambda request: Reply()) as server:
        ask(client(server.url, Way("openai-compatible", url)))

        assert server.seen[0].path == path


@pytest.mark.parametrize("kind", ["anthropic-compatible", "llama-server", "litellm"])
def test_an_address_may_have_its_v1(kind: str) -> None:
    """It is not asked for twice."""
    with FaultServer() as server:
        ask(client(server.url, Way(kind, "/v1")))  # type: ignore[arg-type]

        assert "/v1/v1" not in server.requests[0].path


def test_local_thoughts_are_no_part_of_an_answer() -> None:
    """Those of a model that thinks in its text."""
    with FaultServer(Reply("<think>is it?</think>\n\nIt is.")) as server:
        for way in (CHAT, WAYS["ollama"][0], WAYS["llama_server"][0]):
            for stream in (False, True):
                assert ask(client(server.url, way), stream=stream).text == "It is."
