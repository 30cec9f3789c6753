"""`claude-tier ask`: one question to the model that the task is for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from claude_tier import durations
from claude_tier.output import json_option, print_json

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.routing.answer import Answer
    from claude_tier.routing.asking import Asking, Wish
    from claude_tier.routing.question import Question
    from claude_tier.routing.routes import Choice

MOST = 128_000  # tokens of an answer
CUT_OFF = "The answer was cut off: --max-tokens allows more."


def _kind(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """The callback of --as: the kinds are asked for only where somebody names one."""
    from claude_tier.config.routing import TASK_KINDS

    if value is not None and value not in TASK_KINDS:
        raise click.BadParameter(f"'{value}' is not one of {', '.join(TASK_KINDS)}.")
    return value


@click.command()
@click.argument("text", metavar="TEXT|-")
@click.option(
    "--file", "-f", "files", multiple=True, metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A text file that comes along; may be given several times.",
)  # fmt: skip
@click.option("--system", metavar="TEXT", help="What the model is told before the question.")
@click.option(
    "--to", metavar="TARGET", help="A provider/model, chain or role, instead of what fits the task."
)
@click.option(
    "--as", "kind", metavar="KIND", callback=_kind, help="The kind of task, instead of a guess."
)
@click.option(
    "--max-tokens", type=click.IntRange(1, MOST), default=4096, show_default=True,
    help="How long the answer may be.",
)  # fmt: skip
@click.option(
    "--schema", "shape", metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON Schema that the answer has to fit; it is asked for once more where it does not.",
)  # fmt: skip
@click.option("--local-only", is_flag=True, help="Ask only models that run on this machine.")
@click.option("--stream", is_flag=True, help="Print the answer as it comes.")
@click.option(
    "--timeout", metavar="DURATION", callback=durations.option, help="How long to wait: 30s, 5m."
)
@json_option
def command(
    *,
    text: str,
    files: tuple[Path, ...],
    system: str | None,
    to: str | None,
    kind: str | None,
    max_tokens: int,
    shape: Path | None,
    local_only: bool,
    stream: bool,
    timeout: int | None,
    as_json: bool,
) -> int:
    """Ask one question of the model that the task is for, and print the answer.

    Where it goes is what `claude-tier route` shows; where that one fails, the next of the chain
    answers, and stderr says so. With - the text is read from stdin. Exit with 1 when nobody
    answered. With --stream a failure in mid-answer ends the request.

    \b
    Examples:
      claude-tier ask "Summarise these notes in three sentences" --file notes.md
      claude-tier ask --to cheap --system "Answer in German" "What does idempotent mean?"
      git diff | claude-tier ask - --as summarise --local-only
      claude-tier ask "Name, date and total of the invoice" -f invoice.txt --schema invoice.json
    """
    if stream and (shape or as_json):
        raise click.UsageError("--stream does not go with --schema or --json.")
    if to and kind:
        raise click.UsageError("--to and --as exclude each other.")
    from claude_tier.routing import asking, question

    wish = asking.Wish(
        to=to,
        kind=kind,
        system=system,
        max_tokens=max_tokens,
        schema=asking.schema(shape) if shape else None,
        local_only=local_only,
        timeout=timeout,
    )
    return _carry_out(question.read(text, files), wish, stream=stream, as_json=as_json)


def _carry_out(question: Question, wish: Wish, *, stream: bool, as_json: bool) -> int:
    """Ask, and print what came of it."""
    from claude_tier import config, paths
    from claude_tier.routing import asking
    from claude_tier.routing.answer import NobodyError

    loaded = config.load(paths.state_dir() / config.CONFIG).config
    choice = asking.route(loaded, question, wish)
    with _waiting(choice, silent=stream) as say:
        wanted = asking.Asking(
            prompt=asking.prompt(question, wish),
            choice=choice,
            timeout=wish.timeout,
            say=say,
            on_text=_print_part if stream else None,
        )
        try:
            answer = _asked(loaded, wanted)
        except NobodyError as error:
            if stream:
                click.echo()  # what came before stands on a line of its own
            if not as_json:
                raise
            print_json({"route": choice.route, **error.fields()})
            return 1
    if as_json:
        print_json({"route": choice.route, "why": choice.why, **answer.fields()})
    else:
        _show(answer, choice, most=wish.max_tokens, streamed=stream)
    return 0


def _asked(config: Config, wanted: Asking) -> Answer:
    import anyio
    from claude_tier_hooks import policy, project

    from claude_tier.routing import asking

    rules = policy.load(project.root(str(Path.cwd())))
    return anyio.run(asking.ask, config, rules, wanted)


@contextmanager
def _waiting(choice: Choice, *, silent: bool) -> Iterator[Callable[[str], None]]:
    """What is told meanwhile, on stderr; on a terminal something moves until the answer is there.

    `silent`: nothing moves, since the answer itself does.
    """
    from claude_tier.pipelines.screen import safe

    if silent or not sys.stderr.isatty():
        yield lambda line: click.echo(safe(line), err=True)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, highlight=False)
    with console.status(Text(f"Waiting for an answer ({choice.route})")):
        yield lambda line: console.print(Text(safe(line)))


def _print_part(text: str) -> None:
    """More of the answer, at once; on a terminal without what it would obey."""
    from claude_tier.pipelines.screen import safe

    sys.stdout.write(safe(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def _show(answer: Answer, choice: Choice, *, most: int, streamed: bool) -> None:
    """The answer on stdout; on stderr what is wrong with it and, on a terminal, what it took."""
    if not streamed:
        _print_part(answer.text)
    if not answer.text.endswith("\n"):
        click.echo()
    if fault := _end(answer, most):
        click.echo(fault, err=True)
    if sys.stderr.isatty():
        click.secho(_summary(answer, choice), err=True, dim=True)


def _end(answer: Answer, most: int) -> str | None:
    """What is wrong with the end of an answer that could have had so many tokens."""
    if answer.reason == "refusal":
        return "The model declined to answer."
    if answer.reason != "length":
        return None
    given = answer.usage.output
    if not answer.usage.measured or given >= most:
        return CUT_OFF
    return (
        f"The answer was cut off after {given:,} tokens, before --max-tokens: the context window "
        f"of {answer.target} is full, or its provider allows no more. Ask a larger model with --to."
    )


def _summary(answer: Answer, choice: Choice) -> str:
    """notes: ollama/qwen3:8b, 120 tokens in, 40 out, $0, 2 s"""
    from claude_tier.pipelines.screen import dollars, safe
    from claude_tier.routing import wording

    used = answer.usage
    given = used.input + used.cache_read + used.cache_write_5m + used.cache_write_1h
    tokens = f"{given:,} tokens in, {used.output:,} out" if used.measured else "tokens unknown"
    _, _, name = str(answer.target).partition("/")
    served = "" if answer.model == name else f" ({answer.model})"
    took = f"{tokens}, {dollars(answer.usd)}, {wording.seconds(answer.seconds)}"
    return safe(f"{choice.route}: {answer.target}{served}, {took}")
