"""What is missing goes into a YAML text; what stands there stays, byte for byte."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from claude_tier.routing.setup.insertion import inserted
from hypothesis import given
from hypothesis import strategies as st

ADDED: dict[str, Any] = {
    "providers": {
        "ollama": {
            "kind": "ollama",
            "free": True,
            "models": {"qwen3:8b": {"window": 32768}, "llama3.2:3b": {"window": 16384}},
        }
    },
    "router": {"small": "ollama/llama3.2:3b"},
}
OLLAMA = """\
  ollama:
    kind: ollama
    free: true
    models: {"qwen3:8b": {window: 32768}, "llama3.2:3b": {window: 16384}}
"""
PROVIDERS = f"providers:\n{OLLAMA}"
ROUTER = "router:\n  small: ollama/llama3.2:3b\n"

FILES = [
    ("", PROVIDERS + ROUTER),
    ("# mine\n", "# mine\n" + PROVIDERS + ROUTER),
    ("preset: budget", "preset: budget\n" + PROVIDERS + ROUTER),
    (
        "providers:\n  a: {kind: openai}  # mine\n  # b\n\nlog: {}\n",
        "providers:\n  a: {kind: openai}  # mine\n" + OLLAMA + "  # b\n\nlog: {}\n" + ROUTER,
    ),
    (
        "router: # nothing yet\n#  small: x\nlog: {}\n",
        "router: # nothing yet\n  small: ollama/llama3.2:3b\n#  small: x\nlog: {}\n" + PROVIDERS,
    ),
    (
        "router:\n    small: claude/haiku # mine\n",
        "router:\n    small: claude/haiku # mine\n" + PROVIDERS,
    ),
    (
        "providers:\n  ollama:\n    models:\n      x: {window: 1}\n    kind: ollama\nlog: {}\n",
        "providers:\n  ollama:\n    models:\n      x: {window: 1}\n"
        '      "qwen3:8b": {window: 32768}\n      "llama3.2:3b": {window: 16384}\n'
        "    kind: ollama\n    free: true\nlog: {}\n" + ROUTER,
    ),
    (
        "log: {}\nrouter: {retries: 2}\n",
        "log: {}\nrouter: {small: ollama/llama3.2:3b, retries: 2}\n" + PROVIDERS,
    ),
    ("log: {}\nrouter: {}\n", "log: {}\nrouter: {small: ollama/llama3.2:3b}\n" + PROVIDERS),
]


@pytest.mark.parametrize(("before", "after"), FILES)
def test_what_is_missing_goes_where_it_belongs(before: str, after: str) -> None:
    """Into the section that is there, else to the end; comments keep their lines."""
    assert inserted(before, ADDED) == after


@pytest.mark.parametrize("text", [before for before, _ in FILES])
def test_twice_equals_once(text: str) -> None:
    """Nothing is missing the second time."""
    once = inserted(text, ADDED)
    assert inserted(once, ADDED) == once


def test_a_file_from_windows_keeps_its_line_ends() -> None:
    """And gets no other ones."""
    found = inserted("preset: budget\r\nrouter:\r\n  retries: 1\r\n", ADDED)
    assert found.count("\n") == found.count("\r\n")
    assert yaml.safe_load(found)["router"] == {"retries": 1, **ADDED["router"]}


def test_a_whole_file_in_braces_stays_in_braces() -> None:
    """`{preset: budget}` is YAML as well."""
    found = inserted("{preset: budget}\n", ADDED)
    assert yaml.safe_load(found) == {**ADDED, "preset": "budget"}


@pytest.mark.parametrize("text", ["null", "yes", "1.5", "a: b", "", "é", "a #b", "- x", "'"])
def test_a_text_stays_a_text(text: str) -> None:
    """Whatever YAML would make of it without quotes."""
    made = {"a": {text or "empty": text, "inside": {"x": text}}}
    assert yaml.safe_load(inserted("", made)) == made


SCALARS = st.one_of(st.booleans(), st.integers(0, 10**6), st.sampled_from(["x", "a:b", "no", "-"]))
KEYS = st.sampled_from(["a", "b", "c:d", "on"])
SECTIONS = st.dictionaries(KEYS, st.one_of(SCALARS, st.dictionaries(KEYS, SCALARS, max_size=3)))
TREES = st.dictionaries(st.sampled_from(["r", "s", "t"]), SECTIONS)


def merged(old: Any, new: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return old
    both = {key: merged(value, new.get(key)) for key, value in old.items()}
    return both | {key: value for key, value in new.items() if key not in old}


@given(old=TREES, new=TREES, flow=st.sampled_from([True, False, None]), comment=st.booleans())
def test_any_file_gets_what_it_lacks_and_loses_nothing(
    old: dict[str, Any], new: dict[str, Any], flow: bool | None, comment: bool
) -> None:
    """The values of both, the old ones winning; every old character is there, in order."""
    text = yaml.safe_dump(old, default_flow_style=flow, sort_keys=False)
    text = f"# first\n{text}# last\n" if comment and flow is False else text
    found = inserted(text, new)
    assert yaml.safe_load(found) == merged(old, new)
    remaining = iter(found)
    assert all(character in remaining for character in text)
