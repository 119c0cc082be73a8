"""What a message is, and what is wrong with it: `ncipd explain`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from ncipd.ncip.document import parse
from ncipd.ncip.problems import Problem
from ncipd.ncip.read import Invalid, read
from ncipd.ncip.repairs import REPAIRS, TOLERATED

if TYPE_CHECKING:
    from ncipd.ncip.applied import Applied
    from ncipd.ncip.document import Document


class Verdict(IntEnum):
    """How a message fares; the value is the exit code."""

    VALID = 0
    REPAIRABLE = 1
    INVALID = 2
    UNREADABLE = 3


@dataclass(slots=True)
class Explanation:
    """What is known about a message."""

    verdict: Verdict
    service: str | None = None
    version: str | None = None
    header: dict[str, str] = field(default_factory=dict)
    repairs: list[dict[str, str]] = field(default_factory=list)
    violations: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""
    switch_off: str = ""
    """The line of a partner's configuration under which these repairs are not made."""

    def as_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {**asdict(self), "verdict": self.verdict.name.lower()}


_HEADER = {
    "from": ("FromAgencyId", "AgencyId"),
    "to": ("ToAgencyId", "AgencyId"),
    "partner": ("ApplicationProfileType",),
    "system": ("FromSystemId",),
}


def explain(raw: bytes, *, strict: bool = False) -> Explanation:
    """Explain the bytes of a message; `strict` allows no repair of what the schema refuses."""
    try:
        document = parse(raw)
    except Problem as problem:
        return Explanation(Verdict.UNREADABLE, problem=problem.detail)
    told = Explanation(Verdict.VALID, document.service, document.version, _header(document))
    if document.kind == "foreign":
        told.verdict = Verdict.UNREADABLE
        told.problem = "The root element is not NCIPMessage; this is no NCIP message."
        return told
    if not document.speaks:
        told.verdict = Verdict.UNREADABLE
        told.problem = "This is not NCIP version 2; only 2.0, 2.01 and 2.02 are spoken here."
        return told
    try:
        reading = read(document, allowed=TOLERATED if strict else None)
    except Invalid as invalid:
        told.verdict = Verdict.INVALID
        told.violations = [
            {"path": one.path, "line": one.line, "found": one.found, "expected": one.expected, "reason": one.reason}
            for one in invalid.violations
        ]
    except Problem as problem:
        told.verdict, told.problem = Verdict.INVALID, problem.detail
    else:
        told.repairs = [_repair(applied) for applied in reading.repairs]
        told.verdict = Verdict.REPAIRABLE if told.repairs and not strict else Verdict.VALID
        names = dict.fromkeys(applied.name for applied in reading.repairs)
        told.switch_off = f"refuse_repairs = {json.dumps(list(names))}" if names else ""
    return told


def _header(document: Document) -> dict[str, str]:
    found = {name: document.peek("InitiationHeader", *path) for name, path in _HEADER.items()}
    return {name: value for name, value in found.items() if value}


def _repair(applied: Applied) -> dict[str, str]:
    return {
        "name": applied.name,
        "path": applied.path,
        "detail": applied.detail,
        "accepts": REPAIRS[applied.name].accepts,
    }
