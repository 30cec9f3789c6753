"""`claude-tier providers`: what is configured, what works, and how the rest is mended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import llama_server
import pytest
from claude_tier import cli
from claude_tier.livecheck.request import Request
from claude_tier_hooks import cooldowns, ledger
from fault_server import FAULTS, Behaviour, FaultServer, Reply
from routers import provider

KEY = "sk-or-v1-0123456789abcdef"


def configure(home: Path, text: str) -> Path:
    file = home / ".claude/claude-tier/config.yaml"
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.write_text(text)
    return file


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, Any]:
    code = cli.main(["providers", *args, "--json"])
    return code, json.loads(capsys.readouterr().out)


def by_name(found: Any) -> dict[str, Any]:
    return {one["name"]: one for one in found["providers"]}


def test_nothing_configured_is_the_users_own_claude(capsys: pytest.CaptureFixture[str]) -> None:
    """Which is always there; `providers` alone lists."""
    assert cli.main(["providers"]) == 0
    assert "claude" in capsys.readouterr().out
    code, found = run(capsys, "list")
    assert code == 0
    assert list(by_name(found)) == ["claude"]


def test_a_key_is_told_by_its_place_and_never_shown(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the environment, from a file, missing, or readable by others."""
    open_file = home / "open.key"
    open_file.write_text(f"{KEY}\n")
    open_file.chmod(0o644)
    safe_file = home / "safe.key"
    safe_file.write_text(f"{KEY}\n")
    safe_file.chmod(0o600)
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    configure(
        home,
        "providers:\n"
        "  or: {kind: openrouter}\n"
        "  none: {kind: openai}\n"
        f"  open: {{kind: openai, key_file: {open_file}}}\n"
        f"  safe: {{kind: openai, key_file: {safe_file}}}\n",
    )
    code, found = run(capsys, "list")
    assert code == 0
    assert KEY not in json.dumps(found)
    keys = {name: one["key"] for name, one in by_name(found).items()}
    assert (keys["or"]["from"], keys["or"]["present"]) == ("OPENROUTER_API_KEY", True)
    assert (keys["none"]["from"], keys["none"]["present"]) == ("OPENAI_API_KEY", False)
    assert keys["open"]["present"] is False
    assert f"chmod 600 {open_file}" in keys["open"]["remedy"]
    assert keys["safe"] == {
        "from": str(safe_file), "present": True, "message": None, "remedy": None,
    }  # fmt: skip
    assert keys["claude"] is None
    assert cli.main(["providers"]) == 0
    printed = capsys.readouterr().out
    assert "open.key: refused" in printed
    assert "OPENAI_API_KEY: missing" in printed


def test_price_and_place_of_each_are_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Free, as configured, as the provider says, by the table, or unknown."""
    configure(
        home,
        "providers:\n"
        "  o: {kind: ollama, free: true}\n"
        "  or: {kind: openrouter}\n"
        "  api: {kind: anthropic}\n"
        "  x: {kind: openai-compatible, base_url: 'https://x.example.com/v1'}\n"
        "  y: {base_url: 'https://y.example.com', prices: {m: {input: 1, output: 2}}}\n",
    )
    found = by_name(run(capsys, "list")[1])
    assert {name: (one["price"], one["local"]) for name, one in found.items()} == {
        "claude": ("price table", False),
        "o": ("free", True),
        "or": ("as it says", False),
        "api": ("price table", False),
        "x": ("unknown", False),
        "y": ("yours", False),
    }
    assert found["y"]["kind"] is None


def test_a_listing_makes_no_ledger(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cools is looked up only where there is one."""
    assert run(capsys, "list")[0] == 0
    assert not Path(ledger.file()).exists()


def llama(home: Path, url: str, more: str = "") -> None:
    configure(
        home,
        f"providers:\n  here: {{kind: llama-server, base_url: '{url}', free: true}}\n{more}",
    )


def test_a_server_that_runs_works(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its models, their windows, and the targets that are named there."""
    with llama_server.serving("ready", ctx=8192) as server:
        llama(home, server.url, "router: {small: here/tiny}\n")
        code, found = run(capsys, "check", "here")
    [one] = found["providers"]
    assert (code, one["works"]) == (0, True)
    assert one["models"] == [{"model": "tiny", "window": 8192}]
    [target] = one["targets"]
    assert (target["target"], target["places"]) == ("here/tiny", ["router.small"])


def test_a_server_that_is_gone_does_not_work(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1, and the reason is told once."""
    with llama_server.serving("ready") as server:
        llama(home, server.url, "router: {small: here/tiny}\n")
        server.stop()
        assert cli.main(["providers", "check", "here"]) == 1
    out = capsys.readouterr().out
    assert "does not work" in out
    assert "not reached" in out
    assert out.count("here: ") == 1


@pytest.mark.parametrize("kind", ["openai-compatible", "anthropic-compatible", "litellm"])
def test_a_server_that_is_gone_is_told_with_what_mends_it(
    kind: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To start it, or to look at its address."""
    with FaultServer(FAULTS["refused"]) as gone:
        configure(home, f"providers:\n{provider('dead', gone.url, kind=kind)}")
        assert cli.main(["providers", "check", "dead"]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "dead: nobody answers there. Do this: start it, or correct its base_url" in out
    assert gone.url in out


def test_a_server_that_takes_every_name_lacks_none(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """llama-server answers with what it runs; whether a name is there nobody can say."""
    with llama_server.serving("ready") as server:
        llama(home, server.url, "router: {small: here/any-name}\n")
        code, found = run(capsys, "check", "here")
    assert (code, found["providers"][0]["targets"][0]["there"]) == (0, None)


def test_asking_has_a_target_answer_and_counts_it(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it may cost is said before; what it did cost is in the result and the ledger."""
    with llama_server.serving("ready") as server:
        llama(home, server.url, "router: {small: here/tiny}\n")
        code = cli.main(["providers", "check", "here", "--ask", "--json"])
    printed = capsys.readouterr()
    asked = json.loads(printed.out)["providers"][0]["targets"][0]["asked"]
    assert (code, asked["answered"], asked["model"], asked["usd"]) == (0, True, "tiny", 0.0)
    assert printed.err == "1 target gets a tiny prompt: free.\n"
    with closing(ledger.connect()) as db:
        rows = db.execute("SELECT route, target, outcome FROM exchange").fetchall()
    assert rows == [("check", "here/tiny", "answered")]


def test_a_name_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that are."""
    assert cli.main(["providers", "check", "nope"]) == 1
    assert "There are claude;" in capsys.readouterr().err


def ollama(home: Path, server: FaultServer, more: str = "") -> None:
    given = f"providers: {{o: {{kind: ollama, free: true, base_url: '{server.url}'}}}}\n{more}"
    configure(home, given)


def test_a_model_that_is_not_pulled_is_told_with_its_command(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it is named, and that the other one is there."""
    with FaultServer(models=["llama3.2:3b", "phi3:latest"]) as server:
        ollama(home, server, "chains: {c: [o/llama3.2:3b, o/qwen3:8b, o/phi3]}\n")
        code = cli.main(["providers", "check", "o"])
    out = capsys.readouterr().out
    assert code == 1
    assert "o/qwen3:8b: o has no model qwen3:8b. Do this: ollama pull qwen3:8b" in out
    assert out.count("Do this") == 1


def test_nothing_is_asked_unless_told_to(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A look is a list of models; a missing model is not asked either."""
    with FaultServer(models=["phi3"]) as server:
        ollama(home, server, "chains: {c: [o/phi3, o/qwen3:8b]}\n")
        assert run(capsys, "check", "o")[0] == 1
        assert server.requests == []
        assert run(capsys, "check", "o", "--ask")[0] == 1
        assert [request.model for request in server.requests] == ["phi3"]


def test_a_target_that_fails_is_told_and_the_others_are_asked(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reason is the server's, the exit code 1."""

    def choose(request: Request) -> Behaviour:
        return FAULTS["ollama_memory"] if request.model == "huge" else Reply("ready")

    with FaultServer(choose, models=["huge", "phi3"]) as server:
        ollama(home, server, "router: {small: o/huge, coding: o/phi3, retries: 0}\n")
        code, found = run(capsys, "check", "o", "--ask")
    asked = {one["target"]: one["asked"] for one in found["providers"][0]["targets"]}
    assert code == 1
    assert asked["o/phi3"]["answered"] is True
    assert asked["o/huge"]["answered"] is False
    assert "memory" in asked["o/huge"]["message"]


def test_a_key_that_is_missing_is_told_by_its_variable(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No connection is made without it."""
    monkeypatch.delenv("MISSING_KEY", raising=False)
    with FaultServer() as server:
        configure(
            home,
            "providers:\n"
            f"  x: {{kind: openai-compatible, base_url: '{server.url}', key_env: MISSING_KEY}}\n",
        )
        code, found = run(capsys, "check", "x")
        assert server.seen == []
    assert code == 1
    assert "MISSING_KEY" in found["providers"][0]["message"]
    assert "MISSING_KEY" in found["providers"][0]["remedy"]


def test_what_cools_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which model, why and until when; what is over, or of another account, is not."""
    configure(home, "providers: {o: {kind: ollama}, p: {kind: ollama}}\n")
    now = time.time()
    fault = {"cause": "server", "why": "status 500", "until": now + 3600, "everywhere": False}
    with closing(ledger.connect()) as db, ledger.Writing(db):
        cooldowns.fail(db, ("o", "-", "phi3"), fault, now, 7200)
        cooldowns.fail(db, ("o", "0123456789ab", "old"), fault, now, 7200)
        cooldowns.fail(db, ("p", "-", "m"), {**fault, "until": now}, now, 7200)
    found = by_name(run(capsys, "list")[1])
    [one] = found["o"]["cooling"]
    assert (one["model"], one["cause"], one["why"]) == ("phi3", "server", "status 500")
    assert one["until"] == pytest.approx(now + 3600)
    assert found["p"]["cooling"] == []
    assert cli.main(["providers"]) == 0
    assert "phi3 (server)" in capsys.readouterr().out


def test_a_listing_imports_no_http() -> None:
    """What only looks at files does not pay for connections."""
    code = (
        "import sys; from claude_tier import cli; cli.main(['providers', 'list']);"
        "print(sorted({'httpx', 'mcp'} & set(sys.modules)))"
    )
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
