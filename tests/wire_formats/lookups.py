"""What else clients ask of these services: which models there are, how long a prompt is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from claude_tier.livecheck.request import Request

CREATED = 1764547200
CREATED_AT = "2026-01-01T00:00:00Z"
CONTEXT = 131072
BYTES_A_TOKEN = 4

Models = Sequence[str]
Lookup = Callable[[Request, Models], object]


def answer(request: Request, models: Models) -> tuple[int, object]:
    """Status and JSON."""
    path = request.path.partition("?")[0]
    found = LOOKUPS.get((request.method, path))
    if found is None:
        return 404, {"error": {"message": f"no such path: {path}", "type": "not_found_error"}}
    if path == "/api/show" and request.model not in models:
        return 404, {"error": f"model '{request.model}' not found"}
    return 200, found(request, models)


def _models(request: Request, models: Models) -> object:
    """Anthropic's list for who speaks to Anthropic, OpenAI's for all others."""
    if "anthropic-version" in request.headers:
        each = [
            {"type": "model", "id": name, "display_name": name, "created_at": CREATED_AT}
            for name in models
        ]
        ends = {"first_id": models[0], "last_id": models[-1]} if models else {}
        return {"data": each, "has_more": False, **ends}
    owned = {"object": "model", "created": CREATED, "owned_by": "fake"}
    return {"object": "list", "data": [{"id": name, **owned} for name in models]}


def _openrouter(request: Request, models: Models) -> object:
    pricing = {"prompt": "0.000001", "completion": "0.000005"}
    shared = {"created": CREATED, "context_length": CONTEXT, "pricing": pricing}
    return {"data": [{"id": name, "name": name, **shared} for name in models]}


def _openrouter_key(request: Request, models: Models) -> object:
    return {"data": {"label": "fake", "limit": 10.0, "limit_remaining": 7.5, "usage": 2.5}}


def _litellm(request: Request, models: Models) -> object:
    costs = {"input_cost_per_token": 1e-6, "output_cost_per_token": 5e-6}
    about = {**costs, "max_input_tokens": CONTEXT, "litellm_provider": "openai", "mode": "chat"}
    each = [
        {
            "model_name": name,
            "litellm_params": {"model": f"openai/{name}"},
            "model_info": {"id": f"id-of-{name}", **about},
        }
        for name in models
    ]
    return {"data": each}


def _ollama_tags(request: Request, models: Models) -> object:
    details = {"format": "gguf", "parameter_size": "8.0B", "quantization_level": "Q4_K_M"}
    shared = {"modified_at": CREATED_AT, "size": 4_920_753_328, "details": details}
    return {"models": [{"name": name, "model": name, **shared} for name in models]}


def _ollama_show(request: Request, models: Models) -> object:
    details = {"format": "gguf", "family": "llama", "parameter_size": "8.0B"}
    info = {"general.architecture": "llama", "llama.context_length": CONTEXT}
    return {"details": details, "model_info": info, "capabilities": ["completion", "tools"]}


def _count(request: Request, models: Models) -> object:
    return {"input_tokens": len(str(dict(request.body))) // BYTES_A_TOKEN}


LOOKUPS: Mapping[tuple[str, str], Lookup] = {
    ("GET", "/v1/models"): _models,
    ("POST", "/v1/messages/count_tokens"): _count,
    ("GET", "/api/v1/models"): _openrouter,
    ("GET", "/api/v1/key"): _openrouter_key,
    ("GET", "/model/info"): _litellm,
    ("GET", "/v1/model/info"): _litellm,
    ("GET", "/health/liveliness"): lambda request, models: "I'm alive!",
    ("GET", "/health"): lambda request, models: {"status": "ok"},
    ("GET", "/api/version"): lambda request, models: {"version": "0.13.0"},
    ("GET", "/api/tags"): _ollama_tags,
    ("POST", "/api/show"): _ollama_show,
}
