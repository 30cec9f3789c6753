"""What a session truly used: once as the API answered it, once as the client was charged.

Both speak the ledger's names, so that three witnesses can be compared field by field.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from claude_tier.livecheck import Client, ScriptedAPI
from claude_tier.livecheck.scripted_api import Responder

Serve = Callable[[Responder], ScriptedAPI]
Totals = dict[str, dict[str, int]]

FOREGROUND = {"CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1"}

CHARGED_AS = {
    "input_tokens": "inputTokens",
    "output_tokens": "outputTokens",
    "cache_read_tokens": "cacheReadInputTokens",
    "cache_write_5m_tokens": "cacheCreationEphemeral5mInputTokens",
    "cache_write_1h_tokens": "cacheCreationEphemeral1hInputTokens",
    "web_searches": "webSearchRequests",
}


def answered(api: ScriptedAPI) -> Totals:
    """The tokens of every answer the API gave, by model."""
    totals: dict[str, Counter[str]] = {}
    for exchange in api.requests:
        if exchange.usage is not None:
            figures = {name: getattr(exchange.usage, name) for name in CHARGED_AS}
            totals.setdefault(exchange.model, Counter()).update(figures)
    return {model: {name: sums[name] for name in CHARGED_AS} for model, sums in totals.items()}


def charged(result: dict[str, Any]) -> Totals:
    """The tokens the client says it was charged for, by model: a result's, or a cost-state's."""
    return {
        model: {name: figures[key] for name, key in CHARGED_AS.items()}
        for model, figures in result["modelUsage"].items()
    }


def transcript(client: Client, session: str) -> list[dict[str, Any]]:
    """The rows of a session's main transcript."""
    config = client.config_dir or client.home / ".claude"
    (path,) = config.glob(f"projects/*/{session}.jsonl")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
