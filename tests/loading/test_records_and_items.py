"""Loading records and items: what a row makes, what a second load changes and never touches, what is refused."""

from __future__ import annotations

import pytest

RECORD = {
    "id": "REC-1",
    "identifiers": [{"code": "isbn", "value": "978-99990-0001-7"}, {"code": "OCLC", "value": "910000001"}],
    "title": "Pride and Prejudice",
    "author": "Austen, Jane",
    "publisher": "Egerton",
    "place": "London",
    "published": "1813",
    "edition": "1st ed.",
    "medium": "book",
    "language": "eng",
    "level": "monograph",
    "series": "Novels ; 2",
}
ITEM = {
    "barcode": "L-1",
    "record": "REC-1",
    "location": "STACKS",
    "call_number": "823.7 AUS",
    "copy_number": "1",
    "volume": "Vol. 1",
    "policy": "standard",
    "note": "water stain",
}


@pytest.fixture
def record(load):
    """A record to hang items on."""
    assert load("records", [RECORD]).added == 1


@pytest.fixture
def item(load, record):
    """An item on it."""
    assert load("items", [ITEM]).added == 1


def items(rows, columns):
    return rows(f"SELECT {columns} FROM item ORDER BY id")


# --- records ---------------------------------------------------------------------------------------------------------


def test_a_record_gets_everything_that_a_row_says_in_the_standards_spelling(record, rows):
    columns = ", ".join(name for name in RECORD if name not in {"id", "identifiers"})
    described = RECORD | {"medium": "Book", "level": "Monograph"}
    assert rows(f"SELECT {columns} FROM record") == [tuple(list(described.values())[2:])]
    assert rows("SELECT code, value FROM record_identifier ORDER BY code") == [
        ("", "REC-1"),
        ("ISBN", "9789999000017"),
        ("OCLC", "910000001"),
    ]


def test_loading_the_same_record_again_changes_nothing(load, record, rows):
    assert load("records", [RECORD]).unchanged == 1
    assert rows("SELECT count(*) FROM record") == [(1,)]


def test_a_record_that_is_known_is_changed_where_the_file_says_so(load, record, rows):
    assert load("records", "id,author,edition\nREC-1,Austen,\n").changed == 1
    assert rows("SELECT title, author, edition FROM record") == [("Pride and Prejudice", "Austen", "")]
    assert rows("SELECT count(*) FROM record_identifier") == [(3,)]
    assert load("records", [{"id": "REC-1", "identifiers": [{"code": "LCCN", "value": "1"}]}]).changed == 1
    assert rows("SELECT code, value FROM record_identifier ORDER BY code") == [("", "REC-1"), ("LCCN", "1")]


def test_two_records_may_have_one_isbn(load, record, rows):
    assert load("records", [RECORD | {"id": "REC-2"}]).added == 1
    assert rows("SELECT count(*) FROM record_identifier WHERE value = '9789999000017'") == [(2,)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"title": "Emma"}, "id: missing; expected your own number of the record"),
        ({"id": "REC-9"}, "title: missing; expected a title, as the record is new"),
        ({"id": "REC-9", "title": ""}, "title: missing"),
        ({"id": "REC-9", "title": "x", "identifiers": [{"value": "1"}]}, "identifiers[1].code: missing"),
        ({"id": "REC-9", "title": "x", "isbn": "1"}, "isbn: unknown column"),
    ],
)
def test_a_record_that_cannot_be_is_refused(why, rows, row, reason):
    assert reason in why("records", [row])
    assert rows("SELECT * FROM record") == []


def test_a_number_without_its_kind_is_refused(why):
    assert "identifiers: '9789999000017'; expected code=value" in why(
        "records", "id,title,identifiers\nR1,x,9789999000017\n"
    )


# --- items -----------------------------------------------------------------------------------------------------------


def test_an_item_gets_everything_that_a_row_says(item, rows):
    assert items(
        rows, "barcode, status, live, temporary, circulates, call_number, copy_number, volume, policy, note"
    ) == [("L-1", "available", 1, 0, 1, "823.7 AUS", "1", "Vol. 1", "standard", "water stain")]
    assert rows(
        "SELECT record.title, library.code, location.code FROM item JOIN record ON record.id = record_id "
        "JOIN library ON library.id = home_library_id JOIN location ON location.id = permanent_location_id"
    ) == [("Pride and Prejudice", "MAIN", "STACKS")]


def test_an_item_without_a_record_gets_a_brief_one_of_its_own(load, rows):
    row = {"barcode": "L-9", "title": "The Mills", "author": "Hallam, Ruth", "library": "LAW"}
    assert load("items", [row]).added == 1
    assert load("items", [row]).unchanged == 1
    assert rows("SELECT title, author FROM record") == [("The Mills", "Hallam, Ruth")]
    assert load("items", [row | {"title": "The Old Mills"}]).changed == 1
    assert rows("SELECT title, author FROM record") == [("The Old Mills", "Hallam, Ruth")]
    assert rows("SELECT version FROM item") == [(1,)], "the item itself is as it was"
    assert rows("SELECT home_library_id, permanent_location_id FROM item") == [(2, None)]


@pytest.mark.parametrize(
    ("written", "status", "circulates"),
    [("missing,no", "missing", 0), ("ON-ORDER,N", "on-order", 0), ("lost,0", "lost", 0), (",", "available", 1),
     ("Available,YES", "available", 1), ("claimed,true", "claimed", 1)],
)  # fmt: skip
def test_a_new_item_stands_where_the_file_says(load, record, rows, written, status, circulates):
    load("items", f"barcode,record,library,status,circulates\nL-1,REC-1,MAIN,{written}\n")
    assert items(rows, "status, circulates") == [(status, circulates)]


def test_a_second_load_never_touches_circulation(load, item, rows):
    rows("UPDATE item SET status = 'on-loan', temporary_location_id = 2, current_library_id = 2, version = 5")
    assert load("items", [ITEM | {"status": "missing"}]).unchanged == 1
    assert items(rows, "status, version") == [("on-loan", 5)], (
        "what changes nothing leaves the version, and stored answers, alone"
    )
    assert load("items", [ITEM | {"status": "missing", "call_number": "X"}]).changed == 1
    assert items(rows, "status, temporary_location_id, current_library_id, call_number, version") == [
        ("on-loan", 2, 2, "X", 6)
    ]


@pytest.mark.parametrize(
    ("row", "changed"),
    [
        ({"location": "LAWSTACKS"}, (1, 2, 2, "823.7 AUS", 1)),
        ({"library": "LAW"}, (1, 2, None, "823.7 AUS", 1)),
        ({"library": "MAIN"}, None),
        ({"location": None}, (1, 1, None, "823.7 AUS", 1)),
        ({"call_number": ""}, (1, 1, 1, "", 1)),
        ({"circulates": False}, (1, 1, 1, "823.7 AUS", 0)),
        ({"circulates": None}, None),
        ({"record": "REC-2"}, (2, 1, 1, "823.7 AUS", 1)),
        ({"record": ""}, None),
        ({}, None),
    ],
)
def test_what_a_file_does_not_say_of_a_known_item_stays(load, item, rows, row, changed):
    load("records", [{"id": "REC-2", "title": "Emma"}])
    report = load("items", [{"barcode": "L-1", **row}])
    assert (report.changed, report.unchanged) == ((0, 1) if changed is None else (1, 0)), report.refusals
    now = items(rows, "record_id, home_library_id, permanent_location_id, call_number, circulates")
    assert now == [changed or (1, 1, 1, "823.7 AUS", 1)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({}, "barcode: missing"),
        ({"barcode": 1}, "barcode: 1; expected text in quotes"),
        ({"barcode": "L-9"}, "library: missing; expected the code of a library, or of a location"),
        ({"barcode": "L-9"}, "record: missing; expected the id of a record, or a title, as the item is new"),
        ({"barcode": "L-9", "library": "MIAN"}, "expected one of MAIN, LAW (did you mean 'MAIN'?)"),
        ({"barcode": "L-9", "location": "X"}, "location: 'X' is unknown here; expected one of STACKS, LAWSTACKS"),
        ({"barcode": "L-9", "library": "LAW", "location": "STACKS"}, "in another library; expected a location of LAW"),
        ({"barcode": "L-9", "record": "REC-7"}, "'REC-7' is unknown here; expected a record that was loaded before"),
        ({"barcode": "L-9", "record": "9789999000017"}, "record: '9789999000017' is unknown here"),
        ({"barcode": "L-9", "record": "REC-1", "title": "x"}, "both a record and a title or author"),
        ({"barcode": "L-1", "title": "x"}, "title: the item belongs to record REC-1; expected no title and no author"),
        ({"barcode": "L-9", "status": "on-loan"}, "status: 'on-loan'; expected one of available, missing"),
        ({"barcode": "L-9", "status": "mising"}, "(did you mean 'missing'?)"),
        ({"barcode": "L-9", "circulates": "perhaps"}, "circulates: 'perhaps'; expected yes or no"),
        ({"barcode": "L-9", "circulates": 1}, "circulates: 1; expected yes or no"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_written(why, item, rows, row, reason):
    before = rows("SELECT * FROM item"), rows("SELECT * FROM record")
    assert reason in why("items", [row])
    assert before == (rows("SELECT * FROM item"), rows("SELECT * FROM record"))


def test_an_agency_without_libraries_is_told_so(load, why):
    load("agencies", [{"code": "NEW", "name": "New", "time_zone": "UTC"}])
    said = why("items", [{"barcode": "L-9", "library": "MAIN", "title": "x"}], agency="NEW")
    assert "library: 'MAIN' is unknown here; expected none, as the agency has none yet; load them first" in said


def test_a_barcode_that_a_borrowed_item_bears_is_refused(load, item, why, rows):
    rows("UPDATE item SET temporary = 1, partner = 'ALMA-BROKER'")
    said = why("items", [ITEM])
    assert "barcode: 'L-1' is borrowed from ALMA-BROKER at present" in said
    assert "load this row again when that item has gone back" in said
    rows("UPDATE item SET live = 0")
    assert load("items", [ITEM]).added == 1, "a withdrawn one is not in the way"
    assert items(rows, "barcode, live, temporary") == [("L-1", 0, 1), ("L-1", 1, 0)]


def test_two_agencies_may_have_the_same_barcodes_and_record_numbers(load, item, rows):
    load("agencies", [{"code": "NEW", "name": "New", "time_zone": "UTC", "libraries": [{"code": "MAIN"}]}])
    assert load("records", [RECORD], agency="NEW").added == 1
    assert load("items", [{"barcode": "L-1", "record": "REC-1", "library": "MAIN"}], agency="NEW").added == 1
    assert items(rows, "agency_id, record_id, home_library_id") == [(1, 1, 1), (2, 2, 3)]


# --- on what terms an item is lent -----------------------------------------------------------------------------------


TERMS = {
    "restrictions": "Overnight Only!; Not For Loan",
    "fee_amount": 500,
    "fee_currency": "EUR",
    "price_amount": 3000,
    "price_currency": "CHF",
    "resource_url": "https://example.org/1",
}
MONEY = "fee_amount, fee_currency, price_amount, price_currency"


def test_an_item_gets_its_terms(load, record, rows):
    assert load("items", [ITEM | TERMS]).added == 1
    assert items(rows, MONEY) == [(500, "EUR", 3000, "CHF")]
    assert "<ReferenceToResource>https://example.org/1" in items(rows, "resource")[0][0].replace("ns1:", "")
    found = rows("SELECT type, acknowledge FROM item_restriction ORDER BY type")
    assert found == [("Not For Loan", 0), ("Overnight Only", 1)]


def test_terms_that_a_row_leaves_out_stay_and_those_it_empties_go(load, item, rows):
    assert load("items", [ITEM | TERMS]).changed == 1
    assert load("items", [ITEM | TERMS]).unchanged == 1, "the same again is no change"
    assert load("items", [ITEM]).unchanged == 1
    assert load("items", [ITEM | {"price_amount": 4000}]).changed == 1, "in the same currency"
    assert items(rows, MONEY) == [(500, "EUR", 4000, "CHF")]
    emptied = {"restrictions": None, "fee_amount": None, "price_amount": None, "resource_url": None}
    assert load("items", [ITEM | emptied]).changed == 1
    assert items(rows, f"{MONEY}, resource") == [(None, "", None, "", "")]
    assert rows("SELECT count(*) FROM item_restriction") == [(0,)]


@pytest.mark.parametrize("name", ["fee", "price"])
@pytest.mark.parametrize("currency", [None, "EURO"])
def test_an_amount_needs_a_currency_that_is_one(why, record, name, currency):
    row = ITEM | {f"{name}_amount": 500} | ({f"{name}_currency": currency} if currency else {})
    assert f"{name}_currency" in why("items", [row])
