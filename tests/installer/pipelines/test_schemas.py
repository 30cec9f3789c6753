"""JSON of an answer, and whether it fits."""

from __future__ import annotations

import anyio
import pytest
from claude_tier.errors import UserError
from claude_tier.pipelines import schemas
from fault_server import FaultServer

FILES = {
    "type": "object",
    "required": ["files"],
    "properties": {"files": {"type": "array", "items": {"$ref": "#/$defs/file"}}},
    "$defs": {"file": {"type": "object", "required": ["path"]}},
}


def _nested(levels: int) -> dict[str, object]:
    schema: dict[str, object] = {"type": "object"}
    for _ in range(levels):
        schema = {"properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, "ü"]}',
        ' {"a": [1, "ü"]}\n',
        '```json\n{"a": [1, "ü"]}\n```',
        '```\n{"a": [1, "ü"]}\n```\n',
    ],
)
def test_json_is_read_alone_or_in_one_block(text: str) -> None:
    """Models wrap it, though told not to."""
    assert schemas.read(text) == {"a": [1, "ü"]}


@pytest.mark.parametrize(
    "text",
    [
        *("", "All is tea.", 'Here: {"a": 1}', "NaN", "1e999", "[1", "1" * 5000),
        *("[" * 100_000, "[" * 101 + "]" * 101, '{"a":' * 400 + "1" + "}" * 400),
        "```json\n" + "\n" * 2_000_000,
    ],
    ids=range(11),
)
def test_anything_else_is_no_json(text: str) -> None:
    """Nothing is picked out of prose."""
    with pytest.raises(ValueError, match=r"is not JSON|nested"):
        schemas.read(text)


def test_a_misfit_says_where_and_what() -> None:
    """The model is told this line."""
    assert schemas.misfit({"files": [{"path": "a"}]}, FILES) is None
    assert schemas.misfit({"files": [{}]}, FILES) == "files[0]: 'path' is a required property"
    assert schemas.misfit([], FILES) == "[] is not of type 'object'"


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "objekt"}, "is no JSON Schema"),
        ({"$ref": "https://example.com/x.json"}, "must stay inside"),
        ({"items": [{"$ref": "file:///etc/passwd"}]}, "must stay inside"),
        ({"pattern": "("}, "is no JSON Schema"),
        ({"patternProperties": {"(": {}}}, "is no JSON Schema"),
        (_nested(400), "nested too deeply"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(schema: dict[str, object], said: str) -> None:
    """One that leads out above all: nothing is fetched."""
    assert said in (schemas.fault_of(schema) or "")


def test_nothing_is_fetched() -> None:
    """Should a reference that leads out get past the check of the file."""
    with FaultServer() as server:
        found = schemas.misfit({}, {"$ref": f"{server.url}/x.json"})
        assert server.seen == []
    assert found is not None
    assert "refers to what it does not have" in found


def test_a_reference_to_nothing_does_not_fit() -> None:
    """The library would look for it elsewhere."""
    found = schemas.misfit({}, {"$ref": "#/$defs/nope"})
    assert found is not None
    assert "refers to what it does not have" in found


@pytest.mark.parametrize("target", [5, {"pattern": "("}, {"type": "objekt"}])
def test_a_reference_to_no_schema_does_not_fit(target: object) -> None:
    """What stands outside the places for schemas was never checked as one."""
    schema = {"$ref": "#/elsewhere", "elsewhere": target}

    assert "the schema cannot be used" in (schemas.misfit("x", schema) or "")


def test_a_schema_with_references_is_checked_as_any_other() -> None:
    """In a process of its own."""
    assert anyio.run(schemas.fault_in, {"files": [{"path": "a"}]}, FILES) is None
    found = anyio.run(schemas.fault_in, {"files": [{}]}, FILES)
    assert found == "files[0]: 'path' is a required property"


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ("a" * 60 + "!", {"type": "string", "pattern": "^(a+)+$"}),
        ({"a" * 60 + "!": 1}, {"patternProperties": {"^(a+)+$": {}}}),
        (
            1,
            {
                "$ref": "#/$defs/a0",
                "$defs": {
                    f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(60)
                }
                | {"a60": {}},
            },
        ),
    ],
    ids=["pattern", "names", "references"],
)
def test_a_check_without_an_end_is_ended(value: object, schema: dict[str, object]) -> None:
    """It would take years, and nothing of the schema itself is wrong."""

    async def check() -> None:
        await schemas.fault_in(value, schema, seconds=1)

    assert schemas.fault_of(schema) is None
    with pytest.raises(UserError, match="cannot be checked within 1 s"):
        anyio.run(check)
