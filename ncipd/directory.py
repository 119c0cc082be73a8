"""Who is who: the agency that a message is for, and the partner that it comes from.

Agencies live in the store and change rarely, so they are kept here and read again now and then; partners are
configuration. The agency comes first, then the partner within it, by path key, ApplicationProfileType, FromAgencyId,
FromSystemId or FromAgencyAuthentication, in this order unless the partner has its own. A code of the agency itself in
FromAgencyId never names a partner (ILLiad sends From = To).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation.model import Agency
from ncipd.circulation.partner import NamedBy
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.recognition import Names, authenticate, said_in, without_library

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
        self._names: dict[int, Names] = {}
        self._separators = sorted({partner.agency_separator for partner in self._configured} - {""})
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
            if NamedBy.PATH_KEY in partner.named_by:
                self._keys.update(dict.fromkeys(partner.keys, (agency, partner)))
        self._names = {
            number: Names(tuple(partners.values()), self._codes[number]) for number, partners in self._partners.items()
        }
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

    def assumed(self, key: str | None, at: str, of: str) -> Partner | None:
        """Find the partner whose door or path key a message comes by, before anything is known of the message."""
        keyed = self._keys.get(key) if key else None
        if keyed is not None:
            return keyed[1]
        agency = self.agency(at) if at and of else None
        return _by_code(self._partners[agency.id], of) if agency is not None else None

    def recognise(
        self, document: Document, key: str | None, at: str = "", of: str = "", credentials: str | None = None
    ) -> Parties:
        """Find both ends of a message; raises Problem Unknown Agency, Unknown System or ... Authentication Failed.

        `key` is the path key. `at` and `of` are the codes of the agency and the partner that a door is bound to: those
        of messages that name none; "" where it is not. `credentials` is what HTTP says of the sender (its header
        Authorization).
        """
        said = said_in(document)
        to = said.get("ToAgencyId", "")
        keyed = self._keys.get(key) if key else None
        door = self.agency(at) if at else None
        agency = self._resolve(to, keyed[0] if keyed else door if at else self._default, at)
        origin = said.get("FromAgencyId", "")
        here = keyed is not None and keyed[0].id == agency.id
        partner = (
            keyed[1] if keyed is not None and here else self._name(said, agency, origin, of if agency is door else "")
        )
        authenticate(said, partner, credentials)
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
        found = self.agency(to) or self._institution(to)
        if found is None:
            raise Problem(
                ProblemType.UNKNOWN_AGENCY,
                element="InitiationHeader/ToAgencyId/AgencyId",
                value=to,
                detail=f"No agency served here is called {to!r}; check the code in ToAgencyId.",
            )
        return found

    def _institution(self, code: str) -> Agency | None:
        """Find the agency of a code that names one of its libraries too, as some partners write it."""
        for separator in self._separators:
            found = self.agency(without_library(code, separator))
            if found is not None and any(
                partner.agency_separator == separator for partner in self._partners[found.id].values()
            ):
                return found
        return None

    def _name(self, said: Mapping[str, str], agency: Agency, origin: str, of: str) -> Partner:
        found = self._names[agency.id].find(said)
        if found is not None:
            return found.partner
        partners = self._partners[agency.id]
        bound = _by_code(partners, of) if of else None
        fallback = bound or next((partner for partner in partners.values() if partner.fallback), None)
        if fallback is not None:
            return fallback
        profile = said.get("ApplicationProfileType", "")
        if profile:
            raise Problem(
                ProblemType.UNKNOWN_SYSTEM,
                element="InitiationHeader/ApplicationProfileType",
                value=profile,
                detail=f"No partner of {agency.name} is called {profile!r}; check the partner code.",
            )
        raise Problem(
            ProblemType.UNKNOWN_SYSTEM,
            element="InitiationHeader/FromAgencyId/AgencyId" if origin else "InitiationHeader",
            value=origin or None,
            detail=f"Nothing in the header names a partner of {agency.name}; send the agreed partner code as "
            "ApplicationProfileType.",
        )


def _by_code(partners: Mapping[str, Partner], code: str) -> Partner | None:
    exact = partners.get(code)
    return exact or next((partner for partner in partners.values() if partner.code.casefold() == code.casefold()), None)
