"""Which rows speak of the same answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ..answer import Answer, Tokens
from ..dialect import CURRENT, MIDDLE, Row
from ..forms import growing
from ..stage import Stage


def request_id_missing(stage: Stage) -> None:
    """Rows come without a request id, with null, or with an empty one."""
    session = stage.session(dialect=MIDDLE)
    answer = Answer("claude-opus-4-8", stage.tokens(), request_id=None)
    session.answer(answer, growing, blocks=3)
    for value in (None, ""):
        session.main.edit = lambda row, value=value: row | {"requestId": value}
        answer = Answer("claude-opus-4-8", stage.tokens())
        session.answer(answer, growing, blocks=3)


def request_id_changes(stage: Stage) -> None:
    """The request id of one message differs between its rows."""
    session = stage.session(dialect=MIDDLE)

    def other(row: Row) -> Row:
        return row | {"requestId": f"req_{row['uuid']}"}

    session.main.edit = other
    session.answer(Answer("claude-opus-4-8", stage.tokens()), growing, blocks=3)


def local_ids(stage: Stage) -> None:
    """Local servers count from one again: within a session the prompt tells answers apart."""
    for dialect in (CURRENT, MIDDLE):
        for _ in range(2):
            session = stage.session(dialect=dialect)
            for turn in range(4):
                tokens = Tokens(4000 + 500 * turn, 120)
                name = f"chatcmpl-{turn % 2}"
                local = Answer("qwen3-coder:30b", tokens, id=name, request_id=None)
                session.answer(local, growing, blocks=2)


def local_ids_with_the_same_prompt(stage: Stage) -> None:
    """Two sessions got the same id for the same prompt: two answers."""
    tokens = Tokens(3000, 90, 700)
    for _ in range(2):
        session = stage.session(dialect=MIDDLE)
        session.answer(Answer("claude-haiku-5-5", tokens, id="0", request_id=None), blocks=2)


def no_message_id(stage: Stage) -> None:
    """An answer without a message id has a request id of its own."""
    session = stage.session(dialect=MIDDLE)

    def nameless(row: Row) -> Row:
        message = row["message"]
        assert isinstance(message, dict)
        return row | {"message": {key: message[key] for key in message if key != "id"}}

    session.main.edit = nameless
    for _ in range(2):
        session.answer(Answer("claude-opus-4-8", stage.tokens()))


def same_figures_twice(stage: Stage) -> None:
    """Two answers with the same figures at the same moment are two answers."""
    session = stage.session()
    tokens = replace(stage.tokens(), output_tokens=33)
    for _ in range(2):
        session.answer(Answer("claude-sonnet-5-5", tokens))
        session.main.now -= timedelta(milliseconds=40)


SCENES = (
    request_id_missing,
    request_id_changes,
    local_ids,
    local_ids_with_the_same_prompt,
    no_message_id,
    same_figures_twice,
)
