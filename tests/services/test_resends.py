"""Resends: one effect, however often a message comes, and the very same answer while nothing has happened since."""

from __future__ import annotations

import asyncio
import re
import zlib

import pytest

from ncipd.circulation.partner import Partner
from tests.circulation import messages as say
from tests.circulation.messages import IN_FEBRUARY, IN_MARCH
from tests.services.world import fill, make_world, message

USER = "LEND-USER-1"
SECRET = "ZXC-1234-SECRET"
PARTNERS = (
    Partner(code="SECRET", agency="LEND", secret=SECRET),
    Partner(code="BROKER", agency="LEND", url="http://broker.invalid/ncip"),
    Partner(code="MANUAL", agency="LEND", url="http://broker.invalid/ncip", automatic_renewal=False),
    Partner(code="NOWINDOW", agency="LEND", resend_window_minutes=0),
    Partner(code="DIGITAL", agency="LEND", receive_digitally=True),
)
MINUTE = 1 / (24 * 60)

# What must have happened before, the message, and what it leaves one of.
CASES = {
    "RequestItem": ((), say.request_item("R-1", item="L1"), ("request", 1)),
    "RequestItem for a user": ((), say.request_item("R-1", user=USER, title="OCLC-9"), ("request", 1)),
    "CancelRequestItem": ((say.request_item("R-1", item="L1"),), say.cancel("R-1"), ("request_event", 2)),
    "CheckOutItem": ((), say.check_out("L1", "R-1", due=IN_FEBRUARY), ("loan", 1)),
    "CheckOutItem of a copy": (
        (say.request_item("R-1", item="L1", kind="Digital"),),
        say.check_out("L1", "R-1"),
        ("request_event", 2),
    ),
    "CheckInItem": ((say.check_out("L1", "R-1"),), say.check_in("L1", "R-1"), ("request_event", 2)),
    "CheckInItem of what was borrowed": (
        (say.accept("R-1", item="X-1", user=USER),),
        say.check_in("X-1"),
        ("request_event", 2),
    ),
    "AcceptItem": ((), say.accept("R-1", item="X-1", user=USER, return_by=IN_FEBRUARY), ("hold", 1)),
    "AcceptItem without an item": ((), say.accept("R-1", user=USER, return_by=IN_FEBRUARY), ("hold", 1)),
    "AcceptItem of a copy": ((), say.accept("R-1", item="X-1", user=USER, final=True), ("notice", 1)),
    "RenewItem": ((say.check_out("L1", "R-1", due=IN_FEBRUARY),), say.renew("L1"), ("request_event", 2)),
    "RenewItem as approval": (
        (say.accept("R-1", item="X-1", user=USER, action="Circulate", return_by=IN_FEBRUARY),),
        say.renew("X-1", IN_MARCH),
        ("notice", 1),
    ),
    "RecallItem": (
        (say.accept("R-1", item="X-1", user=USER, action="Circulate", return_by=IN_FEBRUARY),),
        say.recall("X-1"),
        ("notice", 1),
    ),
}
LATE = {name for name in CASES if not name.startswith(("CancelRequestItem", "RenewItem"))}  # which state decides, later


@pytest.fixture
async def world(tmp_path):
    made = make_world(tmp_path / "data", PARTNERS)
    await fill(made)
    yield made
    await made.store.close()


async def prepared(world, case, partner="BROKER"):
    """Do what must have happened before; gives the message and what it may leave."""
    before, sent, effect = CASES[case]
    for content in before:
        assert (await world.send(content, partner=partner)).problem is None
    world.clock.pass_days(MINUTE)
    return sent, effect


def rows(world):
    """All that a message can change, except its own line in the journal."""
    tables = ("request", "request_item", "request_event", "item", "loan", "hold", "recall", "task", "notice", "outbox")
    return {name: world.store._reader.execute(f"SELECT * FROM {name}").fetchall() for name in tables}


def rebuilt(content, partner="BROKER"):
    """The same message as another program would write it: prefix, line breaks, another order of attributes."""
    text = message(content, partner=partner).replace(' xmlns:n="http://www.niso.org/2008/ncip"', "")
    text = re.sub(r"<(/?)(\w)", r"<\1ncip:\2", text)
    text = text.replace("xmlns=", "xmlns:ncip=").replace("n:version", "ncip:version").replace("><", ">\n  <")
    return f"<?xml version='1.0' encoding='utf-8'?>\n{text}\n"


# ---------------------------------------------------------------------------------------------- within the window


@pytest.mark.parametrize("case", CASES)
async def test_a_message_that_comes_again_gets_the_same_bytes_and_does_nothing(world, case):
    sent, (table, count) = await prepared(world, case)
    first = await world.send(sent)
    assert first.problem is None, first
    after = rows(world)
    assert len(after[table]) == count
    for minutes in (0, 1, 8):
        world.clock.pass_days(minutes * MINUTE)
        assert (await world.send(sent)).raw == first.raw
    assert rows(world) == after


async def test_an_item_copied_again_is_checked_in_again_by_the_same_words(world):
    """The words name the barcode alone: they mean the copy that waits now, though nothing of the first has changed."""
    for identifier in ("R-1", "R-2"):
        assert (
            await world.send(say.request_item(identifier, item="L1", kind="Digital"), partner="DIGITAL")
        ).problem is None
        assert (await world.send(say.check_out("L1", identifier), partner="DIGITAL")).problem is None
        assert world.status(identifier) == "shipped-digitally"
        for _ in range(2):
            world.clock.pass_days(MINUTE)
            assert (await world.send(say.check_in("L1"), partner="DIGITAL")).problem is None
            assert world.status(identifier) == "request-completed"


def look(barcode):
    return f"<LookupItem>{say.item_id(barcode)}</LookupItem>"


async def test_an_answer_is_repeated_whatever_else_was_said_in_its_batch(world):
    """The words of a question are written down before those of a change that came earlier: its answer is made last."""
    asked = say.check_out("L1", "R-1")
    first, *_ = await asyncio.gather(*(world.send(one) for one in (asked, look("L1"), look("L3"))))
    assert first.problem is None
    world.clock.pass_days(MINUTE)
    assert (await world.send(asked)).raw == first.raw


@pytest.mark.parametrize("case", CASES)
async def test_twenty_at_once_are_one_effect_and_twenty_times_the_same_answer(world, case):
    sent, (table, count) = await prepared(world, case)
    answers = await asyncio.gather(*(world.send(sent) for _ in range(20)))
    assert len({answer.raw for answer in answers}) == 1
    assert answers[0].problem is None
    assert len(rows(world)[table]) == count


@pytest.mark.parametrize("case", CASES)
async def test_a_restart_in_between_makes_no_difference(tmp_path, case):
    """Answers are stored with what they did, in the same file."""
    world = make_world(tmp_path / "data", PARTNERS)
    await fill(world)
    sent, _ = await prepared(world, case)
    first = await world.send(sent)
    after = rows(world)
    await world.store.close()
    again = make_world(tmp_path / "data", PARTNERS)
    again.store.read(again.directory.refresh)
    again.clock.moment = world.clock.moment + 60_000_000
    assert (await again.send(sent)).raw == first.raw
    assert rows(again) == after
    await again.store.close()


@pytest.mark.parametrize("case", CASES)
async def test_a_message_written_by_another_program_is_the_same_message(world, case):
    """Prefix, white space between elements and the form of the declaration are no content."""
    sent, _ = await prepared(world, case)
    first = await world.send(sent)
    after = rows(world)
    assert rebuilt(sent) != message(sent, partner="BROKER")
    assert (await world.post(rebuilt(sent))).raw == first.raw
    assert rows(world) == after


async def test_a_message_of_another_partner_is_another_message(world):
    """Identity is partner, agency, service and content."""
    await world.send(say.check_out("L1", "R-1"))
    assert (await world.send(say.check_out("L1", "R-1"), partner="MANUAL")).problem == "Item Already Checked Out"
    for partner in ("BROKER", "MANUAL"):
        assert (await world.send(say.request_item("R-9", item="L2"), partner=partner)).problem is None
    assert world.count("request") == 3


# ---------------------------------------------------------------------------------------------- after the window


@pytest.mark.parametrize("case", sorted(LATE))
@pytest.mark.parametrize("how", ["as it was", "rebuilt"])
async def test_days_later_the_state_decides_and_what_stands_is_confirmed(world, case, how):
    """Success, with what is so now, and no second effect."""
    sent, _ = await prepared(world, case)
    assert (await world.send(sent)).problem is None
    after = rows(world)
    world.clock.pass_days(3)
    again = await (world.send(sent) if how == "as it was" else world.post(rebuilt(sent)))
    assert again.problem is None, again
    assert rows(world) == after


async def test_a_late_resend_is_answered_with_current_data(world):
    """The loan was renewed since: the answer says the new date and the count."""
    shipped = say.check_out("L1", "R-1", due=IN_FEBRUARY)
    await world.send(shipped)
    await world.send(say.renew("L1", IN_MARCH))
    world.clock.pass_days(2)
    again = await world.send(shipped)
    assert (again.text("CheckOutItemResponse/DateDue"), again.text("CheckOutItemResponse/RenewalCount")) == (
        IN_MARCH,
        "1",
    )


async def test_a_late_resend_of_accept_item_does_not_bring_back_the_old_date(world):
    """The lender renewed since: the date of return stays the new one, for request and loan."""
    arrived = say.accept("R-1", item="X-1", user=USER, action="Circulate", return_by=IN_FEBRUARY)
    await world.send(arrived)
    await world.send(say.renew("X-1", IN_MARCH))
    after = rows(world)
    world.clock.pass_days(2)
    assert (await world.send(arrived)).problem is None
    assert rows(world) == after


async def test_cancelling_again_much_later_is_too_late(world):
    """A wish is no fact: after the window the request is cancelled, and can be cancelled no more."""
    await world.send(say.request_item("R-1", item="L1"))
    await world.send(say.cancel("R-1"))
    world.clock.pass_days(1)
    assert (await world.send(say.cancel("R-1"))).problem == "Request Already Processed"


async def test_the_window_is_the_partners(world):
    """With no window the state decides at once: the same success, told anew."""
    shipped = say.check_out("L1", "R-1", due=IN_FEBRUARY)
    await world.send(shipped, partner="NOWINDOW")
    world.clock.pass_days(MINUTE)
    assert (await world.send(shipped, partner="NOWINDOW")).problem is None
    notes = [row[0] for row in world.store._reader.execute("SELECT note FROM journal ORDER BY id")]
    assert not any("stored answer" in note for note in notes)
    assert world.count("loan") == 1


# ---------------------------------------------------------------------------------------------- RenewItem


async def test_for_renew_item_the_window_alone_decides(world):
    """Within it, a resend; after it, a new wish."""
    await world.send(say.check_out("L1", "R-1", due=IN_FEBRUARY))
    first = await world.send(say.renew("L1"))
    world.clock.pass_days(9 * MINUTE)
    assert (await world.send(say.renew("L1"))).raw == first.raw
    world.clock.pass_days(2 * MINUTE)
    second = await world.send(say.renew("L1"))
    assert second.text("RenewItemResponse/RenewalCount") == "2"
    assert second.text("RenewItemResponse/DateDue") > first.text("RenewItemResponse/DateDue")


async def test_a_renewal_that_staff_decided_meanwhile_is_not_wished_for_again_by_a_resend(world):
    """The rows have changed, but the window is open: the broker is told what it was told."""
    await world.send(say.check_out("L1", "R-1", due=IN_FEBRUARY), partner="MANUAL")
    first = await world.send(say.renew("L1", IN_MARCH), partner="MANUAL")
    assert first.has("RenewItemResponse/Pending")
    await world.desk("approve-renewal", request="R-1")
    world.clock.pass_days(MINUTE)
    assert (await world.send(say.renew("L1", IN_MARCH), partner="MANUAL")).raw == first.raw
    assert (world.status("R-1"), world.tasks(), world.sent()) == ("renewed", [], ["ItemRenewed"])


async def test_renewals_of_two_loans_within_one_window_are_two(world):
    """In and out again between them: the second is about another loan, although it reads the same."""
    for request in ("R-1", "R-2"):
        await world.send(say.check_out("L1", request, due=IN_FEBRUARY))
        assert (await world.send(say.renew("L1", IN_MARCH))).problem is None
        assert world.status(request) == "renewed"
        await world.send(say.check_in("L1"))
    assert world.count("loan") == 2


# ---------------------------------------------------------------------------------------------- what is not replayed


async def test_a_problem_is_never_replayed(world):
    """The block is lifted within the window: the same wish is granted."""
    wish = say.request_item("R-1", user="LEND-BLOCKED", title="OCLC-9")
    assert (await world.send(wish)).problem == "User Blocked"
    await world.store.transact(lambda tx: tx._execute("DELETE FROM user_block", ()))
    assert (await world.send(wish)).problem is None


async def test_an_item_that_came_back_meanwhile_is_not_refused_again(world):
    await world.desk("check-out", barcode="L1", user=USER)
    shipped = say.check_out("L1", "R-1")
    assert (await world.send(shipped)).problem == "Item Already Checked Out"
    await world.desk("return", barcode="L1")
    assert (await world.send(shipped)).problem is None


async def test_out_in_and_out_again_is_three_effects(world):
    """Each identical to an earlier message, each within the window of it."""
    for expected in ("on-loan", "available", "on-loan", "available", "on-loan"):
        content = say.check_out("L1", "R-1") if expected == "on-loan" else say.check_in("L1", "R-1")
        assert (await world.send(content)).problem is None
        assert world.item_status("L1") == expected
    assert (world.count("loan"), world.count("request")) == (3, 3)


async def test_accepted_sent_back_and_accepted_again_is_three_effects(world):
    arrived = say.accept("R-1", item="X-1", user=USER)
    for expected in ("received", "withdrawn", "received"):
        content = arrived if expected == "received" else say.check_in("X-1")
        assert (await world.send(content)).problem is None
        assert world.item_status("X-1") == expected
    assert world.count("request") == 2


async def test_what_the_desk_did_meanwhile_is_not_denied_by_a_stored_answer(world):
    """Shipped by message, scanned in at the desk, shipped again by the same message: a second loan."""
    shipped = say.check_out("L1", "R-1")
    await world.send(shipped)
    await world.desk("scan-in", barcode="L1")
    assert (world.item_status("L1"), world.status("R-1")) == ("available", "request-completed")
    assert (await world.send(shipped)).problem is None
    assert (world.item_status("L1"), world.count("loan")) == ("on-loan", 2)


async def test_a_desk_check_out_in_between_ends_the_stored_answer(world):
    """AcceptItem again, after the user fetched the item: confirmed, not replayed, and nothing is undone."""
    arrived = say.accept("R-1", item="X-1", user=USER)
    await world.send(arrived)
    await world.desk("check-out", barcode="X-1", user=USER)
    after = rows(world)
    assert (await world.send(arrived)).problem is None
    assert rows(world) == after
    (note,) = world.store._reader.execute("SELECT note FROM journal ORDER BY id DESC LIMIT 1").fetchone()
    assert "stored answer" not in note


async def test_a_request_cancelled_at_the_desk_is_made_again_by_the_same_message(world):
    wish = say.request_item("R-1", item="L1")
    await world.send(wish)
    await world.desk("cancel", request="R-1")
    assert (await world.send(wish)).problem is None
    assert (world.status("R-1"), world.count("request")) == ("being-processed", 2)


async def test_answers_that_changed_nothing_are_not_stored(world):
    """Lookups, refusals and confirmations leave nothing to replay."""
    await world.send(say.lookup_item("L1", "Circulation Status"))
    await world.send(say.check_in("L1"))
    assert world.count("reply") == 0
    await world.send(say.check_out("L1", "R-1"))
    assert world.count("reply") == 1
    world.clock.pass_days(1)
    await world.send(say.check_out("L1", "R-1"))
    assert world.count("reply") == 1


async def test_nothing_that_is_kept_for_resends_holds_a_secret(world, tmp_path):
    """A message is known again by a keyed hash; what is kept of its words is masked."""
    said = message(say.check_out("L1", "R-1"), partner="SECRET").replace(
        "<ToAgencyId>", f"<FromAgencyAuthentication>{SECRET}</FromAgencyAuthentication><ToAgencyId>"
    )
    first = await world.post(said)
    assert (first.problem, (await world.post(said)).raw) == (None, first.raw)
    kept = world.store._reader.execute("SELECT words FROM message_body").fetchall()
    assert [b"***" in zlib.decompress(body) for (body,) in kept] == [True, True]
    assert not [body for (body,) in kept if SECRET.encode() in zlib.decompress(body)]
    assert not [file for file in (tmp_path / "data").iterdir() if SECRET.encode() in file.read_bytes()]
