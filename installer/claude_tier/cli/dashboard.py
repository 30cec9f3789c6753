"""`claude-tier dashboard`: the page on loopback."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from claude_tier.errors import UserError
from claude_tier.output import json_option, print_json


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="The port on 127.0.0.1: 7433 unless told, the next free one when it is taken; 0 is any.",
)
@click.option("--open/--no-open", "opens", help="Open the page in your browser.")
@click.option(
    "--link", is_flag=True, help="Only print a new link to a dashboard that runs on the port."
)
@json_option
def command(*, port: int | None, opens: bool, link: bool, as_json: bool) -> int:
    """Serve a page with spending, budgets, decisions and savings, until Ctrl-C.

    It listens on 127.0.0.1 only and needs the link that is printed, which works once and for ten
    minutes; `--link` prints another. Budgets are those of this folder's project.

    \b
    Examples:
      claude-tier dashboard
      claude-tier dashboard --port 8080 --open
      claude-tier dashboard --link
    """
    from claude_tier.dashboard import server

    wanted = server.PORT if port is None else port
    if link:
        return _link(wanted, opens=opens, as_json=as_json)
    return _serve(wanted, opens=opens, as_json=as_json)


def _link(port: int, *, opens: bool, as_json: bool) -> int:
    from claude_tier.dashboard import keys, server

    own = keys.Keys(keys.token(), port)
    if not server.answers(own, port):
        raise UserError(
            f"no dashboard of yours runs on port {port}", "Start one with `claude-tier dashboard`."
        )
    _show(port, own.code(), opens=opens, as_json=as_json)
    return 0


def _serve(port: int, *, opens: bool, as_json: bool) -> int:
    from claude_tier.dashboard import app, keys, reading, server, watching

    books = reading.Books(str(Path.cwd()))
    books.catch_up()  # the first time may take a while, and shows a bar
    token, lesser = keys.token(), keys.token(keys.metrics_file())
    where = server.listen(port)
    own = keys.Keys(token, where.port, metrics=lesser)
    look = watching.Look(books)
    watcher = watching.Watcher(look, close=look.close)
    site = app.Site(own, books, watcher)

    def ready() -> None:
        if where.port != port and port:
            click.echo(f"Port {port} is taken; this is {where.port}.", err=True)
        _show(where.port, own.code(), opens=opens, as_json=as_json)
        if not as_json:
            click.echo("The link works once, for ten minutes. Ctrl-C ends the dashboard.")

    def end() -> None:
        watcher.end()
        server.leave()

    served = app.application(site, where.port)
    server.serve(server.server(served, ready=ready, end=end), where)
    return 0


def _show(port: int, code: str, *, opens: bool, as_json: bool) -> None:
    from claude_tier.dashboard import keys, server

    address = f"http://{server.ADDRESS}:{port}/"
    link = f"{address}#code={code}"
    if as_json:
        print_json(
            {"port": port, "address": address, "link": link, "token_file": keys.token_file()}
        )
    else:
        click.echo(f"Dashboard: {link}")
    if opens and not webbrowser.open(link):
        click.echo("claude-tier: no browser could be opened; use the link.", err=True)
