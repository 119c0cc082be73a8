"""Messages of version 1 are carried out as those of version 2, and answered in version 1."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from lxml import etree

from ncipd.circulation.partner import Partner
from ncipd.ncip.envelope import VERSION, Envelope, write
from ncipd.ncip.messages import MESSAGES
from ncipd.ncip.read import read
from ncipd.ncip.receive import receive
from ncipd.ncip.types import Initiation
from ncipd.ncip.v1.table import DTD
from tests.ncip.v1.made import V1_MESSAGES, every_document
from tests.services.version_1 import (
    DOCTYPE,
    DTD_1_01,
    REQUEST,
    SHIPPED_TO,
    WHEN,
    agency,
    ask,
    item,
    pair,
    request,
    user,
    v1,
)
from tests.services.world import PARTNERS, World, fill, make_world, message
from tests.services.world import item_id as item_id_2

# --- the envelope ----------------------------------------------------------------------------------------------------


async def test_the_answer_has_the_version_and_the_doctype_of_the_message_and_both_ends_swapped(world: World) -> None:
    asked = v1("LookupItem", f"{item('L1')}{pair('ItemElementType', 'Circulation Status')}", to="xx-lend")
    answer = await ask(world, asked)
    assert answer.raw.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n' + DOCTYPE.encode())
    assert (answer.kind, answer.root.get("version")) == ("LookupItemResponse", DTD)
    assert answer.text("ResponseHeader/FromAgencyId/UniqueAgencyId/Value") == "xx-lend"
    assert answer.text("ResponseHeader/ToAgencyId/UniqueAgencyId/Value") == "THEM"
    assert answer.text("ResponseHeader/ToAgencyId/UniqueAgencyId/Scheme") == "urn:example"
    assert answer.text("UniqueItemId/ItemIdentifierValue") == "L1"
    assert answer.text("UniqueItemId/UniqueAgencyId/Value") == "LEND"  # as it was sent
    assert answer.text("ItemOptionalFields/CirculationStatus/Value") == "Available On Shelf"


async def test_an_item_that_the_message_does_not_name_is_said_to_be_ours_as_we_were_called(world: World) -> None:
    """Version 1 wants to know of every id whose it is."""
    await ask(world, v1("RequestItem", f"{user('-')}{item('L1')}{request('R-1')}{REQUEST}"))
    answer = await ask(world, v1("LookupItem", request("R-1") + pair("ItemElementType", "Location"), to="xx-lend"))
    assert answer.text("UniqueItemId/UniqueAgencyId/Value") == "xx-lend"
    assert answer.text("UniqueRequestId/UniqueAgencyId/Value") == "THEM"


async def test_without_a_doctype_there_is_none_in_the_answer(world: World) -> None:
    asked = v1("LookupItem", f"{item('L1')}{pair('ItemElementType', 'Location')}", doctype="")
    assert b"DOCTYPE" not in (await ask(world, asked)).raw


async def test_1_01_is_taken_as_1_0_and_answered_as_1_01(world: World) -> None:
    doctype = f'<!DOCTYPE NCIPMessage PUBLIC "-//NISO//NCIP DTD Version 1.01//EN" "{DTD_1_01}">'
    asked = v1("LookupUser", f"{user('LEND-USER-1')}{pair('UserElementType', 'Name Information')}", version=DTD_1_01)
    answer = await ask(world, asked.replace(DOCTYPE, doctype))
    assert answer.root.get("version") == DTD_1_01
    assert doctype.encode() in answer.raw
    assert answer.text("NameInformation//Surname") == "Reader"


async def test_lookup_request_which_1_01_added_is_answered(world: World) -> None:
    await ask(world, v1("RequestItem", f"{user('U')}{item('L1')}{request('R1')}{REQUEST}"))
    answer = await ask(world, v1("LookupRequest", request("R1"), version=DTD_1_01))
    assert (answer.kind, answer.error) == ("LookupRequestResponse", None)
    assert answer.text("UniqueRequestId/RequestIdentifierValue") == "R1"


async def test_datatypes_are_written_where_the_message_has_them_or_as_agreed(tmp_path: Path) -> None:
    plain = v1("LookupItem", f"{item('L1')}{pair('ItemElementType', 'Hold Queue Length')}")
    marked = plain.replace("<Value>", '<Value datatype="string">')
    for setting, written in (("as-asked", (False, True)), ("always", (True, True)), ("never", (False, False))):
        partner = Partner(code="BROKER", agency="LEND", v1_datatypes=setting)  # type: ignore[arg-type]
        made = make_world(tmp_path / setting, (partner,))
        await fill(made)
        for asked, is_marked in zip((plain, marked), written, strict=True):
            answer = await ask(made, asked)
            length = answer.root.find(".//HoldQueueLength")
            assert length is not None
            assert length.get("datatype") == ("nonNegativeInteger" if is_marked else None)
            assert len(set(answer.root.xpath("//Value/@datatype"))) == is_marked
        await made.store.close()


# --- saying no -------------------------------------------------------------------------------------------------------


async def test_what_cannot_be_done_is_a_processing_error_that_leads_to_the_element(world: World) -> None:
    answer = await ask(world, v1("LookupItem", f"{item('L999')}{pair('ItemElementType', 'Location')}"))
    assert answer.error == ("ProcessingError", "Unknown Item")
    assert answer.kind == "LookupItemResponse"
    step = answer.root.find(".//ProcessingError/ProcessingErrorElement")
    assert step is not None
    assert step.findtext("ElementName") == "UniqueItemId"
    assert step.findtext("ProcessingErrorElement/ElementName") == "ItemIdentifierValue"
    assert step.findtext("ProcessingErrorElement/ProcessingErrorValue") == "L999"


async def test_several_problems_stand_in_one(world: World) -> None:
    broken = v1("CheckOutItem", f"{request('R1')}<DesiredDateDue>some day</DesiredDateDue>")
    answer = await ask(world, broken)
    assert len(answer.root.findall("CheckOutItemResponse/Problem")) == 1
    assert answer.error is not None


async def test_what_cannot_be_done_with_news_is_a_messaging_error_without_a_wrapper(world: World) -> None:
    answer = await ask(world, v1("ItemReceived", f"{item('L1')}<DateReceived>yesterday</DateReceived>"))
    assert answer.kind == "ItemReceivedResponse"
    assert answer.error == ("MessagingError", "Invalid Date")
    assert answer.root.find("ItemReceivedResponse/Problem") is None
    assert answer.text("MessagingErrorElement/ElementName") == "DateReceived"
    assert answer.text("MessagingErrorElement/MessagingErrorValue") == "yesterday"


@pytest.mark.parametrize(
    ("raw", "kind", "error"),
    [
        (f'<NCIPMessage version="{DTD}"/>', "ItemRequestedResponse", "Unsupported Service"),
        (v1("DoWhatIWant", ""), "ItemRequestedResponse", "Unsupported Service"),
        (v1("DeleteItem", item("L1")), "ItemRequestedResponse", "Unsupported Service"),
        (v1("LookupUserResponse", user("LEND-USER-1")), "LookupUserResponse", "Protocol Error"),
        (v1("LookupItem", item("L1"))[:-20], "LookupItemResponse", "Invalid Message Syntax Error"),
        (v1("ItemShipped", item("L1") + "&nbsp;"), "ItemShippedResponse", "Invalid Message Syntax Error"),
        (v1("LookupItem", item("L1"), to="NOBODY"), "LookupItemResponse", "Unknown Agency"),
        (v1("LookupItem", item("L1"), partner="NOBODY"), "LookupItemResponse", "Unknown System"),
        (f"{DOCTYPE}<NCIPMessage><LookupUser>{user('U')}</LookupUser></NCIPMessage>", "LookupUserResponse", ""),
    ],
)
async def test_nothing_is_left_without_an_answer_that_is_valid_in_version_1(
    world: World, raw: str, kind: str, error: str
) -> None:
    answer = await ask(world, raw)
    assert answer.kind == kind
    assert answer.error is not None
    assert not error or answer.error[1] == error


async def test_version_2_only_services_have_no_effect_in_version_1(world: World) -> None:
    await ask(world, v1("DeleteItem", item("L1")))
    assert world.item_status("L1") == "available"


async def test_an_answer_that_breaks_the_grammar_of_version_1_is_not_sent(world: World, monkeypatch: Any) -> None:
    """It is checked before it leaves, and what it confirmed is rolled back."""
    monkeypatch.setattr(
        "ncipd.ncip.v1.wire.grammar.is_valid_answer", lambda root: root.find(".//ProcessingError") is not None
    )
    answer = await ask(world, v1("CheckOutItem", f"{user('U')}{item('L1')}{request('R1')}"))
    assert answer.error == ("ProcessingError", "Temporary Processing Failure")
    assert world.item_status("L1") == "available"


async def test_where_no_refusal_is_valid_the_answer_is_still_one_of_version_1(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr("ncipd.ncip.v1.wire.grammar.is_valid_answer", lambda _: False)
    answer = await ask(world, v1("CheckOutItem", f"{user('U')}{item('L1')}{request('R1')}"))
    assert (answer.kind, answer.error) == ("CheckOutItemResponse", ("MessagingError", "Temporary Processing Failure"))
    assert world.item_status("L1") == "available"


# --- the services ----------------------------------------------------------------------------------------------------


async def test_an_item_is_lent_and_comes_back(world: World) -> None:
    lent = await ask(world, v1("CheckOutItem", f"{user('U')}{item('L1')}{request('R1')}"))
    assert (lent.kind, lent.error) == ("CheckOutItemResponse", None)
    assert lent.text("DateDue")
    assert world.item_status("L1") != "available"
    assert world.status("R1") == "shipped-physically"
    back = await ask(world, v1("CheckInItem", item("L1")))
    assert (back.kind, back.error) == ("CheckInItemResponse", None)
    assert world.status("R1") == "request-completed"


async def test_a_user_is_found_by_the_number_that_people_see(world: World) -> None:
    seen = (
        f"<VisibleUserId>{pair('VisibleUserIdentifierType', 'Barcode Id')}"
        "<VisibleUserIdentifier>card-LEND-USER-1</VisibleUserIdentifier></VisibleUserId>"
    )
    answer = await ask(world, v1("LookupUser", f"{seen}{pair('UserElementType', 'Visible User Id')}"))
    assert answer.error is None
    found = [node.findtext("VisibleUserIdentifier") for node in answer.root.iter("VisibleUserId")]
    assert "card-LEND-USER-1" in found


async def test_what_a_user_has_on_loan_and_asked_for_stands_in_user_transaction(tmp_path: Path) -> None:
    """A loan tells a reminder and an amount, because version 1 wants both."""
    partner = Partner(code="BROKER", agency="BORROW", default_library="MAIN", user_accounts=False)
    made = make_world(tmp_path / "data", (partner,))
    await fill(made)
    ours = user("BORROW-USER-1", "BORROW")
    accepted = f"{request('R1')}{pair('RequestedActionType', 'Circulate')}{ours}{item('X1')}"
    assert (await ask(made, v1("AcceptItem", accepted, to="BORROW"))).error is None
    asked = f"{ours}{pair('UserElementType', 'Name Information')}<LoanedItemsDesired/><RequestedItemsDesired/>"
    answer = await ask(made, v1("LookupUser", asked, to="BORROW"))
    (transaction,) = answer.root.findall("LookupUserResponse/UserTransaction")
    assert [node.tag for node in transaction] == ["RequestedItem", "LoanedItem"]
    assert transaction.findtext("LoanedItem/ReminderLevel") == "1"
    assert transaction.findtext("LoanedItem/Amount/MonetaryValue") == "0"
    await made.store.close()


def typed(kind: str, data: str) -> str:
    return (
        f"<AuthenticationInput><AuthenticationInputData>{data}</AuthenticationInputData>"
        f"{pair('AuthenticationDataFormatType', 'text/plain')}{pair('AuthenticationInputType', kind)}"
        "</AuthenticationInput>"
    )


async def test_a_user_who_proves_who_they_are_is_authenticated_and_nothing_else_is_told(tmp_path: Path) -> None:
    partners = (Partner(code="BROKER", agency="LEND", trust_identifier_alone=True),)
    made = make_world(tmp_path / "data", partners)
    await fill(made)
    answer = await ask(made, v1("AuthenticateUser", typed("Barcode Id", "card-LEND-USER-1")))
    assert (answer.kind, answer.error) == ("AuthenticateUserResponse", None)
    assert answer.text("UniqueUserId/UserIdentifierValue") == "LEND-USER-1"
    assert len(answer.root[0]) == 2
    await made.store.close()


async def test_a_user_who_proves_nothing_is_not_authenticated(world: World) -> None:
    answer = await ask(world, v1("AuthenticateUser", typed("Barcode Id", "card-LEND-USER-1") + typed("PIN", "0000")))
    assert (answer.kind, answer.error) == (
        "AuthenticateUserResponse",
        ("ProcessingError", "User Authentication Failed"),
    )


# --- INN-Reach: news that are commands, and a sender that hangs until it is answered ---------------------------------

NEWS = {
    "ItemRequested": f"{user('U')}{item('L1')}{REQUEST}<DateOfUserRequest>{WHEN}</DateOfUserRequest>",
    "ItemShipped": f"{request('R1')}{item('L1')}<DateShipped>{WHEN}</DateShipped>{SHIPPED_TO}",
    "ItemReceived": f"{item('L1')}{user('U')}{request('R1')}<DateReceived>{WHEN}</DateReceived>",
    "ItemCheckedOut": f"{user('U')}{item('L1')}<DateDue>2026-02-05T10:00:00Z</DateDue>",
    "ItemCheckedIn": f"{user('U')}{item('L1')}",
    "ItemRenewed": f"{user('U')}{item('L1')}<DateDue>2026-02-05T10:00:00Z</DateDue>",
    "ItemRequestCancelled": f"{user('U')}{item('L1')}{pair('RequestType', 'Hold')}",
    "ItemRequestUpdated": f"{request('R1')}",
    "ItemRecalled": f"{user('U')}{item('L1')}<DateDue>2026-02-05T10:00:00Z</DateDue>",
    "ItemRecallCancelled": f"{user('U')}{item('L1')}",
    "CirculationStatusUpdated": f"{item('L1')}{pair('CirculationStatus', 'Item Overdue')}",
    "CirculationStatusChangeReported": f"{item('L1')}{user('U')}<ItemReportedLost/>",
    "ItemUpdated": item("L1"),
    "UserUpdated": user("LEND-USER-1", "LEND"),
    "AgencyUpdated": agency("THEM"),
}


@pytest.mark.parametrize("known", [False, True], ids=["of nothing known", "of a request"])
@pytest.mark.parametrize("name", sorted(NEWS))
async def test_news_are_answered_with_their_own_response_whatever_becomes_of_them(
    world: World, name: str, known: bool
) -> None:
    if known:
        await ask(world, v1("RequestItem", f"{user('U')}{item('L1')}{request('R1')}{REQUEST}"))
    answer = await ask(world, v1(name, NEWS[name]))
    assert answer.kind == f"{name}Response"
    assert answer.text("ResponseHeader/ToAgencyId/UniqueAgencyId/Value") == "THEM"


def test_the_news_tried_are_those_that_systems_send_as_commands() -> None:
    assert all(issubclass(MESSAGES[name], Initiation) for name in NEWS)


# --- resends, the journal, repairs -----------------------------------------------------------------------------------


async def test_a_message_sent_again_gets_the_same_bytes_and_has_one_effect(world: World) -> None:
    asked = v1("RequestItem", f"{user('U')}{item('L1')}{request('R1')}{REQUEST}")
    first, second = await ask(world, asked), await ask(world, asked)
    assert first.error is None
    assert first.raw == second.raw
    assert world.count("request") == 1


async def test_what_was_answered_in_version_2_is_no_answer_in_version_1(world: World) -> None:
    """The same message in both versions has one effect, and each sender is answered in its own."""
    same = v1("RequestItem", f"{user('U')}{item('L1')}{request('R1')}{REQUEST}")
    decoded = read(receive(same.encode())).envelope.message
    assert decoded is not None
    answered = await world.post(write(Envelope(VERSION, decoded)))
    assert (answered.kind, answered.problem) == ("RequestItemResponse", None)
    answer = await ask(world, same)
    assert answer.kind == "RequestItemResponse"
    assert world.count("request") == 1


async def test_repairs_of_version_1_are_recorded_and_counted_and_can_be_refused(world: World, tmp_path: Path) -> None:
    bare = v1("LookupItem", item("L1")).replace("<Scheme>urn:example</Scheme>", "")
    answer = await ask(world, bare)
    assert answer.error is None
    await world.store.transact(lambda _: None)  # the line of a lookup joins the next batch
    ((*_, repairs, _note),) = world.store.read(lambda tx: tx.all("journal_of_agency", agency=1, before=2**62, most=1))
    assert json.loads(repairs) == ["v1-element-type", "v1-scheme"]
    assert b'repair="v1-scheme"' in world.metrics.render()
    strict = Partner(code="BROKER", agency="LEND", refuse_repairs=("v1-scheme",))
    made = make_world(tmp_path / "strict", (strict, *PARTNERS[1:]))
    await fill(made)
    refused = await ask(made, bare)
    assert refused.error is not None
    await made.store.close()


# --- the corpus ------------------------------------------------------------------------------------------------------


async def test_every_request_of_the_corpus_is_answered_with_its_response_in_version_1(
    shared: Path, tmp_path: Path
) -> None:
    """Sent to an agency that takes everything: never silence, never another version, always valid."""
    made = make_world(tmp_path / "data", (Partner(code="ANY", agency="LEND", fallback=True),))
    await fill(made)
    index = json.loads((shared / "corpus" / "index.json").read_text("utf-8"))
    asked = 0
    for entry in index:
        if entry["family"] != "1" or entry["direction"] not in {"request", "notification"} or not entry["well_formed"]:
            continue
        raw = (shared / "corpus" / entry["file"]).read_bytes()
        for is_ours in (False, True):
            if is_ours:
                raw = re.sub(rb"(<ToAgencyId>.*?<Value[^>]*>)[^<]*", rb"\1LEND", raw, count=1, flags=re.DOTALL)
                raw = re.sub(rb"<ApplicationProfileType>.*?</ApplicationProfileType>", b"", raw, flags=re.DOTALL)
            answer = await ask(made, raw)
            assert answer.kind == f"{entry['type']}Response", entry["file"]
            assert answer.root.get("version") == entry["version_attr"]
            assert not is_ours or answer.error is None or answer.error[1] != "Temporary Processing Failure"
        asked += 1
    assert asked > 40
    await made.store.close()


# --- whatever comes --------------------------------------------------------------------------------------------------

MUTANTS = 600
SEED = 20_020_816


def spoiled(raw: bytes, chance: Random) -> bytes:
    """Change one thing or two in a document: take out, double, swap, rename, reword, mark."""
    root = etree.fromstring(raw)
    for _ in range(chance.choice((1, 1, 2))):
        nodes = [node for node in root.iter() if node.getparent() is not None and node.getparent() is not root]
        if not nodes:
            break
        node = chance.choice(nodes)
        match chance.randrange(6):
            case 0:
                node.getparent().remove(node)
            case 1:
                node.addnext(etree.fromstring(etree.tostring(node)))
            case 2:
                node.getparent().insert(0, node)
            case 3:
                node.tag = chance.choice(("UserId", "Ext", "Nonsense", "Value", "UniqueItemId", "DateDue"))
            case 4:
                node.text = chance.choice(("", "x", "-1", "2026-02-30T00:00:00Z", "2026-01-31T10:00", "&", "Å"))
            case _:
                node.set(chance.choice(("datatype", "Scheme", "other")), "dateTime")
    return etree.tostring(root)


async def test_whatever_comes_is_answered_by_the_response_of_what_was_asked_and_valid(tmp_path: Path) -> None:
    """Documents of every form of every initiation, and what becomes of them when something is changed."""
    made = make_world(tmp_path / "data", (Partner(code="ANY", agency="LEND", fallback=True),))
    await fill(made)
    chance = Random(SEED)
    originals = [
        raw.replace(b"some Value", b"LEND")
        for name in V1_MESSAGES
        if not name.endswith("Response")
        for raw in every_document(name)
    ]
    for raw in [*originals, *(spoiled(chance.choice(originals), chance) for _ in range(MUTANTS))]:
        asked = etree.fromstring(raw)[0].tag
        answer = await ask(made, raw)
        assert answer.kind == f"{asked}Response", raw
        assert answer.error is None or answer.error[1] != "Temporary Processing Failure", raw
    await made.store.close()


def test_messages_of_version_2_are_untouched() -> None:
    """What is in the namespace of version 2 is never taken for version 1."""
    document = receive(message(f"<LookupItem>{item_id_2('L1')}</LookupItem>").encode())
    assert document.wire.grammar == ""
    assert document.breaches == []
