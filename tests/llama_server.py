"""A real llama.cpp server on loopback, in a process of its own, with a model that says one thing.

It is `xllamacpp` from PyPI with a model from `tiny_model`: a local provider as users have one, with
the Messages API, Chat Completions and Responses, streams, token counts and limits of its own.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from claude_tier.livecheck.isolation import Namespace

PACKAGES = ("xllamacpp", "gguf", "numpy")
MODEL = "tiny"  # what it says it serves, whatever a request asks for
SLOTS = 4  # requests answered at once, each with the whole context


@dataclass(frozen=True)
class Llama:
    """One that runs; `stop` kills it at once, as a crash would."""

    port: int
    process: subprocess.Popen[bytes]
    namespace: Namespace | None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Kill it. From then on connections are refused, and open ones are broken off."""
        self.process.kill()
        self.process.communicate()


Start = Callable[..., Llama]


def missing() -> str | None:
    """Why none can run here; None where one can."""
    for name in PACKAGES:
        if importlib.util.find_spec(name) is None:
            return f"the package {name} is missing: pip install --group test"
    return None


@contextmanager
def serving(
    reply: str | None = "HEARTBEAT_OK",
    *,
    ctx: int = 16384,
    port: int = 0,
    namespace: Namespace | None = None,
) -> Iterator[Llama]:
    """A server that answers everything with `reply`; None babbles until it is cut off.

    `ctx` is in tokens, of which a prompt has one a byte; llama.cpp rounds it up to 256. Port 0 is
    any free one. With a `namespace` only clients inside it can connect.
    """
    with tempfile.TemporaryDirectory(prefix="claude-tier-") as folder:
        model, log = Path(folder, "model.gguf"), Path(folder, "log")
        _make(model, reply)
        command = [sys.executable, __file__, str(model), str(ctx), str(port)]
        process = _start(command if namespace is None else namespace.command(command), log)
        llama = Llama(_port(process, log), process, namespace)
        try:
            yield llama
        finally:
            llama.stop()


@contextmanager
def sharing() -> Iterator[Start]:
    """Start servers as `serving` does, where those that are alike are one: no test may stop it.

    Skips where there is no llama.cpp.
    """
    if fault := missing():
        pytest.skip(fault)
    with ExitStack() as running:

        @cache
        def start(*args: Any, **options: Any) -> Llama:
            return running.enter_context(serving(*args, **options))

        yield start


def _make(model: Path, reply: str | None) -> None:
    # Not needed, and half a second, where no server is.
    import tiny_model

    tiny_model.rambling(model) if reply is None else tiny_model.saying(model, reply)


def _start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    with log.open("wb") as errors:
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors)


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """What the server says when it is ready; RuntimeError with its log when it ends instead."""
    assert process.stdout is not None
    said = process.stdout.readline()
    if not said:
        process.communicate()
        raise RuntimeError(f"llama.cpp did not start:\n{log.read_text('utf-8', 'replace')}")
    return int(said)


def main(model: str, ctx: str, port: str) -> int:
    """Serve until stdin ends, as it does when whoever started this is gone; say the port first."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.model_alias = {MODEL}
    params.n_ctx, params.port = int(ctx), int(port)
    params.n_parallel, params.kv_unified = SLOTS, True
    # Several threads would wait for each other, busily, on processors that tests share.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup = params.fit_params = params.ui = False
    server = xllamacpp.Server(params)  # returns when it answers
    address: str = server.listening_address
    sys.stdout.write(f"{address.rpartition(':')[2]}\n")
    sys.stdout.flush()
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
