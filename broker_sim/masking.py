"""Secrets are blotted out of everything that is shown or written: one place, before any report sees a byte."""

from __future__ import annotations

import re
from collections.abc import Mapping

MASK = "***"
_ELEMENTS = "AuthenticationInputData|FromAgencyAuthentication|FromSystemAuthentication"
# To the closing tag, or to the end where a message is cut off.
_XML = re.compile(
    rf"(<(?:[\w.-]+:)?(?P<name>{_ELEMENTS})\b[^>]*(?<!/)>)(.*?)(</(?:[\w.-]+:)?(?P=name)\s*>|\Z)", re.DOTALL
)
# The same in a form, every unusual octet as %XX.
_FORM = re.compile(
    rf"(%3C(?:[\w.-]+(?:%3A|:))?(?P<name>{_ELEMENTS})(?:(?!%3E|/|%2F).)*%3E)(.*?)(%3C(?:%2F|/)(?:[\w.-]+(?:%3A|:))?(?P=name)|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_JSON = re.compile(
    r'("(?:password|passwd|pin|secret|token|authorization|api_key)"\s*:\s*")((?:[^"\\]|\\.)*)', re.IGNORECASE
)
_TELLING = re.compile(r"password|passwd|\bpin\b|secret|token|authori[sz]ation", re.IGNORECASE)


def mask_text(text: str) -> str:
    """Blot out the authentication elements of XML and the telling keys of JSON; the rest stays as it is."""
    both = rf"\g<1>{MASK}\g<4>"
    return _JSON.sub(rf"\g<1>{MASK}", _FORM.sub(both, _XML.sub(both, text)))


def mask(raw: bytes) -> bytes:
    """The same for bytes, also in UTF-16; bytes that hold no secret come back unchanged."""
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        encoding = "latin-1"
        text = raw.decode(encoding)
    masked = mask_text(text)
    return raw if masked == text else masked.encode(encoding)


def mask_values(values: Mapping[str, str]) -> dict[str, str]:
    """Variables for a report: those whose name tells of a secret without their value."""
    return {name: MASK if _TELLING.search(name) else value for name, value in values.items()}
