"""What comes before the root element: encoding, XML declaration and DOCTYPE, made harmless before anything is parsed.

The patterns have bounds, so that no prolog takes long to look at.
"""

from __future__ import annotations

import re

from ncipd.ncip import forms
from ncipd.ncip.applied import Applied
from ncipd.ncip.forms import BLANKS
from ncipd.ncip.octets import DECLARATION, as_utf_8, is_utf_8
from ncipd.ncip.paths import Node
from ncipd.ncip.problems import Problem, ProblemType

# All are supersets of ASCII, so that the prolog can be read before it is known whether the bytes are in that encoding.
_UNDERSTOOD = re.compile(r"utf-?8|(us-)?ascii|iso-8859-\d{1,2}|latin1|windows-125\d|cp125\d", re.IGNORECASE)
_ASCII = re.compile(r"(us-)?ascii", re.IGNORECASE)
_UTF_16 = re.compile(r"utf-?16.*|(iso-10646-)?ucs-2", re.IGNORECASE)
_UTF_16_START = re.compile(rb"<\x00[^\x00]\x00|\x00<\x00[^\x00]")
_BOM = b"\xef\xbb\xbf"
_DECLARED = re.compile(r"""\A(\s*<\?xml\s[^>]{0,100}?)\sencoding\s{0,20}=\s{0,20}["'][^"'>]{0,40}["']""")
_BEFORE_DOCTYPE = re.compile(rb"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_EXTERNAL_DOCTYPE = re.compile(
    rb"""<!DOCTYPE\s+[^\s>\[]+(?:\s+SYSTEM\s+(?:"[^"]*"|'[^']*')|\s+PUBLIC\s+(?:"[^"]*"|'[^']*')\s+(?:"[^"]*"|'[^']*'))?\s*>"""
)


def normalize(raw: bytes) -> tuple[bytes, list[Applied]]:
    """Give bytes that are safe to parse, in which lines and columns are those received, and the repairs that it took.

    A DOCTYPE that only names an outside DTD is blanked out: it is never fetched, and no entity of it exists. Raises
    Problem (Invalid Message Syntax Error) for any other DOCTYPE, and for an encoding that is not understood.
    """
    applied: list[Applied] = []
    if raw[:4] in {b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"}:
        raise syntax_error("UTF-32 is not understood. Send UTF-8.")
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} or _UTF_16_START.match(raw):
        raw = _from_utf_16(raw)
    marked = raw.startswith(_BOM)
    raw = raw.removeprefix(_BOM)
    if not raw.startswith(b"<"):
        raw = _without_leading_blanks(forms.unwrapped(raw, applied), applied)
    declared = DECLARATION.match(raw)
    if declared and declared[1] not in {b"UTF-8", b"utf-8"}:
        raw = _in_true_encoding(raw, declared[1].decode("ascii", "replace"), applied, marked=marked)
    return without_doctype(raw, applied), applied


def _from_utf_16(raw: bytes) -> bytes:
    codec = {b"<\x00": "utf-16-le", b"\x00<": "utf-16-be"}.get(raw[:2], "utf-16")
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError as error:
        raise syntax_error(
            f"The message begins as UTF-16, but byte {error.start} does not continue so. Send UTF-8."
        ) from error
    return _DECLARED.sub(r"\1", text, count=1).encode("utf-8", "replace")


def _without_leading_blanks(raw: bytes, applied: list[Applied]) -> bytes:
    """Cut off what may not stand before an XML declaration; without a declaration, blanks alone may stand there."""
    rest = raw.lstrip(BLANKS + _BOM)
    before = raw[: len(raw) - len(rest)]
    if not before or not (rest.startswith(b"<?xml") or before.strip(BLANKS)):
        return raw
    applied.append(Applied("leading-whitespace", "/", "cut off what stood before the message"))
    return rest


def _in_true_encoding(raw: bytes, name: str, applied: list[Applied], *, marked: bool) -> bytes:
    """Read as UTF-8 what declares another encoding, where a byte order mark or the bytes themselves tell so."""
    if _UTF_16.fullmatch(name):  # that would have begun in another way
        applied.append(Applied("wrong-encoding", "/", f"read as UTF-8 what says that it is {name}"))
        return as_utf_8(raw)
    if not _UNDERSTOOD.fullmatch(name):
        raise syntax_error(f"The encoding {name!r} is not understood. Send UTF-8.")
    if not raw.isascii() and (marked or is_utf_8(raw)) and not _ASCII.fullmatch(name):
        applied.append(Applied("utf-8-declared-otherwise", "/", f"read as UTF-8 what says that it is {name}"))
        return as_utf_8(raw)
    return raw


def without_doctype(raw: bytes, applied: list[Applied]) -> bytes:
    """Blank out a DOCTYPE that names an outside DTD and no more; raises Problem for any other."""
    if b"<!DOCTYPE" not in raw:
        return raw
    before = _BEFORE_DOCTYPE.match(raw)
    start = before.end() if before else 0
    if not raw.startswith(b"<!DOCTYPE", start):
        return raw  # it stands in a comment or in character data
    doctype = _EXTERNAL_DOCTYPE.match(raw, start)
    if doctype is None:
        line = raw.count(b"\n", 0, start) + 1
        raise syntax_error(
            f"Line {line}: the DOCTYPE has an internal subset, or cannot be read. Leave it out: no entities are taken."
        )
    applied.append(Applied("doctype", "/", "ignored the DOCTYPE; the DTD that it names was not fetched"))
    blank = re.sub(rb"[^\n]", b" ", doctype[0])
    return raw[:start] + blank + raw[doctype.end() :]


def check(root: Node) -> None:
    """Refuse a document in which the parser has seen another prolog than was seen here, where anything could hide.

    It knows encodings by their first bytes (UTF-32), and declarations in which there are more blanks. Raises Problem
    (Invalid Message Syntax Error).
    """
    seen = root.getroottree().docinfo
    encoding = seen.encoding
    if encoding not in {None, "UTF-8", "utf-8"} and not _UNDERSTOOD.fullmatch(encoding):
        raise syntax_error(f"The encoding {encoding!r} is not understood. Send UTF-8.")
    if seen.internalDTD is not None:
        raise syntax_error("There is a DOCTYPE that cannot be read. Leave it out: no entities are taken.")


def syntax_error(detail: str) -> Problem:
    """Give the problem of a message that is no XML, or none that is accepted."""
    return Problem(ProblemType.INVALID_MESSAGE_SYNTAX_ERROR, detail=detail)
