"""What a failed response means: its body counts for more than its status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from claude_tier.routing import keys
from claude_tier.routing.fault import Cause, Fault
from claude_tier.routing.providers import resets
from claude_tier.routing.providers.documents import Json, count, mapping, text

READ = 4000  # characters of a server's words that are judged: expressions are slow on endless ones
READ_HEADER = 300

# In this order: money before pace, because both answer 429; size before what else is a 400.
WORDS: tuple[tuple[Cause, re.Pattern[str]], ...] = (
    (
        "billing",
        re.compile(
            r"credit balance is too low|api usage limits|out of extra usage"
            r"|billing_(?:error|not_active|hard_limit)"
            r"|enforced_spend_limit_reached|insufficient_(?:quota|credits|balance|funds)"
            r"|(?:budget|credit|spend\w{0,20}|hard|quota|usage|monthly|daily)_limit_(?:exceeded|reached)"
            r"|insufficient credits|exceeded your current quota|budget ?_?(?:has been )?exceeded"
            r"|exceededbudget|hit your (?:usage |session |weekly )?limit|usage limit reached"
        ),
    ),
    (
        "size",
        re.compile(
            r"prompt is too long|context_length_exceeded|exceed_context_size"
            r"|context ?window ?exceed"
            r"|maximum context length|exceeds? the (?:available |model's )?context"
            r"|exceeds? context (?:limit|window|length)|request_too_large|input is too long"
            r"|string_above_max_length|exceeds the maximum number of tokens"
        ),
    ),
    (
        "model",
        re.compile(
            r"model_not_found|invalid model name|not a valid model|model '[^']*' (?:was )?not found"
            r"|model `[^`]*` does not exist|no endpoints found|unknown model"
        ),
    ),
    (
        "key",
        re.compile(
            r"invalid_api_key|(?:invalid|incorrect|no|missing) api key|api key not valid"
            r"|not logged in|run /login|oauth token"
            r"|no_db_connection"  # LiteLLM without a database, of any key but its own
        ),
    ),
    ("request", re.compile(r"json\.exception|moderation|not a valid json schema")),
)
STATUSES: dict[int, Cause] = {
    401: "key",
    402: "billing",
    403: "key",
    404: "model",
    408: "server",
    409: "server",
    413: "size",
    425: "server",
    429: "pace",
}
TYPES: dict[str, Cause] = {
    "rate_limit_error": "pace",
    "rate_limit_exceeded": "pace",
    "authentication_error": "key",
    "permission_error": "key",
    "billing_error": "billing",
    "not_found_error": "model",
    "request_too_large": "size",
    "invalid_request_error": "request",
}
_STATUS = re.compile(r"[3-5]\d\d", re.ASCII)
WHOLE_ACCOUNT = frozenset({"billing", "key"})


class Failure(NamedTuple):
    """What a server sent in place of an answer; `error` is what its body complains of."""

    status: int | None
    headers: Mapping[str, str]
    error: object

    @property
    def said(self) -> str:
        """Its own words, on one line: '<type>: <message>'."""
        error = mapping(self.error)
        nested = mapping(error.get("error")) or error
        words = [_words(nested.get(name)) for name in ("type", "code", "message")]
        known = words if any(words) else [_words(self.error) or _words(error.get("detail"))]
        # LiteLLM has the status once more, and None, as text.
        telling = (each for each in known if each not in ("", "None") and not each.isdecimal())
        return ": ".join(dict.fromkeys(telling))

    @property
    def details(self) -> Json:
        """What some add to their words."""
        error = mapping(self.error)
        nested = mapping(error.get("error")) or error
        return {**mapping(nested.get("details")), **mapping(nested.get("metadata"))}

    @property
    def judged(self) -> str:
        """All that a judgement goes by, in lower case."""
        more = (_words(self.details.get(name)) for name in ("error_code", "error_type", "reason"))
        return ": ".join(filter(None, (self.said, *more))).lower()

    @property
    def code(self) -> int | None:
        """The status, or the one that an error within an answer names."""
        if self.status is not None and self.status >= 300:
            return self.status
        error = mapping(self.error)
        code = (mapping(error.get("error")) or error).get("code")
        named = int(text(code)) if _STATUS.fullmatch(text(code)) else count(code)
        return named if 300 <= named < 600 else None


def judge(failure: Failure, *, vendor: bool, now: float) -> Fault:
    """The fault; `vendor` means that the account there is at whoever serves the model."""
    cause = _cause(failure)
    headers = {name: value[:READ_HEADER] for name, value in failure.headers.items()}
    after = resets.after(headers, failure.said, pace=cause == "pace", now=now)
    return Fault(
        cause,
        shown(failure),
        status=failure.code,
        retry_after=after,
        until=_until(failure, now) if cause in ("billing", "pace") else None,
        everywhere=vendor and cause in WHOLE_ACCOUNT,
    )


def _until(failure: Failure, now: float) -> float | None:
    """The time that its words name, or what it adds to them."""
    return resets.named(f"{failure.said} {_words(failure.details.get('resets_at'))}", now)


def _cause(failure: Failure) -> Cause:
    source = _words(failure.details.get("limit_source"))
    if source:
        return "pace" if "in_flight" in source else "billing"
    said, code = failure.judged, failure.code
    for cause, words in WORDS:
        if words.search(said):
            return cause
    if code is None:
        kinds = [TYPES[word] for word in said.split(": ")[:2] if word in TYPES]
        return kinds[0] if kinds else "server"
    if code < 400 or code >= 500:
        return "server"
    return STATUSES.get(code, "request")


def _words(value: object) -> str:
    return text(value)[:READ]


def shown(failure: Failure) -> str:
    """Its own words after the status, cut; not yet without keys."""
    code = failure.code
    if code is not None and 300 <= code < 400:
        return f"{code}: redirects are not followed"
    said = failure.said or "gave no reason"
    return f"{code} {said}" if code else said


def final(fault: Fault, *secrets: keys.Secret, remedy: str | None, told: bool) -> Fault:
    """The fault as everybody may see it: no key in its words, and what can be done about it."""
    fault.message = keys.shown(fault.message, *secrets)
    fault.remedy = remedy and keys.shown(remedy, *secrets)
    fault.broke_off = told
    fault.args = (fault.cause, fault.message)  # those it was made with had the server's own words
    return fault
