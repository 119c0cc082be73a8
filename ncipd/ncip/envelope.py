"""The NCIPMessage that every message travels in."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from ncipd.ncip.codec import decode, encode
from ncipd.ncip.elements import FromAgencyId, InitiationHeader, Problem, ResponseHeader, ToAgencyId
from ncipd.ncip.lexical import ATTRIBUTES
from ncipd.ncip.paths import Node
from ncipd.ncip.problems import Problem as Unreadable
from ncipd.ncip.types import NAMESPACE, Coded, Element, Ext, Message

VERSION = "http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd"
"""The value of the version attribute for NCIP 2.02."""


class Envelope(Struct, frozen=True):
    """What an NCIPMessage holds: one message, or problems instead of an answer, or an Ext."""

    version: str
    message: Message | None = None
    problems: tuple[Problem, ...] = ()
    ext: Ext | None = None

    @property
    def content(self) -> tuple[Element, ...]:
        """What stands inside the NCIPMessage."""
        if self.message is not None:
            return (self.message,)
        return self.problems or ((self.ext,) if self.ext is not None else ())


def write(envelope: Envelope, *, prefix: str = "ns1") -> bytes:
    """Write an NCIPMessage as UTF-8 with an XML declaration; always the same bytes for an equal envelope.

    The result is well-formed whatever the values hold: a character that XML forbids becomes U+FFFD. With an empty
    prefix NCIP is the default namespace. Raises ValueError for an envelope that holds nothing.
    """
    parts = envelope.content
    if not parts:
        raise ValueError("an envelope needs a message, a problem or an Ext")
    content = "".join([encode(part, prefix=prefix) for part in parts])
    tag, attribute, declared = _names(prefix)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{tag}{declared} {attribute}="{ATTRIBUTES[envelope.version]}">{content}</{tag}>'
    ).encode()


@lru_cache(maxsize=64)
def _names(prefix: str) -> tuple[str, str, str]:
    if prefix:
        return f"{prefix}:NCIPMessage", f"{prefix}:version", f' xmlns:{prefix}="{NAMESPACE}"'
    return "NCIPMessage", "ncip:version", f' xmlns="{NAMESPACE}" xmlns:ncip="{NAMESPACE}"'


def header_of(root: Node) -> InitiationHeader | None:
    """Read the header of a message that may be invalid elsewhere; None where it cannot be answered."""
    node = root[0].find("{*}InitiationHeader") if len(root) else None
    if node is None:
        return None
    try:
        header = decode(node, InitiationHeader)
        encode(reply_header(header) or header)  # one that names only one end cannot be answered
        named = (header.from_agency_id.agency_id, header.to_agency_id.agency_id)
        return header if all(isinstance(one, Coded) for one in named) else None
    except (Unreadable, AttributeError, TypeError, ValueError):
        return None


def reply_header(header: InitiationHeader | None) -> ResponseHeader | None:
    """Give the header of the answer to a message: both ends swapped, and none where the message has none."""
    if header is None:
        return None
    return ResponseHeader(
        from_system_id=header.to_system_id,
        from_agency_id=FromAgencyId(agency_id=header.to_agency_id.agency_id),
        to_system_id=header.from_system_id,
        to_agency_id=ToAgencyId(agency_id=header.from_agency_id.agency_id),
    )
