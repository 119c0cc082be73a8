"""Users prove who they are: PIN and password, names of every type, lock-out, and what is never told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ncipd import authentication, hashing
from tests.services.people import PEOPLE, U1, give, log_in, lookup, rows, typed, user
from tests.services.world import World, fill, item_id, make_world, request_id, user_id

FAILED = "User Authentication Failed"
MINUTE = 1 / (24 * 60)
CARD = f"card-{U1}"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path / "data", PEOPLE)
    await fill(made)
    await give(made, U1, "0417")
    yield made
    await made.store.close()


@pytest.mark.parametrize(
    ("by", "name"),
    [("User Id", U1), ("Username", U1), ("username", f" {U1} "), ("Institution Id Number", U1), ("LDAPUsername", U1),
     ("Barcode Id", CARD), ("Barcode", CARD), ("User Id", CARD)],
)  # fmt: skip
async def test_a_name_of_any_type_with_the_right_pin_finds_the_user(world: World, by: str, name: str) -> None:
    answer = await world.send(lookup(log_in(name, "0417", by=by)))
    assert answer.problem is None, answer
    assert answer.text("LookupUserResponse/UserId/UserIdentifierValue") == U1


@pytest.mark.parametrize(
    "who",
    [
        log_in(U1, "0418"),
        log_in(U1, ""),
        log_in("NOBODY", "0417"),
        log_in("", "0417"),
        log_in("LEND-USER-2", "0417"),
        log_in(U1, "0417", by="Barcode Id"),
        typed("User Id", U1),
        typed("PIN", "0417"),
        typed("Barcode Id", CARD),
        typed("MD5 Message Digest Algorithm", "x") + typed("User Id", U1),
        typed("X.509 Certificate", "x"),
        log_in(U1, "0417") + typed("Barcode Id", "card-LEND-USER-2"),
        log_in(U1, "0417") + typed("PIN", "0418"),
        log_in(U1, "0417") + typed("PIN", "0418") + typed("PIN", "0419"),
    ],
)
async def test_anything_else_is_refused_in_the_same_words_that_name_no_culprit(world: World, who: str) -> None:
    answer = await world.send(lookup(who))
    assert answer.problem == FAILED, answer
    assert answer.text("Problem/ProblemElement") == "LookupUser/AuthenticationInput"
    assert answer.text("Problem/ProblemValue") is None
    for hint in ("0417", "0418", "exist", "unknown", "known here"):
        assert hint not in (answer.text("Problem/ProblemDetail") or "")


async def test_a_wrong_name_and_a_wrong_pin_are_answered_alike(world: World) -> None:
    details = {
        (await world.send(lookup(log_in(name, pin)))).text("Problem/ProblemDetail")
        for name, pin in ((U1, "9999"), ("NOBODY", "9999"), ("LEND-USER-2", "9999"), (CARD, "1"))
    }
    assert len(details) == 1


async def test_a_password_is_a_secret_of_its_own_and_the_only_secret_goes_by_any_name(world: World) -> None:
    """Partners call a PIN a password; with both kept, each is what it is."""
    assert (await world.send(lookup(log_in(U1, "0417", with_="Password")))).problem is None
    await give(world, U1, "correct horse", "Password")
    assert (await world.send(lookup(log_in(U1, "0417", with_="Password")))).problem == FAILED
    assert (await world.send(lookup(log_in(U1, "correct horse", with_="LDAPPassword")))).problem is None
    both = log_in(U1, "0417") + typed("Password", "correct horse")
    assert (await world.send(lookup(both))).problem is None
    assert (await world.send(lookup(log_in(U1, "0417") + typed("Password", "wrong")))).problem == FAILED


async def test_letters_count_however_they_are_composed(world: World) -> None:
    await give(world, U1, "caf\u00e9")
    assert (await world.send(lookup(log_in(U1, "cafe\u0301")))).problem is None


async def test_a_user_named_by_id_may_prove_it_and_must_then(world: World) -> None:
    """UserId says who; the PIN beside it is checked, wherever the message has put it."""
    right, wrong = typed("PIN", "0417"), typed("PIN", "1")
    assert (await world.send(lookup(user_id(U1) + right))).problem is None
    assert (await world.send(lookup(right + user_id(U1)))).problem is None
    assert (await world.send(lookup(user_id(U1) + wrong))).problem == FAILED
    assert (await world.send(lookup(user_id("NOBODY") + right))).problem == FAILED
    assert (await world.send(lookup(user_id("LEND-USER-2") + log_in(U1, "0417")))).problem == FAILED
    ext = f"<LookupUser>{user_id(U1)}<Ext>{wrong}</Ext></LookupUser>"
    assert (await world.send(ext)).problem == FAILED


async def test_a_number_alone_is_enough_from_a_partner_that_is_trusted_with_it(world: World) -> None:
    answer = await world.send(lookup(typed("Barcode Id", CARD)), partner="TRUST")
    assert answer.text("LookupUserResponse/UserId/UserIdentifierValue") == U1
    unknown = await world.send(lookup(typed("Barcode Id", "card-9")), partner="TRUST")
    assert (unknown.problem, unknown.text("Problem/ProblemValue")) == ("Unknown User", "card-9")
    assert (await world.send(lookup(log_in(U1, "1")), partner="TRUST")).problem == FAILED, "a PIN that is sent counts"
    number = user(world, "LEND-USER-2").id
    await world.store.transact(
        lambda tx: tx.run("insert_user_identifier", agency=1, value=CARD, type="Barcode", user=number)
    )
    assert (await world.send(lookup(typed("Barcode", CARD)), partner="TRUST")).problem == "Non-Unique User"


async def test_the_agreed_kind_of_number_holds_at_a_log_in_too(world: World) -> None:
    assert (await world.send(lookup(log_in(U1, "0417")), partner="BYNUMBER")).problem is None
    assert (await world.send(lookup(log_in(CARD, "0417")), partner="BYNUMBER")).problem == FAILED


# --- lock-out --------------------------------------------------------------------------------------------------------


async def test_five_failures_in_a_row_lock_for_a_quarter_of_an_hour(world: World) -> None:
    for _ in range(5):
        assert (await world.send(lookup(log_in(U1, "1")))).problem == FAILED
    assert (await world.send(lookup(log_in(U1, "0417")))).problem == FAILED, "the right one does not help now"
    world.clock.pass_days(14 * MINUTE)
    assert (await world.send(lookup(log_in(U1, "0417")))).problem == FAILED
    world.clock.pass_days(1.1 * MINUTE)
    assert (await world.send(lookup(log_in(U1, "1")))).problem == FAILED
    assert (await world.send(lookup(log_in(U1, "0417")))).problem is None


async def test_guesses_while_locked_do_not_lock_for_longer(world: World) -> None:
    for _ in range(12):
        await world.send(lookup(log_in(U1, "1")))
        world.clock.pass_days(1 * MINUTE)
    world.clock.pass_days(8 * MINUTE)
    assert (await world.send(lookup(log_in(U1, "0417")))).problem is None


async def test_a_success_begins_the_count_anew(world: World) -> None:
    for _ in range(3):
        for _ in range(4):
            await world.send(lookup(log_in(U1, "1")))
        assert (await world.send(lookup(log_in(U1, "0417")))).problem is None
    assert rows(world, "SELECT failures, locked_until FROM user_secret") == [(0, None)]


async def test_guesses_at_one_secret_lock_them_all_and_nobody_else(world: World) -> None:
    await give(world, U1, "correct horse", "Password")
    await give(world, "LEND-USER-2", "2222")
    for at in range(5):
        await world.send(lookup(log_in(U1, "1", with_="PIN" if at % 2 else "Password")))
    assert (await world.send(lookup(log_in(U1, "correct horse", with_="Password")))).problem == FAILED
    assert (await world.send(lookup(log_in("LEND-USER-2", "2222")))).problem is None


async def test_many_guesses_at_once_are_no_more_than_five(world: World) -> None:
    """The right PIN among fifty that arrive together is not found after the fifth wrong one."""
    pins = [f"{pin:04}" for pin in range(400, 450)]
    answers = await asyncio.gather(*(world.send(lookup(log_in(U1, pin))) for pin in pins))
    assert {answer.problem for answer in answers} == {FAILED}
    assert rows(world, "SELECT failures, locked_until IS NOT NULL FROM user_secret") == [(0, 1)]


async def test_many_who_know_the_pin_may_come_at_once(world: World) -> None:
    answers = await asyncio.gather(*(world.send(lookup(log_in(U1, "0417"))) for _ in range(12)))
    assert {answer.problem for answer in answers} == {None}


# --- how it is done --------------------------------------------------------------------------------------------------


async def test_comparing_happens_off_the_loop_and_outside_every_transaction(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def watched(text: str, hashed: str) -> bool:
        seen.append(threading.current_thread())
        return hashing.is_secret(text, hashed)

    monkeypatch.setattr(authentication, "is_secret", watched)
    await world.send(lookup(log_in(U1, "0417")))
    await world.send(f"<RenewItem>{log_in('NOBODY', '1')}{item_id('L1')}</RenewItem>")
    assert len(seen) == 2
    assert not {threading.main_thread(), world.store._writer._thread} & set(seen)


async def test_it_takes_as_long_for_a_user_who_is_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is always one hash to compare with, whoever is named, and a failure to write down."""
    compared = []

    def watched(text: str, hashed: str) -> bool:
        compared.append(hashed.split("$")[:4])  # all but its salt and what it is the hash of
        return hashing.is_secret(text, hashed)

    monkeypatch.setattr(authentication, "is_secret", watched)
    for name in (U1, "NOBODY", "LEND-USER-3"):
        await world.send(lookup(log_in(name, "9999")))
    assert len(compared) == 3
    assert compared[0] == compared[1] == compared[2]
    before = rows(world, "SELECT value FROM setting WHERE name = 'last-failed-authentication'")
    world.clock.pass_days(1)
    await world.send(lookup(log_in("NOBODY", "9999")))
    assert rows(world, "SELECT value FROM setting WHERE name = 'last-failed-authentication'") != before


async def test_a_secret_is_written_nowhere(world: World, tmp_path: Path) -> None:
    secret = "Xq7-Zw9-secret"
    await world.send(lookup(log_in(U1, secret)))
    await world.send(f"<CreateUser>{log_in('NEW-1', secret)}{NAMED}</CreateUser>")
    add = f"<AddUserFields>{typed('Password', secret)}</AddUserFields>"
    await world.send(f"<UpdateUser>{user_id(U1)}{add}</UpdateUser>")
    assert (await world.send(lookup(log_in(U1, secret, with_="Password")))).problem is None
    await world.store.close()
    assert files_with(tmp_path, secret.encode()) == []


def files_with(folder: Path, words: bytes) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and words in path.read_bytes()]


NAMED = (
    "<NameInformation><PersonalNameInformation><UnstructuredPersonalUserName>Okafor, Ngozi"
    "</UnstructuredPersonalUserName></PersonalNameInformation></NameInformation>"
)


# --- every message that has it ---------------------------------------------------------------------------------------


def _messages(who: str) -> dict[str, str]:
    item, title = item_id("L1"), "<RequestType>Hold</RequestType>"
    scope = "<RequestScopeType>Item</RequestScopeType>"
    fine = (
        "<FiscalTransactionInformation><FiscalActionType>Assess</FiscalActionType><FiscalTransactionType>Fine"
        "</FiscalTransactionType><Amount><CurrencyCode>EUR</CurrencyCode><MonetaryValue>100</MonetaryValue></Amount>"
        "</FiscalTransactionInformation>"
    )
    return {
        "LookupUser": who,
        "CheckOutItem": who + item,
        "RenewItem": who + item,
        "RequestItem": who + item + title + scope,
        "CancelRequestItem": who + item + title,
        "UpdateUser": f"{who}<AddUserFields><UserLanguage>ger</UserLanguage></AddUserFields>",
        "CreateUserFiscalTransaction": who + fine,
        "LookupRequest": who + item + title,
        "UpdateRequestItem": who + item + title,
        "UndoCheckOutItem": item + who,
        "ReportCirculationStatusChange": f"{item}{who}<ItemReportedLost/>",
        "DeleteUser": who,
    }


SERVICES = tuple(_messages(""))


@pytest.mark.parametrize("service", SERVICES)
async def test_every_message_that_may_log_in_a_user_is_refused_without_the_right_pin(
    world: World, service: str
) -> None:
    content = _messages(log_in(U1, "9999"))[service]
    answer = await world.send(f"<{service}>{content}</{service}>", partner="DISCOVERY")
    if answer.problem == "Unsupported Service":
        pytest.skip(f"{service} is not served yet")
    assert (answer.kind, answer.problem) == (f"{service}Response", FAILED), answer


async def test_a_reader_borrows_renews_and_asks_by_log_in_alone(world: World) -> None:
    """A discovery system never needs to know the number of the user who logs in."""
    say = _messages(log_in(CARD, "0417", by="Barcode Id"))

    async def done(service: str) -> None:
        answer = await world.send(f"<{service}>{say[service]}</{service}>", partner="DISCOVERY")
        assert answer.problem is None, answer

    await done("CheckOutItem")
    assert rows(world, "SELECT user_id FROM loan") == [(user(world, U1).id,)]
    await done("RenewItem")
    await done("UpdateUser")
    await done("CreateUserFiscalTransaction")
    answer = await world.send(
        lookup(log_in(U1, "0417"), more="<LoanedItemsDesired/><UserFiscalAccountDesired/>"), partner="DISCOVERY"
    )
    assert answer.texts("LoanedItem/ItemId/ItemIdentifierValue") == ["L1"]
    assert answer.text("AccountBalance/MonetaryValue") == "100"


async def test_a_reader_asks_for_a_title_and_cancels_by_log_in_alone(world: World) -> None:
    who = log_in(U1, "0417")
    wish = f"{item_id('L2')}<RequestType>Hold</RequestType>"
    asked = f"<RequestItem>{who}{wish}<RequestScopeType>Item</RequestScopeType></RequestItem>"
    assert (await world.send(asked, partner="DISCOVERY")).problem is None
    found = await world.send(f"<LookupRequest>{who}{wish}</LookupRequest>", partner="DISCOVERY")
    assert found.problem is None, found
    other = log_in("LEND-USER-2", "2222")
    await give(world, "LEND-USER-2", "2222")
    refused = await world.send(f"<CancelRequestItem>{other}{wish}</CancelRequestItem>", partner="DISCOVERY")
    assert refused.problem == "Unknown Request", refused
    answer = await world.send(f"<CancelRequestItem>{who}{wish}</CancelRequestItem>", partner="DISCOVERY")
    assert answer.problem is None, answer
    assert rows(world, "SELECT state FROM hold") == [("cancelled",)]


async def test_a_user_who_logs_in_through_a_broker_gets_a_borrowing_request(world: World) -> None:
    wish = (
        f"<RequestItem>{log_in(U1, '0417')}<BibliographicId><BibliographicRecordId><BibliographicRecordIdentifier>9"
        "</BibliographicRecordIdentifier><BibliographicRecordIdentifierCode>OCLC</BibliographicRecordIdentifierCode>"
        f"</BibliographicRecordId></BibliographicId>{request_id('R-1')}<RequestType>Loan</RequestType>"
        "<RequestScopeType>Bibliographic Item</RequestScopeType></RequestItem>"
    )
    answer = await world.send(wish)
    assert answer.problem is None, answer
    assert rows(world, "SELECT role, user_id FROM request") == [("borrowing", user(world, U1).id)]


async def test_the_stored_answer_goes_before_the_log_in(world: World) -> None:
    """A resend of the message that changed the PIN has the old one in it, and still gets its answer."""
    change = (
        f"<UpdateUser>{log_in(U1, '0417')}<DeleteUserFields>{typed('PIN', '0417')}</DeleteUserFields>"
        f"<AddUserFields>{typed('PIN', '2468')}</AddUserFields></UpdateUser>"
    )
    first = await world.send(change)
    assert first.problem is None, first
    assert (await world.send(change)).raw == first.raw
    assert (await world.send(lookup(log_in(U1, "2468")))).problem is None
    assert (await world.send(lookup(log_in(U1, "0417")))).problem == FAILED


async def test_a_user_who_logs_in_finds_the_request_that_was_made_under_another_number(world: World) -> None:
    accepted = (
        f"<AcceptItem>{request_id('R-1')}<RequestedActionType>Hold For Pickup</RequestedActionType>{user_id(CARD)}"
        f"{item_id('X-1')}</AcceptItem>"
    )
    assert (await world.send(accepted)).problem is None
    about = f"{item_id('X-1')}<RequestType>Loan</RequestType>"
    answer = await world.send(f"<LookupRequest>{log_in(U1, '0417')}{about}</LookupRequest>")
    assert answer.text("LookupRequestResponse/RequestId/RequestIdentifierValue") == "R-1", answer
    await give(world, "LEND-USER-2", "2222")
    other = await world.send(f"<LookupRequest>{log_in('LEND-USER-2', '2222')}{about}</LookupRequest>")
    assert other.problem == "Unknown Request", "nobody finds another user's request by logging in"
