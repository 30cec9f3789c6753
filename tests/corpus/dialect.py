"""Which generation of the client wrote a transcript, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass

Row = dict[str, object]


@dataclass(frozen=True)
class Dialect:
    """What a generation of clients writes.

    `split` tells 5m from 1h cache writes; `request_rows` writes an `api-request` row before each
    answer, points at it with `requestRef`, and names the subagent's type on its rows.
    """

    name: str
    version: str
    split: bool = True
    request_rows: bool = False


CURRENT = Dialect("current", "2.1.329", request_rows=True)
MIDDLE = Dialect("middle", "2.1.87")
OLD = Dialect("old", "2.0.69", split=False)


@dataclass(frozen=True)
class Place:
    """The standing facts of one transcript, repeated on each of its rows."""

    session: str
    cwd: str
    dialect: Dialect = CURRENT
    agent_id: str | None = None
    agent_type: str | None = None
    entrypoint: str = "cli"

    def head(self, parent: str | None) -> Row:
        """Return the keys that open a row of the conversation."""
        row: Row = {"parentUuid": parent, "isSidechain": self.agent_id is not None}
        if self.agent_id is not None:
            row["agentId"] = self.agent_id
        return row

    def tail(self) -> Row:
        """Return the keys that close it."""
        return {
            "userType": "external",
            "entrypoint": self.entrypoint,
            "cwd": self.cwd,
            "sessionId": self.session,
            "version": self.dialect.version,
            "gitBranch": "main",
        }
