"""Inputs: texts, files and patterns, all mistakes at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from claude_tier.errors import UserError
from claude_tier.pipelines import inputs
from claude_tier.pipelines.model import Input, Pipeline
from claude_tier.pipelines.template import Content


def values(wanted: dict[str, dict[str, object]], *given: str) -> dict[str, object]:
    """The values of a pipeline with those inputs."""
    made = {name: Input.model_validate(one) for name, one in wanted.items()}
    pipeline = Pipeline.model_construct(inputs=made)
    return inputs.values(pipeline, given, Path.cwd())


def test_a_text_is_what_was_typed_and_a_file_is_material(work: Path) -> None:
    """@ reads a file, which then is fenced like one."""
    (work / "a.md").write_text("hot")
    assert values({"x": {}}, "x=a=b") == {"x": "a=b"}
    assert values({"x": {}}, "x=@a.md") == {"x": Content("a.md", "hot")}
    assert values({"x": {"type": "file"}}, "x=a.md") == {"x": Content("a.md", "hot")}


def test_a_pattern_is_the_files_it_fits_by_name(work: Path) -> None:
    """Given once or several times."""
    for name in ("b.md", "a.md", "c.txt"):
        (work / name).write_text(name)
    found = values({"x": {"type": "files"}}, "x=*.md", "x=c.txt")
    assert found == {"x": [Content(name, name) for name in ("a.md", "b.md", "c.txt")]}


def test_what_is_not_given_has_its_default(work: Path) -> None:
    """Or is empty, where it need not be given."""
    (work / "a.md").write_text("hot")
    wanted: dict[str, dict[str, object]] = {
        "x": {"default": "tea"},
        "y": {"required": False},
        "z": {"type": "files", "default": ["a.md"]},
    }
    assert values(wanted) == {"x": "tea", "y": "", "z": [Content("a.md", "hot")]}


def test_a_default_of_a_clone_reads_nothing_outside(home: Path, work: Path) -> None:
    """The user may name any file, the pipeline only those below the folder."""
    (home / "secret").write_text("x")
    assert values({"x": {"type": "file"}}, "x=../secret")
    for kind, path in (("file", "../secret"), ("files", "../*"), ("files", "/**"), ("files", "@~")):
        with pytest.raises(ValueError, match="below the folder"):
            values({"x": {"type": kind, "default": path}})
    (work / "link").symlink_to(home)
    with pytest.raises(UserError, match="leads out"):
        values({"x": {"type": "files", "default": "link/s*"}})
    assert values({"x": {"default": "@../secret"}}) == {"x": "@../secret"}


def test_everything_that_is_wrong_is_said_together(work: Path) -> None:
    """With what is needed, as wrong usage."""
    wanted: dict[str, dict[str, object]] = {"topic": {}, "notes": {"type": "files"}, "y": {}}
    with pytest.raises(UserError) as error:
        values(wanted, "topik=x", "notes=*.md", "y=1", "y=2")
    assert error.value.code == 2
    assert error.value.message.splitlines() == [
        "*.md fits 0 files, and must fit 1 to 1000",
        "the input topic is missing",
        "the input y is given twice",
        "there is no input topik; did you mean topic?",
    ]
    assert error.value.hint == "Its inputs are topic (text), notes (files), y (text)."
