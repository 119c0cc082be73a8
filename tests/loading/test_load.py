"""Loading as it goes on: chunks, interruptions, a running ncipd beside it, reports, progress, rows in a transaction."""

from __future__ import annotations

import asyncio
import csv
import io
import sqlite3
import sys
from contextlib import closing
from time import perf_counter

import pytest
from rich.console import Console

from ncipd.loading import LoadError, Progress, column_help, load_file, load_rows, shown_progress
from ncipd.loading import load as loading
from ncipd.loading import progress as bars
from ncipd.loading.command import load_command
from ncipd.store.bulk import BulkConnection
from ncipd.store.port import ConstraintViolated
from ncipd.store.sqlite import SqliteStore

LOADER = """
import os, signal, sys
from pathlib import Path
from ncipd.loading import load_file
folder, path, dies_after = sys.argv[1:]
def told(progress):
    if progress.rows >= int(dies_after):
        os.kill(os.getpid(), signal.SIGKILL)
load_file(Path(folder), "records", Path(path), progress=told)
"""


@pytest.fixture
def records(tmp_path):
    """Writes a file of so many records."""

    def written(count):
        path = tmp_path / "records.csv"
        with path.open("w") as file:
            file.write("id,title,identifiers\n")
            file.writelines(f"R{n},Title {n},OCLC={n}\n" for n in range(count))
        return path

    return written


@pytest.fixture
def small_chunks(monkeypatch):
    """Ten rows in a chunk at most."""
    monkeypatch.setattr(loading, "AHEAD", 10)


# --- interruptions ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_chunks")
def test_an_interrupted_load_is_repeated_without_doubles(folder, records, rows):
    path = records(95)

    def interrupted(progress):
        if progress.rows >= 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_file(folder, "records", path, progress=interrupted)
    assert rows("SELECT count(*) FROM record") == [(40,)]
    report = load_file(folder, "records", path)
    assert (report.unchanged, report.added, report.refused) == (40, 55, 0)
    assert rows("SELECT count(DISTINCT title), count(*) FROM record") == [(95, 95)]


async def test_a_load_that_is_killed_is_repeated_without_doubles(folder, records, rows):
    path = records(3000)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", LOADER, str(folder), str(path), "500")
    assert await process.wait() == -9
    ((kept,),) = rows("SELECT count(*) FROM record")
    assert 500 <= kept < 3000
    report = load_file(folder, "records", path)
    assert (report.unchanged, report.added) == (kept, 3000 - kept)
    assert rows("SELECT count(DISTINCT title), count(*) FROM record") == [(3000, 3000)]
    assert rows("SELECT count(*) FROM record_identifier") == [(6000,)]


@pytest.mark.usefixtures("small_chunks")
def test_a_file_that_breaks_off_leaves_what_was_loaded_before(folder, records, rows):
    path = records(25)
    with path.open("ab") as file:
        file.write(b"R99," + b"x" * 1_000_001)
    with pytest.raises(LoadError, match="line 27: longer than"):
        load_file(folder, "records", path)
    assert rows("SELECT count(*) FROM record") == [(20,)]


# --- beside a running ncipd ------------------------------------------------------------------------------------------


LOADER_THAT_WAITS = """
import sys, time
from pathlib import Path
from ncipd.loading import load_file
folder, path, enough = map(Path, sys.argv[1:])
def told(progress):
    print(progress.rows, flush=True)
    while progress.rows > 3000 and not enough.exists():
        time.sleep(0.01)
load_file(folder, "records", path, progress=told)
"""


async def test_a_running_ncipd_goes_on_answering_while_a_file_is_loaded(folder, records, tmp_path):
    """Units of work go on being committed while rows are, and the load comes to its end."""

    def keep(tx):
        return tx.run("update_agency", id=1, name="N", time_zone="Europe/Berlin", network="X")

    enough = tmp_path / "enough"
    async with SqliteStore.open(folder) as store:
        arguments = (sys.executable, "-c", LOADER_THAT_WAITS, str(folder), str(records(6000)), str(enough))
        process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
        assert int(await process.stdout.readline()) < 3000
        for _ in range(60):
            await store.transact(keep)
            await asyncio.sleep(0.002)
        enough.touch()
        assert (await process.stdout.read()).split()[-1] == b"6000"
        assert await process.wait() == 0
        assert store.read(lambda tx: tx.one("records_by_coded_identifier", agency=1, value="R5999", code=""))


@pytest.mark.parametrize(("served", "longest"), [(True, 2), (False, 50)])
def test_a_chunk_is_short_while_somebody_serves_the_store(folder, records, monkeypatch, served, longest):
    """Whoever serves the folder waits some milliseconds at most for a chunk's rows, however slow each of them is."""
    chunks = []

    def slow(tx, home, row):
        deadline = perf_counter() + 0.001
        while perf_counter() < deadline:
            pass
        return loading.Outcome.UNCHANGED

    kind = loading.KINDS["records"]
    monkeypatch.setitem(loading.KINDS, "records", loading.Kind(kind.name, kind.row, kind.key, slow))
    monkeypatch.setattr(loading, "is_served", lambda folder: served)
    load_file(folder, "records", records(200), progress=lambda progress: chunks.append(progress.rows))
    sizes = [after - before for before, after in zip([0, *chunks], chunks, strict=False)]
    assert max(sizes) <= longest
    assert sum(sizes) == 200


# --- rows ------------------------------------------------------------------------------------------------------------


def test_a_row_that_the_store_itself_refuses_leaves_nothing_and_costs_no_other_row(folder, records, rows):
    """Even where nobody foresaw why."""
    rows(
        """CREATE TRIGGER no BEFORE INSERT ON record_identifier WHEN new.value = 'R3'
           BEGIN SELECT raise(ABORT, 'no'); END"""
    )
    report = load_file(folder, "records", records(6))
    assert (report.added, report.refused) == (5, 1)
    assert "the store does not take this row" in report.refusals[0].why
    assert report.refusals[0].key == "R3"
    assert rows("SELECT title FROM record ORDER BY id") == [(f"Title {n}",) for n in (0, 1, 2, 4, 5)]


def test_rows_are_loaded_in_a_transaction_of_the_callers(folder, rows):
    given = [
        {"primary_id": "U1", "loan_limit": 3},
        {"primary_id": "U2", "loan_limit": "3"},
        {"primary_id": "U3", "identifiers": [{"type": "", "value": "U1"}]},
    ]
    with BulkConnection(folder) as bulk, bulk.chunk() as tx:
        report = load_rows(tx, "users", given, agency="NCIPD-LEND", source="people")
        assert rows("SELECT * FROM user") == []
    assert (report.added, report.refused) == (1, 2)
    assert str(report.refusals[1]).startswith("people, line 3 (row 3, U3): identifiers: 'U1' belongs to user U1")
    assert rows("SELECT primary_id FROM user") == [("U1",)]


def test_a_row_that_only_the_store_refuses_ends_the_callers_transaction(folder, rows):
    """Half of it may stand, and only the caller can undo that."""
    rows("CREATE TRIGGER no BEFORE INSERT ON user_identifier BEGIN SELECT raise(ABORT, 'no'); END")
    with BulkConnection(folder) as bulk, pytest.raises(ConstraintViolated), bulk.chunk() as tx:
        load_rows(tx, "users", [{"primary_id": "U1"}])
    assert rows("SELECT * FROM user") == []


# --- reports ---------------------------------------------------------------------------------------------------------


def test_the_refused_rows_go_to_a_file_that_can_be_corrected_and_loaded(load, folder, tmp_path, rows):
    refused = tmp_path / "refused.csv"
    load("users", "primary_id;surname;loan_limit\nU1;Ü;1\nU2;Ł, x;many\nU3;a;1;2\nU4;d;4\n", refused=refused)
    text = refused.read_text("utf-8-sig")
    assert refused.read_bytes().startswith(b"\xef\xbb\xbf"), "so that a spreadsheet knows that it is UTF-8"
    (header, two, three) = csv.reader(io.StringIO(text))
    assert header[:5] == ["refused_file", "refused_row", "refused_line", "refused_columns", "refused_because"]
    assert header[5:] == ["primary_id", "surname", "loan_limit"]
    assert two[:4] == ["users.txt", "2", "3", "loan_limit"]
    assert two[4] == "loan_limit: 'many'; expected a whole number from 0 to 2147483647"
    assert two[5:] == ["U2", "Ł, x", "many"]
    assert three[:4] == ["users.txt", "3", "4", ""]
    assert three[5:] == ["U3", "a", "1", "2"]

    refused.write_text(text.replace("many", "7").replace(",a,1,2", ",a,1"), "utf-8-sig")
    report = load_file(folder, "users", refused, refused=tmp_path / "again.csv")
    assert (report.added, report.refused) == (2, 0)
    assert rows("SELECT primary_id, surname, loan_limit FROM user ORDER BY primary_id") == [
        ("U1", "Ü", 1), ("U2", "Ł, x", 7), ("U3", "a", 1), ("U4", "d", 4),
    ]  # fmt: skip
    assert (tmp_path / "again.csv").read_text("utf-8-sig").count("\n") == 1, "nothing but the header"


def test_rows_refused_twice_keep_their_columns(load, folder, tmp_path):
    """What was said of them the first time does not pile up."""
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    load("users", "primary_id,loan_limit\nU1,x\n", refused=first)
    load_file(folder, "users", first, refused=second)
    assert first.read_text("utf-8-sig").replace("users.txt", "first.csv") == second.read_text("utf-8-sig")


def test_refused_json_is_kept_as_it_stood(load, tmp_path):
    load("users", '{"primary_id": "U1", "loan_limit": "ü"}\n', refused=tmp_path / "refused.csv")
    (header, row) = csv.reader(io.StringIO((tmp_path / "refused.csv").read_text("utf-8-sig")))
    assert (header[5:], row[5:]) == (["refused_json"], ['{"primary_id": "U1", "loan_limit": "ü"}'])


def test_bytes_that_are_no_text_do_not_stop_the_report(load, tmp_path):
    load("users", b"primary_id,surname\nU1,M\xfcller\n", refused=tmp_path / "refused.csv")
    assert "U1,M?ller" in (tmp_path / "refused.csv").read_text("utf-8-sig")


def test_the_file_that_is_loaded_is_never_written_over(load, folder, tmp_path):
    load("users", "primary_id\nU1\n")
    path = tmp_path / "users.txt"
    with pytest.raises(LoadError, match="cannot take the refused rows; name another"):
        load_file(folder, "users", path, refused=tmp_path / "data" / ".." / "users.txt")
    assert path.read_text() == "primary_id\nU1\n"


def test_a_report_that_cannot_be_written_is_told_before_anything_is_loaded(load, tmp_path, rows):
    with pytest.raises(LoadError, match="the refused rows cannot be written"):
        load("users", "primary_id\nU1\n", refused=tmp_path / "nowhere" / "refused.csv")
    assert rows("SELECT * FROM user") == []


def test_a_report_counts_all_and_names_the_first(load):
    report = load("users", "primary_id,loan_limit\n" + "".join(f"U{n},{'x' if n % 2 else 1}\n" for n in range(1000)))
    assert (report.rows, report.added, report.refused, len(report.refusals)) == (1000, 500, 500, 100)
    assert str(report) == "users from users.txt: 1,000 rows, 500 added, 500 refused"
    assert report.exit_code == 1


# --- what people see -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_chunks")
def test_progress_goes_from_nothing_to_the_whole_file(folder, records):
    told = []
    path = records(35)
    load_file(folder, "records", path, progress=told.append)
    assert [progress.rows for progress in told] == [10, 20, 30, 35]
    positions = [progress.position for progress in told]
    assert positions == sorted(positions)
    assert positions[-1] == told[-1].size == path.stat().st_size


def test_progress_on_a_terminal_is_a_bar_with_counts():
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with shown_progress("users.csv", console=console) as told:
        told(Progress(50, 100, 1234, 5))
    said = console.file.getvalue()
    assert "users.csv" in said
    assert "50 %  1,234 rows" in said
    assert "5 refused" in said


def test_progress_elsewhere_is_a_plain_line_now_and_then(monkeypatch):
    console = Console(file=io.StringIO())
    with shown_progress("users.csv", console=console) as told:
        told(Progress(50, 100, 1234, 5))
        assert not console.file.getvalue()
        monkeypatch.setattr(bars, "PLAIN_EVERY", 0)
        told(Progress(50, 100, 1234, 5))
    assert console.file.getvalue() == "users.csv: 50 %, 1,234 rows, 5 refused\n"


def test_the_help_names_every_column_with_its_form_and_says_which_are_necessary():
    said = column_help()
    for kind in ("agencies", "users", "records", "items"):
        assert f"{kind} (* = necessary)" in said
    for column in ("primary_id*", "time_zone*", "barcode*", "loan_limit ", "call_number "):
        assert f"  {column}" in said
    assert "one of available, missing, lost, on-order" in " ".join(said.split())
    assert "type=value, such as Barcode Id=B-USER-1|Institution Id Number=H-10001" in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 100
    assert column_help("items").startswith("items (* = necessary)\n  barcode*")
    with pytest.raises(LoadError):
        column_help("item")


def test_two_loads_at_a_time_do_not_hinder_each_other(folder, records, tmp_path):
    """Each waits for the other's chunks."""
    other = tmp_path / "users.csv"
    other.write_text("primary_id\n" + "".join(f"U{n}\n" for n in range(300)))

    def interleaved(_):
        assert load_file(folder, "users", other).refused == 0

    assert load_file(folder, "records", records(300), progress=interleaved).added == 300
    with closing(sqlite3.connect(folder / "ncipd.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM user").fetchone() == (300,)


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("primary_id\nU1\n", 0, "users from users.csv: 1 rows, 1 added"),
        ("primary_id,born\nU1,\nU2,x\n", 1, "refused: users.csv, line 3 (row 2, U2): born: 'x'; expected a date"),
        ("prim\nU1\n", 2, "unknown column 'prim'"),
    ],
)
def test_the_command_says_what_became_of_the_file_and_exits_accordingly(folder, tmp_path, capsys, content, code, said):
    path = tmp_path / "users.csv"
    path.write_text(content)
    assert load_command(folder, "users", path, agency="", refused=None) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert not captured.out
