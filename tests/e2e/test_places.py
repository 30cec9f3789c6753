"""Odd places: names with spaces, quotes and newlines, folders of their own, resumed elsewhere."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path

from claude_tier.livecheck import Client, Script, spawn, text

from .conftest import Serve
from .installation import Installed, command, installed
from .witness import HAIKU, OPUS, Seen, decisions, opened

EXPLORE = spawn("the task", subagent_type="Explore")


def test_hooks_work_in_any_folder(client_program: Path, home: Path, serve: Serve) -> None:
    """Home and project of such a name: every command line in the settings is quoted."""
    name = 'it\'s "quoted" $HOME `id`\nin two lines of üñï 日本'
    odd = home / name
    project = odd / "-dash;rm" / name
    project.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    client = Client(odd, binary=client_program, cwd=project)
    here = installed(client)
    api = serve(Script().on("start", EXPLORE, text("ok")))

    seen = Seen(api, client.run("-p", "start", api=api))

    assert seen.subagents == {"the task": HAIKU}
    assert decisions(here)[-1]["ran"] == HAIKU
    roots = [row["text"] for row in opened(here).execute(
        "SELECT text FROM session JOIN name ON name.id = project WHERE session.model IS NOT NULL"
    )]  # fmt: skip
    assert roots == [str(project)]


def test_a_config_folder_of_its_own_holds_everything_of_ours(
    client_program: Path, home: Path, project: Path, serve: Serve
) -> None:
    """CLAUDE_CONFIG_DIR moves settings, ledger and policy together, whatever its name is."""
    config = home / "-dash;rm"
    client = Client(home, binary=client_program, cwd=project, config_dir=config)
    done = command(client, "install", env={"CLAUDE_CONFIG_DIR": str(config)})
    assert done.returncode == 0, done.stderr
    api = serve(Script().on("start", EXPLORE, text("ok")))

    seen = Seen(api, client.run("-p", "start", api=api))

    assert seen.subagents == {"the task": HAIKU}
    assert (config / "claude-tier/ledger.db").exists()
    assert not (home / ".claude").exists()


def test_a_session_resumed_from_another_folder_is_one_session(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Its transcript stays where it was, and so does its project."""
    inner = client.cwd / "inner"
    inner.mkdir()
    api = serve(Script().on("start", text("ok")).on("go on", EXPLORE, text("ok")))
    first = client.run("-p", "start", api=api)

    seen = Seen(api, client.run("-p", "go on", "--resume", first.session_id, api=api, cwd=inner))

    assert seen.subagents == {"the task": HAIKU}
    assert seen.run.session_id == first.session_id
    sessions = opened(here).execute(
        "SELECT p.text FROM session JOIN name p ON p.id = project JOIN name s ON s.id = session.id"
        " WHERE s.text = ?",
        (first.session_id,),
    )
    assert [row["text"] for row in sessions] == [str(client.cwd)]


def test_without_a_transcript_nothing_is_assigned_blindly(
    client: Client, serve: Serve, here: Installed
) -> None:
    """No row tells the conversation's model then: it is left as it is, never raised."""
    api = serve(Script().on("start", EXPLORE, text("ok")))

    seen = Seen(api, client.run("-p", "start", "--no-session-persistence", api=api))

    assert seen.subagents == {"the task": OPUS}
    row = decisions(here)[-1]
    assert (row["action"], row["would"]) == ("left", None)


def test_clients_at_once_share_one_ledger(client: Client, serve: Serve, here: Installed) -> None:
    """Three sessions side by side: each is counted, each is decided.

    One is in a linked worktree, which belongs to its main project: a project's budget counts it.
    """
    git = ["git", "-C", str(client.cwd), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    tree = client.home / "tree"
    subprocess.run([*git, "worktree", "add", "-q", str(tree)], check=True, capture_output=True)
    api = serve(Script().on("start", [EXPLORE, spawn("another")], text("ok")))
    folders = (client.cwd, client.cwd, tree)

    with ExitStack() as clients:
        running = [
            clients.enter_context(client.start("-p", "start", api=api, cwd=folder))
            for folder in folders
        ]
        runs = [one.finish() for one in running]

    assert len({run.session_id for run in runs}) == 3
    assert len(decisions(here)) == 6
    assert opened(here).execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    counted = opened(here).execute("SELECT count(*) FROM usage").fetchone()[0]
    assert counted == len(api.requests)
    roots = opened(here).execute("SELECT text FROM session JOIN name ON name.id = project")
    assert [row["text"] for row in roots] == [str(client.cwd)] * 3
    assert not (here.state / "hooks.log").exists(), (here.state / "hooks.log").read_text()
