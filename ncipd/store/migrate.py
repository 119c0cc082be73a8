"""How a store comes to have the shape that this release expects: numbered SQL files, each applied once, whole.

A file is `0001_store.sql`. What was applied is written down in the table `migration` with its checksum, so that a file
changed after its release, a store of a newer release, and a database that is not ours are all refused, in clear words.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ncipd.store.port import StoreRefused
from ncipd.store.queries import statements

MIGRATIONS = Path(__file__).with_name("migrations")

APPLICATION_ID = 0x4E434950  # "NCIP" in ASCII: what `file` and we recognise a store by

_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql$")
_TRANSACTION = re.compile(r"(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA|VACUUM|ATTACH)\b", re.IGNORECASE)
_LEADING_COMMENTS = re.compile(r"\A(\s+|--[^\n]*\n|/\*.*?\*/)*", re.DOTALL)

_CREATE = """
CREATE TABLE IF NOT EXISTS migration (
    number      INTEGER PRIMARY KEY,
    name        TEXT NOT NULL,
    checksum    TEXT NOT NULL,
    applied_at  INTEGER NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step: `checksum` is the SHA-256 of its text, whatever the line ends."""

    number: int
    name: str
    sql: str
    checksum: str


def load(folder: Path = MIGRATIONS) -> tuple[Migration, ...]:
    """All steps, in order: 1, 2, 3 … without a gap. Raises `StoreRefused`."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = _FILE.match(path.name)
        if not match:
            raise StoreRefused(f"{path}: a migration is named like 0001_store.sql")
        sql = path.read_bytes().replace(b"\r\n", b"\n")
        found.append(Migration(int(match[1]), match[2], sql.decode("utf-8"), hashlib.sha256(sql).hexdigest()))
    if not found:
        raise StoreRefused(f"{folder}: there are no migrations here; this installation of ncipd is incomplete")
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise StoreRefused(f"{folder}: migrations must be numbered 1, 2, 3 … each once; found {numbers}")
    return tuple(found)


def is_new(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the database is empty, to become a store. Raises `StoreRefused` if it is somebody else's."""
    try:
        (identity,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.DatabaseError as error:
        raise StoreRefused(f"{path} is not an ncipd store, or is damaged: {error}") from error
    if identity == APPLICATION_ID:
        return False
    if identity or tables:
        raise StoreRefused(f"{path} is not an ncipd store but another program's database; choose another data folder")
    return True


def pending(connection: sqlite3.Connection, known: Sequence[Migration], path: Path) -> tuple[Migration, ...]:
    """The steps that this store still needs. Raises `StoreRefused` if what was applied is not what we know."""
    applied = _applied(connection)
    for number, (name, checksum) in sorted(applied.items()):
        if number > len(known):
            raise StoreRefused(
                f"{path} was written by a newer ncipd (it has migration {number} {name!r}, this release knows "
                f"{len(known)}); use that release, or a backup from before its upgrade"
            )
        if checksum != known[number - 1].checksum:
            raise StoreRefused(
                f"{path}: migration {number} {name!r} was applied from another text than this release has "
                f"(checksum {checksum[:12]}…, here {known[number - 1].checksum[:12]}…); a released migration never "
                "changes: use the release that wrote this store, or restore the file"
            )
    return tuple(migration for migration in known if migration.number not in applied)


def apply(connection: sqlite3.Connection, migration: Migration, path: Path) -> None:
    """Take one step, whole or not at all; `connection` must have foreign keys off. Raises `StoreRefused`.

    Foreign keys are off because rebuilding a table needs it, and are checked before the commit instead.
    """
    where = f"{path}: migration {migration.number} {migration.name!r}"
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(_CREATE)
        if migration.number not in _applied(connection):  # another process may have been quicker
            _run(connection, migration, where)
        connection.execute("COMMIT")
    except (sqlite3.Error, ValueError) as error:
        raise StoreRefused(f"{where} failed and was undone: {error}") from error
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _run(connection: sqlite3.Connection, migration: Migration, where: str) -> None:
    for statement in statements(migration.sql):
        bare = statement[len(_LEADING_COMMENTS.match(statement)[0]) :]  # type: ignore[index]  # it matches always
        if match := _TRANSACTION.match(bare):
            raise StoreRefused(f"{where}: {match[1].upper()} has no place in a migration; it runs inside a transaction")
        connection.execute(statement)
    if broken := connection.execute("PRAGMA foreign_key_check").fetchone():
        raise StoreRefused(
            f"{where} was undone: it leaves table {broken[0]!r} pointing at rows of {broken[2]!r} that are gone"
        )
    connection.execute(
        "INSERT INTO migration (number, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
        (migration.number, migration.name, migration.checksum, time.time_ns() // 1000),
    )


def _applied(connection: sqlite3.Connection) -> dict[int, tuple[str, str]]:
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration'").fetchone():
        return {}
    rows = connection.execute("SELECT number, name, checksum FROM migration").fetchall()
    return {number: (name, checksum) for number, name, checksum in rows}
