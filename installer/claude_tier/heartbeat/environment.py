"""What beats need that a scheduler does not give them: keys in variables of a shell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from claude_tier.config import Config
from claude_tier.heartbeat import models
from claude_tier.heartbeat.beat import Beat
from claude_tier.routing import target


def lacking(config: Config, beats: Iterable[Beat]) -> Iterator[str]:
    """A sentence for each provider that a beat asks and whose key is in a variable alone."""
    asked = dict.fromkeys(
        one.provider
        for beat in beats
        for name in beat.models
        for one in models.targets(config, name)
    )
    known = target.providers(config)
    for name in asked:
        provider = known[name]
        if provider.key_variable and not provider.key_file:
            yield (
                f"beats ask {name}, whose key is in {provider.key_variable}: a scheduler does not"
                f" have that; name a file of mode 0600 with `key_file` of the provider"
            )
