"""The reference page of all commands, made from their own help.

python tests/command_reference.py --write     # rewrite docs/commands.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from claude_tier.cli import claude_tier

PAGE = Path(__file__).parents[1] / "docs/commands.md"
WIDTH = 80
HELP = ["-h", "--help"]
INTRODUCTION = """\
# Commands

Results are printed on stdout, messages on stderr.
`--json` prints the same result as one JSON object with a `version`,
which rises when a field changes its meaning.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | an expected failure; also what the command was asked to find, such as a budget at its cap |
| 2 | wrong usage |
| 3 | a bug; a log file is named |
| 130 | interrupted |

This page is made from the commands' own help by `tests/command_reference.py`.
"""


def every_command() -> Iterator[click.Context]:
    """Each command with its parents, groups before what is in them."""
    yield from _below(_context(claude_tier, None, "claude-tier"))


def _below(context: click.Context) -> Iterator[click.Context]:
    yield context
    group = context.command
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield from _below(_context(command, context, name))


def _context(command: click.Command, parent: click.Context | None, name: str) -> click.Context:
    return click.Context(command, parent, name, terminal_width=WIDTH, help_option_names=HELP)


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *map(_section, every_command())])


def _section(context: click.Context) -> str:
    level = "#" * (2 + context.command_path.count(" ") // 2)
    return f"{level} {context.command_path}\n\n```text\n{context.get_help()}\n```\n"


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page(), "utf-8")
    else:
        sys.stdout.write(page())
