"""The task classifier: how often it is right, what it rests on, and what cannot hang it."""

from __future__ import annotations

import json

import pytest
from classifying import as_text, judge
from claude_tier.config.routing import TASK_KINDS
from claude_tier.routing import evidence
from claude_tier.routing.classify import ALONG, LARGE, recognise
from claude_tier.routing.evidence import tokens
from prompts import Half, read

RENAME = "Rename the function getUser to fetchUser everywhere"


@pytest.mark.parametrize(("half", "least"), [("dev", 0.95), ("held_out", 0.85)])
def test_it_is_right_as_often_as_is_told(half: Half, least: float) -> None:
    """Of the prompts it tells the kind of; `pytest -s` prints the table."""
    found = judge(read(half))
    print(f"\n{as_text(half, found)}")  # noqa: T201 - for `pytest -s`
    assert (found.accuracy >= least, found.unsure <= 0.15) == (True, True)


def test_fresh_prompts_are_told_about_as_well_as_when_they_were_run_once() -> None:
    """Then 88.6 % of those told were right and 14.0 % not told; five points are granted."""
    found = judge(read("fresh"))
    assert (found.accuracy >= 0.886 - 0.05, found.unsure <= 0.140 + 0.05) == (True, True)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("tl;dr of this thread, please", "summarise"),
        ("Fasse das Protokoll zusammen", "summarise"),
        ("Every 30 minutes: anything urgent in the inbox? If not, reply HEARTBEAT_OK", "heartbeat"),
        (RENAME, "refactor"),
        ("Ist das Spam? ja/nein", "classify"),
        ("what is the capital of France?", "simple_qa"),
        ("Write a poem about rain", "creative"),
        ("Are we affected by CVE-2021-44228?", "security"),
    ],
)
def test_plain_prompts_are_told(text: str, kind: str) -> None:
    """In English and in German."""
    assert recognise(text).kind == kind


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kürze den Bericht", "Kuerze den Bericht"),
        ("Prüfe Schlüssel und Straße", "PRUEFE SCHLUESSEL UND STRASSE"),
        ("what's the plural of ox", "whats the plural of ox"),
        ("don\u2019t reply if all is well", "dont reply if all is well"),
    ],
)
def test_spelling_makes_no_difference(one: str, other: str) -> None:
    """Umlauts, ß, case and apostrophes."""
    assert recognise(one).scores == recognise(other).scores


@pytest.mark.parametrize("text", ["", "   ", "yes", "do what you think is best", "xyzzy plugh"])
def test_what_cannot_be_told_is_not(text: str) -> None:
    """Nothing is guessed."""
    assert recognise(text).kind is None


@pytest.mark.parametrize("text", ["could you look at that one again", "mach das bitte nochmal so"])
def test_words_without_a_subject_speak_for_none(text: str) -> None:
    """In either language."""
    assert recognise(text).scores["unsure"] >= evidence.EMPTY
    assert recognise(f"{text} parser").scores.get("unsure", 0) < evidence.EMPTY + 1


def test_german_words_mean_nothing_in_english() -> None:
    """Brief is no letter, last no load, tag no day; English terms in German count."""
    assert tokens.is_english(tokens.read("a brief look at the last tag"))
    assert not tokens.is_english(tokens.read("ein Brief mit der Last vom Tag"))
    assert "code" in recognise("Schreib mir bitte ein Skript mit pandas").scores


def test_size_decides_over_words() -> None:
    """That of the files as well as that of the text."""
    assert recognise(RENAME, context_tokens=LARGE + 1).kind == "large_context"
    assert recognise(RENAME, context_tokens=LARGE).kind == "refactor"
    assert recognise(RENAME + " x" * 2 * LARGE).kind == "large_context"


def test_what_was_pasted_counts_less_than_what_is_asked() -> None:
    """A summary of a bug report is a summary."""
    pasted = "\n\n> the function crashes\n> unit tests fail\n> the build is red"
    assert recognise(f"Summarise this in two sentences{pasted}").kind == "summarise"
    many = recognise("Look\n\n> unit tests\n> a stack trace\n> the function\n> a bug\n> the build")
    assert many.scores["code"] <= ALONG


def test_the_question_may_stand_below_what_was_pasted() -> None:
    """The last paragraph is asked too, where it is short."""
    log = "\n".join(f"> line {n} of a log" for n in range(30))
    assert recognise(f"{log}\n\nSummarise this in two sentences.").kind == "summarise"


def test_politeness_is_passed_over() -> None:
    """A request is no question because it is polite."""
    plain = recognise("Move report.txt to archive/").scores
    assert recognise("Could you please move report.txt to archive/").scores == plain


def test_it_says_what_it_rests_on() -> None:
    """Each piece of evidence with the words that were found; the scores are their sums."""
    found = recognise(RENAME)
    sums = dict.fromkeys(found.scores, 0.0)
    for hit in found.evidence:
        sums[hit.kind] += hit.weight
    assert sums == pytest.approx(dict(found.scores))
    assert "rename the function" in [hit.found for hit in found.evidence]
    assert json.loads(json.dumps(found.fields()))["kind"] == "refactor"


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("what is the plural of ox", "low"),
        (
            "Write a function that parses this date, including all edge cases, at least ISO",
            "medium",
        ),
        (
            "Design the billing system: it must never lose an event, without downtime, across"
            " several regions. Compare the trade-offs of multiple brokers. What fails first? Why?"
            "\n- invoices\n- credit notes\n- taxes",
            "high",
        ),
    ],
)
def test_demand_rises_with_conditions_and_points(text: str, level: str) -> None:
    """And its reasons add up to the figure."""
    found = recognise(text)
    assert found.complexity == level
    told = sum(float(reason.rpartition(" ")[2]) for reason in found.demand.reasons)
    assert told == pytest.approx(found.demand.score, abs=0.1)


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("what is the plural of ox", set()),
        ("Show src/main.py", {"files", "shell"}),
        ("Search the web for the newest version", {"web"}),
        ("Fix parse.py and make sure the tests pass", {"files", "shell"}),
    ],
)
def test_tools_are_what_the_task_names(text: str, needed: set[str]) -> None:
    """And what its kind always takes."""
    assert recognise(text).tools == needed


@pytest.mark.parametrize(
    "text",
    [
        "a" * 3_000_000,
        "\0" * 1_000_000,
        "1." * 1_000_000,
        "/a" * 100_000,
        "(x) " * 100_000,
        "x, y or " * 10_000,
        "from [a," * 10_000,
        "if nothing " * 10_000,
        "\ud800" * 1000,
    ],
)
def test_hostile_text_is_read_in_part(text: str) -> None:
    """Megabytes, NULs and what backtracks: only the ends are looked at, in a bounded pattern."""
    assert len(tokens.ends(text)) <= tokens.HEAD + tokens.TAIL + 2
    recognise(text)


def test_evidence_is_for_kinds_that_there_are() -> None:
    """A misspelt kind in the data would never win."""
    kinds = {
        phrase.kind
        for where in evidence.lexicon(evidence.KINDS)
        for phrases in where.values()
        for phrase in phrases
    }
    assert kinds == {*TASK_KINDS, "unsure"} - {"large_context"}


def test_no_phrase_begins_with_a_gap() -> None:
    """It is found by its first word."""
    for names in (evidence.KINDS, ("tools",), ("complexity",)):
        known = evidence.lexicon(names)
        assert not {"", *evidence.GAPS} & {*known.whole, *known.stems, *known.ends}
