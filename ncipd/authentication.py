"""Users prove who they are: PIN or password against its hash, before and outside the transaction of the message.

Whether the user exists, has a secret, or is locked out makes no difference to how long an answer takes or to what it
says: there is always a hash to compare with, and every failure is written down. Attempts for one user wait for each
other, so that a hundred at once are not a hundred guesses. Five failures in a row lock a user's secrets for 15 minutes;
nothing is counted meanwhile, and a success begins the count anew.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Protocol, TypeVar
from weakref import WeakValueDictionary

from ncipd.circulation import identity
from ncipd.circulation.clock import MINUTE
from ncipd.circulation.model import UserSecret
from ncipd.circulation.proof import Proof
from ncipd.hashing import hash_secret, is_secret, nobodys
from ncipd.ncip.messages import CreateUser, UpdateUser, UserUpdated
from ncipd.ncip.problems import Problem, ProblemType

if TYPE_CHECKING:
    from collections.abc import Callable

    from ncipd.circulation.model import User
    from ncipd.circulation.unit import Circulation
    from ncipd.ncip import elements as el
    from ncipd.ncip.types import Initiation
    from ncipd.store.port import Store, Transaction

FAILURES = 5
LOCKED = 15 * MINUTE
NOBODY = 0  # no user has this id

T = TypeVar("T")


class Now(Protocol):
    """A clock."""

    def now(self) -> int:
        """Give the present moment in microseconds since 1970, UTC."""
        ...


class View(Protocol):
    """A way to look into the store as the partner that speaks."""

    def __call__(self, work: Callable[[Circulation], T], /) -> T:
        """Answer from what is committed."""
        ...


class Authentication:
    """Checks what users typed."""

    def __init__(self, store: Store, clock: Now) -> None:
        """Take where secrets and failures are kept."""
        self._store = store
        self._clock = clock
        self._threads = asyncio.Semaphore(os.cpu_count() or 1)  # each comparison takes 19 MiB and a processor
        self._turns: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()

    async def prove(self, message: Initiation, view: View) -> Proof | None:
        """Find out what the AuthenticationInput of a message proves, and hash what it gives; None where it has none.

        Raises StoreError where failures cannot be counted, for then nothing may be accepted.
        """
        given, taken = _changed(message)
        inputs = () if isinstance(message, CreateUser) else _inputs_of(message)
        if not (inputs or given or taken):
            return None
        user, problem = await self._user(message, inputs, view) if inputs else (None, None)
        if problem is None:
            problem = _too_many(message, given, taken)
        if problem is not None:
            return Proof(problem=problem)
        hashes = [await self._hash(one) for one in given]
        confirmed = await self._confirm(message, user, taken, view) if taken else ()
        return Proof(user, None, tuple(hashes), confirmed)

    # ------------------------------------------------------------------------------------------ who it is

    async def _user(
        self, message: Initiation, inputs: tuple[el.AuthenticationInput, ...], view: View
    ) -> tuple[int | None, Problem | None]:
        service = type(message).__name__
        user_id: el.UserId | None = getattr(message, "user_id", None)
        what = identity.typed(inputs)
        users = view(lambda circ: identity.users_typed(circ, user_id, what.names))
        if wrong := _unusable(service, user_id, what):
            return None, wrong
        if not what.secrets:
            return view(lambda circ: _by_name_alone(circ, users, service, what))
        found = users[0].id if len(users) == 1 else None
        who = found if found is not None else (service, user_id, what.names)
        if await self._is_proved(who, found, what.secrets):
            return found, None
        return None, identity.authentication_failed(service)

    async def _confirm(
        self, message: Initiation, proven: int | None, taken: tuple[el.AuthenticationInput, ...], view: View
    ) -> tuple[bool, ...]:
        """Say of each secret that is to be taken away whether it is the user's; a wrong one is a failed guess."""
        user = proven
        if user is None:
            user_id: el.UserId | None = getattr(message, "user_id", None)
            users = view(lambda circ: identity.users_typed(circ, user_id, ()))
            user = users[0].id if len(users) == 1 else None
        confirmed = []
        for one in taken:
            secrets = identity.typed((one,)).secrets
            confirmed.append(bool(secrets) and await self._is_proved(user, user, secrets))
        return tuple(confirmed)

    # ------------------------------------------------------------------------------------------ secrets

    async def _is_proved(self, who: object, user: int | None, secrets: tuple[tuple[str, str], ...]) -> bool:
        """Compare secrets with those of a user, one attempt after the other, and count."""
        turn = self._turns.setdefault(who, asyncio.Lock())
        async with turn:
            number, now = NOBODY if user is None else user, self._clock.now()
            known = self._store.read(lambda tx: tx.all("user_secrets", UserSecret._make, user=number))
            locked = any(one.locked_until is not None and now < one.locked_until for one in known)
            right = [await self._compare(text, identity.secret_of(known, kind)) for kind, text in secrets]
            if all(right) and not locked:
                if any(one.failures or one.locked_until for one in known):
                    await self._store.transact(lambda tx: tx.run("forget_secret_failures", user=number))
                return True
            await self._store.transact(lambda tx: _count_failure(tx, number, now))
            return False

    async def _compare(self, text: str, known: UserSecret | None) -> bool:
        async with self._threads:
            same = await asyncio.to_thread(lambda: is_secret(text, known.hash if known else nobodys()))
        return same and known is not None and bool(text)

    async def _hash(self, one: el.AuthenticationInput) -> str:
        secrets = identity.typed((one,)).secrets
        if not secrets or not secrets[0][1]:
            return ""
        async with self._threads:
            return await asyncio.to_thread(hash_secret, secrets[0][1])


def _inputs_of(message: Initiation) -> tuple[el.AuthenticationInput, ...]:
    return identity.inputs_of(getattr(message, "authentication_input", ()), message.ext)


def _changed(message: Initiation) -> tuple[tuple[el.AuthenticationInput, ...], tuple[el.AuthenticationInput, ...]]:
    """The inputs that a message gives a user, and those that it takes away; a fact is taken away unproved."""
    if isinstance(message, CreateUser):
        return _inputs_of(message), ()
    if not isinstance(message, UpdateUser | UserUpdated):
        return (), ()
    deleted, added = message.delete_user_fields, message.add_user_fields
    given = added.authentication_input if added is not None else ()
    is_fact = isinstance(message, UserUpdated) or message.mandated_action is not None
    return given, deleted.authentication_input if deleted is not None and not is_fact else ()


def _too_many(message: Initiation, *lists: tuple[el.AuthenticationInput, ...]) -> Problem | None:
    if all(len(identity.typed(inputs).secrets) <= identity.MOST_SECRETS for inputs in lists):
        return None
    return Problem(
        ProblemType.ELEMENT_RULE_VIOLATED,
        element=f"{type(message).__name__}/AuthenticationInput",
        detail=f"A user has one PIN and one password; send at most {identity.MOST_SECRETS} of them.",
    )


def _unusable(service: str, user_id: el.UserId | None, what: identity.Typed) -> Problem | None:
    """Say what is wrong with inputs whoever the user is."""
    if len(what.secrets) > identity.MOST_SECRETS:
        detail = "Send one PIN or one password of the user, not several."
    elif not what.secrets and what.others:
        detail = f"AuthenticationInput of type {what.others[0]} cannot be checked here; send a PIN or Password."
    elif user_id is None and not what.names:
        detail = "Nothing says who the user is; send User Id, Username or Barcode Id beside the PIN or Password."
    else:
        return None
    return identity.authentication_failed(service, detail)


def _by_name_alone(
    circ: Circulation, users: list[User], service: str, what: identity.Typed
) -> tuple[int | None, Problem | None]:
    """Take a name without a secret, from partners of whom we believe that they have authenticated the user."""
    if not circ.partner.trust_identifier_alone:
        return None, identity.authentication_failed(
            service, "The number alone proves nothing here; send the user's PIN or Password beside it."
        )
    try:
        element = f"{service}/AuthenticationInput/AuthenticationInputData"
        return identity.one_user(circ, users, element, what.names[0][1]).id, None
    except Problem as problem:
        return None, problem


def _count_failure(tx: Transaction, user: int, now: int) -> None:
    tx.run("count_secret_failure", user=user, now=now, until=now + LOCKED, most=FAILURES)
    tx.run("note_failed_authentication", value=now.to_bytes(8, "big"))
