"""What is known of a user, in the elements of the standard: name, addresses, privileges, blocks, identifiers.

What a message told is kept as the element it came in, beside the columns that are searched and used, so that it is
given back as it was; what a load brought is built from the columns.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ncipd.circulation import policy
from ncipd.circulation.clock import as_told, optional_date, to_micros
from ncipd.circulation.model import (
    User,
    UserAddress,
    UserBlock,
    UserIdentifier,
    UserPreviousIdentifier,
    UserPrivilege,
)
from ncipd.circulation.partner import Privileges
from ncipd.ncip import elements as el
from ncipd.ncip.codec import decode_text, encode
from ncipd.ncip.schemes import BlockOrTrapType, PhysicalAddressType
from ncipd.ncip.types import Coded, Element

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ncipd.circulation.unit import Circulation

POSTAL = "postal"

# ---------------------------------------------------------------------------------------------- names


def name(user: User) -> el.NameInformation | None:
    """Name a user; None where nothing is known."""
    if user.name:
        return decode_text(user.name, el.NameInformation)
    if not user.surname:
        return None
    structured = el.StructuredPersonalUserName(given_name=user.given_name or None, surname=user.surname)
    return el.NameInformation(
        personal_name_information=el.PersonalNameInformation(structured_personal_user_name=structured)
    )


def name_columns(told: el.NameInformation) -> dict[str, str]:
    """Give the columns that a name fills: surname and given name for sorting and letters, and the whole of it."""
    person = told.personal_name_information
    structured = person.structured_personal_user_name if person else None
    if structured is not None:
        surname, given = structured.surname.strip(), (structured.given_name or "").strip()
    elif person is not None:
        surname, _, given = (part.strip() for part in (person.unstructured_personal_user_name or "").partition(","))
    else:
        surname, given = told.organization_name_information[0].organization_name.strip(), ""
    return {"surname": surname, "given_name": given, "name": encode(told)}


# ---------------------------------------------------------------------------------------------- addresses


def addresses(circ: Circulation, user: User) -> tuple[el.UserAddressInformation, ...]:
    """List the addresses of a user."""
    return tuple(address(row) for row in address_rows(circ, user))


def address_rows(circ: Circulation, user: User) -> list[UserAddress]:
    """Read the addresses of a user."""
    return circ.tx.all("user_addresses", UserAddress._make, user=user.id)


def address(row: UserAddress) -> el.UserAddressInformation:
    """Tell an address."""
    if row.content:
        return decode_text(row.content, el.UserAddressInformation)
    if row.kind != POSTAL:
        electronic = el.ElectronicAddress(electronic_address_type=Coded(row.kind), electronic_address_data=row.data)
        return el.UserAddressInformation(user_address_role_type=Coded(row.role), electronic_address=electronic)
    structured = el.StructuredAddress(
        line1=row.data,
        locality=row.locality or None,
        region=row.region or None,
        country=row.country or None,
        postal_code=row.postal_code or None,
    )
    physical = el.PhysicalAddress(
        structured_address=structured, physical_address_type=PhysicalAddressType.POSTAL_ADDRESS.coded()
    )
    return el.UserAddressInformation(user_address_role_type=Coded(row.role), physical_address=physical)


def address_row(circ: Circulation, user: User, told: el.UserAddressInformation) -> UserAddress:
    """Make the row of an address that a message tells."""
    kind, data, parts = POSTAL, "", None
    if told.electronic_address is not None:
        kind = told.electronic_address.electronic_address_type.value.strip().casefold()
        data = told.electronic_address.electronic_address_data.strip().removeprefix(f"{kind}:")
    elif told.physical_address is not None:
        parts, whole = told.physical_address.structured_address, told.physical_address.unstructured_address
        data = _street(parts) if parts else whole.unstructured_address_data.strip() if whole else ""
    return UserAddress(
        user.id,
        told.user_address_role_type.value.strip(),
        kind,
        data,
        (parts.locality or "").strip() if parts else "",
        (parts.region or "").strip() if parts else "",
        (parts.country or "").strip() if parts else "",
        (parts.postal_code or "").strip() if parts else "",
        _moment(circ, told.valid_from_date),
        _moment(circ, told.valid_to_date),
        encode(told),
    )


def _street(parts: el.StructuredAddress) -> str:
    lines = (
        parts.location_within_building,
        parts.house_name,
        parts.street,
        parts.post_office_box,
        parts.district,
        parts.line1,
        parts.line2,
    )
    return ", ".join(line.strip() for line in lines if line and line.strip())


def email(circ: Circulation, user: User) -> str:
    """Give the address for notices: one meant for them before others, and only while it is valid; '' for none."""
    valid = [
        row
        for row in address_rows(circ, user)
        if row.kind == "mailto"
        and (row.valid_from or 0) <= circ.now
        and (row.valid_to is None or circ.now <= row.valid_to)
    ]
    return min(valid, key=lambda row: row.role.casefold() != "notice").data if valid else ""


# ---------------------------------------------------------------------------------------------- privileges


def privileges(circ: Circulation, user: User) -> tuple[el.UserPrivilege, ...]:
    """List what a user may do; the group comes first, with the end of the registration, unless a message told it.

    Some partners look for a status and a profile instead (`privileges = "status-and-profile"`).
    """
    rows = privilege_rows(circ, user)
    given = tuple(privilege(circ, row) for row in rows)
    if circ.by_message and circ.partner.privileges is Privileges.STATUS_AND_PROFILE:
        return (*_status_and_profile(circ, user), *given)
    if not user.user_group or any(row.type == user.user_group for row in rows):
        return given
    return (group(circ, user), *given)


def group(circ: Circulation, user: User) -> el.UserPrivilege:
    """Tell a user's group as a privilege."""
    active = user.expires_at is None or user.expires_at >= circ.now
    return el.UserPrivilege(
        agency_id=Coded(circ.our_code),
        agency_user_privilege_type=Coded(user.user_group),
        valid_to_date=optional_date(user.expires_at),
        user_privilege_status=_status("Active" if active else "Expired"),
    )


def _status_and_profile(circ: Circulation, user: User) -> Iterator[el.UserPrivilege]:
    """Tell in two privileges whether a user may request and borrow, and of which group they are."""
    blocked = policy.refuse_user(user, circ.blocks(user), policy.Action.REQUEST, circ.now) is not None
    for type_, status in (("STATUS", "BLOCKED" if blocked else "OK"), ("PROFILE", user.user_group)):
        if status:
            yield el.UserPrivilege(
                agency_id=Coded(circ.our_code),
                agency_user_privilege_type=Coded(type_),
                valid_to_date=optional_date(user.expires_at) if type_ == "PROFILE" else None,
                user_privilege_status=_status(status),
            )


def privilege_rows(circ: Circulation, user: User) -> list[UserPrivilege]:
    """Read the privileges of a user, the group not among them."""
    return circ.tx.all("user_privileges", UserPrivilege._make, user=user.id)


def privilege(circ: Circulation, row: UserPrivilege) -> el.UserPrivilege:
    """Tell a privilege."""
    if row.content:
        return decode_text(row.content, el.UserPrivilege)
    return el.UserPrivilege(
        agency_id=Coded(circ.our_code),
        agency_user_privilege_type=Coded(row.type),
        valid_from_date=optional_date(row.valid_from),
        valid_to_date=optional_date(row.valid_to),
        user_privilege_status=_status(row.status),
        user_privilege_description=row.description or None,
    )


def privilege_row(circ: Circulation, user: User, told: el.UserPrivilege) -> UserPrivilege:
    """Make the row of a privilege that a message tells."""
    status = told.user_privilege_status
    return UserPrivilege(
        user.id,
        told.agency_user_privilege_type.value.strip(),
        status.user_privilege_status_type.value.strip() if status else "",
        _moment(circ, told.valid_from_date),
        _moment(circ, told.valid_to_date),
        (told.user_privilege_description or "").strip(),
        encode(told),
    )


def _status(status: str) -> el.UserPrivilegeStatus | None:
    return el.UserPrivilegeStatus(user_privilege_status_type=Coded(status)) if status else None


# ---------------------------------------------------------------------------------------------- blocks


def blocks(circ: Circulation, user: User) -> tuple[el.BlockOrTrap, ...]:
    """List the blocks and traps on a user that are not over."""
    rows = [row for row in circ.blocks(user) if row.valid_to is None or row.valid_to >= circ.now]
    return tuple(block(circ, row) for row in rows)


def block(circ: Circulation, row: UserBlock) -> el.BlockOrTrap:
    """Tell a block or trap."""
    return el.BlockOrTrap(
        agency_id=Coded(row.agency or circ.our_code),
        block_or_trap_type=Coded(row.type, BlockOrTrapType.scheme),
        valid_from_date=optional_date(row.valid_from),
        valid_to_date=optional_date(row.valid_to),
    )


def block_row(circ: Circulation, user: User, told: el.BlockOrTrap) -> UserBlock:
    """Make the row of a block or trap that a message tells."""
    known = BlockOrTrapType.named(told.block_or_trap_type)
    return UserBlock(
        user.id,
        known.value if known else told.block_or_trap_type.value.strip(),
        _moment(circ, told.valid_from_date),
        _moment(circ, told.valid_to_date),
        "",
        told.agency_id.value.strip(),
    )


# ---------------------------------------------------------------------------------------------- the rest


def languages(user: User) -> tuple[Coded, ...]:
    """List the languages to write to a user in, the preferred one first."""
    return tuple(Coded(code) for code in user.language.split())


def identifiers(circ: Circulation, user: User) -> tuple[el.UserId, ...]:
    """List every identifier of a user, with its type."""
    return tuple(
        el.UserId(
            agency_id=Coded(circ.our_code),
            user_identifier_type=Coded(row.type) if row.type else None,
            user_identifier_value=row.value,
        )
        for row in identifier_rows(circ, user)
    )


def identifier_rows(circ: Circulation, user: User) -> list[UserIdentifier]:
    """Read the identifiers of a user."""
    return circ.tx.all("user_identifiers", UserIdentifier._make, user=user.id)


def previous(circ: Circulation, user: User) -> tuple[el.PreviousUserId, ...]:
    """List what a user was called before."""
    return tuple(
        el.PreviousUserId(
            agency_id=Coded(row.agency or circ.our_code),
            user_identifier_value=row.value,
            valid_from_date=optional_date(row.valid_from),
            valid_to_date=as_told(row.valid_to) if row.valid_to is not None else None,
        )
        for row in circ.tx.all("user_previous_identifiers", UserPreviousIdentifier._make, user=user.id)
    )


def _moment(circ: Circulation, date: datetime | None) -> int | None:
    return None if date is None else to_micros(date, circ.zone)


def covers(circ: Circulation, said: object, known: object) -> bool:
    """Say whether all that one element says is said by another too; whose code an AgencyId uses does not count."""
    match said:
        case Coded():
            return known is not None and said.matches(str(known))
        case str():
            return isinstance(known, str) and said.strip() == known.strip()
        case datetime():
            return isinstance(known, datetime) and _moment(circ, said) == _moment(circ, known)
        case tuple():
            return isinstance(known, tuple) and all(any(covers(circ, one, other) for other in known) for one in said)
        case Element() if not isinstance(said, el.Ext):
            return type(said) is type(known) and all(
                covers(circ, getattr(said, field), getattr(known, field)) for field in _said(said)
            )
        case _:
            return isinstance(said, el.Ext) or said == known


def _said(element: Element) -> list[str]:
    fields = type(element).__dataclass_fields__
    return [field for field in fields if field != "agency_id" and getattr(element, field) not in (None, (), False)]
