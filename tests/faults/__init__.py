"""A catalogue of what goes wrong with providers, by name."""

from __future__ import annotations

from .anthropic import ANTHROPIC
from .anybody import ANYBODY
from .fault import API, Fault
from .litellm import LITELLM
from .local import LLAMA_SERVER, OLLAMA
from .openai import OPENAI
from .openrouter import OPENROUTER

__all__ = ["FAULTS", "Fault", "of"]

_BY_API: dict[API, dict[str, Fault]] = {
    "anthropic": ANTHROPIC,
    "openai": OPENAI,
    "openrouter": OPENROUTER,
    "ollama": OLLAMA,
    "llama_server": LLAMA_SERVER,
    "litellm": LITELLM,
}

# Named like "anthropic_credit"; what may happen with any server has no such prefix.
FAULTS: dict[str, Fault] = {
    **{f"{api}_{name}": fault for api, each in _BY_API.items() for name, fault in each.items()},
    **ANYBODY,
}


def of(api: API) -> dict[str, Fault]:
    """Those that a client of that API may meet."""
    return {name: fault for name, fault in FAULTS.items() if fault.api in (api, "any")}
