"""The rows of a transcript as dicts: keys, and their order, as the clients write them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone

from .answer import Answer, Iteration, Tokens
from .dialect import Dialect, Place, Row


@dataclass(frozen=True)
class Link:
    """A row's place in the conversation."""

    uuid: str
    parent: str | None
    at: datetime


@dataclass(frozen=True)
class Shown:
    """What one row of an answer shows: one content block, and the figures known by then."""

    block: Row
    tokens: Tokens
    stop_reason: str | None
    model: str
    iterations: tuple[Iteration, ...] = ()
    after_ms: int = field(default=40)


def stamp(at: datetime) -> str:
    """Return a timestamp as the client spells it: 2026-11-20T09:30:00.000Z."""
    utc = at.astimezone(timezone.utc).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "Z"


def usage(dialect: Dialect, shown: Shown, answer: Answer) -> Row:
    """Return the `usage` object of one row; today's early rows have what a stream begins with."""
    tokens = shown.tokens
    row: Row = {
        "input_tokens": tokens.input_tokens,
        "cache_creation_input_tokens": tokens.cache_write,
        "cache_read_input_tokens": tokens.cache_read_tokens,
        "output_tokens": tokens.output_tokens,
    }
    if not dialect.split:
        return row | {"service_tier": "standard"}
    if not dialect.request_rows:
        split = {"cache_creation": _split(tokens), "service_tier": "standard"}
        return row | split | {"inference_geo": answer.geo or "not_available"}
    if shown.stop_reason is None:
        return row | {"cache_creation": _split(tokens)}
    return row | {
        "output_tokens_details": {"thinking_tokens": tokens.output_tokens // 3},
        "server_tool_use": {
            "web_search_requests": tokens.web_searches,
            "web_fetch_requests": answer.web_fetches,
        },
        "service_tier": "standard",
        "cache_creation": _split(tokens),
        "inference_geo": answer.geo,
        "iterations": [_iteration(part) for part in shown.iterations],
        "speed": answer.speed,
        "fallback_credit": None,
    }


def _split(tokens: Tokens) -> Row:
    return {
        "ephemeral_1h_input_tokens": tokens.cache_write_1h_tokens,
        "ephemeral_5m_input_tokens": tokens.cache_write_5m_tokens,
    }


def _iteration(part: Iteration) -> Row:
    return {
        "type": part.kind,
        "model": part.model,
        "input_tokens": part.tokens.input_tokens,
        "output_tokens": part.tokens.output_tokens,
        "cache_read_input_tokens": part.tokens.cache_read_tokens,
        "cache_creation_input_tokens": part.tokens.cache_write,
        "cache_creation": _split(part.tokens),
    }


def assistant(place: Place, link: Link, answer: Answer, shown: Shown, *, index: int) -> Row:
    """Return one row of an answer."""
    current = place.dialect.request_rows
    message: Row = {
        "id": answer.id,
        "type": "message",
        "role": "assistant",
        "model": shown.model,
        "content": [shown.block],
        "stop_reason": shown.stop_reason,
        "stop_sequence": None,
        "usage": usage(place.dialect, shown, answer),
    }
    row = place.head(link.parent) | {"message": message}
    if current:
        message["stop_details"] = None
        row["apiBlockIndex"] = index
    if answer.request_id is not None:
        row["requestId"] = answer.request_id
    if answer.ref is not None:
        row["requestRef"] = answer.ref
    if current:
        row |= {"requestedModel": answer.model, "promptCacheRequested": "5m"}
    if place.agent_type is not None and current:
        row["attributionAgent"] = place.agent_type
    row |= {"type": "assistant", "uuid": link.uuid, "timestamp": stamp(link.at)}
    if current:
        row |= {"effort": "medium", "perTurnEffort": "medium", "madeBy": "model"}
    return row | place.tail()


def user(place: Place, link: Link, content: object, **extra: object) -> Row:
    """Return a prompt, or a tool result when `content` is a list; `extra` goes before the tail."""
    row = place.head(link.parent) | {
        "type": "user",
        "message": {"role": "user", "content": content},
        "uuid": link.uuid,
        "timestamp": stamp(link.at),
    }
    return row | extra | place.tail()


def attachment(place: Place, link: Link, body: Row) -> Row:
    """Return an attachment: context that the client adds to the conversation."""
    row = place.head(link.parent) | {"attachment": body, "type": "attachment"}
    return row | {"uuid": link.uuid, "timestamp": stamp(link.at)} | place.tail()


def system(place: Place, link: Link, subtype: str, **extra: object) -> Row:
    """Return a note of the client itself, e.g. `compact_boundary`."""
    row = place.head(link.parent) | {"type": "system", "subtype": subtype} | extra
    return row | {"timestamp": stamp(link.at), "uuid": link.uuid} | place.tail()


def progress(place: Place, link: Link, mirrored: Row, agent_id: str) -> Row:
    """Return the old mirror of a subagent's row in its parent's transcript."""
    keys = ("type", "message", "requestId", "uuid", "timestamp")
    message = {key: mirrored[key] for key in keys if key in mirrored}
    data = {"message": message, "type": "agent_progress", "prompt": "", "agentId": agent_id}
    row = place.head(link.parent) | {"type": "progress", "data": data}
    return row | {"uuid": link.uuid, "timestamp": stamp(link.at)} | place.tail()


def tool_result(tool_id: str, text: object) -> list[Row]:
    """Return the content of the user row that carries a tool's answer."""
    return [{"tool_use_id": tool_id, "type": "tool_result", "content": text, "is_error": False}]


def api_request(place: Place, answer: Answer, at: datetime, digest: str) -> Row:
    """Return the row that the client writes when it sends a request."""
    row: Row = {"type": "api-request", "sessionId": place.session}
    if place.agent_id is not None:
        row["agentId"] = place.agent_id
    source = "repl_main_thread" if place.agent_type is None else f"agent:custom:{place.agent_type}"
    return row | {
        "id": answer.ref,
        "timestamp": stamp(at),
        "version": place.dialect.version,
        "querySource": source,
        "shapeHash": digest,
        "params": {
            "model": answer.model,
            "betas": ["claude-code-20250219", "context-management-2025-06-27"],
            "max_tokens": 128000,
            "thinking": {"type": "adaptive", "display": "omitted"},
            "output_config": {"effort": "medium"},
        },
        "keep": 0,
        "tail": [digest],
        "cacheControl": [{"path": ["system", 0], "value": {"type": "ephemeral"}}],
        "requestDigest": digest,
    }


def synthetic(place: Place, link: Link, text: str) -> Row:
    """Return what the client writes in the model's stead when the API fails."""
    nothing: Row = {
        "output_tokens_details": None,
        "input_tokens": 0,
        "output_tokens": 0,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
        "service_tier": None,
        "cache_creation": _split(Tokens()),
        "inference_geo": None,
        "iterations": None,
        "speed": None,
    }
    message: Row = {
        "id": link.uuid,
        "container": None,
        "model": "<synthetic>",
        "role": "assistant",
        "stop_reason": "stop_sequence",
        "stop_sequence": "",
        "type": "message",
        "usage": nothing,
        "content": [{"type": "text", "text": text}],
    }
    row = place.head(link.parent) | {"type": "assistant", "uuid": link.uuid}
    row |= {"timestamp": stamp(link.at), "message": message, "error": "overloaded_error"}
    return row | {"isApiErrorMessage": True, "apiErrorStatus": 529} | place.tail()
