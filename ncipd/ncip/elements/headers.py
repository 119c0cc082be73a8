"""Who sends a message, to whom, and what went wrong with it."""

from __future__ import annotations

from datetime import datetime

from ncipd.ncip.types import Coded, Element, Ext, element


@element
class FromAgencyId(Element):
    """The agency that sends the message."""

    agency_id: Coded
    ext: Ext | None = None


@element
class ToAgencyId(Element):
    """The agency that the message is for."""

    agency_id: Coded
    ext: Ext | None = None


@element
class OnBehalfOfAgency(Element):
    """The agency for which the sender speaks when it is not the sender itself."""

    agency_id: Coded
    ext: Ext | None = None


@element
class InitiationHeader(Element):
    """Who sends an initiation message, on whose behalf, to whom, and by which application profile."""

    from_system_id: Coded | None = None
    from_system_authentication: str | None = None
    from_agency_id: FromAgencyId
    from_agency_authentication: str | None = None
    on_behalf_of_agency: OnBehalfOfAgency | None = None
    to_system_id: Coded | None = None
    to_agency_id: ToAgencyId
    application_profile_type: Coded | None = None
    ext: Ext | None = None


@element
class ResponseHeader(Element):
    """Who answers and to whom: the initiation header with both ends swapped."""

    from_system_id: Coded | None = None
    from_system_authentication: str | None = None
    from_agency_id: FromAgencyId
    from_agency_authentication: str | None = None
    to_system_id: Coded | None = None
    to_agency_id: ToAgencyId
    ext: Ext | None = None


@element
class MandatedAction(Element):
    """Says that the action has already happened and must be recorded rather than judged."""

    date_event_occurred: datetime
    ext: Ext | None = None


@element
class Pending(Element):
    """Says that the decision comes later, in a message of its own, perhaps with the day to expect it."""

    date_of_expected_reply: datetime | None = None
    ext: Ext | None = None


@element
class Problem(Element):
    """Why a message, or a part of it, could not be carried out."""

    problem_type: Coded
    problem_detail: str | None = None
    problem_element: str | None = None
    problem_value: str | None = None
    ext: Ext | None = None
