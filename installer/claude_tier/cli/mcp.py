"""`claude-tier mcp`: local models as tools of Claude."""

from __future__ import annotations

import sys

import click


@click.command()
def command() -> int:
    """Serve local models to Claude as tools, over MCP on stdin and stdout.

    Claude Code starts this itself once it is registered. Which model answers which tool stands
    under `local_models` and `router` in config.yaml; a change there is seen at the next call.

    \b
    Examples:
      claude-tier install --mcp                  register it for you, in every project
      claude-tier install --mcp --scope project  for everyone in this project
      claude-tier mcp                            what is registered then
    """
    if sys.stdin.isatty():
        click.echo("This speaks MCP on stdin; `claude-tier install --mcp` registers it.", err=True)
    from claude_tier.local_models import server

    server.serve()
    return 0
