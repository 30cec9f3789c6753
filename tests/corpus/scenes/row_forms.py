"""One answer, many rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from .. import forms, names, rows
from ..answer import Answer
from ..dialect import CURRENT, MIDDLE, OLD, Dialect
from ..forms import Form
from ..stage import Stage

OPUS = "claude-opus-5-5"


def _each(stage: Stage, dialect: Dialect, *shapes: Form) -> None:
    session = stage.session(dialect=dialect)
    hour = dialect.split
    for form in shapes:
        answer = Answer("claude-opus-4-8", stage.tokens(hour=hour))
        session.answer(answer, form, blocks=3)
        session.main.tool_result("ok")
    session.answer(Answer("claude-opus-4-8", stage.tokens(hour=hour)))


def final_figures_on_every_row(stage: Stage) -> None:
    """A finished answer of today shows its final usage on each of its rows."""
    _each(stage, CURRENT, forms.whole)


def growing_placeholders(stage: Stage) -> None:
    """Older clients write a placeholder that grows, and the final usage last."""
    _each(stage, MIDDLE, forms.growing, forms.placeholder)
    _each(stage, OLD, forms.growing, forms.placeholder)


def final_row_not_last(stage: Stage) -> None:
    """The row with the final usage is the first one, or one in the middle."""
    _each(stage, MIDDLE, forms.final_first, forms.final_inside)
    _each(stage, CURRENT, forms.final_first, forms.final_inside)


def ties(stage: Stage) -> None:
    """Rows with the same output differ in stop reason, then in total, then in order."""
    _each(stage, CURRENT, forms.tie_on_output, forms.tie_on_stop, forms.tie_on_total)


def model_changed_in_mid_stream(stage: Stage) -> None:
    """The first row names another model and a larger prompt: the winning row is taken whole."""
    _each(stage, MIDDLE, forms.fallen_back)


def interrupted_turn(stage: Stage) -> None:
    """A turn that was cut short shows what was known by then, and never a stop reason."""
    session = stage.session()
    session.answer(Answer(OPUS, stage.tokens()), blocks=2)
    cut = Answer(OPUS, replace(stage.tokens(), output_tokens=2), stop_reason=None)
    session.answer(cut, forms.interrupted, blocks=2)
    stage.truth.miss_final_figures(session.id)
    main = session.main
    said = [{"type": "text", "text": "[Request interrupted by user]"}]
    main.say(rows.user(main.place, main.link(), said))
    session.answer(Answer(OPUS, stage.tokens()))


def placeholder_only(stage: Stage) -> None:
    """Some older clients never wrote the final row of a subagent's last answer."""
    session = stage.session(dialect=MIDDLE)
    session.answer(Answer("claude-sonnet-4-6", stage.tokens()))
    agent = session.agent("Explore")
    agent.ask()
    cut = replace(stage.tokens(hour=False), output_tokens=1)
    agent.answer(Answer("claude-haiku-4-5-20251001", cut, stop_reason=None), forms.interrupted)
    stage.truth.miss_final_figures(session.id)


def old_flat_usage(stage: Stage) -> None:
    """Usage without the 5m and 1h split is a 5m write; a `costUSD` beside it means nothing."""
    session = stage.session(dialect=OLD)
    session.main.edit = lambda row: row | {"costUSD": 99.5, "durationMs": 1200}
    for model in ("claude-sonnet-4-5-20250929", "claude-opus-4-5-20251101"):
        session.answer(Answer(model, stage.tokens(hour=False)), blocks=2)


def rows_out_of_order(stage: Stage) -> None:
    """The rows of two answers are interleaved, and the file does not follow the clock."""
    session = stage.session(dialect=MIDDLE)
    main = session.main
    first = main.complete(Answer("claude-opus-4-8", stage.tokens()))
    second = main.complete(Answer("claude-opus-4-8", stage.tokens()))
    blocks = [names.text(stage.rng) for _ in range(3)]
    one, two = forms.growing(first, blocks), forms.growing(second, blocks)
    started = main.now
    session.bill(first, started + timedelta(milliseconds=40), main.place)
    session.bill(second, started + timedelta(milliseconds=5040), main.place)
    for offset, answer, shown in (
        (5000, second, two[:2]),
        (0, first, one[:2]),
        (7000, second, two[2:]),
        (2000, first, one[2:]),
    ):
        main.now = started + timedelta(milliseconds=offset)
        main.show(answer, shown)


def midnight_inside_an_answer(stage: Stage) -> None:
    """Midnight (UTC) falls between two rows of an answer: the first row dates it."""
    for dialect in (CURRENT, MIDDLE):
        midnight = stage.some_time().replace(hour=0, minute=0, second=0, microsecond=0)
        session = stage.session(dialect=dialect, at=midnight - timedelta(minutes=2))
        session.main.now = midnight - timedelta(milliseconds=60)
        session.answer(Answer("claude-sonnet-5", stage.tokens()), forms.growing, blocks=4)


def row_without_timestamp(stage: Stage) -> None:
    """A row of an answer has no timestamp: the others date it."""
    session = stage.session(dialect=MIDDLE)
    main = session.main
    answer = main.complete(Answer("claude-opus-4-8", stage.tokens()))
    session.bill(answer, main.now + timedelta(milliseconds=40), main.place)
    shown = forms.growing(answer, [names.text(stage.rng) for _ in range(2)])
    main.show(answer, shown[:1])
    for missing in ({}, {"timestamp": None}):
        row = rows.assistant(main.place, main.link(), answer, shown[1], index=1)
        del row["timestamp"]
        main.append(row | missing)


def api_error_rows(stage: Stage) -> None:
    """A `<synthetic>` row stands in for an answer that never came, even where it shows usage."""
    session = stage.session()
    main = session.main
    session.answer(Answer(OPUS, stage.tokens()))
    error = rows.synthetic(main.place, main.link(), "API Error: 529 overloaded")
    main.say(error | {"requestId": names.request_id(stage.rng)})
    charged = rows.synthetic(main.place, main.link(), "No response requested.")
    message = charged["message"]
    assert isinstance(message, dict)
    message["usage"] = {"input_tokens": 5000, "output_tokens": 700}
    main.say(charged)


SCENES = (
    final_figures_on_every_row,
    growing_placeholders,
    final_row_not_last,
    ties,
    model_changed_in_mid_stream,
    interrupted_turn,
    placeholder_only,
    old_flat_usage,
    rows_out_of_order,
    midnight_inside_an_answer,
    row_without_timestamp,
    api_error_rows,
)
