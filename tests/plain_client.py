"""A client that leaves everything as it came: http.client, without retries or redirects."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from loopback_server import PATIENCE, LoopbackServer

KEY = "sk-mine"


class Got(NamedTuple):
    """An answer; `text` is its body."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def events(self) -> list[Any]:
        """The JSON of each event, whether named, unnamed or a line."""
        lines = [line.removeprefix("data: ") for line in self.text.splitlines()]
        return [json.loads(line) for line in lines if line.startswith("{")]


@contextmanager
def connected(server: LoopbackServer) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        yield connection
    finally:
        connection.close()


def post(connection: http.client.HTTPConnection, path: str, **body: object) -> None:
    headers = {"Content-Type": "application/json", "X-Api-Key": KEY}
    connection.request("POST", path, json.dumps({"model": "wanted", **body}), headers)


def read(connection: http.client.HTTPConnection) -> Got:
    answer = connection.getresponse()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return Got(answer.status, headers, answer.read().decode("utf-8", "replace"))


def ask(server: LoopbackServer, path: str = "/v1/messages", **body: object) -> Got:
    """The answer to a POST, without a stream unless told."""
    with connected(server) as connection:
        post(connection, path, **{"stream": False, **body})
        return read(connection)


def look(server: LoopbackServer, path: str, **headers: str) -> Got:
    """The answer to a GET with these headers; `x_key` is sent as x-key."""
    with connected(server) as connection:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers=given)
        return read(connection)
