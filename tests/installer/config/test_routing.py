"""`chains`, `router` and `routes`: what each mistake is told as, and what a role stands for."""

from __future__ import annotations

from pathlib import Path

import pytest
from claude_tier import config
from claude_tier.config.routing import ROLES, Role, Router, leads_to

from .mistakes import faults


def route(conditions: str = "{}", **keys: str) -> str:
    given = {"name": "r", "target": "small", **keys}
    inside = "".join(f", {key}: {value}" for key, value in given.items() if value)
    return f"routes:\n  - {{conditions: {conditions}{inside}}}\n"


ONE_MISTAKE = [
    ("chains: {c: []}", "1:10: chains.c: must not be empty"),
    ("chains: {c: 5}", "1:10: chains.c: must be a list, not 5"),
    ("chains: {c: [a/b]}", "1:14: chains.c[0]: names no provider of yours: a (there are claude)"),
    ("chains: {c: [claude/]}", "1:14: chains.c[0]: must be provider/model, a chain or one of sma"),
    ("chains: {c: [claude/a, claude/a]}", "1:24: chains.c[1]: is listed twice"),
    ("chains: {small: [claude/a]}", "1:10: chains.small: is the name of a role, or has a /"),
    ("chains: {a/b: [claude/a]}", "1:10: chains.a/b: is the name of a role, or has a /"),
    ("chains: {c: [claude/a], d: [c]}", "1:29: chains.d[0]: must be provider/model, a chain or "),
    (
        "providers: {p: {base_url: 'https://x'}}\nchains: {c: [p/m]}",
        "2:14: chains.c[0]: the provider p has no kind, so it cannot be asked",
    ),
    ("router: {default: small}", "1:10: router.default: must be provider/model or a chain, not a"),
    ("router: {small: coding}", "1:10: router.small: must be provider/model or a chain, not a ro"),
    ("router: {small: x/y}", "1:10: router.small: names no provider of yours: x (there are claude"),
    ("router: {small: x}", "1:10: router.small: must be provider/model, a chain or one of small, "),
    ("router: {retries: 6}", "1:10: router.retries: must be less than or equal to 5, not 6"),
    ("router: {retries: -1}", "1:10: router.retries: must be greater than or equal to 0, not -1"),
    ("router: {timeout: 5}", "1:10: router.timeout: must be a duration such as 90s, 10m, 1h30m o"),
    ("router: {silence: x}", "1:10: router.silence: must be a duration such as 90s, 10m, 1h30m o"),
    ("router: {local_only: 1}", "1:10: router.local_only: must be true or false, not 1"),
    ("router: {smal: x}", "1:10: router.smal: unknown key; did you mean small? (known: default, "),
    ("routes: {a: b}", "1:1: routes: must be a list"),
    (route(target=""), "2:5: routes[0].target: is required"),
    (route(name=""), "2:5: routes[0].name: is required"),
    (route(target="x"), "2:31: routes[0].target: must be provider/model, a chain or one of small"),
    (route() + route()[8:], "3:22: routes[1].name: another route has this name"),
    (route("{kinds: [cod]}"), "2:27: routes[0].conditions.kinds[0]: must be 'heartbeat', 'file_"),
    (route("{kind: code}"), "2:19: routes[0].conditions.kind: unknown key; did you mean kinds?"),
    (route("{complexity: easy}"), "2:19: routes[0].conditions.complexity[0]: must be 'low', 'me"),
    (route("{tools: [net]}"), "2:27: routes[0].conditions.tools[0]: must be 'files', 'shell' or"),
    (
        route("{max_context_tokens: 0}"),
        "2:19: routes[0].conditions.max_context_tokens: must be greater than 0, not 0",
    ),
]


@pytest.mark.parametrize(("text", "expected"), ONE_MISTAKE)
def test_a_mistake_names_line_column_key_and_remedy(
    tmp_path: Path, text: str, expected: str
) -> None:
    """One mistake is one fault."""
    [fault] = faults(tmp_path, text)
    assert fault.startswith(expected)


def test_a_mistake_in_a_provider_is_told_once(tmp_path: Path) -> None:
    """And not again for everything that refers to one."""
    text = (
        "providers: {here: {kind: olama}, there: {kind: ollama}}\n"
        "chains: {c: [here/a, there/b]}\n"
        "router: {small: there/b}\n"
        "routes: [{name: r, target: here/a}]\n"
        "local_models: {general: here/a}\n"
        "groups: {g: {provider: here, model: a}}\n"
        "heartbeat: {model: there/b}\n"
    )
    [fault] = faults(tmp_path, text)
    assert fault.startswith("1:20: providers.here.kind: must be")


def test_one_target_or_condition_needs_no_brackets(tmp_path: Path) -> None:
    """`cheap: claude/haiku` is a chain of one."""
    file = tmp_path / "config.yaml"
    file.write_text("chains: {cheap: claude/haiku}\n" + route("{kinds: code, keywords: notes}"))
    found = config.load(file).config
    assert found.chains == {"cheap": ["claude/haiku"]}
    assert found.routes[0].conditions.kinds == ["code"]
    assert found.routes[0].conditions.keywords == ["notes"]


def test_a_model_may_hold_slashes_itself(tmp_path: Path) -> None:
    """The provider ends at the first one."""
    file = tmp_path / "config.yaml"
    file.write_text("providers: {or: {kind: openrouter}}\nrouter: {small: or/x/y:free}\n")
    assert config.load(file).config.router.small == "or/x/y:free"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_is_not_filled_is_the_default(role: Role) -> None:
    """Except `claude`, which is Claude itself."""
    expected = "claude/sonnet" if role == "claude" else "claude/haiku"
    assert Router(default="claude/haiku").filled(role) == expected
    assert Router.model_validate({role: "a/b"}).filled(role) == "a/b"


def test_a_name_leads_to_targets_in_order() -> None:
    """A chain may hold a role which stands for that chain, and holds it once."""
    chains = {"all": ["a/b/c", "small", "claude"]}
    router = Router(small="all")
    assert [*leads_to("small", router, chains)] == ["a/b/c", "claude/sonnet"]
    assert [*leads_to("coding", router, chains)] == ["claude/sonnet"]
    assert [*leads_to("x/y", router, chains)] == ["x/y"]
