"""`claude-tier env`: a group's environment for other programs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from claude_tier.errors import UserError

if TYPE_CHECKING:
    from claude_tier.groups.profile import Profile


@click.command()
@click.option("--group", "name", metavar="NAME", help="Of `groups`, or main.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["shell", "env-file", "json"]),
    default="shell",
    show_default=True,
    help="For `eval`, for a container, or for a program.",
)
@click.option("--show-keys", is_flag=True, help="Print the key itself, not where it comes from.")
@click.option(
    "--from-openai",
    is_flag=True,
    help="Take OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL instead of a group.",
)
def command(*, name: str | None, form: str, show_keys: bool, from_openai: bool) -> int:
    """Print the environment in which `claude` is on a group's endpoint.

    Shell and JSON tell what to unset; an env file, which cannot, blanks it.

    \b
    Examples:
      eval "$(claude-tier env --group chat)"
      claude-tier env --group chat --format env-file --show-keys > chat.env
      claude-tier env --from-openai --format json
    """
    from claude_tier.groups import writing
    from claude_tier.output import print_json

    profile, environ = _profile(name, from_openai=from_openai), dict(os.environ)
    token = profile.token() if show_keys else None
    if form == "json":
        print_json(writing.fields(profile, environ, token))
    else:
        write = writing.as_shell if form == "shell" else writing.as_env_file
        click.echo(write(profile, environ, token), nl=False)
    return 0


def _profile(name: str | None, *, from_openai: bool) -> Profile:
    from claude_tier import config, paths
    from claude_tier.groups import container
    from claude_tier.groups import profile as profiles

    if from_openai == (name is not None):
        raise UserError("say either --group or --from-openai", code=2)
    if name is None:
        return container.of(os.environ)
    checked = config.load(paths.state_dir() / config.CONFIG).config
    return profiles.of(checked, name, os.environ)
