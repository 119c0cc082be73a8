"""Who may open a store, and what is refused with which words."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest

from ncipd.store.lock import FolderLock, is_served
from ncipd.store.port import StoreRefused
from ncipd.store.sqlite import SqliteStore


async def test_a_second_store_in_a_served_folder_is_refused_and_told_by_whom(open_store, folder):
    first = open_store()
    with pytest.raises(
        StoreRefused, match=rf"another ncipd \(pid {os.getpid()}\) already serves the data folder {folder}"
    ):
        open_store()
    await first.close()
    assert open_store().ready


def test_another_process_is_refused_too(store, folder, root):
    script = "import sys, pathlib; from ncipd.store.lock import FolderLock; FolderLock(pathlib.Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, cwd=root, check=False
    )
    assert done.returncode == 1
    assert f"another ncipd (pid {os.getpid()})" in done.stderr


def test_a_lock_left_by_a_dead_process_is_free(tmp_path, root):
    script = (
        "import os, sys, pathlib; from ncipd.store.lock import FolderLock; "
        "lock = FolderLock(pathlib.Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=root, check=False)
    assert (tmp_path / "ncipd.lock").read_text()
    assert not is_served(tmp_path)
    lock = FolderLock(tmp_path)
    assert is_served(tmp_path)
    lock.release()
    lock.release()
    assert not is_served(tmp_path)


def test_asking_whether_a_folder_is_served_needs_no_lock_file(tmp_path):
    assert not is_served(tmp_path)
    assert not list(tmp_path.iterdir())


async def test_a_store_that_is_not_exclusive_opens_beside_one_that_is(store, open_store, add, names):
    await open_store(exclusive=False).transact(add("Ada"))
    assert store.read(names) == ["Ada"]


async def test_what_was_written_is_there_when_opened_again(open_store, add, names):
    first = open_store()
    await first.transact(add("Ada"))
    await first.close()
    assert open_store().read(names) == ["Ada"]


async def test_a_store_is_for_its_user_alone(store, folder, add):
    await store.transact(add("Ada"))
    files = list(folder.iterdir())
    assert len(files) == 4
    for file in files:
        assert not stat.S_IMODE(file.stat().st_mode) & 0o077, file
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_a_new_store_says_what_it_is_and_can_give_back_space(store, folder):
    with closing(sqlite3.connect(folder / "ncipd.sqlite3")) as database:
        assert database.execute("PRAGMA application_id").fetchone() == (0x4E434950,)
        assert database.execute("PRAGMA auto_vacuum").fetchone() == (2,)


def test_another_programs_database_is_refused_and_left_alone(open_store, folder):
    folder.mkdir()
    path = folder / "ncipd.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE theirs (x)")
        database.commit()
    before = path.read_bytes()
    with pytest.raises(StoreRefused, match=rf"{path} is not an ncipd store but another program's database"):
        open_store()
    assert path.read_bytes() == before
    assert not is_served(folder), "the lock was let go"


def test_a_file_that_is_no_database_is_refused(open_store, folder):
    folder.mkdir()
    (folder / "ncipd.sqlite3").write_bytes(b"certainly no database" * 100)
    with pytest.raises(StoreRefused, match="is not an ncipd store, or is damaged"):
        open_store()


def test_a_folder_that_cannot_be_made_is_refused_with_its_path(migrations, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreRefused, match=f"{tmp_path}/file/data cannot be opened"):
        SqliteStore.open(tmp_path / "file" / "data", migrations=migrations, queries={})


def test_an_old_sqlite_is_refused_with_its_version(open_store, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 0))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.37.0")
    with pytest.raises(StoreRefused, match=r"needs SQLite 3\.38 or newer, this Python has 3\.37\.0"):
        open_store()
