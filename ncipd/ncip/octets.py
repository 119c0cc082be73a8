"""What is put right in the bytes of a message when they are no XML as they came.

Only looked at after the parser has refused them. Nothing here makes a message more than three times as long, and each
step looks at every byte a fixed number of times.
"""

from __future__ import annotations

import re

from ncipd.ncip.applied import Applied
from ncipd.ncip.forms import BLANKS
from ncipd.ncip.types import NAMESPACE

CONTROLS = bytes(set(range(32)) - {9, 10, 13})
"""The control characters that XML 1.0 does not allow."""

XSI = "http://www.w3.org/2001/XMLSchema-instance"
DECLARATION = re.compile(rb"""<\?xml\s[^>]{0,100}?\bencoding\s{0,20}=\s{0,20}["']([^"'>]{0,40})["']""")
_HIGH = re.compile(rb"[\x80-\xff]+")
_SOME_UTF_8 = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
_REFERENCE = re.compile(rb"&#(?:0{0,10}(\d{1,2})|x0{0,10}([0-9a-fA-F]{1,2}));")
_ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]{0,40}:)?NCIPMessage(?=[\s/>])")
_PREFIXES = re.compile(rb"<([A-Za-z_][\w.-]{0,40}):|\s([A-Za-z_][\w.-]{0,40}):(?:version|Scheme|schemaLocation)\s?=")
_DECLARED = re.compile(rb"\sxmlns:([A-Za-z_][\w.-]{0,40})\s{0,20}=")
_MOST_PREFIXES = 4


def mended(raw: bytes, applied: list[Applied]) -> bytes:
    """Give the bytes as they were meant, and note each repair; the same object where there is nothing to mend."""
    return _with_prefixes(_without_controls(_in_true_encoding(raw, applied), applied), applied)


def as_utf_8(raw: bytes) -> bytes:
    """Read bytes of unknown encoding: what is UTF-8 as UTF-8, the rest as Windows-1252; the declaration is blanked."""
    declared = DECLARATION.match(raw)
    if declared:
        start = raw.rindex(b"encoding", 0, declared.start(1))
        raw = raw[:start] + b" " * (declared.end() - start) + raw[declared.end() :]
    if _reads_as(raw, "utf-8"):
        return raw
    return _HIGH.sub(_from_windows, raw) if _SOME_UTF_8.search(raw) else raw.decode("cp1252", "replace").encode()


def is_utf_8(raw: bytes) -> bool:
    """Tell whether bytes are UTF-8."""
    return _reads_as(raw, "utf-8")


def _from_windows(run: re.Match[bytes]) -> bytes:
    return run[0] if _reads_as(run[0], "utf-8") else run[0].decode("cp1252", "replace").encode()


def _reads_as(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _in_true_encoding(raw: bytes, applied: list[Applied]) -> bytes:
    if raw.isascii():
        return raw
    found = DECLARATION.match(raw)
    declared = found[1].decode("ascii", "replace") if found else "UTF-8"
    if _reads_as(raw, declared):
        return raw
    applied.append(Applied("wrong-encoding", "/", f"read as Windows-1252 what is not {declared}"))
    return as_utf_8(raw)


def _without_controls(raw: bytes, applied: list[Applied]) -> bytes:
    kept = _REFERENCE.sub(_allowed_reference, raw.translate(None, CONTROLS))
    if len(kept) == len(raw):
        return raw
    applied.append(Applied("control-characters", "/", "left out control characters that XML does not allow"))
    return kept.lstrip(BLANKS) if kept.lstrip(BLANKS).startswith(b"<?xml") else kept


def _allowed_reference(found: re.Match[bytes]) -> bytes:
    number = int(found[1]) if found[1] else int(found[2], 16)
    return b"" if number < 32 and number not in {9, 10, 13} else found[0]


def _with_prefixes(raw: bytes, applied: list[Applied]) -> bytes:
    """Declare the prefixes that a message uses and forgot to declare."""
    root = _ROOT.search(raw)
    if root is None:
        return raw
    used = {prefix for pair in _PREFIXES.findall(raw) for prefix in pair if prefix} - {b"xml", b"xmlns"}
    forgotten = sorted(used.difference(_DECLARED.findall(raw)))
    if not 0 < len(forgotten) <= _MOST_PREFIXES:
        return raw
    told = b", ".join(forgotten).decode("ascii", "replace")
    applied.append(Applied("undeclared-prefix", "/NCIPMessage", f"declared the prefix {told}"))
    declared = "".join(f' xmlns:{prefix.decode("latin-1")}="{_meant(prefix)}"' for prefix in forgotten)
    return raw[: root.end()] + declared.encode() + raw[root.end() :]


def _meant(prefix: bytes) -> str:
    return XSI if prefix == b"xsi" else NAMESPACE
