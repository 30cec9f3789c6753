"""Our entries go into any settings file and come out again; nothing else moves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from claude_tier.install import entries, json_edit, settings, status_line
from claude_tier.install.json_text import JsonError
from claude_tier.install.settings import Wanted, merge, unmerge
from hypothesis import assume, given
from hypothesis import strategies as st
from settings_text import LAYOUTS, OURS, Layout, settings_texts, settings_values, spell
from trees import handler

TABLE: entries.Hooks = {
    "SessionStart": [{"hooks": [handler("session_start.py", timeout=10)]}],
    "PreToolUse": [
        {"matcher": "Agent|Task", "hooks": [handler("pre_tool_use.py")]},
        {"matcher": "Workflow", "hooks": [handler("pre_tool_use.py") | {"async": True}]},
    ],
    "Stop": [{"hooks": [handler("stop.py")]}],
}
OLDER: entries.Hooks = {
    "PreToolUse": [{"matcher": "Task", "hooks": [handler("pre_tool_use.py")]}],
    "SubagentStart": [{"hooks": [handler("subagent_start.py")]}],
}
TEXTS = st.none() | st.sampled_from(["", " \n", "\ufeff", "{}", "{ }\n"]) | settings_texts()


def wanted(
    *, table: entries.Hooks = TABLE, python: str = "/opt/py thon/bin/python3", line: bool = True
) -> Wanted:
    runtime = entries.own_runtime(python, Path("/home/é'x/.claude/claude-tier/hooks"))
    return Wanted(entries.settings_hooks(table, runtime), runtime if line else None)


WANTED = wanted()
VARIANTS = st.sampled_from(
    [WANTED, wanted(table=OLDER), wanted(python="/usr/bin/python3.12"), wanted(line=False)]
)


@given(TEXTS, VARIANTS)
def test_what_is_merged_is_taken_out_to_the_byte(text: str | None, variant: Wanted) -> None:
    """Install and uninstall with nobody between leave the very text there was before."""
    merged = merge(text, variant, None)
    assert unmerge(merged.text, merged.record) == text


@given(TEXTS, VARIANTS)
def test_merging_twice_is_merging_once(text: str | None, variant: Wanted) -> None:
    """The second install finds everything as it shall be and writes nothing."""
    once = merge(text, variant, None)
    assert merge(once.text, variant, once.record) == once


@given(TEXTS, VARIANTS)
def test_an_upgrade_leaves_no_trace_of_the_version_before(text: str | None, older: Wanted) -> None:
    """What a new version writes over an old one is what it writes into the file without."""
    upgraded = merge(merged_text(text, older), WANTED, merge(text, older, None).record)
    assert upgraded == merge(text, WANTED, None)


def merged_text(text: str | None, variant: Wanted) -> str:
    return merge(text, variant, None).text


@given(settings_texts())
def test_the_client_finds_our_entries_and_all_that_was_there(text: str) -> None:
    """Read as JSON, the file holds the old values, in order, and ours after them."""
    old, new = _values(text), _values(merge(text, WANTED, None).text)
    assert settings.ours(merge(text, WANTED, None).text) == WANTED.hooks
    for event, groups in new.pop("hooks").items():
        theirs = (old.get("hooks") or {}).get(event, [])
        assert groups == theirs + WANTED.hooks.get(event, [])
    assert entries.is_ours(new.pop("statusLine"))
    rows = new.pop("subagentStatusLine")
    assert entries.is_ours(rows) or rows == old["subagentStatusLine"]
    old = {key: value for key, value in old.items() if key not in OURS}
    assert list(new.items()) == list(old.items())


def _values(text: str) -> dict[str, Any]:
    read = json.loads(text.removeprefix("\ufeff"))
    assert isinstance(read, dict)
    return read


@given(settings_values(), LAYOUTS, st.data())
def test_what_others_write_after_us_is_kept_to_the_byte(
    values: dict[str, object], layout: Layout, data: st.DataObject
) -> None:
    """A foreign change to the file with our entries is, without them, the same change."""
    base = spell(values, layout)
    merged = merge(base, WANTED, None)
    edits = _edits(base)
    assume(edits)
    old, new = data.draw(st.sampled_from(edits))
    assume(merged.text.count(old) == base.count(old) == 1)
    edited = merged.text.replace(old, new)
    assert unmerge(edited, merged.record) == base.replace(old, new)
    upgraded = merge(edited, wanted(python="/new/python3"), merged.record)
    assert unmerge(upgraded.text, upgraded.record) == base.replace(old, new)


def _edits(text: str) -> list[tuple[str, str]]:
    """Pieces of the text that an editor could change, and what to."""
    root = settings.parse(text)
    start = text[: root.start + 1]
    edits = [(start, start + '"added first": [1.0],')] if root.members else []
    for member in root.members:
        piece = text[member.start : member.value.end]
        if member.name not in OURS:
            edits.append((piece, text[member.start : member.value.start] + '"other"'))
            edits.append((piece, piece + ', "added after" :2e0'))
    return edits


@given(settings_texts())
def test_entries_are_found_again_without_a_record(text: str) -> None:
    """With the manifest lost, uninstall still leaves none of ours and all of theirs."""
    left = unmerge(merge(text, WANTED, None).text, None)
    assert left is not None
    assert settings.ours(left) == {}
    assert _full(_values(left)) == _full(_values(text))


def _full(values: dict[str, Any]) -> dict[str, Any]:
    """The values without empty containers of hooks, which mean nothing."""
    hooks = {event: groups for event, groups in (values.get("hooks") or {}).items() if groups}
    rest = {key: value for key, value in values.items() if key != "hooks"}
    return {**rest, "hooks": hooks} if hooks else rest


@given(settings_values())
def test_a_file_that_the_client_rewrote_gives_back_every_value(values: dict[str, object]) -> None:
    """After /config has reformatted the whole file, our entries still come out alone."""
    text = spell(values, Layout("\n", "  ", ": ", ", ", None, False, "", "\n"))
    merged = merge(text, WANTED, None)
    rewritten = json.dumps(json.loads(merged.text), indent=2, ensure_ascii=False) + "\n"
    left = unmerge(rewritten, merged.record)
    assert left is not None
    assert _values(left) == _values(text)


def test_a_file_made_by_us_goes_unless_somebody_added_to_it() -> None:
    """A settings file that did not exist is removed; with a foreign key in it, it stays."""
    merged = merge(None, WANTED, None)
    assert unmerge(merged.text, merged.record) is None
    added = merged.text.replace("{\n", '{\n  "model": "opus",\n', 1)
    assert unmerge(added, merged.record) == '{\n  "model": "opus"\n}\n'


def test_a_handler_put_into_our_group_stays() -> None:
    """Somebody's hook beside ours in the same group survives us."""
    merged = merge("{}", wanted(line=False), None)
    command = json.dumps(merged.record.commands[-1], ensure_ascii=False)
    at = merged.text.index("}", merged.text.index(command)) + 1
    text = merged.text[:at] + ', {"type": "command", "command": "mine"}' + merged.text[at:]
    left = unmerge(text, merged.record)
    assert left is not None
    assert _values(left)["hooks"]["Stop"] == [{"hooks": [{"type": "command", "command": "mine"}]}]


def test_doubled_entries_become_one() -> None:
    """Entries left by another interpreter do not run beside the new ones."""
    once = merge("{}", wanted(python="/old/python3"), None).text
    assert settings.ours(merge(once, WANTED, None).text) == WANTED.hooks


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("[]", (1, 1), "must be an object"),
        ('{"hooks": []}', (1, 11), '"hooks" must be an object'),
        ('{"hooks": null}', (1, 11), '"hooks" must be an object'),
        ('{\n  "hooks": {"Stop": {}}}', (2, 21), '"hooks.Stop" must be an array'),
        ('{"hooks": {"Stop": [7]}}', (1, 21), 'array "hooks"'),
        ('{"hooks": {"Stop": [{"hooks": {}}]}}', (1, 21), 'array "hooks"'),
        ('{"statusLine": null}', (1, 16), 'string "command"'),
        ('{"statusLine": {"type": "command"}}', (1, 16), 'string "command"'),
        ('{"statusLine": {"command": "\\ud800"}}', (1, 28), "surrogate"),
    ],
)
def test_what_the_client_would_drop_is_refused(
    text: str, where: tuple[int, int], message: str
) -> None:
    """A wrong type in our way is named with its place."""
    with pytest.raises(JsonError, match=message) as refused:
        merge(text, WANTED, None)
    assert (refused.value.line, refused.value.column) == where


def test_bytes_that_are_no_text_are_refused_with_their_place() -> None:
    """The first byte that is not UTF-8 is named by line and column."""
    with pytest.raises(JsonError, match="UTF-8") as refused:
        settings.decode('{\n  "é": "'.encode() + b"\xff")
    assert (refused.value.line, refused.value.column) == (2, 9)


def test_odd_values_of_events_that_are_not_ours_are_left_alone() -> None:
    """An event this version does not use may hold anything."""
    text = '{"hooks": {"FutureEvent": 1, "Other": [7, {"hooks": 3}]}}'
    merged = merge(text, WANTED, None)
    assert unmerge(merged.text, merged.record) == text


def test_the_users_status_line_is_chained_and_comes_back_as_it_was_spelled() -> None:
    """Escapes and odd spacing in the user's own command survive."""
    text = '{"statusLine":{"padding":0, "command" :"echo h\\u00e9 \\/x","type":"command"}}'
    merged = merge(text, WANTED, None)
    assert status_line.chain_of(merged.record) == "echo hé /x"
    assert _values(merged.text)["statusLine"]["padding"] == 0
    assert unmerge(merged.text, merged.record) == text


def test_a_status_line_set_after_ours_is_left() -> None:
    """Whoever replaced our status line keeps theirs, and the old one does not return."""
    merged = merge('{"statusLine":{"type":"command","command":"old"}}', WANTED, None)
    edited = merged.text.replace(
        json.dumps(_values(merged.text)["statusLine"]["command"], ensure_ascii=False), '"new"'
    )
    left = unmerge(edited, merged.record)
    assert left == '{"statusLine":{"type":"command","command":"new"}}'


def test_a_status_line_that_wraps_ours_is_not_chained() -> None:
    """Chaining a command that itself runs ours would never end."""
    wrapper = 'wrap "python3 ~/.claude/claude-tier/hooks/status_line.py"'
    text = json.dumps({"statusLine": {"type": "command", "command": wrapper}})
    merged = merge(text, WANTED, None)
    assert _values(merged.text)["statusLine"]["command"] == wrapper
    assert merged.record.status_line is None
    assert merge(merged.text, WANTED, merged.record) == merged


def test_new_entries_look_like_the_file_they_are_in() -> None:
    """Indentation, line ends and spacing are taken from the file."""
    text = '{\r\n\t"model":"opus",\r\n\t"hooks":{\r\n\t\t"Stop":[]\r\n\t}\r\n}\r\n'
    small = Wanted({"Stop": [{"hooks": [{"type": "command", "command": "x"}]}]})
    assert merge(text, small, None).text == (
        '{\r\n\t"model":"opus",\r\n\t"hooks":{\r\n\t\t"Stop":[\r\n\t\t\t{\r\n'
        '\t\t\t\t"hooks":[\r\n\t\t\t\t\t{\r\n\t\t\t\t\t\t"type":"command",\r\n'
        '\t\t\t\t\t\t"command":"x"\r\n\t\t\t\t\t}\r\n\t\t\t\t]\r\n\t\t\t}\r\n\t\t]\r\n\t}\r\n}\r\n'
    )
    assert merge('{"a":1}', small, None).text == (
        '{"a":1,"hooks":{"Stop":[{"hooks":[{"type":"command","command":"x"}]}]}}'
    )


def test_the_users_line_of_subagents_is_chained_and_comes_back() -> None:
    """As the status line is, and apart from it."""
    text = '{"subagentStatusLine": {"command": "rows \\u00e9", "type":"command" }}'
    merged = merge(text, WANTED, None)
    assert status_line.chain_of(merged.record, status_line.SUBAGENTS) == "rows é"
    assert status_line.chain_of(merged.record) is None
    assert "subagent_line.py" in _values(merged.text)["subagentStatusLine"]["command"]
    assert unmerge(merged.text, merged.record) == text
    assert json.loads(unmerge(merged.text, None) or "") == json.loads(text)


@pytest.mark.parametrize("value", ["7", '{"type": "command"}', '{"command": "\\ud800"}'])
def test_a_line_of_subagents_that_the_client_ignores_is_left(value: str) -> None:
    """It drops that key alone, so there is nothing to refuse the whole install for."""
    text = f'{{"subagentStatusLine": {value}}}'
    merged = merge(text, WANTED, None)
    assert merged.record.subagent_line is None
    assert f'"subagentStatusLine": {value}' in merged.text
    assert merge(merged.text, WANTED, merged.record) == merged


def test_a_project_gets_no_line() -> None:
    """What is committed shows nothing in the sessions of whoever clones it."""
    assert set(_values(merge(None, wanted(line=False), None).text)) == {"hooks"}


def test_an_install_before_the_line_of_subagents_gets_it() -> None:
    """Its record has the status line alone."""
    text = merge('{"a": 1}', WANTED, None)
    root = settings.parse(text.text)
    node = root.get("subagentStatusLine")
    assert node is not None
    older = json_edit.delete(text.text, root, root.index("subagentStatusLine"), None)
    record = text.record.model_copy(update={"subagent_line": None})
    assert merge(older, WANTED, record) == text
