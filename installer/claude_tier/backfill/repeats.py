"""Rows that repeat a response: one for each content block, alike but for parent, block, id, time.

Recognised by their bytes against the row before, so that they need not be parsed. The client
(2.1.329) writes them as

    {"parentUuid":"<36>",…"message":{…"content":[…],"stop_reason":…"usage":{…"apiBlockIndex":0,
    …"uuid":"<36>","timestamp":"<24>",…}

and one that differs in anything else is parsed like any other row.
"""

from __future__ import annotations

CONTENT, AFTER = b'"content":[', b'],"stop_reason":'
_PARENT, _INDEX, _UUID, _TIME = (
    b'{"parentUuid":"',
    b'"apiBlockIndex":',
    b'"uuid":"',
    b'","timestamp":"',
)
_ID, _STAMP = 36, 24  # characters of a row's id and of its time
_HEAD = len(_PARENT) + _ID


class Pattern:
    """What the rows of one response have in common, and the latest time one of them had."""

    __slots__ = ("_end", "_head", "_middle", "_to_usage", "_usage", "time")

    def __init__(self, line: bytes, content: int, after: int, usage: int) -> None:
        """`content` and `after` are where the row's content begins and ends; then comes `usage`."""
        time = line.rfind(_TIME)
        uuid = time - _ID
        self.time = line[time + len(_TIME) : time + len(_TIME) + _STAMP]
        index = line.find(_INDEX, usage, max(usage, uuid)) + len(_INDEX)
        middle = index
        while line[middle : middle + 1].isdigit():
            middle += 1
        self._head = line[_HEAD:content]
        self._to_usage = usage - after
        self._usage = line[after:index]
        self._middle = line[middle:uuid]
        self._end = line[time + len(_TIME) + _STAMP :]
        usual = index > usage and self._middle.endswith(_UUID) and line.startswith(_PARENT)
        if not usual or self.time[-1:] != b"Z":
            self._head = b"\n"  # which no line holds

    def fits(self, data: bytes, start: int, end: int, usage: int) -> bool:
        """Whether that line says the same, at no earlier time; `usage` is the first one's place."""
        if not data.startswith(self._head, start + _HEAD):
            return False
        index = usage - self._to_usage + len(self._usage)
        stamp = end - len(self._end) - _STAMP
        uuid = stamp - len(_TIME) - _ID
        middle = uuid - len(self._middle)
        fits = (
            0 < middle - index < 5
            and data[index:middle].isdigit()
            and data.startswith(self._usage, usage - self._to_usage)
            and data.startswith(self._middle, middle)
            and data.startswith(_TIME, stamp - len(_TIME))
            and data.endswith(self._end, 0, end)
            and data.startswith(_PARENT, start)
        )
        if not fits or data[stamp : stamp + _STAMP] < self.time:
            return False
        self.time = data[stamp : stamp + _STAMP]
        return True
