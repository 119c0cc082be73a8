"""The audit trail: one line for every message in or out and every desk action, with its words where they are kept.

Secrets are masked here, before anything is written anywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from ncipd.ncip.document import parse
from ncipd.ncip.problems import Problem
from ncipd.store.words import find

if TYPE_CHECKING:
    from ncipd.store.port import Transaction

_SECRETS = ("AuthenticationInputData", "FromSystemAuthentication", "FromAgencyAuthentication")
_NAMED = re.compile("|".join(_SECRETS).encode())


def masked(raw: bytes) -> bytes:
    """Blot out what AuthenticationInput and the header's secrets hold.

    Where a secret may be in it, the message is written anew from its tree, so that no way of writing XML hides one.
    What cannot be read is kept up to the first name of a secret; where no ASCII text can be found, nothing is.
    """
    if b"\x00" in raw:
        return b"(not kept: not in an ASCII-compatible encoding, so secrets in it could not be masked)"
    named = _NAMED.search(raw) if b"Authentication" in raw else None  # all are called so, and this is found at once
    if named is None:
        return raw
    try:
        root = parse(raw).root
    except Problem:
        return raw[: named.end()] + b"*** (cut here: the message cannot be read, and what follows may be a secret)"
    for node in list(root.iter(etree.Element)):
        if etree.QName(node).localname in _SECRETS:
            node[:] = []
            node.text = "***"
    written: bytes = etree.tostring(root)
    return written


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
            at=self.at,
            agency=self.agency,
            partner=self.partner,
            direction=self.direction,
            service=self.service,
            verdict=self.verdict,
            side=self.side,
            request=self.request,
            correlation=self.correlation,
            operator=self.operator,
            repairs=self.repairs,
            note=self.note,
        )
        if request is not None:
            answered = masked(response) if response is not None else b""
            tx.later("insert_message_body", journal=number, at=self.at, asked=masked(request), answered=answered)
        return number


def words(tx: Transaction, journal: int) -> tuple[bytes, bytes] | None:
    """Find what was said in the message that a line tells of, the answer empty where there was none."""
    for one in tx.pending("insert_message_body"):
        if one["journal"] == journal:
            return one["asked"], one["answered"]  # type: ignore[return-value]
    row = tx.one("message_body", journal=journal)
    return find(row[0], journal) if row is not None else None
