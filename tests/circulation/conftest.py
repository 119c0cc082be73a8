"""Tests here get the world that the tests of services get."""

from __future__ import annotations

from tests.services.conftest import world

__all__ = ["world"]
