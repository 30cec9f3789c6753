"""Our server goes into any .mcp.json and comes out again; nothing else moves."""

from __future__ import annotations

import json
from typing import Any

from claude_tier.install.mcp_json import ENTRY, NAME, SERVERS, has_ours, merge, unmerge
from hypothesis import given
from hypothesis import strategies as st
from settings_text import LAYOUTS, UNKNOWN, VALUES, Layout, spell

TABLES = st.dictionaries(UNKNOWN, VALUES, max_size=3)
BLANK = st.sampled_from(["", " \n", "\ufeff", "{}", "{ }\n"])


@st.composite
def texts(draw: st.DrawFn) -> str:
    """The text of any file of servers, none of them ours."""
    values: dict[str, object] = draw(TABLES)
    if draw(st.booleans()):
        values[SERVERS] = {name: each for name, each in draw(TABLES).items() if name != NAME}
    layout: Layout = draw(LAYOUTS)
    return spell(values, layout)


@given(st.none() | BLANK | texts())
def test_what_is_merged_is_taken_out_to_the_byte(text: str | None) -> None:
    """Install and uninstall with nobody between leave the very text there was before."""
    merged = merge(text, None)
    assert has_ours(merged.text)
    assert merge(merged.text, merged.record) == merged
    assert unmerge(merged.text, merged.record) == text


@given(texts())
def test_every_other_value_stays_as_it_was(text: str) -> None:
    """The client reads the same file, and our server beside the others."""
    before, after = _parsed(text), _parsed(merge(text, None).text)
    servers = after[SERVERS]
    assert servers.pop(NAME) == ENTRY
    assert servers == before.get(SERVERS, {})
    assert {**after, SERVERS: None} == {**before, SERVERS: None}


@given(texts())
def test_without_a_record_ours_is_found_all_the_same(text: str) -> None:
    """As when the manifest was lost."""
    left = unmerge(merge(text, None).text, None)
    assert left is not None
    assert not has_ours(left)


@given(texts())
def test_what_somebody_added_to_ours_stays(text: str) -> None:
    """A colleague's variables in the project's file, of which this machine has no record."""
    found = _parsed(merge(text, None).text)
    found[SERVERS][NAME]["env"] = {"LAN_KEY": "${LAN_KEY}"}
    theirs = json.dumps(found)
    merged = merge(theirs, None)
    assert merged.text == theirs
    assert merge(theirs, merged.record) == merged
    left = unmerge(theirs, merged.record)
    assert left is not None
    assert not has_ours(left)


def _parsed(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text.removeprefix("\ufeff"))
    return found
