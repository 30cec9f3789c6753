"""Forks, resumes, and sessions whose rows stand in several files."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from .. import names, rows
from ..answer import Answer, Tokens
from ..dialect import CURRENT, MIDDLE, Dialect, Row
from ..forms import growing, whole
from ..session import Session
from ..stage import HOME, Stage, slug

OPUS = "claude-opus-5-5"
SONNET = "claude-sonnet-5-5"


def _parent(stage: Stage, dialect: Dialect = CURRENT, turns: int = 3) -> Session:
    session = stage.session(dialect=dialect)
    form = whole if dialect.request_rows else growing
    for _ in range(turns):
        session.answer(Answer(OPUS, stage.tokens()), form, blocks=2)
        session.ask()
    return session


def _go_on(stage: Stage, *sessions: Session) -> None:
    for session in sessions:
        session.ask()
        session.answer(Answer(SONNET, stage.tokens()), blocks=2)


def _names_owner(parent: Session, row: Row) -> Row:
    """Mark a copy as 2.1.329 does: each answer names the session that asked for it."""
    is_answer = row.get("type") == "assistant"
    return row | {"requestSessionId": row.get("requestSessionId", parent.id)} if is_answer else row


def _forked_from(parent: Session, row: Row) -> Row:
    """Mark a copy as earlier clients do."""
    return row | {"forkedFrom": {"sessionId": parent.id, "messageUuid": row["uuid"]}}


def _unmarked(parent: Session, row: Row) -> Row:
    """Leave a copy without a mark: only its missing `api-request` row tells."""
    return row


def fork(stage: Stage) -> None:
    """A fork copies rows and ids, and starts from the cost its parent had saved."""
    for mark in (_names_owner, _forked_from, _unmarked):
        parent = _parent(stage)
        parent.save()
        child = stage.fork(parent, mark)
        _go_on(stage, child)
        child.save()


def fork_while_parent_goes_on(stage: Stage) -> None:
    """The parent saves again after the fork: what it saved before is the fork's start."""
    parent = _parent(stage)
    parent.main.file.read_whole = True
    parent.hide("claude-haiku-5-5", stage.tokens())
    parent.save()
    child = stage.fork(parent, _names_owner)
    parent.main.now = child.main.now + timedelta(minutes=1)
    _go_on(stage, child, parent)
    child.save()
    parent.hide(OPUS, stage.tokens(90_000))
    parent.save()


def fork_of_a_parent_that_never_saved(stage: Stage) -> None:
    """A fork of a session without any saved cost starts from nothing."""
    parent = _parent(stage)
    child = stage.fork(parent, _names_owner)
    _go_on(stage, child)
    child.hide(OPUS, stage.tokens())
    child.save()


def fork_of_a_fork(stage: Stage) -> None:
    """Rows are copied twice and still belong to the session that asked first."""
    parent = _parent(stage)
    parent.save()
    for mark in (_names_owner, _unmarked):
        child = stage.fork(parent, mark)
        _go_on(stage, child)
        child.save()
        parent = child


def fork_from_the_middle(stage: Stage) -> None:
    """Only the first rows are copied, and the copy ends inside an answer."""
    parent = _parent(stage, turns=4)
    _go_on(stage, stage.fork(parent, _names_owner, rows_copied=6))
    _go_on(stage, parent)


def fork_without_request_rows(stage: Stage) -> None:
    """An old fork does not tell who asked: only parent and fork together are exact."""
    for mark in (_forked_from, _unmarked):
        parent = _parent(stage, MIDDLE)
        child = stage.fork(parent, mark)
        _go_on(stage, child)
        stage.truth.shared.append((parent.id, child.id))


def fork_of_a_deleted_session(stage: Stage) -> None:
    """The parent's file is gone: its rows stand in the fork alone, and were billed."""
    parent = _parent(stage)
    parent.save()
    child = stage.fork(parent, _names_owner)
    _go_on(stage, child)
    child.save()
    stage.files.remove(parent.main.file)
    stage.truth.shared.append((parent.id, child.id))


def resume(stage: Stage) -> None:
    """Days later the same file goes on, on another model and from another folder."""
    session = _parent(stage)
    session.save()
    for days, model in ((1, SONNET), (2, "claude-haiku-5-5")):
        session.main.now += timedelta(days=days)
        cwd = f"{session.project}/sub{days}"
        session.main.place = replace(session.main.place, cwd=cwd)
        session.ask()
        session.answer(Answer(model, stage.tokens()), blocks=2)
        session.save()
    session.save()


def resume_after_a_crash(stage: Stage) -> None:
    """A process died before it saved: the last saved cost is below what the rows show."""
    session = _parent(stage)
    session.save()
    _go_on(stage, session)
    session.die()
    _go_on(stage, session)
    session.save()


def two_project_folders(stage: Stage) -> None:
    """The session moved to another folder: its later rows stand in a second file."""
    session = _parent(stage)
    session.save()
    cwd = f"{HOME}/webapp-worktree"
    place = replace(session.main.place, cwd=cwd)
    moved = session.transcript(f"projects/{slug(cwd)}/{session.id}.jsonl", place)
    for row in session.main.history[-2:]:
        moved.say(row)
    moved.ask()
    moved.answer(Answer(OPUS, stage.tokens()), blocks=2)
    session.hide("claude-haiku-5-5", stage.tokens())
    session.save(moved)


def side_question(stage: Stage) -> None:
    """A /btw replays the session's answers under new request ids, and asks once itself."""
    session = _parent(stage)
    aside = session.agent(None, agent_id=f"aside_question-{stage.rng.getrandbits(24):06x}")
    for row in session.main.history:
        if row.get("type") == "assistant":
            new = {"isSidechain": True, "agentId": aside.place.agent_id}
            aside.say(row | new | {"requestId": names.request_id(stage.rng)})
    aside.ask()
    aside.answer(Answer(OPUS, stage.tokens(hour=False)))


def compaction(stage: Stage) -> None:
    """Compacting asks twice and leaves no answer: only the saved cost tells."""
    session = _parent(stage)
    session.save()
    session.hide(OPUS, stage.tokens(80_000))
    session.hide(OPUS, stage.tokens(30_000))
    main = session.main
    facts: Row = {"trigger": "manual", "preTokens": 81_000, "durationMs": 111}
    extra = {"content": "Conversation compacted", "compactMetadata": facts}
    main.say(rows.system(main.place, main.link(), "compact_boundary", **extra))
    summary = "This session is being continued from a previous conversation."
    main.say(rows.user(main.place, main.link(), summary, isCompactSummary=True))
    session.save()
    _go_on(stage, session)
    session.save()


def side_queries(stage: Stage) -> None:
    """Titles and classifiers run on other models, one above haiku's long prompt step."""
    session = _parent(stage)
    for model, prompt in (("claude-haiku-5-5", 9000), ("claude-haiku-5-5", 150_000), (SONNET, 0)):
        session.hide(model, stage.tokens(prompt))
    session.save()


def interrupted_and_estimated(stage: Stage) -> None:
    """An interrupted turn shows its first figure, while the client estimated its output."""
    session = stage.session()
    tokens = stage.tokens()
    cut = Answer(OPUS, replace(tokens, output_tokens=3), stop_reason=None)
    session.answer(cut, blocks=2)
    stage.truth.miss_final_figures(session.id)
    session.hide(OPUS, Tokens(output_tokens=tokens.output_tokens - 3))
    session.save()


def saved_too_early(stage: Stage) -> None:
    """A process that is interrupted saves nothing, and then writes its last answer."""
    session = stage.session()
    session.save()
    session.answer(Answer(OPUS, stage.tokens()), blocks=2)


def cost_falls_after_clear(stage: Stage) -> None:
    """After /clear the saved cost starts from nothing, in the same file and in a new one."""
    session = _parent(stage)
    session.hide(OPUS, stage.tokens())
    session.save()
    session.clear()
    session.answer(Answer(SONNET, Tokens(3, 200, 20_000, 0, 400)))
    session.hide(OPUS, Tokens(3, 100, 9000, 0, 300))
    session.save()
    stage.session(opened=False).save()


SCENES = (
    fork,
    fork_while_parent_goes_on,
    fork_of_a_parent_that_never_saved,
    fork_of_a_fork,
    fork_from_the_middle,
    fork_without_request_rows,
    fork_of_a_deleted_session,
    resume,
    resume_after_a_crash,
    two_project_folders,
    side_question,
    compaction,
    side_queries,
    interrupted_and_estimated,
    saved_too_early,
    cost_falls_after_clear,
)
