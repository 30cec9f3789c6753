"""`/metrics`: the text format, names of our own, and a real Prometheus that scrapes them."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from books import HOUR, NOON, OPUS, answer, budget, cool, decide, policy, request
from claude_tier.dashboard import keys
from claude_tier.routing import by_hand
from serving import Dashboard

Start = Callable[[], Dashboard]

# A line of the format: name, labels, value.
LINE = re.compile(r'(claude_tier_[a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)')
HOSTILE = 'a"b\\c\nd}\u202e<img onerror=x>'
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback is no proxy's
PATIENCE = 120.0  # seconds for Prometheus to start and scrape


def scraped(here: Dashboard) -> dict[tuple[str, str], float]:
    """(name, labels) -> value; every line has the form."""
    found = here.ask("/metrics", authorization=f"Bearer {here.token}")
    assert found.status == 200
    assert found.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = found.body.decode()
    assert text.endswith("\n")
    values = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            parts = LINE.fullmatch(line)
            assert parts, line
            values[parts[1], parts[2] or ""] = float(parts[3])
    return values


def some_work(home: Path) -> None:
    policy(home, budgets=[budget(limit=2.0)])
    answer(home, OPUS, at=NOON - HOUR, output_tokens=90_000)
    answer(home, "mystery-1", at=NOON - HOUR)
    decide("t1", at=NOON - HOUR)
    decide("t2", at=NOON - 60, agent="Plan", action="denied", set_tier=None)
    decide("t3", at=NOON - 60, agent="Plan", action="denied", set_tier=None)


def test_the_figures_are_those_of_the_api(home: Path, dashboard: Start) -> None:
    """Levels as numbers, dollars by model, decisions counted."""
    some_work(home)
    here = dashboard()
    found, stats = scraped(here), here.get("/api/stats")
    labels = 'budget="daily",scope="user",period="day",unit="usd"'
    usd = here.get("/api/usage?by=model")["rows"][0]["usd"]
    assert found["claude_tier_budget_used_ratio", labels] == stats["budgets"][0]["share"]
    assert found["claude_tier_budget_level", labels] == 2
    assert found["claude_tier_spend_usd", f'model="{OPUS}"'] == usd
    assert found["claude_tier_decisions_total", 'action="denied",agent="Plan"'] == 2
    assert found["claude_tier_requests", 'model="mystery-1"'] == 1
    assert found["claude_tier_ledger_responses", ""] == 2
    assert found["claude_tier_build_info", f'version="{stats["claude_tier"]}"'] == 1


def test_what_the_router_does_is_counted(home: Path, dashboard: Start) -> None:
    """Cooldowns that hold by provider and cause, requests by outcome, the switch."""
    cool("openrouter", "a")
    cool("openrouter", "b")
    cool("lan", cause="connect")
    cool("attic", until=NOON)
    request("lan/alpha", "lan/alpha")
    request("lan/alpha", "ollama/beta")
    request("lan/alpha")
    here = dashboard()
    found = scraped(here)
    held = {labels: value for (name, labels), value in found.items() if "cooldowns" in name}
    assert held == {
        'provider="lan",cause="connect"': 1,
        'provider="openrouter",cause="pace"': 2,
    }
    assert found["claude_tier_router_requests_total", 'outcome="answered"'] == 2
    assert found["claude_tier_router_requests_total", 'outcome="failed"'] == 1
    assert found["claude_tier_router_emergency", ""] == 0
    by_hand.turn_on(NOON + HOUR, None)
    assert scraped(here)["claude_tier_router_emergency", ""] == 1


def test_what_is_not_known_has_no_line(home: Path, dashboard: Start) -> None:
    """No dollars where there is no price, no level of a plan window that nobody reported."""
    some_work(home)
    policy(home, budgets=[budget(period="five_hour", unit="plan_percent", limit=100.0)])
    found = scraped(dashboard())
    assert ("claude_tier_spend_usd", 'model="mystery-1"') not in found
    assert found["claude_tier_unpriced_requests", 'model="mystery-1"'] == 1
    names = {name for name, _ in found}
    assert names.isdisjoint({"claude_tier_budget_level", "claude_tier_last_hook_timestamp_seconds"})


def test_every_metric_is_documented_and_none_is_the_clients(home: Path, dashboard: Start) -> None:
    """The client's own export begins with claude_code_."""
    from shipped import ROOT

    some_work(home)
    here = dashboard()
    text = here.ask("/metrics", authorization=f"Bearer {here.token}").body.decode()
    named = set(re.findall(r"^# TYPE (\w+) (?:gauge|counter)$", text, re.MULTILINE))
    page = (ROOT / "docs/dashboard.md").read_text("utf-8")
    assert len(named) > 10
    assert {name for name in named if f"`{name}`" not in page} == set()
    assert set(re.findall(r"`(claude_tier_\w+)`", page)) == named
    assert "claude_code" not in text


def test_the_token_for_metrics_reads_nothing_else(home: Path, dashboard: Start) -> None:
    """Prometheus has no need of the rest."""
    here = dashboard()
    lesser = {"authorization": f"Bearer {keys.token(keys.metrics_file())}"}
    assert here.ask("/metrics", **lesser).status == 200
    for path in ("/api/stats", "/api/usage", "/api/decisions", "/api/events"):
        assert here.ask(path, **lesser).status == 401


def test_labels_are_escaped(home: Path, dashboard: Start) -> None:
    r"""Quotes, backslashes and newlines; one name is one line."""
    answer(home, HOSTILE, at=NOON - HOUR)
    decide("t1", agent=HOSTILE)
    found = scraped(dashboard())
    escaped = 'a\\"b\\\\c\\nd}\u202e<img onerror=x>'
    assert found["claude_tier_requests", f'model="{escaped}"'] == 1
    assert found["claude_tier_decisions_total", f'action="assigned",agent="{escaped}"'] == 1


@pytest.fixture(scope="module")
def prometheus_program() -> str:
    found = shutil.which("prometheus")
    if found is None:
        pytest.skip("prometheus is missing: install Debian's package prometheus")
    return found


@pytest.fixture
def prometheus(prometheus_program: str, tmp_path: Path) -> Iterator[Callable[[Dashboard], str]]:
    """Start one that scrapes that dashboard, as docs/dashboard.md says; gives its address."""
    running = []

    def start(here: Dashboard) -> str:
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        config = tmp_path / "prometheus.yml"
        config.write_text(
            "scrape_configs:\n  - job_name: claude-tier\n    scrape_interval: 1s\n"
            f"    authorization:\n      credentials_file: {keys.metrics_file()}\n"
            f'    static_configs:\n      - targets: ["127.0.0.1:{here.port}"]\n'
        )
        command = [
            prometheus_program,
            f"--config.file={config}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address={address}",
        ]
        with (tmp_path / "log").open("w") as log:
            running.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path))
        return f"http://{address}"

    yield start
    for one in running:
        one.terminate()
        one.wait(30)


def asked(address: str, query: str) -> list[dict[str, object]]:
    """The samples of an instant query; none while it is starting."""
    url = f"{address}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with DIRECT.open(url, timeout=10) as found:
            result: list[dict[str, object]] = json.load(found)["data"]["result"]
    except (urllib.error.URLError, ConnectionError):
        return []
    return result


def eventually(look: Callable[[], object]) -> object:
    """What a look gives once it gives anything."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError("Prometheus showed nothing")


def test_a_real_prometheus_scrapes_it(
    home: Path, dashboard: Start, prometheus: Callable[[Dashboard], str]
) -> None:
    """With the token from its file; what it shows equals the API, hostile names included."""
    some_work(home)
    decide("t4", agent=HOSTILE)
    here = dashboard()
    address = prometheus(here)
    (spend,) = eventually(lambda: asked(address, f'claude_tier_spend_usd{{model="{OPUS}"}}'))  # type: ignore[misc]
    usd = here.get("/api/usage?by=model")["rows"][0]["usd"]
    assert float(spend["value"][1]) == pytest.approx(usd, rel=1e-12)
    denied = asked(address, 'claude_tier_decisions_total{action="denied"}')
    assert [(one["metric"]["agent"], one["value"][1]) for one in denied] == [("Plan", "2")]  # type: ignore[index]
    agents = {one["metric"]["agent"] for one in asked(address, "claude_tier_decisions_total")}  # type: ignore[index]
    assert HOSTILE in agents
    assert asked(address, 'up{job="claude-tier"}')[0]["value"][1] == "1"  # type: ignore[index]

    answer(home, OPUS, at=NOON - HOUR, output_tokens=90_000)
    more = here.get("/api/usage?by=model")["rows"][0]["usd"]
    assert more > usd
    query = f'claude_tier_spend_usd{{model="{OPUS}"}} > {(more + usd) / 2}'
    assert eventually(lambda: asked(address, query))


def test_prometheus_without_the_token_gets_nothing(
    home: Path, dashboard: Start, prometheus: Callable[[Dashboard], str]
) -> None:
    """The target is down, and no metric arrives."""
    here = dashboard()
    address = prometheus(here)
    Path(keys.metrics_file()).write_text("0" * 43)
    down = eventually(lambda: asked(address, 'up{job="claude-tier"} == 0'))
    assert down
    assert asked(address, "claude_tier_build_info") == []
