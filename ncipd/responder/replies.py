"""Stored replies: a message that comes again gets the bytes it got before, while what it did still stands."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

from ncipd.circulation.clock import MINUTE
from ncipd.journal import masked, words
from ncipd.ncip.codec import encode

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
    said = blake2b(encode(message).encode(), key=secret, digest_size=8, person=grammar)
    return int.from_bytes(said.digest(), signed=True)


def find(tx: Transaction, key: Mapping[str, Value], now: Micros, window_minutes: int) -> bytes | None:
    """Find the answer last given to a message; None where its rows have changed or its window is over."""
    stored = _stored(tx, key)
    if stored is None:
        return None
    stored_at, traces, journal, body = stored
    if not stored_at <= now <= stored_at + window_minutes * MINUTE or not _stands(tx, traces):
        return None
    return _bytes(tx, journal, body)


def keep(
    tx: Transaction,
    key: Mapping[str, Value],
    answer: bytes,
    traces: Mapping[tuple[str, int], int],
    *,
    at: Micros,
    journal: int,
    in_journal: bool,
) -> None:
    """Store an answer with the versions of the rows that it rests on; `in_journal`: the audit trail has its words."""
    once = in_journal and masked(answer) is answer  # the audit trail has these very bytes already
    rows = _to_json([(kind, number, version) for (kind, number), version in traces.items()]).decode()
    tx.later("insert_reply", **key, stored_at=at, traces=rows, journal=journal, body=None if once else answer)


def _stored(tx: Transaction, key: Mapping[str, Value]) -> tuple[Any, ...] | None:
    """Find what was stored for a message, also where it is not written yet."""
    for row in reversed(tx.pending("insert_reply")):
        if row["identity"] == key["identity"] and all(row[name] == value for name, value in key.items()):
            return row["stored_at"], row["traces"], row["journal"], row["body"]
    return tx.one("stored_reply", **key)


def _stands(tx: Transaction, traces: str) -> bool:
    return all(
        (row := tx.one(f"{kind}_version", id=number)) is not None and row[0] == version
        for kind, number, version in json.loads(traces)
    )


def _bytes(tx: Transaction, journal: int, body: bytes | None) -> bytes:
    """Give the bytes of a stored answer: from beside it, or where the audit trail keeps what was said."""
    if body is not None:
        return body
    said = words(tx, journal)
    if said is None:
        message = f"the words of journal line {journal} are gone, though a stored answer refers to them"
        raise LookupError(message)
    return said[1]
