"""A partner: a configured other end, and how it bends the rules.

Partners are configuration, not store: one `[[partner]]` table of `ncipd.toml` each, on top of the profile that it
names (`ncipd/profiles/`). Every field below is one setting; its default is what `semantics.md` of the project's design
calls the default. Nothing here does anything by itself. The comments are read: `ncipd check` and the documents show
them as what a setting and a choice mean.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

MEDIA_TYPE = 'application/xml; charset="utf-8"'


class PartnerRole(StrEnum):
    """What kind of system the other end is."""

    #: it relays between libraries
    BROKER = "broker"
    #: another library, which speaks for itself
    PEER = "peer"
    #: it speaks for our own users about our own items
    DISCOVERY = "discovery"
    #: our own circulation system, or a self-check
    ILS = "ils"


class Sides(StrEnum):
    """Which side of our resource sharing a partner serves."""

    #: we lend and borrow through it
    BOTH = "both"
    #: we only lend through it
    LENDING = "lending"
    #: we only borrow through it
    BORROWING = "borrowing"


class NamedBy(StrEnum):
    """What can say which partner a message comes from; in this order, unless a partner has its own."""

    #: the KEY of POST /ncip/KEY is one of `keys`
    PATH_KEY = "path-key"
    #: ApplicationProfileType is its `code` or one of `profile_types`
    APPLICATION_PROFILE_TYPE = "application-profile-type"
    #: FromAgencyId is one of `agency_ids`
    FROM_AGENCY_ID = "from-agency-id"
    #: FromSystemId is one of `system_ids`
    FROM_SYSTEM_ID = "from-system-id"
    #: FromAgencyAuthentication is its `secret`
    FROM_AGENCY_AUTHENTICATION = "from-agency-authentication"
    #: FromAgencyAuthentication is its `code` or one of `profile_types`; only where a partner says so
    CODE_IN_AUTHENTICATION = "code-in-authentication"


class AuthenticatedBy(StrEnum):
    """Where a partner's secret is looked for."""

    #: the element FromAgencyAuthentication of the header
    FROM_AGENCY_AUTHENTICATION = "from-agency-authentication"
    #: the element FromSystemAuthentication of the header
    FROM_SYSTEM_AUTHENTICATION = "from-system-authentication"
    #: HTTP basic credentials; the secret is `user:password`
    HTTP_BASIC = "http-basic"
    #: an HTTP bearer token
    HTTP_BEARER = "http-bearer"


class UserPlace(StrEnum):
    """Where a message says which user is meant."""

    #: the element UserId
    USER_ID = "user-id"
    #: the first UserId in UserOptionalFields
    USER_OPTIONAL_FIELDS = "user-optional-fields"
    #: a UserId in Ext
    EXT = "ext"


class ItemPlace(StrEnum):
    """Where a message says which item is meant."""

    #: ItemIdentifierValue of ItemId
    ITEM_ID = "item-id"
    #: BibliographicRecordIdentifier of BibliographicId, which holds a barcode
    BIBLIOGRAPHIC_RECORD_ID = "bibliographic-record-id"
    #: BibliographicItemIdentifier of BibliographicId, which holds a barcode
    BIBLIOGRAPHIC_ITEM_ID = "bibliographic-item-id"
    #: CopyNumber in ItemDescription, which holds a barcode
    COPY_NUMBER = "copy-number"
    #: the item of the request that RequestId names, or an ItemId whose type says that it holds a request's id
    REQUEST = "request"


class RequestPlace(StrEnum):
    """Where a message says which request is meant."""

    #: the element RequestId
    REQUEST_ID = "request-id"
    #: a RequestId in Ext
    EXT = "ext"
    #: ItemId, which holds the number of the transaction
    ITEM_ID = "item-id"


class PickupPlace(StrEnum):
    """Where a message says at which library the user picks up."""

    #: the element PickupLocation
    PICKUP_LOCATION = "pickup-location"
    #: ToAgencyId, or what stands behind `agency_separator` in it
    TO_AGENCY_ID = "to-agency-id"
    #: OnBehalfOfAgency of the header
    ON_BEHALF_OF_AGENCY = "on-behalf-of-agency"
    #: PhysicalAddressType, ShippingInstructions or ShippingNote of ShippingInformation
    SHIPPING_INFORMATION = "shipping-information"
    #: ItemNote in Ext
    ITEM_NOTE = "item-note"


class ProblemDetail(StrEnum):
    """What ProblemDetail says."""

    #: a sentence: what was wrong and what to do
    SENTENCE = "sentence"
    #: the same as ProblemType
    TYPE = "type"
    #: the type in capitals: UNKNOWN_ITEM
    CODE = "code"
    #: nothing: there is none
    NONE = "none"


class ProblemPath(StrEnum):
    """How ProblemElement names an element."""

    #: by its path: RenewItem/ItemId/ItemIdentifierValue
    PATH = "path"
    #: by the path of the whole id: //RenewItem/ItemId
    XPATH = "xpath"
    #: by its name alone: ItemIdentifierValue
    NAME = "name"
    #: not at all: there is no ProblemElement
    NONE = "none"


class ProblemValue(StrEnum):
    """What ProblemValue holds."""

    #: what stood in the element
    VALUE = "value"
    #: the same with our agency before it: 91475/ABCDE
    AGENCY_VALUE = "agency/value"
    #: nothing: there is none
    NONE = "none"


class Privileges(StrEnum):
    """How UserPrivilege tells what a user may do."""

    #: the user group as the type of a privilege, with its end
    GROUP = "group"
    #: a privilege STATUS, which is OK or BLOCKED, and a privilege PROFILE, which is the user group
    STATUS_AND_PROFILE = "status-and-profile"


class TemporaryBarcode(StrEnum):
    """What a temporary item is called at first."""

    #: what ItemId says
    ITEM_ID = "item-id"
    #: what RequestId says
    REQUEST_ID = "request-id"
    #: what ItemId says, followed by the FromAgencyId
    ITEM_ID_AND_AGENCY = "item-id-and-agency"
    #: a number made here
    MADE = "made"


class Quirk(StrEnum):
    """What a partner needs that settings cannot express; each is a function of `circulation/quirks.py`."""

    #: CheckInItemResponse has UserOptionalFields, even if nothing is in it
    EMPTY_USER_OPTIONAL_FIELDS = "empty-user-optional-fields"
    #: answers to ItemShipped, ItemReceived and ItemRequested repeat the ids in Ext
    IDS_IN_EXT = "ids-in-ext"
    #: RequestItemResponse calls the type of its ItemId "Item Barcode"
    ITEM_BARCODE = "item-barcode"


class BeyondMaximum(StrEnum):
    """What to do with a date that lies beyond the partner's maximum."""

    #: the latest possible date is given
    CAP = "cap"
    #: the message is refused
    REJECT = "reject"


class OpenLoan(StrEnum):
    """What CheckOutItem does when the item is still out on another loan."""

    #: the message is refused
    REFUSE = "refuse"
    #: an older loan to this partner is closed
    CLOSE_OWN = "close-own"


class BarcodeRule(StrEnum):
    """What a temporary item is called when its barcode belongs to another live item."""

    #: a number made here
    OWN = "own"
    #: its barcode with `barcode_prefix` before it
    PREFIX = "prefix"
    #: nothing: AcceptItem is refused
    REFUSE = "refuse"


class NotOnLoan(StrEnum):
    """How CheckInItem is answered when nothing is on loan."""

    #: with success if a request of this partner was for the item
    SUCCESS_IF_KNOWN = "success-if-known"
    #: with success
    SUCCESS = "success"
    #: with the problem Item Not Checked Out
    PROBLEM = "problem"


class Datatypes(StrEnum):
    """Whether texts of version 1 carry the attribute datatype."""

    #: where the message has it
    AS_ASKED = "as-asked"
    #: always
    ALWAYS = "always"
    #: never
    NEVER = "never"


class Partner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[partner]]` of the configuration (source: profiles.md section 1.4, semantics.md)."""

    #: The partner's code: what ApplicationProfileType says in its messages.
    code: str
    #: Any code of the agency here that the partner belongs to.
    agency: str
    #: The profile that it starts from; empty = none. What a partner says itself goes before what its profile says.
    profile: str = ""
    #: What people call it.
    name: str = ""
    #: What kind of system it is.
    role: PartnerRole = PartnerRole.BROKER
    #: Which side of our resource sharing it serves.
    sides: Sides = Sides.BOTH
    #: What may say that a message comes from it, the most telling first.
    named_by: tuple[NamedBy, ...] = (
        NamedBy.PATH_KEY,
        NamedBy.APPLICATION_PROFILE_TYPE,
        NamedBy.FROM_AGENCY_ID,
        NamedBy.FROM_SYSTEM_ID,
        NamedBy.FROM_AGENCY_AUTHENTICATION,
    )
    #: ApplicationProfileType values that name it, beside its code.
    profile_types: tuple[str, ...] = ()
    #: FromAgencyId values that name it (never a code of our own agency).
    agency_ids: tuple[str, ...] = ()
    #: FromSystemId values that name it.
    system_ids: tuple[str, ...] = ()
    #: Path keys (POST /ncip/{key}) that name it, or under which it is the one to assume.
    keys: tuple[str, ...] = ()
    #: Whether it stands for whoever is not recognised at this agency (at most one an agency).
    fallback: bool = False
    #: What parts the institution from the library in agency ids (`INST||LIB`); empty = they have no parts.
    agency_separator: str = ""
    #: What it must send to prove who it is; empty = not asked for. `env:NAME` reads the environment.
    secret: str = ""
    #: Where its secret may stand; what is there first in this order must be right.
    authenticated_by: tuple[AuthenticatedBy, ...] = (
        AuthenticatedBy.FROM_AGENCY_AUTHENTICATION,
        AuthenticatedBy.FROM_SYSTEM_AUTHENTICATION,
    )
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

    #: Where its messages say which user is meant; the first place that holds something counts.
    user_key: tuple[UserPlace, ...] = (UserPlace.USER_ID,)
    #: Where its messages say which item is meant.
    item_key: tuple[ItemPlace, ...] = (ItemPlace.ITEM_ID,)
    #: Where its messages say which request is meant.
    request_key: tuple[RequestPlace, ...] = (RequestPlace.REQUEST_ID,)
    #: Where its messages say at which library the user picks up; the first place that names one of ours counts.
    pickup_key: tuple[PickupPlace, ...] = (PickupPlace.PICKUP_LOCATION,)
    #: The kind of identifier by which UserId is matched; empty = any identifier of the user.
    user_identifier_type: str = ""
    #: UserId values that are never a user of ours, whatever they look like.
    pseudo_users: tuple[str, ...] = ("-",)
    #: The kind of record number by which BibliographicId is matched; empty = any.
    record_identifier_code: str = ""
    #: What the kinds of record numbers that it sends are called here; `SYSNUMBER = ""` for our own numbers.
    record_codes: dict[str, str] = msgspec.field(default_factory=dict)
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
    #: Whether CheckOutItem's DesiredDateDue sets the due date; otherwise `loan_days` does, whatever is asked for.
    honour_desired_date: bool = True
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
    #: Whether ItemRenewed for an item that it has from us is a wish, judged as RenewItem is; otherwise it is no news.
    renewed_means_renew: bool = False
    #: Whether a local user's request recalls an item that is shipped.
    recall_on_local_request: bool = True
    #: How much time a recall leaves where it names no date, in days.
    recall_days: int = 7

    #: Whether AcceptItem receives the item at once; otherwise it waits for the desk.
    automatic_receive: bool = True
    #: What the barcode of a temporary item is.
    temporary_barcode: TemporaryBarcode = TemporaryBarcode.ITEM_ID
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
    #: Whether texts in answers of NCIP version 1 carry the attribute datatype: as in the message, always or never.
    v1_datatypes: Datatypes = Datatypes.AS_ASKED
    #: How UserPrivilege tells what a user may do.
    privileges: Privileges = Privileges.GROUP
    #: The namespace prefix of our messages to it; empty = NCIP is the default namespace.
    prefix: str = "ns1"
    #: The Content-Type of our answers over HTTP.
    content_type: str = MEDIA_TYPE
    #: Whether ProblemType has a Scheme.
    problem_scheme: bool = True
    #: What ProblemType says instead of the standard's words: `"Unknown User" = "User Unknown"`. Without Scheme then.
    problem_types: dict[str, str] = msgspec.field(default_factory=dict)
    #: What ProblemDetail says.
    problem_detail: ProblemDetail = ProblemDetail.SENTENCE
    #: How ProblemElement names the element that a problem is about.
    problem_element: ProblemPath = ProblemPath.PATH
    #: What ProblemValue holds.
    problem_value: ProblemValue = ProblemValue.VALUE
    #: What it needs beyond all this.
    quirks: tuple[Quirk, ...] = ()

    @property
    def looks_elsewhere(self) -> bool:
        """Say whether its messages name what they are about elsewhere than the standard has it."""
        return (self.user_key, self.item_key, self.request_key, self.pickup_key) != _STANDARD_KEYS

    @property
    def puts_problems_otherwise(self) -> bool:
        """Say whether it wants problems put otherwise than we put them."""
        return (
            bool(self.problem_types)
            or (
                self.problem_scheme,
                self.problem_detail,
                self.problem_element,
                self.problem_value,
            )
            != _STANDARD_PROBLEMS
        )

    def serves(self, side: Sides) -> bool:
        """Say whether the partner takes part on this side."""
        return self.sides in (Sides.BOTH, side)


_STANDARD_PROBLEMS = (True, ProblemDetail.SENTENCE, ProblemPath.PATH, ProblemValue.VALUE)
_STANDARD_KEYS = (
    (UserPlace.USER_ID,),
    (ItemPlace.ITEM_ID,),
    (RequestPlace.REQUEST_ID,),
    (PickupPlace.PICKUP_LOCATION,),
)
