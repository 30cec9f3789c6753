"""Which model fits into how much memory."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection

import pytest
from claude_tier.routing.setup import catalogue
from claude_tier.routing.setup.memory import GIB, Memory
from shipped import ROOT


def chosen(role: str, *memories: Memory, there: Collection[str] = ()) -> str | None:
    found = catalogue.choose(catalogue.roles()[role], memories, there)
    return found.model.name if found else None


@pytest.mark.parametrize(
    ("gib", "small", "coding", "large"),
    [
        (2, None, None, None),
        (4, "llama3.2:1b", None, None),
        (8, "llama3.2:3b", "qwen2.5-coder:7b", None),
        (12, "llama3.2:3b", "qwen2.5-coder:7b", "llama3.2:3b"),
        (16, "llama3.2:3b", "qwen2.5-coder:7b", "llama3.1:8b"),
        (20, "llama3.2:3b", "qwen2.5-coder:14b", "llama3.1:8b"),
        (24, "llama3.2:3b", "qwen3-coder:30b", "llama3.1:8b"),
        (32, "llama3.2:3b", "qwen3-coder:30b", "qwen3-coder:30b"),
    ],
)
def test_the_ablest_that_fits_is_chosen(
    gib: int, small: str | None, coding: str | None, large: str | None
) -> None:
    """With the context that its role wants, not the weights alone."""
    gpu = Memory("gpu", gib * GIB)
    assert [chosen(role, gpu) for role in ("small", "coding", "large")] == [small, coding, large]


def test_one_that_is_there_needs_no_pull() -> None:
    """A less able one that fits and is there comes before one to be fetched."""
    gpu = Memory("gpu", 48 * GIB)
    assert chosen("coding", gpu, there={"qwen2.5-coder:7b"}) == "qwen2.5-coder:7b"
    assert chosen("coding", gpu, there={"unknown:7b"}) == "qwen3-coder:30b"


def test_a_small_gpu_leaves_the_rest_of_the_memory() -> None:
    """What fits into no GPU may still run on the processor."""
    both = Memory("gpu", 2 * GIB), Memory("ram", 32 * GIB)
    assert chosen("coding", *both) == "qwen2.5-coder:14b"


def test_nobody_knows_nothing_is_proposed() -> None:
    """Without a figure for the memory there is no claim."""
    assert chosen("small") is None


def test_the_data_hangs_together() -> None:
    """Each role's models have its window; the day of the check is one."""
    for role in catalogue.roles().values():
        assert all(model.window >= role.window for model in role.models)
        assert all(model.weights > 10**9 for model in role.models)
    datetime.date.fromisoformat(catalogue.checked())


def test_the_page_has_the_same_table() -> None:
    """Role, context and models, as docs/providers.md says them."""
    page = (ROOT / "docs/providers.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) \| (.+) \|$", page, re.MULTILINE)
    assert [
        (name, window, models.replace("`", "").split(", ")) for name, window, models in rows
    ] == [
        (name, f"{role.window:,}", [model.name for model in role.models])
        for name, role in catalogue.roles().items()
    ]
