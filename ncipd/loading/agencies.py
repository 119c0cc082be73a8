"""Writing an agency with its codes, libraries and locations."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from ncipd.circulation.model import Agency, Library, Location
from ncipd.loading.columns import Mistake, RowRefused
from ncipd.loading.forms import shown
from ncipd.loading.outcome import Outcome
from ncipd.loading.rows import AgencyRow, LibraryRow, LocationRow
from ncipd.store.port import Transaction


def store_agency(tx: Transaction, row: AgencyRow) -> Outcome:
    """Add an agency, or bring it up to date; nothing that it has is taken away. Raises `RowRefused`."""
    known = tx.one("agency_by_code", Agency._make, folded=_folded(row.code))
    mistakes = [*_wrong_codes(tx, row, known), *_wrong_locations(tx, row, known)]
    if mistakes:
        raise RowRefused(*mistakes)
    before = _standing(tx, known) if known else None
    agency = _agency(tx, row, known)
    for code in (agency.code, *(row.codes or ())):
        tx.run("insert_agency_code", folded=_folded(code), agency=agency.id, code=code)
    for library in row.libraries or ():
        _store_library(tx, agency, library)
    for location in row.locations or ():
        _store_location(tx, agency, location)
    if before is None:
        return Outcome.ADDED
    return Outcome.UNCHANGED if _standing(tx, agency) == before else Outcome.CHANGED


def _agency(tx: Transaction, row: AgencyRow, known: Agency | None) -> Agency:
    network = row.network if row.network is not UNSET else known.network if known else ""
    facts = (row.name, row.time_zone, network)
    columns = dict(zip(("name", "time_zone", "network"), facts, strict=True))
    if known is None:
        return Agency(tx.insert("insert_agency", code=row.code, **columns), row.code, *facts)
    if known[2:5] != facts or not known.served:
        tx.run("update_agency", id=known.id, **columns)
    return Agency(known.id, known.code, *facts)


def _wrong_codes(tx: Transaction, row: AgencyRow, known: Agency | None) -> Iterator[Mistake]:
    if known is not None and _folded(known.code) != _folded(row.code):
        yield Mistake("code", f"{shown(row.code)} is a further code of an agency", f"its first, {shown(known.code)}")
    for code in row.codes or ():
        owner = tx.one("agency_by_code", Agency._make, folded=_folded(code))
        if owner is not None and (known is None or owner.id != known.id):
            yield Mistake("codes", f"{shown(code)} belongs to agency {owner.code}", "codes that no other agency has")


def _wrong_locations(tx: Transaction, row: AgencyRow, known: Agency | None) -> Iterator[Mistake]:
    libraries = {library.code for library in row.libraries or ()}
    if known is not None:
        libraries |= {library.code for library in tx.all("libraries", Library._make, agency=known.id)}
    for location in row.locations or ():
        if location.library not in libraries:
            yield Mistake(
                "locations",
                f"location {shown(location.code)} is in library {shown(location.library)}, which is unknown",
                f"one of {', '.join(sorted(libraries))}" if libraries else "a library of the column `libraries`",
            )


def _store_library(tx: Transaction, agency: Agency, row: LibraryRow) -> None:
    known = tx.one("library_by_code", Library._make, agency=agency.id, code=row.code)
    name = row.name or (known.name if known else row.code)
    if known is None or known.name != name:
        tx.insert("upsert_library", agency=agency.id, code=row.code, name=name)


def _store_location(tx: Transaction, agency: Agency, row: LocationRow) -> None:
    library = tx.one("library_by_code", Library._make, agency=agency.id, code=row.library)
    known = tx.one("location_by_code", Location._make, agency=agency.id, code=row.code)
    name = row.name or (known.name if known else row.code)
    if library is not None and (known is None or (known.library_id, known.name) != (library.id, name)):
        tx.insert("upsert_location", agency=agency.id, library=library.id, code=row.code, name=name)


def _standing(tx: Transaction, agency: Agency) -> tuple[object, ...]:
    return (
        tx.one("agency_by_id", id=agency.id),
        tx.all("agency_codes", agency=agency.id),
        tx.all("libraries", agency=agency.id),
        tx.all("locations", agency=agency.id),
    )


def _folded(code: str) -> str:
    return code.strip().upper()
