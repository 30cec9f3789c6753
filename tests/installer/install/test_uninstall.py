"""Everything comes back as it was, also after others worked in the same files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from claude_tier.errors import UserError
from claude_tier.install import installing, scopes, transaction
from claude_tier.install.outcome import Outcome
from claude_tier.install.scopes import SCOPES, Scope, Target
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from settings_text import settings_texts
from trees import snapshot, write

Run = Callable[..., Outcome]
Place = Callable[[Scope], Target]
STEPS = st.lists(st.sampled_from(["install", "upgrade", "uninstall"]), min_size=1, max_size=4)


@pytest.mark.parametrize("scope", SCOPES)
def test_nothing_is_left_where_nothing_was(
    place: Place, install: Run, uninstall: Run, scope: Scope
) -> None:
    """Files and folders that came with us go with us."""
    target = place(scope)
    install(target)
    uninstall(target)
    assert snapshot(target.folder, without=target.state) == {}
    assert target.folder.exists() is (scope == "user")


@pytest.mark.parametrize("scope", SCOPES)
def test_empty_folders_that_were_there_stay(
    place: Place, install: Run, uninstall: Run, scope: Scope
) -> None:
    """An empty agents folder of the user's own is not ours to remove."""
    target = place(scope)
    (target.folder / "agents").mkdir(parents=True)
    install(target)
    uninstall(target)
    assert snapshot(target.folder, without=target.state).keys() == {"agents"}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=settings_texts(), steps=STEPS, name=st.sampled_from(SCOPES))
def test_any_series_of_commands_ends_where_it_began(
    place: Place, install: Run, uninstall: Run, text: str, steps: list[str], name: Scope
) -> None:
    """Installed, upgraded and uninstalled in any order: at the end every byte is back."""
    target = place(name)
    write(target.settings, text)
    write(target.folder / "agents" / "explorer.md", "mine\n")
    before = snapshot(target.folder, without=target.state)
    for step in steps:
        if step == "uninstall":
            uninstall(target)
        else:
            install(target, python=f"/{step}/python3", force=step == "upgrade")
    uninstall(target)
    assert snapshot(target.folder, without=target.state) == before


def test_what_others_added_since_stays(user: Target, install: Run, uninstall: Run) -> None:
    """Entries, keys and files of others survive; ours are gone."""
    write(user.settings, '{\n  "model": "opus"\n}\n')
    install(user)
    values = json.loads(user.settings.read_bytes())
    values["hooks"]["Stop"].insert(0, {"hooks": [{"type": "command", "command": "mine"}]})
    values["theme"] = "dark"
    write(user.settings, json.dumps(values, indent=2))
    write(user.folder / "agents" / "mine.md", "mine\n")
    write(user.folder / "skills" / "budget" / "notes.md", "mine\n")
    uninstall(user)
    assert json.loads(user.settings.read_bytes()) == {
        "model": "opus",
        "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "mine"}]}]},
        "theme": "dark",
    }
    assert snapshot(user.folder, without=user.state).keys() == {
        "settings.json",
        "agents",
        "agents/mine.md",
        "skills",
        "skills/budget",
        "skills/budget/notes.md",
    }


def test_what_others_removed_since_is_not_missed(
    user: Target, install: Run, uninstall: Run
) -> None:
    """Settings and agents that are gone by now are no error and do not come back."""
    write(user.settings, "{}")
    install(user)
    user.settings.unlink()
    (user.folder / "agents" / "explorer.md").unlink()
    uninstall(user)
    assert snapshot(user.folder, without=user.state) == {}


def test_an_original_comes_back_even_if_ours_was_deleted(
    user: Target, install: Run, uninstall: Run
) -> None:
    """What --force set aside is never lost."""
    mine = write(user.folder / "agents" / "explorer.md", "mine\n")
    install(user, force=True)
    mine.unlink()
    uninstall(user)
    assert mine.read_text() == "mine\n"


def test_the_ledger_and_the_configuration_stay_until_purged(
    user: Target, install: Run, uninstall: Run, state: Path
) -> None:
    """What the user wrote and what was counted outlives the hooks; a purge takes it."""
    install(user)
    write(state / "ledger.db", "counted")
    write(state / "config.yaml", "preset: budget\n")
    uninstall(user)
    assert (state / "ledger.db").read_text() == "counted"
    assert (state / "config.yaml").read_text() == "preset: budget\n"
    assert not (state / "hooks").exists()
    uninstall(user, purge=True)
    assert not user.config.exists()


def test_a_purge_leaves_a_folder_of_claude_codes_own(
    user: Target, install: Run, uninstall: Run
) -> None:
    """Only a folder that came with us goes, and only if nothing else has moved in."""
    write(user.config / "projects" / "x.jsonl", "")
    install(user)
    uninstall(user, purge=True)
    assert snapshot(user.config).keys() == {"projects", "projects/x.jsonl"}


def test_a_purge_waits_for_the_other_installs(
    place: Place, install: Run, uninstall: Run, state: Path
) -> None:
    """Purging under an install that still runs from the state folder is refused."""
    install(place("user"))
    install(place("local"))
    before = snapshot(state)
    with pytest.raises(UserError, match="also installed elsewhere"):
        uninstall(place("user"), purge=True)
    assert snapshot(state) == before
    uninstall(place("local"))
    uninstall(place("user"), purge=True)
    assert not state.exists()


def test_python_caches_go_with_the_runtime(
    place: Place, install: Run, uninstall: Run, project: Path
) -> None:
    """What Python compiled beside the hooks is not left in the project."""
    target = place("project")
    install(target)
    write(target.owner / "hooks" / "claude_tier_hooks" / "__pycache__" / "stop.pyc", "code")
    uninstall(target)
    assert snapshot(project) == {}


@pytest.mark.parametrize("scope", SCOPES)
def test_uninstalling_what_is_not_installed_changes_nothing(
    place: Place, uninstall: Run, home: Path, project: Path, scope: Scope
) -> None:
    """It says so, and not even the state folder is made."""
    before = snapshot(home), snapshot(project)
    outcome = uninstall(place(scope))
    said = ["Nothing of claude-tier is installed here."]
    assert (outcome.lines(), outcome.remarks()) == (said, [])
    assert (snapshot(home), snapshot(project)) == before


def test_a_dry_run_takes_nothing_out(user: Target, install: Run, uninstall: Run) -> None:
    """It shows each removal and leaves every file."""
    install(user)
    before = snapshot(user.config)
    assert "-explore" in uninstall(user, dry_run=True).diff()
    assert snapshot(user.config) == before


def test_a_clone_is_uninstalled_by_its_own_manifest(
    place: Place, install: Run, uninstall: Run, tmp_path: Path
) -> None:
    """Whoever cloned the project can take us out without ever having installed."""
    target = place("project")
    install(target)
    clone = target.root.rename(tmp_path / "clone") if target.root else tmp_path
    uninstall(Target("project", tmp_path / "other home", clone))
    assert snapshot(clone) == {}
    assert not (tmp_path / "other home").exists()


@pytest.mark.parametrize("name", ["../precious", "/etc/passwd", "agents/../../precious", "x/y"])
def test_a_clones_manifest_cannot_name_files_elsewhere(
    place: Place, uninstall: Run, tmp_path: Path, name: str
) -> None:
    """A manifest that lists anything but our own places is damaged, and nothing is removed."""
    precious = write(tmp_path / "precious", "")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    record = {"version": 1, "installs": [{"scope": "project", "files": {name: empty}}]}
    target = place("project")
    write(target.manifest, json.dumps(record))
    with pytest.raises(UserError, match="damaged"):
        uninstall(target)
    write(target.manifest, json.dumps({"version": 1, "runtime": [name]}))
    if name != "x/y":  # which would be in our own folder
        with pytest.raises(UserError, match="damaged"):
            uninstall(target)
    assert precious.exists()


def test_a_clones_manifest_cannot_reach_through_a_link(
    place: Place, uninstall: Run, tmp_path: Path
) -> None:
    precious = write(tmp_path / "elsewhere" / "explorer.md", "")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    record = {"installs": [{"scope": "project", "files": {"agents/explorer.md": empty}}]}
    target = place("project")
    write(target.manifest, json.dumps({"version": 1, **record}))
    (target.folder / "agents").symlink_to(precious.parent)
    with pytest.raises(UserError, match="outside the project"):
        uninstall(target)
    assert precious.exists()


def test_a_linked_state_folder_is_purged_with_its_link(
    user: Target, install: Run, uninstall: Run, tmp_path: Path
) -> None:
    """State kept on another disk goes there as well."""
    (tmp_path / "disk" / "state").mkdir(parents=True)
    user.config.mkdir()
    user.state.symlink_to(tmp_path / "disk" / "state")
    install(user)
    uninstall(user, purge=True)
    assert snapshot(user.config) == {}
    assert snapshot(tmp_path / "disk") == {}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_home_reached_through_a_link_is_like_any_other(
    install: Run, uninstall: Run, tmp_path: Path, scope: Scope
) -> None:
    """As on macOS, where the temporary folder itself is one."""
    (tmp_path / "disk" / "project").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    project = None if scope == "user" else tmp_path / "link" / "project"
    target = scopes.target(scope, tmp_path / "link" / ".claude", project)
    write(target.folder / "agents" / "explorer.md", "mine\n")
    before = snapshot(target.folder, without=target.state)
    install(target, force=True)
    install(target)
    uninstall(target, purge=True)
    assert snapshot(target.folder, without=target.state) == before


def test_uninstall_completes_an_install_that_was_cut_off(
    user: Target, bundle: Path, uninstall: Run
) -> None:
    """A journal left by a killed install is worked off before anything is taken out."""
    write(user.settings, "{}")
    plan = installing.draft(installing.Request(user, bundle))
    write(user.state / transaction.JOURNAL, transaction.dump(plan.steps).decode())
    assert "interrupted" in uninstall(user).lines()[-2]
    assert snapshot(user.folder, without=user.state).keys() == {"settings.json"}
    assert user.settings.read_text() == "{}"
