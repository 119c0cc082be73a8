"""What a message puts into a user's record (AddUserFields, and all that CreateUser tells)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ncipd.circulation import identity, persons
from ncipd.circulation.user_edit import Edit, Manner, birthday, moment
from ncipd.ncip.problems import Problem, ProblemType

if TYPE_CHECKING:
    from ncipd.ncip import elements as el

R = TypeVar("R", bound=tuple[Any, ...])


def add(edit: Edit, fields: el.AddUserFields, hashes: tuple[str, ...], where: str) -> None:
    """Put in what is named; `hashes` are those of the secrets among the inputs, `where` is the path of the fields.

    Raises Problem Unable To Add Element, Element Rule Violated.
    """
    edit.where = where
    for at, one in enumerate(fields.authentication_input):
        _add_input(edit, one, hashes[at] if at < len(hashes) else "")
    if fields.name_information is not None:
        columns = persons.name_columns(fields.name_information)
        if not columns["surname"]:
            raise edit.violated("NameInformation", "The name is empty; send a surname or the whole name.")
        _add_fact(edit, "NameInformation", columns, is_free=not edit.facts["surname"])
    if fields.date_of_birth is not None:
        born = birthday(fields.date_of_birth)
        if born > edit.circ.now:
            raise edit.violated("DateOfBirth", "Nobody is born in the future; check the year.")
        _add_fact(edit, "DateOfBirth", {"born_at": born}, is_free=edit.facts["born_at"] is None)
    for code in fields.user_language:
        known = edit.facts["language"].split()
        if not any(code.matches(one) for one in known):
            edit.facts["language"] = " ".join([*known, code.value.strip()])
    _add_rows(edit, fields)


def _add_fact(edit: Edit, name: str, columns: dict[str, Any], *, is_free: bool) -> None:
    if is_free or edit.manner is Manner.FACT:
        edit.facts |= columns
    elif edit.manner is Manner.WISH:
        raise edit.there_already(name)
    elif any(edit.facts[column] != value for column, value in columns.items()):
        edit.circ.note(f"{name} is known otherwise here, and kept")


def _add_rows(edit: Edit, fields: el.AddUserFields) -> None:
    circ, user = edit.circ, edit.user
    for told in fields.user_address_information + fields.user_privilege + fields.block_or_trap:
        _refuse_dates(edit, told)
    addresses = [persons.address_row(circ, user, one) for one in fields.user_address_information]
    _append(edit, "address", addresses, persons.address_rows(circ, user))
    privileges = [persons.privilege_row(circ, user, one) for one in fields.user_privilege]
    if privileges and edit.takes_group and not edit.facts["user_group"]:
        edit.facts |= {"user_group": privileges[0].type, "expires_at": privileges[0].valid_to}
    _append(edit, "privilege", privileges, persons.privilege_rows(circ, user))
    blocks = [persons.block_row(circ, user, one) for one in fields.block_or_trap]
    for block in blocks:
        if not block.type.casefold().startswith(("block", "trap")):
            raise edit.violated("BlockOrTrap/BlockOrTrapType", "Send a type Block … or Trap ….", block.type)
    _append(edit, "block", blocks, circ.blocks(user))


def _append(edit: Edit, kind: str, rows: list[R], present: list[R]) -> None:
    """Add rows to a list; one that is there already is there."""
    new = [row for row in dict.fromkeys(rows) if row not in present]
    if new:
        edit.write_all(kind, [*present, *new])


def _refuse_dates(edit: Edit, told: el.UserAddressInformation | el.UserPrivilege | el.BlockOrTrap) -> None:
    begins, ends = told.valid_from_date, told.valid_to_date
    if begins is not None and ends is not None and moment(edit, ends) < moment(edit, begins):
        raise edit.violated(
            f"{type(told).__name__}/ValidToDate", "ValidToDate lies before ValidFromDate; check both.", str(ends)
        )


def _add_input(edit: Edit, one: el.AuthenticationInput, hashed: str) -> None:
    what = identity.typed((one,))
    if what.secrets:
        kind = what.secrets[0][0]
        if not hashed:
            raise edit.violated("AuthenticationInput/AuthenticationInputData", f"The {kind} is empty.")
        if edit.manner is Manner.WISH and any(row.kind == kind for row in edit.secrets()):
            raise edit.there_already("AuthenticationInput")
        edit.circ.tx.run("upsert_user_secret", user=edit.user.id, kind=kind, hash=hashed)
    elif what.names:
        add_identifier(edit, *what.names[0])
    else:
        raise edit.unkept(one)


def add_identifier(edit: Edit, type_: str, value: str) -> None:
    """Give the user one more number; raises Problem Unable To Add Element where it is somebody's already."""
    circ, user = edit.circ, edit.user
    if not value:
        raise edit.violated("AuthenticationInput/AuthenticationInputData", "The number is empty.")
    owners = {owner.id for owner in circ.users(value)}
    if owners == {user.id} and (edit.new or edit.manner is not Manner.WISH):
        return
    if owners:
        raise Problem(
            ProblemType.UNABLE_TO_ADD_ELEMENT,
            element=f"{edit.where}/AuthenticationInput/AuthenticationInputData",
            value=value,
            detail=f"{value!r} is a number of this user already, or of another one; numbers are not shared.",
        )
    circ.tx.run(
        "insert_user_identifier", agency=circ.agency.id, value=value, type=identity.kept_type(type_), user=user.id
    )
    edit.added.append(value)
