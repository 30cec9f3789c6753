"""`groups`: what each mistake is told as."""

from __future__ import annotations

from pathlib import Path

import pytest
from claude_tier import config
from claude_tier.config import ConfigError

PROVIDERS = "providers: {here: {kind: ollama}, far: {kind: openai}, price: {base_url: https://x.y}}"


def loaded(tmp_path: Path, text: str) -> config.Config:
    file = tmp_path / "config.yaml"
    file.write_text(f"{PROVIDERS}\n{text}\n")
    return config.load(file).config


def group(more: str = "", model: str = "model: m, ") -> str:
    return f"groups: {{g: {{provider: here, {model}{more}}}}}"


ONE_MISTAKE = [
    ("groups: {g: {provider: no, model: m}}", "groups.g.provider: is no provider of yours (there"),
    ("groups: {g: {provider: far, model: m}}", "groups.g.provider: does not speak Anthropic's API"),
    ("groups: {g: {provider: price, model: m}}", "groups.g.provider: does not speak Anthropic's"),
    (group(model=""), "groups.g.model: is required with a provider"),
    ("groups: {g: {model: m}}", "groups.g.model: needs a provider; Claude's model is chosen with"),
    ("groups: {g: {context: 65536}}", "groups.g.context: needs a provider: without one the group"),
    ("groups: {g: {fallback: haiku}}", "groups.g.fallback: needs a provider"),
    ("groups: {main: {provider: here, model: m}}", "groups.main.provider: main is Claude itself"),
    ("groups: {a/b: {}}", "groups.a/b: a name has no / and no space"),
    ("groups: {--x: {}}", "groups.--x: a name has no / and no space, and does not begin with -"),
    (group("context: 4096"), "groups.g.context: must be greater than or equal to 16384, not 4096"),
    (group("fallback: gpt"), "groups.g.fallback: must be 'none', 'haiku', 'sonnet', 'opus' or 'f"),
    (group("env: {ANTHROPIC_BASE_URL: 'https://x'}"), "groups.g.env.ANTHROPIC_BASE_URL: is the gr"),
    (group("env: {AWS_PROFILE: x}"), "groups.g.env.AWS_PROFILE: is the group's own to set or blan"),
    (group("env: {MY_API_KEY: x}"), "groups.g.env.MY_API_KEY: is the group's own to set or blank"),
    (group("env: {a-b: x}"), "groups.g.env.a-b: must be the name of an environment variable"),
    (group('env: {X: "a\\nb"}'), "groups.g.env.X: must be one line of text"),
    (group("env: {X: 1}"), "groups.g.env.X: must be text"),
    (group("pass: [ANTHROPIC_API_KEY]"), "groups.g.pass[0]: decides where Claude Code's "),
    (group("pass: ['CLAUDE_CODE_USE_*']"), "groups.g.pass[0]: decides where Claude Code's "),
    (group("pass: ['*']"), "groups.g.pass[0]: must be the name of an environment variable, or its"),
    (group("pass: [AWS_PROFILE, AWS_PROFILE]"), "groups.g.pass[1]: is listed twice"),
    (group("modl: x"), "groups.g.modl: unknown key; did you mean model? (known: provider, model, "),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fault"), ONE_MISTAKE, ids=[text for text, _ in ONE_MISTAKE])
def test_one_mistake_is_one_fault_at_its_place(tmp_path: Path, text: str, fault: str) -> None:
    """Key and what is wrong, on the line of the group."""
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)

    (found,) = caught.value.faults
    assert (found.line, f"{found.key}: {found.message}"[: len(fault)]) == (2, fault)


def test_what_is_no_way_to_anthropic_may_be_passed(tmp_path: Path) -> None:
    """Claude's Bash tool may need a cloud of the user's."""
    found = loaded(tmp_path, group("pass: [AWS_PROFILE, 'GOOGLE_*'], env: {API_TIMEOUT_MS: '9'}"))

    assert found.groups["g"].passed == ["AWS_PROFILE", "GOOGLE_*"]
    assert found.groups["g"].env == {"API_TIMEOUT_MS": "9"}


def test_claudes_own_group_may_pass_a_gateway(tmp_path: Path) -> None:
    """A company's gateway to Claude is named by the same variables as another model's."""
    found = loaded(tmp_path, "groups: {main: {pass: [ANTHROPIC_BASE_URL, ANTHROPIC_AUTH_TOKEN]}}")

    assert "ANTHROPIC_BASE_URL" in found.groups["main"].passed
