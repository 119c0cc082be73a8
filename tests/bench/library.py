"""The library that is measured: one agency with many copies, and one partner that may borrow them all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ncipd.circulation.partner import Partner, Sides
from ncipd.config import Config, Log, Server, Store
from ncipd.store.bulk import BulkConnection
from tests.bench.traffic import AGENCY, ITEM, PARTNER

if TYPE_CHECKING:
    from ncipd.store.port import Transaction

_CHUNK = 1_000  # rows a transaction


def configured(data: Path) -> Config:
    """Give the configuration in which ncipd is measured: as delivered, on a free port, without logs."""
    partner = Partner(code=PARTNER, agency=AGENCY, sides=Sides.LENDING, default_library="MAIN", maximum_loan_days=0)
    return Config(server=Server(port=0), store=Store(data=str(data)), log=Log(level="off"), partner=(partner,))


def fill(data: Path, items: int) -> None:
    """Make a store with this many copies, each of a title of its own."""
    with BulkConnection(data) as bulk:
        with bulk.chunk() as tx:
            agency = tx.insert(
                "insert_agency", code=AGENCY, name="Lakeside University", time_zone="Europe/Berlin", network=""
            )
            tx.run("insert_agency_code", folded=AGENCY, agency=agency, code=AGENCY)
            main = tx.insert("upsert_library", agency=agency, code="MAIN", name="Main Library")
            shelf = tx.insert("upsert_location", agency=agency, library=main, code="STACKS", name="Stacks")
        for start in range(0, items, _CHUNK):
            with bulk.chunk() as tx:
                for number in range(start, min(start + _CHUNK, items)):
                    _copy(tx, agency, main, shelf, number)


def _copy(tx: Transaction, agency: int, library: int, shelf: int, number: int) -> None:
    record = tx.insert(
        "insert_record",
        agency=agency,
        temporary=0,
        title=f"A History of Everything, volume {number}",
        author=f"Reader, Rosa {number % 977}",
        publisher="Lakeside University Press",
        place="Lakeside",
        published="1998",
        edition="",
        medium="Book",
        language="eng",
        level="",
        series="",
        component_title="",
        component_author="",
    )
    tx.run("insert_record_identifier", agency=agency, value=f"99{number:09d}", code="", record=record)
    tx.insert(
        "insert_item",
        agency=agency,
        record=record,
        barcode=ITEM % number,
        status="available",
        temporary=0,
        partner="",
        partner_item="",
        circulates=1,
        policy="",
        call_number=f"QA {number // 100}.{number % 100}",
        copy_number="1",
        volume="",
        home_library=library,
        permanent_location=shelf,
        temporary_location=None,
        note="",
    )
