"""Each named repair makes valid what senders really send, says what it did, and touches nothing that is valid."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from ncipd.ncip import schema
from ncipd.ncip.document import parse
from ncipd.ncip.elements import AuthenticationInput, ItemId, RequestId, UserId
from ncipd.ncip.envelope import VERSION, Envelope, write
from ncipd.ncip.messages import CheckInItem, CheckOutItem, LookupItem, LookupItemSet, LookupUserResponse, RequestItem
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.read import Invalid, read
from ncipd.ncip.repairs import REPAIRS, TOLERATED, repair
from ncipd.ncip.repairs.names import meant_by
from ncipd.ncip.types import Coded, Message, Opaque
from tests.ncip.deviations import TEXT, TREE
from tests.ncip.repairing import GOOD, NS, ORIGINAL, SCHEME, message, names, needs
from tests.ncip.strategies import messages


def spoiled(text: str, deviations: Collection[str]) -> tuple[str, set[str]]:
    """The text of a message with these deviations, and those of them for which it had something to spoil."""
    root = etree.fromstring(text.encode())
    done = {name for name, spoil in TREE.items() if name in deviations and spoil(root)}
    text = etree.tostring(root, encoding="unicode")
    for name, change in TEXT.items():
        if name in deviations and (changed := change(text)) != text:
            text = changed
            done.add(name)
    return text, done


def together(deviations: Collection[str]) -> bool:
    """Whether deviations can be had at once: one namespace, one version, one encoding, one wrapping.

    And without a namespace and a version, Scheme and Value would make it version 1.
    """
    one_of = (
        {"no-namespace", "wrong-namespace"},
        {"no-namespace", "undeclared-prefix"},
        {"wrong-namespace", "undeclared-prefix"},
        {"unqualified-version", "missing-version"},
        {"utf-8-declared-otherwise", "wrong-encoding"},
        {"url-encoded", "form-post"},
    )
    return not any(pair <= set(deviations) for pair in one_of) and not (
        {"no-namespace", "missing-version", "scheme-value"} <= set(deviations)
    )


SPOILED = [*TREE, *TEXT]
TOGETHER = [pair for pair in combinations(SPOILED, 2) if together(pair)]


def test_the_good_message_needs_no_repair() -> None:
    assert names(parse(GOOD.encode())) == set()


@pytest.mark.parametrize("name", SPOILED)
def test_a_repair_alone_makes_the_message_what_it_should_have_been(name: str) -> None:
    text, done = spoiled(GOOD, {name})
    assert done == {name}
    assert needs(text.encode(), name).envelope.message == ORIGINAL


@pytest.mark.parametrize("pair", TOGETHER, ids="+".join)
def test_repairs_work_together(pair: tuple[str, str]) -> None:
    text, done = spoiled(GOOD, pair)
    reading = read(parse(text.encode()))
    assert {applied.name for applied in reading.repairs} == done
    assert reading.envelope.message == ORIGINAL


@settings(max_examples=3 * settings().max_examples)
@given(messages(foreign=False), st.sets(st.sampled_from(SPOILED)).filter(together))
def test_any_message_with_any_deviations_reads_back_as_it_was(sent: Message, deviations: set[str]) -> None:
    text, done = spoiled(write(Envelope(VERSION, sent), prefix="n").decode(), deviations)
    raw = text.encode()
    reading = read(parse(raw))
    assert {applied.name for applied in reading.repairs} == done
    assert reading.envelope.message == sent
    assert reading.envelope.version == VERSION


@given(messages(foreign=False), st.sets(st.sampled_from(SPOILED), min_size=1).filter(together))
def test_what_needs_a_repair_that_is_not_allowed_is_refused(sent: Message, deviations: set[str]) -> None:
    text, done = spoiled(write(Envelope(VERSION, sent), prefix="n").decode(), deviations)
    for name in done:
        with pytest.raises(Problem):
            read(parse(text.encode()), allowed=done - {name})
    if done - TOLERATED:
        with pytest.raises(Problem):
            read(parse(text.encode()), allowed=TOLERATED)


def test_a_repair_says_where_it_was_made_and_what_was_done() -> None:
    raw = GOOD.replace("n:version", "version").replace("n:Scheme", "Scheme").encode()
    assert [(applied.name, applied.path) for applied in read(parse(raw)).repairs] == [
        ("unqualified-version", "/NCIPMessage"),
        ("unqualified-scheme", "/NCIPMessage/CheckOutItem/UserId/AgencyId"),
    ]


@settings(max_examples=2 * settings().max_examples)
@given(messages(foreign=False))
def test_no_repair_touches_a_valid_message(message: Message) -> None:
    document = parse(write(Envelope(VERSION, message)))
    assert repair(document) == []
    assert read(document).envelope.message == message


# --- the ids of a check-in -------------------------------------------------------------------------------------------

CHECK_IN = f"""<n:NCIPMessage xmlns:n="{NS}" n:version="2.02"><n:CheckInItem>
  <n:UserId><n:UserIdentifierValue>U-1</n:UserIdentifierValue></n:UserId>
  <n:ItemId><n:ItemIdentifierValue>I-1</n:ItemIdentifierValue></n:ItemId>
  <n:RequestId><n:RequestIdentifierValue>R-1</n:RequestIdentifierValue></n:RequestId>{{}}
</n:CheckInItem></n:NCIPMessage>"""


@pytest.mark.parametrize("ext", ["", "<n:Ext/>", "<n:Ext><n:Title>x</n:Title></n:Ext>"])
def test_ids_in_a_check_in_are_moved_into_its_ext_where_a_service_finds_them(ext: str) -> None:
    reading = read(parse(CHECK_IN.format(ext).encode()))
    assert {applied.name for applied in reading.repairs} == {"checkin-ids"}
    message = reading.envelope.message
    assert isinstance(message, CheckInItem)
    assert message.item_id == ItemId(item_identifier_value="I-1")
    assert message.ext is not None
    assert message.ext.find(UserId) == UserId(user_identifier_value="U-1")
    assert message.ext.find(RequestId) == RequestId(request_identifier_value="R-1")
    assert schema.is_valid(parse(write(reading.envelope)).root)


def test_ids_that_are_incomplete_are_still_refused() -> None:
    raw = CHECK_IN.format("").replace("<n:UserIdentifierValue>U-1<", "<n:UserIdentifierType>x<")
    raw = raw.replace("</n:UserIdentifierValue>", "</n:UserIdentifierType>").encode()
    with pytest.raises(Problem, match="UserId has no UserIdentifierValue"):
        read(parse(raw))


# --- a user who is named and proves it -------------------------------------------------------------------------------

PROVED = """<n:AuthenticationInput><n:AuthenticationInputData>1234</n:AuthenticationInputData>
  <n:AuthenticationDataFormatType>text</n:AuthenticationDataFormatType>
  <n:AuthenticationInputType>PIN</n:AuthenticationInputType></n:AuthenticationInput>"""


@pytest.mark.parametrize("before", [True, False])
def test_a_pin_beside_the_user_is_moved_into_the_ext_where_it_can_be_checked(before: bool) -> None:
    """In the field both are sent, in either order; the UserId says who it is."""
    whole = (
        GOOD.replace("<n:UserId>", PROVED + "<n:UserId>")
        if before
        else GOOD.replace("</n:UserId>", "</n:UserId>" + PROVED)
    )
    reading = read(parse(whole.encode()))
    assert {applied.name for applied in reading.repairs} == {"proof-beside-user"}
    message = reading.envelope.message
    assert isinstance(message, CheckOutItem)
    assert message.user_id is not None
    assert message.authentication_input == ()
    assert message.ext is not None
    proof = message.ext.find(AuthenticationInput)
    assert proof is not None
    assert proof.authentication_input_data == "1234"
    assert schema.is_valid(parse(write(reading.envelope)).root)
    with pytest.raises(Invalid):
        read(parse(whole.encode()), allowed=set(REPAIRS) - {"proof-beside-user"})


# --- edges -----------------------------------------------------------------------------------------------------------


def test_a_qualified_version_or_scheme_wins_over_an_unqualified_one() -> None:
    raw = GOOD.replace(" n:version", ' version="x" n:version').replace(" n:Scheme", ' Scheme="y" n:Scheme').encode()
    message = read(parse(raw)).envelope.message
    assert isinstance(message, CheckOutItem)
    assert message.user_id is not None
    assert message.user_id.agency_id == Coded("A-1", SCHEME)


def test_elements_of_nobody_in_an_ext_are_kept_as_they_are_though_the_message_lost_its_namespace() -> None:
    raw = (
        spoiled(GOOD, {"no-namespace"})[0]
        .replace("<Title>A title</Title>", "<Title>t</Title><Local>x</Local>")
        .encode()
    )
    message = read(parse(raw)).envelope.message
    assert isinstance(message, CheckOutItem)
    assert message.ext is not None
    assert message.ext.find("Title") is not None
    assert message.ext.children[-1] == Opaque(b"<Local>x</Local>")


def test_nothing_is_touched_below_foreign_content() -> None:
    """Not even where a name, a missing namespace, an order or an attribute would be repaired elsewhere."""
    inner = (
        f'<n:ItemId xmlns:n="{NS}">stray<n:ItemIdentifierValue></n:ItemIdentifierValue>'
        '<n:AgencyId Scheme="s"></n:AgencyId></n:ItemId><Title>t</Title>'
    )
    foreign = f'<x:a xmlns:x="urn:x">{inner}</x:a>'
    raw = spoiled(GOOD, {"unqualified-version"})[0]
    raw = raw.replace("<n:Title>A title</n:Title>", foreign + "<Own><Title/></Own>")
    reading = read(parse(raw.encode()))
    assert {applied.name for applied in reading.repairs} == {"unqualified-version", "foreign-ext"}
    assert isinstance(reading.envelope.message, CheckOutItem)
    assert reading.envelope.message.ext is not None
    assert reading.envelope.message.ext.children == (Opaque(foreign.encode()), Opaque(b"<Own><Title></Title></Own>"))


def test_an_element_without_namespace_is_foreign_where_the_name_alone_may_not_tell() -> None:
    raw = GOOD.replace("<n:Title>A title</n:Title>", "<UserId>x</UserId><Title>t</Title>").encode()
    message = read(parse(raw), allowed={"foreign-ext"}).envelope.message
    assert isinstance(message, CheckOutItem)
    assert message.ext is not None
    assert message.ext.children == (Opaque(b"<UserId>x</UserId>"), Opaque(b"<Title>t</Title>"))


def test_several_foreign_elements_keep_their_places_among_others() -> None:
    content = "<x:a xmlns:x='urn:x'/><n:Title>t</n:Title><x:b xmlns:x='urn:x'><n:Ext><x:c/></n:Ext></x:b><n:Edition/>"
    raw = GOOD.replace("<n:Title>A title</n:Title>", content).encode()
    reading = read(parse(raw))
    message = reading.envelope.message
    assert isinstance(message, CheckOutItem)
    assert message.ext is not None
    assert [type(child).__name__ for child in message.ext.children] == ["Opaque", "Leaf", "Opaque", "Leaf"]
    assert [applied.path for applied in reading.repairs] == [
        "/NCIPMessage/CheckOutItem/Ext/a",
        "/NCIPMessage/CheckOutItem/Ext/b",
    ]


def test_version_1_is_not_taken_for_a_message_without_its_namespace() -> None:
    raw = b"<NCIPMessage version='http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd'><LookupUser/></NCIPMessage>"
    with pytest.raises(Invalid, match="not the NCIPMessage of NCIP 2"):
        read(parse(raw))


def test_every_repair_has_a_name_and_a_sentence() -> None:
    for name, each in REPAIRS.items():
        assert each.name == name
        assert each.summary.endswith(".")
        assert each.accepts


def test_every_repair_is_tried_here(request: pytest.FixtureRequest) -> None:
    """In combination with all others, or by a test of its own."""
    alone = {
        "bare-record",
        "checkin-ids",
        "date-only",
        "empty-value",
        "foreign-ext",
        "half-header",
        "ils-di",
        "message-in-ext",
        "misplaced-element",
        "missing-currency",
        "nonsense-version",
        "proof-beside-user",
        "unknown-element",
    }
    assert set(SPOILED) | alone == set(REPAIRS)


# --- dates -----------------------------------------------------------------------------------------------------------


def due(spelled: str, allowed: Collection[str] | None = None) -> tuple[str, set[str]]:
    """The date of a message as it is read, and the repairs that it took."""
    raw = GOOD.replace("2026-01-31T23:59:00Z", spelled).encode()
    reading = read(parse(raw), allowed=allowed)
    assert isinstance(reading.envelope.message, CheckOutItem)
    date = reading.envelope.message.desired_date_due
    return (date.isoformat() if date else ""), {applied.name for applied in reading.repairs}


@pytest.mark.parametrize(
    ("spelled", "meant", "repairs"),
    [
        ("2026-01-31", "2026-01-31T23:59:59", "date-only"),
        (" 2026-01-31\n", "2026-01-31T23:59:59", "date-only"),
        ("2026-01-31Z", "2026-01-31T23:59:59+00:00", "date-only"),
        ("2026-01-31+01:00", "2026-01-31T22:59:59+00:00", "date-only"),
        ("20260131", "2026-01-31T23:59:59", "date-spelling date-only"),
        ("2026/01/31", "2026-01-31T23:59:59", "date-spelling date-only"),
        ("2026-01-31T12:30", "2026-01-31T12:30:00", "missing-seconds"),
        ("2026-01-31T12:30Z", "2026-01-31T12:30:00+00:00", "missing-seconds"),
        ("2026-01-31T12:30:05+0100", "2026-01-31T11:30:05+00:00", "odd-offset"),
        ("2026-01-31T12:30:05-01", "2026-01-31T13:30:05+00:00", "odd-offset"),
        ("2026-01-31T12:30:05z", "2026-01-31T12:30:05+00:00", "odd-offset"),
        ("2026-01-31T12:30:05.123 UTC", "2026-01-31T12:30:05.123000+00:00", "date-spelling odd-offset"),
        ("2026-01-31 12:30:05", "2026-01-31T12:30:05", "date-spelling"),
        ("2026-01-31t12:30:05,5", "2026-01-31T12:30:05.500000", "date-spelling"),
        ("20260131T123005Z", "2026-01-31T12:30:05+00:00", "date-spelling"),
        ("20260131 1230 +01", "2026-01-31T11:30:00+00:00", "date-spelling missing-seconds odd-offset"),
        ("2026-01-31    23:00", "2026-01-31T23:00:00", "date-spelling missing-seconds"),
        ("", "", "empty-value"),
        (" \n", "", "empty-value"),
    ],
)
def test_a_date_is_read_however_it_is_spelled(spelled: str, meant: str, repairs: str) -> None:
    assert due(spelled) == (meant, set(repairs.split()))
    for name in repairs.split():
        with pytest.raises(Invalid) as caught:
            due(spelled, set(REPAIRS) - {name})
        assert caught.value.type is ProblemType.INVALID_DATE


@pytest.mark.parametrize(
    "spelled",
    [
        "31.01.2026",
        "01/31/2026",
        "2026-02-30",
        "2026-13-01",
        "0000-00-00",
        "2026-1-5",
        "26-01-31",
        "12:30",
        "next Tuesday",
        "2026-01-31T",
        "2026-01-31Tnoon",
        "2026-01-31T12",
        "2026-01-31T25:00",
        "2026-01-31T12:30:05 CET",
        "2026-01-31T12:30:05+1",
        "2026-01-31T12:30:05+25:00",
        "1769860800",
        "\N{ARABIC-INDIC DIGIT TWO}026-01-31",
    ],
)
def test_what_is_no_date_or_could_be_two_is_refused_as_it_was_sent(spelled: str) -> None:
    with pytest.raises(Invalid) as caught:
        due(spelled)
    assert (caught.value.type, caught.value.element) == (ProblemType.INVALID_DATE, "CheckOutItem/DesiredDateDue")


def test_a_date_that_is_right_is_not_touched_beside_one_that_is_not() -> None:
    raw = GOOD.replace("<n:Title>", "<n:DateDue>2026-01-31</n:DateDue><n:Title>").encode()
    assert [applied.path for applied in read(parse(raw)).repairs] == ["/NCIPMessage/CheckOutItem/Ext/DateDue"]


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parent", "name", "meant"),
    [
        ("CheckOutItem", "DesiredDueDate", "DesiredDateDue"),
        ("CheckOutItem", "DesiredDateDues", "DesiredDateDue"),
        ("CheckOutItem", "itemid", "ItemId"),
        ("CheckOutItem", "ITEM_ID", "ItemId"),
        ("CheckOutItem", "UniqueItemId", "ItemId"),
        ("LookupItem", "ItemElementTypes", "ItemElementType"),
        ("UserId", "UserIdentiferValue", "UserIdentifierValue"),
        ("UserId", "UserIdentifeirValue", "UserIdentifierValue"),
        ("UserId", "UserIdentifierVallue", "UserIdentifierValue"),
        ("UserId", "UserIdentifyerValue", "UserIdentifierValue"),
        ("UserId", "UserNumber", ""),
        ("UserId", "Value", ""),
        ("UserId", "I", ""),
        ("UserId", "x" * 100_000, ""),
        ("StructuredAddress", "Line3", ""),
        ("NoSuchElement", "ItemId", ""),
        ("Ext", "Itemid", ""),
    ],
)
def test_a_wrong_name_is_taken_for_the_only_one_it_can_be(parent: str, name: str, meant: str) -> None:
    assert meant_by(parent, name) == meant


def test_a_near_miss_between_two_is_no_guess() -> None:
    """DateOfUserRequest and DateDue are no neighbours; Line1 and Line2 are."""
    for parent in ("StructuredAddress", "UserOptionalFields", "ItemOptionalFields", "CheckOutItem"):
        assert meant_by(parent, "Line") == ""


def test_a_misspelt_element_does_not_become_a_second_one() -> None:
    item = "<n:ItemId><n:ItemIdentifierValue>I-{}</n:ItemIdentifierValue></n:ItemId>"
    raw = message(f"<n:LookupItem>{item.format(1)}{item.format(2).replace('ItemId>', 'UniqueItemId>')}</n:LookupItem>")
    asked = needs(raw, "unknown-element", "foreign-ext").envelope.message
    assert isinstance(asked, LookupItem)
    assert asked.item_id == ItemId(item_identifier_value="I-1")


def test_a_message_itself_is_never_guessed() -> None:
    for name in ("LookupUsers", "lookupuser", "CheckoutItem", "LokupUser"):
        with pytest.raises(Invalid) as caught:
            read(parse(message(f"<n:{name}/>")))
        assert caught.value.type is ProblemType.UNSUPPORTED_SERVICE


def test_an_empty_scheme_without_prefix_is_dropped() -> None:
    raw = GOOD.replace(f'n:Scheme="{SCHEME}"', 'Scheme=""').encode()
    asked = needs(raw, "unqualified-scheme").envelope.message
    assert isinstance(asked, CheckOutItem)
    assert asked.user_id is not None
    assert asked.user_id.agency_id == Coded("A-1")


@pytest.mark.parametrize("version", ["5.6", "", "yes", "1.0", "3.0", "http://www.niso.org/ncip/v1_0/x.dtd"])
def test_a_version_that_is_none_is_told_of_but_the_namespace_decides(version: str) -> None:
    raw = GOOD.replace(VERSION, version).encode()
    reading = read(parse(raw), allowed=TOLERATED)
    assert [applied.name for applied in reading.repairs] == ["nonsense-version"]
    assert reading.envelope == read(parse(GOOD.encode())).envelope
    with pytest.raises(Invalid):
        read(parse(raw), allowed=set(REPAIRS) - {"nonsense-version"})


# --- what has no place -----------------------------------------------------------------------------------------------


def test_what_has_no_place_is_kept_in_the_ext() -> None:
    raw = GOOD.replace("<n:ResourceDesired/>", "<n:ResourceDesired/><n:PickupLocation>Main</n:PickupLocation>").encode()
    asked = needs(raw, "misplaced-element").envelope.message
    assert isinstance(asked, CheckOutItem)
    assert asked.ext is not None
    assert str(asked.ext.find("PickupLocation")) == "Leaf('PickupLocation', Coded('Main'))"


@pytest.mark.parametrize(
    "unknown", ["<n:Hurry>yes</n:Hurry>", '<x:hurry xmlns:x="urn:x"><x:up/></x:hurry>', "<hurry/>"]
)
def test_what_is_unknown_is_kept_in_the_ext_and_not_looked_at(unknown: str) -> None:
    raw = GOOD.replace("<n:ResourceDesired/>", f"<n:ResourceDesired/>{unknown}").encode()
    allowed = None if "<n:" in unknown or "x:" in unknown else {"unknown-element", "foreign-ext"}
    asked = read(parse(raw), allowed=allowed).envelope.message
    assert isinstance(asked, CheckOutItem)
    assert asked.ext is not None
    assert isinstance(asked.ext.children[-1], Opaque)


def test_where_something_is_missing_the_refusal_names_what_stands_in_its_place() -> None:
    raw = GOOD.replace("UserIdentifierValue>", "UserNumber>").encode()
    with pytest.raises(Invalid) as caught:
        read(parse(raw))
    assert (caught.value.type, caught.value.element) == (ProblemType.UNKNOWN_ELEMENT, "CheckOutItem/UserId/UserNumber")
    assert "UserIdentifierValue" in caught.value.detail


def test_what_is_unknown_does_not_hide_what_is_missing_elsewhere() -> None:
    raw = GOOD.replace("<n:ResourceDesired/>", "<n:Hurry/>").replace("ItemIdentifierValue>", "Ext>").encode()
    with pytest.raises(Invalid) as caught:
        read(parse(raw))
    assert caught.value.type is ProblemType.NEEDED_DATA_MISSING
    assert caught.value.element == "CheckOutItem/ItemId/ItemIdentifierValue"


@pytest.mark.parametrize(
    ("empty", "gone"),
    [
        ("<n:DesiredDateDue/>", True),
        ("<n:PaidFeeAmount/>", True),
        ("<n:PaidFeeAmount><n:CurrencyCode/><n:MonetaryValue/></n:PaidFeeAmount>", True),
        ("<n:RequestId/>", True),
        ("<n:RequestId><n:AgencyId> </n:AgencyId></n:RequestId>", True),
        ("<n:RequestId><n:AgencyId>A</n:AgencyId></n:RequestId>", False),
        ("<n:ItemElementType/>", None),
    ],
)
def test_what_is_empty_and_must_not_be_is_dropped_and_nothing_else(empty: str, gone: bool | None) -> None:
    raw = re.sub(r"<n:DesiredDateDue>.*?</n:DesiredDateDue>|<n:ResourceDesired/>", "", GOOD)
    raw = raw.replace("</n:ItemId>", f"</n:ItemId>{empty}")
    if gone is None:
        assert read(parse(raw.encode())).repairs == ()
    elif gone:
        asked = read(parse(raw.encode()))
        assert {applied.name for applied in asked.repairs} == {"empty-value"}
    else:
        with pytest.raises(Invalid, match="RequestIdentifierValue"):
            read(parse(raw.encode()))


NO_FEE = "<n:Amount><n:MonetaryValue>0</n:MonetaryValue></n:Amount>"
NO_VALUE = "<n:Amount><n:CurrencyCode>EUR</n:CurrencyCode><n:MonetaryValue/></n:Amount>"


def billed(amount: str) -> str:
    """What is said of a fee, with this amount."""
    types = "<n:FiscalActionType>Assess</n:FiscalActionType><n:FiscalTransactionType>Fee</n:FiscalTransactionType>"
    return f"<n:FiscalTransactionInformation>{types}{amount}</n:FiscalTransactionInformation>"


def accepting(fee: str) -> bytes:
    """An AcceptItem with a fee."""
    return message(
        "<n:AcceptItem><n:RequestId><n:RequestIdentifierValue>R-1</n:RequestIdentifierValue></n:RequestId>"
        "<n:RequestedActionType>Hold For Pickup</n:RequestedActionType>"
        "<n:ItemId><n:ItemIdentifierValue>I-1</n:ItemIdentifierValue></n:ItemId>"
        f"<n:DateForReturn>2026-01-31T12:00:00Z</n:DateForReturn>{fee}</n:AcceptItem>"
    )


@pytest.mark.parametrize(
    ("amount", "repair_made"),
    [
        (NO_FEE, "missing-currency"),
        (NO_FEE.replace(">0<", "> 000 <"), "missing-currency"),
        (NO_VALUE, "empty-value"),
        ("<n:Amount><n:MonetaryValue/></n:Amount>", "empty-value"),
    ],
)
def test_an_item_is_accepted_whatever_is_said_of_a_fee_of_nothing(amount: str, repair_made: str) -> None:
    assert needs(accepting(billed(amount)), repair_made).envelope == read(parse(accepting(""))).envelope


def test_of_a_loan_only_the_amount_is_left_out() -> None:
    user = "<n:UserId><n:UserIdentifierValue>U-1</n:UserIdentifierValue></n:UserId>"
    item = "<n:ItemId><n:ItemIdentifierValue>I-1</n:ItemIdentifierValue></n:ItemId>"
    due = "<n:DateDue>2026-01-31T12:00:00Z</n:DateDue>"
    with_amount, without = (
        message(f"<n:LookupUserResponse>{user}<n:LoanedItem>{item}{due}{one}</n:LoanedItem></n:LookupUserResponse>")
        for one in (NO_FEE, "")
    )
    assert needs(with_amount, "missing-currency").envelope == read(parse(without)).envelope


@pytest.mark.parametrize("value", ["1", "100", "-5", "0.5", "free"])
def test_an_amount_of_no_currency_that_is_not_nothing_is_refused(value: str) -> None:
    """What is owed is not guessed."""
    with pytest.raises(Invalid) as caught:
        read(parse(accepting(billed(NO_FEE.replace(">0<", f">{value}<")))))
    assert caught.value.element == "AcceptItem/FiscalTransactionInformation/Amount/CurrencyCode"


@pytest.mark.parametrize("amount", [NO_FEE, NO_VALUE])
def test_an_amount_that_the_message_is_about_is_not_left_out(amount: str) -> None:
    user = "<n:UserId><n:UserIdentifierValue>U-1</n:UserIdentifierValue></n:UserId>"
    with pytest.raises(Invalid) as caught:
        read(parse(message(f"<n:CreateUserFiscalTransaction>{user}{billed(amount)}</n:CreateUserFiscalTransaction>")))
    assert "FiscalTransactionInformation/Amount" in str(caught.value.element)


def test_what_is_empty_but_needed_is_missing() -> None:
    raw = re.sub(r"<n:ItemId>.*?</n:ItemId>", "<n:ItemId/>", GOOD)
    with pytest.raises(Invalid) as caught:
        read(parse(raw.encode()))
    assert caught.value.type is ProblemType.NEEDED_DATA_MISSING


@pytest.mark.parametrize("word", ["no", "False", "0", "N"])
def test_a_flag_that_says_no_is_not_there(word: str) -> None:
    raw = GOOD.replace("<n:ResourceDesired/>", f"<n:ResourceDesired>{word}</n:ResourceDesired>").encode()
    asked = needs(raw, "flag-value").envelope.message
    assert isinstance(asked, CheckOutItem)
    assert asked.resource_desired is False


def test_a_flag_that_says_something_else_is_refused() -> None:
    raw = GOOD.replace("<n:ResourceDesired/>", "<n:ResourceDesired>perhaps</n:ResourceDesired>").encode()
    with pytest.raises(Invalid, match="ResourceDesired cannot have content"):
        read(parse(raw))


def test_a_record_number_alone_is_one_of_the_agency_that_is_asked() -> None:
    header = (
        "<n:InitiationHeader><n:FromAgencyId><n:AgencyId>THEM</n:AgencyId></n:FromAgencyId>"
        "<n:ToAgencyId><n:AgencyId>US</n:AgencyId></n:ToAgencyId></n:InitiationHeader>"
    )
    user = "<n:UserId><n:UserIdentifierValue>U-1</n:UserIdentifierValue></n:UserId>"
    raw = message(
        f"<n:RequestItem>{header}{user}<n:BibliographicId><n:BibliographicRecordId><n:BibliographicRecordIdentifier>R-1"
        "</n:BibliographicRecordIdentifier></n:BibliographicRecordId></n:BibliographicId>"
        "<n:RequestType>Hold</n:RequestType><n:RequestScopeType>Title</n:RequestScopeType></n:RequestItem>"
    )
    asked = needs(raw, "bare-record").envelope.message
    assert isinstance(asked, RequestItem)
    record = asked.bibliographic_id[0].bibliographic_record_id
    assert record is not None
    assert (record.bibliographic_record_identifier, record.agency_id) == ("R-1", Coded("US"))
    without = needs(raw.replace(header.encode(), b""), "bare-record").envelope.message
    assert isinstance(without, RequestItem)


def test_a_response_with_half_a_header_is_read_without_it_and_a_request_is_refused() -> None:
    user = "<n:UserId><n:UserIdentifierValue>U-1</n:UserIdentifierValue></n:UserId>"
    half = "<n:FromAgencyId><n:AgencyId>A</n:AgencyId></n:FromAgencyId>"
    answer = f"<n:LookupUserResponse><n:ResponseHeader>{half}</n:ResponseHeader>{user}</n:LookupUserResponse>"
    response = needs(message(answer), "half-header").envelope.message
    assert isinstance(response, LookupUserResponse)
    assert response.response_header is None
    with pytest.raises(Invalid, match="ToAgencyId"):
        read(parse(message(f"<n:LookupUser><n:InitiationHeader>{half}</n:InitiationHeader>{user}</n:LookupUser>")))


# --- what stood in an extension before -------------------------------------------------------------------------------


def test_a_message_in_the_ext_of_the_envelope_is_taken_out() -> None:
    """NCIP 2.0 has no LookupItemSet, and sends it in an Ext."""
    inner = "<n:LookupItem><n:ItemId><n:ItemIdentifierValue>I-1</n:ItemIdentifierValue></n:ItemId></n:LookupItem>"
    document = parse(message(f"<n:Ext>{inner}</n:Ext>"))
    assert (document.kind, document.service, document.in_ext) == ("message", "LookupItem", True)
    reading = read(document, allowed=TOLERATED)
    assert [applied.name for applied in reading.repairs] == ["message-in-ext"]
    assert reading.envelope == read(parse(message(inner))).envelope
    for other in (f"<n:Ext>{inner}{inner}</n:Ext>", f"<n:Ext>stray{inner}</n:Ext>", "<n:Ext><n:Title/></n:Ext>"):
        assert parse(message(other)).kind == "ext"


def test_what_the_ils_di_extension_had_first_is_read() -> None:
    inner = (
        '<x:LookupItemSet xmlns:x="http://www.extensiblecatalog.org/2011/ilsdi"><n:BibliographicId>'
        "<n:BibliographicRecordId><n:BibliographicRecordIdentifier>R-1</n:BibliographicRecordIdentifier>"
        "<n:AgencyId>A</n:AgencyId></n:BibliographicRecordId></n:BibliographicId>"
        "<x:MaximumItemsCount>5</x:MaximumItemsCount></x:LookupItemSet>"
    )
    reading = read(parse(message(f"<n:Ext>{inner}</n:Ext>")))
    assert {applied.name for applied in reading.repairs} == {"message-in-ext", "ils-di"}
    asked = reading.envelope.message
    assert isinstance(asked, LookupItemSet)
    assert (len(asked.bibliographic_id), asked.maximum_items_count) == (1, 5)
    assert parse(message(f"<n:Ext>{inner.replace('/ilsdi', '/other')}</n:Ext>")).kind == "ext"
