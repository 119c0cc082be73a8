"""Users in tests: partners that vary what they may see, PINs, and the messages about users."""

from __future__ import annotations

from typing import Any

from ncipd.circulation.model import User
from ncipd.circulation.partner import Partner
from ncipd.hashing import hash_secret
from tests.services.world import PARTNERS, World, user_id

PEOPLE = (
    *PARTNERS,
    Partner(code="NODATA", agency="LEND", user_data=False),
    Partner(code="NOMONEY", agency="LEND", user_accounts=False),
    Partner(code="TRUST", agency="LEND", trust_identifier_alone=True),
    Partner(code="BYNUMBER", agency="LEND", user_identifier_type="Institution Id Number"),
    Partner(code="ILS", agency="BORROW", role="ils"),  # type: ignore[arg-type]
)
U1 = "LEND-USER-1"
ALL_FIELDS = (
    "Authentication Input",
    "Block Or Trap",
    "Date Of Birth",
    "Name Information",
    "User Address Information",
    "User Language",
    "User Privilege",
    "User Id",
    "Previous User Id",
)


def typed(type_: str, data: str) -> str:
    """What a user typed."""
    return (
        f"<AuthenticationInput><AuthenticationInputData>{data}</AuthenticationInputData>"
        "<AuthenticationDataFormatType>text</AuthenticationDataFormatType>"
        f"<AuthenticationInputType>{type_}</AuthenticationInputType></AuthenticationInput>"
    )


def log_in(name: str, pin: str, *, by: str = "User Id", with_: str = "PIN") -> str:
    return typed(by, name) + typed(with_, pin)


def lookup(who: str, *fields: str, more: str = "") -> str:
    wanted = "".join(f"<UserElementType>{field}</UserElementType>" for field in fields)
    return f"<LookupUser>{who}{wanted}{more}</LookupUser>"


def look(name: str, *fields: str, more: str = "") -> str:
    return lookup(user_id(name), *fields, more=more)


EVERYTHING = "<LoanedItemsDesired/><RequestedItemsDesired/><UserFiscalAccountDesired/>"


async def give(world: World, name: str, secret: str, kind: str = "PIN") -> None:
    """Give a user a PIN or a password."""
    number, hashed = user(world, name).id, hash_secret(secret)
    await world.store.transact(lambda tx: tx.run("upsert_user_secret", user=number, kind=kind, hash=hashed))


def user(world: World, name: str, agency: str = "LEND") -> User:
    found = world.ask(lambda circ: circ.users(name), agency)
    assert len(found) == 1, found
    one: User = found[0]
    return one


def is_known(world: World, name: str, agency: str = "LEND") -> bool:
    return bool(world.ask(lambda circ: circ.users(name), agency))


def rows(world: World, sql: str) -> list[tuple[Any, ...]]:
    """Look into the store's file itself."""
    return world.store._reader.execute(sql).fetchall()


def notes(world: World) -> list[str]:
    """The notes of the open tasks to review."""
    return [note for (note,) in rows(world, "SELECT note FROM task WHERE kind = 'review' AND done_at IS NULL")]
