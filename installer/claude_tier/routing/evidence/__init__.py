"""What speaks for a kind of task: weighted words, phrases and shapes, kept as data beside this.

`english.json` and `german.json` hold phrases by kind and weight, parted by commas. In a phrase
`a|b` is either word, `stem*` any ending, `*word` any beginning (German compounds), `@field` a word
of `fields.json`, `_` at most two words between, `..` a few within the sentence; a token such as
FILE, `?` or `^` is itself. `shapes.json` holds patterns of the raw text, `vague.json` words without
a subject. Weights are fitted by tests/calibrating.py.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from claude_tier.routing.evidence.tokens import Words, is_english

ENGLISH = ("english",)
KINDS = (*ENGLISH, "german")  # German prompts are full of English terms; the reverse is chance
PASTED = 0.3  # what a phrase counts where it was only pasted
REPEATED = 0.5  # what it counts where a stronger phrase of its kind has the same words
EMPTY = 3.0  # what a prompt without a subject counts for being left alone
GAPS = {"_": 2, "..": 8}  # words that may stand between
SHORTEST = 2  # characters of a stem
_FOLDER = Path(__file__).parent
_Rest = tuple["str | frozenset[str]", ...]


class Phrase(NamedTuple):
    """One piece of evidence, without the word that it is found by; `text` is all of it."""

    kind: str
    weight: float
    text: str
    rest: _Rest


class Hit(NamedTuple):
    """What was found for a kind, what it counts, the words it was, and whether it was pasted."""

    kind: str
    weight: float
    found: str
    pasted: bool = False


class Found(NamedTuple):
    """A phrase and the tokens it covers."""

    phrase: Phrase
    start: int
    end: int


class Match(NamedTuple):
    """A phrase that was found, what share of its weight counts, and the words it was."""

    phrase: Phrase
    share: float
    found: str

    @property
    def hit(self) -> Hit:
        weight = round(self.phrase.weight * self.share, 2)
        return Hit(self.phrase.kind, weight, self.found, self.share <= PASTED)


class Lexicon(NamedTuple):
    """Phrases by their first word: whole, by its beginning, by its end."""

    whole: dict[str, list[Phrase]]
    stems: dict[str, list[Phrase]]
    ends: dict[str, list[Phrase]]

    def beginning(self, token: str) -> Iterator[Phrase]:
        """Those that may begin with this word."""
        yield from self.whole.get(token, ())
        for length in range(SHORTEST, len(token) + 1):
            yield from self.stems.get(token[:length], ())
            yield from self.ends.get(token[-length:], ())


@cache
def lexicon(names: tuple[str, ...]) -> Lexicon:
    """The phrases of these files together."""
    made = Lexicon(defaultdict(list), defaultdict(list), defaultdict(list))
    for name in names:
        for kind, weight, text in _entries(name):
            for phrase in map(str.strip, text.split(",")):
                _enter(made, kind, weight, phrase)
    return made


@cache
def _shapes() -> tuple[tuple[str, float, re.Pattern[str]], ...]:
    return tuple((kind, weight, re.compile(text)) for kind, weight, text in _entries("shapes"))


@cache
def _fields() -> dict[str, list[str]]:
    return {name: words.split() for name, words in _read("fields").items()}


@cache
def _vague() -> frozenset[str]:
    return frozenset(" ".join(_read("vague").values()).split())


def vagueness(words: Words) -> Iterator[Hit]:
    """Where no word has a subject, that speaks for a task that cannot be told."""
    said = [token for token in words.asked if token.isalnum() and not token.isnumeric()]
    if not words.pasted and _vague().issuperset(said):
        yield Hit("unsure", EMPTY, "no word with a subject")


def _read(name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _entries(name: str) -> Iterator[tuple[str, float, str]]:
    data = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for kind, weights in data.items():
        for weight, texts in weights.items():
            for text in texts:
                yield kind, float(weight), text


def _enter(made: Lexicon, kind: str, weight: float, text: str) -> None:
    first, *others = text.split(" ")
    rest = tuple(word if word in GAPS else frozenset(_words(word)) for word in others)
    for word in _words(first):
        where, key = made.whole, word
        if word.endswith("*"):
            where, key = made.stems, word[:-1]
        elif word.startswith("*"):
            where, key = made.ends, word[1:]
        where[key].append(Phrase(kind, weight, text, rest))


def _words(text: str) -> Iterator[str]:
    """The alternatives that one place of a phrase has."""
    for word in text.split("|"):
        yield from _fields()[word[1:]] if word.startswith("@") else (word,)


def of_kinds(words: Words) -> list[Hit]:
    """What speaks for a kind of task, in the language of the prompt."""
    return [one.hit for one in matches(words)]


def hits(words: Words, name: str) -> list[Hit]:
    """What is found of another file of evidence."""
    return [one.hit for one in _matches(words, (name,))]


def matches(words: Words) -> list[Match]:
    """The phrases of the kinds that were found, each once and at its best."""
    return _matches(words, ENGLISH if is_english(words) else KINDS)


def _matches(words: Words, names: tuple[str, ...]) -> list[Match]:
    best: dict[tuple[str, str], Match] = {}
    for tokens, share in ((words.asked, 1.0), (words.pasted, PASTED)):
        for match in _in(tokens, share, lexicon(names)):
            key = match.phrase.kind, match.phrase.text
            if key not in best or best[key].share < match.share:
                best[key] = match
    return list(best.values())


def _in(tokens: Sequence[str], share: float, known: Lexicon) -> Iterator[Match]:
    """Of phrases of a kind that share words only the strongest counts in full."""
    taken: dict[str, set[int]] = defaultdict(set)
    for phrase, start, end in sorted(_phrases(tokens, known), key=_strength):
        span = range(start, end)
        again = phrase.weight > 0 and not taken[phrase.kind].isdisjoint(span)
        taken[phrase.kind].update(span)
        found = " ".join(tokens[start:end])
        yield Match(phrase, share * (REPEATED if again else 1.0), found)


def _strength(found: Found) -> tuple[float, int, str]:
    """What sorts the strongest first, and equals always alike."""
    return -found.phrase.weight, found.start, found.phrase.text


def shapes(text: str) -> Iterator[Hit]:
    """The shapes that the text has: a stack trace, a choice, a quoted thread."""
    for kind, weight, pattern in _shapes():
        if found := pattern.search(text):
            yield Hit(kind, weight, " ".join(found[0].split())[:30])


def _phrases(tokens: Sequence[str], known: Lexicon) -> Iterator[Found]:
    for at, token in enumerate(tokens):
        for phrase in known.beginning(token):
            end = _end(phrase.rest, tokens, at + 1)
            if end is not None:
                yield Found(phrase, at, end)


def _end(rest: _Rest, tokens: Sequence[str], at: int) -> int | None:
    """Where the rest of a phrase that stands here ends; None where it does not."""
    if not rest:
        return at
    wanted, more = rest[0], rest[1:]
    if not isinstance(wanted, str):
        if at < len(tokens) and _fits(tokens[at], wanted):
            return _end(more, tokens, at + 1)
        return None
    for here in range(at, min(at + GAPS[wanted], len(tokens)) + 1):
        end = _end(more, tokens, here)
        if end is not None:
            return end
        if tokens[here : here + 1] == ["."] or tokens[here : here + 1] == (".",):
            return None
    return None


def _fits(token: str, wanted: frozenset[str]) -> bool:
    """Whether a word is one of these, stems among them."""
    return token in wanted or any(
        len(word) > 1 and word[-1] == "*" and token.startswith(word[:-1]) for word in wanted
    )
