"""Which partner of an agency a message names, and whether it proves to be that partner.

What can name a partner is looked up in tables that are made when the configuration is read. Each partner says what
names it, in an order (`named_by`): of several that a message names, it comes from the one that is named by what stands
first in its order. An ApplicationProfileType that is not a partner's speaks against it, unless something that stands
before it in its order names it.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from hmac import compare_digest
from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation.partner import AuthenticatedBy, NamedBy
from ncipd.ncip.paths import local_name
from ncipd.ncip.problems import Problem, ProblemType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from ncipd.circulation.partner import Partner
    from ncipd.ncip.document import Document

ELEMENTS = {
    NamedBy.APPLICATION_PROFILE_TYPE: "ApplicationProfileType",
    NamedBy.FROM_AGENCY_ID: "FromAgencyId",
    NamedBy.FROM_SYSTEM_ID: "FromSystemId",
    NamedBy.FROM_AGENCY_AUTHENTICATION: "FromAgencyAuthentication",
    NamedBy.CODE_IN_AUTHENTICATION: "FromAgencyAuthentication",
}
PLACES = {
    AuthenticatedBy.FROM_AGENCY_AUTHENTICATION: "FromAgencyAuthentication",
    AuthenticatedBy.FROM_SYSTEM_AUTHENTICATION: "FromSystemAuthentication",
    AuthenticatedBy.HTTP_BASIC: "HTTP basic credentials",
    AuthenticatedBy.HTTP_BEARER: "an HTTP bearer token",
}


class Recognised(NamedTuple):
    """A partner, and by what it was recognised."""

    partner: Partner
    by: NamedBy


class Names:
    """What names the partners of one agency."""

    def __init__(self, partners: tuple[Partner, ...], own_codes: Collection[str]) -> None:
        """Take the partners of an agency, and the codes of the agency itself in capitals."""
        self._own = own_codes
        self._order = {partner.code: at for at, partner in enumerate(partners)}
        self._secrets = [one for one in partners if one.secret and NamedBy.FROM_AGENCY_AUTHENTICATION in one.named_by]
        self._separators = sorted({one.agency_separator for one in partners if one.agency_separator})
        called = [(by, _called(partners, by)) for by in _VALUES]
        self._tables = [(by, ELEMENTS[by], table) for by, table in called if table]

    def find(self, said: Mapping[str, str]) -> Recognised | None:
        """Find the partner that a header names; None where it names nobody."""
        all_named = self.named(said)
        if len(all_named) == 1 and all_named[0][0] is NamedBy.APPLICATION_PROFILE_TYPE:  # as most messages are
            return Recognised(all_named[0][1], NamedBy.APPLICATION_PROFILE_TYPE)
        named: dict[str, tuple[Partner, list[NamedBy]]] = {}
        for by, partner in all_named:
            named.setdefault(partner.code, (partner, []))[1].append(by)
        found = list(named.values())
        if "ApplicationProfileType" in said:
            found = [one for one in found if _not_spoken_against(*one)]
        if not found:
            return None
        best, marks = found[0] if len(found) == 1 else min(found, key=self._strength)
        return Recognised(best, next(one for one in best.named_by if one in marks))

    def named(self, said: Mapping[str, str]) -> list[tuple[NamedBy, Partner]]:
        """Give every partner that something in a header names, and what it is."""
        found: list[tuple[NamedBy, Partner]] = []
        for by, element, table in self._tables:
            value = said.get(element)
            if value and not (by is NamedBy.FROM_AGENCY_ID and value.upper() in self._own):
                found += [(by, partner) for partner in table.get(value.casefold(), ())]
                if self._separators and by is NamedBy.FROM_AGENCY_ID:
                    found += [(by, partner) for partner in self._of_institution(table, value)]
        secret = said.get("FromAgencyAuthentication")
        if secret:
            found += [(NamedBy.FROM_AGENCY_AUTHENTICATION, one) for one in self._secrets if same(secret, one.secret)]
        return found

    def _of_institution(self, table: Mapping[str, list[Partner]], code: str) -> Iterator[Partner]:
        """Find the partners that are named by the institution alone, where a code names a library of it too."""
        for separator in self._separators:
            institution = without_library(code, separator)
            if institution != code:
                of_it = table.get(institution.casefold(), ())
                yield from (partner for partner in of_it if partner.agency_separator == separator)

    def _strength(self, named: tuple[Partner, list[NamedBy]]) -> tuple[list[bool], list[bool], int]:
        partner, by = named
        own = [one not in by for one in partner.named_by]
        return own, [one not in by for one in NamedBy], self._order[partner.code]


#: What each element may hold to name a partner; secrets are compared otherwise.
_VALUES: dict[NamedBy, Callable[[Partner], tuple[str, ...]]] = {
    NamedBy.APPLICATION_PROFILE_TYPE: lambda partner: (partner.code, *partner.profile_types),
    NamedBy.FROM_AGENCY_ID: lambda partner: partner.agency_ids,
    NamedBy.FROM_SYSTEM_ID: lambda partner: partner.system_ids,
    NamedBy.CODE_IN_AUTHENTICATION: lambda partner: (partner.code, *partner.profile_types),
}


def _called(partners: tuple[Partner, ...], by: NamedBy) -> dict[str, list[Partner]]:
    """Give the partners that each value of an element names."""
    table: dict[str, list[Partner]] = {}
    for partner in partners:
        for value in {value.casefold() for value in _VALUES[by](partner)} if by in partner.named_by else ():
            table.setdefault(value, []).append(partner)
    return table


def _not_spoken_against(partner: Partner, by: list[NamedBy]) -> bool:
    for one in partner.named_by:
        if one in by:
            return True
        if one is NamedBy.APPLICATION_PROFILE_TYPE:
            return False
    return False


def said_in(document: Document) -> dict[str, str]:
    """Read the header in one pass: each element's text, or that of the AgencyId in it, whatever the namespace."""
    said: dict[str, str] = {}
    for child in document.root[0] if len(document.root) else ():
        if local_name(child) == "InitiationHeader":
            for node in child[:]:
                text = ((node[0] if len(node) else node).text or "").strip()
                if text:
                    said.setdefault(local_name(node), text)
            break
    return said


def without_library(code: str, separator: str) -> str:
    """Give the institution of an agency id that names a library of it too."""
    institution = code.partition(separator)[0].strip()
    return institution or code


# ---------------------------------------------------------------------------------------------- proof


def authenticate(said: Mapping[str, str], partner: Partner, credentials: str | None = None) -> None:
    """Raise Problem Agency or System Authentication Failed unless the partner's secret was sent, where one is agreed.

    `credentials` is the Authorization header of HTTP.
    """
    if not partner.secret:
        return
    for place in partner.authenticated_by:
        sent = _sent(said, place, credentials)
        if sent is None:
            continue
        if same(sent, partner.secret):
            return
        raise _refused(place, "The secret is not the one agreed with this partner.")
    usual = partner.authenticated_by[0]
    raise _refused(usual, f"This partner must send its secret as {PLACES[usual]}.")


def _refused(place: AuthenticatedBy, detail: str) -> Problem:
    of_agency = place is AuthenticatedBy.FROM_AGENCY_AUTHENTICATION
    return Problem(
        ProblemType.AGENCY_AUTHENTICATION_FAILED if of_agency else ProblemType.SYSTEM_AUTHENTICATION_FAILED,
        element=f"InitiationHeader/{PLACES[place]}" if place in _IN_HEADER else None,
        detail=detail,
    )


_IN_HEADER = {AuthenticatedBy.FROM_AGENCY_AUTHENTICATION, AuthenticatedBy.FROM_SYSTEM_AUTHENTICATION}


def _sent(said: Mapping[str, str], place: AuthenticatedBy, credentials: str | None) -> str | None:
    if place in _IN_HEADER:
        return said.get(PLACES[place])
    scheme, _, rest = (credentials or "").strip().partition(" ")
    if place is AuthenticatedBy.HTTP_BEARER:
        return rest.strip() if scheme.lower() == "bearer" else None
    if scheme.lower() != "basic":
        return None
    try:
        return b64decode(rest.strip(), validate=True).decode()
    except (NotBase64, ValueError):
        return ""


def same(sent: str, agreed: str) -> bool:
    """Compare a secret in a time that does not tell how much of it was right; an empty one is never the same."""
    return bool(agreed) and compare_digest(sent.encode(), agreed.encode())
