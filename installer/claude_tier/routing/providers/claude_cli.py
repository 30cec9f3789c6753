"""The user's own, unmodified `claude -p`, as a model without tools, settings, hooks or memory.

Seen in 2.1.329: `@file` in a prompt is read and sent, and `/word` at its start is a command; both
only in the last text block of a message. So the prompt is a block before the last.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

from claude_tier.routing import keys
from claude_tier.routing.fault import Fault
from claude_tier.routing.prompt import Delta, Event, Finished, Prompt, Usage, Used
from claude_tier.routing.providers import Found, attempts, claude_login, documents, verdict, windows
from claude_tier.routing.providers.dialect import Gathered
from claude_tier.routing.providers.documents import Json, count, mapping, text
from claude_tier.routing.providers.http import Limits
from claude_tier.routing.providers.messages import REASONS, MessagesReader, usage_of
from claude_tier.routing.providers.process import Running, running

if TYPE_CHECKING:
    from typing_extensions import Self

    from claude_tier.config.providers import Provider

LOOK = 10.0  # seconds for the program to say its version
LONGEST_SCHEMA = 100_000  # bytes: Linux takes no argument above 128 KiB
SYSTEM = "You answer one request, and give nothing but what it asks for."
SPENT = "error_max_budget_usd"  # seen in 2.1.329
CLOSING = "Answer the request above."
# No settings (hooks, plugins and memory come from there), no servers, no transcript.
LEAN = (
    "-p",
    "--setting-sources",
    "",
    "--strict-mcp-config",
    "--no-session-persistence",
    "--disable-slash-commands",
    "--input-format",
    "stream-json",
    "--output-format",
    "stream-json",
    "--verbose",
)


class Work(NamedTuple):
    """What the client may do besides to answer: in a folder, with tools by the rules for them.

    What a rule does not allow is refused, and nobody is asked. `usd` ends it, also without tools.
    """

    folder: Path | None = None
    tools: tuple[str, ...] = ()
    usd: float | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """Bash(git status:*) is a rule for the tool Bash."""
        names = dict.fromkeys(rule.partition("(")[0] for rule in self.tools)
        found = ["--tools", ",".join(names)]
        if self.tools:
            allowed = ",".join(self.tools)
            found += [f"--allowed-tools={allowed}", "--permission-mode=dontAsk"]
        if self.usd is not None:
            found.append(f"--max-budget-usd={self.usd:f}")
        return tuple(found)


NO_WORK = Work()


class ClaudeCli:
    """The user's `claude`. It takes neither a temperature nor a length: without both it answers."""

    def __init__(
        self,
        name: str,
        provider: Provider,
        limits: Limits,
        *,
        now: Callable[[], float] = time.time,
        work: Work = NO_WORK,
    ) -> None:
        self.name = name
        self.account = claude_login.account(os.environ)
        self._provider = provider
        self._limits = limits
        self._now = now
        self._work = work
        self._secret = keys.Secret(claude_login.own_key(os.environ) or "")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        return None

    async def answer(
        self, model: str, prompt: Prompt, *, stream: bool
    ) -> AsyncGenerator[Event, None]:
        """The answer as it comes, ended by one Finished; raises Fault and nothing else."""

        def attempt(asked: Prompt) -> AsyncGenerator[Event, None]:
            return self._events(model, asked, stream=stream)

        async with aclosing(attempts.plainly(attempt, prompt, self._final)) as events:
            async for event in events:
                yield event

    async def look(self) -> Found:
        """Whether it is there, by its version; nothing is asked of a model."""
        try:
            version = await self._version()
        except Fault as fault:
            known = self._final(fault, told=False)
            return Found(False, message=known.message, remedy=known.remedy)
        models = {name: await self.window(name) for name in windows.catalog().aliases}
        return Found(True, models, message=f"Claude Code {version}")

    async def window(self, model: str) -> int | None:
        """The configuration's word, else what is shipped."""
        known = self._provider.models.get(model)
        return (known and known.window) or windows.shipped(model)

    def _final(self, fault: Fault, told: bool) -> Fault:
        remedy = fault.remedy or _remedy(fault)
        return verdict.final(fault, self._secret, remedy=remedy, told=told)

    async def _events(
        self, model: str, prompt: Prompt, *, stream: bool
    ) -> AsyncGenerator[Event, None]:
        # Words before a structured answer are no part of it.
        partly = stream and prompt.schema is None
        reader = ResultReader(model, partly=partly, now=self._now)
        with tempfile.TemporaryDirectory(prefix="claude-tier-") as folder:
            command = _command(_program(), model, prompt, folder, partly=partly)
            command += self._work.arguments
            within = str(self._work.folder or folder)
            env = claude_login.environment(os.environ)
            async with running(
                command, given=_input(prompt), env=env, folder=within, limits=self._limits
            ) as process:
                async with aclosing(process.lines(silence=stream)) as lines:
                    async for line in lines:
                        said = _document(line)
                        if said.get("type") == "result":
                            await process.ended()
                        for event in reader.read(said):
                            yield event
                            if isinstance(event, Finished):
                                return
                raise await _ended(process)

    async def _version(self) -> str:
        limits = Limits(min(LOOK, self._limits.timeout), LOOK)
        env = claude_login.environment(os.environ)
        with tempfile.TemporaryDirectory(prefix="claude-tier-") as folder:
            command = [_program(), "--version"]
            async with running(
                command, given=b"", env=env, folder=folder, limits=limits
            ) as process:
                async with aclosing(process.lines(silence=False)) as lines:
                    async for line in lines:
                        if words := line.split():
                            return words[0].decode("utf-8", "replace")
                raise await _ended(process)


def _program() -> str:
    found = claude_login.program()
    if found is None:
        raise Fault("connect", "there is no `claude` on PATH", lasting=True)
    return found


def _command(program: str, model: str, prompt: Prompt, folder: str, *, partly: bool) -> list[str]:
    """The command line; nothing of the prompt is on it, because others can read that."""
    system = Path(folder, "system.txt")
    system.write_bytes((prompt.system or SYSTEM).encode("utf-8", "replace"))
    command = [program, *LEAN, f"--model={model}", f"--system-prompt-file={system}"]
    if partly:
        command.append("--include-partial-messages")
    # The client has it enforced as a tool, and what a tool is given is an object.
    if prompt.schema is not None and prompt.schema.get("type") == "object":
        schema = json.dumps(prompt.schema)
        if len(schema) <= LONGEST_SCHEMA:
            command.append(f"--json-schema={schema}")
    return command


def _input(prompt: Prompt) -> bytes:
    blocks = [{"type": "text", "text": each} for each in (_conversation(prompt), CLOSING)]
    message = {"role": "user", "content": blocks}
    line = {"type": "user", "message": message, "parent_tool_use_id": None, "session_id": ""}
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _conversation(prompt: Prompt) -> str:
    """One text: the client takes turns of a user only."""
    if len(prompt.messages) == 1:
        return prompt.messages[0].text
    turns = [f"<{each.role}>\n{each.text}\n</{each.role}>" for each in prompt.messages]
    return "\n\n".join(turns)


def _document(line: bytes) -> Json:
    """What a line says; nothing where it is no JSON, but talk of something around the client."""
    return documents.parsed(line) if line.startswith(b"{") else {}


async def _ended(process: Running) -> Fault:
    """It ended without a result; its last words say why."""
    said = await process.last_words()
    if said.strip():
        return verdict.judge(verdict.Failure(None, {}, said.strip()), vendor=True, now=time.time())
    return Fault("server", "`claude` ended without a result")


def _remedy(fault: Fault) -> str | None:
    if fault.cause == "key":
        return "run `claude` and log in"
    if fault.cause == "connect":
        return "install Claude Code, so that `claude` is on PATH"
    return None


class MessagesUsed:
    """What the messages of one client have used so far, each as the API counted it."""

    def __init__(self) -> None:
        self._readers: dict[str, MessagesReader] = {}
        self._used: dict[str, Used] = {}
        self._streamed = ""

    def streamed(self, event: Json) -> Iterator[Used]:
        """More by one event of a message's stream."""
        if event.get("type") == "message_start":
            self._streamed = text(mapping(event.get("message")).get("id"))
        return self._more(self._streamed, event)

    def told(self, message: Json) -> Iterator[Used]:
        """More by a message, which comes once for each of its blocks."""
        return self._more(text(message.get("id")), {**message, "type": "message"})

    def _more(self, name: str, document: Json) -> Iterator[Used]:
        reader = self._readers.setdefault(name, MessagesReader(""))
        for used in reader.counted(document):
            if used.model:
                self._used[name] = used
                yield self._most()

    def _most(self) -> Used:
        """All of the model that used most: of several together nobody could know the price."""
        by_model: dict[str, Usage] = {}
        for one in self._used.values():
            by_model[one.model] = by_model.get(one.model, Usage()) + one.usage
        model = max(by_model, key=lambda name: by_model[name].tokens)
        return Used(by_model[model], model)


class ResultReader:
    """Reads the client's events; only its result says all that was used, and whether it was one."""

    def __init__(self, model: str, *, partly: bool, now: Callable[[], float]) -> None:
        self._so_far = Gathered(model)
        self._partly = partly
        self._now = now
        self._told: list[str] = []
        self._messages = MessagesUsed()

    def read(self, document: Json) -> Iterator[Event]:
        """The events of one line of the client's."""
        kind = document.get("type")
        if kind == "stream_event" and self._partly:
            event = mapping(document.get("event"))
            if not document.get("parent_tool_use_id"):  # those of subagents come in between
                yield from self._messages.streamed(event)
            yield from self._more(mapping(event.get("delta")))
        elif kind == "assistant":
            self._note(mapping(document.get("message")))
            yield from self._messages.told(mapping(document.get("message")))
        elif kind == "result":
            yield from self._end(document)

    def _more(self, delta: Json) -> Iterator[Event]:
        if delta.get("type") == "text_delta" and (more := text(delta.get("text"))):
            self._told.append(more)
            yield Delta(more)

    def _note(self, message: Json) -> None:
        self._so_far.id = text(message.get("id")) or self._so_far.id
        self._so_far.model = text(message.get("model")) or self._so_far.model

    def _end(self, result: Json) -> Iterator[Event]:
        self._count(result)
        yield from self._so_far.used()  # an error was paid for as well
        if result.get("subtype") == SPENT:  # no fault of anybody's
            self._so_far.reason = "budget"
            yield self._so_far.finished()
            return
        if result.get("is_error"):
            raise self._refusal(result)
        answer = text(result.get("result"))
        told = "".join(self._told)
        if not answer.startswith(told):
            raise Fault("server", "gave another answer than the one it had begun")
        if rest := answer[len(told) :]:
            yield Delta(rest)
        yield self._so_far.finished()

    def _count(self, result: Json) -> None:
        """The figures of all requests it made; the model is the one that said most."""
        used = mapping(result.get("modelUsage"))
        reason = text(result.get("stop_reason"))
        # A structured answer is a call of a tool of the client's own.
        self._so_far.reason = "end" if reason == "tool_use" else REASONS.get(reason, "other")
        if not used:
            return
        self._so_far.model = max(
            used, key=lambda name: count(mapping(used[name]).get("outputTokens"))
        )
        counted = usage_of(mapping(result.get("usage")))
        if counted.is_empty:  # so it is after a stream that broke off
            counted = sum((_of_model(mapping(one)) for one in used.values()), Usage())
        cost = documents.dollars(result.get("total_cost_usd"))
        self._so_far.usage = replace(counted, usd=cost)

    def _refusal(self, result: Json) -> Fault:
        """Its `subtype` says success even then, so that only is_error counts."""
        kind, said = text(result.get("api_error_type")), text(result.get("result"))
        status = count(result.get("api_error_status")) or None
        error = {"type": kind, "message": said or text(result.get("subtype"))}
        failure = verdict.Failure(status, {}, error)
        return verdict.judge(failure, vendor=True, now=self._now())


def _of_model(used: Json) -> Usage:
    """The client's own sums of one model; cache writes without a split are of five minutes."""
    hour = count(used.get("cacheCreationEphemeral1hInputTokens"))
    written = count(used.get("cacheCreationInputTokens"))
    return Usage(
        input=count(used.get("inputTokens")),
        output=count(used.get("outputTokens")),
        cache_read=count(used.get("cacheReadInputTokens")),
        cache_write_5m=max(0, written - hour),
        cache_write_1h=hour,
        web_searches=count(used.get("webSearchRequests")),
    )
