"""Which request gets which answer, and what a request is about."""

from __future__ import annotations

from claude_tier.livecheck import Answer, Failure, Request, Script, fail, spawn, text, tool_use
from claude_tier.livecheck.script import DONE, TITLE

TITLE_CONFIG = {"effort": "medium", "format": {"type": "json_schema"}}


def user(*content: object) -> dict[str, object]:
    return {"role": "user", "content": [_block(one) for one in content]}


def assistant(words: str = "ok") -> dict[str, object]:
    return {"role": "assistant", "content": [text(words)]}


def result(words: str = "a result") -> dict[str, object]:
    return {"type": "tool_result", "tool_use_id": "toolu_1", "content": words}


def request(
    *messages: dict[str, object],
    agent: str | None = None,
    parent: str | None = None,
    model: str = "claude-opus-5-5",
    **body: object,
) -> Request:
    headers = {
        name: value
        for name, value in (
            ("x-claude-code-session-id", "s1"),
            ("x-claude-code-agent-id", agent),
            ("x-claude-code-parent-agent-id", parent),
        )
        if value is not None
    }
    content = {"model": model, "messages": list(messages), "tools": [{"name": "Agent"}], **body}
    return Request("POST", "/v1/messages", headers, content)


def _block(one: object) -> object:
    return text(one) if isinstance(one, str) else one


def test_the_prompt_is_what_remains_without_reminders() -> None:
    """The client puts its own reminders before the words of the user."""
    asked = request(user("<system-reminder>\ndate\n</system-reminder>", "say hi"))

    assert (asked.prompt, asked.step) == ("say hi", 0)


def test_a_prompt_may_be_a_bare_string() -> None:
    """Content is a list of blocks or one string."""
    assert request({"role": "user", "content": "say hi"}).prompt == "say hi"


def test_each_answer_of_a_turn_is_a_step() -> None:
    """Tool results, reminders and mid-conversation system messages do not start a turn."""
    asked = request(
        user("first"),
        assistant(),
        user("second"),
        assistant(),
        user(result(), "Tool loaded."),
        {"role": "system", "content": [text("agents changed")]},
        assistant(),
        user(result(), "<system-reminder>\nx\n</system-reminder>"),
    )

    assert (asked.prompt, asked.step) == ("second", 2)


def test_a_background_notice_starts_a_turn_without_words() -> None:
    """What a background agent reports must not match the rule that started it."""
    notice = "<system-reminder>\n[SYSTEM NOTIFICATION - NOT USER INPUT]\nstart\n</system-reminder>"
    asked = request(user("start"), assistant(), user(notice))

    assert (asked.prompt, asked.step) == ("", 0)


def test_a_fork_is_asked_by_the_text_beside_its_own_result() -> None:
    """A fork inherits the conversation; its task stands next to the result of its own call."""
    asked = request(
        user("start"),
        assistant(),
        user(result(), "<fork-boilerplate>\nYou are a fork.\n</fork-boilerplate>\ncount the files"),
        agent="a1",
    )

    assert "count the files" in asked.prompt
    assert asked.step == 0


def test_headers_tell_who_asks() -> None:
    """A subagent names itself, a nested one its parent too; a title has a format and no tools."""
    assert request(user("x")).asker == "main"
    nested = request(user("x"), agent="a2", parent="a1")
    assert (nested.asker, nested.agent_id, nested.parent_agent_id) == ("subagent", "a2", "a1")
    assert request(user("x"), tools=[], output_config=TITLE_CONFIG).asker == "side"
    assert request(user("x")).session_id == "s1"


def test_a_request_shows_tools_effort_and_every_text() -> None:
    """What tests look at in a recorded request."""
    asked = request(
        user("<system-reminder>\nlevels\n</system-reminder>", "x"),
        system=[text("be brief")],
        output_config={"effort": "low"},
    )

    assert asked.tools == ("Agent",)
    assert asked.effort == "low"
    assert asked.system == "be brief"
    assert "levels" in asked.conversation


def test_missing_fields_are_no_fault() -> None:
    """A probe has no body worth reading."""
    empty = Request("GET", "/", {}, {})

    assert (empty.model, empty.tools, empty.effort, empty.prompt) == ("", (), None, "")
    assert (empty.agent_id, empty.session_id, empty.stream) == (None, None, False)


def test_steps_answer_in_turn_and_then_the_turn_ends() -> None:
    """A rule is read from top to bottom, like the turn it scripts."""
    script = Script().on("start", [text("go"), spawn("look")], text("end"))
    first = script(request(user("start now")))
    second = script(request(user("start now"), assistant(), user(result())))
    third = script(request(user("start"), assistant(), user(result()), assistant(), user(result())))

    assert isinstance(first, Answer)
    assert [block["type"] for block in first.blocks] == ["text", "tool_use"]
    assert second == Answer((text("end"),))
    assert third == DONE


def test_the_first_rule_that_matches_answers() -> None:
    """Rules may ask for a model or an asker; what none matches is done."""
    script = (
        Script()
        .on("look", text("cheap"), model="haiku")
        .on("look", text("agent"), asker="subagent")
        .on("look", text("main"))
    )

    assert script(request(user("look"), model="claude-haiku-5-5")) == Answer((text("cheap"),))
    assert script(request(user("look"), agent="a1")) == Answer((text("agent"),))
    assert script(request(user("look"))) == Answer((text("main"),))
    assert script(request(user("other"))) == DONE


def test_a_rule_serves_only_so_often() -> None:
    """Two failures, then an answer to the same request."""
    script = Script().on("hi", fail(529), times=2).on("hi", text("at last"))
    got = [script(request(user("hi"))) for _ in range(3)]

    assert [isinstance(one, Failure) for one in got] == [True, True, False]


def test_a_title_is_answered_with_a_title_unless_scripted() -> None:
    """A side query repeats the user's words and must not take the turn's answer."""
    side = request(user("<session>\nhi\n</session>"), tools=[], output_config=TITLE_CONFIG)

    assert Script().on("hi", tool_use("Bash", command="ls"))(side) == TITLE
    assert Script().on("hi", text("{}"), asker="side")(side) == Answer((text("{}"),))
