"""A real LiteLLM proxy before a real llama.cpp: `make test-slow` installs it, 750 MB of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import llama_server
import pytest
from claude_tier.config.model import Config
from claude_tier.livecheck.isolation import listen
from claude_tier.livecheck.terminal import poll
from claude_tier.routing import providers
from claude_tier.routing.fault import Fault
from claude_tier.routing.prompt import Delta, Finished, Prompt

# Looked up while the environment is still the developer's own.
PROGRAM = os.environ.get("CLAUDE_TIER_LITELLM") or shutil.which("litellm")
MASTER = "sk-proxy-0000"
REPLY = "The local answer."
START = 120  # seconds; it takes 9 to 40
DECLARED = """
model_list:
  - model_name: tiny
    litellm_params: {{model: openai/tiny, api_base: "{url}/v1", api_key: none}}
    model_info: {{max_input_tokens: 12000}}
  - model_name: priced
    litellm_params:
      model: openai/tiny
      api_base: "{url}/v1"
      api_key: none
      input_cost_per_token: 0.001
      output_cost_per_token: 0.01
  - model_name: gone
    litellm_params: {{model: openai/other, api_base: "http://127.0.0.1:9/v1", api_key: none}}
router_settings: {{num_retries: 0, fallbacks: [{{gone: [tiny]}}]}}
general_settings: {{master_key: {key}}}
litellm_settings: {{telemetry: false}}
"""


@dataclass(frozen=True)
class Proxy:
    """One that runs, as a provider of the configuration."""

    port: int

    def config(self) -> Config:
        url = f"http://127.0.0.1:{self.port}"
        proxy = {"kind": "litellm", "base_url": url, "key_env": "PROXY_KEY"}
        return Config.model_validate({"providers": {"proxy": proxy}})


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Started once: importing it alone takes longer than every other test here."""
    if PROGRAM is None:
        pytest.skip("LiteLLM is missing: `make test-slow` installs it")
    home = tmp_path_factory.mktemp("litellm")
    with llama_server.serving(REPLY) as llama, listen() as held:
        port = int(held.getsockname()[1])
        held.close()
        (home / "config.yaml").write_text(DECLARED.format(url=llama.url, key=MASTER))
        yield from _running(home, port)


def _running(home: Path, port: int) -> Iterator[Proxy]:
    command = [str(PROGRAM), "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port)]
    # Its price list comes with it: it must not ask the network for a newer one.
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, env=env, stdout=log, stderr=subprocess.STDOUT)
    found = Proxy(port)
    try:
        assert poll(lambda: _answers(found), START), (home / "log").read_text()[-2000:]
        yield found
    finally:
        process.kill()
        process.wait()


def _answers(proxy: Proxy) -> bool:
    os.environ["PROXY_KEY"] = MASTER
    try:
        return anyio.run(_look, proxy).reachable
    finally:
        del os.environ["PROXY_KEY"]


async def _look(proxy: Proxy) -> providers.Found:
    async with providers.client(proxy.config(), "proxy") as client:
        return await client.look()


async def _ask(proxy: Proxy, model: str, stream: bool) -> tuple[str, Finished]:
    async with providers.client(proxy.config(), "proxy") as client:
        parts, end = [], None
        async for event in client.answer(model, Prompt.of("hi"), stream=stream):
            if isinstance(event, Delta):
                parts.append(event.text)
            elif isinstance(event, Finished):
                end = event
    assert end is not None
    return "".join(parts), end


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_KEY", MASTER)


@pytest.mark.parametrize("stream", [False, True])
def test_it_answers_and_says_which_model_served(proxy: Proxy, stream: bool) -> None:
    """The model behind it, in its headers; no price where it knows none."""
    text, end = anyio.run(_ask, proxy, "tiny", stream)

    assert text == REPLY
    assert end.model == "openai/tiny"
    assert end.usage.measured
    assert end.usage.input > 0
    assert end.usage.usd is None


@pytest.mark.parametrize("stream", [False, True])
def test_its_own_fallback_is_told_by_the_served_model(proxy: Proxy, stream: bool) -> None:
    """The body of a stream keeps the name of the model that is gone; the headers do not."""
    text, end = anyio.run(_ask, proxy, "gone", stream)

    assert text == REPLY
    assert end.model == "openai/tiny"


def test_its_own_price_is_what_it_cost(proxy: Proxy) -> None:
    """As the proxy is told to price that model."""
    _, end = anyio.run(_ask, proxy, "priced", False)

    usage = end.usage
    prompt = usage.input + usage.cache_read
    assert usage.usd == pytest.approx(prompt * 0.001 + usage.output * 0.01)


def test_an_unknown_model_is_one(proxy: Proxy) -> None:
    """Its status says 400, its words say which."""
    with pytest.raises(Fault) as caught:
        anyio.run(_ask, proxy, "nosuch", False)

    assert caught.value.cause == "model"
    assert MASTER not in str(caught.value)


def test_a_wrong_key_stops_it(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is shown nowhere."""
    monkeypatch.setenv("PROXY_KEY", "sk-wrong-1111")

    with pytest.raises(Fault) as caught:
        anyio.run(_ask, proxy, "tiny", False)

    assert caught.value.cause == "key"
    assert "sk-wrong-1111" not in repr(caught.value)


def test_its_models_have_windows(proxy: Proxy) -> None:
    """It knows them by the model behind a name, which two of these share."""
    found = anyio.run(_look, proxy)

    assert dict(found.models) == {"tiny": 12000, "priced": 12000, "gone": None}
