"""Tools of the user's own: their words, their targets, their schemas."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest
from claude_tier import config
from claude_tier.config import Config, ConfigError
from claude_tier.errors import UserError
from claude_tier.local_models.offers import LEAVES, NEAR, STAYS, Offer, offers
from claude_tier.local_models.pages import Pages
from claude_tier.local_models.rendering import tools
from claude_tier.local_models.replying import checked, reply
from claude_tier.paths import state_dir
from claude_tier.routing.answer import Answer
from claude_tier.routing.prompt import Usage
from claude_tier.routing.target import Target
from llama_server import Start
from mcp import Client
from mcp_types import Tool
from recorder import Recorder

from .conftest import Call, Configure, Talk

SCHEMA = "{type: object, properties: {total: {type: number}}, required: [total]}"
TOOL = "{{name: extract, target: llama/tiny, description: Reads an invoice., {more}}}"


def declared(more: str = "system: Be exact.") -> str:
    return f"local_models:\n  tools:\n    - {TOOL.format(more=more)}\n"


def loaded() -> Config:
    return config.load(state_dir() / config.CONFIG).config


@pytest.fixture
def offered(configure: Configure) -> Callable[[str], dict[str, Offer]]:
    """The tools of that configuration, beside a local provider and OpenRouter."""

    def load(text: str) -> dict[str, Offer]:
        openrouter = "  openrouter: {kind: openrouter}\n"
        configure(openrouter + text, llama="http://127.0.0.1:1")
        return {offer.name: offer for offer in offers(loaded())}

    return load


def test_a_declared_tool_asks_its_own_model_in_its_own_words(
    configure: Configure, llama: Start, talk: Talk
) -> None:
    """Its description stands in the list, its system prompt reaches the model."""
    with Recorder(llama("done").url) as recorder:
        configure(declared("system: Be exact., max_tokens: 77"), llama=recorder.url)

        async def ask(client: Client) -> Tool:
            listed = {tool.name: tool for tool in (await client.list_tools()).tools}
            given = {"prompt": "x", "max_tokens": 4000}
            assert not (await client.call_tool("extract", given)).is_error
            return listed["extract"]

        tool = talk(ask)
    (body,) = [request.body for request in recorder.requests if request.method == "POST"]
    assert tool.description.startswith("Reads an invoice.")
    assert "system" not in tool.input_schema["properties"]
    assert "Be exact." in str(body)
    assert 77 in body.values()


def test_a_call_may_ask_for_less_than_the_tool_allows(
    configure: Configure, llama: Start, call: Call
) -> None:
    """And for no more; without a word of it the tool's own figure holds."""
    with Recorder(llama("done").url) as recorder:
        configure(declared("max_tokens: 9000"), llama=recorder.url)
        for given in ({}, {"max_tokens": 10_000}, {"max_tokens": 20}):
            assert not call("extract", prompt="x", **given).is_error
    sent = [request.body for request in recorder.requests if request.method == "POST"]
    assert [9000 in body.values() for body in sent] == [True, True, False]
    assert 20 in sent[-1].values()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_tool_that_is_declared_meanwhile_can_be_called(
    configure: Configure, llama: Start, talk: Talk, mode: str
) -> None:
    """At once; a client that listens for changes of the list hears of it."""
    server = llama("done")
    configure("", llama=server.url)

    async def ask(client: Client) -> list[bool]:
        assert "extract" not in [tool.name for tool in (await client.list_tools()).tools]
        configure(declared(), llama=server.url)
        result = await client.call_tool("extract", {"prompt": "x"})
        listed = [tool.name for tool in (await client.list_tools(cache_mode="refresh")).tools]
        return [result.is_error, "extract" in listed]

    assert talk(ask, mode=mode) == [False, True]


def test_json_that_fits_the_schema_comes_as_data(
    configure: Configure, llama: Start, call: Call
) -> None:
    """Checked here, whatever the provider promised."""
    configure(declared(f"schema: {SCHEMA}"), llama=llama('{"total": 12.5}').url)
    answer = call("extract", prompt="x").structured_content
    assert (answer["data"], answer["text"]) == ({"total": 12.5}, "")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("the total is 12.5", "did not answer in JSON"),
        ('{"total": "a lot"}', "total: 'a lot' is not of type 'number'"),
        ('{"sum": 1}', "'total' is a required property"),
    ],
)
def test_json_that_does_not_fit_is_refused(reply: str, words: str) -> None:
    """With the place that is wrong."""
    schema = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}
    with pytest.raises(UserError) as caught:
        anyio.run(checked, reply, schema)
    assert words in caught.value.message


def test_half_a_character_does_not_end_the_server(
    offered: Callable[[str], dict[str, Offer]],
) -> None:
    """JSON can name half of a surrogate pair, which no line of the protocol can hold."""
    target = Target("llama", "tiny")
    answer = Answer("a\ud800b", target, target, "tiny", Usage(), None, 0.1, "end")
    shown = anyio.run(reply, offered("")["ask_local_llama"], answer, Pages(), 1000)
    assert shown.text == "a\ufffdb"
    shown.model_dump_json().encode()


def test_half_a_character_in_json_does_not_end_the_server() -> None:
    """Only its escape stands in the text."""
    assert anyio.run(checked, '{"a": "\\ud800b"}', {"type": "object"}) == {"a": "\ufffdb"}


@pytest.mark.parametrize("depth", [150, 500, 100_000])
def test_json_of_any_depth_does_not_end_the_server(depth: int) -> None:
    """Below some 250 levels the SDK can no longer write the answer."""
    with pytest.raises(UserError, match="nested too deeply"):
        anyio.run(checked, f'{{"a": {"[" * depth}{"]" * depth}}}', {"type": "object"})


def test_a_fence_around_the_json_is_no_mistake() -> None:
    """Models like to put one there."""
    assert anyio.run(checked, 'Here:\n```json\n{"a": 1}\n```', {"type": "object"}) == {"a": 1}


def test_a_tool_that_leads_off_this_machine_says_so(
    offered: Callable[[str], dict[str, Offer]],
) -> None:
    """Only a declared one may; the shipped ones keep to what runs here."""
    chain = "chains: {mixed: [llama/tiny, openrouter/x/y]}\n"
    tool = "{name: far, target: mixed, description: Far., max_tokens: 5}"
    found = offered(f"{chain}router: {{small: mixed}}\nlocal_models: {{tools: [{tool}]}}\n")
    assert LEAVES in found["far"].description
    assert [str(one) for one in found["far"].targets] == ["llama/tiny", "openrouter/x/y"]
    assert STAYS in found["ask_local_llama"].description
    hints = {tool.name: tool.annotations.open_world_hint for tool in tools(list(found.values()))}
    assert (hints["far"], hints["ask_local_llama"]) == (True, False)
    assert [str(one) for one in found["ask_local_llama"].targets] == ["llama/tiny"]
    assert found["ask_local_llama"].local_only


def test_a_machine_of_the_users_own_is_not_this_one(
    offered: Callable[[str], dict[str, Offer]],
) -> None:
    """`local: true` says that text may go there, not that it stays here."""
    lan = "  lan: {kind: litellm, base_url: 'http://llm.lan:4000', local: true}\n"
    found = offered(lan + "router: {small: lan/big}\n")["ask_local_llama"]
    assert [str(one) for one in found.targets] == ["lan/big"]
    assert NEAR in found.description


def test_the_shipped_tools_leave_the_machine_only_where_that_is_said(
    offered: Callable[[str], dict[str, Offer]],
) -> None:
    """And `router.local_only` is above it."""
    text = "local_models: {general: openrouter/x/y, only_local: false}\n"
    assert LEAVES in offered(text)["ask_local_llama"].description
    assert offered(text + "router: {local_only: true}\n")["ask_local_llama"].targets == ()


def test_a_description_is_never_longer_than_the_client_reads(
    offered: Callable[[str], dict[str, Offer]],
) -> None:
    """What is said of the machine stays."""
    tool = f"{{name: long, target: llama/tiny, description: {'word ' * 590}}}"
    found = offered(f"local_models: {{tools: [{tool}]}}\n")["long"]
    assert len(found.description) <= 4096
    assert STAYS in found.description


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "tools: [{name: Extract, target: llama/tiny, description: x}]",
            "local_models.tools[0].name: must be at most 40 of a-z",
        ),
        (
            "tools: [{name: read_more, target: llama/tiny, description: x}]",
            "is the name of a tool that is always there",
        ),
        (
            "tools: [{name: a, target: nobody/x, description: x}]",
            "local_models.tools[0].target: names no provider of yours: nobody",
        ),
        ("general: llama", "local_models.general: must be provider/model"),
        ("page: 50000", "local_models.page: must be less than or equal to 20000"),
        (
            "tools: [{name: a, target: llama/tiny, description: x, schema: {type: strin}}]",
            "local_models.tools[0].schema: is no JSON Schema",
        ),
        (
            "tools: [{name: a, target: llama/tiny, description: x,"
            " schema: {$ref: 'http://127.0.0.1:1/schema'}}]",
            "local_models.tools[0].schema: a $ref must stay inside the schema",
        ),
        (
            "tools: [{name: a, target: llama/tiny, description: x, schema: {type: array}}]",
            "must be a JSON Schema with type: object",
        ),
        (
            "tools: [{name: a, target: llama/t, description: x},"
            " {name: a, target: llama/t, description: x}]",
            "local_models.tools[1].name: another tool has this name",
        ),
    ],
)
def test_a_mistake_is_found_at_its_place(configure: Configure, text: str, words: str) -> None:
    """Like any other of the configuration."""
    configure(f"local_models: {{{text}}}\n", llama="http://127.0.0.1:1")
    with pytest.raises(ConfigError) as caught:
        loaded()
    assert words in caught.value.message
