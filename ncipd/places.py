"""Whether the agencies, libraries and locations that partners' settings name are in the store.

The configuration is read without a store, and the store is filled without the configuration; a code that is written
differently in the two would go unnoticed, for what is not found is replaced by what is usual.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ncipd.circulation.model import Agency, Library, Location
from ncipd.config.mistakes import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ncipd.circulation.partner import Partner
    from ncipd.store.port import Transaction

LIBRARIES: Final = ("default_library", "pickup_library")
LOCATIONS: Final = ("lending_location", "borrowing_location")


def missing(tx: Transaction, partners: Iterable[Partner]) -> list[Mistake]:
    """List the settings that name what the store does not have, in the words of the configuration file."""
    agencies = {
        code.strip().upper(): agency
        for agency in tx.all("agencies", Agency._make)
        for (code,) in tx.all("agency_codes", agency=agency.id)
    }
    found: list[Mistake] = []
    codes: dict[tuple[int, str], int] = {}
    for at, partner in enumerate(partners, 1):
        agency = agencies.get(partner.agency.strip().upper())
        if agency is None:
            known = ", ".join(sorted({one.code for one in agencies.values()})) or "none yet"
            text = f"no agency in the store is called {partner.agency!r}; there are {known}"
            found.append(Mistake(f"partner[{at}].agency", text))
            continue
        first = codes.setdefault((agency.id, partner.code.casefold()), at)
        if first != at:
            text = f"{partner.code!r} is also partner[{first}] of {agency.code} under another of its codes"
            found.append(Mistake(f"partner[{at}].code", text))
        found += _places(tx, agency, partner, f"partner[{at}]")
    return found


def _places(tx: Transaction, agency: Agency, partner: Partner, path: str) -> Iterator[Mistake]:
    libraries = [one.code for one in tx.all("libraries", Library._make, agency=agency.id)]
    locations = [one.code for one in tx.all("locations", Location._make, agency=agency.id)]
    for what, settings, known in (("library", LIBRARIES, libraries), ("location", LOCATIONS, locations)):
        for setting in settings:
            code = getattr(partner, setting)
            if code and code not in known:
                there = ", ".join(known) or "none"
                yield Mistake(f"{path}.{setting}", f"{agency.code} has no {what} {code!r}; there are {there}")
