"""Who is who: the agency that a message is for, and the partner that it comes from.

Agencies live in the store and change rarely, so they are kept here and read again now and then; partners are
configuration. The agency comes first, then the partner within it, by path key, ApplicationProfileType, FromAgencyId,
FromSystemId or FromAgencyAuthentication, in this order. A code of the agency itself in FromAgencyId never names a
partner (ILLiad sends From = To).
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation.model import Agency
from ncipd.ncip.paths import local_name
from ncipd.ncip.problems import Problem, ProblemType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ncipd.circulation.partner import Partner
    from ncipd.circulation.unit import Places
    from ncipd.ncip.document import Document
    from ncipd.store.port import Transaction


class Parties(NamedTuple):
    """Both ends of a message, and what each called the other."""

    agency: Agency
    partner: Partner
    partners: Mapping[str, Partner]
    our_code: str
    partner_agency: str


class Directory:
    """The agencies and partners of this ncipd."""

    def __init__(self, partners: Iterable[Partner]) -> None:
        """Take the configured partners; `refresh` gives them their agencies."""
        self._configured = tuple(partners)
        self._agencies: dict[str, Agency] = {}
        self._codes: dict[int, frozenset[str]] = {}
        self._partners: dict[int, dict[str, Partner]] = {}
        self._keys: dict[str, tuple[Agency, Partner]] = {}
        self._default: Agency | None = None
        #: What was read of libraries and locations since the last look.
        self.places: Places = {}

    def refresh(self, tx: Transaction) -> list[str]:
        """Read the agencies again; gives the codes of partners whose agency the store does not have."""
        self.places.clear()
        agencies = tx.all("agencies", Agency._make)
        codes = {agency.id: [row[0] for row in tx.all("agency_codes", agency=agency.id)] for agency in agencies}
        self._agencies = {code.strip().upper(): agency for agency in agencies for code in codes[agency.id]}
        self._codes = {number: frozenset(code.strip().upper() for code in found) for number, found in codes.items()}
        self._default = agencies[0] if agencies else None
        self._partners = {agency.id: {} for agency in agencies}
        self._keys, astray = {}, []
        for partner in self._configured:
            agency = self.agency(partner.agency)
            if agency is None:
                astray.append(partner.code)
                continue
            self._partners[agency.id][partner.code] = partner
            self._keys.update(dict.fromkeys(partner.keys, (agency, partner)))
        return astray

    def agency(self, code: str) -> Agency | None:
        """Find an agency by any of its codes."""
        return self._agencies.get(code.strip().upper())

    def agencies(self) -> list[Agency]:
        """List the agencies served here."""
        return sorted({agency.id: agency for agency in self._agencies.values()}.values())

    @property
    def default_agency(self) -> Agency | None:
        """The agency of messages that name none: the first one made."""
        return self._default

    def partners_of(self, agency: Agency) -> Mapping[str, Partner]:
        """Give the partners of an agency by code."""
        return self._partners.get(agency.id, {})

    def partner(self, agency_id: int, code: str) -> Partner | None:
        """Find a partner by the agency and its code."""
        return self._partners.get(agency_id, {}).get(code)

    def recognise(self, document: Document, key: str | None, at: str = "", of: str = "") -> Parties:
        """Find both ends of a message; raises Problem Unknown Agency, Unknown System or ... Authentication Failed.

        `key` is the path key. `at` and `of` are the codes of the agency and the partner that a door is bound to: those
        of messages that name none; "" where it is not.
        """
        said = _said(document)
        to = said.get("ToAgencyId", "")
        keyed = self._keys.get(key) if key else None
        door = self.agency(at) if at else None
        agency = self._resolve(to, keyed[0] if keyed else door if at else self._default, at)
        origin = said.get("FromAgencyId", "")
        here = keyed is not None and keyed[0].id == agency.id
        partner = (
            keyed[1] if keyed is not None and here else self._name(said, agency, origin, of if agency is door else "")
        )
        self._authenticate(said, partner)
        return Parties(agency, partner, self._partners[agency.id], to or agency.code, origin)

    def _resolve(self, to: str, default: Agency | None, at: str) -> Agency:
        if not to:
            if default is None:
                missing = f"The agency {at!r} of this port" if at else "No agency"
                raise Problem(
                    ProblemType.TEMPORARY_PROCESSING_FAILURE,
                    detail=f"{missing} is {'not ' if at else ''}set up here yet; load one with `ncipd load agencies`.",
                )
            return default
        found = self.agency(to)
        if found is None:
            raise Problem(
                ProblemType.UNKNOWN_AGENCY,
                element="InitiationHeader/ToAgencyId/AgencyId",
                value=to,
                detail=f"No agency served here is called {to!r}; check the code in ToAgencyId.",
            )
        return found

    def _name(self, said: Mapping[str, str], agency: Agency, origin: str, of: str) -> Partner:
        partners = self._partners[agency.id]
        bound = _by_code(partners, of) if of else None
        fallback = bound or next((partner for partner in partners.values() if partner.fallback), None)
        profile = said.get("ApplicationProfileType", "")
        if profile:
            named = _by_code(partners, profile) or fallback
            if named is None:
                raise Problem(
                    ProblemType.UNKNOWN_SYSTEM,
                    element="InitiationHeader/ApplicationProfileType",
                    value=profile,
                    detail=f"No partner of {agency.name} is called {profile!r}; check the partner code.",
                )
            return named
        system = said.get("FromSystemId", "")
        foreign = origin if origin.upper() not in self._codes[agency.id] else ""
        secret = said.get("FromAgencyAuthentication", "")
        of_header = (
            [partner for partner in partners.values() if foreign and _among(foreign, partner.agency_ids)]
            or [partner for partner in partners.values() if system and _among(system, partner.system_ids)]
            or [partner for partner in partners.values() if secret and _same(secret, partner.secret)]
        )
        if of_header:
            return of_header[0]
        if fallback is not None:
            return fallback
        raise Problem(
            ProblemType.UNKNOWN_SYSTEM,
            element="InitiationHeader/FromAgencyId/AgencyId" if origin else "InitiationHeader",
            value=origin or None,
            detail=f"Nothing in the header names a partner of {agency.name}; send the agreed partner code as "
            "ApplicationProfileType.",
        )

    @staticmethod
    def _authenticate(said: Mapping[str, str], partner: Partner) -> None:
        if not partner.secret:
            return
        for name, problem in (
            ("FromAgencyAuthentication", ProblemType.AGENCY_AUTHENTICATION_FAILED),
            ("FromSystemAuthentication", ProblemType.SYSTEM_AUTHENTICATION_FAILED),
        ):
            sent = said.get(name)
            if sent is None:
                continue
            if _same(sent, partner.secret):
                return
            raise Problem(
                problem,
                element=f"InitiationHeader/{name}",
                detail="The secret is not the one agreed with this partner.",
            )
        raise Problem(
            ProblemType.AGENCY_AUTHENTICATION_FAILED,
            element="InitiationHeader/FromAgencyAuthentication",
            detail="This partner must send its secret as FromAgencyAuthentication.",
        )


def _said(document: Document) -> dict[str, str]:
    """Read the header in one pass: each element's text, or that of the AgencyId in it, whatever the namespace."""
    said: dict[str, str] = {}
    message = document.root[0]
    header = next((child for child in message if local_name(child) == "InitiationHeader"), ())
    for node in header:
        inner = node[0] if len(node) else node
        text = (inner.text or "").strip()
        if text:
            said.setdefault(node.tag.rpartition("}")[2], text)
    return said


def _by_code(partners: Mapping[str, Partner], code: str) -> Partner | None:
    exact = partners.get(code)
    return exact or next((partner for partner in partners.values() if partner.code.casefold() == code.casefold()), None)


def _same(sent: str, agreed: str) -> bool:
    """Compare a secret in a time that does not tell how much of it was right; an empty one is never the same."""
    return bool(agreed) and compare_digest(sent.encode(), agreed.encode())


def _among(value: str, values: tuple[str, ...]) -> bool:
    return value.casefold() in {known.casefold() for known in values}
