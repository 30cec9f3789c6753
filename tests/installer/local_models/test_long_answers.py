"""Answers that take long or are long: progress, cancelling, turns, pages."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import anyio
import pytest
from claude_tier import paths
from forking import Process, Stem
from llama_server import Llama, Start
from mcp import Client
from recorder import Recorder

from .conftest import PATIENCE, Call, Configure, Talk, said, started

ROLES = "router: {small: llama/tiny}\n"
LINES = "".join(f"{number:>7} of the lines of a long answer\n" for number in range(1600))


Speak = Callable[..., AbstractContextManager[Process]]


@pytest.fixture
def speak(work: Path, stem: Stem) -> Speak:
    """A server in a process of its own that is sent these lines."""

    @contextmanager
    def speaking(*lines: str) -> Iterator[Process]:
        environ = started(work).env or {}
        with stem.started(["mcp"], env=environ, cwd=work, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            process.stdin.write("".join(f"{line}\n" for line in lines).encode())
            process.stdin.flush()
            yield process

    return speaking


def outcomes() -> list[str]:
    """How the requests in the ledger went."""
    with closing(sqlite3.connect(paths.state_dir() / "ledger.db")) as db:
        return [row[0] for row in db.execute("SELECT outcome FROM exchange ORDER BY at")]


def test_progress_counts_the_characters_so_far(
    configure: Configure, llama: Start, talk: Talk
) -> None:
    """Each figure is above the last, and the last is the whole."""
    configure(ROLES, llama=llama(LINES[:3000]).url)
    told: list[float] = []

    async def hear(figure: float, _total: float | None, message: str | None) -> None:
        assert message
        told.append(figure)

    async def ask(client: Client) -> None:
        await client.call_tool("ask_local_llama", {"prompt": "x"}, progress_callback=hear)

    talk(ask, mode="legacy")
    assert told == sorted(set(told))
    assert told[-1] == 3000


def test_cancelling_ends_the_request_at_the_model(
    configure: Configure, llama: Start, talk_to_process: Talk
) -> None:
    """The connection to it closes, the row says so, and the next call is served."""
    with Recorder(llama(None, ctx=120_000).url) as recorder:
        configure(ROLES, llama=recorder.url)

        async def ask(client: Client) -> None:
            begun = anyio.Event()

            async def hear(*_: object) -> None:
                begun.set()

            async def babble() -> None:
                given = {"prompt": "x", "max_tokens": 100_000}
                await client.call_tool("ask_local_llama", given, progress_callback=hear)

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(babble)
                await begun.wait()
                tasks.cancel_scope.cancel()
            assert await anyio.to_thread.run_sync(recorder.broken.wait, PATIENCE)
            short = await client.call_tool("ask_local_llama", {"prompt": "x", "max_tokens": 5})
            assert short.structured_content["truncated"] is True

        talk_to_process(ask)
    assert outcomes() == ["cancelled", "answered"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, None])
def test_the_end_of_the_server_ends_the_request_at_the_model(
    configure: Configure, llama: Start, speak: Speak, how: signal.Signals | None
) -> None:
    """By a signal or the end of its input; what was asked is counted first."""
    with Recorder(llama(None).url) as recorder:
        configure(ROLES, llama=recorder.url)
        with speak(*CALL) as process:
            assert process.stdin is not None
            assert any(b"notifications/progress" in line for line in process.stdout)
            if how is None:
                process.stdin.close()
            else:
                process.send_signal(how)
            assert process.wait() == (128 + how if how else 0)
        assert recorder.broken.wait(PATIENCE)
    assert outcomes() == ["cancelled"]


def test_half_a_character_in_a_call_is_no_call_without_an_answer(
    configure: Configure, speak: Speak, nobody: str
) -> None:
    """JavaScript writes what is left of a cut emoji as an escape that the SDK does not read."""
    configure(ROLES, llama=nobody)
    with speak(CALL[0], CALL[1], CALL[2].replace('"x"', '"\\ud83d"')) as process:
        answer = next(line for line in process.stdout if json.loads(line).get("id") == 2)
    assert b"nobody answers there" in answer


CALL = (
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",'
    '"capabilities":{},"clientInfo":{"name":"test","version":"1"}}}',
    '{"jsonrpc":"2.0","method":"notifications/initialized"}',
    '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"ask_local_llama",'
    '"arguments":{"prompt":"x","max_tokens":100000},"_meta":{"progressToken":1}}}',
)


def test_requests_above_the_limit_wait_and_say_so(
    configure: Configure, llama: Start, talk: Talk
) -> None:
    """All are answered in the end."""
    configure(f"{ROLES}local_models: {{parallel: 1}}\n", llama=llama(LINES[:3000]).url)
    messages: list[str] = []

    async def hear(_figure: float, _total: float | None, message: str | None) -> None:
        messages.append(message or "")

    async def ask(client: Client) -> list[bool]:
        failed: list[bool] = []

        async def one() -> None:
            result = await client.call_tool(
                "ask_local_llama", {"prompt": "x"}, progress_callback=hear
            )
            failed.append(result.is_error)

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(one)
        return failed

    assert talk(ask, mode="legacy") == [False, False, False]
    assert any(message.startswith("waiting: ") for message in messages)


def test_a_long_answer_comes_in_pages_that_make_the_whole(
    configure: Configure, llama: Start, talk: Talk
) -> None:
    """60,000 characters, each page below what the client would put into a file."""
    configure(ROLES, llama=llama(LINES).url)

    async def ask(client: Client) -> list[str]:
        result = await client.call_tool("ask_local_llama", {"prompt": "x"})
        pages = [result.structured_content]
        while pages[-1]["next_page"] is not None:
            further = {"page_id": pages[0]["page_id"], "page": pages[-1]["next_page"]}
            page = await client.call_tool("read_more", further)
            assert len(said(page)) < 20_000
            pages.append(page.structured_content)
        assert [page["page"] for page in pages] == list(range(1, pages[0]["pages"] + 1))
        return [page["text"] for page in pages]

    parts = talk(ask)
    assert "".join(parts) == LINES
    assert len(LINES) > 60_000
    assert all(len(part) <= 16_000 and part.endswith("\n") for part in parts)


def test_a_page_that_is_not_kept_says_so(call: Call) -> None:
    """Another session's, or one of long ago."""
    result = call("read_more", page_id="00000000", page=2)
    assert result.is_error
    assert "no answer is kept as '00000000'" in said(result)


def test_the_next_model_answers_where_one_breaks_off(
    configure: Configure, llama: Start, talk: Talk
) -> None:
    """Progress was told of the first, but no text of it is in the answer."""
    with Recorder(llama(LINES[:3000]).url) as recorder:
        chains = "chains: {both: [first/tiny, second/tiny]}\nrouter: {small: both, retries: 0}\n"
        second: Llama = llama("whole")
        configure(chains, first=recorder.url, second=second.url)

        told: list[float] = []

        async def hear(figure: float, *_: object) -> None:
            told.append(figure)

        async def ask(client: Client) -> dict[str, object]:
            recorder.cut(after=5000)
            given = {"prompt": "x"}
            result = await client.call_tool("ask_local_llama", given, progress_callback=hear)
            answer: dict[str, object] = result.structured_content
            return answer

        answer = talk(ask, mode="legacy")
    assert (answer["text"], answer["provider"]) == ("whole", "second")
    assert told[-1] > len("whole")
    assert "first/tiny" in str(answer["notices"])
    assert outcomes() == ["answered"]
