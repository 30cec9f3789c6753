"""One request over several targets: what is tried again, passed over, kept out and said."""

from __future__ import annotations

from pathlib import Path

import llama_server
import pytest
from claude_tier.routing.prompt import Message, Prompt
from fault_server import FAULTS, FaultServer, Reply
from routers import Clock, ask, chain, cooling, provider, refused, rows

WELL = Reply(text="fine")


def two(one: FaultServer, other: FaultServer, more: str = "") -> str:
    """A chain of two providers."""
    lines = [provider("one", one.url), provider("two", other.url)]
    return chain("one/alpha", "two/beta", providers=lines, more=more)


def test_the_first_target_that_answers_is_the_only_one_asked() -> None:
    """Nothing is said where nothing went wrong."""
    clock = Clock()
    with FaultServer(WELL) as one, FaultServer(WELL) as other:
        answer = ask(two(one, other), "all", clock=clock)
        assert (len(one.requests), len(other.requests)) == (1, 0)
    assert (answer.text, str(answer.target), answer.attempts) == ("fine", "one/alpha", ())
    assert (clock.said, clock.slept) == ([], [])


def test_a_server_error_is_tried_again_once_and_then_passed_over() -> None:
    """The retry waits a little, the fallback is said, and the target cools for short."""
    clock = Clock()
    with FaultServer(FAULTS["openai_internal"]) as one, FaultServer(WELL) as other:
        answer = ask(two(one, other), "all", clock=clock)
        assert (len(one.requests), len(other.requests)) == (2, 1)
    assert clock.slept == [0.5]
    assert [one.cause for one in answer.attempts] == ["server", "server"]
    assert (str(answer.asked), str(answer.target)) == ("one/alpha", "two/beta")
    assert "Trying it again in 0.5 s" in clock.said[0]
    assert clock.said[1].startswith("one/alpha failed: ")
    assert clock.said[1].endswith("Asking two/beta instead.")
    assert answer.notices == tuple(clock.said)
    kept = cooling()["one/alpha"]
    assert (kept["cause"], kept["step"], kept["until"] - clock.now) == ("server", 0, 30)


def test_an_answer_to_the_retry_leaves_nothing_cooling() -> None:
    """The failure was written down at once, and is taken back."""
    with FaultServer([FAULTS["openai_internal"], WELL]) as one, FaultServer(WELL) as other:
        answer = ask(two(one, other), "all")
        assert other.requests == []
    assert str(answer.target) == "one/alpha"
    assert cooling() == {}


def test_no_retry_where_none_is_configured() -> None:
    """router.retries says how many."""
    with FaultServer(FAULTS["openai_internal"]) as one, FaultServer(WELL) as other:
        ask(two(one, other, "router: {retries: 0}\n"), "all")
        assert len(one.requests) == 1


def test_a_claude_that_is_not_installed_is_tried_once(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It will not be there in half a second either: the next target is asked without a wait."""
    monkeypatch.setenv("PATH", str(home))
    clock = Clock()
    with FaultServer(WELL) as other:
        text = chain("claude/haiku", "two/beta", providers=[provider("two", other.url)])
        answer = ask(text, "all", clock=clock)
    assert (str(answer.target), clock.slept) == ("two/beta", [])
    assert [(str(one.target), one.cause) for one in answer.attempts] == [
        ("claude/haiku", "connect")
    ]
    (said,) = clock.said
    assert "install Claude Code" in said
    assert said.endswith("Asking two/beta instead.")


def test_a_short_wait_that_the_server_names_is_waited_out() -> None:
    """A pace that is over soon keeps nobody away."""
    clock = Clock()
    with FaultServer([FAULTS["openai_pace"], WELL]) as one, FaultServer(WELL) as other:
        answer = ask(two(one, other), "all", clock=clock)
    assert str(answer.target) == "one/alpha"
    assert len(clock.slept) == 1
    assert cooling() == {}


def test_a_long_wait_is_not_waited_for() -> None:
    """The target cools for as long as the server says, and the next is asked."""
    clock = Clock()
    with FaultServer(FAULTS["anthropic_pace"]) as one, FaultServer(WELL) as other:
        lines = [
            provider("one", one.url, kind="anthropic-compatible"),
            provider("two", other.url),
        ]
        answer = ask(chain("one/alpha", "two/beta", providers=lines), "all", clock=clock)
    assert (str(answer.target), clock.slept) == ("two/beta", [])
    kept = cooling()["one/alpha"]
    assert (kept["cause"], kept["named"]) == ("pace", 1)
    assert kept["until"] > clock.now + 10


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    """There would be no time left to answer in."""
    clock = Clock()
    with FaultServer(FAULTS["openai_pace"]) as one, FaultServer(WELL) as other:
        answer = ask(two(one, other), "all", clock=clock, timeout=0.3)
    assert (str(answer.target), clock.slept) == ("two/beta", [])


def test_a_refused_request_is_asked_of_nobody_else() -> None:
    """It would be refused there as well."""
    with FaultServer(FAULTS["openai_request"]) as one, FaultServer(WELL) as other:
        error = refused(two(one, other), "all")
        assert (len(one.requests), other.requests) == (1, [])
    assert error.message.startswith("one/alpha refused the request")
    assert [one.cause for one in error.attempts] == ["request"]
    assert cooling() == {}


def test_a_refused_key_stops_all_models_of_that_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until another key is there; the remedy is said."""
    monkeypatch.setenv("ONE_KEY", "sk-first-0123456789")
    clock = Clock()
    with FaultServer(FAULTS["openai_key"]) as one, FaultServer(WELL) as other:
        more = ", key_env: ONE_KEY"
        lines = [provider("one", one.url, kind="openai", more=more), provider("two", other.url)]
        text = chain("one/alpha", "one/gamma", "two/beta", providers=lines)
        ask(text, "all", clock=clock)
        assert (len(one.requests), len(other.requests)) == (1, 1)
        kept = cooling()["one/*"]
        assert (kept["cause"], kept["until"]) == ("key", None)
        assert "it is not asked until its key changes" in clock.said[0]
        assert "ONE_KEY" in clock.said[0]
        clock.now += 400 * 86400
        ask(text, "all", clock=clock)
        assert len(one.requests) == 1
        monkeypatch.setenv("ONE_KEY", "sk-second-0123456789")
        ask(text, "all", clock=clock)
        assert len(one.requests) == 2


def test_behind_a_proxy_a_refused_key_is_that_of_one_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be the proxy's own with somebody else, which is mended without us."""
    monkeypatch.setenv("ONE_KEY", "sk-first-0123456789")
    clock = Clock()
    with FaultServer([FAULTS["litellm_key"], WELL, WELL]) as one:
        lines = [provider("one", one.url, kind="litellm", more=", key_env: ONE_KEY")]
        text = chain("one/alpha", "one/gamma", providers=lines)
        assert str(ask(text, "all", clock=clock).target) == "one/gamma"
        clock.now += 301
        assert str(ask(text, "all", clock=clock).target) == "one/alpha"


def test_a_model_that_is_not_there_is_a_warning_about_the_configuration() -> None:
    """Only that model is kept out."""
    clock = Clock()
    with FaultServer(FAULTS["openai_model"]) as one, FaultServer(WELL) as other:
        ask(two(one, other), "all", clock=clock)
    assert "config.yaml" in clock.said[0]
    assert cooling().keys() == {"one/alpha"}


def test_a_prompt_that_was_too_long_goes_to_a_larger_window_only() -> None:
    """One that is known to be larger: a guess would fail as well."""
    with FaultServer(FAULTS["openai_context"]) as one, FaultServer(WELL) as other:
        lines = [
            provider("one", one.url, more=", models: {alpha: {window: 8000}}"),
            provider("two", other.url, more=", models: {same: {window: 8000},"
                     " large: {window: 9000}}"),
        ]  # fmt: skip
        text = chain("one/alpha", "two/unknown", "two/same", "two/large", providers=lines)
        answer = ask(text, "all")
        assert [one.model for one in other.requests] == ["large"]
    assert [(str(one.target), one.cause) for one in answer.attempts] == [
        ("one/alpha", "size"), ("two/unknown", "window"), ("two/same", "window"),
    ]  # fmt: skip
    assert cooling() == {}


def test_a_window_that_is_too_small_is_not_tried() -> None:
    """By the estimate of the prompt's length."""
    prompt = Prompt((Message("user", "word " * 4000),), max_tokens=1000)
    with FaultServer(WELL) as one, FaultServer(WELL) as other:
        lines = [
            provider("one", one.url, more=", models: {alpha: {window: 4096}}"),
            provider("two", other.url),
        ]
        answer = ask(chain("one/alpha", "two/beta", providers=lines), "all", prompt)
        assert one.requests == []
    assert (answer.attempts[0].cause, answer.attempts[0].skipped) == ("window", True)


def test_a_short_prompt_fits_a_small_window() -> None:
    """Although the answer might fill it."""
    with FaultServer(WELL) as one:
        lines = [provider("one", one.url, more=", models: {alpha: {window: 2048}}")]
        assert ask(chain("one/alpha", providers=lines), "all").text == "fine"


def test_the_text_of_an_answer_that_broke_off_is_thrown_away() -> None:
    """Where nobody has seen it; the next one is whole."""
    with FaultServer(FAULTS["half_body"]) as one, FaultServer(WELL) as other:
        answer = ask(two(one, other), "all")
    assert answer.text == "fine"


def test_nothing_is_glued_to_what_was_shown() -> None:
    """Once text was shown, a failure ends the request."""
    shown: list[str] = []
    with FaultServer(FAULTS["error_in_stream"]) as one, FaultServer(WELL) as other:
        error = refused(two(one, other), "all", on_text=shown.append)
        assert other.requests == []
    assert shown
    assert error.message.startswith("one/alpha broke off after part of its answer was shown")


def test_progress_is_told_and_the_next_target_still_answers() -> None:
    """How much there is commits to nobody; the count is that of whoever writes now."""
    told: list[int] = []
    with FaultServer(FAULTS["error_in_stream"]) as one, FaultServer(WELL) as other:
        answer = ask(two(one, other), "all", on_progress=told.append)
    assert (answer.text, told[-1]) == ("fine", len("fine"))
    assert len(told) > 1
    assert rows("SELECT outcome FROM exchange") == [("answered",)]


def test_a_stream_that_broke_before_its_text_falls_back() -> None:
    """Nothing was shown yet."""
    shown: list[str] = []
    with FaultServer(FAULTS["openai_overloaded"]) as one, FaultServer(WELL) as other:
        answer = ask(two(one, other), "all", on_text=shown.append)
    assert (answer.text, "".join(shown)) == ("fine", "fine")


def test_a_silent_target_is_not_tried_again() -> None:
    """It has had its time."""
    with FaultServer(FAULTS["silent_after_head"]) as one, FaultServer(WELL) as other:
        lines = [
            provider("one", one.url, more=", timeout: 1s"),
            provider("two", other.url),
        ]
        answer = ask(chain("one/alpha", "two/beta", providers=lines), "all")
        assert len(one.requests) == 1
    assert [one.cause for one in answer.attempts] == ["timeout"]
    assert cooling()["one/alpha"]["cause"] == "timeout"


def test_the_deadline_of_a_request_ends_it_and_blames_nobody() -> None:
    """The next request may ask the same target."""
    with FaultServer(FAULTS["silent"]) as one, FaultServer(WELL) as other:
        error = refused(two(one, other), "all", timeout=0.2)
        assert other.requests == []
    assert error.message.startswith("the time for this request is over")
    assert cooling() == {}


def test_what_is_cooling_is_skipped_with_the_reason() -> None:
    """By the next request, which says since when and until when."""
    clock = Clock()
    with FaultServer(FAULTS["openai_internal"]) as one, FaultServer(WELL) as other:
        ask(two(one, other), "all", clock=clock)
        answer = ask(two(one, other), "all", clock=clock)
        assert (len(one.requests), len(other.requests)) == (2, 2)
    (attempt,) = answer.attempts
    assert (attempt.cause, attempt.skipped) == ("cooling", True)
    assert attempt.why.startswith("cooling since 12:00 until 12:00")


def test_one_probe_is_made_when_a_cooldown_is_over() -> None:
    """A probe that fails is not retried, and the next cooldown is longer."""
    clock = Clock()
    with FaultServer(FAULTS["openai_internal"]) as one, FaultServer(WELL) as other:
        ask(two(one, other), "all", clock=clock)
        clock.now += 31
        ask(two(one, other), "all", clock=clock)
        assert len(one.requests) == 3
    kept = cooling()["one/alpha"]
    assert (kept["step"], kept["until"] - clock.now, kept["probe"]) == (1, 60, None)


def test_a_probe_without_a_verdict_is_left_to_the_next_request() -> None:
    """A request that is refused as such says nothing about the target."""
    clock = Clock()
    fault = FAULTS["openai_internal"]
    script = [fault, fault, FAULTS["openai_request"], WELL]
    with FaultServer(script) as one, FaultServer(WELL) as other:
        ask(two(one, other), "all", clock=clock)
        clock.now += 31
        refused(two(one, other), "all", clock=clock)
        assert str(ask(two(one, other), "all", clock=clock).target) == "one/alpha"


def test_a_probe_that_answers_ends_the_cooldown() -> None:
    """The target is as good as before."""
    clock = Clock()
    fault = FAULTS["openai_internal"]
    with FaultServer([fault, fault, WELL, WELL]) as one, FaultServer(WELL) as other:
        ask(two(one, other), "all", clock=clock)
        clock.now += 31
        assert str(ask(two(one, other), "all", clock=clock).target) == "one/alpha"
        assert cooling() == {}
        assert str(ask(two(one, other), "all", clock=clock).target) == "one/alpha"


def test_a_local_provider_is_never_kept_out() -> None:
    """It may have been started meanwhile."""
    clock = Clock()
    with FaultServer(FAULTS["refused"]) as one, FaultServer(WELL) as other:
        lines = [provider("one", one.url, kind="llama-server"), provider("two", other.url)]
        ask(chain("one/alpha", "two/beta", providers=lines), "all", clock=clock)
    assert cooling() == {}
    assert clock.slept == [0.5]


def test_nobody_says_why_of_each() -> None:
    """And where to look for what is kept out."""
    clock = Clock()
    with FaultServer(FAULTS["openai_quota"]) as one, FaultServer(FAULTS["openai_internal"]) as two_:
        refused(two(one, two_), "all", clock=clock)
        error = refused(two(one, two_), "all", clock=clock)
    assert [one.cause for one in error.attempts] == ["emergency", "emergency"]
    assert error.fields()["attempts"]
    assert error.hint
    assert "claude-tier cooldown clear" in error.hint


def test_a_chain_of_thirteen_steps_over_four_kinds_runs_as_configured() -> None:
    """Each is asked once, in order; the last one answers."""
    with (
        FaultServer(FAULTS["anthropic_overloaded"]) as anthropic,
        FaultServer(FAULTS["ollama_busy"]) as ollama,
        FaultServer(FAULTS["openai_internal"]) as openai,
        FaultServer(
            lambda one: WELL if one.model == "m3" else FAULTS["litellm_upstream"]
        ) as litellm,
    ):
        lines = [
            provider("a", anthropic.url, kind="anthropic-compatible"),
            provider("b", ollama.url, kind="ollama"),
            provider("c", openai.url),
            provider("d", litellm.url, kind="litellm"),
        ]
        steps = [f"{name}/m{number}" for number in range(3) for name in "abcd"] + ["d/m3"]
        text = chain(*steps, providers=lines, more="router: {retries: 0}\n")
        answer = ask(text, "all")
        asked = [len(each.requests) for each in (anthropic, ollama, openai, litellm)]
    assert [str(one.target) for one in answer.attempts] == steps[:-1]
    assert (str(answer.target), asked) == ("d/m3", [3, 3, 3, 4])
    (found,) = rows("SELECT asked, target, outcome FROM exchange")
    assert found == ("a/m0", "d/m3", "answered")


def test_a_real_model_on_this_machine_answers_for_a_dead_provider(
    llama: llama_server.Start,
) -> None:
    """It costs nothing, and its tokens are counted."""
    with FaultServer(FAULTS["refused"]) as dead:
        here = llama("from here")
        lines = [
            provider("far", dead.url),
            provider("near", here.url, kind="llama-server", more=", free: true"),
        ]
        answer = ask(chain("far/alpha", "near/tiny", providers=lines), "all", route="summarise")
    assert (answer.text.strip(), str(answer.target)) == ("from here", "near/tiny")
    assert (answer.usd, answer.usage.measured) == (0.0, True)
    (found,) = rows("SELECT output_tokens, usd FROM usage")
    assert found == (answer.usage.output, 0.0)
