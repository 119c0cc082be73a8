"""Two invented libraries and their partners, for `ncipd serve --demo`; README.md says what is where."""

from __future__ import annotations

import time
from pathlib import Path

from msgspec.structs import replace

from ncipd.circulation import local
from ncipd.circulation.model import Agency, ItemStatus
from ncipd.circulation.unit import Circulation
from ncipd.config import Config, parse
from ncipd.loading import LoadReport, load_rows, read_rows
from ncipd.store.port import Store, Transaction

FOLDER = Path(__file__).parent
CONFIG = FOLDER / "ncipd.toml"

LENDER = "NCIPD-LEND"
BORROWER = "NCIPD-BORROW"

#: What is loaded, in this order: the kind, the agency, the file.
FILES = (
    ("agencies", "", "agencies.json"),
    ("users", LENDER, "lakeside-users.csv"),
    ("records", LENDER, "lakeside-records.csv"),
    ("items", LENDER, "lakeside-items.csv"),
    ("users", BORROWER, "hillside-users.csv"),
    ("records", BORROWER, "hillside-records.jsonl"),
    ("items", BORROWER, "hillside-items.csv"),
)

#: Who has which item of the lender when the demonstration begins: barcode and user.
SEED_LOANS = tuple((f"L-LOAN-{number}", "L-USER-20") for number in range(1, 6))


def demo_config(broker_url: str, data: Path, host: str, port: int, tcp_port: int | None = None) -> Config:
    """The configuration of the demonstration; `broker_url` is where all its partners listen, '' for nowhere.

    `tcp_port` is that of its door for NCIP without HTTP; None for no such door.
    """
    config = parse(CONFIG.read_text("utf-8"), source=str(CONFIG))
    place = f"[{host}]" if ":" in host else host
    return replace(
        config,
        server=replace(config.server, host=host, port=port),
        store=replace(config.store, data=str(data)),
        tcp=() if tcp_port is None else tuple(replace(door, listen=f"{place}:{tcp_port}") for door in config.tcp),
        partner=tuple(replace(partner, url=broker_url) for partner in config.partner),
    )


def load_demo(tx: Transaction) -> list[LoadReport]:
    """Load both libraries, or bring them up to date; what circulation made of them stays as it is."""
    reports = [
        load_rows(tx, kind, read_rows(FOLDER / name, kind), agency=agency, source=name) for kind, agency, name in FILES
    ]
    wrong = [str(refusal) for report in reports for refusal in report.refusals]
    if wrong:
        raise ValueError("\n".join(["the demonstration's own files are refused:", *wrong]))
    return reports


def after_load(circ: Circulation) -> None:
    """Lend what is on loan from the beginning, in a unit of work of the lender; items that went other ways stay so."""
    for barcode, user in SEED_LOANS:
        item = circ.item_by_barcode(barcode)
        users = circ.users(user)
        if item is not None and item.status is ItemStatus.AVAILABLE and circ.loan_of(item) is None and users:
            local.check_out(circ, item, users[0], None)


async def fill(store: Store) -> None:
    """Put the demonstration into an open store, before anything is answered from it."""
    await store.transact(load_demo)
    await store.transact(_seed)


def _seed(tx: Transaction) -> None:
    agency = tx.one("agency_by_code", Agency._make, folded=LENDER)
    if agency is not None:
        now = time.time_ns() // 1000
        after_load(Circulation(tx, agency=agency, partner=None, partners={}, now=now, new_id=lambda: f"demo-{now}"))
