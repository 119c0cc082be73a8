"""A message that came inside something else: a web form, a multipart body, or spelled with percent signs.

What the bytes are is seen from the bytes: senders write any Content-Type, or none.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from ncipd.ncip.applied import Applied

BLANKS = b" \t\r\n"
_MOST_PARTS = 50
_BEFORE = BLANKS + b"\xef\xbb\xbf"
_ENCODED = re.compile(rb"(?:%(?:0[9AaDd]|20|[Ee][Ff]%[Bb][Bb]%[Bb][Ff])|\+){0,100}%3[Cc]")
_FIELD = re.compile(rb"[\w.:%+-]{1,60}=")
_PLAIN_FIELD = re.compile(rb"(?:^|&)[\w.:%+-]{1,60}=\s{0,60}<")
_HEAD_END = re.compile(rb"\r?\n\r?\n")


def unwrapped(raw: bytes, applied: list[Applied]) -> bytes:
    """Give the message that stands in a form, and note the repair; bytes that are no form come back as they are.

    It never gets longer: decoding only shortens.
    """
    start = raw.lstrip(_BEFORE)
    if _ENCODED.match(start):
        applied.append(Applied("url-encoded", "/", "decoded a body written with percent signs"))
        return _decoded(start)
    found = _of_multipart(start) if start.startswith(b"--") else _of_fields(start)
    if found is None:
        return raw
    applied.append(Applied("form-post", "/", "took the message out of a web form"))
    return found


def _of_fields(start: bytes) -> bytes | None:
    """Find the field that holds XML, whatever it is called (`xml` and `XForms:Model` are usual)."""
    if not _FIELD.match(start):
        return None
    plain = _PLAIN_FIELD.search(start[:4096])
    if plain:  # not encoded, as the standard for forms would have it: it ends with the last element
        whole = start[plain.end() - 1 : start.rindex(b">") + 1] if b">" in start else start
        return whole if b" " in whole else _decoded(whole)
    for field in start.split(b"&", _MOST_PARTS):
        value = _decoded(field.partition(b"=")[2])
        if value.lstrip(_BEFORE).startswith(b"<"):
            return value
    return None


def _decoded(text: bytes) -> bytes:
    """Undo the percent signs; a plus is a blank unless blanks are written in another way."""
    if b" " not in text and b"%20" not in text:
        text = text.replace(b"+", b" ")
    return unquote_to_bytes(text)


def _of_multipart(start: bytes) -> bytes | None:
    """Find the part that holds XML (RFC 7578)."""
    boundary = start.partition(b"\n")[0].rstrip(b"\r")
    if not 2 < len(boundary) <= 80:
        return None
    for part in start.split(boundary, _MOST_PARTS):
        head_end = _HEAD_END.search(part)
        if head_end and part[head_end.end() :].lstrip(_BEFORE).startswith(b"<"):
            return part[head_end.end() :]
    return None
