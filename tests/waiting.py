"""Waiting for what is to happen, however slow the machine is and whatever else it does meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

#: Seconds after which what has not happened counts as never going to; a net, and no measure of anything.
WITHIN = 60.0

T = TypeVar("T")


async def until(happens: Callable[[], T], what: str = "") -> T:
    """Wait until something gives something true, and give that."""
    end = time.monotonic() + WITHIN
    while not (found := happens()):
        assert time.monotonic() < end, f"it did not happen within {WITHIN:g} s: {what}"
        await asyncio.sleep(0.005)
    return found
