"""Offices with people in them, and a broker that listens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.edge.listener import Broker, listening
from tests.edge.office import Office, opened


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    """A broker that answers Pending to everything until it is told otherwise."""
    async with listening() as made:
        yield made


@pytest.fixture
async def office(tmp_path: Path, broker: Broker) -> AsyncIterator[Office]:
    """A running ncipd whose desks are opened by tokens."""
    async with opened(tmp_path / "data", broker.url) as made:
        yield made


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Office]:
    """A running ncipd as under `--demo`, without tokens."""
    async with opened(tmp_path / "data", demo=True) as made:
        yield made
