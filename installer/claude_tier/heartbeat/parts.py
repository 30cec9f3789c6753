"""The parts of a HEARTBEAT.md: front matter, the line that names a model, tasks, and the text.

YAML stands on the lines that it has in the file, after empty ones, so that places in it are right.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_FENCE = re.compile(r" {0,3}(```|~~~)")
_MODEL = re.compile(r"#{1,6}\s*model\s*:(.*)\Z", re.IGNORECASE)
_TASKS = re.compile(r"tasks:\s*(?:#.*)?\Z")
_IN_TASKS = re.compile(r"\s|-(?:\s|\Z)|\Z")
_SAYS_NOTHING = re.compile(r"#{1,6}(?:\s.*)?|[-*+]\s*(?:\[[ xX]?\])?|(?:```|~~~)\w*|\Z")


class MisplacedError(Exception):
    """A part that cannot be told from the others, and its line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class Parts(NamedTuple):
    """The texts; `model_line` is 0 where no line names a model."""

    front: str
    tasks: str
    text: str
    model: str = ""
    model_line: int = 0


def is_empty(text: str) -> bool:
    """Whether there is nothing to do in it: headings, comments, fences, items without words."""
    lines = (line.strip() for line in _without_comments(text).splitlines())
    return all(_SAYS_NOTHING.fullmatch(line) for line in lines)


def parts(text: str) -> Parts:
    """The parts of the whole text of a file; raises MisplacedError."""
    lines = [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n")]
    end = _end_of_front(lines)
    front = _alone(lines, 1, end - 1)
    _blank(lines, 0, end)
    _blank_comments(lines)
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    named = _MODEL.match(lines[first])
    if named:
        lines[first] = ""
    begin, end = _tasks(lines)
    tasks = _alone(lines, begin, end)
    _blank(lines, begin, end)
    body = "\n".join(lines).strip()
    if named:
        return Parts(front, tasks, body, named[1].strip(), first + 1)
    return Parts(front, tasks, body)


def _end_of_front(lines: list[str]) -> int:
    """How many lines the front matter has, with its marks."""
    if lines[0].rstrip() != "---":
        return 0
    for number, line in enumerate(lines[1:], start=2):
        if line.rstrip() == "---":
            return number
    raise MisplacedError(1, "front matter that begins with --- has no second line --- to end it")


def _tasks(lines: list[str]) -> tuple[int, int]:
    """The first line of the block `tasks:`, and the one after its last; (0, 0) without one."""
    begins = [number for number in _outside_fences(lines) if _TASKS.match(lines[number])]
    if not begins:
        return 0, 0
    if len(begins) > 1:
        raise MisplacedError(begins[1] + 1, f"tasks: is given twice, first on line {begins[0] + 1}")
    end = begins[0] + 1
    while end < len(lines) and _IN_TASKS.match(lines[end]):
        end += 1
    return begins[0], end


def _outside_fences(lines: list[str]) -> list[int]:
    found, fence = [], ""
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if mark and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        elif not fence:
            found.append(number)
    return found


def _blank_comments(lines: list[str]) -> None:
    """Without what is only for people; what is left stays on its line."""
    lines[:] = _without_comments("\n".join(lines)).split("\n")


def _without_comments(text: str) -> str:
    """The text without <!-- … -->, but with the line ends in them; one that is open is text."""
    kept, at = [], 0
    while (begin := text.find("<!--", at)) >= 0 and (end := text.find("-->", begin + 4)) >= 0:
        kept += [text[at:begin], "\n" * text.count("\n", begin, end)]
        at = end + 3
    return "".join([*kept, text[at:]])


def _alone(lines: list[str], begin: int, end: int) -> str:
    """These lines on their own places."""
    return "\n" * begin + "\n".join(lines[begin:end]) if end > begin else ""


def _blank(lines: list[str], begin: int, end: int) -> None:
    lines[begin:end] = [""] * (end - begin)
