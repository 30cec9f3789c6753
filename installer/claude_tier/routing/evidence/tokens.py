"""A prompt as words to look for: what is asked first and last, and what was only pasted.

Words are in one spelling: lower case, without apostrophes, ä as ae, ß as ss. What is no word is
named by what it is: URL, FILE, NAME (of code), NUM, QUOTE; `.` ends a sentence and `^` begins one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

HEAD, TAIL = 6000, 2000  # characters that are read of a long prompt
LONG = 120  # characters after a colon, or between quotes, that were pasted rather than asked
_SPELLING = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "'": "", "\u2019": "", "`": " "})
_ENDINGS = (
    "bak|bat|bz2|c|cc|cfg|conf|cpp|cs|css|csv|db|docx?|env|example|gif|go|gz|h|heic|html?|ini|ipynb"
    "|java|jpe?g|js|json|jsonl|jsx|kt|lock|log|lua|md|mov|mp3|mp4|odt|pdf|php|png|pptx?|ps1|py|rb"
    "|rs|rst|scss|sh|sql|sqlite|svg|swift|tar|tex|tf|tiff?|toml|tsv?|tsx|txt|vue|wav|webp|xlsx?|xml"
    "|ya?ml|zip"
)
_TOKEN = re.compile(
    r"(?P<URL>https?://[^\s\"<>]{1,300}|www\.[^\s\"<>]{1,200}"
    r"|\b[\w-]{2,40}\.(?:com|org|net|io|dev|de|example)(?:/[\w./-]{0,100})?\b)"
    rf"|(?P<FILE>(?<![\w./*@-])(?:(?:[~.]{{0,2}}/)?(?:[\w.@*-]{{1,60}}/){{0,8}}[\w*-]{{0,60}}\.(?:{_ENDINGS})\b"
    r"|(?<![\w/])(?:~|\.{1,2})?/[\w.-]{2,60}(?:/[\w.*-]{0,60}){0,8}|[\w-]{2,40}/(?=[\s,.;:?!)]|$)))"
    r"|(?P<NAME>\b[a-z]{1,30}[A-Z]\w{1,40}\b|\b[A-Z][a-z]{1,30}[A-Z]\w{1,40}\b"
    r"|\b[A-Za-z]{1,30}_\w{1,40}\b|\b\w{2,40}\(\))"
    r"|(?P<QUOTE>[\"„“«»])"
    r"|(?P<NUM>\d[\d.,]{0,20})"
    r"|(?P<WORD>[^\W\d_](?:[^\W_]|['\u2019](?=\w)){0,40})"
    r"|(?P<END>[.?!;:\n]+(?=\s|$)|\n)",
    re.MULTILINE,
)
_POLITE = frozenset(
    {"please", "pls", "plz", "kindly", "hey", "hi", "claude", "just", "now", "then", "also", "so"}
    | {"and", "ok", "okay", "quickly", "quick", "first", "bitte", "mal", "jetzt", "dann", "und"}
    | {"noch", "mir", "kurz", "schnell", "danke"}
)
_ASKING = {
    "can": ("you", "u"),
    "could": ("you", "u"),
    "would": ("you",),
    "will": ("you",),
    "kannst": ("du",),
    "koenntest": ("du",),
    "koennen": ("sie",),
    "koennten": ("sie",),
    "wuerdest": ("du",),
    "magst": ("du",),
}
_ENGLISH = frozenset(
    {"the", "of", "to", "and", "for", "is", "this", "that", "it", "with", "on", "my", "our", "are"}
    | {"what", "how", "from", "be", "or", "you", "your", "not", "me", "have", "has", "can", "if"}
    | {"do", "does", "please", "which", "should", "would", "when", "where", "by", "as", "at", "but"}
    | {"we", "i", "a", "an", "than", "who", "why", "its", "these", "those", "their", "every"}
)
_GERMAN = frozenset(
    {"der", "das", "den", "dem", "des", "und", "ist", "ein", "eine", "einen", "einem", "einer"}
    | {"zu", "mit", "auf", "fuer", "von", "im", "nicht", "ich", "wir", "sie", "bitte", "wie", "mir"}
    | {"sind", "aus", "bei", "nach", "oder", "wenn", "dass", "auch", "noch", "nur", "zum", "zur"}
    | {"unser", "unsere", "mein", "meine", "kann", "wird", "hat", "sich", "uns", "es", "als", "vom"}
)
_PASTED = re.compile(r"\s*(?:>|\||[{}<]|//|#!|\$ |[-+]{3} |@@|\d{2,4}[-.:/]\d\d)|\s{4,}\S")


class Words(NamedTuple):
    """The tokens of what is asked, and of what came along."""

    asked: tuple[str, ...]
    pasted: tuple[str, ...]


def ends(text: str) -> str:
    """Its head and tail: the middle of a long text is not looked at."""
    if len(text) > HEAD + TAIL:
        text = f"{text[:HEAD]}\n\n{text[-TAIL:]}"
    return text.replace("\r\n", "\n").replace("\0", " ").strip()


def read(text: str) -> Words:
    """The tokens of what `ends` left."""
    asked, pasted = _parted(text)
    return Words(tuple(tokens(asked)), tuple(tokens(pasted)))


def _parted(text: str) -> tuple[str, str]:
    """What is asked stands in the first paragraph, or in the last where that is short prose."""
    blocks = [block for block in re.split(r"\n[ \t]*\n", text) if block.strip()]
    if not blocks:
        return "", ""
    asked, pasted = _first(blocks[0])
    rest = blocks[1:]
    if rest and not _PASTED.match(rest[-1]) and len(rest[-1]) < 3 * LONG and "\n" not in rest[-1]:
        asked += "\n" + rest.pop()
    return asked, "\n".join([pasted, *rest])


def _first(block: str) -> tuple[str, str]:
    line, _, more = block.partition("\n")
    if _PASTED.match(line):
        return "", block
    head, colon, told = line.partition(": ")
    if colon and len(told) > LONG:
        line, more = head, f"{told}\n{more}"
    return line, more


def tokens(text: str) -> list[str]:
    """The tokens in order."""
    found = ["^"]
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "END":
            _end(found, question="?" in match[0])
        elif kind != "WORD":
            found.append(kind or "")
        else:
            _add(found, spelled(match[0]))
    if found == ["^"]:
        return []
    if found[-1] != "^":
        _end(found, question=False)
    return found


def spelled(text: str) -> str:
    """In the one spelling."""
    return text.casefold().translate(_SPELLING)


def is_english(words: Words) -> bool:
    """Whether it is surely no German; a few words may be either."""
    found = words.asked or words.pasted
    english, german = (sum(word in known for word in found) for known in (_ENGLISH, _GERMAN))
    return english > german


def _end(found: list[str], *, question: bool) -> None:
    found += ["?", ".", "^"] if question else [".", "^"]


def _add(found: list[str], word: str) -> None:
    """A word; politeness at the beginning of a sentence is passed over."""
    if found[-1] == "^" and word in _POLITE:
        return
    if len(found) > 1 and found[-2] == "^" and word in _ASKING.get(found[-1], ()):
        found.pop()
        return
    found.append(word)
