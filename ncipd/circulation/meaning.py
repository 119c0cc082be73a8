"""When two elements say the same (Z39.83-1 section 6.1: a coded value means the same with and without its scheme)."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from ncipd.ncip.types import Coded, Element


def same(one: Any, other: Any) -> bool:
    """Tell whether two parts of messages mean the same, whatever the schemes and the case of their coded values."""
    return bool(_plain(one) == _plain(other))


def _plain(part: Any) -> Any:
    if isinstance(part, Coded):
        return Coded(part.value.strip().casefold())
    if isinstance(part, tuple):
        return tuple(_plain(one) for one in part)
    if isinstance(part, Element):
        return replace(part, **{field.name: _plain(getattr(part, field.name)) for field in fields(part)})
    return part
