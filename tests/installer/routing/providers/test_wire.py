"""How requests travel: past no proxy, along no detour, and to no end of time."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import claude_tier
import pytest
from claude_tier.routing.fault import Fault
from claude_tier.routing.prompt import Delta, Event, Used
from claude_tier.routing.providers import documents, verdict
from claude_tier.routing.providers.chat import ChatReader
from claude_tier.routing.providers.dialect import Reader
from claude_tier.routing.providers.messages import MessagesReader
from claude_tier.routing.providers.ollama import OllamaReader
from claude_tier.routing.providers.responses import ResponsesReader
from fault_server import FAULTS, FaultServer
from hypothesis import given
from hypothesis import strategies as st
from recorder import Recorder

from .asking import EVERY_WAY, HASTY, KEY, VARIABLE, Way, ask, client

IMPORTED = re.compile(r"^\s*(?:import|from) (?:httpx|urllib3|requests|aiohttp)\b", re.MULTILINE)
APART = ("livecheck/", "dashboard/")
READERS = (ChatReader, MessagesReader, OllamaReader, ResponsesReader)
# Shaped like what the readers look for, with anything in its places.
NAMES = [
    *("choices", "delta", "message", "content", "finish_reason", "usage", "prompt_tokens"),
    *("error", "type", "text", "response", "output", "status", "model", "id", "done"),
    *("done_reason", "stop_reason", "prompt_eval_count", "cost", "code", "metadata", "details"),
    *("limit_source", "reason"),
]
WORDS = ("message_delta", "message_start", "response.completed", "stop", "completed", "error")
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(WORDS)
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from(NAMES), DOCUMENTS, max_size=4)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """One that the environment names for everything."""
    with Recorder("http://127.0.0.1:9") as recorder:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, recorder.url)
        yield recorder


@pytest.mark.parametrize("way", EVERY_WAY, ids=str)
def test_what_stays_on_this_machine_passes_no_proxy(way: Way, proxy: Recorder) -> None:
    """It would see what is not to leave."""
    with FaultServer() as server:
        assert ask(client(server.url, way)).end

    assert not proxy.requests


def test_what_the_user_calls_local_passes_no_proxy(proxy: Recorder) -> None:
    """Also when it is another machine, as its address makes us think."""
    with FaultServer() as server:
        assert ask(client(_seemingly_elsewhere(server), Way("ollama"), local=True)).end

    assert not proxy.requests


def test_what_is_elsewhere_passes_the_proxy_of_the_environment(proxy: Recorder) -> None:
    """A company's network may have no other way out."""
    with FaultServer() as server:
        url = _seemingly_elsewhere(server)
        ask(client(url, Way("openai-compatible"), key_env=None))

    assert proxy.requests


def _seemingly_elsewhere(server: FaultServer) -> str:
    """This machine by an address that is not taken for its own."""
    return f"http://[::ffff:127.0.0.1]:{server.port}"


def test_a_request_searches_for_no_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is not installed would be looked for in every folder again, several times each."""
    sought = list[str]()

    class Watching:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            sought.append(name)

    with FaultServer() as server:
        assert ask(client(server.url, Way("ollama"))).end  # what is imported late is there now
        monkeypatch.setattr(sys, "meta_path", [Watching, *sys.meta_path])
        assert ask(client(server.url, Way("ollama"))).end

    assert sought == []


@pytest.mark.parametrize("course", ["silent", "silent_after_head"])
@pytest.mark.parametrize(("stream", "why"), [(True, "silent for"), (False, "no whole answer")])
def test_only_a_stream_can_be_silent(course: str, stream: bool, why: str) -> None:
    """Else nothing comes before all is thought out, but perhaps the head: a proxy is quick."""
    with FaultServer(FAULTS[course]) as server:
        found = ask(client(server.url, Way("anthropic"), HASTY), stream=stream)

    assert found.fault is not None
    assert why in found.fault.message


def test_one_file_opens_connections() -> None:
    """So that what leaves this machine can be read in one place."""
    root = Path(claude_tier.__file__).parent
    opening = [
        str(file.relative_to(root))
        for file in root.rglob("*.py")
        if IMPORTED.search(file.read_text("utf-8"))
    ]

    assert [each for each in opening if not each.startswith(APART)] == ["routing/providers/http.py"]


def test_the_registry_costs_no_http() -> None:
    """A command that only names providers does not pay for it."""
    code = "import sys, claude_tier.routing.providers; print('httpx' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout == "False\n"


@given(parts=st.lists(OBJECTS, min_size=1, max_size=3))
def test_no_document_breaks_a_reader(parts: list[documents.Json]) -> None:
    """An answer of any shape is events, of which the last may be its end, or a fault."""
    for reader in READERS:
        assert all(isinstance(event, (Delta, Used)) for event in _read(reader, parts))


def _read(reader: type[Reader], parts: list[documents.Json]) -> Iterator[Event]:
    streamed, whole = reader("alpha"), reader("alpha")  # type: ignore[call-arg]
    with suppress(Fault):
        for part in parts:
            yield from streamed.counted(part)
            yield from streamed.part(part)
        yield from streamed.end()
    with suppress(Fault):
        yield from whole.counted(parts[0])
        yield from whole.whole(parts[0])


@given(OBJECTS | DOCUMENTS, st.none() | st.integers(100, 599), st.booleans())
def test_every_failure_has_a_verdict(error: object, status: int | None, vendor: bool) -> None:
    """Whatever its body says."""
    failure = verdict.Failure(status, {}, error)

    assert isinstance(verdict.judge(failure, vendor=vendor, now=1e9), Fault)


@given(st.binary(max_size=200))
def test_a_body_is_an_object_or_a_fault(body: bytes) -> None:
    """Nothing else comes of it."""
    try:
        found: object = documents.parsed(body)
    except Fault as fault:
        found = fault

    assert isinstance(found, dict) or (isinstance(found, Fault) and found.cause == "server")
