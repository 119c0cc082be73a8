"""What is known of agencies: those served here, and others that partners have told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncipd.circulation import matching, meaning, review
from ncipd.circulation.clock import to_micros
from ncipd.circulation.model import Agency
from ncipd.ncip import elements as el
from ncipd.ncip.codec import decode_text, encode
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.schemes import OrganizationNameType
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
_NAMES = "organization_name_information"


def known(circ: Circulation, code: str) -> Agency | None:
    """Find an agency by any of its codes, served here or not."""
    return circ.tx.one("agency_by_code", Agency._make, folded=code.strip().upper())


def create(circ: Circulation, code: str, name: str, parts: object, service: str) -> None:
    """Make an agency that is known here but not served, with what it says of itself.

    Raises Problem Element Rule Violated.
    """
    number = circ.tx.insert("insert_known_agency", code=code, name=name, time_zone=circ.agency.time_zone)
    circ.tx.run("insert_agency_code", folded=code.upper(), agency=number, code=code)
    for kind, part in _pieces(parts):
        _refuse_nonsense(circ, kind, part, service)
        circ.tx.run("insert_agency_detail", agency=number, kind=kind, content=_written(part))
    circ.touch("agency", number)


def change(
    circ: Circulation,
    agency: Agency,
    deleted: el.DeleteAgencyFields | None,
    added: el.AddAgencyFields | None,
    service: str,
) -> None:
    """Delete, then add.

    Raises Problem Unable To Delete Element, Unable To Add Element or Element Rule Violated, and nothing is changed.
    """
    known_parts = described(circ, agency)
    if _named(deleted) or _named(added):  # the name that it was given here counts as one that it has told
        for name in known_parts[_NAMES]:
            circ.tx.run("insert_agency_detail", agency=agency.id, kind=_NAMES, content=_written(name))
    for kind, part in _pieces(deleted):
        same = _known_as(known_parts[kind], part)
        if same is None:
            problem = _unable(ProblemType.UNABLE_TO_DELETE_ELEMENT, f"{service}/DeleteAgencyFields", kind, part)
            review.already_so(circ, problem)
            continue
        known_parts[kind].remove(same)
        circ.tx.run("delete_agency_detail", agency=agency.id, kind=kind, content=_written(same))
    for kind, part in _pieces(added):
        _refuse_nonsense(circ, kind, part, f"{service}/AddAgencyFields")
        if _known_as(known_parts[kind], part) is not None:
            problem = _unable(ProblemType.UNABLE_TO_ADD_ELEMENT, f"{service}/AddAgencyFields", kind, part)
            review.already_so(circ, problem)
            continue
        known_parts[kind].append(part)
        circ.tx.run("insert_agency_detail", agency=agency.id, kind=kind, content=_written(part))
    if not known_parts[_NAMES]:
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element=f"{service}/DeleteAgencyFields/OrganizationNameInformation",
            value=agency.code,
            detail="The agency would be left without a name; add another in the same message.",
        )
    circ.touch("agency", agency.id)


def says_more(circ: Circulation, agency: Agency, parts: object) -> bool:
    """Tell whether a description says something of an agency that is not known here."""
    known_parts = described(circ, agency)
    return any(_known_as(known_parts[kind], part) is None for kind, part in _pieces(parts))


def duplicate(service: str, code: str) -> Problem:
    """Say that an agency of this code is known already."""
    return Problem(
        ProblemType.DUPLICATE_AGENCY,
        element=f"{service}/AgencyId",
        value=code,
        detail=f"An agency called {code!r} is known already; use UpdateAgency to change its record.",
    )


def _named(parts: object) -> bool:
    return bool(getattr(parts, _NAMES, ()))


def _known_as(parts: list[Any], part: Any) -> Any:
    """Find the part that says the same."""
    return next((one for one in parts if meaning.same(one, part)), None)


def _refuse_nonsense(circ: Circulation, kind: str, part: Any, where: str) -> None:
    """Refuse a name without a letter, and an address that has ended before it begins."""
    if isinstance(part, el.OrganizationNameInformation) and not part.organization_name.strip():
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element=f"{where}/OrganizationNameInformation/OrganizationName",
            value=part.organization_name,
            detail="A name cannot be empty; send the name, or leave OrganizationNameInformation out.",
        )
    begins, ends = getattr(part, "valid_from_date", None), getattr(part, "valid_to_date", None)
    if begins is not None and ends is not None and to_micros(ends, circ.zone) < to_micros(begins, circ.zone):
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element=f"{where}/{_element(kind)}/ValidToDate",
            value=ends.isoformat(),
            detail="ValidToDate is before ValidFromDate; exchange them or leave one out.",
        )


def _element(kind: str) -> str:
    return kind.title().replace("_", "")


def _unable(problem: ProblemType, where: str, kind: str, part: Any) -> Problem:
    why = "is not" if problem is ProblemType.UNABLE_TO_DELETE_ELEMENT else "is already"
    named = part if isinstance(part, Coded) else getattr(part, "agency_address_role_type", None)
    return Problem(
        problem,
        element=f"{where}/{_element(kind)}",
        value=getattr(part, "organization_name", None) or (named.value if named is not None else None),
        detail=f"It {why} in the agency's record, so nothing was changed; look the agency up and compare.",
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


def described(circ: Circulation, agency: Agency) -> dict[str, list[Any]]:
    """Read what an agency says of itself, by the field of the messages; one that tells no name has that of its row."""
    found: dict[str, list[Any]] = {name: [] for name in PARTS}
    for kind, content in circ.tx.all("agency_details", agency=agency.id):
        found[kind].append(_read(kind, content))
    if not found[_NAMES]:
        official = OrganizationNameType.OFFICIAL_NAME.coded()
        found[_NAMES] = [el.OrganizationNameInformation(organization_name_type=official, organization_name=agency.name)]
    return found


def _pieces(parts: object) -> Iterator[tuple[str, Any]]:
    for name in PARTS:
        for part in getattr(parts, name, ()):
            yield name, part


def _written(part: Any) -> str:
    return f"{part.scheme or ''}\n{part.value}" if isinstance(part, Coded) else encode(part)


def _read(kind: str, content: str) -> Any:
    cls = PARTS[kind]
    if cls is not None:
        return decode_text(content, cls)
    scheme, _, value = content.partition("\n")
    return Coded(value, scheme or None)
