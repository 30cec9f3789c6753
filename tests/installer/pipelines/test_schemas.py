"""JSON of an answer, and whether it fits."""

from __future__ import annotations

import pytest
from claude_tier.pipelines import schemas
from fault_server import FaultServer

FILES = {
    "type": "object",
    "required": ["files"],
    "properties": {"files": {"type": "array", "items": {"$ref": "#/$defs/file"}}},
    "$defs": {"file": {"type": "object", "required": ["path"]}},
}


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


@pytest.mark.parametrize("text", ["", "All is tea.", 'Here: {"a": 1}', "NaN", "[1", "[" * 100_000])
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
