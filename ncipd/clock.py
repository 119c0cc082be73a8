"""The clock of a running ncipd: the time of day, or under `--demo` whatever it has been set to."""

from __future__ import annotations

import time


class Clock:
    """Microseconds since 1970 in UTC; goes on by itself from where it was set."""

    def __init__(self) -> None:
        """Begin with the time of day."""
        self._offset = 0

    def now(self) -> int:
        """Give the present moment in microseconds."""
        return time.time_ns() // 1000 + self._offset

    def set(self, moment: int) -> None:
        """Go on from this moment (demo only)."""
        self._offset = moment - time.time_ns() // 1000

    def advance(self, microseconds: int) -> None:
        """Jump ahead (demo only)."""
        self._offset += microseconds
