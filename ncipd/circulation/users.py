"""Users as messages create, change and delete them (Z39.83-1 sections 5.4.7, 5.4.10 and 5.4.22)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import account, holds, identity, user_additions, user_deletions
from ncipd.circulation.model import Role, TaskKind, User
from ncipd.circulation.rows import hold_row, only_column, request_row
from ncipd.circulation.user_edit import Edit, Manner
from ncipd.ncip import elements as el
from ncipd.ncip.currencies import shown
from ncipd.ncip.problems import Problem, ProblemType

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


# ---------------------------------------------------------------------------------------------- create


def create(circ: Circulation, user_id: el.UserId | None, told: el.AddUserFields, service: str, manner: Manner) -> User:
    """Make a user of what a message tells; the first number is the one under which the agency knows the user.

    Raises Problem: Duplicate User, Element Rule Violated, User Authentication Failed (an input that cannot be kept).
    """
    numbers = told_numbers(user_id, told, service)
    for value in numbers:
        if circ.users(value):
            raise _duplicate(service, value)
    user = _made(circ, numbers[0] if numbers else f"U-{circ.new_id()}")
    if not numbers or user_id is not None:
        type_ = user_id.user_identifier_type if user_id else None
        kept = type_.value.strip() if type_ else ""
        circ.tx.run("insert_user_identifier", agency=circ.agency.id, value=user.primary_id, type=kept, user=user.id)
    edit = Edit(circ, user, service, manner, new=True)
    user_additions.add(edit, told, circ.proof.hashes if circ.proof else (), service)
    return edit.store()


def told_numbers(user_id: el.UserId | None, told: el.AddUserFields, service: str) -> list[str]:
    """Give the numbers that a new user is told to have, the UserId first; raises Problem for what is none."""
    what = identity.typed(told.authentication_input)
    if what.others:
        raise identity.authentication_failed(
            service, f"AuthenticationInput of type {what.others[0]} is not kept here; send a PIN or a Password."
        )
    if any(not text for _, text in what.secrets):
        raise identity.authentication_failed(service, "The PIN or Password is empty, so nobody could log in with it.")
    numbers = [user_id.user_identifier_value.strip()] if user_id is not None else []
    numbers += [value for _, value in what.names]
    if not all(numbers):
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element=f"{service}/UserId/UserIdentifierValue" if user_id else f"{service}/AuthenticationInput",
            detail="The number of the user is empty; send one, or leave it out to get one made.",
        )
    return numbers


def _made(circ: Circulation, primary_id: str) -> User:
    number = circ.tx.insert(
        "upsert_user",
        agency=circ.agency.id,
        primary_id=primary_id,
        surname="",
        given_name="",
        user_group="",
        language="",
        born_at=None,
        expires_at=None,
        loan_limit=None,
        note="",
    )
    circ.leave("user", number)
    return circ.user(number)


def _duplicate(service: str, value: str) -> Problem:
    return Problem(
        ProblemType.DUPLICATE_USER,
        element=f"{service}/UserId/UserIdentifierValue",
        value=value,
        detail=f"A user with the number {value!r} is known here already; change that one with UpdateUser.",
    )


def take_up(circ: Circulation, user: User, told: el.AddUserFields, service: str, manner: Manner) -> User:
    """Take up what is told of the creation of a user who is known already."""
    circ.note("the user was known already")
    edit = Edit(circ, user, service, manner)
    user_additions.add(edit, told, circ.proof.hashes if circ.proof else (), service)
    return edit.store()


# ---------------------------------------------------------------------------------------------- change


def change(
    circ: Circulation,
    user: User,
    deleted: el.DeleteUserFields | None,
    added: el.AddUserFields | None,
    service: str,
    manner: Manner,
) -> User:
    """Delete, then add; raises Problem Needed Data Missing where there is neither, and those of each element."""
    if deleted is None and added is None:
        raise Problem(
            ProblemType.NEEDED_DATA_MISSING,
            element=f"{service}/AddUserFields",
            detail="Nothing is to be deleted or added; send DeleteUserFields, AddUserFields or both.",
        )
    edit, proof = Edit(circ, user, service, manner), circ.proof
    if deleted is not None:
        user_deletions.delete(edit, deleted, proof.confirmed if proof else ())
    if added is not None:
        user_additions.add(edit, added, proof.hashes if proof else (), f"{service}/AddUserFields")
    return edit.store()


# ---------------------------------------------------------------------------------------------- delete


def delete(circ: Circulation, user: User) -> None:
    """Delete a user; what they borrowed stays for the statistics, without them.

    Raises Problem Element Rule Violated while something is open. Where it is mandated all the same, the user can no
    longer be found, what is open stays as it is, and staff are told.
    """
    reasons = _open_for(circ, user)
    if reasons and not circ.mandated:
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element="DeleteUser/UserId",
            value=user.primary_id,
            detail=f"The user still has {', '.join(reasons)}; end that first, then delete the user.",
        )
    if reasons:
        _empty(circ, user, reasons)
        return
    for query in (
        "forget_user_of_loans",
        "forget_user_of_requests",
        "forget_holds_of_recalls",
        "delete_ended_holds_of_user",
    ):
        circ.tx.run(query, user=user.id)
    circ.tx.run("delete_user", id=user.id)
    circ.tx.run("remember_deleted_user", id=user.id)
    circ.leave("deleted_user", user.id)


def _open_for(circ: Circulation, user: User) -> list[str]:
    """Say what of a user is open, in words."""
    loans = circ.tx.one("count_open_loans_of_user", only_column, user=user.id) or 0
    requests = len(circ.tx.all("open_requests_of_user", request_row, user=user.id))
    requests += sum(hold.request_id is None for hold in circ.tx.all("open_holds_of_user", hold_row, user=user.id))
    found = [f"{count} {what}" for count, what in ((loans, "loans"), (requests, "requests")) if count]
    balances = [shown(owed, code) for code, owed in account.balances(circ, user).items() if owed]
    return [*found, *([f"a balance of {' and '.join(balances)}"] if balances else [])]


def _empty(circ: Circulation, user: User, reasons: list[str]) -> None:
    """Leave of a user only what the open loans, requests and charges hang on."""
    name = f"{user.given_name} {user.surname}".strip()
    note = f"user {user.primary_id} ({name}) was deleted by {circ.partner.code} with {', '.join(reasons)}"
    circ.ask_staff(Role.BORROWING, TaskKind.REVIEW, note=note)
    for hold in circ.tx.all("open_holds_of_user", hold_row, user=user.id):
        if hold.request_id is None:
            holds.cancel(circ, hold)
    for part in ("identifiers", "addresses", "privileges", "blocks", "secrets", "previous_identifiers"):
        circ.tx.run(f"delete_user_{part}", user=user.id)
    nothing = {"surname": "", "given_name": "", "name": "", "user_group": "", "language": ""}
    circ.change_user(user, "set_user_facts", **nothing, born_at=None, expires_at=None)
