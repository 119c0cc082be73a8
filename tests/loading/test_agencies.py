"""Loading agencies: what a row makes, what a second load changes, what is refused."""

from __future__ import annotations

import pytest

from ncipd.loading import load_file

ROW = {"code": "NCIPD-LEND", "name": "Lakeside University", "time_zone": "Europe/Berlin"}


def test_an_agency_gets_its_codes_libraries_and_locations(folder, rows):
    assert rows("SELECT code, name, time_zone, network FROM agency") == [
        ("NCIPD-LEND", "Lakeside University", "Europe/Berlin", "")
    ]
    assert rows("SELECT folded, code FROM agency_code ORDER BY folded") == [
        ("NCIPD-LEND", "NCIPD-LEND"),
        ("XX-LEND", "XX-LEND"),
    ]
    assert rows("SELECT code, name FROM library ORDER BY id") == [("MAIN", "Main Library"), ("LAW", "Law Library")]
    assert rows("SELECT l.code, b.code FROM location l JOIN library b ON b.id = l.library_id ORDER BY l.id") == [
        ("STACKS", "MAIN"),
        ("LAWSTACKS", "LAW"),
    ]


def test_agencies_can_be_the_first_thing_in_a_new_store(tmp_path):
    path = tmp_path / "agencies.csv"
    path.write_text(
        "code;name;time_zone;network;codes;libraries;locations\n"
        "NCIPD-BORROW;Hillside College;America/New_York;hills;XX-BORROW|HLS;"
        "MAIN=Main Library|NORTH;MAIN/STACKS=Stacks|NORTH/N1\n"
    )
    report = load_file(tmp_path / "new", "agencies", path)
    assert (report.added, report.refusals) == (1, [])
    assert load_file(tmp_path / "new", "agencies", path).unchanged == 1


def test_a_second_load_renames_moves_and_adds_and_takes_nothing_away(load, rows):
    more = {
        **ROW,
        "name": "Lakeside",
        "codes": ["LSU"],
        "libraries": [{"code": "LAW", "name": "Law"}, {"code": "RS"}],
        "locations": [{"library": "RS", "code": "LAWSTACKS"}, {"library": "MAIN", "code": "ANNEX", "name": "Annex"}],
    }
    assert load("agencies", [more]).changed == 1
    assert rows("SELECT name FROM agency") == [("Lakeside",)]
    assert rows("SELECT code FROM agency_code ORDER BY code") == [("LSU",), ("NCIPD-LEND",), ("XX-LEND",)]
    assert rows("SELECT code, name FROM library ORDER BY id") == [
        ("MAIN", "Main Library"),
        ("LAW", "Law"),
        ("RS", "RS"),
    ]
    assert rows(
        "SELECT l.code, l.name, b.code FROM location l JOIN library b ON b.id = l.library_id ORDER BY l.id"
    ) == [
        ("STACKS", "Open stacks", "MAIN"),
        ("LAWSTACKS", "Law stacks", "RS"),
        ("ANNEX", "Annex", "MAIN"),
    ]
    assert load("agencies", [more]).unchanged == 1
    assert load("agencies", [ROW | {"name": "Lakeside"}]).unchanged == 1, "what is not said stays"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ROW | {"time_zone": "Berlin"}, "time_zone: 'Berlin'; expected an IANA time zone such as Europe/Berlin"),
        (ROW | {"time_zone": "Europe"}, "time_zone: 'Europe'; expected an IANA time zone"),
        (ROW | {"time_zone": "../etc"}, "expected an IANA time zone"),
        (ROW | {"time_zone": ""}, "time_zone: missing; expected its IANA time zone"),
        (ROW | {"code": " ", "name": None}, "code: missing"),
        (ROW | {"code": "XX-LEND"}, "'XX-LEND' is a further code of an agency; expected its first, 'NCIPD-LEND'"),
        (ROW | {"code": "NEW", "codes": ["xx-lend"]}, "codes: 'xx-lend' belongs to agency NCIPD-LEND"),
        (
            ROW | {"locations": [{"library": "RS", "code": "X"}]},
            "locations: location 'X' is in library 'RS', which is unknown; expected one of LAW, MAIN",
        ),
        (
            ROW | {"code": "NEW", "locations": [{"library": "RS", "code": "X"}]},
            "expected a library of the column `libraries`",
        ),
        (ROW | {"libraries": [{"code": "A"}, {"name": "B"}]}, "libraries[2].code: missing"),
        (ROW | {"libraries": ["A"]}, "libraries[1]: 'A'; expected an object with the columns code, name"),
        (ROW | {"libraries": "A=B"}, "libraries: 'A=B'; expected code=name|code=name (JSON: a list of objects)"),
        (ROW | {"codes": "A"}, "codes: 'A'; expected one|two (JSON: a list of texts)"),
        (ROW | {"codes": [1]}, "codes: 1; expected text in quotes"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(why, rows, row, reason):
    before = rows("SELECT * FROM agency"), rows("SELECT * FROM agency_code"), rows("SELECT * FROM library")
    assert reason in why("agencies", [row])
    assert before == (rows("SELECT * FROM agency"), rows("SELECT * FROM agency_code"), rows("SELECT * FROM library"))


def test_a_cell_that_does_not_follow_its_pattern_is_refused(why):
    assert "locations: 'STACKS'; expected library/code=name" in why(
        "agencies", "code,name,time_zone,locations\nA,A,Europe/Berlin,STACKS\n"
    )
