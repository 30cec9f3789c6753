"""OpenRouter's errors: the code is the status, and the metadata say whose limit it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from claude_tier.routing.fault import Cause

from .fault import Fault


def _error(
    cause: Cause,
    code: int,
    message: str,
    *,
    headers: Mapping[str, str] | None = None,
    **metadata: object,
) -> Fault:
    error = {"code": code, "message": message, **({"metadata": metadata} if metadata else {})}
    body = {"error": error, "user_id": "user_fake"}
    return Fault(cause, code, body, headers or {}, api="openrouter")


OPENROUTER = {
    "credits": _error(
        "billing",
        402,
        "This request requires more credits, or fewer max_tokens. You requested up to 16384 tokens,"
        " but can only afford 3324.",
        limit_source="openrouter_credits",
    ),
    "key_limit": _error(
        "billing", 402, "Key limit exceeded (total limit).", limit_source="openrouter_key_limit"
    ),
    "in_flight": _error(
        "pace",
        402,
        "This request would exceed your available credits given your current in-flight requests."
        " Retry after in-flight requests settle, or add credits.",
        headers={"retry-after": "3"},
        reason="in_flight_budget_exhausted",
        limit_source="openrouter_in_flight_budget",
    ),
    # A 403 that is about money, not about the key.
    "budget": _error(
        "billing",
        403,
        "Budget limit exceeded",
        limit_source="openrouter_workspace_budget",
        scope="workspace",
        limit_usd=10,
        spend_usd=10.2,
        resets_at="2026-12-01T00:00:00Z",
    ),
    "pace": _error(
        "pace",
        429,
        "Rate limit exceeded: free-models-per-min.",
        headers={"retry-after": "12", "x-ratelimit-remaining": "0"},
    ),
    "upstream_pace": _error(
        "pace",
        429,
        "Provider returned error",
        raw="{model} is temporarily rate-limited upstream. Please retry shortly.",
        provider_name="Fake",
    ),
    "key": _error("key", 401, "No auth credentials found"),
    "model": _error("model", 400, "{model} is not a valid model ID"),
    "no_endpoints": _error("model", 404, "No endpoints found for {model}."),
    "context": _error(
        "size",
        400,
        "This endpoint's maximum context length is 131072 tokens."
        " However, you requested about 150000 tokens.",
        error_type="context_length_exceeded",
    ),
    "unavailable": _error("server", 503, "No allowed providers are available right now."),
    "bad_gateway": _error("server", 502, "Provider returned error", provider_name="Fake"),
    # The model was at work already when it failed. In a stream an event says so.
    "error_in_200": replace(
        _error("server", 502, "Provider returned error"), status=200, streams=False
    ),
    # The end of the work and not of the answer: what there was of it is billed.
    "given_up": Fault(
        "server",
        body={
            "model": "{model}",
            "choices": [{"message": {"content": "half"}, "finish_reason": "error"}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100},
        },
        api="openrouter",
        streams=False,
    ),
}
