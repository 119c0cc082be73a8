"""On what terms our users borrow and renew: what is refused, what must be accepted first, what it costs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services import loans as say
from tests.services.loans import ADDRESS, MAIL, U1, U2, due, give_fee, give_resource, owed, refused, restrict, well
from tests.services.world import World, fill, item_id, make_world, user_id

FEE = "CheckOutItem/AcknowledgedFeeAmount"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path / "data", say.PARTNERS)
    await fill(made)
    yield made
    await made.store.close()


async def block(world: World, type_: str, user: str = U1) -> None:
    number = world.ask(lambda circ: circ.users(user)[0].id)
    await world.store.transact(
        lambda tx: tx.run("insert_user_block", user=number, type=type_, valid_from=None, valid_to=None, note="")
    )


# ---------------------------------------------------------------------------------------------- who may borrow


async def test_a_user_borrows_an_item_and_has_it(world: World) -> None:
    answer = await well(world, say.lend("L1", due="2026-02-01T22:59:59Z"))
    assert answer.text("CheckOutItemResponse/DateDue") == "2026-02-01T22:59:59Z"
    assert answer.text("CheckOutItemResponse/RenewalCount") == "0"
    assert await say.status(world, "L1") == "On Loan"
    found = await world.send(f"<LookupUser>{user_id(U1)}<LoanedItemsDesired/></LookupUser>", partner="ILS")
    assert found.texts("LoanedItem/ItemId/ItemIdentifierValue") == ["L1"]


async def test_the_answer_tells_our_own_system_what_it_asks_of_item_and_user(world: World) -> None:
    answer = await well(world, say.lend("L1", after=say.STATUS_WANTED + say.NAME_WANTED))
    assert answer.text("ItemOptionalFields/CirculationStatus") == "On Loan"
    assert answer.text("UserOptionalFields/NameInformation/PersonalNameInformation/StructuredPersonalUserName/Surname")


async def test_a_system_that_may_not_see_users_is_told_nothing_of_them(world: World) -> None:
    answer = await well(world, say.lend("L1", after=say.NAME_WANTED), partner="BLIND")
    assert not answer.has("UserOptionalFields")


@pytest.mark.parametrize("kind", ["Block Check Out", "Block Everything"])
async def test_a_blocked_user_does_not_borrow(world: World, kind: str) -> None:
    await block(world, kind)
    assert await refused(world, say.lend("L1")) == ("User Blocked", "CheckOutItem/UserId")
    assert await say.status(world, "L1") == "Available On Shelf"


async def test_an_expired_user_does_not_borrow(world: World) -> None:
    assert (await refused(world, say.lend("L1", "LEND-EXPIRED")))[0] == "User Blocked"


async def test_a_user_at_the_limit_brings_something_back_first(world: World) -> None:
    number = world.ask(lambda circ: circ.users(U1)[0].id)
    await world.store.transact(
        lambda tx: tx.one(
            "upsert_user", agency=1, primary_id=U1, surname="R", given_name="", user_group="", language="",
            born_at=None, expires_at=None, loan_limit=1, note="",
        )
    )  # fmt: skip
    assert number == world.ask(lambda circ: circ.users(U1)[0].id)
    await well(world, say.lend("L1"))
    assert await refused(world, say.lend("L2")) == ("Maximum Check Outs Exceeded", "CheckOutItem/UserId")
    await well(world, say.bring_back("L1"))
    await well(world, say.lend("L2"))


async def test_an_unknown_user_and_an_unknown_item_are_named(world: World) -> None:
    assert await refused(world, say.lend("L1", "NOBODY")) == ("Unknown User", "CheckOutItem/UserId/UserIdentifierValue")
    assert await refused(world, say.lend("NONE")) == ("Unknown Item", "CheckOutItem/ItemId/ItemIdentifierValue")
    assert await refused(world, say.lend("B1")) == ("Unknown Item", "CheckOutItem/ItemId/ItemIdentifierValue")


async def test_a_typed_pin_that_cannot_be_checked_is_refused(world: World) -> None:
    typed = (
        "<AuthenticationInput><AuthenticationInputData>1234</AuthenticationInputData><AuthenticationDataFormatType>text"
        "</AuthenticationDataFormatType><AuthenticationInputType>PIN</AuthenticationInputType></AuthenticationInput>"
    )
    for service, rest in (("CheckOutItem", ""), ("RenewItem", "")):
        content = f"<{service}>{typed}{item_id('L1')}{rest}</{service}>"
        assert (await refused(world, content))[0] == "User Authentication Failed"


async def test_an_item_on_loan_is_not_lent_to_somebody_else(world: World) -> None:
    await well(world, say.lend("L1"))
    assert (await refused(world, say.lend("L1", U2)))[0] == "Item Already Checked Out"
    assert say.loan(world, "L1").user_id == world.ask(lambda circ: circ.users(U1)[0].id)


async def test_the_same_loan_told_again_the_next_day_is_one_loan(world: World) -> None:
    first = await well(world, say.lend("L1"))
    world.clock.pass_days(1)
    again = await well(world, say.lend("L1"))
    assert again.text("CheckOutItemResponse/DateDue") == first.text("CheckOutItemResponse/DateDue")
    assert world.count("loan") == 1


async def test_a_date_that_has_passed_is_no_due_date(world: World) -> None:
    found = await refused(world, say.lend("L1", due="2026-01-04T09:00:00Z"))
    assert found == ("Invalid Date", "CheckOutItem/DesiredDateDue")


# ---------------------------------------------------------------------------------------------- restrictions


async def test_what_never_circulates_is_not_lent(world: World) -> None:
    assert (await refused(world, say.lend("LREF")))[0] == "Item Does Not Circulate"


@pytest.mark.parametrize(
    "type_", ["Not For Loan", "In Library Use Only", "Supervision Required", "Use Only In Controlled Access"]
)
async def test_a_restriction_can_forbid_every_user_to_take_an_item_home(world: World, type_: str) -> None:
    await restrict(world, "L1", type_)
    answer = await world.send(say.lend("L1"), partner="ILS")
    assert answer.problem == "User Ineligible To Check Out This Item"
    assert answer.text("Problem/ProblemValue") == U1
    assert type_ in (answer.text("Problem/ProblemDetail") or "")


async def test_an_item_held_for_another_user_is_not_lent(world: World) -> None:
    await well(world, say.lend("L1"))
    await world.desk("request", user=U2, barcode="L1")
    await well(world, say.bring_back("L1"))
    assert await say.status(world, "L1") == "Available For Pickup"
    assert await refused(world, say.lend("L1")) == (
        "User Ineligible To Check Out This Item",
        "CheckOutItem/ItemId/ItemIdentifierValue",
    )
    await well(world, say.lend("L1", U2))


async def test_a_restriction_must_be_accepted_and_then_the_item_is_lent(world: World) -> None:
    await restrict(world, "L1", "User Signature Required", acknowledge=True)
    answer = await world.send(say.lend("L1"), partner="ILS")
    assert answer.problem == "Needed Data Missing"
    assert answer.text("Problem/ProblemElement") == "CheckOutItem/AcknowledgedItemUseRestrictionType"
    required = answer.text("CheckOutItemResponse/RequiredItemUseRestrictionType")
    assert required == "User Signature Required"
    assert await say.status(world, "L1") == "Available On Shelf"
    accepted = f"<AcknowledgedItemUseRestrictionType>{required}</AcknowledgedItemUseRestrictionType>"
    await well(world, say.lend("L1", before=accepted))
    assert await say.status(world, "L1") == "On Loan"


# ---------------------------------------------------------------------------------------------- fees


async def test_a_fee_must_be_agreed_to_and_is_then_charged(world: World) -> None:
    await give_fee(world, "L1", 250)
    answer = await world.send(say.lend("L1"), partner="ILS")
    assert (answer.problem, answer.text("Problem/ProblemElement")) == ("Needed Data Missing", FEE)
    assert answer.text("CheckOutItemResponse/RequiredFeeAmount/MonetaryValue") == "250"
    assert answer.text("CheckOutItemResponse/RequiredFeeAmount/CurrencyCode") == "EUR"
    assert owed(world) == 0
    answer = await well(world, say.lend("L1", before=say.money("AcknowledgedFeeAmount", 250)))
    assert answer.text("FiscalTransactionInformation/Amount/MonetaryValue") == "250"
    assert answer.text("FiscalTransactionInformation/FiscalTransactionType") == "Rental"
    assert owed(world) == 250


@pytest.mark.parametrize(("amount", "currency"), [(249, "EUR"), (250, "USD")])
async def test_less_than_the_fee_or_other_money_is_an_invalid_amount(world: World, amount: int, currency: str) -> None:
    await give_fee(world, "L1", 250)
    answer = await world.send(
        say.lend("L1", before=say.money("AcknowledgedFeeAmount", amount, currency)), partner="ILS"
    )
    assert (answer.problem, answer.text("Problem/ProblemElement")) == ("Invalid Amount", FEE)
    assert answer.text("CheckOutItemResponse/RequiredFeeAmount/MonetaryValue") == "250"


async def test_a_fee_that_has_been_paid_need_not_be_agreed_to(world: World) -> None:
    await give_fee(world, "L1", 250)
    await well(world, say.lend("L1", before=say.money("PaidFeeAmount", 250)))
    assert (owed(world), world.count("fiscal_entry")) == (0, 2)


async def test_fee_and_restriction_are_asked_for_together(world: World) -> None:
    await give_fee(world, "L1", 250)
    await restrict(world, "L1", "No Reproduction", acknowledge=True)
    answer = await world.send(say.lend("L1"), partner="ILS")
    assert answer.texts("Problem/ProblemType") == ["Needed Data Missing"] * 2
    assert answer.has("RequiredFeeAmount")
    assert answer.texts("RequiredItemUseRestrictionType") == ["No Reproduction"]


async def test_a_broker_ships_an_item_whatever_it_costs_our_users(world: World) -> None:
    """A shipment is a fact, and terms for our users are not the partner's."""
    await give_fee(world, "L1", 250)
    await restrict(world, "L1", "Not For Loan")
    await well(world, say.lend("L1", "-"), partner="BROKER")
    assert world.count("fiscal_entry") == 0


# ---------------------------------------------------------------------------------------------- where it is sent


@pytest.mark.parametrize("partner", ["ILS", "BROKER"])
@pytest.mark.parametrize(
    "address", [ADDRESS.format("Postal Address"), ADDRESS.format("street address"), MAIL.format("mailto")]
)
async def test_items_are_sent_by_post_and_by_mail(world: World, address: str, partner: str) -> None:
    await well(world, say.lend("L1", before=address), partner=partner)


@pytest.mark.parametrize("partner", ["ILS", "BROKER"])
@pytest.mark.parametrize(
    ("address", "element", "value"),
    [
        (ADDRESS.format("Pigeonhole"), "PhysicalAddress/PhysicalAddressType", "Pigeonhole"),
        (MAIL.format("gopher"), "ElectronicAddress/ElectronicAddressType", "gopher"),
    ],
)
async def test_to_other_addresses_nothing_is_sent(
    world: World, partner: str, address: str, element: str, value: str
) -> None:
    answer = await world.send(say.lend("L1", before=address), partner=partner)
    assert answer.problem == "Unsupported Shipping Address Type"
    assert answer.text("Problem/ProblemElement") == f"CheckOutItem/ShippingInformation/{element}"
    assert answer.text("Problem/ProblemValue") == value
    assert await say.status(world, "L1") == "Available On Shelf"


# ---------------------------------------------------------------------------------------------- electronic supply


async def test_an_electronic_resource_is_given_and_need_not_come_back(world: World) -> None:
    await give_resource(world, "L1", "https://books.example/1")
    answer = await well(world, say.lend("L1", before="<ResourceDesired/>"))
    assert answer.text("CheckOutItemResponse/ElectronicResource/ReferenceToResource") == "https://books.example/1"
    assert answer.has("CheckOutItemResponse/NonReturnableFlag")
    assert (world.count("loan"), await say.status(world, "L1")) == (0, "Available On Shelf")


async def test_a_resource_that_there_is_none_of_cannot_be_provided(world: World) -> None:
    found = await refused(world, say.lend("L1", before="<ResourceDesired/>"))
    assert found == ("Resource Cannot Be Provided", "CheckOutItem/ResourceDesired")


async def test_a_block_on_electronic_access_forbids_that_and_nothing_else(world: World) -> None:
    await give_resource(world, "L1", "https://books.example/1")
    await block(world, "Block Electronic Resource Access")
    assert (await refused(world, say.lend("L1", before="<ResourceDesired/>")))[0] == "User Blocked"
    await well(world, say.lend("L1"))


async def test_a_resource_costs_its_fee_once(world: World) -> None:
    await give_resource(world, "L1", "https://books.example/1")
    await give_fee(world, "L1", 90)
    assert (await refused(world, say.lend("L1", before="<ResourceDesired/>")))[0] == "Needed Data Missing"
    agreed = say.money("AcknowledgedFeeAmount", 90) + "<ResourceDesired/>"
    await well(world, say.lend("L1", before=agreed))
    world.clock.pass_days(2)
    await well(world, say.lend("L1", before=agreed))
    await well(world, say.lend("L1", before="<ResourceDesired/>"))
    assert owed(world) == 90


async def test_a_partner_gets_the_resource_with_the_digital_supply(world: World) -> None:
    await give_resource(world, "L1", "https://books.example/1")
    wish = (
        f"<RequestItem>{user_id('-')}{item_id('L1')}<RequestId><RequestIdentifierValue>R-1</RequestIdentifierValue>"
        "</RequestId><RequestType>Digital</RequestType><RequestScopeType>Item</RequestScopeType></RequestItem>"
    )
    await well(world, wish, partner="BROKER")
    named = "<RequestId><RequestIdentifierValue>R-1</RequestIdentifierValue></RequestId><ResourceDesired/>"
    answer = await well(world, say.lend("L1", "-", before=named), partner="BROKER")
    assert answer.text("ElectronicResource/ReferenceToResource") == "https://books.example/1"
    assert world.status("R-1") == "request-completed"


# ---------------------------------------------------------------------------------------------- borrowed items


async def test_a_self_check_lends_what_was_borrowed_for_this_user_only(world: World) -> None:
    await well(world, say.accept("R-1", "X-1", action="Hold For Pickup"), partner="BROKER", to="BORROW")
    other = await refused(world, say.lend("X-1", "BORROW-USER-2"), to="BORROW")
    assert other == ("User Ineligible To Check Out This Item", "CheckOutItem/UserId/UserIdentifierValue")
    answer = await well(world, say.lend("X-1", say.READER), to="BORROW")
    assert answer.text("CheckOutItemResponse/DateDue") == "2026-02-10T22:59:59Z"
    assert world.status("R-1", "BORROW") == "loaned-item-to-patron"
    back = await well(world, say.bring_back("X-1"), to="BORROW")
    assert "its library" in (back.text("RoutingInformation/RoutingInstructions") or "")
    assert world.status("R-1", "BORROW") == "returned-by-patron"
    await well(world, say.bring_back("X-1"), to="BORROW")


async def test_a_broker_that_names_another_user_of_ours_is_refused(world: World) -> None:
    await well(world, say.accept("R-1", "X-1", action="Hold For Pickup"), partner="BROKER", to="BORROW")
    found = await refused(world, say.lend("X-1", "BORROW-USER-2"), partner="BROKER", to="BORROW")
    assert found[0] == "User Ineligible To Check Out This Item"
    await well(world, say.lend("X-1", say.READER), partner="BROKER", to="BORROW")
    await well(world, say.lend("X-1", say.READER), partner="BROKER", to="BORROW")
    assert world.count("loan") == 1


# ---------------------------------------------------------------------------------------------- renewals


async def test_a_user_renews_and_the_answer_tells_what_is_asked(world: World) -> None:
    await well(world, say.lend("L1"))
    wanted = say.STATUS_WANTED + say.NAME_WANTED + "<DesiredDateDue>2026-03-01T22:59:59Z</DesiredDateDue>"
    answer = await well(world, say.renew("L1", after=wanted))
    assert answer.text("RenewItemResponse/DateDue") == "2026-03-01T22:59:59Z"
    assert answer.text("RenewItemResponse/RenewalCount") == "1"
    assert answer.has("UserOptionalFields/NameInformation")
    assert due(world, "L1") == "2026-03-01T22:59:59Z"


async def test_a_blocked_user_does_not_renew(world: World) -> None:
    await well(world, say.lend("L1"))
    await block(world, "Block Renewal")
    assert await refused(world, say.renew("L1")) == ("User Blocked", "RenewItem/UserId")


async def test_an_item_that_takes_no_renewals_is_not_renewed_for_any_user(world: World) -> None:
    await restrict(world, "L1", "Renewals Not Permitted")
    await well(world, say.lend("L1"))
    found = await refused(world, say.renew("L1"))
    assert found == ("User Ineligible To Renew This Item", "RenewItem/UserId/UserIdentifierValue")


async def test_a_renewal_costs_the_fee_again_once_it_is_agreed_to(world: World) -> None:
    await give_fee(world, "L1", 100)
    await restrict(world, "L1", "No Reproduction", acknowledge=True)
    agreed = (
        say.money("AcknowledgedFeeAmount", 100)
        + "<AcknowledgedItemUseRestrictionType>no reproduction</AcknowledgedItemUseRestrictionType>"
    )
    await well(world, say.lend("L1", before=agreed))
    answer = await world.send(say.renew("L1"), partner="ILS")
    assert answer.problem == "Needed Data Missing"
    assert answer.text("RenewItemResponse/RequiredFeeAmount/MonetaryValue") == "100"
    assert answer.text("RenewItemResponse/RequiredItemUseRestrictionType") == "No Reproduction"
    answer = await well(world, say.renew("L1", after=agreed))
    assert answer.text("FiscalTransactionInformation/FiscalTransactionType") == "Renewal Fee"
    assert owed(world) == 200


@pytest.mark.parametrize("user", [U2, "NOBODY"])
async def test_only_who_has_an_item_renews_it(world: World, user: str) -> None:
    await well(world, say.lend("L1"))
    found = await refused(world, say.renew("L1", user))
    assert found[0] == ("Item Not Checked Out" if user == U2 else "Unknown User")


async def test_renewals_end_at_the_maximum_and_at_the_longest_loan(world: World) -> None:
    await well(world, say.lend("L1"))
    for _ in range(3):
        await well(world, say.renew("L1"))
        world.clock.pass_days(1)
    assert (await refused(world, say.renew("L1")))[0] == "Maximum Renewals Exceeded"
    await well(world, say.lend("L2"))
    far = await refused(world, say.renew("L2", due="2027-01-01T00:00:00Z"))
    assert far[0] == "Item Not Renewable"


async def test_an_item_that_others_wait_for_is_not_renewed(world: World) -> None:
    await well(world, say.lend("L1"))
    await world.desk("request", user=U2, barcode="L1")
    assert (await refused(world, say.renew("L1")))[0] == "Renewal Not Allowed - Item Has Outstanding Requests"


async def test_what_was_reported_lost_or_returned_is_not_renewed(world: World) -> None:
    await well(world, say.lend("L1"))
    await well(world, say.report("L1", "Returned"))
    assert (await refused(world, say.renew("L1")))[0] == "Item Not Renewable"
    await well(world, say.lend("L2", "-"), partner="BROKER")
    await well(world, say.report("L2", "Missing", "-"), partner="BROKER")
    assert (await refused(world, say.renew("L2", "-"), partner="BROKER"))[0] == "Item Not Renewable"
