"""OpenAI's errors; what is said of money has one type and several codes."""

from __future__ import annotations

from collections.abc import Mapping

from claude_tier.routing.fault import Cause

from .fault import Fault

QUOTA = "You exceeded your current quota, please check your plan and billing details."


def _error(
    cause: Cause,
    status: int,
    message: str,
    *,
    code: str | None,
    kind: str = "invalid_request_error",
    headers: Mapping[str, str] | None = None,
) -> Fault:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return Fault(cause, status, {"error": error}, headers or {}, api="openai")


def _quota(code: str, message: str = QUOTA) -> Fault:
    return _error("billing", 429, message, code=code, kind="insufficient_quota")


OPENAI = {
    "quota": _quota("insufficient_quota"),
    "credit": _quota("credit_balance_exhausted"),
    "spend_limit": _quota("organization_spend_limit_exceeded"),
    "project_limit": _quota("project_spend_limit_exceeded"),
    "usage_limit": _quota("organization_usage_limit_exceeded"),
    # The code alone tells.
    "quiet_limit": _error("billing", 429, "Limit reached.", code="project_spend_limit_exceeded"),
    "pace": _error(
        "pace",
        429,
        "Rate limit reached for {model} in organization org-fake on tokens per min (TPM):"
        " Limit 30000, Used 29500, Requested 2800. Please try again in 4.6s.",
        code="rate_limit_exceeded",
        kind="tokens",
        headers={
            "retry-after": "5",
            "retry-after-ms": "4600",
            "x-ratelimit-remaining-tokens": "500",
            "x-ratelimit-reset-tokens": "4.6s",
        },
    ),
    # Without a header that says for how long.
    "pace_in_words": _error(
        "pace",
        429,
        "Rate limit reached for {model} on requests per day (RPD): Limit 200, Used 200,"
        " Requested 1. Please try again in 7m12s.",
        code="rate_limit_exceeded",
        kind="requests",
    ),
    "slow_down": _error(
        "pace", 429, "Please reduce your request rate.", code="slow_down", kind="rate_limit_error"
    ),
    "key": _error(
        "key", 401, "Incorrect API key provided: sk-fake***0000.", code="invalid_api_key"
    ),
    "forbidden": _error(
        "key",
        403,
        "Country, region, or territory not supported",
        code="unsupported_country_region_territory",
        kind="request_forbidden",
    ),
    "model": _error(
        "model",
        404,
        "The model `{model}` does not exist or you do not have access to it.",
        code="model_not_found",
    ),
    "context": _error(
        "size",
        400,
        "This model's maximum context length is 128000 tokens. However, your messages resulted in"
        " 150000 tokens. Please reduce the length of the messages.",
        code="context_length_exceeded",
    ),
    "responses_context": _error(
        "size",
        400,
        "Your input exceeds the context window of this model."
        " Please adjust your input and try again.",
        code="context_length_exceeded",
    ),
    "request": _error(
        "request", 400, "Unsupported parameter: 'max_tokens'.", code="unsupported_parameter"
    ),
    "internal": _error(
        "server",
        500,
        "The server had an error while processing your request. Sorry about that!",
        code=None,
        kind="server_error",
    ),
    "overloaded": _error(
        "server",
        503,
        "Our servers are currently overloaded. Please try again later.",
        code="server_is_overloaded",
        kind="service_unavailable_error",
    ),
}
