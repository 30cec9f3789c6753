"""What a LiteLLM proxy says: another server's words in its own, and the truth in its headers."""

from __future__ import annotations

from collections.abc import Mapping

from claude_tier.routing.fault import Cause
from wire_formats import Reply

from .fault import Fault

SERVED = "the-fallback"


def served_by(model: str, *, fallbacks: int = 0, cost: float = 0.0001) -> dict[str, str]:
    """The headers of an answer by that model."""
    return {
        "x-litellm-call-id": "b9d8e1f2-fake",
        "x-litellm-model-id": f"id-of-{model}",
        "x-litellm-model-group": model,
        "x-litellm-model-api-base": "https://fake.invalid/v1",
        "x-litellm-attempted-retries": "0",
        "x-litellm-attempted-fallbacks": str(fallbacks),
        "x-litellm-response-cost": str(cost),
        "x-litellm-version": "1.109.1",
    }


def _error(
    cause: Cause,
    status: int,
    message: str,
    *,
    kind: str = "None",
    headers: Mapping[str, str] | None = None,
) -> Fault:
    # It writes None and numbers as strings.
    error = {"message": message, "type": kind, "param": "None", "code": str(status)}
    return Fault(cause, status, {"error": error}, headers or {}, api="litellm")


LITELLM = {
    "model": _error(
        "model",
        400,
        "{'error': '/chat/completions: Invalid model name passed in model={model}."
        " Call `/v1/models` to view available models for your key.'}",
    ),
    "key": _error(
        "key",
        401,
        "Authentication Error, Invalid proxy server token passed.",
        kind="token_not_found_in_db",
    ),
    "budget": _error(
        "billing",
        400,
        "Budget has been exceeded! Current cost: 10.1, Max budget: 10.0",
        kind="budget_exceeded",
    ),
    # Of one of the models behind it; the others go on.
    "upstream_billing": _error(
        "billing",
        402,
        "litellm.APIError: APIError: OpenrouterException - Insufficient credits.",
    ),
    "pace": _error(
        "pace",
        429,
        "litellm.RateLimitError: No deployments available for selected model,"
        " Try again in 60 seconds.",
        kind="throttling_error",
        headers={"retry-after": "60"},
    ),
    "context": _error(
        "size",
        400,
        "litellm.ContextWindowExceededError: litellm.BadRequestError:"
        " ContextWindowExceededError: OpenAIException",
    ),
    "upstream": _error(
        "server", 500, "litellm.InternalServerError: AnthropicException - Overloaded."
    ),
    "fallback": Fault(
        None,
        headers=served_by(SERVED, fallbacks=1),
        api="litellm",
        reply=Reply(model=SERVED),
        streams=False,
    ),
    # Each chunk keeps the name that was asked for.
    "streamed_fallback": Fault(
        None, headers=served_by(SERVED, fallbacks=1), api="litellm", plain=False
    ),
}
