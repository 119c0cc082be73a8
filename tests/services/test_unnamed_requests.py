"""A request that was told of without a RequestId is the one that is meant by its item, until the partner names it."""

from __future__ import annotations

import pytest

from ncipd.desk import finding, views
from tests.services import loans as say
from tests.services.loans import READER, refused, rows, well
from tests.services.test_movements import received, shipped
from tests.services.world import World, item_id, request_id, user_id

BORROWING = {"partner": "BROKER", "to": "BORROW"}
LENDING = {"partner": "BROKER", "to": "LEND"}


def told(item: str, user: str) -> str:
    return (
        f"<ItemRequested>{user_id(user)}{item_id(item)}<RequestType>Hold</RequestType>"
        "<RequestScopeType>Item</RequestScopeType></ItemRequested>"
    )


def check_out(item: str, request: str = "") -> str:
    return say.lend(item, "-", before=request_id(request) if request else "")


def requests(world: World) -> list[tuple[str, str]]:
    """Give the identifier and the status of every request, the oldest first."""
    return [(row[0], row[1]) for row in rows(world, "SELECT identifier, status FROM request ORDER BY id")]


def statuses(world: World) -> list[str]:
    return [status for _, status in requests(world)]


# ---------------------------------------------------------------------------------------------- named by its item


async def test_a_shipment_and_an_arrival_that_name_only_the_item_find_the_request(world: World) -> None:
    await well(world, told("X-1", READER), **BORROWING)
    await well(world, shipped("", "X-1"), **BORROWING)
    assert statuses(world) == ["shipped-physically"]
    await well(world, received("X-1", ""), **BORROWING)
    assert statuses(world) == ["physically-received-by-library"]


async def test_an_arrival_without_a_shipment_finds_it_too(world: World) -> None:
    await well(world, told("X-1", READER), **BORROWING)
    await well(world, received("X-1", ""), **BORROWING)
    assert statuses(world) == ["physically-received-by-library"]


async def test_a_second_round_with_the_same_item_finds_the_second_request(world: World) -> None:
    for _ in range(2):
        await well(world, told("X-1", READER), **BORROWING)
        await well(world, received("X-1", ""), **BORROWING)
        await well(world, say.bring_back("X-1"), **BORROWING)
        world.clock.pass_days(1)
    assert statuses(world) == ["request-completed", "request-completed"]


async def test_the_user_tells_apart_two_requests_for_one_item(world: World) -> None:
    await well(world, told("X-1", READER), **BORROWING)
    await well(world, told("X-1", "BORROW-BLOCKED"), **BORROWING)
    assert (await refused(world, shipped("", "X-1"), **BORROWING)) == ("Needed Data Missing", "ItemShipped/RequestId")
    named = shipped("", "X-1").replace("<DateShipped>", f"{user_id('BORROW-BLOCKED')}<DateShipped>")
    await well(world, named, **BORROWING)
    assert statuses(world) == ["created-borrowing-request", "shipped-physically"]


async def test_a_request_of_another_partner_or_with_an_identifier_of_its_own_is_not_found_so(world: World) -> None:
    await well(world, told("X-1", READER), **BORROWING)
    assert (await refused(world, shipped("", "X-1"), "DESK", "BORROW"))[0] == "Unknown Item"
    wish = (
        told("X-2", READER)
        .replace("ItemRequested", "RequestItem")
        .replace("<RequestType>", f"{request_id('R-1')}<RequestType>")
    )
    await well(world, wish, **BORROWING)
    assert (await refused(world, shipped("", "X-2"), **BORROWING))[0] == "Unknown Item"


async def test_a_cancellation_that_names_only_the_item_ends_it(world: World) -> None:
    await well(world, told("X-1", READER), **BORROWING)
    await well(
        world,
        f"<CancelRequestItem>{user_id(READER)}{item_id('X-1')}<RequestType>Hold</RequestType></CancelRequestItem>",
        **BORROWING,
    )
    assert statuses(world) == ["cancelled"]


# ---------------------------------------------------------------------------------------------- named later


async def test_the_identifier_that_a_delivery_brings_becomes_that_of_the_request(world: World) -> None:
    await well(world, told("X-1", READER), **BORROWING)
    await well(world, say.accept("R-1", "X-1", action="Hold For Pickup"), **BORROWING)
    assert requests(world) == [("R-1", "physically-received-by-library")]


async def test_the_identifier_that_a_check_out_brings_becomes_that_of_the_request(world: World) -> None:
    await well(world, told("L1", "THEIRS-1"), **LENDING)
    await well(world, check_out("L1", "R-1"), **LENDING)
    assert requests(world) == [("R-1", "shipped-physically")]
    answer = await well(world, f"<LookupRequest>{request_id('R-1')}</LookupRequest>", **LENDING)
    assert answer.text("RequestId/RequestIdentifierValue") == "R-1"


async def test_a_check_out_without_an_identifier_is_named_by_the_next_one(world: World) -> None:
    await well(world, check_out("L1"), **LENDING)
    await well(world, check_out("L1", "R-1"), **LENDING)
    assert requests(world) == [("R-1", "shipped-physically")]


async def test_once_named_it_is_named_no_second_time(world: World) -> None:
    await well(world, told("X-1", READER), **BORROWING)
    await well(world, shipped("R-1", "X-1"), **BORROWING)
    assert (await refused(world, shipped("R-2", "X-1", at="2026-01-05T08:30:00Z"), **BORROWING))[0] == "Unknown Request"
    assert requests(world) == [("R-1", "shipped-physically")]


async def test_of_two_that_fit_none_is_named(world: World) -> None:
    await well(world, told("L1", "THEIRS-1"), **LENDING)
    await well(world, told("L1", "THEIRS-2"), **LENDING)
    await well(world, check_out("L1", "R-1"), **LENDING)
    assert [one for one, _ in requests(world)][2:] == ["R-1"]


async def test_a_delivery_for_another_user_is_another_request(world: World) -> None:
    await well(world, told("X-1", READER), **BORROWING)
    await well(world, say.accept("R-1", "X-1", user="BORROW-BLOCKED", action="Hold For Pickup"), **BORROWING)
    assert statuses(world) == ["created-borrowing-request", "physically-received-by-library"]


async def test_an_identifier_that_our_answer_told_stays(world: World) -> None:
    wish = told("X-1", READER).replace("ItemRequested", "RequestItem")
    given = (await well(world, wish, **BORROWING)).text("RequestId/RequestIdentifierValue")
    await well(world, say.accept("R-1", "X-1", action="Hold For Pickup"), **BORROWING)
    assert requests(world) == [(given, "created-borrowing-request"), ("R-1", "physically-received-by-library")]


@pytest.mark.parametrize("partner", ["BROKER", "DESK"])
async def test_a_refused_message_names_nothing(world: World, partner: str) -> None:
    await well(world, told("X-1", READER), **BORROWING)
    before = requests(world)
    await refused(world, say.accept("R-1", "X-1", user="NOBODY"), partner, "BORROW")
    assert requests(world) == before


def wish(item: str, request: str = "R-1") -> str:
    return (
        f"<RequestItem>{user_id(READER)}{item_id(item)}{request_id(request)}<RequestType>Loan</RequestType>"
        "<RequestScopeType>Item</RequestScopeType></RequestItem>"
    )


async def test_before_anything_has_come_a_request_is_known_by_its_user_and_item(world: World) -> None:
    """Whether or not it has an identifier: looked up, changed and cancelled by what the partner asked for."""
    await well(world, wish("FAR-1"), **BORROWING)
    await well(world, wish("FAR-2", "R-2"), **BORROWING)
    both = f"{user_id(READER)}{item_id('FAR-1')}<RequestType>Loan</RequestType>"
    answer = await well(world, f"<LookupRequest>{both}</LookupRequest>", **BORROWING)
    assert answer.text("RequestId/RequestIdentifierValue") == "R-1"
    await well(world, f"<CancelRequestItem>{both}</CancelRequestItem>", **BORROWING)
    assert (world.status("R-1", "BORROW"), world.status("R-2", "BORROW")) == ("cancelled", "created-borrowing-request")
    other = both.replace(READER, "BORROW-USER-2").replace("FAR-1", "FAR-2")
    assert await refused(world, f"<CancelRequestItem>{other}</CancelRequestItem>", **BORROWING)
    assert world.status("R-2", "BORROW") == "created-borrowing-request"


async def test_a_borrowing_request_that_is_told_of_again_is_one_request(world: World) -> None:
    await well(world, told("FAR-1", READER), **BORROWING)
    world.clock.pass_days(1)
    await well(world, told("FAR-1", READER), **BORROWING)
    assert world.count("request") == 1


async def test_a_request_is_found_by_the_identifier_that_it_had_before(world: World) -> None:
    """It stands on the pick slip, and the partner may have been told it."""
    await well(world, told("L1", "THEIRS-1"), **LENDING)
    ((made, _),) = requests(world)
    await well(world, check_out("L1", "R-1"), **LENDING)
    assert requests(world) == [("R-1", "shipped-physically")]
    answer = await well(world, f"<LookupRequest>{request_id(made)}</LookupRequest>", **LENDING)
    assert answer.text("RequestId/RequestIdentifierValue") == "R-1"
    problem, _ = await refused(world, f"<LookupRequest>{request_id(made)}</LookupRequest>", "MANUAL")
    assert problem == "Unknown Request", "another partner knows nothing of it"
    assert world.ask(lambda circ: finding.request(circ, made).identifier) == "R-1"
    assert [line["identifier"] for line in world.ask(lambda circ: views.requests(circ, None, "", made, 10))] == ["R-1"]
