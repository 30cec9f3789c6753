"""A profile from what a container is given for OpenAI's API, for a server that speaks both."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from claude_tier.config.groups import Group
from claude_tier.config.providers import Provider, host_of
from claude_tier.errors import UserError
from claude_tier.groups import profile
from claude_tier.groups.profile import Profile

NAME = "openai"
BASE_URL, KEY, MODEL = "OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL"


def of(environ: Mapping[str, str]) -> Profile:
    """OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL as Claude Code's; UserError without them."""
    url, model = environ.get(BASE_URL, ""), environ.get(MODEL, "")
    missing = [name for name, value in ((BASE_URL, url), (MODEL, model)) if not value]
    if missing:
        are, them = ("are", "them") if len(missing) > 1 else ("is", "it")
        hint = f"Set {them} as for OpenAI's own clients."
        raise UserError(f"{' and '.join(missing)} {are} not set", hint)
    if host_of(url) is None:
        raise UserError(f"{BASE_URL} is no plain http or https address")
    if host_of(url) == "api.openai.com":
        raise UserError(
            "OpenAI's own API does not speak Anthropic's",
            "Name a server that speaks both, such as LiteLLM or llama-server.",
        )
    # The container sends its key there already, so that this is no question of ours.
    provider = Provider.model_construct(
        kind="anthropic-compatible",
        base_url=url,
        local=True,
        key_env=KEY if environ.get(KEY) else None,
    )
    # Other programs in it go on as they did.
    try:
        group = Group.model_validate({"provider": NAME, "model": model, "pass": ["OPENAI_*"]})
    except ValidationError:
        raise UserError(f"{MODEL} is no name of a model: one line of 256 characters") from None
    return Profile(NAME, group, provider, profile.endpoint(url, model, environ))
