"""From a document to a message: by the grammar where it obeys the grammar, else with the repairs that are allowed."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from ncipd.ncip import elements
from ncipd.ncip.applied import Applied
from ncipd.ncip.codec import decode
from ncipd.ncip.document import Document
from ncipd.ncip.envelope import Envelope
from ncipd.ncip.messages import MESSAGES
from ncipd.ncip.paths import path
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.repairs import repair
from ncipd.ncip.schema import MOST_VIOLATIONS, Violation, breach_of_long, is_valid, violations
from ncipd.ncip.shape import simple_elements
from ncipd.ncip.types import Ext


class Reading(Struct, frozen=True):
    """What a document holds, and the repairs that it took to read it."""

    envelope: Envelope
    repairs: tuple[Applied, ...] = ()


class Invalid(Problem):
    """Raised for a document that is no valid message and cannot be made one: a Problem, and every violation."""

    def __init__(self, found: list[Violation]) -> None:
        """Say what is wrong, the first violation first."""
        self.violations = found
        first, *rest = [_problem(violation) for violation in found]
        super().__init__(
            first.type, element=first.element, value=first.value, detail=first.detail, and_also=tuple(rest)
        )


def read(document: Document, *, allowed: Collection[str] | None = None) -> Reading:
    """Read a document; ``allowed`` names the repairs that may be made (None: all; an empty set: none).

    Raises Invalid (a Problem: Invalid Message Syntax Error, Needed Data Missing, Invalid Date, Unknown Element or
    Unsupported Service), or Problem (Invalid Date) for a date outside the years 1 to 9999.
    """
    refused = [each for each in document.applied if allowed is not None and each.name not in allowed]
    if refused:
        raise Invalid(document.breaches or [*(_not_allowed(each) for each in refused), *_broken(document)])
    applied = list(document.applied)
    if document.long:
        found = document.breaches or _broken(document)
        if found:
            raise Invalid(document.wire.worded(found))
    elif not is_valid(document.root):
        applied += repair(document, allowed)
        found = _left(document)
        document.restore()
        if found:
            raise Invalid(document.wire.worded(found))
    return Reading(_envelope(document), tuple(applied))


def _broken(document: Document) -> list[Violation]:
    """Give what is wrong with a document that is not repaired."""
    if not document.long:
        return violations(document.root)
    breach = breach_of_long(document.root)
    return [] if breach is None else [breach]


def _left(document: Document) -> list[Violation]:
    """Give what no repair could mend; what was moved out of where something is missing may be just that."""
    found = violations(document.root)
    lacking = {violation.path for violation in found if violation.kind == "missing"}
    moved = document.moved[:MOST_VIOLATIONS] if lacking else []
    parents = [parent for parent, _, _ in moved if path(parent) in lacking]
    return violations(document.root) if document.put_back(parents) else found


def _envelope(document: Document) -> Envelope:
    version = document.answer_version
    match document.kind:
        case "problem":
            return Envelope(version, problems=tuple(decode(node, elements.Problem) for node in document.root))
        case "ext":
            return Envelope(version, ext=decode(document.root[0], Ext))
        case _:
            return Envelope(version, decode(document.root[0], MESSAGES[document.service or ""]))


def _not_allowed(applied: Applied) -> Violation:
    return Violation(applied.path, 1, applied.name, "XML without it", f"the repair {applied.name} is not allowed")


def _problem(violation: Violation) -> Problem:
    where = violation.path.removeprefix("/NCIPMessage/").removeprefix("/")
    line = f"Line {violation.line}: " if violation.line else ""
    found = repr(violation.found) if violation.kind in {"value", "text"} else violation.found
    detail = f"{line}{violation.path}: {violation.reason}. Expected: {violation.expected}; found: {found}."
    match violation.kind:
        case "missing" if where != "NCIPMessage":
            return Problem(ProblemType.NEEDED_DATA_MISSING, element=f"{where}/{violation.name}", detail=detail)
        case "unknown" if "/" not in where:
            return Problem(ProblemType.UNSUPPORTED_SERVICE, element=where, value=violation.found, detail=detail)
        case "unknown":
            return Problem(ProblemType.UNKNOWN_ELEMENT, element=where, value=violation.found, detail=detail)
        case "value" if simple_elements().get(violation.name) == "datetime":
            return Problem(ProblemType.INVALID_DATE, element=where, value=violation.found, detail=detail)
        case _:
            return Problem(
                ProblemType.INVALID_MESSAGE_SYNTAX_ERROR, element=where, value=violation.found, detail=detail
            )
