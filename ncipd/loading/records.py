"""Writing a bibliographic record with its numbers, and the brief record of an item that has none."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from ncipd.circulation.matching import plain_number
from ncipd.circulation.model import Agency, Record, RecordIdentifier
from ncipd.circulation.rows import record_row
from ncipd.loading.columns import Mistake, RowRefused
from ncipd.loading.outcome import Outcome
from ncipd.loading.rows import RecordRow
from ncipd.store.port import Transaction

LOCAL = ""  # the kind of a record's own number at its agency

_DESCRIPTION = Record._fields[3:]
_SAID = ("title", "author", "publisher", "place", "published", "edition", "medium", "language", "level", "series")


def record_of(tx: Transaction, agency: Agency, local: str) -> Record | None:
    """Find a record by its own number."""
    found = tx.all("records_by_coded_identifier", record_row, agency=agency.id, value=local, code=LOCAL)
    return next((record for record in found if not record.temporary), None)


def own_number(tx: Transaction, record: int) -> str:
    """The own number of a record; '' for a brief one."""
    numbers = tx.all("record_identifiers", RecordIdentifier._make, record=record)
    return next((number.value for number in numbers if number.code == LOCAL), "")


def store_record(tx: Transaction, agency: Agency, row: RecordRow) -> Outcome:
    """Add a record, or bring one up to date. Raises `RowRefused`."""
    known = record_of(tx, agency, row.id)
    if known is None and not row.title:
        raise RowRefused(Mistake("title", "missing", "a title, as the record is new"))
    number, outcome = describe(tx, agency, known, row.given(*_SAID))
    if row.identifiers is UNSET and known is not None:
        return outcome
    changed = _store_numbers(tx, agency, number, row)
    return Outcome.CHANGED if changed and outcome is Outcome.UNCHANGED else outcome


def describe(tx: Transaction, agency: Agency, known: Record | None, said: dict[str, Any]) -> tuple[int, Outcome]:
    """Write what is said of a record, new or known; what is not said stays."""
    facts = {column: getattr(known, column) if known else "" for column in _DESCRIPTION}
    wanted = facts | said
    if known is None:
        return tx.insert("insert_record", agency=agency.id, temporary=0, **wanted), Outcome.ADDED
    if wanted == facts:
        return known.id, Outcome.UNCHANGED
    tx.run("update_record", id=known.id, **wanted)
    return known.id, Outcome.CHANGED


def _store_numbers(tx: Transaction, agency: Agency, record: int, row: RecordRow) -> bool:
    wanted = {(LOCAL, row.id), *((one.code, plain_number(one.value, one.code)) for one in row.identifiers or ())}
    present = {(one.code, one.value) for one in tx.all("record_identifiers", RecordIdentifier._make, record=record)}
    if present == wanted:
        return False
    tx.run("delete_record_identifiers", record=record)
    for code, value in sorted(wanted):
        tx.run("insert_record_identifier", agency=agency.id, value=value, code=code, record=record)
    return True
