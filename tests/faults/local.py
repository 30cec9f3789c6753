"""The errors of Ollama and of llama.cpp's server."""

from __future__ import annotations

from claude_tier.routing.fault import Cause

from .fault import Fault


def _ollama(cause: Cause, status: int, message: str) -> Fault:
    return Fault(cause, status, {"error": message}, api="ollama")


def _llama(cause: Cause, status: int, message: str, *, kind: str, **more: int) -> Fault:
    error = {"code": status, "message": message, "type": kind, **more}
    return Fault(cause, status, {"error": error}, api="llama_server")


OLLAMA = {
    "model": _ollama("model", 404, "model '{model}' not found"),
    "old_model": _ollama("model", 404, 'model "{model}" not found, try pulling it first'),
    "context": _ollama("size", 400, "the input length exceeds the context length"),
    "busy": _ollama(
        "server", 503, "server busy, please try again.  maximum pending requests exceeded"
    ),
    "died": _ollama("server", 500, "llama runner process has terminated: signal: killed"),
    "memory": _ollama(
        "server",
        500,
        "model requires more system memory (10.0 GiB) than is available (4.0 GiB)",
    ),
    "request": _ollama("request", 400, "json: cannot unmarshal string into Go value"),
}

LLAMA_SERVER = {
    "context": _llama(
        "size",
        400,
        "request (13392 tokens) exceeds the available context size (8192 tokens),"
        " try increasing it",
        kind="exceed_context_size_error",
        n_prompt_tokens=13392,
        n_ctx=8192,
    ),
    "bad_json": _llama(
        "request",
        500,
        "[json.exception.parse_error.101] parse error at line 1, column 2:"
        " syntax error while parsing object key",
        kind="server_error",
    ),
    "loading": _llama("server", 503, "Loading model", kind="unavailable_error"),
    "key": _llama("key", 401, "Invalid API Key", kind="authentication_error"),
}
