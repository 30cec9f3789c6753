"""The command line: one lazy group, and the one place where an exception becomes an exit code.

A command is one file in this folder, named like it, with a click command object called `command`
that returns its exit code. Exit codes: 0 done, 1 expected failure, 2 usage, 3 bug, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import io
import os
import sys
from collections.abc import Mapping, Sequence
from typing import cast

import click
from claude_tier_hooks import __version__, state

from claude_tier.errors import UserError, alone

# Every command with its one line for `--help`, so that help imports none of them.
COMMANDS = {
    "install": "Set up hooks, agents and skills in Claude Code.",
    "uninstall": "Take everything back out of Claude Code.",
    "status": "Show spending, budgets and what they do to new subagents.",
    "dashboard": "Serve a page on this machine with all of it.",
    "report": "Sum what was used, by day, session, model and more.",
    "simulate": "Decide the past again under another policy.",
    "budget": "Check budgets; the exit code is for scripts.",
    "log": "Show what was asked, set and run for each subagent.",
    "ask": "Ask the model that a task is for; print its answer.",
    "route": "Show where a task would go, and why.",
    "mcp": "Serve local models to Claude as tools.",
    "pipeline": "Run steps on several models, each with budget and fallback.",
    "heartbeat": "Run the checks of HEARTBEAT.md on time, on cheap models.",
    "run": "Run `claude` on a group's endpoint, or on Claude itself.",
    "env": "Print a group's environment for other programs.",
    "prices": "Show the price table; compare it with the client's.",
    "ledger": "Verify, rebuild, back up and sum the ledger.",
    "providers": "List, check and set up who can be asked.",
    "cooldown": "Show or end what is kept out after a failure.",
    "emergency": "Ask only models on this machine, for a while.",
    "doctor": "Find what keeps the hooks from working.",
    "off": "Let every subagent run as asked, for a while.",
    "on": "Apply assignments and budgets again.",
    "compile": "Check config.yaml and compile it for the hooks.",
}
SWITCHES = frozenset({"install", "uninstall", "compile", "off", "on"})  # they see to it themselves
SCREENS = frozenset({"status", "doctor"})  # they show the mistakes of a configuration themselves
NOT_WITHOUT = "this cannot be done until it does"

INTERRUPTED = 130
BUG = 3


class LazyGroup(click.Group):
    """Commands by name; the module of one is imported only when it is called."""

    table: Mapping[str, str] = COMMANDS
    package = __name__

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [*self.table]

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in self.table:
            return None
        module = importlib.import_module(f"{self.package}.{cmd_name}")
        return cast("click.Command", module.command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in self.table or name.startswith("-"):
            return super().resolve_command(ctx, args)
        raise click.UsageError(f"No such command '{name}'.{_suggestion(name, self.table)}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.table[name]) for name in self.list_commands(ctx)])


def _suggestion(name: str, table: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(name, table, n=1)
    return f" Did you mean '{near[0]}'?" if near else ""


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="claude-tier", message="%(prog)s %(version)s")
@click.pass_context
def claude_tier(context: click.Context) -> None:
    """Run Claude Code subagents on the cheapest tier that fits, and hold budgets.

    \b
    Examples:
      claude-tier install              set everything up, once
      claude-tier status               what was spent, what is left
      claude-tier off --for 1h         stand aside for an hour
      claude-tier uninstall            put every file back
    """
    if context.invoked_subcommand not in ("install", "uninstall"):
        _follow_upgrade()
    if context.invoked_subcommand not in SWITCHES:
        from claude_tier import following

        mistakes = following.follow()
        if mistakes and context.invoked_subcommand not in SCREENS:
            said = f"the configuration does not hold as it is written:\n{mistakes}"
            click.echo(f"Warning: {said}", err=True)
            context.ensure_object(set).add(mistakes)


def _follow_upgrade() -> None:
    """After `pip install -U` the first command brings the hooks' copy and policy along."""
    recorded = (state.read_json(state.path("manifest.json")) or {}).get("runtime_version")
    if recorded in (None, __version__):
        return
    from claude_tier import bundle, paths
    from claude_tier.config import ConfigError, compile_user_policy
    from claude_tier.install import refreshing

    if refreshing.refresh(paths.config_dir(), bundle.root()):
        # Its prices and presets may be newer; a mistake in config.yaml is the hooks' to tell.
        with contextlib.suppress(ConfigError):
            compile_user_policy(paths.state_dir())


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; return its exit code and never let a traceback reach the terminal."""
    _never_fail_to_print()
    told = set[str]()
    try:
        return _run(argv, told)
    except UserError as error:
        message = NOT_WITHOUT if error.message in told else error.message
        return _report(message, error.hint, error.code)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        return _silence()
    except OSError as error:
        return _report(_what_the_system_said(error), None, 1)
    except Exception as error:  # noqa: BLE001 - anything else is a bug of ours
        return _report_bug(error)


def _run(argv: Sequence[str] | None, told: set[str]) -> int:
    """The exit code; `told` gets what was warned of before the command began."""
    args = None if argv is None else list(argv)
    try:
        code = claude_tier.main(args, prog_name="claude-tier", standalone_mode=False, obj=told)
    except Exception as error:
        only = alone(error)
        if only is error:
            raise
    else:
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    raise only


def _report(message: str, hint: str | None, code: int) -> int:
    click.echo(f"claude-tier: {message}", err=True)
    if hint:
        click.echo(hint, err=True)
    return code


def _what_the_system_said(error: OSError) -> str:
    """A full disk or a missing permission is nobody's bug: /home/me/x: Permission denied."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _report_bug(error: Exception) -> int:
    from claude_tier import bug_log

    path = bug_log.write(error)
    where = f"The traceback is in {path}; please attach it to an issue." if path else None
    return _report(f"this is a bug: {bug_log.summary(error)}", where, BUG)


def _silence() -> int:
    """Say nothing more, not even at exit: our reader has gone (`claude-tier log | head`)."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return 1


def _never_fail_to_print() -> None:
    """Let a path that is not valid UTF-8 be printed escaped instead of ending the command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
