"""`ncipd init`: what it makes, what it keeps, and what it refuses to make."""

from __future__ import annotations

import asyncio
import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest

from ncipd import config
from ncipd.setup import Done, SetupError, set_up
from tests.edge.office import opened


def init(file: Path, agency: str = "MY-LIB", **more: str) -> Done:
    values = {"name": "My Library", "time_zone": "Europe/Berlin", "library": "MAIN", "operator": "admin", **more}
    return set_up(file, agency=agency, **values)


def rows(file: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(file.parent / "ncipd-data" / "ncipd.sqlite3") as connection:
        return connection.execute(query).fetchall()


def test_a_configuration_a_store_and_a_token_are_made(tmp_path: Path) -> None:
    file = tmp_path / "ncipd.toml"
    done = init(file)
    assert done.lines == [f"made {file}", f"made agency MY-LIB in {tmp_path / 'ncipd-data'}"]
    settings = config.load(file)
    assert [partner.agency for partner in settings.partner] == ["MY-LIB"]
    assert rows(file, "SELECT code, name, time_zone FROM agency") == [("MY-LIB", "My Library", "Europe/Berlin")]
    assert rows(file, "SELECT code FROM library") == [("MAIN",)]


def test_only_the_hash_of_the_token_is_stored(tmp_path: Path) -> None:
    file = tmp_path / "ncipd.toml"
    token = init(file).token
    assert len(token) >= 40
    assert rows(file, "SELECT name, token_hash FROM operator") == [("admin", sha256(token.encode()).digest())]
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert token.encode() not in kept


def test_what_is_there_is_kept_and_the_operator_gets_a_new_token(tmp_path: Path) -> None:
    file = tmp_path / "ncipd.toml"
    first = init(file)
    file.write_text(file.read_text("utf-8") + "\n# mine\n", "utf-8")
    second = init(file, name="Another Name", agency="my-lib")
    assert second.lines == [f"kept agency my-lib in {tmp_path / 'ncipd-data'}"]
    assert file.read_text("utf-8").endswith("# mine\n")
    assert rows(file, "SELECT name FROM agency") == [("My Library",)]
    assert second.token != first.token
    assert rows(file, "SELECT token_hash FROM operator") == [(sha256(second.token.encode()).digest(),)]


def test_further_operators_and_agencies_can_be_made(tmp_path: Path) -> None:
    file = tmp_path / "ncipd.toml"
    init(file)
    init(file, operator="rosa")
    init(file, agency="OTHER")
    assert rows(file, "SELECT name FROM operator ORDER BY id") == [("admin",), ("rosa",), ("admin",)]
    assert rows(file, "SELECT code FROM agency ORDER BY id") == [("MY-LIB",), ("OTHER",)]


def test_an_agency_without_a_partner_is_told_what_is_missing(tmp_path: Path) -> None:
    """Nobody can speak to it before the configuration has a partner of it; the file is never changed."""
    file = tmp_path / "ncipd.toml"
    init(file)
    before = file.read_text("utf-8")
    made, missing = init(file, agency='SECOND "LIB"').lines
    assert made.startswith('made agency SECOND "LIB"')
    assert missing == (
        f'no partner in {file} belongs to SECOND "LIB", so nobody can talk to it yet: add a [[partner]] table with a '
        'code and agency = "SECOND \\"LIB\\"", then start ncipd again'
    )
    assert file.read_text("utf-8") == before
    assert init(file, agency='SECOND "LIB"').lines[1:] == [missing], "as long as it is so"
    file.write_text(before + '[[partner]]\ncode = "B"\nagency = "second \\"lib\\""\n', "utf-8")
    assert len(init(file, agency='SECOND "LIB"').lines) == 1


def test_a_partner_may_name_its_agency_by_any_of_its_codes(tmp_path: Path) -> None:
    file = tmp_path / "ncipd.toml"
    init(file)
    with sqlite3.connect(tmp_path / "ncipd-data" / "ncipd.sqlite3") as connection:
        connection.execute("INSERT INTO agency_code (folded, agency_id, code) VALUES ('XX-1', 1, 'XX-1')")
    file.write_text(file.read_text("utf-8").replace('agency = "MY-LIB"', 'agency = "xx-1"'), "utf-8")
    assert len(init(file).lines) == 1


async def test_a_token_made_while_ncipd_runs_opens_the_desk_at_once(tmp_path: Path) -> None:
    """And the operator's old one no longer does."""
    async with opened(tmp_path / "ncipd-data") as office:
        (tmp_path / "ncipd.toml").write_text("", "utf-8")
        first = await asyncio.to_thread(init, tmp_path / "ncipd.toml", "LEND", operator="new")
        assert (await office.call("GET", "tasks", token=first.token))[0] == 200
        assert (await office.call("GET", "tasks", agency="BORROW", token=first.token))[0] == 403
        second = await asyncio.to_thread(init, tmp_path / "ncipd.toml", "LEND", operator="new")
        assert (await office.call("GET", "tasks", token=first.token))[0] == 401
        assert (await office.call("GET", "tasks", token=second.token))[0] == 200


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"time_zone": "Europe/Atlantis"}, "'Europe/Atlantis' is not an IANA time zone"),
        ({"agency": ""}, "no name for the agency"),
        ({"agency": "  "}, "no name for the agency"),
        ({"agency": "A\nB"}, "no name for the agency"),
        ({"operator": ""}, "no name for the operator"),
        ({"library": "\x1b[31m"}, "no name for the library"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_made(
    tmp_path: Path, values: dict[str, str], words: str
) -> None:
    with pytest.raises(SetupError, match=words):
        init(tmp_path / "ncipd.toml", **values)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("agency", ['My "Library"', "Back\\slash", "Ünï-日本", "A/B", "{agency}", "'"])
def test_an_agencys_code_may_have_any_characters_that_can_be_seen(tmp_path: Path, agency: str) -> None:
    init(tmp_path / "ncipd.toml", agency)
    assert config.load(tmp_path / "ncipd.toml").partner[0].agency == agency


def test_a_configuration_with_mistakes_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "ncipd.toml"
    file.write_text("[server]\nport = 'x'\n", "utf-8")
    with pytest.raises(SetupError, match=r"server\.port"):
        init(file)


def test_a_place_where_nothing_can_be_made_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be made: No such file or directory"):
        init(tmp_path / "nowhere" / "ncipd.toml")
    (tmp_path / "ncipd-data").write_text("a file, not a folder", "utf-8")
    with pytest.raises(SetupError, match="ncipd-data"):
        init(tmp_path / "ncipd.toml")
