"""The demonstration's two libraries are what README.md beside them says, and load cleanly."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing

import msgspec
import pytest

from ncipd import demo, profiles
from ncipd.circulation.model import Agency
from ncipd.circulation.partner import PartnerRole, Sides
from ncipd.circulation.unit import Circulation
from ncipd.config import effective, parse
from ncipd.loading import load_file
from ncipd.store.bulk import BulkConnection
from ncipd.store.sqlite import SqliteStore

NOW = 1_767_600_000_000_000  # 2026-01-05


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A store with the demonstration in it."""
    path = tmp_path_factory.mktemp("demo") / "data"
    with BulkConnection(path) as bulk, bulk.chunk() as tx:
        demo.load_demo(tx)
        demo.after_load(lender(tx))
    return path


@pytest.fixture(scope="module")
def rows(folder):
    with closing(sqlite3.connect(folder / "ncipd.sqlite3")) as connection:
        yield lambda sql, *params: connection.execute(sql, params).fetchall()


def lender(tx):
    agency = tx.one("agency_by_code", Agency._make, folded=demo.LENDER)
    ids = itertools.count()
    return Circulation(tx, agency=agency, partner=None, partners={}, now=NOW, new_id=lambda: f"id-{next(ids)}")


def open_loans(tx):
    (user, *_) = tx.one("user_by_primary_id", agency=1, primary_id="L-USER-20")
    return tx.one("count_open_loans_of_user", user=user)


def barcodes(rows, where):
    return {barcode for (barcode,) in rows(f"SELECT barcode FROM item WHERE live = 1 AND {where}")}


def test_agencies_libraries_and_locations_are_there_in_their_order(rows):
    assert rows("SELECT code, time_zone FROM agency ORDER BY id") == [
        ("NCIPD-LEND", "Europe/Berlin"),
        ("NCIPD-BORROW", "America/New_York"),
    ]
    assert {code for (code,) in rows("SELECT folded FROM agency_code")} == {
        "NCIPD-LEND", "XX-LEND", "999100", "NCIPD-BORROW", "XX-BORROW", "999200",
    }  # fmt: skip
    found = rows(
        "SELECT agency.code, library.code, location.code FROM location JOIN library ON library.id = library_id "
        "JOIN agency ON agency.id = location.agency_id ORDER BY location.id"
    )
    assert found == [
        ("NCIPD-LEND", "MAIN", "STACKS"),
        ("NCIPD-LEND", "LAW", "LAWSTACKS"),
        ("NCIPD-LEND", "RS", "RS-LENDING"),
        ("NCIPD-LEND", "RS", "RS-BORROWING"),
        ("NCIPD-BORROW", "MAIN", "STACKS"),
        ("NCIPD-BORROW", "NORTH", "NSTACKS"),
        ("NCIPD-BORROW", "MAIN", "RS-LENDING"),
        ("NCIPD-BORROW", "MAIN", "RS-BORROWING"),
    ]


def test_items_are_as_promised(rows):
    available = barcodes(rows, "status = 'available' AND circulates = 1")
    assert available >= {f"L-{n:04}" for n in range(1, 300)} | {f"B-{n:04}" for n in range(1, 61)}
    assert barcodes(rows, "status = 'missing'") == {"L-LOST-1"}
    assert barcodes(rows, "circulates = 0") == {"L-REF-1"}
    assert barcodes(rows, "status = 'on-loan'") == {f"L-LOAN-{n}" for n in range(1, 6)}
    law = "home_library_id = (SELECT id FROM library WHERE code = 'LAW')"
    assert barcodes(rows, law) == {f"L-{n:04}" for n in range(180, 200)}


def test_each_numbered_item_is_on_the_record_of_its_number(rows):
    found = rows(
        "SELECT barcode, value FROM item JOIN record_identifier USING (record_id) WHERE code = '' ORDER BY barcode"
    )
    numbers = dict(found)
    assert all(numbers[f"L-{n:04}"] == f"REC-{n:04}" for n in range(1, 200))
    assert all(numbers[f"B-{n:04}"] == f"B-REC-{n:04}" for n in range(1, 61))
    several = {barcode: value for barcode, value in found if barcode.count("-") > 1}
    assert several == {f"L-{n:04}-2": f"REC-{n:04}" for n in range(150, 160)} | {
        f"L-{n:04}-V2": f"REC-{n:04}" for n in range(160, 165)
    }


def test_one_isbn_names_two_records_and_every_other_one(rows):
    shared = rows(
        "SELECT value FROM record_identifier WHERE code = 'ISBN' AND agency_id = 1 GROUP BY value HAVING count(*) > 1"
    )
    assert shared == [("9789999001700",)]
    isbns = [value for (value,) in rows("SELECT value FROM record_identifier WHERE code = 'ISBN'")]
    assert all(sum(int(digit) * (1, 3)[at % 2] for at, digit in enumerate(isbn)) % 10 == 0 for isbn in isbns)


def test_every_record_has_a_title_and_no_agency_two_records_that_look_the_same(rows):
    assert rows("SELECT count(*) FROM record WHERE title = '' OR author = ''") == [(0,)]
    assert rows("SELECT title FROM record GROUP BY agency_id, title, author, edition HAVING count(*) > 1") == []


def test_users_are_as_promised(rows):
    users = {primary for (primary,) in rows("SELECT primary_id FROM user")}
    assert users == {f"L-USER-{n}" for n in range(1, 31)} | {f"B-USER-{n}" for n in range(1, 51)} | {
        f"{side}-{kind}-1" for side in "LB" for kind in ("BLOCKED", "EXPIRED", "LIMIT")
    }
    bad = {"L-BLOCKED-1", "B-BLOCKED-1"}
    assert {primary for (primary,) in rows("SELECT primary_id FROM user JOIN user_block ON user.id = user_id")} == bad
    expired = rows("SELECT primary_id FROM user WHERE expires_at < ? ORDER BY 1", NOW)
    assert expired == [("B-EXPIRED-1",), ("L-EXPIRED-1",)]
    assert rows("SELECT value FROM user_identifier WHERE type = 'Institution Id Number' AND user_id = "
                "(SELECT id FROM user WHERE primary_id = 'B-USER-7')") == [("H-10007",)]  # fmt: skip
    assert rows("SELECT count(DISTINCT user_id) FROM user_identifier WHERE type = 'Barcode Id'") == [(86,)]
    assert rows("SELECT count(DISTINCT user_id) FROM user_address WHERE kind = 'mailto'") == [(86,)]


def test_the_loans_of_the_beginning_are_made_once_and_a_restart_undoes_nothing(folder, rows):
    out = "SELECT barcode, primary_id FROM loan JOIN item ON item.id = item_id JOIN user ON user.id = user_id"
    expected = [(f"L-LOAN-{n}", "L-USER-20") for n in range(1, 6)]
    assert rows(out) == expected
    with BulkConnection(folder) as bulk, bulk.chunk() as tx:
        reports = demo.load_demo(tx)
        demo.after_load(lender(tx))
    assert all(report.unchanged == report.rows > 0 for report in reports)
    assert rows(out) == expected


async def test_an_empty_store_is_filled_before_anything_is_answered_and_a_filled_one_stays(tmp_path):
    async with SqliteStore.open(tmp_path / "data") as store:
        for _ in range(2):
            await demo.fill(store)
            assert len(store.read(lambda tx: tx.all("agencies"))) == 2
            assert store.read(open_loans) == (5,)


def test_every_file_can_be_loaded_by_hand_too(tmp_path):
    """What is an example is loadable as it is."""
    for kind, agency, name in demo.FILES:
        report = load_file(tmp_path / "data", kind, demo.FOLDER / name, agency=agency)
        assert (report.added, report.refusals) == (report.rows, []), name


@pytest.mark.parametrize(("host", "url"), [("127.0.0.1", "tcp://127.0.0.1:8643"), ("::1", "tcp://[::1]:8643")])
def test_the_door_without_http_is_where_the_rest_listens_or_nowhere(host, url):
    """It is bound to a partner that is there; without a port there is none, so that many may run at once."""
    config = demo.demo_config("", demo.FOLDER, host, 8080, 8643)
    (door,) = config.tcp
    assert door.url == url
    assert (door.agency, door.partner) in {(partner.agency, partner.code) for partner in config.partner}
    assert demo.demo_config("", demo.FOLDER, host, 0).tcp == ()


def test_both_libraries_have_a_partner_of_each_profile_that_serves_them():
    config = demo.demo_config("", demo.FOLDER, "127.0.0.1", 0)
    of = {
        agency: {one.profile for one in config.partner if one.agency == agency}
        for agency in (demo.LENDER, demo.BORROWER)
    }
    assert of[demo.LENDER] | of[demo.BORROWER] == {"", *profiles.names()}
    assert of[demo.LENDER] - of[demo.BORROWER] == {"wms", "xc", "vufind", "dbc"}
    assert of[demo.BORROWER] - of[demo.LENDER] == {"illiad-folio"}


def test_the_configuration_names_real_places_and_fills_in_the_broker(rows, tmp_path):
    config = demo.demo_config("http://127.0.0.1:8155/ncip", tmp_path, "127.0.0.1", 0)
    assert (config.server.host, config.server.port, config.store.data) == ("127.0.0.1", 0, str(tmp_path))
    libraries = set(rows("SELECT agency.code, library.code FROM library JOIN agency ON agency.id = agency_id"))
    locations = set(rows("SELECT agency.code, location.code FROM location JOIN agency ON agency.id = agency_id"))
    for partner in config.partner:
        assert partner.url == "http://127.0.0.1:8155/ncip"
        assert {
            (partner.agency, code) for code in (partner.default_library, partner.pickup_library) if code
        } <= libraries
        assert {
            (partner.agency, code) for code in (partner.lending_location, partner.borrowing_location) if code
        } <= locations
    shown = [msgspec.structs.replace(partner, secret="***" if partner.secret else "") for partner in config.partner]
    assert list(parse(effective(config)).partner) == shown, "what is shown can be read again, but for the secrets"


def test_the_partners_are_those_that_scenarios_name():
    partners = {
        (partner.agency, partner.code): partner for partner in demo.demo_config("", demo.FOLDER, "::1", 1).partner
    }
    lending = {code for agency, code in partners if agency == demo.LENDER}
    borrowing = {code for agency, code in partners if agency == demo.BORROWER}
    assert lending >= {
        "default", "ALMA-BROKER", "BROKER-MANUAL", "BROKER-DIGITAL", "BROKER-STRICT", "BROKER-CLOSE", "BROKER-NORENEW",
        "BROKER-LENDONLY", "BROKER-BORROWONLY", "BROKER-SHELF", "DISCOVERY", "ILS",
    }  # fmt: skip
    assert borrowing >= {
        "ALMA-BROKER", "BROKER-DESK", "BROKER-PREFIX", "BROKER-REFUSE", "BROKER-IDTYPE", "BROKER-LENDONLY",
        "BROKER-BORROWONLY",
    }  # fmt: skip
    assert [partner.code for partner in partners.values() if partner.fallback] == ["default"]
    assert {partner.agency for partner in partners.values() if partner.fallback} == {demo.LENDER}
    assert all(partner.url == "" for partner in partners.values())
    assert partners[demo.LENDER, "ILS"].role is PartnerRole.ILS
    assert partners[demo.BORROWER, "BROKER-LENDONLY"].sides is Sides.LENDING
