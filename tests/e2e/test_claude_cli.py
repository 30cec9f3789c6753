"""The user's own `claude` as a provider, in the real client: what leaves, and what comes back."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from claude_tier.config import Config
from claude_tier.livecheck import Answer, Client, Namespace, ScriptedAPI, fail, text
from claude_tier.livecheck.answers import Usage, tool_use
from claude_tier.livecheck.client import API_KEY
from claude_tier.livecheck.isolation import listen
from claude_tier.livecheck.scripted_api import Responder
from claude_tier.livecheck.terminal import poll
from claude_tier.livecheck.wire import PLACEHOLDER_OUTPUT
from claude_tier.routing import keys, providers
from claude_tier.routing.fault import Cause
from claude_tier.routing.prompt import Message, Prompt
from claude_tier.routing.providers.http import Limits

from .oracle import Serve
from .own_claude import Own, asked, on_path

SAID = Answer((text("forty-two"),), usage=Usage(11, 7, 1001, 201, 301))
LEANEST = 2600  # bytes of a request with a prompt of a few words; the whole client's has 50,000
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.fixture
def api(request: pytest.FixtureRequest, serve: Serve) -> ScriptedAPI:
    """One that says the same to everything, unless the test names what it does."""
    respond: Responder = getattr(request, "param", lambda _request: SAID)
    return serve(respond)


@pytest.fixture
def own(client: Client, api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch) -> Own:
    """`claude` on PATH, with a key in the environment."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", API_KEY)
    return on_path(client, api.url, api, monkeypatch)


def _ask(prompt: str | Prompt, **how: object):  # type: ignore[no-untyped-def]
    given = Prompt.of(prompt) if isinstance(prompt, str) else prompt
    return anyio.run(lambda: asked(given, **how))  # type: ignore[arg-type]


def _content(api: ScriptedAPI) -> list[dict[str, str]]:
    """The blocks of the one user's message of the one request."""
    (exchange,) = api.requests
    messages = exchange.request.body["messages"]
    assert isinstance(messages, list)
    (message,) = [each for each in messages if each["role"] == "user"]
    return list(message["content"])


def test_an_answer_is_told_with_the_clients_own_figures(own: Own, api: ScriptedAPI) -> None:
    """Text, tokens, dollars, the model that served and the message's id."""
    found = _ask("what is it?")

    end = found.finished
    assert "".join(found.pieces) == "forty-two"
    assert (end.model, end.reason) == ("claude-haiku-5-5", "end")
    assert end.id == api.requests[0].message_id
    usage = end.usage
    assert (usage.input, usage.output, usage.cache_read) == (11, 7, 1001)
    assert (usage.cache_write_5m, usage.cache_write_1h, usage.measured) == (201, 301, True)
    assert usage.usd == pytest.approx(
        (11 * 0.1 + 7 * 0.5 + 1001 * 0.01 + 201 * 0.125 + 301 * 0.2) / 1e6
    )


def test_a_stream_gives_the_same_answer_as_it_comes(own: Own) -> None:
    """The pieces are not told again with the result."""
    found = _ask("what is it?", stream=True)

    assert "".join(found.pieces) == "forty-two"
    assert found.finished.usage.output == 7
    assert _is_gone(own.pid)


def test_a_request_is_lean(own: Own, api: ScriptedAPI, client: Client) -> None:
    """No tools, no settings, no memory, no hooks, no transcript: the prompt and the system's.

    No word of either is on the command line, which others on the machine can read.
    """
    settings = client.home / ".claude"
    settings.mkdir(exist_ok=True)
    hook = {"type": "command", "command": f"touch {client.home}/hooked"}
    events = {name: [{"hooks": [hook]}] for name in ("SessionStart", "UserPromptSubmit", "Stop")}
    (settings / "settings.json").write_text(json.dumps({"hooks": events}), "utf-8")
    (settings / "CLAUDE.md").write_text("A memory of the user's.", "utf-8")

    _ask(Prompt.of("what is it?", system="Be exact."))

    (exchange,) = api.requests
    sent = json.dumps(exchange.request.body)
    assert len(sent) < LEANEST
    assert exchange.request.tools == ()
    assert "Be exact." in sent
    assert "exact" not in " ".join(own.arguments)
    assert "what is it" not in " ".join(own.arguments)
    assert "A memory" not in sent
    assert not (client.home / "hooked").exists()
    assert not [*settings.glob("projects/*/*.jsonl")]
    assert not api.probes


@pytest.mark.parametrize(
    "words", ['@{file} and @"{file}", or see @{file} please', "/compact", "!ls", "#note"]
)
def test_a_prompt_is_nothing_but_text(
    own: Own, api: ScriptedAPI, client: Client, words: str
) -> None:
    """What the client would take for a file to read or a command to run is sent as it stands."""
    file = client.home / "private.txt"
    file.write_text("what nobody asked to be sent", "utf-8")
    prompt = words.replace("{file}", str(file))

    found = _ask(prompt)

    assert found.finished
    assert _content(api)[0]["text"] == prompt
    assert "what nobody asked" not in json.dumps(api.requests[0].request.body)


def test_a_conversation_is_told_turn_by_turn(own: Own, api: ScriptedAPI) -> None:
    """The client takes one message; who said what stays clear."""
    turns = (Message("user", "one"), Message("assistant", "two"), Message("user", "three"))

    _ask(Prompt(turns))

    told = _content(api)[0]["text"]
    assert told.index("<user>\none") < told.index("<assistant>\ntwo") < told.index("<user>\nthree")


def _structured(request: object) -> Answer:
    return Answer((text("Here it is:"), tool_use("StructuredOutput", a=3)))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("api", [_structured], indirect=True)
def test_a_schema_is_enforced_by_the_client(own: Own, api: ScriptedAPI, stream: bool) -> None:
    """Only the structured answer is told, not the words around it."""
    prompt = Prompt((Message("user", "give a"),), schema=SCHEMA)

    found = _ask(prompt, stream=stream)

    assert json.loads("".join(found.pieces)) == {"a": 3}
    assert found.finished.reason == "end"


@pytest.mark.parametrize(
    "schema", [{"type": "array", "items": {"type": "string"}}, {"type": "object", "required": 1}]
)
def test_a_schema_that_the_client_cannot_enforce_is_left_out(
    own: Own, api: ScriptedAPI, schema: dict[str, object]
) -> None:
    """One that is no object's, or that it refuses; whoever asked checks the answer in any case."""
    found = _ask(Prompt((Message("user", "give it"),), schema=schema))

    assert "".join(found.pieces) == "forty-two"
    assert len(api.requests) == 1


def test_a_shell_that_leads_elsewhere_does_not_lead_the_login_there(
    client: Client, api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Addresses, third parties and a key that belongs to another address are dropped."""
    dropped = {
        "ANTHROPIC_BASE_URL": "https://elsewhere.example",
        "ANTHROPIC_API_KEY": "a key of elsewhere",
        "ANTHROPIC_AUTH_TOKEN": "a token of elsewhere",
        "ANTHROPIC_CUSTOM_HEADERS": "x-elsewhere: 1",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "another",
        "CLAUDE_CODE_USE_BEDROCK": "1",
        "CLAUDE_CODE_SUBAGENT_MODEL": "another",
        "CLAUDECODE": "1",
    }
    for name, value in dropped.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CLAUDE_CODE_OAUTH_TOKEN", "the user's own")
    own = on_path(client, api.url, api, monkeypatch, ANTHROPIC_API_KEY=API_KEY)

    found = _ask("hello")

    assert found.finished
    assert not dropped.keys() & own.environment.keys()
    assert own.environment["CLAUDE_CODE_OAUTH_TOKEN"] == "the user's own"
    assert api.requests[0].request.headers["x-api-key"] == API_KEY
    assert own.cwd != os.getcwd()  # noqa: PTH109 - nothing of this folder is the client's business
    assert not Path(own.cwd).exists()


@pytest.mark.parametrize(
    ("api", "cause", "everywhere", "stream"),
    [
        (lambda _request: fail(401), "key", True, True),
        (lambda _request: fail(402), "billing", True, False),
        (lambda _request: fail(404), "model", False, True),
        (lambda _request: fail(413), "size", False, False),
        (lambda _request: fail(429), "pace", False, True),
        (lambda _request: fail(500), "server", False, False),
        (lambda _request: fail(400, "Your credit balance is too low"), "billing", True, True),
        (lambda _request: fail(400, "prompt is too long: 9 tokens > 8"), "size", False, False),
    ],
    indirect=["api"],
)
def test_a_failure_is_told_by_its_cause(
    own: Own, api: ScriptedAPI, cause: Cause, everywhere: bool, stream: bool
) -> None:
    """By is_error and the status beside it, although the subtype says success; and at once.

    The result is the same event with and without a stream.
    """
    found = _ask("hello", stream=stream)

    fault = found.failed
    assert (fault.cause, fault.everywhere) == (cause, everywhere), fault.message
    assert not found.pieces
    assert len(api.requests) <= 2  # the client asks a second time for a model that is not there
    assert API_KEY not in repr(fault)


def test_without_a_login_the_way_to_one_is_named(
    client: Client, api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client asks nobody, and says to log in."""
    on_path(client, "", api, monkeypatch)

    fault = _ask("hello").failed

    assert (fault.cause, fault.remedy) == ("key", "run `claude` and log in")
    assert not api.requests


@pytest.fixture
def mute(network: Namespace | None) -> Iterator[int]:
    """A port where somebody listens and nobody answers."""
    listener = listen() if network is None else network.listen()
    with listener:
        yield listener.getsockname()[1]


def test_a_mute_endpoint_is_left_at_the_deadline(
    client: Client, api: ScriptedAPI, mute: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client would wait for ever; it is killed with all it started."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", API_KEY)
    own = on_path(client, f"http://127.0.0.1:{mute}", api, monkeypatch)

    fault = _ask("hello", limits=Limits(3, 60)).failed

    assert fault.cause == "timeout"
    assert _is_gone(own.pid)


def _stalled(request: object) -> Answer:
    return Answer((text("it began"),), ending="stall")


@pytest.mark.parametrize("api", [_stalled], indirect=True)
def test_an_answer_that_stalls_broke_off(own: Own, api: ScriptedAPI) -> None:
    """What had come is told, and that it is not all."""
    found = _ask("hello", stream=True, limits=Limits(60, 10))

    assert found.pieces == ("it began",)
    assert (found.failed.cause, found.failed.broke_off) == ("timeout", True)
    assert _is_gone(own.pid)
    asked_for = api.requests[0].usage
    assert asked_for is not None
    assert found.used is not None
    assert (found.used.input, found.used.output) == (asked_for.input_tokens, PLACEHOLDER_OUTPUT)
    assert found.used.cache_read == asked_for.cache_read_tokens


def _refused_after_a_call() -> Responder:
    """A first response that calls a tool which is not there, and a refusal of what follows."""
    first = iter([Answer((tool_use("Nothing"),), usage=Usage(1000, 50, 300))])
    return lambda _request: next(first, fail(402))


@pytest.mark.parametrize("api", [_refused_after_a_call()], indirect=True)
def test_what_a_failed_run_used_is_told(own: Own, api: ScriptedAPI) -> None:
    """With the dollars of its result, which is an error."""
    found = _ask("hello")

    assert found.failed.cause == "billing"
    assert api.requests[-1].usage is None
    assert found.used is not None
    assert (found.used.input, found.used.output, found.used.cache_read) == (1000, 50, 300)
    assert found.used.usd == pytest.approx((1000 * 0.1 + 50 * 0.5 + 300 * 0.01) / 1e6)


def _stalled_after_a_call() -> Responder:
    answers = iter([
        Answer((tool_use("Nothing"),), usage=Usage(1000, 50)),
        Answer((text("it began"),), usage=Usage(2000, 70), ending="stall"),
    ])  # fmt: skip
    return lambda _request: next(answers)


@pytest.mark.parametrize("api", [_stalled_after_a_call()], indirect=True)
def test_every_message_before_a_break_is_told(own: Own) -> None:
    """Each with what its own stream had counted by then."""
    found = _ask("hello", stream=True, limits=Limits(60, 5))

    assert found.failed.cause == "timeout"
    assert found.used is not None
    assert (found.used.input, found.used.output) == (3000, 50 + PLACEHOLDER_OUTPUT)


@pytest.mark.parametrize("api", [_stalled], indirect=True)
def test_a_cancelled_request_leaves_no_process(own: Own, api: ScriptedAPI) -> None:
    """Once the request is at the API, whoever asked goes away."""

    async def go_away() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: asked(Prompt.of("hello")))
            await anyio.to_thread.run_sync(lambda: api.wait_for(lambda _exchange: True))
            tasks.cancel_scope.cancel()

    anyio.run(go_away)

    assert _is_gone(own.pid)


def test_a_client_that_is_not_there_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither on PATH nor where its installers put it."""
    monkeypatch.setenv("PATH", str(home))

    fault = _ask("hello").failed
    found = anyio.run(providers.client(Config(), "claude").look)

    assert fault.cause == "connect"
    assert fault.remedy == found.remedy
    assert "install Claude Code" in str(found.remedy)


def test_a_look_asks_no_model(own: Own, api: ScriptedAPI, client: Client) -> None:
    """The version is enough; what the aliases hold is shipped."""
    found = anyio.run(providers.client(Config(), "claude").look)

    assert found.reachable
    assert found.message == f"Claude Code {client.version()}"
    assert found.models["haiku"] == 1_000_000
    assert not api.requests


def test_the_account_is_the_key_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key goes before a login; one for another address does not count."""
    accounts = [providers.client(Config(), "claude").account]
    monkeypatch.setenv("ANTHROPIC_API_KEY", API_KEY)
    accounts.append(providers.client(Config(), "claude").account)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://elsewhere.example")
    accounts.append(providers.client(Config(), "claude").account)

    assert accounts == ["login", keys.fingerprint(API_KEY), "login"]


def _is_gone(pid: int) -> bool:
    """Whether nothing of that process group is left at work: the dead may await their burial."""

    def alive() -> list[str]:
        listed = subprocess.run(
            ["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True
        )
        states = [line.split() for line in listed.stdout.splitlines()]
        return [state for group, state in states if group == str(pid) and state[0] != "Z"]

    return poll(lambda: not alive(), 10)
