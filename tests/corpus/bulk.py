"""Ordinary work, to make a corpus as large as it should be."""

from __future__ import annotations

from datetime import timedelta

from . import forms, names
from .answer import Answer
from .dialect import CURRENT, MIDDLE, OLD
from .forms import Form
from .session import Session
from .stage import HOME, Stage
from .transcript import Transcript

DIALECTS = (CURRENT, MIDDLE, OLD)
PROJECTS = ("webapp", "api-server", "docs", "infra", "mobile")
AGENTS = ("Explore", "general-purpose", "Plan", "reviewer")
MODELS = {
    "current": ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5-2"),
    "middle": ("claude-opus-4-8", "claude-sonnet-4-6", "claude-haiku-4-5-20251001"),
    "old": ("claude-sonnet-4-5-20250929", "claude-opus-4-5-20251101"),
}
FORMS: dict[str, tuple[Form, ...]] = {
    "current": (forms.whole,),
    "middle": (forms.growing, forms.placeholder, forms.final_first),
    "old": (forms.growing, forms.whole),
}


def fill(stage: Stage, size: int, outputs: int = 1) -> None:
    """Add sessions until the corpus holds about `size` bytes; `outputs` makes tools say more."""
    stage.outputs = outputs
    counted = 0
    while True:
        size -= sum(len(piece) for file in stage.files[counted:] for piece in file.pieces)
        counted = len(stage.files)
        if size <= 0:
            return
        _work(stage, min(size, stage.outputs**2 * stage.rng.randint(20_000, 400_000)))


def _work(stage: Stage, size: int) -> None:
    rng = stage.rng
    dialect = rng.choices(DIALECTS, (6, 3, 1))[0]
    session = stage.session(dialect=dialect, cwd=f"{HOME}/{rng.choice(PROJECTS)}")
    while sum(map(len, session.main.file.pieces)) < size:
        _turn(stage, session)
        if rng.random() < 0.05:
            _pause(stage, session)
    if rng.random() < 0.9:
        session.save()


def _turn(stage: Stage, session: Session) -> None:
    rng = stage.rng
    session.ask(rng.choice((80, 200, 800)))
    for _ in range(rng.randint(1, 8)):
        _answer(stage, session.main)
        session.main.tool_result(_output(stage))
        if rng.random() < 0.04:
            _delegate(stage, session)
    _answer(stage, session.main)


def _delegate(stage: Stage, session: Session) -> None:
    agent = session.agent(stage.rng.choice(AGENTS))
    agent.ask()
    for _ in range(stage.rng.randint(1, 6)):
        _answer(stage, agent)
        agent.tool_result(_output(stage))


def _answer(stage: Stage, transcript: Transcript) -> None:
    name = transcript.place.dialect.name
    model = stage.rng.choice(MODELS[name])
    hour = transcript.place.dialect.split and transcript.place.agent_id is None
    answer = Answer(model, stage.tokens(stage.rng.randint(12_000, 180_000), hour=hour))
    form = stage.rng.choice(FORMS[name])
    transcript.answer(answer, form, blocks=stage.rng.randint(1, 4))


def _output(stage: Stage) -> str:
    length = stage.rng.choice((200, 900, 2500, 6000, 12_000))
    return names.prose(stage.rng, length) * stage.outputs


def _pause(stage: Stage, session: Session) -> None:
    if session.main.place.dialect is CURRENT:
        session.hide("claude-haiku-5-5", stage.tokens(5000))
    session.save()
    session.main.now += timedelta(hours=stage.rng.randint(1, 40))
