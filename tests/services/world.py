"""A small world on real SQLite: two agencies, a few partners, and messages sent to the real responder."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from lxml import etree

from ncipd.circulation.partner import Partner
from ncipd.circulation.rows import request_row, task_row
from ncipd.circulation.unit import Circulation
from ncipd.desk import Done, actions
from ncipd.directory import Directory
from ncipd.metrics import Metrics
from ncipd.responder import Door, Responder
from ncipd.store.sqlite import SqliteStore

NS = "http://www.niso.org/2008/ncip"
START = int(datetime(2026, 1, 5, 9, 0, tzinfo=UTC).timestamp() * 1_000_000)
DAY = 86_400_000_000


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    moment: int = START

    def now(self) -> int:
        return self.moment

    def pass_days(self, days: float) -> None:
        self.moment += int(days * DAY)


class Answer:
    """An answer, to be asked by element names."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.root = etree.fromstring(raw)

    @property
    def kind(self) -> str:
        return etree.QName(self.root[0]).localname

    def texts(self, path: str) -> list[str]:
        steps = "/".join(f"{{{NS}}}{step}" for step in path.split("/"))
        return [node.text or "" for node in self.root.iterfind(f".//{steps}")]

    def text(self, path: str) -> str | None:
        found = self.texts(path)
        return found[0] if found else None

    def has(self, path: str) -> bool:
        return bool(self.texts(path))

    @property
    def problem(self) -> str | None:
        return self.text("Problem/ProblemType")

    def __repr__(self) -> str:
        return self.raw.decode()


@dataclass
class World:
    """The responder, its store and its clock, with short ways to talk to it."""

    store: SqliteStore
    directory: Directory
    clock: Clock
    responder: Responder
    ids: Callable[[], str]
    metrics: Metrics = field(default_factory=Metrics)

    async def post(self, raw: bytes | str, key: str | None = None) -> Answer:
        raw = raw.encode() if isinstance(raw, str) else raw
        return Answer((await self.responder.respond(raw, Door("http", key=key))).body)

    async def send(self, content: str, *, to: str = "LEND", partner: str = "BROKER", origin: str = "THEM") -> Answer:
        return await self.post(message(content, to=to, partner=partner, origin=origin))

    async def desk(self, name: str, /, agency: str = "LEND", **values: Any) -> Done:
        action = actions()[name]
        parameters = msgspec.convert(values, action.parameters)
        return await self.store.transact(lambda tx: action.run(parameters, self.unit(tx, agency)))

    def unit(self, tx: Any, agency: str) -> Circulation:
        found = self.directory.agency(agency)
        assert found is not None
        return Circulation(
            tx,
            agency=found,
            partner=None,
            partners=self.directory.partners_of(found),
            now=self.clock.now(),
            new_id=self.ids,
        )

    def ask(self, view: Callable[[Circulation], Any], agency: str = "LEND") -> Any:
        return self.store.read(lambda tx: view(self.unit(tx, agency)))

    def status(self, identifier: str, agency: str = "LEND") -> str:
        """Give the status of the newest request with this id."""
        number = self._agency(agency)
        rows = self.store.read(lambda tx: tx.all("requests_named", request_row, agency=number, identifier=identifier))
        return str(rows[0].status)

    def item_status(self, barcode: str, agency: str = "LEND") -> str:
        item = self.ask(lambda circ: circ.item_by_barcode(barcode) or circ.withdrawn_item(barcode), agency)
        return str(item.status)

    def sent(self, agency: str = "LEND") -> list[str]:
        """Give the services of the messages in the outbox, oldest first."""
        rows = self.store.read(
            lambda tx: tx.all("outbox_of_agency", agency=self._agency(agency), state="queued", most=100)
        )
        return [row[2] for row in reversed(rows)]

    def tasks(self, role: str = "lending", agency: str = "LEND") -> list[str]:
        number = self._agency(agency)
        rows = self.store.read(lambda tx: tx.all("open_tasks", task_row, agency=number, role=role, after=0, most=100))
        return [task.kind for task in rows]

    def count(self, table: str) -> int:
        """Count rows, by a look into the file itself."""
        return int(self.store._reader.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def _agency(self, code: str) -> int:
        found = self.directory.agency(code)
        assert found is not None
        return found.id


def message(content: str, *, to: str = "LEND", partner: str = "BROKER", origin: str = "THEM") -> str:
    """Wrap the text of a message element in an NCIPMessage with a header."""
    header = (
        f"<InitiationHeader><FromAgencyId><AgencyId>{origin}</AgencyId></FromAgencyId>"
        f"<ToAgencyId><AgencyId>{to}</AgencyId></ToAgencyId>"
        + (f"<ApplicationProfileType>{partner}</ApplicationProfileType>" if partner else "")
        + "</InitiationHeader>"
    )
    with_header = re.sub(r"^(<\w+)>", rf"\1>{header}", content.strip(), count=1)
    return (
        f'<NCIPMessage xmlns="{NS}" xmlns:n="{NS}" '
        f'n:version="http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd">{with_header}</NCIPMessage>'
    )


def item_id(barcode: str) -> str:
    return f"<ItemId><ItemIdentifierValue>{barcode}</ItemIdentifierValue></ItemId>"


def user_id(value: str) -> str:
    return f"<UserId><UserIdentifierValue>{value}</UserIdentifierValue></UserId>"


def request_id(value: str) -> str:
    return f"<RequestId><RequestIdentifierValue>{value}</RequestIdentifierValue></RequestId>"


PARTNERS = (
    Partner(code="BROKER", agency="LEND", url="http://broker.invalid/ncip", default_library="MAIN"),
    Partner(code="MANUAL", agency="LEND", url="http://broker.invalid/ncip", automatic_renewal=False),
    Partner(code="NOURL", agency="LEND", automatic_renewal=False),
    Partner(code="DIGITAL", agency="LEND", receive_digitally=True),
    Partner(code="DISCOVERY", agency="LEND", role="discovery"),  # type: ignore[arg-type]
    Partner(code="BROKER", agency="BORROW", url="http://broker.invalid/ncip"),
    Partner(code="DESK", agency="BORROW", automatic_receive=False),
)


def make_world(folder: Path, partners: tuple[Partner, ...] = PARTNERS) -> World:
    """Open a store in a folder and put the small world into it (needs a running loop)."""
    clock = Clock()
    counter = itertools.count(1)

    def ids() -> str:
        return f"made-{next(counter)}"

    store = SqliteStore.open(folder)
    directory = Directory(partners)
    metrics = Metrics()
    responder = Responder(store, directory, clock=clock, new_id=ids, reply_key=b"k" * 32, metrics=metrics)
    return World(store, directory, clock, responder, ids, metrics)


async def fill(world: World) -> None:
    """Put agencies, users, records and items into the store."""
    await world.store.transact(_fill)
    world.store.read(world.directory.refresh)


def _fill(tx: Any) -> None:
    for code, zone in (("LEND", "Europe/Berlin"), ("BORROW", "America/New_York")):
        agency = tx.insert("insert_agency", code=code, name=f"{code} University", time_zone=zone, network="")
        tx.run("insert_agency_code", folded=code, agency=agency, code=code)
        tx.run("insert_agency_code", folded=f"XX-{code}", agency=agency, code=f"XX-{code}")
        main = tx.insert("upsert_library", agency=agency, code="MAIN", name="Main Library")
        law = tx.insert("upsert_library", agency=agency, code="LAW", name="Law Library")
        stacks = tx.insert("upsert_location", agency=agency, library=main, code="STACKS", name="Stacks")
        for number in range(1, 6):
            _user(tx, agency, f"{code}-USER-{number}")
        _user(tx, agency, f"{code}-BLOCKED", block="Block Request Item")
        _user(tx, agency, f"{code}-EXPIRED", expires=START - DAY)
        for number in range(1, 21):
            record = _record(tx, agency, f"REC-{code}-{number}", f"Title {number}")
            _item(tx, agency, record, f"{code[0]}{number}", main, stacks)
            if number == 20:
                _item(tx, agency, record, f"{code[0]}20b", main, stacks)
        record = _record(tx, agency, f"REC-{code}-REF", "A Dictionary")
        _item(tx, agency, record, f"{code[0]}REF", main, stacks, circulates=0)
        record = _record(tx, agency, f"REC-{code}-LAW", "A Law Book")
        _item(tx, agency, record, f"{code[0]}LAW", law, None)


def _user(tx: Any, agency: int, name: str, block: str = "", expires: int | None = None) -> None:
    number = tx.insert(
        "upsert_user", agency=agency, primary_id=name, surname="Reader", given_name="Rosa", user_group="Student",
        language="eng", born_at=None, expires_at=expires, loan_limit=None, note="",
    )  # fmt: skip
    tx.run("insert_user_identifier", agency=agency, value=name, type="Institution Id Number", user=number)
    tx.run("insert_user_identifier", agency=agency, value=f"card-{name}", type="Barcode Id", user=number)
    if block:
        tx.run("insert_user_block", user=number, type=block, valid_from=None, valid_to=None, note="")


def _record(tx: Any, agency: int, number: str, title: str) -> int:
    names = ("author", "publisher", "place", "published", "edition", "medium", "language", "level", "series")
    record = tx.insert(
        "insert_record", agency=agency, temporary=0, title=title, component_title="", component_author="",
        **dict.fromkeys(names, ""),
    )  # fmt: skip
    tx.run("insert_record_identifier", agency=agency, value=number, code="", record=record)
    return int(record)


def _item(tx: Any, agency: int, record: int, barcode: str, home: int, shelf: int | None, circulates: int = 1) -> None:
    tx.insert(
        "insert_item", agency=agency, record=record, barcode=barcode, status="available", temporary=0, partner="",
        partner_item="", circulates=circulates, policy="", call_number=f"QA {barcode}", copy_number="", volume="",
        home_library=home, permanent_location=shelf, temporary_location=None, note="",
    )  # fmt: skip
