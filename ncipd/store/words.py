"""What was said, as it is kept: the words of many messages compressed together, because they say much the same.

A block begins with how many messages are in it, then for each the line of the audit trail that it belongs to and the
lengths of question and answer, then all the texts. Compressed by zlib. Forty messages of a broker take the room of one
or two that are compressed alone, and half of the time.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from struct import Struct
from typing import NamedTuple

TOGETHER = 64  # messages in a block
ENOUGH = 256 * 1024  # bytes of text after which a block takes no more

_COUNT = Struct(">I")
_LINE = Struct(">QII")


class Said(NamedTuple):
    """The words of one message, secrets masked, and the line of the audit trail that tells of it."""

    journal: int
    at: int
    asked: bytes
    answered: bytes


def blocks(said: Iterable[Said]) -> Iterator[tuple[int, int, bytes]]:
    """Compress messages, oldest first, into blocks: the first line's number, when the last was said, the words."""
    rest = iter(said)
    while block := list(_block(rest)):
        yield block[0].journal, block[-1].at, _pack(block)


def find(words: bytes, journal: int) -> tuple[bytes, bytes] | None:
    """Give the question and the answer of one line from a block; None where it is not in it."""
    text = zlib.decompress(words)
    (count,) = _COUNT.unpack_from(text)
    start = _COUNT.size + count * _LINE.size
    for at in range(count):
        line, asked, answered = _LINE.unpack_from(text, _COUNT.size + at * _LINE.size)
        if line == journal:
            return text[start : start + asked], text[start + asked : start + asked + answered]
        start += asked + answered
    return None


def _block(rest: Iterator[Said]) -> Iterator[Said]:
    size = 0
    for one in islice(rest, TOGETHER):
        yield one
        size += len(one.asked) + len(one.answered)
        if size >= ENOUGH:
            return


def _pack(block: list[Said]) -> bytes:
    head = [_COUNT.pack(len(block)), *[_LINE.pack(one.journal, len(one.asked), len(one.answered)) for one in block]]
    texts = [text for one in block for text in (one.asked, one.answered)]
    return zlib.compress(b"".join(head + texts), 1)
