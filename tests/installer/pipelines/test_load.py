"""Pipeline files: every mistake at once, each with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from claude_tier import config, paths
from claude_tier.errors import UserError
from claude_tier.pipelines import load
from claude_tier.pipelines.model import Pipeline

from .conftest import Configure, Write

TWO = """
  - {id: one, target: claude/haiku, prompt: "{{ inputs.topic }}"}
  - {id: two, target: claude, prompt: "{{ steps.one.text }}"}
"""
TOPIC = "inputs: {topic: {}}"


def read(path: Path) -> Pipeline:
    loaded = config.load(paths.state_dir() / config.CONFIG)
    return load.load(path, loaded.config)


def faults(path: Path) -> list[str]:
    """Line and message of each."""
    with pytest.raises(UserError) as error:
        read(path)
    return [line.removeprefix(f"{path}:") for line in error.value.message.splitlines()]


def test_a_reference_is_an_edge(pipeline: Write) -> None:
    """Besides those that are named; steps may be written in any order."""
    found = read(
        pipeline(
            """
  - {id: last, target: claude, prompt: "{{ steps.middle.text }}", needs: other}
  - {id: other, target: claude, prompt: x}
  - {id: middle, target: claude, prompt: x, when: inputs.topic}
""",
            TOPIC,
        )
    )
    assert [step.id for step in found.in_order] == ["other", "middle", "last"]
    assert found.answer == "middle"


def test_every_mistake_is_found_at_once(pipeline: Write) -> None:
    """Keys, targets, references and types, in one pass, where they stand."""
    path = pipeline(
        """
  - id: one
    target: nobody/x
    prompt: "{{ inputs.topik }} {{ steps.tow.text }} {{ item }}"
    promt: x
  - id: two
    target: claude
    prompt: "{{ steps.one.json }} {{ steps.one }} {{ files.a }}"
    needs: [thre]
    temperature: 9
    fallback: [skip, claude]
""",
        TOPIC,
    )
    assert faults(path) == [
        "6:5: steps[0].target: names no provider of yours: nobody (there are claude)",
        "7:5: steps[0].prompt: there is no inputs.topik; did you mean topic?",
        "7:5: steps[0].prompt: there is no step tow; did you mean two?",
        "7:5: steps[0].prompt: item is only there in a step with for_each",
        "8:5: steps[0].promt: unknown key; did you mean prompt? (known: id, target, task, files,"
        " for_each, at_most, parallel, prompt, system, write, when, needs, schema, output,"
        " max_tokens, temperature, timeout, budget, fallback, local_only)",
        "11:5: steps[1].prompt: one has no json: give it `output: json` or a schema",
        "11:5: steps[1].prompt: steps.one must be steps.one.text or steps.one.json",
        "11:5: steps[1].prompt: there is no files.a",
        "12:13: steps[1].needs[0]: there is no step thre",
        "13:5: steps[1].temperature: must be less than or equal to 2, not 9",
        "14:16: steps[1].fallback[0]: skip must be the last",
    ]


def test_an_id_given_twice_is_found_beside_a_step_that_lacks_something(pipeline: Write) -> None:
    """Not only once that is mended."""
    path = pipeline("  - {id: a, target: claude, prompt: x}\n  - {id: a, target: claude}")
    assert faults(path) == [
        "6:5: steps[1]: must have a prompt",
        "6:6: steps[1].id: another step has this id",
    ]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("  - {id: a, prompt: x}", "must have exactly one of target, task and write"),
        ("  - {id: a, target: claude, task: code, prompt: x}", "must have exactly one of"),
        ("  - {id: a, target: claude}", "must have a prompt"),
        ("  - {id: a, target: claude, run: ls}", "unknown key"),
        ("  - {id: a b, target: claude, prompt: x}", "must be a word"),
        ("  - {id: a, target: claude, prompt: '{{ x }}'}", "must begin with one of"),
        ("  - {id: a, target: claude, prompt: x, when: b or c}", "is no reference"),
        ("  - {id: a, target: claude, prompt: x, for_each: steps}", "steps needs a name"),
        ("  - {id: a, target: claude, prompt: x, output: text, schema: {}}", "must be json where"),
        ("  - {id: a, target: claude, prompt: x, schema: {type: objekt}}", "is no JSON Schema"),
        ("  - {id: a, target: claude, prompt: x, schema: ../s.json}", "below the folder"),
        ("  - {id: a, target: claude, prompt: x, files: {k: /etc/passwd}}", "below the folder"),
        ("  - {id: a, target: claude, prompt: x, files: {k: .env}}", "begins with a dot"),
        ("  - {id: a, write: {path: x, content: y}, prompt: x}", "that writes has no prompt"),
        ("  - {id: a, write: {path: '{{ item }}', content: y}}", "item is only there"),
        ("  - {id: a, target: claude, prompt: '{{ steps.a.text }}'}", "waits for itself: a -> a"),
        ("  - {id: a, target: claude, prompt: x}\n  - {id: a, target: claude, prompt: y}",
         "another step has this id"),
    ],
)  # fmt: skip
def test_a_step_that_cannot_work_is_refused(steps: str, said: str, pipeline: Write) -> None:
    """Before anything is asked."""
    found = faults(pipeline(steps))
    assert len(found) == 1
    assert said in found[0]


def test_a_circle_is_shown(pipeline: Write) -> None:
    """With the way round."""
    found = faults(
        pipeline(
            """
  - {id: a, target: claude, prompt: "{{ steps.c.text }}"}
  - {id: b, target: claude, prompt: x, needs: a}
  - {id: c, target: claude, prompt: x, needs: [b]}
"""
        )
    )
    assert len(found) == 1
    assert "waits for itself" in found[0]


def test_a_field_is_checked_by_the_schema_it_comes_from(pipeline: Write) -> None:
    """Its first name, where the schema lists them."""
    shape = "schema: {type: object, properties: {files: {type: array}}}"
    path = pipeline(
        f"""
  - {{id: a, target: claude, prompt: x, {shape}}}
  - {{id: b, target: claude, prompt: "{{{{ steps.a.json.fils }}}}"}}
"""
    )
    assert faults(path) == [
        "6:29: steps[1].prompt: the schema of a has no field fils; did you mean files?"
    ]


def test_a_schema_may_lie_beside_the_pipeline(pipeline: Write, work: Path) -> None:
    """Read when the pipeline is."""
    (work / "s.json").write_text('{"type": "array"}')
    found = read(pipeline("  - {id: a, target: claude, prompt: x, schema: s.json}"))
    assert found.steps[0].shape == {"type": "array"}


def test_the_users_own_pipelines_go_before_the_shipped_ones(configure: Configure) -> None:
    """By name; any other by its path."""
    configure()
    shipped = load.find("change")
    assert load.named()["change"].shipped
    own = paths.state_dir() / load.FOLDER / "change.yaml"
    own.parent.mkdir()
    own.write_text(f"name: mine\ndescription: mine\n{TOPIC}\nsteps:{TWO}")
    assert load.find("change") == own != shipped
    assert read(own).name == "mine"


def test_a_name_that_nobody_has_is_met_with_a_near_one(work: Path) -> None:
    """A pipeline of a clone has no name: it is run by its path."""
    (work / ".claude/pipelines").mkdir(parents=True)
    (work / ".claude/pipelines/evil.yaml").write_text("name: evil")
    with pytest.raises(UserError, match="there is no pipeline evil"):
        load.find("evil")
    with pytest.raises(UserError, match="did you mean change"):
        load.find("chang")
    with pytest.raises(UserError, match=f"{work} is a folder"):
        load.find(str(work))


@pytest.mark.parametrize("name", ["change", "extract-and-synthesise"])
def test_what_is_shipped_can_be_run_without_a_configuration(name: str) -> None:
    """Roles that are not filled are the user's own claude."""
    found = read(load.find(name))
    assert found.name == name
    assert found.answer
