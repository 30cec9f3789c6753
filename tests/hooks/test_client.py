"""What would have run: read from the same files and variables as the client reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from claude_tier_hooks import client, policy

OPUS = "claude-opus-5-5"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository with a folder in it; sessions run in the folder."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub").mkdir()
    return tmp_path


def define(folder: Path, name: str, *lines: str, file: str | None = None) -> Path:
    path = folder / ".claude" / "agents" / (file or f"{name}.md")
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(["---", f"name: {name}", "description: d", *lines, "---", "Do it."])
    path.write_text(text + "\n")
    return path


def would(
    agent: str, cwd: Path, asked: str | None = None, **environment: str
) -> tuple[object, ...]:
    found = client.would_run(asked, agent, str(cwd), OPUS, environment)
    return found["model"], found["origin"]


def test_the_parameter_comes_first(work: Path) -> None:
    define(work, "reviewer", "model: opus")
    assert would("reviewer", work, "haiku") == ("haiku", "parameter")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("model: haiku", ("haiku", "agent file")),
        ('model: "haiku"', ("haiku", "agent file")),
        ("model: 'sonnet'  # cheap", ("sonnet", "agent file")),
        ("model: claude-haiku-5-5", ("claude-haiku-5-5", "agent file")),
        ("model: inherit", (OPUS, "parent")),
        ("model:", (OPUS, "parent")),
        ("model: null", (OPUS, "parent")),
        ("model: ~  # whatever", (OPUS, "parent")),
        ("model: [opus]", (OPUS, "parent")),
        ("model: {a: opus}", (OPUS, "parent")),
        ("color: red", (OPUS, "parent")),
    ],
)
def test_an_agent_file_says_its_model(line: str, expected: object, work: Path) -> None:
    define(work, "reviewer", line)
    assert would("reviewer", work / "sub") == expected


def test_the_nearest_agent_file_wins(work: Path, home: Path) -> None:
    """Folder, repository, user; never above the repository's root."""
    define(work.parent, "reviewer", "model: fable")
    assert would("reviewer", work)[1] == "unknown"
    define(home, "reviewer", "model: haiku")
    assert would("reviewer", work) == ("haiku", "agent file")
    define(work, "reviewer", "model: sonnet")
    assert would("reviewer", work / "sub") == ("sonnet", "agent file")
    define(work / "sub", "reviewer", "model: opus")
    assert would("reviewer", work / "sub") == ("opus", "agent file")


def test_an_agent_is_known_by_its_name_not_its_files(work: Path) -> None:
    """In any folder below agents/; a file without frontmatter defines none."""
    define(work, "reviewer", "model: haiku", file="team/other.md")
    (work / ".claude/agents/reviewer.md").write_text("no frontmatter\nmodel: opus\n")
    assert would("reviewer", work) == ("haiku", "agent file")


def test_a_long_description_hides_no_model(work: Path) -> None:
    define(work, "reviewer", "examples: " + "e" * 60_000, "model: haiku")
    assert would("reviewer", work) == ("haiku", "agent file")


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("Explore", (OPUS, "parent")),
        ("general-purpose", (OPUS, "parent")),
        ("claude-code-guide", ("haiku", "built-in")),
        ("statusline-setup", ("sonnet", "built-in")),
        ("never-heard-of", (None, "unknown")),
    ],
)
def test_built_ins_have_models_of_their_own(agent: str, expected: object, work: Path) -> None:
    assert would(agent, work) == expected


def test_a_file_named_like_a_built_in_replaces_it(work: Path) -> None:
    define(work, "statusline-setup", "model: opus")
    assert would("statusline-setup", work) == ("opus", "agent file")


def test_the_environments_default_comes_before_the_parent(work: Path) -> None:
    """But `inherit` in a file beats it."""
    default = {client.DEFAULT: "haiku"}
    define(work, "reviewer")
    define(work, "follower", "model: inherit")
    assert would("reviewer", work, **default) == ("haiku", "environment")
    assert would("Explore", work, **default) == ("haiku", "environment")
    assert would("follower", work, **default) == (OPUS, "parent")


def test_an_alias_sent_to_another_family_is_that_family(work: Path) -> None:
    """A name of no Claude family is taken for what the user calls it."""
    sent = {"ANTHROPIC_DEFAULT_HAIKU_MODEL": "claude-sonnet-5-5"}
    assert would("Explore", work, "haiku", **sent) == ("claude-sonnet-5-5", "parameter")
    local = {"ANTHROPIC_DEFAULT_HAIKU_MODEL": "qwen3"}
    assert would("Explore", work, "haiku", **local) == ("haiku", "parameter")


@pytest.mark.parametrize(
    ("target", "elsewhere"),
    [
        ("claude-sonnet-4-6", False),
        ("claude-opus-5-5", True),
        ("claude-mythos-5-2", True),
        ("us.anthropic.Claude-New-9", True),
        ("my-opus", True),
        ("qwen3", False),
        ("", False),
    ],
)
def test_an_alias_is_moved_by_another_claude_family_only(target: str, elsewhere: bool) -> None:
    """An unknown Claude could be the dearest there is."""
    found = client.moved(list(policy.TIERS), {"ANTHROPIC_DEFAULT_SONNET_MODEL": target})
    assert found == (["sonnet"] if elsewhere else [])


def test_an_alias_sent_to_an_unknown_claude_is_that_one(work: Path) -> None:
    sent = {"ANTHROPIC_DEFAULT_SONNET_MODEL": "claude-mythos-5-2"}
    assert would("Explore", work, "sonnet", **sent) == ("claude-mythos-5-2", "parameter")


def test_a_plugins_agent_is_found_where_the_client_installed_it(work: Path, home: Path) -> None:
    plugin = home / "cache" / "kit"
    (plugin / "agents").mkdir(parents=True)
    (plugin / "agents" / "scout.md").write_text("---\nname: scout\nmodel: haiku\n---\n")
    listed = home / ".claude" / "plugins" / "installed_plugins.json"
    listed.parent.mkdir(parents=True)
    listed.write_text(json.dumps({"plugins": {"kit@market": [{"installPath": str(plugin)}]}}))
    assert would("kit:scout", work) == ("haiku", "agent file")
    assert would("other:scout", work) == (None, "unknown")


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("explore", "Explore"),
        (" Explore ", "Explore"),
        ("GeneralPurpose", "general-purpose"),
        ("general purpose", "general-purpose"),
        ("general__purpose", "general-purpose"),
        ("Reviewer", "reviewer"),
        ("KIT:deep_scout", "kit:deep-scout"),
        ("Fork", "fork"),
        ("never heard of", "never heard of"),
        ("", ""),
    ],
)
def test_an_agent_is_known_however_its_name_is_spelled(
    asked: str, name: str, work: Path, home: Path
) -> None:
    """The client ignores case, spaces, hyphens and underscores."""
    define(work, "reviewer")
    plugin = home / "cache" / "kit"
    (plugin / "agents").mkdir(parents=True)
    (plugin / "agents" / "scout.md").write_text("---\nname: deep-scout\n---\n")
    listed = home / ".claude" / "plugins" / "installed_plugins.json"
    listed.parent.mkdir(parents=True)
    listed.write_text(json.dumps({"plugins": {"kit@market": [{"installPath": str(plugin)}]}}))
    assert client.canonical(asked, str(work)) == name


def test_an_exact_name_comes_before_one_that_is_only_alike(work: Path) -> None:
    define(work, "EXPLORE")
    define(work, "re-viewer")
    define(work, "reviewer")
    for name in ("EXPLORE", "Explore", "re-viewer", "reviewer"):
        assert client.canonical(name, str(work)) == name


@pytest.mark.parametrize(
    "damage", ["[]", "{", '{"plugins": []}', '{"plugins": {"kit@m": 1}}', "\x00"]
)
def test_a_damaged_plugin_list_finds_nothing(damage: str, work: Path, home: Path) -> None:
    listed = home / ".claude" / "plugins" / "installed_plugins.json"
    listed.parent.mkdir(parents=True)
    listed.write_text(damage)
    assert would("kit:scout", work) == (None, "unknown")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"user": ["fable", "sonnet", "claude-haiku-5-5"]}, ["opus"]),
        ({"user": ["opus", "sonnet"], "project": ["haiku"]}, ["fable"]),
        ({"user": ["opus", "sonnet", "haiku"], "project": []}, ["fable"]),
        ({"project": ["opus"], "local": ["Sonnet"]}, ["fable", "haiku"]),
        ({"user": None, "project": [None, "opus"]}, ["fable", "sonnet", "haiku"]),
        ({"managed": ["haiku"], "user": ["opus"], "local": ["fable"]}, ["fable", "opus", "sonnet"]),
    ],
)
def test_available_models_add_up_unless_they_are_managed(
    given: dict[str, object],
    expected: list[str],
    work: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A cloned project can add to the user's list, not take from it."""
    monkeypatch.setattr(client, "MANAGED", str(home / "etc"))
    files = {
        "managed": home / "etc/managed-settings.json",
        "user": home / ".claude/settings.json",
        "project": work / ".claude/settings.json",
        "local": work / ".claude/settings.local.json",
    }
    for name, models in given.items():
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_text(json.dumps({"availableModels": models}))
    assert client.unavailable(list(policy.TIERS), str(work / "sub")) == expected


@pytest.mark.parametrize(
    ("value", "forced"), [("1", True), ("true", True), ("0", False), ("", False)]
)
def test_force_is_recognised(value: str, forced: bool) -> None:
    assert client.forced({client.FORCE: value}) is forced
