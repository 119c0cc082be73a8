"""Hashes of PINs and passwords (argon2id), and comparing with them; each takes some hundredths of a second on purpose.

Call these from a thread, never from the event loop's and never within a transaction: they let other threads run.
"""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# 19 MiB, two passes, one lane: what OWASP asks for at least. PINs are short, so the lock-out is their real protection.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def hash_secret(text: str) -> str:
    """Hash a PIN or a password; blanks around it do not count."""
    return _HASHER.hash(_plain(text))


def is_secret(text: str, hashed: str) -> bool:
    """Say whether a text is the secret that was hashed."""
    try:
        return _HASHER.verify(hashed, _plain(text))
    except (VerificationError, InvalidHashError):
        return False


@cache
def nobodys() -> str:
    """Give the hash of a secret that nobody knows: comparing takes as long where there is nothing to compare with."""
    return _HASHER.hash(secrets.token_hex(16))


def _plain(text: str) -> str:
    """The text as it counts: however its letters were composed."""
    return unicodedata.normalize("NFC", text.strip())
