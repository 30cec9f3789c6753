"""What a group puts into an environment and takes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from claude_tier.config.groups import MAIN, Group
from claude_tier.config.providers import Model, Provider, host_of, is_loopback
from claude_tier.errors import UserError
from claude_tier.groups import variables
from claude_tier.groups.variables import API_KEY, BASE_URL

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.routing.keys import Secret

AUTH = "ANTHROPIC_AUTH_TOKEN"
NO_KEY = "no-key-needed"  # without any token Claude Code would send the user's own login there
ALIASES = ("FABLE", "OPUS", "SONNET", "HAIKU")
# Claude Code's own limit for a model it does not know; more would not fit into a small window.
USUAL_OUTPUT = 32_000
# Settings files may then neither name another endpoint nor add a key, and a key that was saved
# for Anthropic's Console is not sent along (seen in 2.1.329, which does both without it).
FIXED = {"CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST": "1"}
QUIET = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}


@dataclass(frozen=True)
class Profile:
    """The environment of one group; `provider` is None where it is Claude's own.

    `put` is everything it sets but the token.
    """

    name: str
    group: Group
    provider: Provider | None = None
    put: Mapping[str, str] = field(default_factory=dict)
    keys: frozenset[str] = frozenset()  # variables that hold keys of configured providers

    @property
    def endpoint(self) -> str | None:
        return self.put.get(BASE_URL) if self.provider else None

    @property
    def near(self) -> bool:
        """Whether what is sent there stays on this machine or one that the user calls their own."""
        return self.provider is not None and (
            bool(self.provider.local) or is_loopback(self.provider.url or "")
        )

    @property
    def model(self) -> str | None:
        return self.group.model

    def keeps(self, name: str) -> bool:
        """Whether the user wants that variable to stay."""
        return any(fnmatchcase(name, pattern) for pattern in self.group.passed)

    def removed(self, environ: Mapping[str, str]) -> list[str]:
        """What it takes out of that environment, in order."""
        if self.provider is None:
            found = variables.not_claudes(environ)
        else:
            found = variables.foreign(environ, self.keys)
        return sorted(name for name in set(found) if name not in self.put and not self.keeps(name))

    def token(self) -> Secret | None:
        """What it proves itself with to another endpoint; UserError where its key is missing."""
        from claude_tier.routing import keys

        if self.provider is None:
            return None
        try:
            return keys.of(self.provider) or keys.Secret(NO_KEY)
        except UserError as error:
            raise UserError(
                f"the group {self.name} cannot run: {error.message}"
                " (without one Claude Code would send your own login there)",
                error.hint,
            ) from None

    def environment(self, environ: Mapping[str, str], token: Secret | None) -> dict[str, str]:
        """That environment as this group's `claude` gets it."""
        gone = set(self.removed(environ))
        kept = {name: value for name, value in environ.items() if name not in gone}
        return {**kept, **self.put, **({AUTH: token.reveal()} if token else {})}


def of(config: Config, name: str, environ: Mapping[str, str]) -> Profile:
    """The profile of that group; UserError where there is none."""
    group = config.groups.get(name)
    if group is None and name != MAIN:
        known = ", ".join([MAIN, *(each for each in config.groups if each != MAIN)])
        raise UserError(f"there is no group {name} (there are: {known})", "add it to `groups`")
    group = group or Group()
    held = frozenset(filter(None, (each.key_variable for each in config.providers.values())))
    if group.provider is None or group.model is None:
        return Profile(name, group, put=dict(group.env), keys=held)
    provider = config.providers[group.provider]
    return Profile(name, group, provider, _put(group, provider, environ), held)


def base_url(url: str) -> str:
    """An address as Claude Code wants it: it adds /v1 itself; the port only where it is unusual."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{host_of(url)}{parts.path.rstrip('/').removesuffix('/v1')}"


def endpoint(
    url: str, model: str, environ: Mapping[str, str], *, near: bool = False
) -> dict[str, str]:
    """All requests, of every model and alias, to that address and that model.

    What is `near`, or on this machine, is reached past every proxy.
    """
    names = ("ANTHROPIC_MODEL", *(f"ANTHROPIC_DEFAULT_{alias}_MODEL" for alias in ALIASES))
    return {
        BASE_URL: base_url(url),
        API_KEY: "",
        **dict.fromkeys(names, model),
        "CLAUDE_CODE_SUBAGENT_MODEL": model,
        # An agent's file may name a model in full, which that server has not got.
        "CLAUDE_CODE_SUBAGENT_MODEL_FORCE": "1",
        **FIXED,
        **QUIET,
        **(_past_proxies(url, environ) if near or is_loopback(url) else {}),
    }


def _put(group: Group, provider: Provider, environ: Mapping[str, str]) -> dict[str, str]:
    assert group.model is not None
    known = provider.models.get(group.model, Model())
    context = group.context or known.window
    output = group.max_output or known.max_output
    if output is None and context is not None and context < 4 * USUAL_OUTPUT:
        output = context // 4
    sizes = {"CLAUDE_CODE_MAX_CONTEXT_TOKENS": context, "CLAUDE_CODE_MAX_OUTPUT_TOKENS": output}
    return {
        **group.env,
        **endpoint(provider.url or "", group.model, environ, near=bool(provider.local)),
        **{name: str(size) for name, size in sizes.items() if size},
    }


def _past_proxies(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """A proxy would see what is to stay here, so that none is asked though one is named."""
    given = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    host = urlsplit(url).hostname or ""
    names = given.replace(",", " ").split()
    listed = ",".join([*names, *([host] if host not in names else [])])
    return {"NO_PROXY": listed, "no_proxy": listed}
