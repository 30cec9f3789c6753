"""A network namespace with nothing but loopback, for the API and the client to meet in.

Linux and root only: that is what test machines have. Elsewhere the client is merely told of no
other address than the scripted API's.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING

from claude_tier.errors import UserError

if TYPE_CHECKING:
    from typing_extensions import Self

CLONE_NEWNET = 0x40000000
# Holds the namespace until our end of its stdin closes, also when we are killed.
HOLD = "ip link set lo up && echo up && exec cat"


class Namespace:
    """Open while in use (`with Namespace() as namespace`); UserError where that cannot be."""

    def __init__(self) -> None:
        command = ["unshare", "--net", "sh", "-c", HOLD]
        pipe = subprocess.PIPE
        self._holder = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"up\n":
            _, errors = self._holder.communicate()
            raise UserError(f"no network namespace: {errors.decode().strip()}")

    @staticmethod
    def available() -> bool:
        """Whether this machine lets us make one."""
        if sys.platform != "linux" or not all(map(shutil.which, ("unshare", "nsenter", "ip"))):
            return False
        made = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
        return made.returncode == 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._holder.communicate()

    @property
    def path(self) -> str:
        return f"/proc/{self._holder.pid}/ns/net"

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The command line that runs `arguments` inside."""
        return ["nsenter", f"--net={self.path}", *arguments]

    def listen(self) -> socket.socket:
        """A listening socket inside, for use from here: a socket stays where it was made."""
        # A namespace belongs to a thread: only this one enters, and it ends here.
        with ThreadPoolExecutor(max_workers=1) as inside:
            return inside.submit(self._enter_and_listen).result()

    def _enter_and_listen(self) -> socket.socket:
        libc = ctypes.CDLL(None, use_errno=True)
        with open(self.path) as handle:  # noqa: PTH123 - a descriptor is wanted, not a path
            if libc.setns(handle.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return listen()


def listen() -> socket.socket:
    """A listening socket on loopback, on a port the system chose."""
    # Twenty subagents connect at once; the default backlog of five would drop some.
    return socket.create_server(("127.0.0.1", 0), backlog=128)
