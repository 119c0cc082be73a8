"""The record of a repair."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Applied:
    """A repair that was made to a message: its name, the path of the element that it is about, and what was done."""

    name: str
    path: str
    detail: str
