"""What a group puts into an environment, and what is left of the old one."""

from __future__ import annotations

import json

import pytest
from claude_tier.errors import UserError
from claude_tier.groups import profile
from claude_tier.routing.keys import Secret

from .conftest import User

SHELL = {"HOME": "/h", "ANTHROPIC_API_KEY": "own", "AWS_PROFILE": "p", "OPENAI_API_KEY": "o"}


def test_another_endpoint_gets_its_model_under_every_name(user: User) -> None:
    """And nothing of what was there, an empty key included."""
    found = user.profile(**SHELL)
    env = found.environment(SHELL, Secret("t"))

    assert env["ANTHROPIC_BASE_URL"] == user.endpoint
    assert (env["ANTHROPIC_API_KEY"], env["ANTHROPIC_AUTH_TOKEN"]) == ("", "t")
    models = {name: value for name, value in env.items() if name.endswith("_MODEL")}
    assert set(models) == {
        "ANTHROPIC_MODEL",
        *(f"ANTHROPIC_DEFAULT_{alias}_MODEL" for alias in profile.ALIASES),
        "CLAUDE_CODE_SUBAGENT_MODEL",
    }
    assert set(models.values()) == {"tiny"}
    assert env["CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST"] == "1"
    assert {"AWS_PROFILE", "OPENAI_API_KEY"} & set(env) == set()
    assert env["HOME"] == "/h"


def test_claudes_own_group_is_there_without_a_configuration(user: User) -> None:
    """`main`, with the user's own environment."""
    (user.state / "config.yaml").unlink()
    found = user.profile("main", **SHELL)

    assert found.environment(SHELL, found.token()) == SHELL


def test_a_group_that_is_not_there_is_named_with_those_that_are(user: User) -> None:
    """The user may have meant one of them."""
    with pytest.raises(UserError, match=r"there is no group chta \(there are: main, chat, odd\)"):
        user.profile("chta")


def test_what_the_user_wants_kept_is_kept(user: User) -> None:
    """By name and by pattern."""
    user.configure(**{"pass": ["AWS_*"], "env": {"API_TIMEOUT_MS": "9"}})
    env = user.profile(**SHELL).environment(SHELL, None)

    assert (env["AWS_PROFILE"], env["API_TIMEOUT_MS"]) == ("p", "9")
    assert "OPENAI_API_KEY" not in env


def test_a_key_of_another_provider_is_taken_out_by_its_configured_name(user: User) -> None:
    """Whatever it is called."""
    far = {"kind": "litellm", "base_url": "https://far.example", "key_env": "FARAWAY"}
    near = {"kind": "ollama"}
    groups = {"chat": {"provider": "near", "model": "m"}}
    user.write(json.dumps({"providers": {"far": far, "near": near}, "groups": groups}))

    assert user.profile().removed({"FARAWAY": "k", "OTHER": "x"}) == ["FARAWAY"]


SIZES = [
    ({}, {}, (None, None)),
    ({"context": 65536}, {}, ("65536", "16384")),
    ({"context": 65536, "max_output": 4000}, {}, ("65536", "4000")),
    ({}, {"window": 32768}, ("32768", "8192")),
    ({"context": 20000}, {"window": 32768, "max_output": 1000}, ("20000", "1000")),
    ({"context": 200_000}, {}, ("200000", None)),
]


@pytest.mark.parametrize(("group", "model", "sizes"), SIZES)
def test_the_client_is_told_what_the_model_can_take(
    group: dict[str, int], model: dict[str, int], sizes: tuple[str | None, ...], user: User
) -> None:
    """The group's word, else the provider's; an answer leaves room for the prompt."""
    provider = {"kind": "ollama", "models": {"m": model}}
    groups = {"chat": {"provider": "near", "model": "m", **group}}
    user.write(json.dumps({"providers": {"near": provider}, "groups": groups}))
    put = user.profile().put

    names = ("CLAUDE_CODE_MAX_CONTEXT_TOKENS", "CLAUDE_CODE_MAX_OUTPUT_TOKENS")
    assert tuple(map(put.get, names)) == sizes


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://api.z.ai/api/anthropic/", "https://api.z.ai/api/anthropic"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api"),
        ("http://127.0.0.1:4000/v1/", "http://127.0.0.1:4000"),
        ("https://llm.example:443/v1", "https://llm.example"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_the_address_is_as_the_client_and_the_price_list_want_it(url: str, wanted: str) -> None:
    """Without /v1, which the client adds; the host as `providers` has it."""
    assert profile.base_url(url) == wanted


@pytest.mark.parametrize("given", ["", "a.example, b.example", "127.0.0.1"])
def test_what_is_for_this_machine_passes_no_proxy(given: str, user: User) -> None:
    """What the environment excepts already stays excepted."""
    put = user.profile(**({"NO_PROXY": given} if given else {})).put

    assert put["NO_PROXY"] == put["no_proxy"]
    assert put["NO_PROXY"].split(",")[-1] == "127.0.0.1"
    assert set(filter(None, given.replace(" ", "").split(","))) <= set(put["NO_PROXY"].split(","))
    assert put["NO_PROXY"].count("127.0.0.1") == 1


@pytest.mark.parametrize("local", [True, False])
def test_what_stays_on_machines_of_the_users_own_passes_no_proxy(local: bool, user: User) -> None:
    """As for the router: a proxy would see what is not to leave."""
    lan = {"kind": "litellm", "base_url": "http://llm.lan:4000", "local": local}
    groups = {"chat": {"provider": "lan", "model": "m"}}
    user.write(json.dumps({"providers": {"lan": lan}, "groups": groups}))

    found = user.profile(HTTP_PROXY="http://p", no_proxy="a b")
    assert found.put.get("NO_PROXY") == ("a,b,llm.lan" if local else None)
    assert found.near is local


def test_a_missing_key_is_refused_before_the_login_could_take_its_place(user: User) -> None:
    """With what to do."""
    far = {"kind": "openrouter"}
    groups = {"chat": {"provider": "far", "model": "m"}}
    user.write(json.dumps({"providers": {"far": far}, "groups": groups}))

    with pytest.raises(UserError, match="would send your own login there") as caught:
        user.profile().token()
    assert caught.value.hint == "set OPENROUTER_API_KEY"


def test_an_endpoint_without_a_key_is_given_a_word(user: User) -> None:
    """Never nothing."""
    token = user.profile().token()

    assert token is not None
    assert token.reveal() == profile.NO_KEY
