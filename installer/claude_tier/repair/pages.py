"""The leaves of an SQLite file, read page by page whatever is broken around them.

Nothing above a leaf is trusted: neither the header, nor the schema, nor the tree. A leaf that can
be read is read, also one that no tree leads to any more. The format is SQLite's own
(https://sqlite.org/fileformat2.html).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

MAGIC = b"SQLite format 3\0"
WAL_MAGIC = (0x377F0682, 0x377F0683)
WAL_HEADER, FRAME_HEADER = 32, 24
DEFAULT_SIZE = 4096
SIZES = tuple(512 << n for n in range(8))
LEAF_TABLE, LEAF_INDEX, INNER_INDEX = 13, 10, 2
LARGEST = 16 * 1024 * 1024  # bytes of one row; ours are far smaller

Value = int | float | str | bytes | None


class Cell(NamedTuple):
    """One row as it is stored; `rowid` is None in an index and in a table without rowids."""

    rowid: int | None
    payload: bytes


class Pages:
    """The newest committed version of every page, from the file and the WAL beside it."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("rb")
        beside = file.with_name(file.name + "-wal")
        self._log = beside.open("rb") if beside.exists() else None
        header = self._file.read(100)
        log_size = _u32(self._log.read(WAL_HEADER), 8) if self._log else 0
        self.size = next((s for s in (_size(header), log_size) if s in SIZES), DEFAULT_SIZE)
        reserved = header[20] if _size(header) and header[20] < 64 else 0
        self._usable = self.size - reserved
        self._logged = dict(_committed(self._log, self.size)) if self._log else {}
        length = file.stat().st_size
        self.count = max([-(-length // self.size), *self._logged])

    def close(self) -> None:
        self._file.close()
        if self._log:
            self._log.close()

    def page(self, number: int) -> bytes:
        """That page; less of it, or nothing, where the file ends early."""
        stream, at = self._file, (number - 1) * self.size
        if self._log and number in self._logged:
            stream, at = self._log, self._logged[number]
        stream.seek(at)
        return stream.read(self.size)

    def cells(self, number: int) -> Iterator[Cell]:
        """The rows on that page that can be read; none when it is no leaf."""
        page = self.page(number)
        start = 100 if number == 1 else 0
        if len(page) < start + 12 or page[start] not in (LEAF_TABLE, LEAF_INDEX, INNER_INDEX):
            return
        kind, count = page[start], _u16(page, start + 3)
        first = start + (12 if kind == INNER_INDEX else 8)
        for at in range(first, min(first + 2 * count, len(page) - 1), 2):
            cell = self._cell(page, kind, _u16(page, at))
            if cell is not None:
                yield cell

    def _cell(self, page: bytes, kind: int, at: int) -> Cell | None:
        try:
            length, at = varint(page, at + 4 * (kind == INNER_INDEX))
            rowid = None
            if kind == LEAF_TABLE:
                rowid, at = varint(page, at)
        except IndexError:
            return None
        if not 0 < length <= LARGEST:
            return None
        local = self._local(length, kind)
        payload = page[at : at + local]
        if local < length:
            payload += self._overflow(page[at + local : at + local + 4], length - local)
        return Cell(rowid, payload) if len(payload) == length else None

    def _local(self, length: int, kind: int) -> int:
        """How much of a payload stands on the page itself."""
        usable = self._usable
        most = usable - 35 if kind == LEAF_TABLE else (usable - 12) * 64 // 255 - 23
        if length <= most:
            return length
        least = (usable - 12) * 32 // 255 - 23
        rest = least + (length - least) % (usable - 4)
        return rest if rest <= most else least

    def _overflow(self, link: bytes, length: int) -> bytes:
        """The rest of a payload, from page to page; shorter where the chain is broken."""
        found = b""
        for _ in range(length // (self._usable - 4) + 1):
            number = _u32(link, 0)
            page = self.page(number) if 0 < number <= self.count else b""
            if len(page) < self._usable or len(found) >= length:
                break
            link, found = page[:4], found + page[4 : self._usable]
        return found[:length]


def _size(header: bytes) -> int:
    """The page size a header names; 0 when it is no header."""
    if not header.startswith(MAGIC) or len(header) < 100:
        return 0
    size = _u16(header, 16)
    return 65536 if size == 1 else size


def _committed(log: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    """(page, where its content stands) of every committed frame, in the order of writing."""
    log.seek(0)
    header = log.read(WAL_HEADER)
    if len(header) < WAL_HEADER or _u32(header, 0) not in WAL_MAGIC:
        return
    at, waiting = WAL_HEADER, {}
    while True:
        log.seek(at)
        frame = log.read(FRAME_HEADER)
        # Frames of an earlier round have other salts: what they hold is in the file by now.
        if len(frame) < FRAME_HEADER or frame[8:16] != header[16:24]:
            return
        waiting[_u32(frame, 0)] = at + FRAME_HEADER
        if _u32(frame, 4):
            yield from waiting.items()
            waiting = {}
        at += FRAME_HEADER + size


def varint(data: bytes, at: int) -> tuple[int, int]:
    """(value, where it ends) of SQLite's integer of 1 to 9 bytes; raises IndexError at the end."""
    value = 0
    for n in range(8):
        byte = data[at + n]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + n + 1
    return value << 8 | data[at + 8], at + 9


def record(payload: bytes) -> tuple[Value, ...] | None:
    """The columns of a row; None when this is none, or one whose text is no text."""
    try:
        end, at = varint(payload, 0)
        kinds = []
        while at < end:
            kind, at = varint(payload, at)
            kinds.append(kind)
    except IndexError:
        return None
    sizes = [_width(kind) for kind in kinds]
    if at != end or None in sizes or end + sum(filter(None, sizes)) != len(payload):
        return None
    try:
        return tuple(_values(payload, end, kinds))
    except UnicodeDecodeError:
        return None


_WIDTHS = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)


def _width(kind: int) -> int | None:
    if kind < len(_WIDTHS):
        return _WIDTHS[kind]
    return None if kind < 12 else (kind - 12) // 2


def _values(payload: bytes, at: int, kinds: list[int]) -> Iterator[Value]:
    for kind in kinds:
        width = _width(kind) or 0
        data = payload[at : at + width]
        at += width
        if kind == 0:
            yield None
        elif kind < 7:
            yield int.from_bytes(data, "big", signed=True)
        elif kind == 7:
            yield struct.unpack(">d", data)[0]
        elif kind < 12:
            yield kind - 8
        else:
            yield data.decode() if kind % 2 else data


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")
