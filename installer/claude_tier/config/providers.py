"""The providers that answer requests: where they are, what they cost, what they are trusted with.

A provider without a `kind` only says what a host costs. With one it can be a target of the router.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from claude_tier.config.fields import Line, Seconds, Section, detail, raise_all
from claude_tier.config.pricing import Prices, Table, complete, merge

Kind = Literal[
    "anthropic",
    "openai",
    "openrouter",
    "ollama",
    "litellm",
    "llama-server",
    "anthropic-compatible",
    "openai-compatible",
    "claude-cli",
]
SAME_PRICE = "give both the same `free` and `prices`, as sessions are priced by their host"
CLAUDE = "claude"  # the provider that is always there: the user's own `claude -p`
_LOOPBACK = re.compile(r"(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?\Z")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Usual(NamedTuple):
    """What a kind has where the file does not say: address, variable of its key, longest cooldown.

    The variable's key belongs to that address: it is sent to no other unless the file names it.
    """

    base_url: str | None
    key_env: str | None
    cooldown: int  # seconds; 0 for none
    local: bool  # whether models on a loopback address run on this machine


HOUR = 3600
USUAL: dict[Kind, Usual] = {
    "anthropic": Usual("https://api.anthropic.com", "ANTHROPIC_API_KEY", 2 * HOUR, local=False),
    "openai": Usual("https://api.openai.com/v1", "OPENAI_API_KEY", 2 * HOUR, local=False),
    "openrouter": Usual(
        "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", HOUR // 2, local=False
    ),
    "ollama": Usual("http://127.0.0.1:11434", None, 0, local=True),
    # A proxy on loopback sends what it gets to others.
    "litellm": Usual("http://127.0.0.1:4000", None, HOUR // 2, local=False),
    "llama-server": Usual("http://127.0.0.1:8080", None, 0, local=True),
    "anthropic-compatible": Usual(None, None, HOUR // 2, local=False),
    "openai-compatible": Usual(None, None, HOUR // 2, local=False),
    "claude-cli": Usual(None, None, 2 * HOUR, local=False),
}


class Model(Section):
    """What the file knows of one model of a provider."""

    window: Annotated[int, Field(gt=0)] | None = None  # tokens of prompt and answer together
    max_output: Annotated[int, Field(gt=0)] | None = None


def _ceiling(value: object) -> object:
    return "0s" if value == "off" else value


def _duration(value: object) -> object:
    from claude_tier import durations

    text = value if isinstance(value, str) else ""
    return 0 if text == "0s" else durations.parse(text)


Ceiling = Annotated[int, BeforeValidator(_duration), BeforeValidator(_ceiling)]


def _variable(name: str) -> str:
    if not VARIABLE.match(name):
        raise ValueError("must be the name of an environment variable")
    return name


class Provider(Section):
    """One endpoint, or the user's own `claude`."""

    kind: Kind | None = None
    base_url: Line | None = Field(default=None, validate_default=True)
    local: bool | None = None
    free: bool = False
    prices: Prices = Field(default_factory=dict)
    key_env: Annotated[Line, AfterValidator(_variable)] | None = None
    key_file: Line | None = Field(default=None, validate_default=True)
    api: Literal["chat", "responses"] | None = None
    models: dict[Line, Model] = Field(default_factory=dict)
    timeout: Seconds | None = None
    silence: Seconds | None = None
    cooldown: Ceiling | None = None

    @field_validator("base_url")
    @classmethod
    def _is_plain_url(cls, url: str | None, info: ValidationInfo) -> str | None:
        kind = info.data.get("kind")
        if kind == "claude-cli":
            if url is not None:
                raise ValueError("cannot be set for claude-cli: it runs the unmodified `claude`")
            return None
        unknown = "kind" not in info.data  # a mistake of its own, which is reported already
        if url is None and not unknown and (kind is None or USUAL[kind].base_url is None):
            raise ValueError("is required")
        if url is not None and host_of(url) is None:
            raise ValueError("must be an http or https address without a user name or password")
        if url is not None and not {"?", "#"}.isdisjoint(url):  # a path comes after it
            raise ValueError("must be an address without a query: a key goes into key_env")
        return url

    @field_validator("prices")
    @classmethod
    def _priced_once(cls, prices: Prices, info: ValidationInfo) -> Prices:
        if prices and info.data.get("free"):
            raise_all([detail((), "cannot be set together with free: true")])
        return complete(prices, (info.context or {}).get("shipped", {}))

    @field_validator("key_file")
    @classmethod
    def _key_is_safe(cls, file: str | None, info: ValidationInfo) -> str | None:
        """One place for the key, and none for one that would cross a network in the clear."""
        named = info.data.get("key_env")
        if file and named:
            raise ValueError("cannot be set together with key_env")
        if not (file or named):
            return file
        if info.data.get("kind") == "claude-cli":
            raise ValueError("cannot be set for claude-cli: `claude` uses your own login")
        url = info.data.get("base_url") or ""
        if url.startswith("http://") and not (is_loopback(url) or info.data.get("local")):
            raise ValueError(
                "a key is sent to https addresses, to this machine, and to what is marked"
                " `local: true`"
            )
        return file

    @property
    def url(self) -> str | None:
        """Its address without a slash at the end; None for `claude` itself."""
        found = self.base_url or (USUAL[self.kind].base_url if self.kind else None)
        return found.rstrip("/") if found else None

    @property
    def key_variable(self) -> str | None:
        """The environment variable of its key; the usual one only for the usual address."""
        if self.key_env or self.key_file or self.kind is None:
            return self.key_env
        usual = USUAL[self.kind]
        return usual.key_env if usual.base_url in (self.base_url, self.url) else None

    @property
    def longest_cooldown(self) -> int:
        """Seconds; 0 for none."""
        if self.cooldown is not None:
            return self.cooldown
        return 0 if self.kind is None else USUAL[self.kind].cooldown

    def runs_here(self, model: str) -> bool:
        """Whether what is sent to that model stays on this machine, as far as can be known.

        Ollama serves models of its cloud under the same address: gpt-oss:120b-cloud.
        """
        if self.kind == "ollama" and model.lower().endswith(("-cloud", ":cloud")):
            return False
        if self.local is not None:
            return self.local
        return bool(self.kind and USUAL[self.kind].local and is_loopback(self.url or ""))

    def record(self, name: str, table: Table) -> dict[str, object]:
        """The provider as policy.json has it, with a whole price table where it has its own."""
        own = {"prices": merge(table, self.prices)} if self.prices else {}
        return {"name": name, "free": self.free, **own}


def _names_are_words(providers: dict[str, Provider]) -> dict[str, Provider]:
    """A target is provider/model, so that the name of a provider has no slash."""
    faults = [detail((name,), "a name has no / and no space") for name in providers if _odd(name)]
    raise_all(faults)
    return providers


def _odd(name: str) -> bool:
    return "/" in name or " " in name


def _hosts_agree(providers: dict[str, Provider]) -> dict[str, Provider]:
    """Several accounts may share a host; what it costs may not differ."""
    owners: dict[str, str] = {}
    for name, provider in providers.items():
        host = host_of(provider.url or "")
        owner = owners.setdefault(host, name) if host else name
        other = providers[owner]
        if (other.free, other.prices) != (provider.free, provider.prices):
            place = (name,) if provider.base_url is None else (name, "base_url")
            raise_all([detail(place, f"is at {host} like {owner}, at another price: {SAME_PRICE}")])
    return providers


Providers = Annotated[
    dict[Line, Provider], AfterValidator(_names_are_words), AfterValidator(_hosts_agree)
]


def host_of(url: str) -> str | None:
    """The host, with the port where it is not the scheme's own; None for what is no plain URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return host if port in (None, {"http": 80, "https": 443}[parts.scheme]) else f"{host}:{port}"


def is_loopback(url: str) -> bool:
    """Whether that address is this machine's own, by its name alone."""
    return bool(_LOOPBACK.match(host_of(url) or ""))
