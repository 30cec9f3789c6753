"""Bytes as they are found: other spellings, broken lines, broken files."""

from __future__ import annotations

from dataclasses import replace

from .. import names, spelling
from ..answer import Answer
from ..dialect import CURRENT, MIDDLE, OLD, Row
from ..forms import growing, whole
from ..stage import HOME, Stage
from ..transcript import Edit, File, Transcript

OPUS = "claude-opus-4-8"
BOM = b"\xef\xbb\xbf"


def _answers(stage: Stage, transcript: Transcript, count: int = 2) -> None:
    for _ in range(count):
        transcript.answer(Answer(OPUS, stage.tokens()), blocks=2)


def other_spellings(stage: Stage) -> None:
    """Spaces, CRLF, sorted keys, floats and exponents change nothing."""
    for spell in (
        spelling.spaced,
        spelling.crlf,
        spelling.reordered,
        spelling.floats,
        spelling.exponents,
    ):
        for dialect in (CURRENT, MIDDLE):
            _answers(stage, stage.session(dialect=dialect, spelling=spell).main)


def byte_order_mark(stage: Stage) -> None:
    """The first row stands behind a byte order mark, and holds usage."""
    main = stage.session(dialect=MIDDLE, opened=False).main
    main.raw(BOM)
    _answers(stage, main)


def bytes_in_rows(stage: Stage) -> None:
    """A row holds NUL, a byte that is no UTF-8, or half a surrogate pair."""
    main = stage.session(dialect=MIDDLE).main
    for found in (b"\x00\x00", b"\xff\xfe", b"\xc3", b"\\ud83d"):
        _spoil_text(stage, main, found)
        _answers(stage, main, 1)


def _spoil_text(stage: Stage, main: Transcript, found: bytes) -> None:
    text = b'"type":"text","text":"'

    def spoiled(row: Row) -> bytes:
        return spelling.compact(row).replace(text, text + found)

    main.spelling = spoiled
    main.answer(Answer(OPUS, stage.tokens()))
    main.spelling = spelling.compact


def nul_runs(stage: Stage) -> None:
    """A lost power supply left runs of NUL between rows, and right before one."""
    main = stage.session(dialect=MIDDLE).main
    _answers(stage, main, 1)
    main.raw(b"\x00" * 64 + b"\n")
    _answers(stage, main, 1)
    main.raw(b"\x00" * 512)
    _answers(stage, main, 1)


def glued_rows(stage: Stage) -> None:
    """Two rows stand on one line, both with usage."""
    for dialect in (CURRENT, MIDDLE):
        main = stage.session(dialect=dialect).main
        main.spelling = lambda row: spelling.compact(row).rstrip(b"\n")
        _answers(stage, main, 1)
        main.raw(b"\n")
        main.spelling = spelling.compact
        _answers(stage, main, 1)


def torn_last_row(stage: Stage) -> None:
    """A crash tore the final row of an answer: its placeholder is all there is."""
    session = stage.session(dialect=MIDDLE)
    _answers(stage, session.main)
    cut = Answer(OPUS, replace(stage.tokens(), output_tokens=1), stop_reason=None)
    cut = session.answer(cut)
    stage.truth.miss_final_figures(session.id)
    final = replace(cut, tokens=replace(cut.tokens, output_tokens=900), stop_reason="end_turn")
    session.main.show(final, whole(final, [{"type": "text", "text": "never finished"}]))
    session.main.file.pieces[-1] = session.main.file.pieces[-1][:-180]


def torn_then_resumed(stage: Stage) -> None:
    """A torn row of a prompt was never ended: the next one begins on its line."""
    session = stage.session(dialect=MIDDLE)
    _answers(stage, session.main)
    session.ask(400)
    session.main.file.pieces[-1] = session.main.file.pieces[-1][:-90]
    _answers(stage, session.main)


def torn_around_a_lie(stage: Stage) -> None:
    """A torn row has a whole usage row inside: at the end of a file, and before another row."""
    for resumed in (False, True):
        session = stage.session(dialect=MIDDLE)
        _answers(stage, session.main)
        session.main.tool_result("ok", toolUseResult=names.lying_object())
        session.main.file.pieces[-1] = session.main.file.pieces[-1][:-60]
        if resumed:
            _answers(stage, session.main)


def missing_fields(stage: Stage) -> None:
    """Fields are null or not there, in the usage and around it."""
    session = stage.session(opened=False)
    changes: tuple[Row, ...] = (
        {"cache_read_input_tokens": None, "server_tool_use": None, "iterations": None},
        {"speed": None, "inference_geo": None, "service_tier": None},
        {"output_tokens_details": None, "fallback_credit": None, "iterations": [None]},
    )
    for usage in changes:
        session.main.edit = _with_usage(usage)
        tokens = replace(stage.tokens(), cache_read_tokens=0)
        session.answer(Answer(OPUS, tokens), blocks=2)
    session.main.edit = _with_usage({}, without="cache_read_input_tokens")
    session.answer(Answer(OPUS, replace(stage.tokens(), cache_read_tokens=0)))
    for key in ("sessionId", "cwd", "version", "uuid", "parentUuid", "userType", "isSidechain"):
        for none in (True, False):
            session.main.edit = _without(key, none=none)
            session.answer(Answer(OPUS, stage.tokens()))


def _with_usage(changes: Row, without: str = "") -> Edit:
    def edit(row: Row) -> Row:
        message = row["message"]
        assert isinstance(message, dict)
        usage = {**message["usage"], **changes}
        usage.pop(without, None)
        return row | {"message": message | {"usage": usage}}

    return edit


def _without(key: str, *, none: bool) -> Edit:
    def edit(row: Row) -> Row:
        kept = {name: value for name, value in row.items() if name != key}
        return kept | {key: None} if none else kept

    return edit


def no_split(stage: Stage) -> None:
    """A cache write whose split is null, empty or missing is a 5m write."""
    session = stage.session()
    for edit in (
        _with_usage({"cache_creation": None}),
        _with_usage({"cache_creation": {}}),
        _with_usage({}, without="cache_creation"),
    ):
        session.main.edit = edit
        session.answer(Answer(OPUS, stage.tokens(hour=False)), blocks=2)


def orphaned_file(stage: Stage) -> None:
    """A file the client set aside holds copies, and answers that stand nowhere else."""
    session = stage.session()
    _answers(stage, session.main)
    main = session.main
    aside = session.transcript(f"{main.file.path}.orphaned-1795224611718", main.place)
    for row in main.history:
        aside.say(row)
    _answers(stage, aside)


def empty_files(stage: Stage) -> None:
    """Files are empty, hold blank lines, or lie where nobody expects them."""
    session = stage.session()
    _answers(stage, session.main)
    session.main.raw(b"\n\n   \n\r\n")
    folder = session.folder
    for path, content in (
        (f"{folder}-empty.jsonl", b""),
        (f"{folder}/subagents/agent-empty.jsonl", b""),
        (f"{folder}/subagents/agent-empty.meta.json", b""),
        (f"{folder}/tool-results/empty.txt", b""),
        (f"{folder}/remote-agents/remote-agent-1.json", b"{}"),
        (f"{folder}-lines.jsonl", b'\nnull\n[]\n12\n"usage"\n{}\nnot json\n{"type":\n'),
        ("projects/notes.txt", b"not a folder\n"),
        ("history.jsonl", b'{"display":"usage","project":"/home/dev"}\n'),
    ):
        stage.files.append(File(path, [content]))


def odd_folders(stage: Stage) -> None:
    """Projects lie under paths with spaces, quotes, newlines, other scripts, or no end."""
    for cwd in (
        f"{HOME}/my project",
        f'{HOME}/it\'s "quoted"',
        f"{HOME}/two\nlines",
        f"{HOME}/проект-数据",
        f"{HOME}/" + "/".join(f"level-{depth}" for depth in range(30)),
    ):
        session = stage.session(cwd=cwd)
        _answers(stage, session.main, 1)


def old_and_new_in_one_file(stage: Stage) -> None:
    """The client was updated in the life of a session."""
    session = stage.session(dialect=OLD)
    session.answer(Answer(OPUS, stage.tokens(hour=False)), growing, blocks=2)
    for dialect in (MIDDLE, CURRENT):
        session.main.place = replace(session.main.place, dialect=dialect)
        session.answer(Answer(OPUS, stage.tokens()), growing, blocks=2)


SCENES = (
    other_spellings,
    byte_order_mark,
    bytes_in_rows,
    nul_runs,
    glued_rows,
    torn_last_row,
    torn_then_resumed,
    torn_around_a_lie,
    missing_fields,
    no_split,
    orphaned_file,
    empty_files,
    odd_folders,
    old_and_new_in_one_file,
)
