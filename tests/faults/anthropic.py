"""Anthropic's errors, in the words of its documentation and of reports in public trackers."""

from __future__ import annotations

from collections.abc import Mapping

from claude_tier.livecheck.answers import ERROR_KINDS
from claude_tier.routing.fault import Cause

from .fault import Fault

# Named in the words of a spend limit.
REGAINED = "2026-12-01 at 00:00 UTC"
REGAINED_AT = 1796083200


def _error(
    cause: Cause,
    status: int,
    message: str,
    *,
    details: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Fault:
    kind = ERROR_KINDS.get(status, "api_error")
    error = {"type": kind, "message": message, **({"details": details} if details else {})}
    body = {"type": "error", "error": error, "request_id": "req_011Fake"}
    named = {"request-id": "req_011Fake", **(headers or {})}
    return Fault(cause, status, body, named, api="anthropic")


ANTHROPIC = {
    "pace": _error(
        "pace",
        429,
        "This request would exceed your organization's rate limit of 50 requests per minute.",
        headers={
            "retry-after": "17",
            "anthropic-ratelimit-requests-limit": "50",
            "anthropic-ratelimit-requests-remaining": "0",
            "anthropic-ratelimit-requests-reset": "2026-11-27T12:00:17Z",
        },
    ),
    "plan_window": _error(
        "pace",
        429,
        "This request would exceed your account's rate limit. Please try again later.",
        headers={
            "retry-after": "6457",
            "x-should-retry": "true",
            "anthropic-ratelimit-unified-status": "rejected",
            "anthropic-ratelimit-unified-representative-claim": "five_hour",
            "anthropic-ratelimit-unified-5h-utilization": "1.0",
            "anthropic-ratelimit-unified-5h-reset": str(REGAINED_AT),
            "anthropic-ratelimit-unified-reset": str(REGAINED_AT),
        },
    ),
    "spend_cap": _error(
        "billing",
        429,
        "You have reached your API usage limits: your organization has crossed its monthly API"
        f" usage threshold. You will regain access on {REGAINED}.",
        details={"error_code": "enforced_spend_limit_reached"},
    ),
    "usage_limit": _error(
        "billing",
        400,
        f"You have reached your specified API usage limits. You will regain access on {REGAINED}.",
    ),
    "workspace_limit": _error(
        "billing",
        400,
        "You have reached your specified workspace API usage limits."
        f" You will regain access on {REGAINED}.",
    ),
    "credit": _error(
        "billing",
        400,
        "Your credit balance is too low to access the Anthropic API."
        " Please go to Plans & Billing to upgrade or purchase credits.",
    ),
    "extra_usage": _error(
        "billing",
        400,
        "You're out of extra usage. Add more at claude.ai/settings/usage and keep going.",
    ),
    "billing": _error(
        "billing",
        402,
        "There is an issue with your billing or payment information.",
    ),
    "key": _error("key", 401, "invalid x-api-key"),
    "forbidden": _error(
        "key",
        403,
        "Your API key does not have permission to use the specified resource.",
    ),
    "model": _error("model", 404, "model: {model}"),
    "too_large": _error("size", 413, "Request exceeds the maximum allowed number of bytes."),
    "context": _error(
        "size",
        400,
        "prompt is too long: 213462 tokens > 200000 maximum",
    ),
    "request": _error(
        "request",
        400,
        "messages.0.content: Input should be a valid list",
    ),
    "internal": _error("server", 500, "Internal server error"),
    "overloaded": _error("server", 529, "Overloaded"),
    # An answer like any other: a warning that a window is nearly used up is no reason to go.
    "warning": Fault(
        None,
        headers={
            "anthropic-ratelimit-unified-status": "allowed_warning",
            "anthropic-ratelimit-unified-representative-claim": "seven_day",
            "anthropic-ratelimit-unified-5h-utilization": "0.13",
            "anthropic-ratelimit-unified-7d-status": "allowed_warning",
            "anthropic-ratelimit-unified-7d-utilization": "0.94",
            "anthropic-ratelimit-unified-7d-surpassed-threshold": "0.75",
            "anthropic-ratelimit-unified-7d-reset": str(REGAINED_AT),
            "anthropic-ratelimit-unified-overage-status": "rejected",
        },
        api="anthropic",
    ),
}
