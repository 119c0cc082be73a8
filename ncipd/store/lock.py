"""One process serves a data folder; a second one is told so, and by whom."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path

from ncipd.store.port import StoreRefused

LOCK_FILE = "ncipd.lock"

# `is_served` holds the lock for a moment; that must not be taken for a process that serves.
_TRIES = 5
_PAUSE = 0.02


class FolderLock:
    """The right to serve a data folder, held until `release` or the end of the process.

    The kernel drops the lock when its process dies, so a crash leaves nothing to clean up; the file stays, its
    content (the process id) is only for people. Raises `StoreRefused` if another process holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        if not self._take():
            owner = os.pread(self._file, 32, 0).decode("ascii", "replace").strip() or "unknown"
            self.release()
            raise StoreRefused(
                f"another ncipd (pid {owner}) already serves the data folder {folder}; "
                "stop it first, or give this one a folder of its own"
            )
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode("ascii"), 0)

    def _take(self) -> bool:
        for _ in range(_TRIES):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_PAUSE)
            else:
                return True
        return False

    def release(self) -> None:
        """Let others serve the folder; may be called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def is_served(folder: Path) -> bool:
    """Whether some process serves the folder at this moment."""
    with contextlib.suppress(FileNotFoundError):
        file = os.open(folder / LOCK_FILE, os.O_RDONLY)
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
    return False
