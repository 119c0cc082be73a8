"""No query's cost grows with the store: every one goes by an index to the rows that it wants."""

from __future__ import annotations

import sqlite3

import pytest

from ncipd.store.migrate import MIGRATIONS
from ncipd.store.queries import load, parameters

#: What may be read whole, and why.
SMALL = {
    "upsert_user: SCAN deleted_user": "it has one row",
    "agencies: SCAN agency": "the agencies served here are few, and read to know them all",
    "items_in_network: SCAN agency": "the agencies of a network are few; each is then searched by barcode",
}
#: Plans that begin with a scan and stop after a fixed number of rows.
BOUNDED = {
    "delete_old_replies: SCAN reply": "the oldest rows in the order of the key, as many as LIMIT says",
    "delete_old_bodies: SCAN message_body": "the oldest rows in the order of the key, as many as LIMIT says",
}
#: Small things that SQLite calls a scan.
NOTHING = ("SCAN CONSTANT ROW", "SCAN latest", "SCAN whole")
QUERIES = load()


@pytest.fixture(scope="module")
def store() -> sqlite3.Connection:
    """An empty store: without statistics the plans are those of a new one."""
    connection = sqlite3.connect(":memory:")
    for migration in sorted(MIGRATIONS.glob("*.sql")):
        connection.executescript(migration.read_text("utf-8"))
    return connection


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_reads_no_table_whole(store: sqlite3.Connection, name: str) -> None:
    """EXPLAIN QUERY PLAN says SEARCH, or the scan has its reason above."""
    sql = QUERIES[name]
    plan = [row[3] for row in store.execute(f"EXPLAIN QUERY PLAN {sql}", dict.fromkeys(parameters(sql)))]
    scans = [step for step in plan if step.startswith("SCAN") and not step.startswith(NOTHING)]
    assert not [step for step in scans if f"{name}: {step}" not in SMALL | BOUNDED], plan


def test_a_scan_would_be_seen(store: sqlite3.Connection) -> None:
    """The check can fail: a search by a column without an index is a scan."""
    plan = [row[3] for row in store.execute("EXPLAIN QUERY PLAN SELECT id FROM item WHERE call_number = 'x'")]
    assert plan == ["SCAN item"]
