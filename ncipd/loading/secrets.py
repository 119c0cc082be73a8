"""PINs and passwords in a file: hashed before the rows are written, for a hash takes longer than a chunk may last."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec import UNSET
from msgspec.structs import replace

from ncipd.circulation.model import Agency, User, UserSecret
from ncipd.hashing import hash_secret, is_secret
from ncipd.loading.rows import UserRow
from ncipd.store.port import Transaction

#: The columns that hold secrets, and the kind of each in the store.
KINDS = {"pin": "PIN", "password": "Password"}


def has_secrets(row: UserRow) -> bool:
    """Say whether a row names a secret, or takes one away."""
    return bool(row.given(*KINDS))


def hashing(tx: Transaction, agency: Agency, rows: Sequence[UserRow]) -> Callable[[], list[UserRow]]:
    """Read what is known of the users of rows; what it gives puts the hash in the place of each secret.

    Call that outside the transaction. A secret that the user has already gives the hash that is stored, so that loading
    again changes nothing.
    """
    known = [_known(tx, agency, row) if has_secrets(row) else {} for row in rows]
    return lambda: _hashed(rows, known)


def _known(tx: Transaction, agency: Agency, row: UserRow) -> dict[str, str]:
    user = tx.one("user_by_primary_id", User._make, agency=agency.id, primary_id=row.primary_id)
    secrets = tx.all("user_secrets", UserSecret._make, user=user.id) if user else []
    return {one.kind: one.hash for one in secrets}


def _hashed(rows: Sequence[UserRow], known: Sequence[dict[str, str]]) -> list[UserRow]:
    if not any(map(has_secrets, rows)):
        return list(rows)
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        return list(threads.map(_with_hashes, rows, known))


def _with_hashes(row: UserRow, known: dict[str, str]) -> UserRow:
    hashes = {
        column: known[KINDS[column]]
        if KINDS[column] in known and is_secret(text, known[KINDS[column]])
        else hash_secret(text)
        for column, text in row.given(*KINDS).items()
        if text
    }
    return replace(row, **hashes) if hashes else row


def store_secrets(tx: Transaction, user: int, row: UserRow) -> bool:
    """Write the hashes of a row's secrets, take away what it empties; says whether anything has changed."""
    known = {one.kind: one.hash for one in tx.all("user_secrets", UserSecret._make, user=user)}
    changed = False
    for column, kind in KINDS.items():
        hashed = getattr(row, column)
        if hashed is UNSET or hashed == known.get(kind, ""):
            continue
        changed = True
        if hashed:
            tx.run("upsert_user_secret", user=user, kind=kind, hash=hashed)
        else:
            tx.run("delete_user_secret", user=user, kind=kind)
    return changed
