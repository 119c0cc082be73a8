"""Writing an item: where it belongs and what it is like, never how it circulates once it is here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import UNSET

from ncipd.circulation.model import Agency, Item, ItemStatus, Record
from ncipd.circulation.rows import item_row, record_row
from ncipd.loading.columns import Mistake, RowRefused
from ncipd.loading.forms import shown
from ncipd.loading.outcome import Outcome, library, location
from ncipd.loading.records import describe, own_number, record_of
from ncipd.loading.rows import ItemRow
from ncipd.loading.terms import write_terms
from ncipd.ncip import currencies
from ncipd.store.port import Transaction

T = TypeVar("T")

_PLAIN = ("call_number", "copy_number", "volume", "policy", "note")


def store_item(tx: Transaction, agency: Agency, row: ItemRow) -> Outcome:
    """Add an item, or bring its description up to date. Raises `RowRefused`."""
    known = tx.one("item_by_barcode", item_row, agency=agency.id, barcode=row.barcode)
    if known is not None and known.temporary:
        raise RowRefused(
            Mistake(
                "barcode",
                f"{shown(row.barcode)} is borrowed from {known.partner} at present and bears this barcode here",
                "a barcode that is free; load this row again when that item has gone back",
            )
        )
    mistakes = _moneyless(row, known)
    place = _tried(mistakes, lambda: _place(tx, agency, row, known)) or {}
    title = _tried(mistakes, lambda: _title(tx, agency, row, known))
    if mistakes:
        raise RowRefused(*mistakes)
    record, described = _record(tx, agency, row, title)
    facts = _facts(row, known) | place | {"record": record}
    if known is None:
        number = tx.insert(
            "insert_item",
            agency=agency.id,
            barcode=row.barcode,
            status=row.status or ItemStatus.AVAILABLE.value,
            temporary=0,
            partner="",
            partner_item="",
            temporary_location=None,
            **facts,
        )
        write_terms(tx, number, None, row)
        return Outcome.ADDED
    terms = write_terms(tx, known.id, known, row)
    if facts == _facts_of(known):
        return Outcome.CHANGED if terms else described
    tx.run("update_item_description", id=known.id, **facts)
    return Outcome.CHANGED


def _moneyless(row: ItemRow, known: Item | None) -> list[Mistake]:
    """Find the amounts whose currency is missing, and the currencies that are none."""
    mistakes = []
    for name, amount, told, had in (
        ("fee", row.fee_amount, row.fee_currency, known.fee_currency if known else ""),
        ("price", row.price_amount, row.price_currency, known.price_currency if known else ""),
    ):
        code = told or had
        if amount and not (code and currencies.currency(code)):
            found = shown(code) if code else "missing"
            mistakes.append(Mistake(f"{name}_currency", found, f"the currency of the {name} by ISO 4217, such as EUR"))
    return mistakes


def _tried(mistakes: list[Mistake], look: Callable[[], T]) -> T | None:
    """What `look` finds; where it refuses the row, its mistakes join the others."""
    try:
        return look()
    except RowRefused as error:
        mistakes += error.mistakes
        return None


def _place(tx: Transaction, agency: Agency, row: ItemRow, known: Item | None) -> dict[str, int | None]:
    """The home library and the permanent location that a row names."""
    home = library(tx, agency, row.library) if row.library else None
    stands = location(tx, agency, row.location) if row.location else None
    if home is not None and stands is not None and stands.library_id != home.id:
        raise RowRefused(
            Mistake("location", f"{shown(stands.code)} is in another library", f"a location of {home.code}, or none")
        )
    if home is None and stands is None and known is None:
        raise RowRefused(Mistake("library", "missing", "the code of a library, or of a location, as the item is new"))
    here = home.id if home else stands.library_id if stands else known.home_library_id if known else None
    stays = known is not None and row.location is UNSET and here == known.home_library_id
    kept = known.permanent_location_id if known and stays else None
    return {"home_library": here, "permanent_location": stands.id if stands else kept}


def _title(tx: Transaction, agency: Agency, row: ItemRow, known: Item | None) -> Record | None:
    """The record that a row means: the one it names, else the item's own; None: a brief one is to be made."""
    inline = bool(row.title or row.author)
    if row.record:
        if inline:
            raise RowRefused(Mistake("title", "both a record and a title or author", "one of them"))
        found = record_of(tx, agency, row.record)
        if found is None:
            raise RowRefused(
                Mistake("record", f"{shown(row.record)} is unknown here", "a record that was loaded before")
            )
        return found
    if known is None:
        if not row.title:
            raise RowRefused(Mistake("record", "missing", "the id of a record, or a title, as the item is new"))
        return None
    own = own_number(tx, known.record_id)
    if inline and own:
        raise RowRefused(Mistake("title", f"the item belongs to record {own}", "no title and no author"))
    return tx.one("record_by_id", record_row, id=known.record_id)


def _record(tx: Transaction, agency: Agency, row: ItemRow, title: Record | None) -> tuple[int, Outcome]:
    """The record's number, once a brief record says what the row says."""
    said = row.given("title", "author") if row.title or row.author else {}
    if title is not None and not said:
        return title.id, Outcome.UNCHANGED
    return describe(tx, agency, title, said)


def _facts(row: ItemRow, known: Item | None) -> dict[str, Any]:
    facts: dict[str, Any] = {name: getattr(known, name) if known else "" for name in _PLAIN}
    circulates = known.circulates if row.circulates is UNSET and known else int(row.circulates is not False)
    return facts | row.given(*_PLAIN) | {"circulates": circulates}


def _facts_of(known: Item) -> dict[str, Any]:
    facts: dict[str, Any] = {name: getattr(known, name) for name in _PLAIN}
    return facts | {
        "circulates": known.circulates,
        "home_library": known.home_library_id,
        "permanent_location": known.permanent_location_id,
        "record": known.record_id,
    }
