"""How a store comes to the shape a release expects, and which stores are refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from ncipd.store import migrate
from ncipd.store.port import StoreRefused
from ncipd.store.queries import statements


@pytest.fixture
def database(folder):
    """Looks into the store's file from outside."""

    def ask(sql):
        with closing(sqlite3.connect(folder / "ncipd.sqlite3", isolation_level=None)) as connection:
            return connection.execute(sql).fetchall()

    return ask


def write(migrations, name, sql):
    (migrations / name).write_text(sql, "utf-8", newline="")


async def test_every_migration_is_applied_once_in_order_and_written_down(open_store, migrations, database):
    write(migrations, "0002_phone.sql", "ALTER TABLE member ADD COLUMN phone TEXT NOT NULL DEFAULT '';")
    await open_store().close()
    await open_store().close()
    rows = database("SELECT number, name, length(checksum), applied_at FROM migration ORDER BY number")
    assert [row[:3] for row in rows] == [(1, "members", 64), (2, "phone", 64)]
    assert all(row[3] > 1_700_000_000_000_000 for row in rows), "microseconds"
    assert database("SELECT phone FROM member") == []


async def test_a_store_of_an_older_release_is_upgraded_with_its_rows(open_store, migrations, add, names, database):
    store = open_store()
    await store.transact(add("Ada"))
    await store.close()
    write(
        migrations,
        "0002_rebuilt.sql",
        """
        CREATE TABLE member_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, since INTEGER NOT NULL) STRICT;
        INSERT INTO member_new SELECT id, name, 0 FROM member;
        DROP TABLE member;   -- `note` refers to it; what counts is how it is after the migration
        ALTER TABLE member_new RENAME TO member;
        """,
    )
    assert open_store().read(names) == ["Ada"]
    assert database("SELECT name, since FROM member") == [("Ada", 0)]


async def test_a_migration_that_fails_leaves_nothing_of_itself(open_store, migrations, database):
    write(migrations, "0002_bad.sql", "CREATE TABLE extra (x INTEGER) STRICT;\nINSERT INTO nowhere VALUES (1);")
    with pytest.raises(StoreRefused, match=r"migration 2 'bad' failed and was undone: no such table: nowhere"):
        open_store()
    assert database("SELECT number FROM migration") == [(1,)]
    assert database("SELECT name FROM sqlite_schema WHERE name = 'extra'") == []
    write(migrations, "0002_bad.sql", "CREATE TABLE extra (x INTEGER) STRICT;")
    assert open_store().ready


async def test_a_migration_that_breaks_references_is_undone(open_store, migrations, add, database):
    store = open_store()
    await store.transact(add("Ada"))
    await store.close()
    write(migrations, "0002_gone.sql", "DELETE FROM member;")
    with pytest.raises(StoreRefused, match=r"leaves table 'note' pointing at rows of 'member' that are gone"):
        open_store()
    assert database("SELECT name FROM member") == [("Ada",)]


async def test_a_released_migration_that_was_changed_is_refused(open_store, migrations):
    await open_store().close()
    write(migrations, "0001_members.sql", "CREATE TABLE member (id INTEGER PRIMARY KEY) STRICT;")
    with pytest.raises(StoreRefused, match=r"migration 1 'members' was applied from another text .* never changes"):
        open_store()


async def test_line_ends_do_not_change_a_migration(open_store, migrations):
    await open_store().close()
    file = migrations / "0001_members.sql"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert open_store().ready


async def test_a_store_of_a_newer_release_is_refused(open_store, migrations):
    write(migrations, "0002_future.sql", "CREATE TABLE future (x INTEGER) STRICT;")
    await open_store().close()
    (migrations / "0002_future.sql").unlink()
    with pytest.raises(
        StoreRefused, match=r"written by a newer ncipd \(it has migration 2 'future', this release knows 1\)"
    ):
        open_store()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("0003_gap.sql", "must be numbered 1, 2, 3 … each once; found [1, 3]"),
        ("0001_again.sql", "found [1, 1]"),
        ("second.sql", "named like 0001_store.sql"),
    ],
)
def test_a_migration_with_a_wrong_name_is_refused(open_store, migrations, name, words):
    write(migrations, name, "CREATE TABLE x (y INTEGER) STRICT;")
    with pytest.raises(StoreRefused) as caught:
        open_store()
    assert words in str(caught.value)


def test_an_installation_without_migrations_is_refused(tmp_path):
    with pytest.raises(StoreRefused, match="incomplete"):
        migrate.load(tmp_path)


@pytest.mark.parametrize("word", ["COMMIT", "begin immediate", "PRAGMA foreign_keys = ON", "-- why\n/* ? */ VACUUM"])
def test_a_migration_leaves_transactions_alone(open_store, migrations, word):
    write(migrations, "0002_bad.sql", f"CREATE TABLE x (y INTEGER) STRICT;\n{word};")
    with pytest.raises(StoreRefused, match="has no place in a migration"):
        open_store()


def test_a_migration_whose_last_statement_does_not_end_is_refused(open_store, migrations):
    write(migrations, "0002_bad.sql", "CREATE TABLE x (y INTEGER) STRICT")
    with pytest.raises(StoreRefused, match="no `;` ends the statement that begins 'CREATE TABLE x"):
        open_store()


def test_statements_are_told_apart_whatever_their_texts_comments_and_triggers_hold():
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  DELETE FROM b; -- all; of it\n  DELETE FROM c;\nEND;"
    script = f"-- first; a comment\nINSERT INTO a VALUES ('x;y');\n{trigger}\n;;\n/* the; end */\n"
    assert list(statements(script)) == ["-- first; a comment\nINSERT INTO a VALUES ('x;y');", trigger]
