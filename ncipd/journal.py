"""The audit trail: one line for every message in or out and every desk action, with its words where they are kept.

Secrets are masked here, before anything is written anywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from lxml import etree

from ncipd.ncip.document import Document, parse
from ncipd.ncip.paths import Node, local_name
from ncipd.ncip.problems import Problem
from ncipd.ncip.repairs import repair
from ncipd.ncip.schema import is_valid
from ncipd.store.words import find

if TYPE_CHECKING:
    from ncipd.store.port import Transaction, Value

_SECRETS = ("AuthenticationInputData", "FromSystemAuthentication", "FromAgencyAuthentication")
_NAMED = re.compile("|".join(_SECRETS).encode(), re.IGNORECASE)
_NOT_KEPT = b"(not kept: it cannot be read, and may hold a secret that could not be masked)"


def masked(raw: bytes) -> bytes:
    """Blot out what AuthenticationInput and the header's secrets hold.

    Where a secret may be in it, the message is written anew from its tree, so that no way of writing XML hides one.
    What cannot be read is kept up to the first name of a secret; where no ASCII text can be found, nothing is.
    """
    if b"\x00" in raw:
        return b"(not kept: not in an ASCII-compatible encoding, so secrets in it could not be masked)"
    plain = (raw if raw.startswith(b"<") else unquote_to_bytes(raw)).lower()  # what does not begin so may be a form
    if b"authen" not in plain and b"tication" not in plain:  # one half is left if one letter of Authentication is wrong
        return raw
    try:
        document, meant = parse(raw), parse(raw)
    except Problem:
        named = _NAMED.search(raw)
        if named is None:
            return _NOT_KEPT
        return raw[: named.end()] + b"*** (cut here: the message cannot be read, and what follows may be a secret)"
    _blot_out(document.root, meant)
    written: bytes = etree.tostring(document.root)
    return written


def _blot_out(root: Node, meant: Document) -> None:
    """Mask what is a secret by name, or is one once the message has been repaired."""
    nodes, repaired = list(root.iter(etree.Element)), list(meant.root.iter(etree.Element))
    if not is_valid(meant.root):
        repair(meant)
    for node, said in zip(nodes, repaired, strict=True):
        if local_name(said) in _SECRETS:
            node[:] = []
            node.text = "***"
        elif local_name(said) == "AuthenticationInput":  # text between its children is no less secret
            for written in (node, *node):
                place = "text" if written is node else "tail"
                if (getattr(written, place) or "").strip():
                    setattr(written, place, "***")


@dataclass(slots=True)
class Entry:
    """A line of the audit trail, as far as it is known yet."""

    at: int
    direction: str
    service: str
    correlation: str
    verdict: str = "ok"
    agency: int | None = None
    partner: str = ""
    side: str = ""
    request: int | None = None
    operator: str = ""
    repairs: str = ""
    note: str = ""

    def write(self, tx: Transaction, request: bytes | None = None, response: bytes | None = None) -> int:
        """Write the line, and the words where there are any; gives its number."""
        number = tx.later(
            "insert_journal",
            {
                "at": self.at,
                "agency": self.agency,
                "partner": self.partner,
                "direction": self.direction,
                "service": self.service,
                "verdict": self.verdict,
                "side": self.side,
                "request": self.request,
                "correlation": self.correlation,
                "operator": self.operator,
                "repairs": self.repairs,
                "note": self.note,
            },
        )
        if request is not None:
            self.say(tx, number, request, response)
        return number

    def say(self, tx: Transaction, number: int, request: bytes, response: bytes | None) -> bytes:
        """Write the words of a line; gives the answer as it is kept: the very bytes where they hold no secret."""
        answered = masked(response) if response is not None else b""
        said: dict[str, Value] = {"journal": number, "at": self.at, "asked": masked(request), "answered": answered}
        tx.later("insert_message_body", said)
        return answered


def words(tx: Transaction, journal: int) -> tuple[bytes, bytes] | None:
    """Find what was said in the message that a line tells of, the answer empty where there was none."""
    for one in tx.pending("insert_message_body", "journal", journal):
        return one["asked"], one["answered"]  # type: ignore[return-value]
    row = tx.one("message_body", journal=journal)
    return find(row[0], journal) if row is not None else None
