"""Groups in the real client: who is asked, with which credentials, and what falls back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import llama_server
import pytest
from claude_tier.livecheck import (
    Answer,
    Client,
    Failure,
    Namespace,
    Request,
    Script,
    ScriptedAPI,
    Terminal,
    Usage,
    fail,
    text,
    tool_use,
)
from claude_tier.livecheck.client import API_KEY, CLIENT_VARIABLE, PASSED, QUIET, RunningClient
from claude_tier.livecheck.terminal import accept_dialogs, poll

from .command import IMPORTS
from .conftest import Serve
from .installation import Installed
from .witness import opened

LOGIN = "sk-ant-oat01-dummy-login"
CONSOLE_KEY = "sk-ant-api03-dummy-console-key-0000000000"
CLOUD = {
    "AWS_SECRET_ACCESS_KEY": "dummy-aws",
    "CLAUDE_CODE_OAUTH_TOKEN": "dummy-oauth",
    "GOOGLE_APPLICATION_CREDENTIALS": "/dummy-google",
    "OPENAI_API_KEY": "dummy-openai",
    "OPENROUTER_API_KEY": "dummy-openrouter",
}
LARGE = 300_000  # tokens of llama.cpp's context: Claude Code's own prompt has one a byte here


@dataclass(frozen=True)
class Desk:
    """A user of groups: their shell has a key and the address of Claude, and other keys too."""

    client: Client
    claude: ScriptedAPI
    env: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        return self.client.home / ".claude/claude-tier"

    def configure(self, endpoint: str, *, kind: str = "anthropic-compatible", **more: str) -> None:
        """`chat` on that endpoint; main keeps the address under which Claude is found here."""
        keys = "".join(f", {key}: {value}" for key, value in more.items())
        text = (
            f"providers: {{other: {{kind: {kind}, base_url: '{endpoint}', free: true}}}}\n"
            f"groups:\n"
            f"  main: {{pass: [ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY]}}\n"
            f"  chat: {{provider: other, model: tiny{keys}}}\n"
        )
        self.state.mkdir(parents=True, exist_ok=True)
        (self.state / "config.yaml").write_text(text)

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in PASSED if name in os.environ},
            **QUIET,
            "HOME": str(self.client.home),
            "TMPDIR": str(self.client.home),
            "TERM": "xterm-256color",
            "PYTHONPATH": IMPORTS,
            "ANTHROPIC_BASE_URL": self.claude.url,
            "ANTHROPIC_API_KEY": API_KEY,
            CLIENT_VARIABLE: str(self.client.binary),
            **CLOUD,
            **more,
        }

    def command(self, *arguments: str, group: str = "chat") -> list[str]:
        line = [sys.executable, "-m", "claude_tier", "run", "--group", group, "--", *arguments]
        inside = self.claude.namespace
        return line if inside is None else inside.command(line)

    def run(
        self, *arguments: str, group: str = "chat", stdin: str = "", **env: str
    ) -> subprocess.CompletedProcess[str]:
        """`claude-tier run` to its end."""
        return subprocess.run(
            self.command(*arguments, group=group),
            env=self.environment(**env),
            cwd=self.client.cwd,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *arguments: str, group: str = "chat", **env: str) -> RunningClient:
        return RunningClient(
            self.command(*arguments, group=group),
            cwd=self.client.cwd,
            env=self.environment(**env),
            stdin=None,
        )


@pytest.fixture
def desk(client: Client, serve: Serve) -> Desk:
    """Somebody who reaches Claude through the scripted API."""
    return Desk(client, serve(Script().on("", text("from Claude"))))


@pytest.fixture
def llama(network: Namespace | None) -> Iterator[Callable[[str], llama_server.Llama]]:
    """Start a real llama.cpp that says one thing, where the client meets it."""
    reason = llama_server.missing()
    if reason:
        pytest.skip(reason)
    with ExitStack() as running:
        yield lambda reply: running.enter_context(
            llama_server.serving(reply, ctx=LARGE, namespace=network)
        )


Llamas = Callable[[str], llama_server.Llama]


def sent(api: ScriptedAPI) -> str:
    """Everything of every request to that API: headers and bodies."""
    requests = [one.request for one in api.requests] + api.probes
    return json.dumps([[one.path, one.headers, one.body] for one in requests])


def log_in(home: Path) -> None:
    """The user's subscription and Console logins, as Claude Code keeps them on Linux."""
    folder = home / ".claude"
    folder.mkdir(parents=True, exist_ok=True)
    login = {
        "accessToken": LOGIN,
        "refreshToken": "sk-ant-ort01-dummy-refresh",
        "expiresAt": int((time.time() + 86400) * 1000),
        "scopes": ["user:inference", "user:profile"],
        "subscriptionType": "max",
    }
    (folder / ".credentials.json").write_text(json.dumps({"claudeAiOauth": login}))
    saved = {"approved": [CONSOLE_KEY[-20:]], "rejected": []}
    global_file = {"primaryApiKey": CONSOLE_KEY, "customApiKeyResponses": saved}
    (home / ".claude.json").write_text(json.dumps(global_file))


def test_a_group_is_answered_by_a_real_local_server_and_claude_hears_nothing(
    desk: Desk, llama: Llamas
) -> None:
    """llama.cpp on its own Messages API, with the whole prompt of Claude Code."""
    server = llama("from llama.cpp")
    desk.configure(server.url, kind="llama-server")

    done = desk.run("-p", "hello", "--output-format", "json")

    result = json.loads(done.stdout)
    assert (done.returncode, result["result"]) == (0, "from llama.cpp")
    assert list(result["modelUsage"]) == ["tiny"]
    assert (desk.claude.requests, desk.claude.probes) == ([], [])
    assert f"claude-tier: chat: tiny at {server.url}" in done.stderr


def test_main_reaches_claude_and_no_other_endpoint(desk: Desk, serve: Serve) -> None:
    """With the variables of another endpoint in the shell, too."""
    other = serve(Script())
    desk.configure(other.url)

    done = desk.run(
        "-p", "hello", group="main", ANTHROPIC_MODEL="glm-4.7", ANTHROPIC_AUTH_TOKEN="dummy-glm"
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (0, "from Claude\n")
    assert (other.requests, other.probes) == ([], [])
    assert {one.request.headers.get("x-api-key") for one in desk.claude.requests} == {API_KEY}
    assert "glm" not in sent(desk.claude)


def test_main_drops_the_address_of_another_endpoint(desk: Desk, serve: Serve) -> None:
    """Without `pass` the client is told of no address: it wants Anthropic's own, by this proxy."""
    other, proxy = serve(Script()), serve(Script())
    desk.configure(other.url)
    config = desk.state / "config.yaml"
    config.write_text(
        config.read_text().replace("pass: [ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY]", "")
    )
    log_in(desk.client.home)

    done = desk.run(
        "-p", "hello", group="main",
        ANTHROPIC_BASE_URL=other.url, HTTPS_PROXY=proxy.url, CLAUDE_CODE_MAX_RETRIES="0",
    )  # fmt: skip

    assert done.returncode == 1
    assert "proxy" in done.stdout
    assert (other.requests, other.probes) == ([], [])


@pytest.mark.parametrize("profile", [True, False], ids=["in a group", "with the address alone"])
def test_no_login_reaches_another_endpoint_in_a_group(
    profile: bool, desk: Desk, serve: Serve
) -> None:
    """Without the group's profile Claude Code sends both there, which is why there is one."""
    other = serve(Script().on("", text("from another")))
    desk.configure(other.url)
    log_in(desk.client.home)

    if profile:
        desk.run("-p", "hello")
        desk.run("-p", "hello", "--bare")
    else:
        for token in ({}, {"ANTHROPIC_AUTH_TOKEN": "own"}):
            env = {"ANTHROPIC_API_KEY": "", "ANTHROPIC_MODEL": "tiny", **token}
            desk.client.run("-p", "hello", api=other, env=env)

    everything = sent(other)
    leaked = [one for one in (LOGIN, CONSOLE_KEY) if one in everything]
    assert other.requests
    assert leaked == ([] if profile else [LOGIN, CONSOLE_KEY])
    assert not any(value in everything for value in (*CLOUD.values(), API_KEY) if profile)


def test_every_alias_and_every_subagent_is_the_groups_model(desk: Desk, serve: Serve) -> None:
    """Also one whose file names a model of Claude's in full."""
    agent = desk.client.home / ".claude/agents/builder.md"
    agent.parent.mkdir(parents=True)
    agent.write_text("---\nname: builder\ndescription: b\nmodel: claude-opus-5-5\n---\nBuild.")
    spawns = [
        tool_use("Agent", description="a", prompt="build", subagent_type="builder"),
        tool_use("Agent", description="b", prompt="look", subagent_type="Explore"),
    ]
    other = serve(Script().on("start", spawns, text("done")))
    desk.configure(other.url, context="65536", max_output="4096")

    done = desk.run("-p", "start", "--model", "opus", CLAUDE_CODE_DISABLE_BACKGROUND_TASKS="1")

    assert done.returncode == 0, done.stderr
    assert len(other.requests) >= 4
    assert {one.request.model for one in other.requests} == {"tiny"}
    assert {one.request.body["max_tokens"] for one in other.requests} == {4096}


@pytest.mark.parametrize(("context", "compactions"), [("65536", 1), ("250000", 0)])
def test_the_client_compacts_before_the_groups_context_is_full(
    context: str, compactions: int, desk: Desk, serve: Serve
) -> None:
    """It is told how much that is."""
    step = (tool_use("Bash", command="true"),)
    used = [Answer(step, usage=Usage(tokens, 10)) for tokens in (20_000, 50_000, 20_000)]
    script = Script().on("start", *used)

    def respond(request: Request) -> Answer | Failure:
        if "<summary> block" in json.dumps(request.body):
            return Answer((text("<summary>so far</summary>"),))
        return script(request)

    other = serve(respond)
    desk.configure(other.url, context=context)

    done = desk.run("-p", "start", "--allowedTools", "Bash")

    bodies = [json.dumps(one.request.body) for one in other.requests]
    assert done.returncode == 0, done.stdout
    assert sum("<summary> block" in body for body in bodies) == compactions


@pytest.mark.parametrize("profile", [True, False], ids=["in a group", "with the address alone"])
def test_settings_that_change_during_the_session_lead_nowhere_else(
    profile: bool, desk: Desk, serve: Serve
) -> None:
    """Claude could write them itself; without the profile the client follows them at once."""
    away = serve(Script())
    settings = desk.client.cwd / ".claude/settings.json"
    settings.parent.mkdir()
    settings.write_text("{}")
    # Time for the client to see that the file has changed.
    steps = [tool_use("Bash", command="sleep 3"), tool_use("Bash", command="true"), text("stayed")]
    script = Script().on("start", *steps)

    def respond(request: Request) -> Answer | Failure:
        settings.write_text(json.dumps({"env": {"ANTHROPIC_BASE_URL": away.url}}))
        return script(request)

    other = serve(respond)
    desk.configure(other.url)
    arguments = ("-p", "start", "--allowedTools", "Bash")
    if profile:
        desk.run(*arguments)
    else:
        desk.client.run(*arguments, api=other, env={"ANTHROPIC_MODEL": "tiny"})

    assert (len(other.requests), bool(away.requests)) == ((3, False) if profile else (1, True))


def test_settings_that_lead_elsewhere_are_refused_by_their_place(desk: Desk, serve: Serve) -> None:
    """Before anything is sent."""
    other = serve(Script())
    desk.configure(other.url)
    settings = desk.client.home / ".claude/settings.json"
    settings.write_text(json.dumps({"apiKeyHelper": "echo sk-x"}))

    done = desk.run("-p", "hello")

    assert (done.returncode, done.stdout) == (1, "")
    assert f"{settings}: the key that apiKeyHelper prints would be sent to" in done.stderr
    assert other.requests == []


@pytest.mark.parametrize("output_format", ["text", "json"])
@pytest.mark.parametrize("stopped", ["before", "within"])
def test_haiku_answers_where_the_local_server_does_not(
    stopped: str, output_format: str, desk: Desk, llama: Llamas, serve: Serve
) -> None:
    """Stopped before the run, or failing within it: one answer on stdout, and it is said."""
    if stopped == "before":
        server = llama("never")
        server.stop()
        desk.configure(server.url, kind="llama-server", fallback="haiku")
    else:
        desk.configure(serve(lambda _: fail(500, "out of memory")).url, fallback="haiku")

    done = desk.run("-p", "--output-format", output_format, stdin="what is this?")

    shown = json.loads(done.stdout)["result"] if output_format == "json" else done.stdout.strip()
    assert (done.returncode, shown) == (0, "from Claude")
    assert "did not answer: " in done.stderr
    assert "Claude's haiku answers instead" in done.stderr
    (asked,) = desk.claude.requests
    assert (asked.request.model, "what is this?" in asked.request.prompt) == (
        "claude-haiku-5-5",
        True,
    )


def test_without_a_fallback_a_stopped_server_is_a_clear_failure(desk: Desk, llama: Llamas) -> None:
    """What, why and what to do; Claude is not asked."""
    server = llama("never")
    server.stop()
    desk.configure(server.url, kind="llama-server")

    done = desk.run("-p", "hello")

    assert (done.returncode, done.stdout) == (1, "")
    assert f"the group chat ({server.url}) does not answer: " in done.stderr
    assert desk.claude.requests == []


FAILURES = {
    "400": fail(400, "no"),
    "401": fail(401, "no"),
    "403": fail(403, "no"),
    "404": fail(404, "model 'tiny' not found"),
    "413": fail(413, "too large"),
    "429": fail(429, "slow down"),
    "500": fail(500, "no"),
    "529": fail(529, "overloaded"),
    "credit": fail(400, "Your credit balance is too low to access the Anthropic API."),
    "long": fail(400, "prompt is too long: 300000 tokens > 200000 maximum"),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_each_failure_of_an_endpoint_falls_back(kind: str, desk: Desk, serve: Serve) -> None:
    """The client words them differently; all are known for what they are."""
    desk.configure(serve(lambda _: FAILURES[kind]).url, fallback="sonnet")

    done = desk.run("-p", "hello", CLAUDE_CODE_MAX_RETRIES="0")

    assert (done.returncode, done.stdout) == (0, "from Claude\n"), done.stderr
    assert [one.request.model for one in desk.claude.requests] == ["claude-sonnet-5-5"]


def test_a_failure_of_the_run_itself_does_not_fall_back(desk: Desk, serve: Serve) -> None:
    """Too many turns would be too many for Claude as well."""
    other = serve(Script().on("start", tool_use("Bash", command="true")))
    desk.configure(other.url, fallback="haiku")

    done = desk.run("-p", "start", "--max-turns", "1", "--allowedTools", "Bash")

    assert (done.returncode, "max turns" in done.stdout) == (1, True)
    assert desk.claude.requests == []


def environ_of(pid: int) -> dict[str, str]:
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if pair)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc")
@pytest.mark.parametrize("fallback", ["none", "haiku"])
def test_the_clients_process_holds_no_other_key(fallback: str, desk: Desk, serve: Serve) -> None:
    """What the kernel says of the real client, while a request is under way."""
    stall = Answer((text("Working"),), ending="stall")
    other = serve(Script().on("hello", stall))
    desk.configure(other.url, fallback=fallback)

    with desk.start("-p", "hello") as running:
        other.wait_for(lambda one: "hello" in one.request.prompt)
        pid = running._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        env = environ_of(int(children[0]) if fallback == "haiku" else pid)
        running.signal(signal.SIGTERM)
        done = running.finish()

    assert Path(env[CLIENT_VARIABLE]) == desk.client.binary
    assert set(CLOUD) & set(env) == set()
    assert API_KEY not in env.values()
    assert (env["ANTHROPIC_API_KEY"], env["ANTHROPIC_AUTH_TOKEN"]) == ("", "no-key-needed")
    assert env["ANTHROPIC_BASE_URL"] == other.url
    assert done.returncode in (143, -signal.SIGTERM)
    assert desk.claude.requests == []


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is missing")
def test_an_interactive_session_has_the_terminal(desk: Desk, llama: Llamas) -> None:
    """A real local server, typed words, Ctrl-C, and the end of the session."""
    server = llama("from llama.cpp")
    desk.configure(server.url, kind="llama-server")
    accept_dialogs(desk.client.home / ".claude.json", project=desk.client.cwd, key=API_KEY)

    with Terminal(desk.command(), cwd=desk.client.cwd, env=desk.environment()) as terminal:
        terminal.send("hello there")
        terminal.wait_for("from llama.cpp")
        terminal.key("C-c")
        terminal.wait_for("again to exit")
        terminal.key("C-c")
        terminal.wait_end()

    assert (desk.claude.requests, desk.claude.probes) == ([], [])


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is missing")
def test_an_interactive_session_falls_back_at_its_start(desk: Desk, llama: Llamas) -> None:
    """The only time it can: later an answer would be glued to another."""
    server = llama("never")
    server.stop()
    desk.configure(server.url, kind="llama-server", fallback="haiku")
    accept_dialogs(desk.client.home / ".claude.json", project=desk.client.cwd, key=API_KEY)

    with Terminal(desk.command(), cwd=desk.client.cwd, env=desk.environment()) as terminal:
        terminal.send("hello there")
        terminal.wait_for("from Claude")
        terminal.send("/exit")
        terminal.wait_end()

    models = {one.request.model for one in desk.claude.requests}
    assert models == {"claude-haiku-5-5"}


def test_a_groups_session_is_counted_at_the_price_of_its_endpoint(
    desk: Desk, llama: Llamas, here: Installed
) -> None:
    """Free by the user's own word, though the client reckons list price."""
    server = llama("from llama.cpp")
    desk.configure(server.url, kind="llama-server")
    here.configure((desk.state / "config.yaml").read_text())

    done = desk.run("-p", "hello", "--output-format", "json")

    assert poll(lambda: bool(rows(here)), 10)
    assert json.loads(done.stdout)["total_cost_usd"] > 0
    assert [(row["model"], row["usd"]) for row in rows(here)] == [("tiny", 0)]


def rows(here: Installed) -> list[dict[str, object]]:
    query = "SELECT text AS model, usd FROM usage JOIN name ON name.id = model"
    return [dict(row) for row in opened(here).execute(query)]
