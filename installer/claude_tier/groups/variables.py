"""Which environment variables decide where a request goes and who pays for it, and why each."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from claude_tier.config.providers import host_of

Part = Literal["endpoint", "model", "size", "login", "cloud", "service"]
OF_THE_CLIENT: tuple[Part, ...] = ("endpoint", "model", "size", "login")
BASE_URL, API_KEY = "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"
_KEY = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD)\Z", re.IGNORECASE)
_CLAUDE = re.compile(r"claude|anthropic|(?:fable|opus|sonnet|haiku|best|opusplan|default)(?:\[|\Z)")


class Rule(NamedTuple):
    """Names, or patterns of names, that are treated alike."""

    names: tuple[str, ...]
    part: Part
    main: Literal["always", "unless Claude", "never"]  # whether it is taken from Claude's own too
    why: str

    def covers(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.names)


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule; the first that covers a name holds for it."""
    shipped = json.loads(Path(__file__).with_name("variables.json").read_bytes())
    return tuple(Rule(**{**each, "names": tuple(each["names"])}) for each in shipped)


def rule_of(name: str) -> Rule | None:
    return next((rule for rule in rules() if rule.covers(name)), None)


def part_of(name: str) -> Part | None:
    found = rule_of(name)
    return found.part if found else None


def may_cover(pattern: str, parts: Collection[Part]) -> bool:
    """Whether a name, or the start of names and *, can stand for a variable of these parts."""
    start = pattern.removesuffix("*")
    if start == pattern:
        return part_of(pattern) in parts
    stems = [
        name.partition("*")[0] for rule in rules() if rule.part in parts for name in rule.names
    ]
    return any(stem.startswith(start) or start.startswith(stem) for stem in stems)


def is_key(name: str) -> bool:
    """Whether a variable of that name would hold a key."""
    return bool(_KEY.search(name))


def foreign(environ: Mapping[str, str], keys: Collection[str]) -> list[str]:
    """What another endpoint's process must not have; `keys` hold keys of the configuration."""
    return [name for name in environ if name in keys or rule_of(name)]


def not_claudes(environ: Mapping[str, str]) -> list[str]:
    """What leads away from Claude itself. A key that stands beside another address is for that."""
    found = [name for name, value in environ.items() if _leads_away(name, value)]
    elsewhere = BASE_URL in environ and not is_anthropic(environ[BASE_URL])
    return [*found, API_KEY] if elsewhere and API_KEY in environ else found


def is_anthropic(url: str) -> bool:
    host = host_of(url) or ""
    return host == "anthropic.com" or host.endswith(".anthropic.com")


def names_claude(model: str) -> bool:
    """Whether that is a name of one of Claude's models, or an alias for one."""
    return bool(_CLAUDE.match(model.lower().rpartition("/")[2]))


def _leads_away(name: str, value: str) -> bool:
    rule = rule_of(name)
    if rule is None or rule.main == "never":
        return False
    if name == BASE_URL:
        return not is_anthropic(value)
    return rule.main == "always" or not names_claude(value)
