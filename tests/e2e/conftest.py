"""Every test here gets a real ncipd in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.e2e.server import Ncipd


@pytest.fixture
async def ncipd(root: Path, tmp_path: Path) -> AsyncIterator[Callable[..., Ncipd]]:
    """Makes an ncipd with this many items more than the small world has, and starts it; none outlives the test."""
    made: list[Ncipd] = []

    async def make(items: int = 0) -> Ncipd:
        folder = tmp_path / f"ncipd{len(made)}"
        folder.mkdir()
        one = Ncipd(folder, root)
        made.append(one)
        await one.fill(items)
        one.start()
        return one

    yield make
    for one in made:
        if one.process is not None:
            one.kill()
