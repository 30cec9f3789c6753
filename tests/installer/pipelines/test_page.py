"""docs/pipelines.md names every key, and its example can be run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from claude_tier.config.fields import Section
from claude_tier.pipelines.model import Budget, Input, Pipeline, Step, Write
from shipped import ROOT

from .conftest import Command

PAGE = (ROOT / "docs/pipelines.md").read_text("utf-8")


@pytest.mark.parametrize("section", [Pipeline, Input, Step, Write, Budget])
def test_every_key_is_on_the_page(section: type[Section]) -> None:
    """As the file spells it."""
    keys = {field.alias or name for name, field in section.model_fields.items()}
    named = set(re.findall(r"`\{?(\w+)", PAGE)) | set(re.findall(r"\b(\w+):", PAGE))
    assert keys - named == set()


def test_the_example_is_a_pipeline(work: Path, command: Command) -> None:
    """Whole, as it stands on the page."""
    example = re.search(r"```yaml\n(# minutes\.yaml\n.*?)```", PAGE, re.DOTALL)
    assert example
    (work / "minutes.yaml").write_text(example[1])
    done = command("check", "minutes.yaml")
    assert (done.code, done.err) == (0, "")
    assert "decisions, report" in done.out
