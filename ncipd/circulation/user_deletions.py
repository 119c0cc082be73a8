"""What a message takes out of a user's record (DeleteUserFields)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ncipd.circulation import identity, persons
from ncipd.circulation.user_edit import Edit, birthday

if TYPE_CHECKING:
    from collections.abc import Callable

    from ncipd.circulation.model import UserIdentifier, UserPrivilege
    from ncipd.ncip import elements as el

_NAMELESS = {"surname": "", "given_name": "", "name": ""}

R = TypeVar("R", bound=tuple[Any, ...])


def delete(edit: Edit, fields: el.DeleteUserFields, confirmed: tuple[bool, ...]) -> None:
    """Take out what is named; `confirmed` says of each secret among it whether it is the user's (empty: all are).

    Raises Problem Unable To Delete Element, and Element Rule Violated for an input of a kind that is not kept.
    """
    edit.where = f"{edit.service}/DeleteUserFields"
    for at, one in enumerate(fields.authentication_input):
        _delete_input(edit, one, is_right=not confirmed or confirmed[at])
    if fields.name_information is not None:
        is_there = persons.covers(edit.circ, fields.name_information, persons.name(edit.now))
        _delete_fact(edit, "NameInformation", _NAMELESS, is_there=is_there)
    if fields.date_of_birth is not None:
        is_there = edit.facts["born_at"] == birthday(fields.date_of_birth)
        _delete_fact(edit, "DateOfBirth", {"born_at": None}, is_there=is_there)
    for code in fields.user_language:
        known = edit.facts["language"].split()
        left = [one for one in known if not code.matches(one)]
        _delete_fact(edit, "UserLanguage", {"language": " ".join(left)}, is_there=left != known, value=code.value)
    _delete_rows(edit, fields)


def _delete_fact(edit: Edit, name: str, empty: dict[str, Any], *, is_there: bool, value: str | None = None) -> None:
    if is_there:
        edit.facts |= empty
    else:
        edit.not_there(name, value)


def _delete_rows(edit: Edit, fields: el.DeleteUserFields) -> None:
    circ, user = edit.circ, edit.user
    if fields.user_address_information:
        addresses = persons.address_rows(circ, user)
        for address in fields.user_address_information:
            _take(edit, addresses, persons.address, address, "UserAddressInformation")
        edit.write_all("address", addresses)
    if fields.user_privilege:
        privileges = persons.privilege_rows(circ, user)
        for privilege in fields.user_privilege:
            _delete_privilege(edit, privileges, privilege)
        edit.write_all("privilege", privileges)
    if fields.block_or_trap:
        blocks = circ.blocks(user)
        for block in fields.block_or_trap:
            type_ = block.block_or_trap_type.value
            _take(edit, blocks, lambda row: persons.block(circ, row), block, "BlockOrTrap", type_)
        edit.write_all("block", blocks)


def _take(
    edit: Edit, rows: list[R], tell: Callable[[R], object], told: object, name: str, value: str | None = None
) -> None:
    """Take the row that is told of out of a list; several are told apart by what else they say."""
    fitting = [row for row in rows if persons.covers(edit.circ, told, tell(row))]
    if len(set(fitting)) > 1:
        raise edit.undeletable(name, value, f"{len(fitting)} of them fit; say more of the one that is meant.")
    if fitting:
        rows.remove(fitting[0])
    else:
        edit.not_there(name, value)


def _delete_privilege(edit: Edit, rows: list[UserPrivilege], told: el.UserPrivilege) -> None:
    """Take a privilege away; with the one that is the group the registration ends, until another takes its place."""
    type_ = told.agency_user_privilege_type
    is_group = bool(edit.facts["user_group"]) and type_.matches(edit.facts["user_group"])
    if is_group and not any(type_.matches(row.type) for row in rows):
        if not persons.covers(edit.circ, told, persons.group(edit.circ, edit.now)):
            edit.not_there("UserPrivilege", type_.value)
            return
    else:
        before = len(rows)
        _take(edit, rows, lambda row: persons.privilege(edit.circ, row), told, "UserPrivilege", type_.value)
        is_group = is_group and len(rows) < before
    if is_group:
        edit.facts |= {"user_group": "", "expires_at": None}
        edit.takes_group = True


def _delete_input(edit: Edit, one: el.AuthenticationInput, *, is_right: bool) -> None:
    what = identity.typed((one,))
    if what.secrets:
        _delete_secret(edit, what.secrets[0][0], is_right=is_right)
    elif what.names:
        type_, value = what.names[0]
        rows = [row for row in persons.identifier_rows(edit.circ, edit.user) if row.value == value]
        found = next((row for row in rows if identity.may_be(type_, row)), None)
        if found is None:
            edit.not_there("AuthenticationInput", value)
        else:
            _retire(edit, found)
    else:
        raise edit.unkept(one)


def _delete_secret(edit: Edit, kind: str, *, is_right: bool) -> None:
    known = identity.secret_of(edit.secrets(), kind)
    if known is None or not is_right:
        edit.not_there("AuthenticationInput")
    else:
        edit.circ.tx.run("delete_user_secret", user=edit.user.id, kind=known.kind)


def _retire(edit: Edit, row: UserIdentifier) -> None:
    """Take an identifier away, and remember that the user had it."""
    circ = edit.circ
    circ.tx.run("delete_user_identifier", agency=circ.agency.id, value=row.value, type=row.type, user=edit.user.id)
    circ.tx.insert(
        "insert_user_previous_identifier",
        user=edit.user.id,
        agency="",
        value=row.value,
        valid_from=None,
        valid_to=circ.occurred_at,
    )
