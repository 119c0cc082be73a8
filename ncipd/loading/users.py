"""Writing a user with identifiers, addresses, privileges and blocks."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from ncipd.circulation.model import Agency, User, UserAddress, UserBlock, UserIdentifier, UserPrivilege
from ncipd.loading.columns import Mistake, RowRefused
from ncipd.loading.forms import shown
from ncipd.loading.outcome import Outcome
from ncipd.loading.rows import UserRow
from ncipd.loading.secrets import has_secrets, store_secrets
from ncipd.ncip.schemes import UserAddressRoleType
from ncipd.store.port import Transaction

_ROLE = UserAddressRoleType.MULTI_PURPOSE.value
_ELECTRONIC = {"mailto": "email", "tel": "phone"}
_POSTAL = {
    "data": "street",
    "locality": "locality",
    "region": "region",
    "country": "country",
    "postal_code": "postal_code",
}
_COLUMNS = {  # of the table, and what they are called in a file
    "surname": "surname",
    "given_name": "given_name",
    "user_group": "group",
    "language": "language",
    "born_at": "born",
    "expires_at": "expires",
    "loan_limit": "loan_limit",
    "note": "note",
}


def store_user(tx: Transaction, agency: Agency, row: UserRow) -> Outcome:
    """Add a user, or bring one up to date. Raises `RowRefused`."""
    known = tx.one("user_by_primary_id", User._make, agency=agency.id, primary_id=row.primary_id)
    identifiers = _identifiers(row, known)
    if mistakes := list(_taken(tx, agency, row, identifiers or ())):
        raise RowRefused(*mistakes)
    user, outcome = _user(tx, agency, row, known)
    changed = [
        identifiers is not None and _store_identifiers(tx, agency, user, identifiers),
        _store_addresses(tx, user, row),
        row.privileges is not UNSET and _store_privileges(tx, user, row),
        row.blocks is not UNSET and _store_blocks(tx, user, row),
        has_secrets(row) and store_secrets(tx, user, row),
    ]
    return Outcome.CHANGED if outcome is Outcome.UNCHANGED and any(changed) else outcome


def _user(tx: Transaction, agency: Agency, row: UserRow, known: User | None) -> tuple[int, Outcome]:
    nothing = User(0, agency.id, row.primary_id, "", "", "", "", None, None, None, "")
    facts = {column: getattr(known or nothing, column) for column in _COLUMNS}
    said = row.given(*_COLUMNS.values())
    wanted = facts | {column: said[name] for column, name in _COLUMNS.items() if name in said}
    if known is not None and wanted == facts:
        return known.id, Outcome.UNCHANGED
    number = tx.insert("upsert_user", agency=agency.id, primary_id=row.primary_id, **wanted)
    return number, Outcome.CHANGED if known else Outcome.ADDED


def _identifiers(row: UserRow, known: User | None) -> tuple[tuple[str, str], ...] | None:
    """The (type, value)s that a user shall have, the primary id among them; None where they stay as they are."""
    if row.identifiers is UNSET:
        return None if known else (("", row.primary_id),)
    found = tuple((one.type, one.value) for one in row.identifiers)
    return found if any(value == row.primary_id for _, value in found) else (("", row.primary_id), *found)


def _taken(tx: Transaction, agency: Agency, row: UserRow, wanted: tuple[tuple[str, str], ...]) -> Iterator[Mistake]:
    for type_, value in wanted:
        for owner in tx.all("users_by_typed_identifier", User._make, agency=agency.id, value=value, type=type_):
            if owner.primary_id != row.primary_id:
                what = f"{shown(value)} of type {shown(type_)}" if type_ else shown(value)
                yield Mistake("identifiers", f"{what} belongs to user {owner.primary_id}", "another identifier")


def _store_identifiers(tx: Transaction, agency: Agency, user: int, wanted: tuple[tuple[str, str], ...]) -> bool:
    present = {(one.type, one.value) for one in tx.all("user_identifiers", UserIdentifier._make, user=user)}
    if present == set(wanted):
        return False
    tx.run("delete_user_identifiers", user=user)
    for type_, value in wanted:
        tx.run("insert_user_identifier", agency=agency.id, value=value, type=type_, user=user)
    return True


def _store_addresses(tx: Transaction, user: int, row: UserRow) -> bool:
    said = row.given(*_ELECTRONIC.values(), *_POSTAL.values())
    if not said:
        return False
    present = tx.all("user_addresses", UserAddress._make, user=user)
    wanted = [one for one in present if one.kind not in (*_ELECTRONIC, "postal")]
    for kind, name in _ELECTRONIC.items():
        if name not in said:
            wanted += [one for one in present if one.kind == kind]
        elif said[name]:
            wanted.append(UserAddress(user, _ROLE, kind, said[name], "", "", "", ""))
    none = UserAddress(user, _ROLE, "postal", "", "", "", "", "")
    known = next((one for one in present if one.kind == "postal"), none)
    changes = {column: said[name] for column, name in _POSTAL.items() if name in said}
    postal = known._replace(**changes)
    if postal != known:
        postal = postal._replace(content="")  # what a message told of it is no longer the whole
    if any(postal[3:8]):
        wanted.append(postal)
    if present == wanted:
        return False
    tx.run("delete_user_addresses", user=user)
    for one in wanted:
        tx.insert("insert_user_address", user=user, **{name: getattr(one, name) for name in one._fields[1:]})
    return True


def _store_privileges(tx: Transaction, user: int, row: UserRow) -> bool:
    wanted = [
        UserPrivilege(user, one.type, one.status, one.valid_from, one.valid_to, one.description)
        for one in row.privileges or ()
    ]
    if tx.all("user_privileges", UserPrivilege._make, user=user) == wanted:
        return False
    tx.run("delete_user_privileges", user=user)
    for one in wanted:
        tx.insert("insert_user_privilege", user=user, **{name: getattr(one, name) for name in one._fields[1:]})
    return True


def _store_blocks(tx: Transaction, user: int, row: UserRow) -> bool:
    wanted = [UserBlock(user, one.type, one.valid_from, one.valid_to, one.note) for one in row.blocks or ()]
    if tx.all("user_blocks", UserBlock._make, user=user) == wanted:
        return False
    tx.run("delete_user_blocks", user=user)
    for one in wanted:
        tx.insert("insert_user_block", user=user, **{name: getattr(one, name) for name in one._fields[1:]})
    return True
