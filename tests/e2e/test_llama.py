"""The real client on a real local server: what is sent there, and what comes back."""

from __future__ import annotations

from claude_tier.livecheck import Client, Namespace
from llama_server import Start
from recorder import Recorder

ROOM = 1 << 18  # tokens; the client's own instructions are some fifty thousand bytes


def test_the_client_says_what_a_local_model_says(
    client: Client, network: Namespace | None, llama: Start
) -> None:
    """Both inside a network of loopback alone."""
    server = llama("All is well.", ctx=ROOM, namespace=network)
    assert client.run("-p", "How is it?", api=server).result["result"] == "All is well."


def test_a_recorder_lets_the_client_out_to_a_local_model(
    client: Client, network: Namespace | None, llama: Start
) -> None:
    """And keeps what it asks."""
    with Recorder(llama("All is well.", ctx=ROOM).url, namespace=network) as recorder:
        run = client.run("-p", "How is it?", api=recorder)
    assert run.result["result"] == "All is well."
    assert "How is it?" in [request.prompt for request in recorder.requests]
