"""Hooks in children of a program that has read their modules: 30 ms less than a new interpreter.

Each is a process with descriptors, an environment and an end of its own. What an interpreter does
before it comes to the script is seen with `process.run` only.
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import runpy
import socket
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # the program has no site-packages and shall load no more than hooks do
    from typing import Any


def serve(asked: socket.socket) -> None:
    """Run what is asked for, one after the other, until the other side has gone."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(asked, 65536, 3)
        if not message:
            return
        child = os.fork()
        if child == 0:
            _become(json.loads(message), descriptors)
        for each in descriptors:
            os.close(each)
        asked.send(b"%d" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _become(request: dict[str, Any], descriptors: list[int]) -> None:
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.closerange(3, max(descriptors) + 1)
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    sys.argv = [request["script"]]
    runpy.run_path(request["script"], run_name="__main__")
    os._exit(0)


if __name__ == "__main__":
    sys.path[0] = sys.argv[1]
    import claude_tier_hooks

    for module in pkgutil.iter_modules(claude_tier_hooks.__path__, "claude_tier_hooks."):
        __import__(module.name)
    gc.freeze()  # a child that collects garbage would copy every page
    serve(socket.socket(fileno=int(sys.argv[2])))
