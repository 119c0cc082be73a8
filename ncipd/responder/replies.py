"""Stored replies: a message that comes again gets the bytes it got before, while what it did still stands."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

from ncipd.circulation.clock import MINUTE
from ncipd.journal import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ncipd.circulation.model import Micros
    from ncipd.ncip.types import Initiation
    from ncipd.ncip.wire import Wire
    from ncipd.store.port import Transaction, Value

_to_json = msgspec.json.encode


def identity(message: Initiation, wire: Wire, secret: bytes) -> int:
    """Hash what a message says, however it was written; 64 bits, among the messages of a partner and a service."""
    grammar = wire.grammar.encode()  # what was answered in one version is no answer in another
    said = blake2b(_to_json(message), key=secret, digest_size=8, person=grammar)
    return int.from_bytes(said.digest(), signed=True)


def find(tx: Transaction, key: Mapping[str, Value], now: Micros, window_minutes: int) -> Mapping[str, Any] | None:
    """Find what was last answered to a message; None where its rows have changed or its window is over."""
    stored = _stored(tx, key)
    if stored is None or not stored["stored_at"] <= now <= stored["stored_at"] + window_minutes * MINUTE:
        return None
    return stored if _stands(tx, stored["traces"]) else None


def answer_of(tx: Transaction, stored: Mapping[str, Any]) -> bytes:
    """Give the bytes of a stored answer: from beside it, or where the audit trail keeps what was said."""
    if stored["body"] is not None:
        body: bytes = stored["body"]
        return body
    said = words(tx, stored["journal"])
    if said is None:
        message = f"the words of journal line {stored['journal']} are gone, though a stored answer refers to them"
        raise LookupError(message)
    return said[1]


def keep(
    tx: Transaction, key: Mapping[str, Value], traces: Mapping[tuple[str, int], int], *, at: Micros, journal: int
) -> dict[str, Value]:
    """Store with what an answer is found again, and the versions of the rows that it rests on.

    Its words are those of the line of the audit trail, unless the row that is given here gets a `body`.
    """
    rows = _to_json([(kind, number, version) for (kind, number), version in traces.items()]).decode()
    stored = {**key, "stored_at": at, "traces": rows, "journal": journal, "body": None}
    tx.later("insert_reply", stored)
    return stored


def _stored(tx: Transaction, key: Mapping[str, Value]) -> Mapping[str, Any] | None:
    """Find what was stored for a message, also where it is not written yet."""
    for row in reversed(tx.pending("insert_reply", "identity", key["identity"])):
        if all(row[name] == value for name, value in key.items()):
            return row
    found = tx.one("stored_reply", **key)
    return None if found is None else dict(zip(("stored_at", "traces", "journal", "body"), found, strict=True))


def _stands(tx: Transaction, traces: str) -> bool:
    return all(
        (row := tx.one(f"{kind}_version", id=number)) is not None and row[0] == version
        for kind, number, version in json.loads(traces)
    )
