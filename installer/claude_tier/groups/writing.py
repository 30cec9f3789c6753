"""A profile for other programs: shell, a container's env file, JSON.

Keys stand in it only where they were asked for; else it says where each comes from.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from claude_tier.config.providers import VARIABLE
from claude_tier.groups import variables
from claude_tier.groups.profile import AUTH, NO_KEY, Profile
from claude_tier.routing.keys import Secret

NO_KEY_READ = "no-key-could-be-read"  # never empty: without a token there, a login would be sent


def as_shell(profile: Profile, environ: Mapping[str, str], token: Secret | None = None) -> str:
    """For `eval "$(…)"` in sh; the token by reference unless it is given."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in profile.put.items()]
    if profile.endpoint is not None:
        lines.append(f"export {AUTH}={shlex.quote(token.reveal()) if token else _shell(profile)}")
    # At the end, because the token may come from one of them.
    lines += [f"unset {name}" for name in unset(profile, environ)]
    if (variable := _variable(profile)) and not token:
        # One command: an interactive shell goes on with the next after one that failed.
        lines = [f': "${{{variable}:?is not set}}" && {{', *lines, "}"]
    return "".join(f"{line}\n" for line in lines)


def as_env_file(profile: Profile, environ: Mapping[str, str], token: Secret | None = None) -> str:
    """For `docker run --env-file`: such a file cannot unset, so that it blanks."""
    lines = [f"{name}={value}" for name, value in profile.put.items()]
    if profile.endpoint is not None:
        origin = _origin(profile)
        known = token.reveal() if token else "" if origin else NO_KEY
        lines += [f"# {AUTH} is {origin}"] if origin and not token else []
        lines.append(f"{AUTH}={known}")
    lines += [f"{name}=" for name in unset(profile, environ)]
    return "".join(f"{line}\n" for line in lines)


def fields(
    profile: Profile, environ: Mapping[str, str], token: Secret | None = None
) -> dict[str, object]:
    """The same for JSON: a variable whose value is not shown is null."""
    hidden: dict[str, str | None] = {}
    if profile.endpoint is not None:
        known = token.reveal() if token else None if _origin(profile) else NO_KEY
        hidden = {AUTH: known}
    return {
        "group": profile.name,
        "provider": profile.group.provider,
        "endpoint": profile.endpoint,
        "model": profile.model,
        "fallback": None if profile.group.fallback == "none" else profile.group.fallback,
        "token": _origin(profile),
        "set": {**profile.put, **hidden},
        "unset": unset(profile, environ),
    }


def unset(profile: Profile, environ: Mapping[str, str]) -> list[str]:
    """What must not be there: all known names, and what this environment has besides."""
    claudes = profile.endpoint is None
    known = [
        name
        for rule in variables.rules()
        for name in rule.names
        if "*" not in name and (not claudes or rule.main == "always")
    ]
    named = {*known, *(() if claudes else profile.keys), *profile.removed(environ)}
    ours = {*profile.put, AUTH} if not claudes else {*profile.put}
    # A variable may have any name, and what is no shell's own would be evaluated by it.
    return sorted(
        name
        for name in named
        if name not in ours and not profile.keeps(name) and VARIABLE.match(name)
    )


def _origin(profile: Profile) -> str | None:
    """Where the token comes from, in words; None where the endpoint needs none."""
    provider = profile.provider
    if provider is None or not (provider.key_file or provider.key_variable):
        return None
    return (
        f"in {provider.key_file}" if provider.key_file else f"the value of {provider.key_variable}"
    )


def _variable(profile: Profile) -> str | None:
    """The variable that a shell takes the token from; None where it is in a file, or needs none."""
    provider = profile.provider
    if provider is None or profile.endpoint is None or provider.key_file:
        return None
    return provider.key_variable


def _shell(profile: Profile) -> str:
    provider = profile.provider
    if provider is not None and provider.key_file:
        file = shlex.quote(str(Path(provider.key_file).expanduser()))
        return f'"$(cat {file} || echo {NO_KEY_READ})"'
    if variable := _variable(profile):
        return f'"${variable}"'
    return NO_KEY
