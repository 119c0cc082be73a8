"""How the loading of a row ends, and the agency it is loaded for."""

from __future__ import annotations

from enum import StrEnum

from ncipd.circulation.model import Agency, Library, Location
from ncipd.loading.columns import Mistake, RowRefused
from ncipd.loading.forms import did_you_mean, shown
from ncipd.store.port import Transaction


class Outcome(StrEnum):
    """What became of a row that was not refused."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


def library(tx: Transaction, agency: Agency, code: str) -> Library:
    """Find a library by its code. Raises `RowRefused` with the codes that there are."""
    found = tx.one("library_by_code", Library._make, agency=agency.id, code=code)
    if found is None:
        known = [one.code for one in tx.all("libraries", Library._make, agency=agency.id)]
        raise RowRefused(_unknown("library", code, known))
    return found


def location(tx: Transaction, agency: Agency, code: str) -> Location:
    """Find a location by its code. Raises `RowRefused` with the codes that there are."""
    found = tx.one("location_by_code", Location._make, agency=agency.id, code=code)
    if found is None:
        known = [one.code for one in tx.all("locations", Location._make, agency=agency.id)]
        raise RowRefused(_unknown("location", code, known))
    return found


def _unknown(column: str, code: str, known: list[str]) -> Mistake:
    expected = f"one of {', '.join(known)}" if known else "none, as the agency has none yet; load them first"
    return Mistake(column, f"{shown(code)} is unknown here", expected + did_you_mean(code, known))
