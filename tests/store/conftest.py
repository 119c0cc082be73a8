"""A small store of its own for these tests: members with unique names, and the notes written about them."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from ncipd.store.bulk import BulkConnection
from ncipd.store.sqlite import SqliteStore
from tests.waiting import WITHIN, until

MEMBERS = """
CREATE TABLE member (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE line (id INTEGER PRIMARY KEY, told TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE note (
    member_id INTEGER NOT NULL REFERENCES member (id),
    body BLOB NOT NULL
) STRICT;
"""

QUERIES = {
    "add_member": "INSERT INTO member (name) VALUES (:name) RETURNING id",
    "add_member_plainly": "INSERT INTO member (name) VALUES (:name)",
    "add_member_if_new": "INSERT INTO member (name) VALUES (:name) ON CONFLICT DO NOTHING RETURNING id",
    "add_member_if_new_plainly": "INSERT INTO member (name) VALUES (:name) ON CONFLICT DO NOTHING",
    "add_member_or_lose_all": "INSERT OR ROLLBACK INTO member (name) VALUES (:name)",
    "add_note": "INSERT INTO note (member_id, body) VALUES (:member, :body)",
    "add_line": "INSERT INTO line (id, told) VALUES (:id, :told)",
    "lines": "SELECT id, told FROM line ORDER BY id",
    "find_member": "SELECT id, name FROM member WHERE name = :name",
    "names": "SELECT name FROM member ORDER BY id",
    "count_members": "SELECT count(*) FROM member",
    "count_notes": "SELECT count(*) FROM note",
    "rename_all": "UPDATE member SET name = name || :suffix",
    "rename_all_returning": "UPDATE member SET name = name || :suffix RETURNING id",
    "no_such_table": "SELECT * FROM nowhere",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the store is; not made yet."""
    return tmp_path / "data"


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """A folder with one migration, to which a test may add."""
    path = tmp_path / "migrations"
    path.mkdir()
    (path / "0001_members.sql").write_text(MEMBERS, "utf-8")
    return path


@pytest.fixture
async def open_store(folder: Path, migrations: Path) -> AsyncIterator[Callable[..., SqliteStore]]:
    """Opens the store of this test; closes it at the end if the test did not."""
    async with AsyncExitStack() as stack:

        def opened(**options: Any) -> SqliteStore:
            store = SqliteStore.open(folder, **{"migrations": migrations, "queries": QUERIES, **options})
            stack.push_async_callback(store.close)
            return store

        yield opened


@pytest.fixture
async def store(open_store: Callable[..., SqliteStore]) -> SqliteStore:
    return open_store()


@pytest.fixture
def bulk(store: SqliteStore, folder: Path, migrations: Path) -> Iterator[BulkConnection]:
    """A second way into the store that is being served."""
    with BulkConnection(folder, migrations=migrations, queries=QUERIES) as connection:
        yield connection


def add(name: str) -> Callable[[Any], int]:
    """A unit of work that adds a member and a note about it."""

    def work(tx: Any) -> int:
        member = tx.insert("add_member", name=name)
        tx.run("add_note", member=member, body=b"new")
        return member

    return work


def names(tx: Any) -> list[str]:
    return tx.all("names", lambda row: row[0])


@pytest.fixture(name="add")
def _add() -> Callable[[str], Callable[[Any], int]]:
    return add


@pytest.fixture(name="names")
def _names() -> Callable[[Any], list[str]]:
    return names


class Held:
    """Holds the commits of a store back, in the thread where they run, until they may go on."""

    def __init__(self, store: SqliteStore) -> None:
        self._begun, self._free = threading.Event(), threading.Event()
        store._writer._connection.set_trace_callback(self._traced)

    def _traced(self, sql: str) -> None:
        if sql == "COMMIT":
            self._begun.set()
            self._free.wait(WITHIN)

    async def begun(self) -> None:
        """Wait until a commit is under way."""
        await until(self._begun.is_set, "a commit")

    def let_go(self) -> None:
        """Let commits take no longer than they take."""
        self._free.set()


@pytest.fixture
def hold_commits() -> Iterator[Callable[[SqliteStore], Held]]:
    """Holds the commits of a store back until the test lets them go, or ends."""
    made: list[Held] = []

    def hold(store: SqliteStore) -> Held:
        made.append(Held(store))
        return made[-1]

    yield hold
    for held in made:
        held.let_go()


@pytest.fixture
def long_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets no turn end because the machine is slow: what is queued together is done in one."""
    monkeypatch.setattr("ncipd.store.writer.TURN", WITHIN)


@pytest.fixture
def slow_commits() -> Callable[[SqliteStore, float], None]:
    """Makes every commit of a store take `seconds` longer, in the thread where it runs, as a slow disk would."""
    import time

    def slow(store: SqliteStore, seconds: float) -> None:
        store._writer._connection.set_trace_callback(lambda sql: time.sleep(seconds) if sql == "COMMIT" else None)

    return slow
