"""Fixtures that drive the real client: a scratch project, a scripted API, and no network."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import fetch_client
import pytest
from claude_tier.livecheck import Client, Namespace, Script, ScriptedAPI, text
from claude_tier.livecheck.client import CLIENT_VARIABLE

from .desk import Desk
from .installation import Installed, installed
from .oracle import Serve

# Looked up while the environment is still the developer's own.
FOUND = os.environ.get(CLIENT_VARIABLE) or fetch_client.CLIENT.find()
ON_PATH = shutil.which("claude")


@pytest.fixture(scope="session")
def client_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pinned client; skips, and says how to get it, where it is missing."""
    if FOUND:
        return Path(FOUND)
    pinned = fetch_client.VERSION
    if ON_PATH:
        home = tmp_path_factory.mktemp("version")
        if Client(home, binary=ON_PATH).version() == pinned:
            return Path(ON_PATH)
    pytest.skip(f"no Claude Code {pinned}: fetch it with `{fetch_client.COMMAND}`")


@pytest.fixture(scope="session")
def network() -> Iterator[Namespace | None]:
    """A network of loopback alone, where this machine lets us make one."""
    if not Namespace.available():
        yield None
        return
    with Namespace() as namespace:
        yield namespace


@pytest.fixture
def project(home: Path) -> Path:
    """A git repository to work in, inside the scratch home."""
    folder = home / "project"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    return folder


@pytest.fixture
def client(client_program: Path, home: Path, project: Path) -> Client:
    """The client in the scratch project."""
    return Client(home, binary=client_program, cwd=project)


@pytest.fixture
def serve(network: Namespace | None) -> Iterator[Serve]:
    """Start a scripted API that only this test's clients reach: `api = serve(script)`."""
    with ExitStack() as running:
        yield lambda respond: running.enter_context(ScriptedAPI(respond, namespace=network))


@pytest.fixture
def here(client: Client) -> Installed:
    """claude-tier, installed in the client's scratch home."""
    return installed(client)


@pytest.fixture
def desk(client: Client, serve: Serve) -> Desk:
    """Somebody who reaches Claude through the scripted API."""
    return Desk(client, serve(Script().on("", text("from Claude"))))
