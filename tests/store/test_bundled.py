"""The store that ncipd ships: its queries and its tables agree, and its tables are as the design wants them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from ncipd.store import migrate, queries
from ncipd.store.sqlite import SqliteStore

QUERIES = queries.load()

#: Steps that stores out there have taken. Their text stays as it is; what changes comes as a next step.
FROZEN = {1: "0a0aba4966871ef16e995628f507a2b699df2abf7578c7a4baee625f2db6a543"}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A new store with the bundled migrations."""
    path = tmp_path_factory.mktemp("store") / "data"
    store = SqliteStore.open(path)
    store._reader.close()
    store._writer._commits.put(None)
    store._writer._thread.join()
    store._writer._connection.close()
    with closing(sqlite3.connect(path / "ncipd.sqlite3")) as connection:
        yield connection


@pytest.mark.parametrize("name", QUERIES)
def test_every_named_query_prepares_against_the_bundled_tables(database, name):
    sql = QUERIES[name]
    assert database.execute(f"EXPLAIN {sql}", dict.fromkeys(queries.parameters(sql))).fetchall()


def test_a_step_that_was_shipped_is_not_changed_any_more():
    shipped = {step.number: step.checksum for step in migrate.load()}
    assert {number: shipped.get(number) for number in FROZEN} == FROZEN
    assert set(shipped) == set(FROZEN), "a new step is shipped with its checksum here"


def test_every_table_is_strict(database):
    loose = "SELECT name FROM pragma_table_list WHERE type = 'table' AND NOT strict AND schema = 'main'"
    assert database.execute(f"{loose} AND name NOT LIKE 'sqlite_%'").fetchall() == []


def test_no_constraint_waits_for_the_commit(database):
    """A commit that fails for one unit of work would fail for all of its batch."""
    schema = " ".join(sql for (sql,) in database.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"))
    assert "DEFERRABLE" not in schema.upper()
