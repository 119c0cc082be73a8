"""What was found out about the AuthenticationInput of a message before its work began.

Comparing a PIN with its argon2 hash takes longer than a unit of work may hold the store, and so does hashing a new one:
both are done before, and the work gets the result.
"""

from __future__ import annotations

from dataclasses import dataclass

from ncipd.ncip.problems import Problem


@dataclass(frozen=True, slots=True)
class Proof:
    """Who was authenticated, or why nobody was; and the secrets that the message itself gives or takes."""

    #: The user (store id) who has proved to be that user.
    user: int | None = None
    #: Why the message is refused.
    problem: Problem | None = None
    #: The hash of each secret that the message gives a user, in its order; '' for an input that is no secret.
    hashes: tuple[str, ...] = ()
    #: Whether each secret that the message takes away is the one that the user has, in its order.
    confirmed: tuple[bool, ...] = ()
