"""`claude-tier env`: the same environment for a shell, a container, a program."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from .conftest import User

KEY = "sk-dummy-0123456789abcdef"
SHELL = {"AWS_PROFILE": "p", "ANTHROPIC_API_KEY": "own", "ANTHROPIC_ODD": "x"}


def keyed(user: User, **more: object) -> None:
    """`chat` on an endpoint with a key."""
    provider = {"kind": "litellm", "base_url": "https://llm.example/v1", **more}
    groups = {"chat": {"provider": "far", "model": "it's $HOME"}}
    user.write(json.dumps({"providers": {"far": provider}, "groups": groups}))


def evaluated(script: str, user: User, **env: str) -> dict[str, str]:
    """The environment after `eval` of that script in a plain sh."""
    shown = subprocess.run(
        ["/bin/sh", "-ec", 'eval "$0"; env -0', script],
        env={**user.env, **env}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return dict(pair.split("=", 1) for pair in shown.split("\0") if pair)


def test_a_shell_that_evaluates_it_has_the_environment_of_a_run(user: User) -> None:
    """Variable for variable, with names that need quoting."""
    keyed(user, key_env="LAN_KEY")
    user.call("env", "--group", "chat")
    printed = user.call("env", "--group", "chat", LAN_KEY=KEY, **SHELL).out.decode()

    found = evaluated(printed, user, LAN_KEY=KEY, **SHELL)

    wanted = user.profile(**SHELL)
    assert KEY not in printed
    assert {name: found[name] for name in wanted.put} == wanted.put
    assert found["ANTHROPIC_MODEL"] == "it's $HOME"
    assert found["ANTHROPIC_AUTH_TOKEN"] == KEY
    assert {"LAN_KEY", "AWS_PROFILE", "ANTHROPIC_ODD"} & set(found) == set()


def test_no_name_in_the_environment_is_a_command(user: User) -> None:
    """Nor a line of an env file: whoever named a variable so may not be its user."""
    keyed(user)
    odd = {"AWS_$(touch pwned)": "1", "AWS_A\nINJECTED": "1", "NO_PROXY": "a\nINJECTED=1"}
    for form in ("shell", "env-file"):
        printed = user.call("env", "--group", "chat", "--format", form, **odd).out.decode()
        assert "pwned" not in printed
        assert not any(line.startswith("INJECTED") for line in printed.splitlines())


def test_a_container_is_told_of_a_model_that_cannot_be_one(user: User) -> None:
    """As of any other mistake."""
    given = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "OPENAI_MODEL": "a\nb"}
    done = user.call("env", "--from-openai", **given)
    assert (done.code, done.out) == (1, b"")
    assert "OPENAI_MODEL is no name of a model" in done.errors


def test_a_key_in_a_file_is_read_by_the_shell(user: User) -> None:
    """Its path is printed, quoted."""
    file = user.home / "a key"
    file.write_text(f"{KEY}\n")
    keyed(user, key_file=str(file))
    printed = user.call("env", "--group", "chat").out.decode()

    assert KEY not in printed
    assert evaluated(printed, user)["ANTHROPIC_AUTH_TOKEN"] == KEY


def test_a_shell_without_the_key_is_not_led_to_the_endpoint(user: User) -> None:
    """With the address alone Claude Code would send the user's login there."""
    keyed(user, key_env="LAN_KEY")
    printed = user.call("env", "--group", "chat").out.decode()
    with pytest.raises(subprocess.CalledProcessError) as stopped:
        evaluated(printed, user)
    assert stopped.value.stdout == ""
    assert "LAN_KEY: is not set" in stopped.value.stderr

    script = f'eval "$(cat <<\'END\'\n{printed}END\n)"\necho "<$ANTHROPIC_BASE_URL>"\n'
    typed = subprocess.run(
        ["bash", "--norc", "-i"], env=user.env, input=script, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert "<>" in typed.stdout

    keyed(user, key_file=str(user.home / "none"))
    printed = user.call("env", "--group", "chat").out.decode()
    assert evaluated(printed, user)["ANTHROPIC_AUTH_TOKEN"] == "no-key-could-be-read"


def test_an_env_file_blanks_what_it_cannot_unset(user: User) -> None:
    """And says which key is missing in it."""
    keyed(user, key_env="LAN_KEY")
    lines = user.call("env", "--group", "chat", "--format", "env-file", **SHELL).out.decode()

    assert "# ANTHROPIC_AUTH_TOKEN is the value of LAN_KEY\nANTHROPIC_AUTH_TOKEN=\n" in lines
    for line in ("ANTHROPIC_BASE_URL=https://llm.example", "AWS_PROFILE=", "ANTHROPIC_ODD="):
        assert line in lines.splitlines()
    names = [line.partition("=")[0] for line in lines.splitlines() if line[0] != "#"]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("form", ["shell", "env-file", "json"])
def test_a_key_is_printed_only_where_it_was_asked_for(form: str, user: User) -> None:
    """In no form else."""
    keyed(user, key_env="LAN_KEY")
    arguments = ("env", "--group", "chat", "--format", form)

    assert KEY not in user.call(*arguments, LAN_KEY=KEY).out.decode()
    assert KEY in user.call(*arguments, "--show-keys", LAN_KEY=KEY).out.decode()
    missing = user.call(*arguments, "--show-keys")
    assert (missing.code, missing.out) == (1, b"")


def test_the_json_tells_what_to_set_and_what_to_unset(user: User) -> None:
    """A value that is not shown is null."""
    keyed(user, key_env="LAN_KEY")
    found = user.call("env", "--group", "chat", "--format", "json", **SHELL).json()

    assert (found["version"], found["group"], found["provider"]) == (1, "chat", "far")
    assert (found["endpoint"], found["fallback"]) == ("https://llm.example", None)
    assert found["set"]["ANTHROPIC_AUTH_TOKEN"] is None
    assert found["token"] == "the value of LAN_KEY"
    assert found["set"]["ANTHROPIC_API_KEY"] == ""
    assert {"AWS_PROFILE", "ANTHROPIC_ODD", "LAN_KEY"} <= set(found["unset"])
    assert set(found["unset"]) & set(found["set"]) == set()


def test_claudes_own_group_only_takes_away(user: User) -> None:
    """What belongs to other endpoints."""
    environ = {"ANTHROPIC_BASE_URL": "https://x.example", "ANTHROPIC_API_KEY": "of-x"}
    found = evaluated(user.call("env", "--group", "main", **environ).out.decode(), user, **environ)

    assert not any(name.startswith("ANTHROPIC") for name in found)


OPENAI = {
    "OPENAI_BASE_URL": "http://host.docker.internal:4000/v1",
    "OPENAI_API_KEY": KEY,
    "OPENAI_MODEL": "qwen3-coder",
}


def test_a_containers_own_variables_become_the_clients(user: User) -> None:
    """Without /v1, which the client adds; other programs keep theirs."""
    printed = user.call("env", "--from-openai", **OPENAI).out.decode()
    found = evaluated(printed, user, **OPENAI)

    assert KEY not in printed
    assert found["ANTHROPIC_BASE_URL"] == "http://host.docker.internal:4000"
    assert (found["ANTHROPIC_AUTH_TOKEN"], found["ANTHROPIC_API_KEY"]) == (KEY, "")
    assert found["ANTHROPIC_DEFAULT_OPUS_MODEL"] == "qwen3-coder"
    assert OPENAI.items() <= found.items()


WITHOUT = [
    ({"OPENAI_BASE_URL": ""}, "OPENAI_BASE_URL is not set"),
    (
        {"OPENAI_BASE_URL": "", "OPENAI_MODEL": ""},
        "OPENAI_BASE_URL and OPENAI_MODEL are not set\nSet them",
    ),
    ({"OPENAI_BASE_URL": "llm:4000"}, "OPENAI_BASE_URL is no plain http or https address"),
    ({"OPENAI_BASE_URL": "https://api.openai.com/v1"}, "does not speak Anthropic's"),
]


@pytest.mark.parametrize(("changed", "said"), WITHOUT)
def test_what_a_container_lacks_is_said(changed: dict[str, str], said: str, user: User) -> None:
    """Nothing is printed that would lead half the way."""
    done = user.call("env", "--from-openai", **{**OPENAI, **changed})

    assert (done.code, done.out) == (1, b"")
    assert said in done.errors


@pytest.mark.parametrize("arguments", [(), ("--group", "chat", "--from-openai")])
def test_one_origin_has_to_be_named(arguments: tuple[str, ...], user: User) -> None:
    """A group, or what the container has."""
    assert user.call("env", *arguments).code == 2


def test_the_help_of_both_commands_imports_no_client(user: User, tmp_path: Path) -> None:
    """Neither httpx nor the models of the configuration."""
    for command in ("run", "env"):
        done = user.run(command, "--help", PYTHONPROFILEIMPORTTIME="1", HOME=str(tmp_path))
        assert done.code == 0
        assert not {"httpx", "pydantic", "anyio"} & {
            line.rpartition("|")[2].strip() for line in done.errors.splitlines()
        }
