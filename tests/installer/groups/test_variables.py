"""Which variables are taken out of an environment, and of whose."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from claude_tier.groups import variables
from claude_tier.install.doctor.elsewhere import PROVIDERS

DOCS = Path(__file__).parents[3] / "docs"
FOREIGN = [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_SOMETHING_NEW",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_REFRESH_TOKEN",
    "CLAUDE_CODE_SKIP_BEDROCK_AUTH",
    "CLAUDE_CODE_SUBAGENT_MODEL",
    "AWS_SESSION_TOKEN",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "VERTEX_REGION_CLAUDE_5_OPUS",
    "AZURE_CLIENT_SECRET",
    "OPENAI_API_KEY",
    "OPENROUTER_API_KEY",
    *PROVIDERS,
]
OWN = [
    "HOME",
    "PATH",
    "GITHUB_TOKEN",
    "CLAUDE_CONFIG_DIR",
    "CLAUDECODE",
    "CLAUDE_CODE_USE_POWERSHELL_TOOL",
]


def test_what_pays_or_leads_elsewhere_is_foreign_to_an_endpoint() -> None:
    """By name or by pattern; what is neither stays."""
    environ = dict.fromkeys([*FOREIGN, *OWN, "LAN_KEY"], "x")

    assert sorted(variables.foreign(environ, {"LAN_KEY"})) == sorted([*FOREIGN, "LAN_KEY"])


@pytest.mark.parametrize("model", ["glm-4.7", "qwen3:8b", "openai/gpt-5", ""])
def test_claude_itself_is_not_asked_for_another_model(model: str) -> None:
    """Whatever the variable that names it."""
    environ = {"ANTHROPIC_MODEL": model, "ANTHROPIC_DEFAULT_HAIKU_MODEL": model}

    assert variables.not_claudes(environ) == list(environ)


@pytest.mark.parametrize(
    "model", ["opus", "sonnet[1m]", "claude-haiku-5-5", "us.anthropic/claude-opus-5", "opusplan"]
)
def test_the_users_own_choice_among_claudes_models_stays(model: str) -> None:
    """A variable that names Claude leads nowhere else."""
    assert variables.not_claudes({"ANTHROPIC_MODEL": model}) == []


def test_claudes_own_login_and_cloud_stay_for_claude() -> None:
    """Key, token, Bedrock: as they always work."""
    environ = {
        "ANTHROPIC_API_KEY": "k",
        "ANTHROPIC_BASE_URL": "https://api.anthropic.com",
        "CLAUDE_CODE_OAUTH_TOKEN": "t",
        "CLAUDE_CODE_USE_BEDROCK": "1",
        "AWS_PROFILE": "p",
    }

    assert variables.not_claudes(environ) == []


def test_a_key_that_stands_beside_another_address_is_not_sent_to_anthropic() -> None:
    """It was for that address."""
    environ = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "https://api.z.ai/api/anthropic"}

    assert set(variables.not_claudes(environ)) == set(environ)


@pytest.mark.parametrize(
    "url", ["https://anthropic.com.evil.example", "https://evilanthropic.com", "http://x@y", ""]
)
def test_only_anthropics_own_hosts_are_anthropic(url: str) -> None:
    """By the end of the name, at a dot."""
    assert not variables.is_anthropic(url)


@pytest.mark.parametrize("pattern", ["ANTHROPIC_*", "A*", "CLAUDE_CODE_USE_*", "ANTHROPIC_API_KEY"])
def test_a_pattern_that_may_stand_for_a_login_is_known_for_it(pattern: str) -> None:
    """In both directions: shorter and longer than the rule's own."""
    assert variables.may_cover(pattern, variables.OF_THE_CLIENT)


@pytest.mark.parametrize("pattern", ["AWS_*", "OPENAI_API_KEY", "HOME", "GOOGLE_CLOUD_*"])
def test_a_pattern_of_a_cloud_alone_is_no_login(pattern: str) -> None:
    """A user's tools may need it."""
    assert not variables.may_cover(pattern, variables.OF_THE_CLIENT)


def test_the_reference_has_every_variable_and_its_reason() -> None:
    """docs/groups.md is held to the data."""
    page = (DOCS / "groups.md").read_text("utf-8")
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split("|")) for line in page.splitlines()
    ]
    shown = {names: (why, main) for names, why, main in (row for row in rows if len(row) == 3)}

    for rule in variables.rules():
        names = ", ".join(f"`{name}`" for name in rule.names)
        taken = {"always": "yes", "unless Claude": "unless it names Claude", "never": "no"}
        assert shown[names] == (rule.why, taken[rule.main])


def test_the_data_has_each_name_once() -> None:
    """A second rule for a name would never hold."""
    data = json.loads(Path(variables.__file__).with_name("variables.json").read_bytes())
    names = [name for rule in data for name in rule["names"]]

    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[A-Z_]+\*?|[A-Z_]+\*[A-Z_]+", name) for name in names)
