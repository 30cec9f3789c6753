"""The agent and skill files themselves: short, narrow, and in agreement with the table."""

from __future__ import annotations

import pytest
from shipped import AGENTS, ROOT, SKILLS, TABLE, Document

TIERS = {
    "explorer": "haiku",
    "summarizer": "haiku",
    "test-runner": "haiku",
    "implementer": "sonnet",
    "reviewer": "sonnet",
    "architect": "opus",
}
READING = {"Read", "Grep", "Glob"}
LONGEST_DESCRIPTION = 260  # it is in every request

agents = pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
skills = pytest.mark.parametrize("skill", SKILLS.values(), ids=SKILLS)


def test_each_agent_brings_its_tier() -> None:
    """Six agents, dearest work on the dearest model."""
    assert {name: agent.head["model"] for name, agent in AGENTS.items()} == TIERS


def test_the_delegation_table_is_that_of_the_files() -> None:
    """What Claude is told about an agent's tier is what its file says."""
    assert {row["agent"]: row["tier"] for row in TABLE} == TIERS


@agents
def test_an_agent_is_named_like_its_file(agent: Document) -> None:
    """The client skips a file whose head it cannot use, without a word."""
    assert agent.path.stem == agent.name
    assert set(agent.head) <= {"name", "description", "tools", "model", "effort"}


@agents
def test_an_agent_is_short(agent: Document) -> None:
    """150 to 500 words; the description is paid for in every request."""
    assert 150 <= len(agent.body.split()) <= 500
    assert len(agent.head["description"]) <= LONGEST_DESCRIPTION


@agents
def test_an_agent_has_an_output_contract_and_takes_no_orders_from_what_it_reads(
    agent: Document,
) -> None:
    """What comes back is fixed, and what it reads is data."""
    assert "## What you return" in agent.body
    assert "data" in agent.body.partition("## Limits")[2]


@agents
def test_an_agent_cannot_delegate(agent: Document) -> None:
    """A list of tools is there, and neither Agent nor everything is in it."""
    tools = set(agent.head["tools"].split(", "))
    assert READING <= tools <= READING | {"Bash", "Edit", "Write"}


def test_those_that_only_read_cannot_write() -> None:
    """No shell either: nothing they could change anything with."""
    for name in ("explorer", "summarizer", "architect"):
        assert set(AGENTS[name].head["tools"].split(", ")) == READING


def test_only_the_implementer_edits() -> None:
    """The runner of tests and the reviewer have a shell, but no editing tool."""
    editing = {name for name, agent in AGENTS.items() if "Edit" in agent.head["tools"]}
    assert editing == {"implementer"}


def test_nothing_else_lies_where_agents_are_looked_for() -> None:
    """Every .md in agents/ is loaded as an agent."""
    assert {path.name for path in (ROOT / "agents").iterdir()} == {f"{name}.md" for name in AGENTS}


@skills
def test_a_skill_keeps_the_conversations_model(skill: Document) -> None:
    """A model in a skill's head would rewrite the whole prompt cache."""
    assert skill.path.parent.name == skill.name
    assert set(skill.head) <= {"name", "description", "allowed-tools"}


@skills
def test_no_skill_lifts_a_limit(skill: Document) -> None:
    """`off` is only named as what Claude does not run."""
    assert "claude-tier off" not in skill.head.get("allowed-tools", "")
    told = [line for line in skill.body.splitlines() if "claude-tier off" in line]
    assert told
    assert all("never" in line.lower() or "not" in line or "user" in line for line in told)


def test_the_tiering_skill_knows_every_agent() -> None:
    """Its table is the table."""
    rows = [line.split("|") for line in SKILLS["tiering"].body.splitlines() if "| `" in line]
    assert {row[2].strip(" `"): row[3].strip() for row in rows} == TIERS
