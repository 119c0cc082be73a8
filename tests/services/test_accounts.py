"""Users' accounts: charged, paid, waived, cancelled; the balance is always the sum of the entries."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncipd.circulation import account
from ncipd.circulation.model import Loan
from ncipd.ncip.currencies import DIGITS, currency, shown
from ncipd.ncip.schemes import FiscalActionType, FiscalTransactionType
from tests.services.people import PEOPLE, U1, look, notes, rows, user
from tests.services.world import START, World, fill, item_id, make_world, request_id, user_id

INVALID = "Invalid Amount"
VIOLATED = "Element Rule Violated"
UNKNOWN_VALUE = "Unknown Value From Known Scheme"
ACTIONS = FiscalActionType.scheme
TYPES = FiscalTransactionType.scheme
MANDATED = "<MandatedAction><DateEventOccurred>2026-01-04T10:00:00Z</DateEventOccurred></MandatedAction>"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path / "data", PEOPLE)
    await fill(made)
    yield made
    await made.store.close()


def reference(number: str, agency: str = "LEND", kind: str = "FiscalTransactionReferenceId") -> str:
    return (
        f"<{kind}><AgencyId>{agency}</AgencyId><FiscalTransactionIdentifierValue>{number}"
        f"</FiscalTransactionIdentifierValue></{kind}>"
    )


def about(number: str, agency: str = "LEND") -> str:
    return reference(number, agency, "RelatedFiscalTransactionReferenceId")


def information(
    action: str = "Assess", amount: int | str = 250, *, code: str = "EUR", refs: str = "", type_: str = "Fine",
    action_list: str = "", type_list: str = "", dates: str = "", more: str = "",
) -> str:  # fmt: skip
    return (
        f"<FiscalTransactionInformation><FiscalActionType{_from(action_list)}>{action}</FiscalActionType>{refs}"
        f"<FiscalTransactionType{_from(type_list)}>{type_}</FiscalTransactionType>{dates}<Amount>"
        f"<CurrencyCode>{code}</CurrencyCode><MonetaryValue>{amount}</MonetaryValue></Amount>{more}"
        "</FiscalTransactionInformation>"
    )


def _from(scheme: str) -> str:
    return f' n:Scheme="{scheme}"' if scheme else ""


def post(*args: Any, name: str = U1, before: str = "", **said: Any) -> str:
    return (
        f"<CreateUserFiscalTransaction>{before}{user_id(name)}{information(*args, **said)}"
        "</CreateUserFiscalTransaction>"
    )


def told(*args: Any, name: str = U1, **said: Any) -> str:
    return f"<UserFiscalTransactionCreated>{user_id(name)}{information(*args, **said)}</UserFiscalTransactionCreated>"


async def posted(world: World, *args: Any, **said: Any) -> str:
    """Post something and give its number."""
    answer = await world.send(post(*args, **said))
    assert answer.problem is None, answer
    return answer.text("FiscalTransactionReferenceId/FiscalTransactionIdentifierValue") or ""


async def balances(world: World, name: str = U1) -> dict[str, int]:
    answer = await world.send(look(name, more="<UserFiscalAccountDesired/>"))
    codes = answer.texts("AccountBalance/CurrencyCode")
    values = answer.texts("AccountBalance/MonetaryValue")
    return dict(zip(codes, map(int, values), strict=True))


# --- posting ---------------------------------------------------------------------------------------------------------


async def test_a_charge_is_on_the_account_with_all_that_was_told(world: World) -> None:
    await world.desk("check-out", barcode="L1", user=U1)
    await world.desk("request", user=U1, barcode="L2")
    dates = "<ValidFromDate>2026-01-01T00:00:00Z</ValidFromDate><ValidToDate>2026-02-01T00:00:00Z</ValidToDate>"
    more = (
        "<PaymentMethodType>Cash</PaymentMethodType>"
        "<FiscalTransactionDescription>two days late</FiscalTransactionDescription>"
        f"{request_id('hold-1')}<ItemDetails>{item_id('L1')}<BibliographicDescription/></ItemDetails>"
    )
    answer = await world.send(post(refs=reference("T-1"), dates=dates, more=more), partner="DISCOVERY")
    assert answer.problem is None, answer
    assert answer.text("CreateUserFiscalTransactionResponse/UserId/UserIdentifierValue") == U1
    assert answer.text("FiscalTransactionReferenceId/FiscalTransactionIdentifierValue") == "T-1"
    found = await world.send(look(U1, more="<UserFiscalAccountDesired/>"))
    for path, value in {
        "UserFiscalAccount/AccountBalance/MonetaryValue": "250",
        "UserFiscalAccount/AccountBalance/CurrencyCode": "EUR",
        "AccountDetails/AccrualDate": "2026-01-05T09:00:00Z",
        "FiscalTransactionInformation/FiscalActionType": "Assess",
        "FiscalTransactionInformation/FiscalTransactionType": "Fine",
        "FiscalTransactionReferenceId/AgencyId": "LEND",
        "FiscalTransactionReferenceId/FiscalTransactionIdentifierValue": "T-1",
        "FiscalTransactionInformation/ValidFromDate": "2026-01-01T00:00:00Z",
        "FiscalTransactionInformation/ValidToDate": "2026-02-01T00:00:00Z",
        "FiscalTransactionInformation/Amount/MonetaryValue": "250",
        "FiscalTransactionInformation/PaymentMethodType": "Cash",
        "FiscalTransactionInformation/FiscalTransactionDescription": "two days late",
        "FiscalTransactionInformation/RequestId/RequestIdentifierValue": "hold-1",
        "ItemDetails/ItemId/ItemIdentifierValue": "L1",
        "ItemDetails/BibliographicDescription/Title": "Title 1",
        "ItemDetails/DateCheckedOut": "2026-01-05T09:00:00Z",
    }.items():
        assert found.text(path) == value, path


async def test_the_balance_is_the_sum_of_what_charges_add_and_the_rest_takes(world: World) -> None:
    for action, amount in (
        ("Assess", 1000), ("Penalty", 500), ("Payment", 300), ("Waive", 100), ("Forgive", 200), ("Write Off", 50),
        ("Refund", 30),
    ):  # fmt: skip
        await posted(world, action, amount)
    assert await balances(world) == {"EUR": 1000 + 500 - 300 - 100 - 200 - 50 + 30}


async def test_each_currency_has_its_own_balance_in_its_own_minor_units(world: World) -> None:
    await posted(world, "Assess", 500)
    await posted(world, "Assess", 500, code="jpy")
    await posted(world, "Payment", 700, code="JPY")
    assert await balances(world) == {"EUR": 500, "JPY": -200}, (
        "what is paid beyond what is owed is to the user's credit"
    )
    answer = await world.send(look(U1, more="<UserFiscalAccountDesired/>"))
    assert len(answer.texts("UserFiscalAccount/AccountDetails/AccrualDate")) == 3


async def test_an_account_is_told_only_where_it_was_asked_for(world: World) -> None:
    await posted(world)
    assert not (await world.send(look(U1))).has("UserFiscalAccount")
    assert await balances(world, "LEND-USER-2") == {}


@pytest.mark.parametrize("who", ["BROKER", "DISCOVERY"])
async def test_a_transaction_without_a_number_gets_one(world: World, who: str) -> None:
    first, second = [
        (await world.send(post(amount=amount), partner=who)).text("FiscalTransactionIdentifierValue")
        for amount in (1, 2)
    ]
    assert first
    assert second
    assert first != second


async def test_a_transaction_that_comes_twice_counts_once(world: World) -> None:
    first = await world.send(post())
    assert (await world.send(post())).raw == first.raw
    numbered = await world.send(post(refs=reference("T-1")))
    assert (await world.send(post(refs=reference("T-1")))).raw == numbered.raw
    assert await balances(world) == {"EUR": 500}
    world.clock.pass_days(1)
    again = await world.send(post(refs=reference("T-1")))
    assert (again.problem, again.text("Problem/ProblemValue")) == ("Duplicate Fiscal Transaction", "T-1")
    assert await balances(world) == {"EUR": 500}


async def test_numbers_of_different_agencies_are_different_numbers(world: World) -> None:
    """Whichever of our own codes is used, it is our number."""
    await posted(world, refs=reference("T-1"))
    await posted(world, refs=reference("T-1", "XX-OTHER"))
    assert (await world.send(post("Payment", refs=reference("T-1", "lend")))).problem == "Duplicate Fiscal Transaction"
    answer = await world.send(look(U1, more="<UserFiscalAccountDesired/>"))
    assert answer.texts("FiscalTransactionReferenceId/AgencyId") == ["LEND", "XX-OTHER"]


async def test_what_has_happened_already_accrued_when_it_happened(world: World) -> None:
    assert (await world.send(post(before=MANDATED))).problem is None
    answer = await world.send(look(U1, more="<UserFiscalAccountDesired/>"))
    assert answer.text("AccountDetails/AccrualDate") == "2026-01-04T10:00:00Z"


# --- cancelling and letting off --------------------------------------------------------------------------------------


async def test_a_cancellation_takes_back_what_it_cancels_and_only_once(world: World) -> None:
    fine = await posted(world, "Assess", 250)
    payment = await posted(world, "Payment", 100)
    await posted(world, "Cancel", 250, refs=about(fine))
    assert await balances(world) == {"EUR": -100}
    again = await world.send(post("Cancel", 250, refs=about(fine), type_="Service Charge"))
    assert (again.problem, again.text("Problem/ProblemValue")) == ("Unable To Add Element", fine)
    await posted(world, "Cancel", 100, refs=about(payment))
    assert await balances(world) == {"EUR": 0}


async def test_several_can_be_cancelled_at_once_for_what_they_come_to(world: World) -> None:
    one, two = await posted(world, "Assess", 250), await posted(world, "Penalty", 50)
    assert (await world.send(post("Cancel", 250, refs=about(one) + about(two)))).problem == INVALID
    cancelling = await posted(world, "Cancel", 300, refs=about(one) + about(two))
    assert await balances(world) == {"EUR": 0}
    answer = await world.send(look(U1, more="<UserFiscalAccountDesired/>"))
    assert answer.texts("RelatedFiscalTransactionReferenceId/FiscalTransactionIdentifierValue") == [one, two]
    undo = await world.send(post("Cancel", 300, refs=about(cancelling)))
    assert undo.problem == "Unable To Add Element", "a cancellation stands"


@pytest.mark.parametrize("action", ["Waive", "Forgive", "Write Off"])
async def test_no_more_is_let_off_than_is_owed(world: World, action: str) -> None:
    small, _ = await posted(world, "Assess", 100), await posted(world, "Assess", 400)
    assert (await world.send(post(action, 501))).problem == INVALID
    refused = await world.send(post(action, 101, refs=about(small)))
    assert (refused.problem, refused.text("Problem/ProblemValue")) == (INVALID, "101 EUR")
    assert "1.00 EUR" in (refused.text("Problem/ProblemDetail") or "")
    await posted(world, action, 100, refs=about(small))
    assert await balances(world) == {"EUR": 400}
    assert (await world.send(post(action, 9999, before=MANDATED))).problem is None, "what has happened has happened"


async def test_what_settles_a_charge_is_about_the_same_loan(world: World) -> None:
    await world.desk("check-out", barcode="L1", user=U1)
    details = f"<ItemDetails>{item_id('L1')}<BibliographicDescription/></ItemDetails>"
    fine = await posted(world, "Assess", 250, more=details)
    await world.desk("return", barcode="L1")
    await posted(world, "Payment", 250, refs=about(fine))
    assert rows(world, "SELECT loan_id, item_id IS NOT NULL FROM fiscal_entry") == [(1, 1), (1, 1)]


# --- problems --------------------------------------------------------------------------------------------------------

WHERE = "CreateUserFiscalTransaction/FiscalTransactionInformation"
PROBLEMS: dict[str, tuple[str, str, str]] = {
    "unknown currency": (post(code="XXZ"), INVALID, f"{WHERE}/Amount/CurrencyCode"),
    "nothing": (post(amount=0), INVALID, f"{WHERE}/Amount/MonetaryValue"),
    "negative": (post(amount=-5), INVALID, f"{WHERE}/Amount/MonetaryValue"),
    "beyond all measure": (post(amount=10**40), INVALID, f"{WHERE}/Amount/MonetaryValue"),
    "unknown action": (post("Steal"), VIOLATED, f"{WHERE}/FiscalActionType"),
    "unknown action of the list": (post("Steal", action_list=ACTIONS), UNKNOWN_VALUE, f"{WHERE}/FiscalActionType"),
    "unknown type of the list": (
        post(type_="Bribe", type_list=TYPES),
        UNKNOWN_VALUE,
        f"{WHERE}/FiscalTransactionType",
    ),
    "ends before it begins": (
        post(
            dates="<ValidFromDate>2026-02-01T00:00:00Z</ValidFromDate><ValidToDate>2026-01-01T00:00:00Z</ValidToDate>"
        ),
        VIOLATED,
        f"{WHERE}/ValidToDate",
    ),
    "unknown item": (
        post(more=f"<ItemDetails>{item_id('NO')}<BibliographicDescription/></ItemDetails>"),
        "Unknown Item",
        f"{WHERE}/ItemDetails/ItemId/ItemIdentifierValue",
    ),
    "unknown request": (
        post(more=request_id("NO")),
        "Unknown Request",
        f"{WHERE}/RequestId/RequestIdentifierValue",
    ),
    "unknown related transaction": (
        post("Payment", refs=about("NO")),
        VIOLATED,
        f"{WHERE}/RelatedFiscalTransactionReferenceId/FiscalTransactionIdentifierValue",
    ),
    "cancels nothing": (
        post("Cancel"),
        "Needed Data Missing",
        f"{WHERE}/RelatedFiscalTransactionReferenceId",
    ),
    "unknown user": (
        post(name="NOBODY"),
        "Unknown User",
        "CreateUserFiscalTransaction/UserId/UserIdentifierValue",
    ),
}


@pytest.mark.parametrize("case", PROBLEMS)
async def test_what_cannot_be_posted_is_refused_and_nothing_is(world: World, case: str) -> None:
    message, problem, element = PROBLEMS[case]
    answer = await world.send(message)
    assert (answer.problem, answer.text("Problem/ProblemElement")) == (problem, element), answer
    assert len(answer.text("Problem/ProblemDetail") or "") > 20
    assert rows(world, "SELECT * FROM fiscal_entry") == []


async def test_a_word_that_is_on_no_list_may_say_what_the_money_is_for(world: World) -> None:
    await posted(world, type_="Locker key")
    answer = await world.send(look(U1, more="<UserFiscalAccountDesired/>"))
    assert answer.text("FiscalTransactionInformation/FiscalTransactionType") == "Locker key"


async def test_another_users_transaction_is_not_to_be_settled(world: World) -> None:
    theirs = await posted(world, name="LEND-USER-2")
    answer = await world.send(post("Payment", refs=about(theirs)))
    assert answer.problem == VIOLATED
    assert "LEND-USER-2" not in repr(answer)


async def test_a_partner_without_access_to_accounts_posts_and_sees_nothing(world: World) -> None:
    await posted(world)
    answer = await world.send(post(), partner="NOMONEY")
    assert (answer.problem, answer.text("Problem/ProblemElement")) == (
        "Account Access Denied",
        "CreateUserFiscalTransaction/UserId",
    )
    assert (await world.send(told(), partner="NOMONEY")).problem == "Account Access Denied"
    looked = await world.send(look(U1, more="<UserFiscalAccountDesired/>"), partner="NOMONEY")
    assert (looked.problem, looked.has("UserFiscalAccount")) == (None, False)


# --- what partners tell ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refs", ["", reference("B-7", "XX-BANK")])
async def test_what_a_partner_has_posted_counts_once_however_often_it_is_told(world: World, refs: str) -> None:
    for _ in range(3):
        answer = await world.send(told(refs=refs))
        assert (answer.kind, answer.problem) == ("UserFiscalTransactionCreatedResponse", None), answer
        world.clock.pass_days(1)
    assert await balances(world) == {"EUR": 250}


async def test_what_is_told_is_not_measured_by_what_is_owed_here(world: World) -> None:
    assert (await world.send(told("Waive", 700))).problem is None
    assert (await world.send(told("Cancel", 50))).problem is None
    assert await balances(world) == {"EUR": -750}


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (told(name="NOBODY"), "Unknown User"),
        (told(code="XXZ"), INVALID),
        (told("Payment", refs=about("NO")), VIOLATED),
        (told(more=request_id("NO")), "Unknown Request"),
        (told("Payment", 1, refs=reference("T-1")), "Duplicate Fiscal Transaction"),
    ],
)
async def test_what_cannot_be_taken_up_is_a_problem_and_shown_to_staff(
    world: World, message: str, problem: str
) -> None:
    await posted(world, refs=reference("T-1"))
    answer = await world.send(message)
    assert answer.problem == problem, answer
    (note,) = notes(world)
    assert note.startswith("BROKER sent UserFiscalTransactionCreated about ")
    assert await balances(world) == {"EUR": 250}


# --- for other services ----------------------------------------------------------------------------------------------


async def _with(world: World, work: Any) -> Any:
    return await world.store.transact(lambda tx: work(world.unit(tx, "LEND")))


async def test_taking_a_loan_back_cancels_what_was_charged_for_it_and_nothing_else(world: World) -> None:
    await world.desk("check-out", barcode="L1", user=U1)
    await posted(world, "Assess", 900)
    who = user(world, U1)

    def charge_twice(circ: Any) -> Loan:
        loan: Loan = circ.loan_of(circ.item_by_barcode("L1"))
        account.charge(circ, who, FiscalTransactionType.FINE, 100, "EUR", loan=loan)
        account.charge(circ, who, FiscalTransactionType.RENTAL, 50, "EUR", loan=loan, description="one week")
        return loan

    loan = await _with(world, charge_twice)
    assert world.ask(lambda circ: account.owed_for_loan(circ, loan)).monetary_value == 150
    newest = world.ask(lambda circ: account.latest_for_loan(circ, loan))
    assert (newest.fiscal_transaction_type.value, newest.amount.monetary_value) == ("Rental", 50)
    taken_back = await _with(world, lambda circ: account.reverse_for_loan(circ, loan))
    assert [(one.action, one.effect) for one in taken_back] == [("Cancel", -100), ("Cancel", -50)]
    assert await _with(world, lambda circ: account.reverse_for_loan(circ, loan)) == []
    assert await balances(world) == {"EUR": 900}
    assert world.ask(lambda circ: account.owed_for_loan(circ, loan)) is None


# --- currencies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "code", "text"),
    [
        (500, "EUR", "5.00 EUR"),
        (-5, "EUR", "-0.05 EUR"),
        (500, "JPY", "500 JPY"),
        (1234, "KWD", "1.234 KWD"),
        (0, "USD", "0.00 USD"),
    ],
)
def test_an_amount_is_written_with_the_digits_of_its_currency(amount: int, code: str, text: str) -> None:
    assert shown(amount, code) == text


@given(st.integers(-(10**18), 10**18), st.sampled_from(sorted(DIGITS)))
def test_nothing_of_an_amount_is_lost_when_it_is_written(amount: int, code: str) -> None:
    """The digits, without the point, are the amount in minor units."""
    digits, written = shown(amount, code).split(" ")
    assert (int(digits.replace(".", "")), written) == (amount, code)


def test_the_currencies_of_the_standard_are_known_with_their_digits() -> None:
    assert currency(" eur ") == "EUR"
    assert currency("XXZ") is None
    assert len(DIGITS) >= 169
    assert {code: DIGITS[code] for code in ("EUR", "JPY", "BHD", "CLP", "KRW", "TND")} == {
        "EUR": 2, "JPY": 0, "BHD": 3, "CLP": 0, "KRW": 0, "TND": 3,
    }  # fmt: skip


async def test_related_numbers_are_kept_as_they_were_told(world: World) -> None:
    fine = await posted(world)
    await posted(world, "Payment", 100, refs=about(fine))
    ((related,),) = rows(world, "SELECT related FROM fiscal_entry WHERE action = 'Payment'")
    assert json.loads(related) == [["", fine]]
    assert rows(world, "SELECT min(accrued_at) FROM fiscal_entry")[0][0] == START
