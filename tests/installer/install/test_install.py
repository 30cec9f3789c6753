"""What `install` writes, what it leaves, and what it refuses."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from claude_tier import bundle as shipped_bundle
from claude_tier.config import shipped_presets
from claude_tier.errors import UserError
from claude_tier.install import entries, manifest, scopes
from claude_tier.install.outcome import Outcome
from claude_tier.install.scopes import SCOPES, Scope, Target
from trees import handler, snapshot, times, write

Run = Callable[..., Outcome]
Place = Callable[[Scope], Target]


def _settings(target: Target) -> dict[str, object]:
    values = json.loads(target.settings.read_bytes())
    assert isinstance(values, dict)
    return values


def _hook_commands(target: Target) -> list[str]:
    hooks = _settings(target)["hooks"]
    assert isinstance(hooks, dict)
    groups = [group for groups in hooks.values() for group in groups]
    return [str(each["command"]) for group in groups for each in entries.handlers(group)]


def test_a_user_install_puts_everything_in_place(
    user: Target, install: Run, config: Path, state: Path
) -> None:
    """Settings, agents, skills, runtime, configuration and policy are there, and no litter."""
    install(user)
    assert sorted(path for path in snapshot(config) if not path.startswith("claude-tier")) == [
        "agents",
        "agents/explorer.md",
        "settings.json",
        "skills",
        "skills/budget",
        "skills/budget/SKILL.md",
    ]
    names = {path.name for path in state.iterdir()}
    assert {"config.yaml", "hooks", "manifest.json", "policy.json"} <= names
    assert "journal.json" not in names
    assert sorted(snapshot(state / "hooks")) == [
        "claude_tier_hooks",
        "claude_tier_hooks/stop.py",
        "hooks.json",
        "stop.py",
    ]
    assert all(f"{state}/hooks/" in command for command in _hook_commands(user))
    assert f"{state}/hooks/status_line.py" in str(_settings(user)["statusLine"])


@pytest.mark.parametrize("scope", SCOPES)
def test_installing_twice_is_installing_once(place: Place, install: Run, scope: Scope) -> None:
    """The second run says nothing and writes no file, the state folder's own included."""
    target = place(scope)
    install(target)
    before, written = snapshot(target.folder), times(target.folder)
    again = install(target, now=1.9e9)
    assert (again.changes, again.notes, again.kept) == ((), (), ())
    assert (snapshot(target.folder), times(target.folder)) == (before, written)


def test_what_is_ours_alone_is_private(user: Target, install: Run, state: Path) -> None:
    """Nobody else can read the state folder or anything of ours in it."""
    install(user)
    modes = {path: mode for path, (_, mode, _) in snapshot(state).items()}
    assert {mode & 0o077 for mode in modes.values()} == {0}
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_a_project_install_holds_nothing_of_this_machine(
    place: Place, install: Run, project: Path, home: Path
) -> None:
    """What is committed names neither a folder nor an interpreter of whoever installed it."""
    target = place("project")
    install(target)
    for path, (kind, mode, content) in snapshot(project).items():
        assert kind != "file" or mode & 0o044, path
        for secret in (str(project), str(home), "/usr/bin/python3"):
            assert secret.encode() not in content, path
    assert "statusLine" not in _settings(target)
    vendored = snapshot(target.owner)
    assert {"policy.json", ".gitignore", "manifest.json", "hooks/stop.py"} <= vendored.keys()
    policy = json.loads((target.owner / "policy.json").read_bytes())
    assert policy.keys() <= {"version", "assign", "budgets", "fan_out"}


def test_a_project_keeps_its_preset(place: Place, install: Run) -> None:
    """Reinstalling without naming one does not fall back to the default."""
    target = place("project")
    install(target, preset="budget")
    chosen = (target.owner / "policy.json").read_bytes()
    assert install(target).changes == ()
    install(target, preset="premium")
    assert (target.owner / "policy.json").read_bytes() != chosen


def test_a_local_install_is_this_users_alone(place: Place, install: Run, state: Path) -> None:
    """Hooks in the local settings, the runtime in the user's state folder, no status line."""
    target = place("local")
    install(target)
    assert target.settings.name == "settings.local.json"
    assert not (target.folder / "settings.json").exists()
    assert not (target.folder / "claude-tier").exists()
    assert all(f"{state}/hooks/" in command for command in _hook_commands(target))
    assert "statusLine" not in _settings(target)


def test_installs_in_several_scopes_know_of_each_other(
    place: Place, install: Run, uninstall: Run, state: Path
) -> None:
    """The shared runtime stays until the last install that uses it is gone."""
    install(place("user"))
    install(place("local"))
    uninstall(place("user"))
    assert (state / "hooks" / "stop.py").exists()
    uninstall(place("local"))
    assert not (state / "hooks").exists()


def test_a_dry_run_shows_the_diff_and_writes_nothing(
    user: Target, install: Run, home: Path
) -> None:
    """Removals come first; not even a folder is made."""
    write(user.settings, '{"model": "opus"}\n')
    before = snapshot(home)
    outcome = install(user, dry_run=True)
    assert snapshot(home) == before
    shown = outcome.diff()
    assert '-{"model": "opus"}' in shown
    assert any(line.startswith('+{"model": "opus", "hooks": ') for line in shown)


def test_a_dry_run_puts_removed_files_first(user: Target, install: Run, bundle: Path) -> None:
    """What goes is read before what comes."""
    install(user)
    (bundle / "skills" / "budget" / "SKILL.md").unlink()
    write(bundle / "agents" / "another.md", "new\n")
    shown = install(user, dry_run=True).diff()
    assert shown.index("-count") < shown.index("+new")


def test_a_dry_run_for_a_home_without_claude_code_leaves_it_so(
    user: Target, install: Run, config: Path
) -> None:
    """Looking does not create the folder that is looked at."""
    install(user, dry_run=True)
    assert not config.exists()


def test_an_upgrade_replaces_what_is_ours_and_only_that(
    user: Target, install: Run, uninstall: Run, bundle: Path, state: Path, config: Path
) -> None:
    """New, changed and dropped files and hooks arrive; nothing of the old version is left."""
    write(user.settings, '{"hooks": {"Stop": []}}')
    install(user)
    write(bundle / "agents" / "explorer.md", "explore better\n")
    write(bundle / "agents" / "reviewer.md", "review\n")
    (bundle / "skills" / "budget" / "SKILL.md").unlink()
    (bundle / "hooks" / "stop.py").unlink()
    table = {"SessionEnd": [{"hooks": [handler("session_end.py")]}]}
    write(bundle / "hooks" / "hooks.json", json.dumps({"hooks": table}))
    install(user, python="/opt/python/bin/python3.13")
    assert (config / "agents" / "explorer.md").read_text() == "explore better\n"
    assert (config / "agents" / "reviewer.md").exists()
    assert not (config / "skills" / "budget").exists()
    assert not (state / "hooks" / "stop.py").exists()
    (command,) = _hook_commands(user)
    assert "/opt/python/bin/python3.13" in command
    assert "session_end.py" in command
    uninstall(user)
    assert user.settings.read_text() == '{"hooks": {"Stop": []}}'


def test_foreign_agents_are_never_overwritten(
    user: Target, install: Run, uninstall: Run, config: Path
) -> None:
    """A file of the same name stays, is named, and outlives the uninstall."""
    mine = write(config / "agents" / "explorer.md", "mine\n")
    outcome = install(user)
    assert outcome.kept[0][0] == mine
    assert "--force" in outcome.remarks()[0]
    assert mine.read_text() == "mine\n"
    uninstall(user)
    assert mine.read_text() == "mine\n"


def test_a_foreign_agent_that_is_like_ours_stays_foreign(
    user: Target, install: Run, uninstall: Run, config: Path
) -> None:
    """A file that happens to hold what we ship was there before and is there after."""
    mine = write(config / "agents" / "explorer.md", "explore\n")
    assert install(user).kept == ()
    uninstall(user)
    assert mine.read_text() == "explore\n"


@pytest.mark.parametrize("scope", SCOPES)
def test_force_sets_a_foreign_agent_aside_until_uninstall(
    place: Place, install: Run, uninstall: Run, scope: Scope
) -> None:
    """The original, its mode included, comes back; upgrades in between do not lose it."""
    target = place(scope)
    mine = write(target.folder / "agents" / "explorer.md", "mine\n")
    mine.chmod(0o640)
    before = snapshot(target.folder, without=target.state)
    install(target, force=True)
    assert mine.read_text() == "explore\n"
    install(target)
    uninstall(target)
    assert snapshot(target.folder, without=target.state) == before


def test_an_agent_edited_since_is_kept(
    user: Target, install: Run, uninstall: Run, bundle: Path, config: Path
) -> None:
    """Neither an upgrade nor an uninstall takes the user's edits."""
    install(user)
    edited = write(config / "agents" / "explorer.md", "explore my way\n")
    write(bundle / "agents" / "explorer.md", "explore better\n")
    assert install(user).kept == ((edited, "you changed it since it was installed"),)
    assert uninstall(user).kept == ((edited, "you changed it since it was installed"),)
    assert edited.read_text() == "explore my way\n"


def test_force_replaces_an_edited_agent_and_keeps_a_backup(
    user: Target, install: Run, config: Path, state: Path
) -> None:
    """What --force overwrites can be found again."""
    install(user)
    write(config / "agents" / "explorer.md", "explore my way\n")
    install(user, force=True)
    assert (config / "agents" / "explorer.md").read_text() == "explore\n"
    assert "explore my way\n" in [copy.read_text() for copy in (state / "backups").iterdir()]


def test_the_settings_as_they_were_are_backed_up(
    user: Target, install: Run, uninstall: Run, state: Path
) -> None:
    """Each change leaves a private copy; only the newest twenty stay."""
    write(user.settings, '{"model": "opus"}')
    install(user)
    assert [copy.read_text() for copy in (state / "backups").iterdir()] == ['{"model": "opus"}']
    for second in range(15):
        uninstall(user)
        install(user, now=1.8e9 + second)
    copies = list((state / "backups").iterdir())
    assert len(copies) <= 20
    assert all(stat.S_IMODE(copy.stat().st_mode) == 0o600 for copy in copies)


def test_the_home_folder_is_no_project(config: Path, home: Path) -> None:
    """Its .claude is Claude Code's own folder, for which the user scope is there."""
    with pytest.raises(UserError, match="not a project's"):
        scopes.target("project", config, home)


def test_a_folder_that_does_not_exist_is_no_project(config: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a folder"):
        scopes.target("project", config, tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["with space", "quo'te\"s", "new\nline", "naïve ✓"])
def test_odd_folder_names_work(tmp_path: Path, install: Run, uninstall: Run, name: str) -> None:
    """Every path is a name, whatever is in it."""
    config = tmp_path / name / ".claude"
    config.parent.mkdir()
    target = scopes.target("user", config, None)
    before = snapshot(tmp_path / name)
    install(target)
    assert len(_hook_commands(target)) == 2
    uninstall(target, purge=True)
    assert snapshot(tmp_path / name) == before


def test_a_path_that_is_no_text_is_refused(tmp_path: Path, install: Run) -> None:
    """A JSON file cannot name it, so no hook could be found there."""
    config = tmp_path / os.fsdecode(b"\xff") / ".claude"
    with pytest.raises(UserError, match="UTF-8"):
        install(scopes.target("user", config, None))


def test_a_damaged_manifest_is_said_and_named(user: Target, install: Run, state: Path) -> None:
    install(user)
    write(state / "manifest.json", "{}]")
    with pytest.raises(UserError, match=r"manifest\.json is damaged"):
        install(user)


def test_a_manifest_of_a_newer_version_is_left_alone(
    user: Target, install: Run, state: Path
) -> None:
    install(user)
    write(state / "manifest.json", '{"version": 2}')
    with pytest.raises(UserError, match="newer claude-tier"):
        install(user)


def test_a_lost_manifest_does_not_double_the_hooks(user: Target, install: Run, state: Path) -> None:
    """Entries are recognised by what they run, and replaced."""
    install(user)
    before = _settings(user)
    (state / "manifest.json").unlink()
    install(user)
    assert _settings(user) == before


def test_a_mistake_in_the_configuration_is_a_warning(
    user: Target, install: Run, state: Path
) -> None:
    """The install stands; file, line and key are named."""
    write(state / "config.yaml", "presett: budget\n")
    warning = install(user).warnings[0]
    assert f"{state / 'config.yaml'}:1" in warning
    assert "presett" in warning


def test_every_preset_can_be_installed() -> None:
    """The names of the command line are those of the shipped presets."""
    assert set(shipped_presets()) == {"balanced", "budget", "premium"}
    assert set(manifest.Preset.__args__) == set(shipped_presets())  # type: ignore[attr-defined]


def test_the_checkout_is_a_bundle(place: Place, install: Run, config: Path) -> None:
    """What this repository ships can be installed and taken back."""
    root = shipped_bundle.root()
    assert (root / ".claude-plugin" / "plugin.json").is_file()
    assert (root / "agents" / "explorer.md").is_file()
