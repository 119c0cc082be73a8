"""What no sensible system sends: numbers, dates and tokens beyond all measure are answered in the standard's words."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.circulation import messages
from tests.services import loans as say
from tests.services.loans import U1, give_fee, loan, money, refused, well
from tests.services.test_lending import check_out
from tests.services.test_request_updates import request_item, update
from tests.services.world import World, fill, item_id, make_world, request_id, user_id

HUGE = "9" * 30
NEVER = "9999-12-31T23:59:59"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    partners = (*say.PARTNERS, say.Partner(code="ENDLESS", agency="LEND", maximum_loan_days=0))
    made = make_world(tmp_path / "data", partners)
    await fill(made)
    yield made
    await made.store.close()


@pytest.mark.parametrize("number", ["hold-²", "hold-٣", f"hold-{HUGE}", "hold-", "hold-0"])
async def test_what_no_hold_can_be_called_is_an_unknown_request(world: World, number: str) -> None:
    problem, _ = await refused(world, f"<LookupRequest>{request_id(number)}</LookupRequest>", "DISCOVERY")
    assert problem == "Unknown Request"


@pytest.mark.parametrize("name", ["1.2.²", f"{HUGE}.1.1", "1.1", "1.1.1.1", "-1.1.1", f"{'9' * 5000}.1.1"])
async def test_what_no_holdings_set_can_be_called_is_unknown(world: World, name: str) -> None:
    problem, _ = await refused(world, f"<LookupItemSet><HoldingsSetId>{name}</HoldingsSetId></LookupItemSet>")
    assert problem == "Unknown Item"


@pytest.mark.parametrize("place", [[-5, 0], [0, int(HUGE)], [0, -1], [0, 1.5], [True, None], ["0", "0"], [0, 0, 0]])
async def test_a_token_that_was_tampered_with_is_refused(world: World, place: list[object]) -> None:
    ask = f"<LookupItemSet>{item_id('L1')}{item_id('L2')}<MaximumItemsCount>1</MaximumItemsCount>{{}}</LookupItemSet>"
    token = (await well(world, ask.format(""))).text("NextItemToken") or ""
    query, until, *_ = json.loads(urlsafe_b64decode(token))
    forged = urlsafe_b64encode(json.dumps([query, until, *place]).encode()).decode()
    problem, element = await refused(world, ask.format(f"<NextItemToken>{forged}</NextItemToken>"))
    assert (problem, element) == ("Element Rule Violated", "LookupItemSet/NextItemToken")


@pytest.mark.parametrize("name", ["AcknowledgedFeeAmount", "PaidFeeAmount"])
@pytest.mark.parametrize("amount", [int(HUGE), -1])
async def test_a_fee_that_nobody_can_mean_is_an_invalid_amount(world: World, name: str, amount: int) -> None:
    problem, element = await refused(world, request_item("L1", "R-1", money(name, amount)), "BROKER")
    assert (problem, element) == ("Invalid Amount", f"RequestItem/{name}/MonetaryValue")
    await well(world, request_item("L1", "R-1"), "BROKER")
    assert (await refused(world, update("R-1", added=money(name, amount)), "BROKER"))[0] == "Invalid Amount"


async def test_a_payment_beyond_all_measure_pays_nothing(world: World) -> None:
    await give_fee(world, "L1", 100)
    paid = money("PaidFeeAmount", int(HUGE))
    assert (await refused(world, say.lend("L1", before=paid)))[0] == "Invalid Amount"
    await well(world, say.lend("L1", before=paid, happened="2026-01-05T08:00:00Z"))
    assert say.owed(world) == 100


async def test_pieces_beyond_all_measure_violate_a_rule(world: World) -> None:
    described = f"<ItemDescription><NumberOfPieces>{HUGE}</NumberOfPieces></ItemDescription>"
    title = "<BibliographicDescription><Title>T</Title></BibliographicDescription>"
    problem, _ = await refused(world, f"<CreateItem>{item_id('N1')}{title}{described}</CreateItem>")
    assert problem == "Element Rule Violated"
    change = f"<UpdateItem>{item_id('L1')}<AddItemFields>{described}</AddItemFields></UpdateItem>"
    assert (await refused(world, change))[0] == "Element Rule Violated"


async def test_renewals_beyond_all_measure_are_not_counted(world: World) -> None:
    await well(world, say.lend("L1"))
    count = f"<RenewalCount>{HUGE}</RenewalCount>"
    told = f"{user_id(U1)}{item_id('L1')}<DateDue>2026-04-01T00:00:00Z</DateDue>{count}"
    await well(world, f"<ItemRenewed>{told}</ItemRenewed>")
    assert (loan(world, "L1").renewals, say.due(world, "L1")) == (1, "2026-04-01T00:00:00Z")
    await well(world, f"<ItemCheckedOut>{told}</ItemCheckedOut>")
    assert loan(world, "L1").renewals == 1


async def test_a_request_for_nothing_lacks_data(world: World) -> None:
    problem, element = await refused(world, request_item(" ", "R-1"), "BROKER")
    assert (problem, element, world.tasks()) == ("Needed Data Missing", "RequestItem/BibliographicId", [])


async def share_a_number(world: World) -> None:
    """Give two users of BORROW the identifier SHARED, as identifiers of different kinds."""

    def share(tx: Any) -> None:
        for number, kind in (("BORROW-USER-1", "A"), ("BORROW-USER-2", "B")):
            user = tx.one("user_by_primary_id", agency=2, primary_id=number)[0]
            tx.run("insert_user_identifier", agency=2, value="SHARED", type=kind, user=user)

    await world.store.transact(share)


TYPED = "<UserIdentifierType>B</UserIdentifierType><UserIdentifierValue>SHARED"


async def test_a_number_that_two_users_have_is_no_single_users(world: World) -> None:
    """Its type tells them apart, where one is sent."""
    await share_a_number(world)
    problem, element = await refused(world, say.accept("R-1", "X-1", user="SHARED"), to="BORROW", partner="BROKER")
    assert (problem, element) == ("Unknown User", "AcceptItem/UserId/UserIdentifierValue")
    accept = say.accept("R-1", "X-1", user="SHARED").replace("<UserIdentifierValue>SHARED", TYPED)
    await well(world, accept, to="BORROW", partner="BROKER")
    assert say.notices(world, "BORROW-USER-1", "BORROW") == []
    assert loan(world, "X-1", "BORROW").user_id == world.ask(lambda circ: circ.users("SHARED", "B")[0].id, "BORROW")


async def test_who_asks_with_a_number_that_two_users_have_is_a_user_of_ours(world: World) -> None:
    """Which of them is said by the type; without it the wish is refused as that, not as a stranger's."""
    await share_a_number(world)
    wish = messages.request_item("R-1", user="SHARED", title="OCLC-9", code="OCLC", kind="Loan")
    problem, element = await refused(world, wish, to="BORROW", partner="BROKER")
    assert (problem, element) == ("Unknown User", "RequestItem/UserId/UserIdentifierValue")
    typed = wish.replace("<UserIdentifierValue>SHARED", TYPED)
    await well(world, typed, to="BORROW", partner="BROKER")
    wanted = world.ask(lambda circ: circ.requests_called("BROKER", "R-1")[0], "BORROW")
    assert (wanted.role, wanted.user_id) == (
        "borrowing",
        world.ask(lambda circ: circ.users("SHARED", "B")[0].id, "BORROW"),
    )


async def test_a_number_that_two_users_have_is_told_so_whatever_is_to_be_done(world: World) -> None:
    """In the words that the standard has for the service; what is said to people is not that nobody has it."""
    await share_a_number(world)
    await well(world, say.accept("R-1", "X-1", user="BORROW-USER-1"), to="BORROW", partner="BROKER")
    for content in (messages.report("X-1", "Lost", user="SHARED"), messages.undo("X-1", user="SHARED")):
        answer = await world.send(content, to="BORROW", partner="BROKER")
        assert answer.problem == "Unknown User", content
        assert (answer.text("Problem/ProblemElement") or "").endswith("/UserId/UserIdentifierValue")
        assert (answer.text("Problem/ProblemDetail") or "").startswith("2 users have the identifier 'SHARED'")


@pytest.mark.parametrize("zone", ["Z", ""])
async def test_a_loan_that_ends_never_can_be_told_renewed_and_recalled(world: World, zone: str) -> None:
    await well(world, check_out("L1", "R-1", due=NEVER + zone), "ENDLESS")
    answer = await world.send(say.renew("L1", "-"), partner="ENDLESS")
    assert answer.problem in (None, "Item Not Renewable"), answer
    assert say.due(world, "L1").startswith("9999-12-31T")
    await well(world, say.accept("R-2", "X-1", due=NEVER + zone), to="BORROW", partner="BROKER")
    assert say.due(world, "X-1", "BORROW").startswith("9999-12-31T")
    await well(world, say.lookup("X-1"), to="BORROW", partner="BROKER")
    await well(world, say.recall("X-1", NEVER + zone), to="BORROW", partner="BROKER")
    await well(world, request_item("L2", "R-3", f"<NeedBeforeDate>{NEVER}{zone}</NeedBeforeDate>"), "BROKER")
