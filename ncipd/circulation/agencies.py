"""What is known of agencies: those served here, and others that partners have told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncipd.circulation import matching
from ncipd.circulation.model import Agency
from ncipd.ncip import elements as el
from ncipd.ncip.codec import decode_text, encode
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.types import Coded, Element

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ncipd.circulation.unit import Circulation

#: The parts of an agency's description: the field of the messages, and the class that reads it back (None: coded).
PARTS: dict[str, type[Element] | None] = {
    "organization_name_information": el.OrganizationNameInformation,
    "agency_address_information": el.AgencyAddressInformation,
    "authentication_prompt": el.AuthenticationPrompt,
    "application_profile_supported_type": None,
    "consortium_agreement": None,
    "agency_user_privilege_type": None,
}


def known(circ: Circulation, code: str) -> Agency | None:
    """Find an agency by any of its codes, served here or not."""
    return circ.tx.one("agency_by_code", Agency._make, folded=code.strip().upper())


def create(circ: Circulation, code: str, name: str, parts: object) -> None:
    """Make an agency that is known here but not served, with what it says of itself."""
    number = circ.tx.insert("insert_known_agency", code=code, name=name, time_zone=circ.agency.time_zone)
    circ.tx.run("insert_agency_code", folded=code.upper(), agency=number, code=code)
    for kind, content in _pieces(parts):
        circ.tx.run("insert_agency_detail", agency=number, kind=kind, content=content)
    circ.touch("agency", number)


def change(
    circ: Circulation,
    agency: Agency,
    deleted: el.DeleteAgencyFields | None,
    added: el.AddAgencyFields | None,
    service: str,
) -> None:
    """Delete, then add; raises Problem Unable To Delete Element or Unable To Add Element, and nothing is changed."""
    for kind, content in _pieces(deleted) if deleted is not None else ():
        if not circ.tx.run("delete_agency_detail", agency=agency.id, kind=kind, content=content):
            raise _unable(ProblemType.UNABLE_TO_DELETE_ELEMENT, f"{service}/DeleteAgencyFields", "is not stored")
    for kind, content in _pieces(added) if added is not None else ():
        if not circ.tx.run("insert_agency_detail", agency=agency.id, kind=kind, content=content):
            raise _unable(ProblemType.UNABLE_TO_ADD_ELEMENT, f"{service}/AddAgencyFields", "is stored already")
    circ.touch("agency", agency.id)


def _unable(problem: ProblemType, where: str, why: str) -> Problem:
    return Problem(
        problem, element=where, detail=f"A part of it {why}, so nothing was changed; look the agency up and compare."
    )


def of_partner(circ: Circulation, code: str, service: str) -> Agency:
    """Find the agency that a partner may change: itself or others it told of, and for our own systems ours too.

    Raises Problem Unknown Agency and Agency Access Denied.
    """
    agency = known(circ, code)
    if agency is None:
        raise unknown(service, code)
    own_system = matching.is_local(circ.partner) and agency.id == circ.agency.id
    if agency.served and not own_system:
        raise Problem(
            ProblemType.AGENCY_ACCESS_DENIED,
            element=f"{service}/AgencyId",
            value=code,
            detail=f"Agency {code} is served here; only its own systems change its record.",
        )
    return agency


def unknown(service: str, code: str) -> Problem:
    """Say that no agency has this code."""
    return Problem(
        ProblemType.UNKNOWN_AGENCY,
        element=f"{service}/AgencyId",
        value=code,
        detail=f"No agency known here is called {code!r}; ask its own system, or create it first.",
    )


def described(circ: Circulation, agency: Agency) -> dict[str, tuple[Any, ...]]:
    """Read what an agency says of itself, by the field of the messages."""
    found: dict[str, list[Any]] = {name: [] for name in PARTS}
    for kind, content in circ.tx.all("agency_details", agency=agency.id):
        found[kind].append(_read(kind, content))
    return {name: tuple(parts) for name, parts in found.items()}


def _pieces(parts: object) -> Iterator[tuple[str, str]]:
    for name, cls in PARTS.items():
        for part in getattr(parts, name):
            yield name, encode(part) if cls is not None else f"{part.scheme or ''}\n{part.value}"


def _read(kind: str, content: str) -> Any:
    cls = PARTS[kind]
    if cls is not None:
        return decode_text(content, cls)
    scheme, _, value = content.partition("\n")
    return Coded(value, scheme or None)
