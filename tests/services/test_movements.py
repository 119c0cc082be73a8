"""ItemShipped and ItemReceived: both go both ways, and are told apart by who we are, a marker, or as it stands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ncipd.circulation.lifecycle import Event
from ncipd.circulation.model import Role
from tests.services import loans as say
from tests.services.loans import ADDRESS, READER, U1, due, loans, refused, task_notes, well
from tests.services.test_lending import request_item
from tests.services.world import World, fill, item_id, make_world, request_id, user_id

D1, D2, D3, D4 = (f"2026-01-05T0{hour}:00:00Z" for hour in (5, 6, 7, 8))
BORROWING = {"partner": "PEER", "to": "BORROW"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path / "data", say.PARTNERS)
    await fill(made)
    yield made
    await made.store.close()


def marker(who: str) -> str:
    return f"<Ext><NoticeContent>{who}</NoticeContent></Ext>" if who else ""


def shipped(request: str = "R-1", item: str = "", *, at: str = D1, by: str = "", more: str = "") -> str:
    named = (request_id(request) if request else "") + (item_id(item) if item else "")
    who = marker(f"ShippedBy.{by}" if by else "")
    return f"<ItemShipped>{named}<DateShipped>{at}</DateShipped>{ADDRESS.format('')}{more}{who}</ItemShipped>"


def received(item: str, request: str = "R-1", *, at: str = D2, by: str = "", more: str = "") -> str:
    named = request_id(request) if request else ""
    who = marker(f"ReceivedBy.{by}" if by else "")
    return f"<ItemReceived>{item_id(item)}{named}<DateReceived>{at}</DateReceived>{more}{who}</ItemReceived>"


def wish(request: str = "R-1", item: str = "X-1", user: str = READER, kind: str = "Loan") -> str:
    return (
        f"<RequestItem>{user_id(user)}{item_id(item)}{request_id(request)}<RequestType>{kind}</RequestType>"
        "<RequestScopeType>Item</RequestScopeType></RequestItem>"
    )


async def tell(world: World, content: str, partner: str = "PEER", to: str = "LEND", times: int = 2) -> None:
    """Tell a thing, and tell it again when the resend window is over."""
    for _ in range(times):
        answer = await well(world, content, partner, to)
        assert not answer.has("ItemId"), "an answer to news is empty"
        world.clock.pass_days(1)


async def lent(world: World, partner: str = "PEER") -> None:
    await world.send(request_item("L1", "R-1"), partner=partner)
    await world.desk("ship", barcode="L1")


async def wanted(world: World, partner: str = "PEER") -> None:
    await well(world, wish(), partner=partner, to="BORROW")


async def at_home(world: World, partner: str = "PEER") -> None:
    """An item of theirs has come, was lent, and is back at our desk."""
    await wanted(world, partner)
    await well(world, shipped(item="X-1", by="Lender"), partner, "BORROW")
    await world.desk("receive", agency="BORROW", barcode="X-1")
    await world.desk("check-out", agency="BORROW", barcode="X-1", user=READER)
    await world.desk("return", agency="BORROW", barcode="X-1")


# ---------------------------------------------------------------------------------------------- two peer libraries


@pytest.mark.parametrize("marked", [True, False])
async def test_a_whole_round_as_the_lender_sees_it(world: World, *, marked: bool) -> None:
    await lent(world)
    await tell(world, received("L1", by="Borrower" if marked else ""))
    assert world.status("R-1") == "received-by-partner"
    await tell(world, shipped(item="L1", at=D3, by="Borrower" if marked else ""))
    assert (world.status("R-1"), world.item_status("L1")) == ("returned-by-partner", "on-loan")
    await tell(world, received("L1", by="Borrower" if marked else ""), times=1)
    assert world.status("R-1") == "returned-by-partner", "late news of the arrival"
    await world.desk("scan-in", barcode="L1")
    assert (world.status("R-1"), world.item_status("L1")) == ("request-completed", "available")
    await tell(world, shipped(item="L1", at=D3), times=1)
    assert world.status("R-1") == "request-completed"


@pytest.mark.parametrize("marked", [True, False])
async def test_a_whole_round_as_the_borrower_sees_it(world: World, *, marked: bool) -> None:
    await wanted(world)
    await tell(world, shipped(item="X-1", by="Lender" if marked else ""), **BORROWING)
    assert (world.status("R-1", "BORROW"), world.item_status("X-1", "BORROW")) == ("shipped-physically", "expected")
    assert world.tasks("borrowing", "BORROW") == ["receive"]
    await world.desk("receive", agency="BORROW", barcode="X-1")
    assert world.status("R-1", "BORROW") == "physically-received-by-library"
    await world.desk("check-out", agency="BORROW", barcode="X-1", user=READER)
    await world.desk("return", agency="BORROW", barcode="X-1")
    await tell(world, shipped(item="X-1", by="Lender" if marked else ""), **BORROWING)
    assert world.status("R-1", "BORROW") == "returned-by-patron", "late news of the shipment"
    await tell(world, received("X-1", at="2026-01-20T09:00:00Z", by="Lender" if marked else ""), **BORROWING)
    assert (world.status("R-1", "BORROW"), world.item_status("X-1", "BORROW")) == ("request-completed", "withdrawn")


async def test_what_the_shipment_says_of_the_item_is_kept(world: World) -> None:
    more = (
        "<ItemOptionalFields><BibliographicDescription><Author>A. Uthor</Author><Title>The Other Edition</Title>"
        "</BibliographicDescription><ItemDescription><CallNumber>QA 9</CallNumber></ItemDescription>"
        "<DateDue>2026-03-01T22:59:59Z</DateDue></ItemOptionalFields>"
    )
    await wanted(world)
    await tell(world, shipped(item="X-1", more=more), times=1, **BORROWING)
    answer = await world.send(
        say.lookup("X-1", "Bibliographic Description", "Item Description"), to="BORROW", partner="PEER"
    )
    assert answer.text("BibliographicDescription/Title") == "The Other Edition"
    assert answer.text("ItemDescription/CallNumber") == "QA 9"
    await world.desk("receive", agency="BORROW", barcode="X-1")
    await world.desk("check-out", agency="BORROW", barcode="X-1", user=READER)
    assert due(world, "X-1", "BORROW") == "2026-03-01T22:59:59Z"


async def test_two_volumes_come_and_go(world: World) -> None:
    await wanted(world)
    await tell(world, shipped(item="X-1"), **BORROWING)
    await tell(world, shipped(item="X-2"), **BORROWING)
    for item in ("X-1", "X-2"):
        await world.desk("receive", agency="BORROW", barcode=item)
        await world.desk("return", agency="BORROW", barcode=item)
    await tell(world, received("X-1", at="2026-01-20T09:00:00Z"), **BORROWING)
    assert world.status("R-1", "BORROW") == "returned-by-patron"
    await tell(world, received("X-2", at="2026-01-20T09:00:00Z"), **BORROWING)
    assert world.status("R-1", "BORROW") == "request-completed"


async def test_a_shipment_without_an_item_is_expected_at_the_desk(world: World) -> None:
    await wanted(world)
    await tell(world, shipped(), **BORROWING)
    assert (world.status("R-1", "BORROW"), world.tasks("borrowing", "BORROW")) == ("shipped-physically", ["receive"])
    await world.desk("receive", agency="BORROW", barcode="T-1", request="R-1")
    assert (world.status("R-1", "BORROW"), world.tasks("borrowing", "BORROW")) == (
        "physically-received-by-library",
        ["shelve-hold"],
    )


async def test_an_expected_item_is_received_by_accept_item_too(world: World) -> None:
    await wanted(world, "BROKER")
    await tell(world, shipped(item="X-1", by="Lender"), "BROKER", "BORROW")
    assert world.item_status("X-1", "BORROW") == "expected"
    await well(world, say.accept("R-1", "X-1", action="Hold For Pickup"), "BROKER", "BORROW")
    assert (world.status("R-1", "BORROW"), world.item_status("X-1", "BORROW")) == (
        "physically-received-by-library",
        "received",
    )
    assert world.tasks("borrowing", "BORROW") == ["shelve-hold"]
    assert len(say.rows(world, "SELECT id FROM item WHERE temporary = 1")) == 1


async def test_a_copy_that_need_not_come_back_is_delivered(world: World) -> None:
    await well(world, wish(kind="Digital"), partner="PEER", to="BORROW")
    await tell(world, shipped(item="X-1"), **BORROWING)
    assert world.status("R-1", "BORROW") == "digitally-received-by-library"
    assert say.notices(world, READER, "BORROW") == ["document delivered"]


async def test_a_copy_that_has_arrived_at_the_borrower_completes(world: World) -> None:
    await world.send(request_item("L1", "R-1", kind="Digital"), partner="DIGITAL")
    await well(world, say.lend("L1", "-", before=request_id("R-1")), partner="DIGITAL")
    assert (world.status("R-1"), world.tasks()) == ("shipped-digitally", ["confirm-digital"])
    await tell(world, received("L1", by="Borrower"), partner="DIGITAL")
    assert (world.status("R-1"), world.tasks()) == ("request-completed", [])


async def test_a_renewal_wish_ends_when_the_item_comes_back(world: World) -> None:
    await world.send(request_item("L1", "R-1"), partner="MANUAL")
    await world.desk("ship", barcode="L1")
    await well(world, say.renew("L1", "-"), partner="MANUAL")
    await tell(world, shipped(item="L1", at=D3, by="Borrower"), partner="MANUAL")
    assert (world.status("R-1"), world.tasks()) == ("returned-by-partner", [])
    found = await refused(world, say.renew("L1", "-"), partner="MANUAL")
    assert found[0] == "Item Not Renewable"


# ---------------------------------------------------------------------------------------------- a broker relays


async def test_a_broker_tells_the_lender_what_it_did_itself(world: World) -> None:
    await world.send(request_item("L1", "R-1"))
    await tell(world, shipped(item="L1", by="Lender"), partner="BROKER")
    assert (world.status("R-1"), world.item_status("L1"), world.tasks()) == ("shipped-physically", "on-loan", [])
    assert loans(world, "L1") == [(D1, "", "")]
    await tell(world, received("L1", by="Borrower"), partner="BROKER")
    await tell(world, shipped(item="L1", at=D3, by="Borrower"), partner="BROKER")
    assert world.status("R-1") == "returned-by-partner"
    await tell(world, received("L1", at=D4, by="Lender"), partner="BROKER")
    assert (world.status("R-1"), world.item_status("L1")) == ("request-completed", "available")


async def test_a_broker_tells_the_borrower_what_it_did_itself(world: World) -> None:
    await wanted(world, "BROKER")
    await tell(world, shipped(item="X-1", by="Lender"), "BROKER", "BORROW")
    await tell(world, received("X-1", at=D2, by="Borrower"), "BROKER", "BORROW")
    assert (world.status("R-1", "BORROW"), world.item_status("X-1", "BORROW")) == (
        "physically-received-by-library",
        "received",
    )
    await world.desk("return", agency="BORROW", barcode="X-1")
    await tell(world, shipped(item="X-1", at="2026-01-20T09:00:00Z", by="Borrower"), "BROKER", "BORROW")
    assert (world.status("R-1", "BORROW"), world.tasks("borrowing", "BORROW")) == ("returned-item-to-partner", [])
    await tell(world, received("X-1", at="2026-01-21T09:00:00Z", by="Lender"), "BROKER", "BORROW")
    assert world.status("R-1", "BORROW") == "request-completed"


async def test_what_was_never_announced_is_received_all_the_same(world: World) -> None:
    await wanted(world, "BROKER")
    await tell(world, received("X-1", by="Borrower"), "BROKER", "BORROW")
    assert (world.status("R-1", "BORROW"), world.tasks("borrowing", "BORROW")) == (
        "physically-received-by-library",
        ["shelve-hold"],
    )


async def test_an_item_sent_back_while_it_was_on_loan_is_on_loan_no_longer(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), "BROKER", "BORROW")
    await tell(world, shipped(item="X-1", by="Borrower", at="2026-01-07T09:00:00Z"), "BROKER", "BORROW")
    assert (world.status("R-1", "BORROW"), world.item_status("X-1", "BORROW")) == (
        "returned-item-to-partner",
        "withdrawn",
    )
    assert loans(world, "X-1", "BORROW")[0][1] != ""


async def test_without_a_marker_a_broker_means_what_the_state_allows(world: World) -> None:
    """As the lender: out, there, on its way home, home. Each told again afterwards changes nothing."""
    await world.send(request_item("L1", "R-1"))
    steps = [
        (shipped(item="L1", at=D1), "shipped-physically"),
        (received("L1", at=D2), "received-by-partner"),
        (shipped(item="L1", at=D3), "returned-by-partner"),
        (received("L1", at=D4), "request-completed"),
    ]
    for number, (content, status) in enumerate(steps):
        await tell(world, content, partner="BROKER")
        assert world.status("R-1") == status
        for again, _ in steps[:number]:
            await tell(world, again, partner="BROKER", times=1)
            assert world.status("R-1") == status


async def test_without_a_marker_a_broker_means_what_the_state_allows_as_the_borrower_too(world: World) -> None:
    await wanted(world, "BROKER")
    await tell(world, shipped(item="X-1", at=D1), "BROKER", "BORROW")
    await tell(world, received("X-1", at=D2), "BROKER", "BORROW")
    assert world.status("R-1", "BORROW") == "physically-received-by-library"
    await world.desk("return", agency="BORROW", barcode="X-1")
    await tell(world, shipped(item="X-1", at=D1), "BROKER", "BORROW")
    assert world.status("R-1", "BORROW") == "returned-by-patron"
    await tell(world, shipped(item="X-1", at="2026-01-20T09:00:00Z"), "BROKER", "BORROW")
    assert world.status("R-1", "BORROW") == "returned-item-to-partner"
    await tell(world, received("X-1", at="2026-01-21T09:00:00Z"), "BROKER", "BORROW")
    assert world.status("R-1", "BORROW") == "request-completed"


# ---------------------------------------------------------------------------------------------- which request


async def test_by_the_item_alone(world: World) -> None:
    await lent(world)
    await tell(world, received("L1", request=""))
    await tell(world, shipped("", "L1", at=D3))
    assert world.status("R-1") == "returned-by-partner"
    await at_home(world)
    await tell(world, received("X-1", "", at="2026-02-20T09:00:00Z"), **BORROWING)
    assert world.status("R-1", "BORROW") == "request-completed"


async def test_the_same_id_lent_and_borrowed_is_told_apart_by_the_marker_or_the_item(world: World) -> None:
    await world.send(request_item("L1", "R-1"), partner="PEER")
    await world.desk("ship", barcode="L1")
    number = world.ask(lambda circ: circ.users(U1)[0].id)

    def borrow(tx: object) -> None:
        circ = world.unit(tx, "LEND")
        circ.add_request(Role.BORROWING, Event.REQUEST, "R-1", partner="PEER", user=number, user_as_sent=U1)

    await world.store.transact(borrow)
    statuses = "SELECT status FROM request WHERE identifier = 'R-1' ORDER BY id"
    found = await refused(world, shipped("R-1"), partner="PEER")
    assert found == ("Needed Data Missing", "ItemShipped/Ext/NoticeContent")
    await tell(world, received("L1", "R-1", by="Borrower"))
    assert say.rows(world, statuses) == [("received-by-partner",), ("created-borrowing-request",)]
    await tell(world, shipped("R-1", "Z-1", by="Lender"))
    assert say.rows(world, statuses) == [("received-by-partner",), ("shipped-physically",)]
    await tell(world, shipped("R-1", "L1", at=D3))
    assert say.rows(world, statuses) == [("returned-by-partner",), ("shipped-physically",)]


# ---------------------------------------------------------------------------------------------- what cannot be so


async def test_news_that_contradicts_the_request_is_shown_to_staff_once(world: World) -> None:
    await world.send(request_item("L1", "R-1"), partner="PEER")
    await tell(world, shipped(item="L1", at=D3))
    assert world.status("R-1") == "being-processed"
    assert world.tasks() == ["pick", "review"]
    await wanted(world, "BROKER")
    await tell(world, shipped(item="X-1", by="Borrower"), "BROKER", "BORROW")
    assert world.tasks("borrowing", "BORROW") == ["review"]


async def test_an_arrival_that_nobody_had_shipped_was_shipped(world: World) -> None:
    await world.send(request_item("L1", "R-1"), partner="PEER")
    await tell(world, received("L1"))
    assert (world.status("R-1"), world.item_status("L1")) == ("received-by-partner", "on-loan")
    assert any("nobody had recorded that it was shipped" in note for note in task_notes(world))


async def test_an_item_that_was_home_before_it_left_is_still_out(world: World) -> None:
    await lent(world, "BROKER")
    await tell(world, received("L1", at="2026-01-01T09:00:00Z", by="Lender"), partner="BROKER")
    assert world.status("R-1") == "shipped-physically"


@pytest.mark.parametrize("content", [shipped("R-9"), shipped("R-9", "L1"), received("L1", "R-9")])
@pytest.mark.parametrize("partner", ["PEER", "BROKER"])
async def test_an_unknown_request_is_a_problem_and_a_task(world: World, content: str, partner: str) -> None:
    problem, element = await refused(world, content, partner=partner)
    assert (problem, (element or "").partition("/")[2]) == ("Unknown Request", "RequestId/RequestIdentifierValue")
    assert world.tasks("borrowing") == ["review"]


@pytest.mark.parametrize("content", [shipped("", "NONE"), received("NONE", ""), shipped("", "B1"), received("B1", "")])
async def test_an_unknown_item_or_one_of_another_agency_is_a_problem_and_a_task(world: World, content: str) -> None:
    assert (await refused(world, content, partner="PEER"))[0] == "Unknown Item"
    assert world.tasks("borrowing") == ["review"]


async def test_an_item_that_this_partner_never_asked_for_is_an_unknown_request(world: World) -> None:
    await lent(world)
    assert (await refused(world, received("L2", ""), partner="PEER"))[0] == "Unknown Request"
    assert (await refused(world, received("L1", ""), partner="OTHER"))[0] == "Unknown Request"


async def test_a_request_of_another_partner_or_agency_is_unknown(world: World) -> None:
    await lent(world)
    assert (await refused(world, received("L1"), partner="OTHER"))[0] == "Unknown Request"
    assert (await refused(world, received("L1"), partner="PEER", to="BORROW"))[0] == "Unknown Request"
    assert world.status("R-1") == "shipped-physically"


async def test_it_is_not_known_which_item_was_shipped(world: World) -> None:
    titled = (
        request_item("L1", "R-1")
        .replace(item_id("L1"), "")
        .replace(
            "<RequestId>",
            "<BibliographicId><BibliographicRecordId><BibliographicRecordIdentifier>NO-SUCH</BibliographicRecordIdentifier>"
            "<AgencyId>ANY</AgencyId></BibliographicRecordId></BibliographicId><RequestId>",
        )
    )
    await well(world, titled, partner="BROKER")
    assert world.status("R-1") == "locate-failed"
    await tell(world, shipped(by="Lender"), partner="BROKER")
    assert (world.status("R-1"), world.tasks()) == ("locate-failed", ["locate", "review"])
