"""What can go wrong between a person at the desk and the store, in words for that person."""

from __future__ import annotations

from enum import StrEnum


class ErrorKind(StrEnum):
    """What kind of refusal it is, which decides the HTTP status."""

    NOT_FOUND = "not-found"
    CONFLICT = "conflict"
    INVALID = "invalid"


class DeskError(Exception):
    """A desk action that cannot be done: what is wrong, with which field, and what to do about it."""

    def __init__(
        self, kind: ErrorKind, code: str, message: str, *, field: str = "", value: object = None, hint: str = ""
    ) -> None:
        """Name the error by a stable code (`item-not-found`) and explain it."""
        super().__init__(message)
        self.kind, self.code, self.message = kind, code, message
        self.field, self.value, self.hint = field, value, hint
