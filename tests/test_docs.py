"""The documentation says what the code does: commands, options, variables, files, links."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import command_reference
import pytest
from claude_tier.cli import claude_tier
from claude_tier_hooks import __version__
from shipped import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
SKILLS = sorted(ROOT.glob("skills/*/SKILL.md"))
SOURCES = sorted([*ROOT.glob("hooks/**/*.py"), *ROOT.glob("installer/**/*.py")])
DOCUMENTED = "\n".join(page.read_text("utf-8") for page in PAGES)

VARIABLE = re.compile(r"(?:CLAUDE|ANTHROPIC|DISABLE)_?[A-Z0-9_]*[A-Z0-9]")
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]*claude-tier [^`\n]*)`")
TYPED = re.compile(r"^\s*(?:\$ )?((?:pip install \. && )?claude-tier [^#\n]*)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
NETWORK = {"socket", "http", "urllib", "ssl", "ftplib", "smtplib", "asyncio", "httpx", "requests"}

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def test_the_reference_is_the_commands_own_help() -> None:
    """Made anew with `python tests/command_reference.py --write`."""
    assert command_reference.PAGE.read_text("utf-8") == command_reference.page()


@pages
def test_links_lead_to_files(page: Path) -> None:
    """Nothing is renamed away under a link."""
    named = LINK.findall(page.read_text("utf-8"))

    assert [to for to in named if not (page.parent / to).exists()] == []


def shown(text: str) -> list[str]:
    """Command lines in code blocks and between backquotes."""
    blocks = FENCED.findall(text)
    typed = [line for block in blocks for line in TYPED.findall(block)]
    return typed + INLINE.findall(FENCED.sub("", text))


@pytest.mark.parametrize("page", [*PAGES, *SKILLS], ids=lambda page: page.parent.name + page.name)
def test_every_command_line_that_is_shown_exists(page: Path) -> None:
    """Command, subcommand and options."""
    for line in shown(page.read_text("utf-8")):
        for part in re.split(r"&&|;", line):
            words = shlex.split(re.split(r" {2,}", part.strip())[0])  # then comes what it does
            if words[:1] == ["claude-tier"]:
                assert unknown_in(words[1:]) == [], part


def unknown_in(words: list[str]) -> list[str]:
    """Words that no command of ours knows."""
    command: click.Command = claude_tier
    unknown = []
    for word in words:
        if word == "--":  # what follows is for another program
            break
        if word.startswith("-"):
            options = {name for parameter in command.params for name in parameter.opts}
            unknown += [word] if word.partition("=")[0] not in options | {"--help", "-h"} else []
        elif isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            if found is None:
                return [*unknown, word]
            command = found
    return unknown


def constants(source: Path) -> Iterator[str]:
    """Every text in the code, documentation left out."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_environment_variable_is_documented() -> None:
    """Those we read, those we respect and those a driven client is given."""
    used = {text for source in SOURCES for text in constants(source) if VARIABLE.fullmatch(text)}
    used -= {"CLAUDE_PLUGIN_OPTION", "ANTHROPIC_"}

    assert "CLAUDE_CONFIG_DIR" in used
    assert {name for name in used if name not in DOCUMENTED} == set()


def state_files(source: Path) -> Iterator[str]:
    """First names below the state folder: state.path("off"), machine.state / "live"."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and ast.unparse(called) == "state.path":
            yield from (one.value for one in node.args[:1] if isinstance(one, ast.Constant))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            folder = ast.unparse(node.left).rpartition(".")[2]
            if folder in {"state", "state_dir", "state_dir()"}:
                yield from (one.value for one in [node.right] if isinstance(one, ast.Constant))


def test_every_file_of_the_state_folder_is_documented() -> None:
    """What is kept, and whether it may be deleted."""
    page = (ROOT / "docs/files.md").read_text("utf-8")
    names = {name for source in SOURCES for name in state_files(source)}

    assert {"ledger.db", "policy.json", "off", "live"} <= names
    assert {name for name in names if f"`{name}" not in page} == set()


def test_the_presets_table_is_the_same_in_both_places() -> None:
    """README and reference page."""
    page = (ROOT / "docs/presets.md").read_text("utf-8")
    table = "\n".join(line for line in page.splitlines() if line.startswith("|"))

    assert table in (ROOT / "README.md").read_text("utf-8")


def test_the_changelog_has_this_version_and_a_place_for_the_next() -> None:
    """Keep a Changelog."""
    page = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## \[(.+?)\]", page, re.MULTILINE)

    assert headings[0] == "Unreleased"
    assert __version__ in headings


def test_the_sources_named_as_proof_exist() -> None:
    """docs/limits.md names the test that repeats each claim."""
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", DOCUMENTED))

    assert named
    assert {name for name in named if not (ROOT / name).is_file()} == set()


def test_the_readme_shows_the_smallest_use_first() -> None:
    """Name, one sentence, and the command before any other heading."""
    first = (ROOT / "README.md").read_text("utf-8").partition("\n## ")[0]

    assert first.startswith("# claude-tier\n")
    assert "pip install . && claude-tier install" in first


def test_only_providers_are_connected_to_and_in_one_file() -> None:
    """`What leaves the machine`, by what the code imports; the scripted API listens on loopback."""
    opening = {
        str(source.relative_to(ROOT))
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        for name in imported(node)
        if name.partition(".")[0] in NETWORK and name != "urllib.parse"
    }

    assert opening
    # The dashboard listens, on loopback.
    listening = {f"installer/claude_tier/dashboard/{name}.py" for name in ("connection", "server")}
    asking = {"installer/claude_tier/routing/providers/http.py"}
    assert {name for name in opening if "/livecheck/" not in name} == listening | asking


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [node.module or ""]
    return []


def test_the_readme_counts_right() -> None:
    """Ten events, six agents, four skills."""
    readme = (ROOT / "README.md").read_text("utf-8")
    events = json.loads((ROOT / "hooks/hooks.json").read_bytes())["hooks"]

    assert len(events) == 10
    assert "each of ten hook events" in readme
    assert len(list(ROOT.glob("agents/*.md"))) == 6
    assert len(SKILLS) == 4
    assert "six agents and four skills" in readme
