"""Every test here gets a world of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.world import World, fill, make_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Two agencies with items and users, on a store in a fresh folder."""
    made = make_world(tmp_path / "data")
    await fill(made)
    yield made
    await made.store.close()
