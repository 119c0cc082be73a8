"""Loading users: what a row makes, what a second load changes, what is refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from ncipd.hashing import is_secret
from ncipd.loading import LoadError, load_file

WHOLE = """\
primary_id,identifiers,surname,given_name,group,language,born,expires,loan_limit,email,phone,\
street,locality,region,postal_code,country,privileges,blocks,note
U1,Barcode Id=U1|Institution Id Number=H-1,Okafor,Ngozi,Faculty,eng,1987-03-14,2036-06-30,20,ngozi@hillside.example,\
+1 202 555 0101,12 Orchard Lane,Hillside,NY,12345,US,ILL=Active|Borrow,block check out=fees|Trap For Message,likes tea
"""


def at(micros):
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def test_a_user_gets_everything_that_a_row_says(load, rows):
    assert load("users", WHOLE).added == 1
    assert rows("SELECT primary_id, surname, given_name, user_group, language, loan_limit, note FROM user") == [
        ("U1", "Okafor", "Ngozi", "Faculty", "eng", 20, "likes tea")
    ]
    ((born, expires),) = rows("SELECT born_at, expires_at FROM user")
    assert at(born) == datetime(1987, 3, 14, tzinfo=UTC), "no zone moves a birthday to another day"
    assert at(expires) == datetime(2036, 6, 30, 21, 59, 59, tzinfo=UTC), "the last second of that day in Berlin"
    assert rows("SELECT type, value FROM user_identifier ORDER BY type") == [
        ("Barcode Id", "U1"),
        ("Institution Id Number", "H-1"),
    ]
    assert rows("SELECT kind, data, locality, region, postal_code, country FROM user_address ORDER BY id") == [
        ("mailto", "ngozi@hillside.example", "", "", "", ""),
        ("tel", "+1 202 555 0101", "", "", "", ""),
        ("postal", "12 Orchard Lane", "Hillside", "NY", "12345", "US"),
    ]
    assert rows("SELECT type, status FROM user_privilege ORDER BY id") == [("ILL", "Active"), ("Borrow", "")]
    assert rows("SELECT type, note FROM user_block ORDER BY id") == [
        ("Block Check Out", "fees"),
        ("Trap For Message", ""),
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-01-05", "2026-01-05T22:59:59+00:00"),
        ("2026-07-05", "2026-07-05T21:59:59+00:00"),
        ("2026-07-05T12:00:00", "2026-07-05T10:00:00+00:00"),
        ("2026-07-05 12:00", "2026-07-05T10:00:00+00:00"),
        ("2026-07-05T12:00:00Z", "2026-07-05T12:00:00+00:00"),
        ("2026-07-05T12:00:00-05:00", "2026-07-05T17:00:00+00:00"),
    ],
)
def test_dates_without_a_zone_are_the_agencys(load, rows, written, meant):
    load("users", [{"primary_id": "U1", "expires": written}])
    assert at(rows("SELECT expires_at FROM user")[0][0]).isoformat() == meant


def test_blocks_and_privileges_have_dates_in_json_and_begin_with_the_day(load, rows):
    dates = {"valid_from": "2026-01-05", "valid_to": "2026-01-06"}
    load(
        "users",
        [{"primary_id": "U1", "blocks": [{"type": "Block Hold", **dates}], "privileges": [{"type": "ILL", **dates}]}],
    )
    for table in ("user_block", "user_privilege"):
        ((begins, ends),) = rows(f"SELECT valid_from, valid_to FROM {table}")
        assert at(begins).isoformat() == "2026-01-04T23:00:00+00:00"
        assert at(ends).isoformat() == "2026-01-06T22:59:59+00:00"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Kiritimati"])
def test_the_last_day_of_all_can_be_told_everywhere(load, rows, zone):
    """Some systems write 9999-12-31 for *never*; west of Greenwich that day ends in the year 10000."""
    load("agencies", [{"code": "A", "name": "A", "time_zone": zone}])
    load("users", [{"primary_id": "U1", "expires": "9999-12-31"}], agency="A")
    assert at(rows("SELECT expires_at FROM user")[0][0]).year == 9999


@pytest.mark.parametrize(
    ("identifiers", "stored"),
    [
        (None, [("", "U1")]),
        ([], [("", "U1")]),
        ([{"value": "77"}], [("", "77"), ("", "U1")]),
        ([{"type": "Barcode Id", "value": "U1"}], [("Barcode Id", "U1")]),
        ([{"type": "A", "value": "7"}, {"type": "A", "value": "7"}], [("", "U1"), ("A", "7")]),
    ],
)
def test_the_primary_id_is_always_an_identifier(load, rows, identifiers, stored):
    load("users", [{"primary_id": "U1", "identifiers": identifiers}])
    assert rows("SELECT type, value FROM user_identifier ORDER BY type, value") == stored


def test_loading_the_same_users_again_changes_nothing(load, rows):
    load("users", WHOLE)
    tables = ("user", "user_identifier", "user_address", "user_privilege", "user_block")
    before = [rows(f"SELECT * FROM {table}") for table in tables]
    report = load("users", WHOLE)
    assert (report.added, report.changed, report.unchanged) == (0, 0, 1)
    assert before == [rows(f"SELECT * FROM {table}") for table in tables]


def test_a_column_that_a_file_does_not_have_leaves_alone_what_is_stored(load, rows):
    load("users", WHOLE)
    assert load("users", "primary_id,surname,locality\nU1,Adeyemi,Lakeside\n").changed == 1
    assert rows("SELECT surname, given_name, loan_limit FROM user") == [("Adeyemi", "Ngozi", 20)]
    assert rows("SELECT data, locality FROM user_address WHERE kind <> 'tel' ORDER BY id") == [
        ("ngozi@hillside.example", ""),
        ("12 Orchard Lane", "Lakeside"),
    ]
    assert rows("SELECT count(*) FROM user_block") == [(2,)]
    assert rows("SELECT count(*) FROM user_identifier") == [(2,)]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_empty_cell_empties_what_is_stored(load, rows, form):
    load("users", WHOLE)
    names = "given_name,born,loan_limit,email,street,locality,region,postal_code,country,privileges,blocks,identifiers"
    if form == "csv":
        report = load("users", f"primary_id,{names}\nU1{',' * 12}\n")
    else:
        report = load("users", [{"primary_id": "U1", **dict.fromkeys(names.split(","))}])
    assert report.changed == 1
    assert rows("SELECT surname, given_name, born_at, loan_limit FROM user") == [("Okafor", "", None, None)]
    assert rows("SELECT kind FROM user_address") == [("tel",)]
    assert rows("SELECT type FROM user_block UNION ALL SELECT type FROM user_privilege") == []
    assert rows("SELECT type, value FROM user_identifier") == [("", "U1")]


@pytest.mark.parametrize(
    "change",
    [
        {"email": "other@x.example"},
        {"blocks": []},
        {"privileges": [{"type": "ILL"}]},
        {"identifiers": [{"type": "Barcode Id", "value": "U1"}]},
        {"note": ""},
    ],
)
def test_each_part_of_a_user_that_differs_makes_a_change(load, change):
    load("users", WHOLE)
    assert load("users", [{"primary_id": "U1", **change}]).changed == 1
    assert load("users", [{"primary_id": "U1", **change}]).unchanged == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({}, "primary_id: missing; expected the number under which you know the user"),
        ({"primary_id": "  "}, "primary_id: missing"),
        ({"primary_id": 12345}, "primary_id: 12345; expected text in quotes"),
        ({"primary_id": "a\nb"}, "goes over several lines; expected text in one line"),
        ({"primary_id": "U\x00"}, "primary_id: the character U+0000; expected text without control characters"),
        ({"loan_limit": "y" * 100}, "loan_limit: 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…;"),
        ({"loan_limit": -1}, "loan_limit: -1; expected a whole number from 0 to 2147483647"),
        ({"loan_limit": "5"}, "loan_limit: '5'; expected a whole number"),
        ({"loan_limit": True}, "loan_limit: true; expected a whole number"),
        ({"loan_limit": 2.5}, "loan_limit: 2.5; expected a whole number"),
        ({"loan_limit": 2**31}, "loan_limit: 2147483648; expected"),
        ({"expires": "30.06.2026"}, "expires: '30.06.2026'; expected a date such as 2026-09-30"),
        ({"expires": "2026-02-30"}, "expires: '2026-02-30'; expected a date"),
        ({"expires": "20260630"}, "expires: '20260630'; expected a date"),
        ({"expires": "0001-01-01T00:00:00+14:00"}, "expected a date"),
        ({"expires": "2026-06-30T25:00:00"}, "expected a date"),
        ({"expires": 20260630}, "expires: 20260630; expected a date"),
        ({"born": "1987-03-14T00:00:00"}, "born: '1987-03-14T00:00:00'; expected a date such as 1987-03-14"),
        ({"born": "1987-02-29"}, "expected a day that the calendar has"),
        ({"email": "ada"}, "email: 'ada'; expected an e-mail address"),
        ({"email": "mailto: a@b"}, "expected an e-mail address"),
        ({"identifiers": ["7"]}, "identifiers[1]: '7'; expected an object with the columns value, type"),
        ({"identifiers": [{"type": "A"}]}, "identifiers[1].value: missing"),
        ({"identifiers": {"A": "7"}}, "expected type=value|type=value"),
        ({"blocks": [{"type": "Blok Check Out"}]}, "expected Block … or Trap … (did you mean 'Block Check Out'?)"),
        ({"blocks": [{"type": "Block Hold", "valid_to": "soon"}]}, "blocks[1].valid_to: 'soon'; expected a date"),
        ({"passwords": "x"}, "passwords: unknown column"),
        ({"pin": 1234}, "pin: not a text; expected text in quotes, with its leading zeros"),
        ({"password": "a\nb"}, "password: a control character in it; expected text in one line"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_column_and_nothing_is_written(why, rows, row, reason):
    assert reason in why("users", [{"primary_id": "U1", **row} if row else row])
    assert rows("SELECT * FROM user") == []


def test_all_mistakes_of_a_row_are_told_at_once(load):
    report = load("users", "primary_id,born,loan_limit,email\nU1,x,many,nobody\n")
    assert [mistake.column for mistake in report.refusals[0].mistakes] == ["born", "loan_limit", "email"]
    assert report.refusals[0].key == "U1"


@pytest.mark.parametrize("type_", ["", "Barcode Id"])
def test_an_identifier_of_somebody_else_is_refused_and_names_its_owner(load, why, rows, type_):
    load("users", [{"primary_id": "U1", "identifiers": [{"type": type_, "value": "77"}]}])
    said = why("users", [{"primary_id": "U2", "surname": "x", "identifiers": [{"type": type_.upper(), "value": "77"}]}])
    assert "identifiers: '77'" in said
    assert "belongs to user U1; expected another identifier" in said
    assert rows("SELECT primary_id FROM user") == [("U1",)]
    assert load("users", [{"primary_id": "U3", "identifiers": [{"type": "Other", "value": "77"}]}]).added == 1


def test_the_primary_id_of_a_new_user_may_be_taken_as_an_identifier(load, why):
    load("users", [{"primary_id": "U1", "identifiers": [{"value": "U2"}]}])
    assert "'U2' belongs to user U1" in why("users", [{"primary_id": "U2"}])


def test_users_of_two_agencies_may_have_the_same_identifiers(load, rows):
    load("agencies", [{"code": "NCIPD-BORROW", "name": "Hillside", "time_zone": "America/New_York"}])
    for agency in ("xx-lend", "NCIPD-BORROW"):
        assert load("users", WHOLE, agency=agency).added == 1
    (one, two) = rows("SELECT expires_at FROM user ORDER BY agency_id")
    assert at(two[0]) - at(one[0]) == timedelta(hours=6), "each in the agency's own zone"


def test_the_agency_must_be_known_and_be_named_where_there_are_several(load, folder, tmp_path):
    with pytest.raises(LoadError, match="no agency here is called 'XX'; expected one of NCIPD-LEND"):
        load("users", WHOLE, agency="XX")
    load("agencies", [{"code": "NCIPD-BORROW", "name": "Hillside", "time_zone": "America/New_York"}])
    with pytest.raises(LoadError, match="users belong to an agency; name it; expected one of NCIPD-LEND, NCIPD-BORROW"):
        load("users", WHOLE)


def test_a_store_that_is_not_there_is_not_made_by_a_typing_error(folder, tmp_path):
    path = tmp_path / "users.csv"
    path.write_text(WHOLE)
    with pytest.raises(LoadError, match="there is no store here; check the data folder"):
        load_file(tmp_path / "dta", "users", path)
    assert not (tmp_path / "dta").exists()


def test_a_kind_that_is_none_is_told(folder, tmp_path):
    with pytest.raises(
        LoadError, match=r"'user' cannot be loaded \(did you mean 'users'\?\); expected one of agencies"
    ):
        load_file(folder, "user", tmp_path / "users.csv")


# --- PINs and passwords ----------------------------------------------------------------------------------------------


def test_a_secret_is_kept_as_a_hash_alone_and_loading_it_again_changes_nothing(load, rows):
    assert load("users", "primary_id,pin,password\nU1,0417,correct horse\nU2,,\n").added == 2
    kept = dict(rows("SELECT kind, hash FROM user_secret"))
    assert set(kept) == {"PIN", "Password"}
    assert is_secret("0417", kept["PIN"]), "leading zeros count"
    assert is_secret(" correct horse ", kept["Password"])
    assert not is_secret("0417", kept["Password"])
    report = load("users", "primary_id,pin,password\nU1,0417,correct horse\nU2,,\n")
    assert (report.changed, report.unchanged) == (0, 2)
    assert dict(rows("SELECT kind, hash FROM user_secret")) == kept


def test_another_pin_replaces_it_and_ends_a_lock_out_and_an_empty_one_takes_it_away(load, rows, folder):
    load("users", "primary_id,pin\nU1,0417\n")
    with closing(sqlite3.connect(folder / "ncipd.sqlite3", isolation_level=None)) as connection:
        connection.execute("UPDATE user_secret SET failures = 3, locked_until = 5")
    assert load("users", "primary_id,surname\nU1,Okafor\n").changed == 1, "without the column it stays"
    assert load("users", "primary_id,pin\nU1,9999\n").changed == 1
    ((hashed, failures, locked),) = rows("SELECT hash, failures, locked_until FROM user_secret")
    assert (is_secret("9999", hashed), failures, locked) == (True, 0, None)
    assert load("users", "primary_id,pin\nU1,\n").changed == 1
    assert rows("SELECT * FROM user_secret") == []


def test_a_secret_is_in_no_message_and_refused_rows_are_for_their_owner_alone(load, tmp_path):
    refused = tmp_path / "refused.csv"
    report = load("users", "primary_id,born,pin\nU1,never,0417\n", refused=refused)
    assert "0417" not in report.refusals[0].why
    assert refused.stat().st_mode & 0o077 == 0


def test_many_secrets_are_hashed_before_the_rows_are_written(load, rows):
    """Refused rows among them move nobody's secret to somebody else."""
    lines = [f"U{number},{'x' if number == 3 else ''},{number:04}" for number in range(1, 9)]
    report = load("users", "\n".join(["primary_id,born,pin", *lines]) + "\n")
    assert (report.added, report.refused) == (7, 1)
    found = rows("SELECT primary_id, hash FROM user_secret JOIN user ON user.id = user_id")
    assert all(is_secret(f"{int(name[1:]):04}", hashed) for name, hashed in found)
    assert len(found) == 7


def test_a_postal_address_that_a_message_told_is_the_files_once_the_file_changes_it(load, rows, folder):
    load("users", WHOLE)
    with closing(sqlite3.connect(folder / "ncipd.sqlite3", isolation_level=None)) as connection:
        connection.execute("UPDATE user_address SET content = '<x/>' WHERE kind = 'postal'")
    assert load("users", "primary_id,street\nU1,12 Orchard Lane\n").unchanged == 1
    assert load("users", "primary_id,street\nU1,13 Orchard Lane\n").changed == 1
    assert rows("SELECT data, content FROM user_address WHERE kind = 'postal'") == [("13 Orchard Lane", "")]
