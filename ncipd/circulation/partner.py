"""A partner: a configured other end, and how it bends the rules.

Partners are configuration, not store: one `[[partner]]` table of `ncipd.toml` each. Every field below is one setting;
its default is what `semantics.md` of the project's design calls the default. Nothing here does anything by itself.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class PartnerRole(StrEnum):
    """What kind of system the other end is."""

    BROKER = "broker"
    PEER = "peer"
    DISCOVERY = "discovery"
    ILS = "ils"


class Sides(StrEnum):
    """Which side of our resource sharing a partner serves."""

    BOTH = "both"
    LENDING = "lending"
    BORROWING = "borrowing"


class BeyondMaximum(StrEnum):
    """What to do with a date that lies beyond the partner's maximum."""

    CAP = "cap"
    REJECT = "reject"


class OpenLoan(StrEnum):
    """What CheckOutItem does when the item is still out on another loan."""

    REFUSE = "refuse"
    CLOSE_OWN = "close-own"


class BarcodeRule(StrEnum):
    """What a temporary item is called when its barcode belongs to another live item."""

    OWN = "own"
    PREFIX = "prefix"
    REFUSE = "refuse"


class NotOnLoan(StrEnum):
    """How CheckInItem is answered when nothing is on loan."""

    SUCCESS_IF_KNOWN = "success-if-known"
    SUCCESS = "success"
    PROBLEM = "problem"


class Partner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[partner]]` of the configuration (source: profiles.md section 1.4, semantics.md)."""

    #: The partner's code: what ApplicationProfileType says in its messages.
    code: str
    #: Any code of the agency here that the partner belongs to.
    agency: str
    #: What people call it.
    name: str = ""
    #: What kind of system it is.
    role: PartnerRole = PartnerRole.BROKER
    #: Which side of our resource sharing it serves.
    sides: Sides = Sides.BOTH
    #: FromAgencyId values that name it (never a code of our own agency).
    agency_ids: tuple[str, ...] = ()
    #: FromSystemId values that name it.
    system_ids: tuple[str, ...] = ()
    #: Path keys (POST /ncip/{key}) that name it, or under which it is the one to assume.
    keys: tuple[str, ...] = ()
    #: Whether it stands for whoever is not recognised at this agency (at most one an agency).
    fallback: bool = False
    #: What FromAgencyAuthentication must hold; empty = not asked for. `env:NAME` reads the environment.
    secret: str = ""
    #: Where our own messages to it go (http, https, or tcp and tcps with a port); empty = they cannot be sent.
    url: str = ""
    #: Whether it may see and change data of users.
    user_data: bool = True
    #: Whether it may see users' accounts and post to them.
    user_accounts: bool = True
    #: Whether a number in AuthenticationInput says who the user is without a PIN or password beside it.
    trust_identifier_alone: bool = False
    #: NCIP services it may call; empty = all.
    services: tuple[str, ...] = ()
    #: Named repairs that are not made on its messages; what needs one of them is refused.
    refuse_repairs: tuple[str, ...] = ()

    #: The kind of identifier by which UserId is matched; empty = any identifier of the user.
    user_identifier_type: str = ""
    #: UserId values that are never a user of ours, whatever they look like.
    pseudo_users: tuple[str, ...] = ("-",)
    #: The kind of record number by which BibliographicId is matched; empty = any.
    record_identifier_code: str = ""
    #: Whether RequestId's AgencyId is part of what a request is called.
    request_agency_counts: bool = False

    #: The resource-sharing library that owns the requests; empty = the agency's first library.
    default_library: str = ""
    #: Location code of items lent through this partner.
    lending_location: str = ""
    #: Location code of temporary items borrowed through this partner.
    borrowing_location: str = ""
    #: Library where users pick up what names no PickupLocation; empty = `default_library`.
    pickup_library: str = ""
    #: Item policy of temporary items.
    item_policy: str = ""

    #: Whether CheckOutItem may come without RequestItem before it.
    check_out_without_request: bool = True
    #: Whether RequestItem for an item that is not available is refused instead of waiting.
    refuse_unavailable: bool = False
    #: What CheckOutItem does when the item is still out.
    open_loan: OpenLoan = OpenLoan.REFUSE
    #: How CheckInItem is answered when nothing is on loan.
    check_in_not_on_loan: NotOnLoan = NotOnLoan.SUCCESS_IF_KNOWN
    #: Whether messages can ask for digital supply at all.
    digital: bool = True
    #: Whether a digital supply waits for the desk's word before the request completes.
    receive_digitally: bool = False

    #: Loan period where the message names no due date, in days.
    loan_days: int = 28
    #: The longest a loan may last from its start, renewals included, in days; 0 = no limit.
    maximum_loan_days: int = 112
    #: DesiredDateDue beyond the maximum at check-out: the date is capped, or the check-out refused.
    due_date_beyond_maximum: BeyondMaximum = BeyondMaximum.CAP
    #: Renewals a loan may have.
    maximum_renewals: int = 3
    #: How far one renewal moves the due date where none is asked for, in days.
    renewal_days: int = 28
    #: Whether policy answers a renewal wish at once; otherwise staff do.
    automatic_renewal: bool = True
    #: A desired date beyond the maximum at renewal: refused, or capped.
    renewal_beyond_maximum: BeyondMaximum = BeyondMaximum.REJECT
    #: After how many days a Pending renewal is expected to be answered.
    renewal_reply_days: int = 3
    #: Whether a local user's request recalls an item that is shipped.
    recall_on_local_request: bool = True
    #: How much time a recall leaves where it names no date, in days.
    recall_days: int = 7

    #: Whether AcceptItem receives the item at once; otherwise it waits for the desk.
    automatic_receive: bool = True
    #: What a temporary item is called when its barcode is taken.
    barcode_rule: BarcodeRule = BarcodeRule.OWN
    #: What `barcode_rule = "prefix"` puts in front, and what made-up barcodes begin with.
    barcode_prefix: str = "TMP-"
    #: How many days before the lender's date a user's loan ends.
    user_due_days_earlier: int = 0
    #: How many days an item waits on the hold shelf where the message names no date.
    hold_shelf_days: int = 10

    #: How long a repeated message gets the stored answer, in minutes.
    resend_window_minutes: int = 10
    #: IANA time zone of date-times without one; empty = the agency's.
    time_zone: str = ""
    #: ItemElementType and UserElementType values that answers carry unasked.
    always_include: tuple[str, ...] = ()

    def serves(self, side: Sides) -> bool:
        """Say whether the partner takes part on this side."""
        return self.sides in (Sides.BOTH, side)
