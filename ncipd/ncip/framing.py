"""Where a message ends when nothing but the message says so: NCIP over a bare connection (Z39.83-1 appendix D.8).

Messages follow each other on one connection, without lengths, so the end of the root element is the end of the message.
The splitter does no I/O and builds no tree. It looks only for what can open or close the root element, and for what can
hide it (comments, CDATA, processing instructions, a DOCTYPE with its quotes). It relies on one rule of XML: `<` stands
nowhere but at the beginning of markup. So other elements need not be understood, one that was never closed does no
harm, and a quotation mark that was never closed cannot swallow the messages behind it.

A scan never goes back: time is linear in what comes, however it is cut, and no more is held than one message may have.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from functools import lru_cache, partial
from typing import Final

from ncipd.ncip.problems import Problem, ProblemType

LONGEST_NAME: Final = 256  # bytes of a root element's name
SHOWN: Final = 20  # bytes of what is no message that are shown to its sender

_Scan = Generator[bytes | None, None, None]
_BOM = b"\xef\xbb\xbf"
_BETWEEN = re.compile(rb"(?:[ \t\r\n\x00\x04]+|\xef\xbb\xbf)*")
_SEPARATOR = re.compile(rb"[ \t]*(\r\n|\n|\x00|\x04)")
_NAME = re.compile(rb"<([A-Za-z_:\x80-\xff][^\s<>/]*)(?=[\s<>/])")
_UTF_16 = (b"\xff", b"\xfe", b"<\x00")  # neither of the former is in UTF-8
_SIGN_IN_TAG = re.compile(rb"""[<>"']""")
_END_OF_VALUE = {b'"': re.compile(rb'["<]'), b"'": re.compile(rb"['<]")}
_SIGN_IN_DOCTYPE = _SIGN_IN_TAG


class FramingLost(Problem):
    """Raised where nothing tells any more where a message begins or ends; no later byte can be understood."""

    def __init__(self, detail: str) -> None:
        """Say why, and what to send."""
        super().__init__(ProblemType.INVALID_MESSAGE_SYNTAX_ERROR, detail=detail)


class Splitter:
    """Cuts what comes on one connection into messages.

    Blanks, newlines, NUL, 0x04 and a byte order mark between messages are dropped. Encodings in which ASCII is not
    ASCII (UTF-16, EBCDIC) are refused: there, no byte tells where a message ends before its encoding is known.
    """

    def __init__(self, max_bytes: int) -> None:
        """Take the most bytes that a message may have."""
        self._max_bytes = max_bytes
        self._held = bytearray()
        self._at = 0  # where among the bytes held the scan is
        self._scan = self._messages()
        #: What the sender puts behind its messages, as far as it is known: a newline, NUL, 0x04 or nothing.
        self.separator = b""

    @property
    def pending(self) -> bool:
        """Whether a message has begun and is not whole yet (once `feed` has given all that there was)."""
        return bool(self._held)

    @property
    def rest(self) -> bytes:
        """What is there of a message that has begun."""
        return bytes(self._held)

    def feed(self, received: bytes) -> Iterator[bytes]:
        """Take what was received, and give every message that is whole now, as the iterator is asked for it.

        The iterator raises FramingLost after the last message that could be told from the next: where something other
        than a message begins, or a message is too large. After that, nothing more is given.
        """
        self._held += received
        return iter(partial(next, self._scan), None)

    # ------------------------------------------------------------------------------------------ the scan
    #
    # One generator for the life of the connection: it gives None where it needs more bytes to go on.

    def _messages(self) -> _Scan:
        while True:
            yield from self._go_to_message()
            yield from self._go_to_root()
            yield from self._go_behind_root()
            self._check_size(self._at)
            message = bytes(self._held[: self._at])
            self._drop(self._at)
            self._drop_between()  # as far as it is there: who answers wants to know how the sender ends a message
            yield message

    def _go_to_message(self) -> _Scan:
        self._drop_between()
        while not self._held or _BOM.startswith(self._held):  # of which a part may be all that there is
            yield None
            self._drop_between()

    def _drop_between(self) -> None:
        """Drop what stands between messages."""
        between = _BETWEEN.match(self._held)
        end = between.end() if between else 0
        if separator := _SEPARATOR.match(self._held, 0, end):
            self.separator = separator[1]
        self._drop(end)

    def _go_to_root(self) -> _Scan:
        """Go over the XML declaration, comments, processing instructions and the DOCTYPE."""
        while True:
            yield from self._skip_blanks()
            if not self._starts(b"<"):
                raise self._no_message()
            yield from self._need(2)
            if self._starts(b"<?"):
                yield from self._go_behind(b"?>", 2)
            elif self._starts(b"<!"):
                yield from self._need(4)
                yield from self._go_behind(b"-->", 4) if self._starts(b"<!--") else self._go_behind_doctype()
            else:
                return

    def _go_behind_doctype(self) -> _Scan:
        """Go behind the `>` that ends the DOCTYPE, in which declarations, quotes and comments may hold other ones."""
        self._at += 2
        open_declarations = 1
        while open_declarations:
            sign = yield from self._find(_SIGN_IN_DOCTYPE)
            if sign == b">":
                open_declarations -= 1
            elif sign != b"<":
                yield from self._go_behind(sign, 0)
            else:
                yield from self._need(3)  # behind the `<`: no markup is shorter
                if self._starts(b"!--"):
                    yield from self._go_behind(b"-->", 3)
                elif self._starts(b"?"):
                    yield from self._go_behind(b"?>", 1)
                elif self._starts(b"!"):
                    open_declarations += 1

    def _go_behind_root(self) -> _Scan:
        """Go behind the end of the root element, counting elements of the same name within it."""
        name = yield from self._root_name()
        tags, longest = _tags(name), max(len(name) + 3, len(b"<![CDATA["))
        depth = 0
        while True:
            tag = yield from self._find(tags, longest)
            if tag in _HIDING:
                yield from self._go_behind(_HIDING[tag], 0)
                continue
            is_whole = yield from self._go_behind_tag()
            depth += -1 if tag.startswith(b"</") else 0 if is_whole else 1
            if depth <= 0:
                return

    def _root_name(self) -> Generator[None, None, bytes]:
        while (found := _NAME.match(self._held, self._at)) is None:
            first = self._held[self._at + 1 : self._at + 2]
            if (first and not _NAME.match(b"<" + first + b">")) or len(self._held) - self._at > LONGEST_NAME + 1:
                raise self._no_message()
            yield from self._more()
        if len(found[1]) > LONGEST_NAME:
            raise self._no_message()
        return found[1]

    def _go_behind_tag(self) -> Generator[None, None, bool]:
        """Go behind the `>` of a tag, or to the `<` that shows it to be broken; whether it closes what it opens."""
        while True:
            sign = yield from self._find(_SIGN_IN_TAG)
            if sign == b">":
                return self._held[self._at - 2] == ord("/")
            if sign != b"<":
                sign = yield from self._find(_END_OF_VALUE[sign])
            if sign == b"<":
                self._at -= 1
                return False

    # ------------------------------------------------------------------------------------------ steps

    def _find(self, wanted: re.Pattern[bytes], longest: int = 1) -> Generator[None, None, bytes]:
        """Go behind the next place that matches, at most `longest` bytes of which decide about it, and give it."""
        while (found := wanted.search(self._held, self._at)) is None:
            begun = self._held.rfind(b"<", max(self._at, len(self._held) - longest)) if longest > 1 else -1
            self._at = begun if begun >= 0 else len(self._held)
            yield from self._more()
        self._at = found.end()
        return found[0]

    def _go_behind(self, mark: bytes, skip: int) -> _Scan:
        """Go over `skip` bytes that are there, and behind the next `mark`."""
        self._at += skip
        while (found := self._held.find(mark, self._at)) < 0:
            self._at = max(self._at, len(self._held) - len(mark) + 1)
            yield from self._more()
        self._at = found + len(mark)

    def _skip_blanks(self) -> _Scan:
        while True:
            while self._at < len(self._held) and self._held[self._at] in b" \t\r\n":
                self._at += 1
            if self._at < len(self._held):
                return
            yield from self._more()

    def _need(self, count: int) -> _Scan:
        while len(self._held) - self._at < count:
            yield from self._more()

    def _more(self) -> Generator[None, None, None]:
        self._check_size(len(self._held))
        yield None

    def _starts(self, text: bytes) -> bool:
        return self._held.startswith(text, self._at)

    def _drop(self, count: int) -> None:
        del self._held[:count]
        self._at = 0

    # ------------------------------------------------------------------------------------------ giving up

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            raise FramingLost(f"A message may have at most {self._max_bytes:,} bytes. Please send less at once.")

    def _no_message(self) -> FramingLost:
        there = bytes(self._held[self._at : self._at + SHOWN])
        if there.startswith(_UTF_16):
            return FramingLost("UTF-16 is not understood on a bare connection. Please send UTF-8.")
        return FramingLost(
            f"Expected the '<' of an NCIPMessage, found {repr(there)[1:]}. Please send one whole message after the "
            "other, and nothing but blanks, newlines, NUL or 0x04 between them."
        )


#: What can hide a tag within the root element, and what ends it.
_HIDING: Final = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}


@lru_cache(maxsize=16)
def _tags(name: bytes) -> re.Pattern[bytes]:
    """What counts within a root element of this name: its own tags, and what can hide one."""
    return re.compile(rb"<!--|<!\[CDATA\[|<\?|</?" + re.escape(name) + rb"(?=[\s<>/])")
