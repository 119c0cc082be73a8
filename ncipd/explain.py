"""What a message is, what is wrong with it, and what would be done with it as a partner's: `ncipd explain`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from ncipd import portrait, recognition
from ncipd.circulation import keys
from ncipd.config import Server
from ncipd.ncip.document import Limits
from ncipd.ncip.problems import Problem
from ncipd.ncip.read import Invalid, read
from ncipd.ncip.receive import REPAIR_NAMES, receive
from ncipd.ncip.repairs import REPAIRS, TOLERATED
from ncipd.ncip.types import Initiation
from ncipd.ncip.v1.table import REPAIRS as V1_REPAIRS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ncipd.circulation.partner import Partner
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
    partner: dict[str, Any] | None = None
    """What would be done with it as the message of a partner, where one was named."""

    def as_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        told = {**asdict(self), "verdict": self.verdict.name.lower()}
        if self.partner is None:
            del told["partner"]
        return told

    def of_partner(self) -> Iterator[str]:
        """Tell line by line what would be done with it as the message of a partner."""
        told = self.partner
        if told is None:
            return
        profile = f" (profile {told['profile']})" if told["profile"] else ""
        yield f"As a message of partner {told['code']} of agency {told['agency']}{profile}"
        yield f"  {_recognised(told)}"
        yield f"  secret: {told['secret']}"
        for found in told["keys"]:
            yield f"  {found['key']:<8} from {found['place']:<24} {found['value'] or '(nothing there)'}"
        yield from (f"  refused repair {one['name']}: {one['path']}" for one in told["refused_repairs"])
        yield "  Settings that matter here"
        yield from (f"    {line['setting']}: {line['value']}   [{line['origin']}]" for line in told["settings"])


_HEADER = {
    "from": ("FromAgencyId", "AgencyId"),
    "to": ("ToAgencyId", "AgencyId"),
    "partner": ("ApplicationProfileType",),
    "system": ("FromSystemId",),
}


def explain(
    raw: bytes,
    *,
    strict: bool = False,
    partner: Partner | None = None,
    others: tuple[Partner, ...] = (),
    max_bytes: int = Server().max_body,
) -> Explanation:
    """Explain the bytes of a message, of which at most `max_bytes` are taken, as `ncipd serve` would take it.

    `strict` allows no repair of what the schema refuses.
    With a `partner`, also what would be done with it as that partner's; `others` are the partners of all agencies.
    """
    limits = Limits(max_bytes=max_bytes)
    try:
        document = receive(raw, limits=limits)
    except Problem as problem:
        return Explanation(Verdict.UNREADABLE, problem=problem.detail)
    told = Explanation(Verdict.VALID, document.wire.called(document.service), document.version, _header(document))
    if document.kind == "foreign":
        told.verdict = Verdict.UNREADABLE
        told.problem = "The root element is not NCIPMessage; this is no NCIP message."
        return told
    if not document.speaks:
        told.verdict = Verdict.UNREADABLE
        told.problem = "This is neither NCIP version 1 nor version 2; only these are spoken here."
        return told
    refused = partner.refuse_repairs if partner is not None else ()
    allowed = (TOLERATED if strict else REPAIR_NAMES).difference(refused)
    if partner is not None:
        told.partner = _as_partner(document, partner, others)
        told.partner["refused_repairs"] = _refused_repairs(raw, partner, limits)
    try:
        reading = read(document, allowed=allowed)
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
        if partner is not None and told.partner is not None and isinstance(reading.envelope.message, Initiation):
            told.partner["keys"] = [
                {"key": found.key, "place": str(found.place), "value": found.value}
                for found in keys.looked_up(reading.envelope.message, partner)
            ]
    return told


def _as_partner(document: Document, partner: Partner, others: tuple[Partner, ...]) -> dict[str, Any]:
    """Tell what would be done with a message of a partner, as far as no store is needed for it."""
    said = recognition.said_in(document)
    of_agency = tuple(one for one in others if one.agency == partner.agency and one.code != partner.code)
    found = recognition.Names((partner, *of_agency), {partner.agency.upper()}).find(said)
    stands_for_all = next((one.code for one in (partner, *of_agency) if one.fallback), None)
    return {
        "code": partner.code,
        "agency": partner.agency,
        "profile": partner.profile,
        "to": said.get("ToAgencyId", ""),
        "recognised": found.partner.code if found is not None else stands_for_all,
        "recognised_by": str(found.by) if found is not None else "",
        "secret": _secret(said, partner),
        "keys": [],
        "refused_repairs": [],
        "settings": [line._asdict() for line in portrait.mattering(partner, document.service or "")],
    }


def _recognised(told: dict[str, Any]) -> str:
    to = f"To {told['to']!r}; " if told["to"] else "No ToAgencyId; "
    if told["recognised"] is None:
        return f"{to}nothing in its header names this partner: it must come by a path key (POST /ncip/KEY)"
    how = f"recognised by {told['recognised_by']}" if told["recognised_by"] else "taken for whoever is not recognised"
    if told["recognised"] != told["code"]:
        return f"{to}its header names another partner, {told['recognised']} ({how})"
    return f"{to}{how}"


def _secret(said: dict[str, str], partner: Partner) -> str:
    """Say whether the secret of a partner was sent, and never what it is."""
    if not partner.secret:
        return "none is asked for"
    try:
        recognition.authenticate(said, partner)
    except Problem as problem:
        return problem.detail
    return "the agreed one was sent"


def _refused_repairs(raw: bytes, partner: Partner, limits: Limits) -> list[dict[str, str]]:
    """List the repairs that the message needs and that are not made for this partner."""
    try:
        applied = read(receive(raw, limits=limits)).repairs if partner.refuse_repairs else ()
    except Problem:
        return []
    return [_repair(one) for one in applied if one.name in partner.refuse_repairs]


def _header(document: Document) -> dict[str, str]:
    found = {name: document.peek("InitiationHeader", *path) for name, path in _HEADER.items()}
    return {name: value for name, value in found.items() if value}


def _repair(applied: Applied) -> dict[str, str]:
    return {
        "name": applied.name,
        "path": applied.path,
        "detail": applied.detail,
        "accepts": REPAIRS[applied.name].accepts if applied.name in REPAIRS else V1_REPAIRS[applied.name],
    }
