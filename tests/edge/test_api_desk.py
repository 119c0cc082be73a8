"""Every action of the desk through its door: what it comes to, and how it says no."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncipd.desk import actions
from tests.edge.office import Office, accept, check_out, renew, request_item

DIGITAL = "Non-returnable Copy"


def test_every_action_is_tried_here():
    """A new action needs a test of its happy path and of its refusals."""
    text = Path(__file__).read_text("utf-8")
    assert not [name for name in actions() if f'"{name}"' not in text]


# ---------------------------------------------------------------------------------------------- lending


async def test_scan_at_shelf_picks_the_item_and_says_what_comes_next(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    done = await office.do("scan-at-shelf", barcode="L1")
    assert (done["instruction"], done["item"]["status"]) == ("ship", "picked")
    assert done["message"] == "L1 is picked for request R-1: ship to THEM."
    assert await office.kinds() == ["ship"]
    again = await office.do("scan-at-shelf", barcode=" L1 ")
    assert again["item"] == done["item"]


async def test_scan_at_shelf_takes_another_copy_where_the_request_is_named(office: Office) -> None:
    await office.say(request_item("L20", "R-1"))
    done = await office.do("scan-at-shelf", barcode="L20b", request="R-1")
    assert (done["item"]["barcode"], done["item"]["status"]) == ("L20b", "picked")
    assert (await office.see("items/L20"))["status"] == "available"


async def test_scan_at_shelf_of_what_nobody_wants_says_put_it_back(office: Office) -> None:
    error = await office.refused(409, "not-requested", "scan-at-shelf", barcode="L1")
    assert (error["field"], error["value"], error["hint"]) == ("barcode", "L1", "Put it back.")
    await office.refused(404, "item-not-found", "scan-at-shelf", barcode="nothing")
    await office.refused(404, "item-not-found", "scan-at-shelf", barcode="")
    await office.refused(404, "request-not-found", "scan-at-shelf", barcode="L1", request="R-9")


async def test_locate_names_the_item_for_what_could_not_be_located(office: Office) -> None:
    title = (
        "<BibliographicId><BibliographicRecordId><BibliographicRecordIdentifier>unknown</BibliographicRecordIdentifier>"
        "<AgencyId>X</AgencyId></BibliographicRecordId></BibliographicId>"
    )
    item = "<ItemId><ItemIdentifierValue>L1</ItemIdentifierValue></ItemId>"
    await office.say(request_item("L1", "R-1").replace(item, title))
    assert (await office.status("R-1"), await office.kinds()) == ("locate-failed", ["locate"])
    await office.refused(404, "item-not-found", "locate", request="R-1", barcode="nothing")
    await office.do("check-out", barcode="L5", user="LEND-USER-1")
    await office.refused(409, "not-available", "locate", request="R-1", barcode="L5")
    done = await office.do("locate", request="R-1", barcode="L2")
    assert (done["request"]["status"], done["item"]["status"]) == ("being-processed", "requested")
    assert await office.kinds() == ["pick"]
    await office.do("ship", barcode="L2")
    await office.refused(409, "too-late", "locate", request="R-1", barcode="L3")


async def test_ship_lends_to_the_partner_with_the_date_typed(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    done = await office.do("ship", barcode="L1", due_date="2026-02-27")
    assert (done["instruction"], done["request"]["status"]) == ("send", "shipped-physically")
    assert done["loan"]["due_date"] == "2026-02-27T22:59:59Z"
    assert "due 2026-02-27" in done["message"]
    assert await office.kinds() == []
    again = await office.do("ship", barcode="L1")
    assert again["loan"] == done["loan"]


@pytest.mark.parametrize(
    "date", ["tomorrow", "2026-02-30", "27.02.2026", "2026-2-7", "2026-02-27T25:00", "20260227T", "²"]
)
async def test_a_date_that_is_none_is_told_so_with_how_to_write_it(office: Office, date: str) -> None:
    await office.say(request_item("L1", "R-1"))
    error = await office.refused(422, "date-unreadable", "ship", barcode="L1", due_date=date)
    assert (error["field"], error["value"]) == ("due_date", date)
    assert "2026-03-01" in error["hint"]
    assert await office.status("R-1") == "being-processed"


async def test_nothing_is_lent_until_a_date_that_is_past(office: Office) -> None:
    """A year typed wrong would make the item overdue at once."""
    await office.say(request_item("L1", "R-1"))
    await office.refused(422, "date-past", "ship", barcode="L1", due_date="2025-02-27")
    assert await office.status("R-1") == "being-processed"
    error = await office.refused(
        422, "date-past", "check-out", barcode="L2", user="LEND-USER-1", due_date="2026-01-05T00:00"
    )
    assert (error["field"], error["value"]) == ("due_date", "2026-01-05T00:00")
    await office.do("check-out", barcode="L2", user="LEND-USER-1", due_date="2026-01-05")  # the end of today


async def test_ship_says_no_in_words(office: Office) -> None:
    await office.refused(422, "value-missing", "ship")
    await office.refused(422, "value-missing", "ship", digital=True)
    error = await office.refused(409, "not-requested", "ship", barcode="L1")
    assert error["hint"].startswith("Name the request")
    await office.refused(404, "request-not-found", "ship", barcode="L1", request="R-9")
    await office.say(request_item("L1", "R-1"))
    await office.refused(409, "request-is-physical", "ship", request="R-1", digital=True)
    await office.say(request_item("L2", "R-2", kind=DIGITAL))
    await office.refused(409, "request-is-digital", "ship", barcode="L2", request="R-2")
    await office.say(accept("X-1", "R-8", "BORROW-USER-1"), to="BORROW")
    await office.refused(404, "request-not-found", "ship", "BORROW", barcode="B1", request="R-8")


async def test_ship_of_an_item_that_is_out_to_a_user_names_the_barcode(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    await office.do("check-out", barcode="L2", user="LEND-USER-1")
    error = await office.refused(409, "item-already-checked-out", "ship", barcode="L2", request="R-1")
    assert (error["field"], error["value"]) == ("barcode", "L2")


async def test_a_digital_copy_is_shipped_and_confirmed(office: Office) -> None:
    await office.say(request_item("L1", "R-1", kind=DIGITAL), partner="DIGITAL")
    assert await office.kinds() == ["pick"]
    picked = await office.do("scan-at-shelf", barcode="L1")
    assert picked["instruction"] == "deliver digitally"
    await office.refused(409, "not-shipped-digitally", "confirm-digital", request="R-1")
    done = await office.do("ship", request="R-1", digital=True)
    assert (done["instruction"], done["request"]["status"]) == ("confirm digital", "shipped-digitally")
    assert await office.kinds() == ["confirm-digital"]
    done = await office.do("confirm-digital", request="R-1")
    assert (done["request"]["status"], done["request"]["open"]) == ("request-completed", False)
    assert await office.kinds() == []
    assert (await office.see("items/L1"))["status"] == "available"
    await office.refused(409, "not-shipped-digitally", "confirm-digital", request="R-1")
    await office.refused(404, "request-not-found", "confirm-digital", request="R-9")


async def shipped(office: Office, partner: str = "MANUAL") -> None:
    await office.say(request_item("L1", "R-1"), partner=partner)
    await office.do("ship", barcode="L1", due_date="2026-02-01")


async def test_a_partners_renewal_is_approved_with_the_date_asked_for(office: Office) -> None:
    await shipped(office)
    await office.refused(409, "no-renewal-waiting", "approve-renewal", request="R-1")
    pending = await office.say(renew("L1", "2026-02-20T22:59:59Z"), partner="MANUAL")
    assert pending.has("Pending")
    assert await office.kinds() == ["decide-renewal"]
    error = await office.refused(422, "date-not-later", "approve-renewal", request="R-1", due_date="2026-01-20")
    assert error["field"] == "due_date"
    done = await office.do("approve-renewal", request="R-1")
    assert (done["loan"]["due_date"], done["loan"]["renewals"]) == ("2026-02-20T22:59:59Z", 1)
    assert done["message"] == "L1 is renewed until 2026-02-20. The partner is being told."
    assert (await office.status("R-1"), await office.kinds()) == ("renewed", [])
    assert [message["service"] for message in await office.messages("LEND")] == ["ItemRenewed"]
    await office.refused(409, "no-renewal-waiting", "approve-renewal", request="R-1")


async def test_a_partners_renewal_is_approved_with_another_date(office: Office) -> None:
    await shipped(office)
    await office.say(renew("L1", "2026-02-20T22:59:59Z"), partner="MANUAL")
    done = await office.do("approve-renewal", request="R-1", due_date="2026-02-10")
    assert done["loan"]["due_date"] == "2026-02-10T22:59:59Z"


async def test_a_partners_renewal_is_rejected_and_the_partner_told(office: Office) -> None:
    await shipped(office)
    await office.refused(409, "no-renewal-waiting", "reject-renewal", request="R-1")
    await office.say(renew("L1", "2026-02-20T22:59:59Z"), partner="MANUAL")
    done = await office.do("reject-renewal", request="R-1", reason="wanted for a seminar")
    assert (done["request"]["status"], done["loan"]["due_date"]) == ("renew-rejected", "2026-02-01T22:59:59Z")
    (*_, last) = (await office.see("requests/R-1"))["history"]
    assert (last["event"], last["note"]) == ("reject-renewal", "wanted for a seminar")
    (message,) = await office.messages("LEND")
    assert "Item Not Renewed" in message["body"]


async def test_a_partner_without_an_address_is_to_be_told_by_hand_and_the_answer_says_so(office: Office) -> None:
    await shipped(office, partner="NOURL")
    await office.say(renew("L1", "2026-02-20T22:59:59Z"), partner="NOURL")
    done = await office.do("approve-renewal", request="R-1")
    assert done["message"].endswith("The partner has no broker URL: tell it by hand.")
    assert await office.messages("LEND") == []


async def test_nothing_on_loan_has_no_renewal(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    for action in ("approve-renewal", "reject-renewal"):
        error = await office.refused(409, "no-renewal-waiting", action, request="R-1")
        assert error["field"] == "request"
        await office.refused(404, "request-not-found", action, request="R-9")


async def test_scan_in_completes_what_was_lent_and_says_where_it_goes(office: Office) -> None:
    await office.say(check_out("L1", "R-1"))
    done = await office.do("scan-in", barcode="L1")
    assert (done["instruction"], done["request"]["status"]) == ("shelve", "request-completed")
    assert done["loan"]["returned"]
    again = await office.do("scan-in", barcode="L1")
    assert again["instruction"] == "shelve"
    await office.refused(404, "item-not-found", "scan-in", barcode="nothing")


async def test_scan_in_sends_an_item_on_to_the_request_that_waits(office: Office) -> None:
    await office.say(check_out("L1", "R-1"))
    await office.say(request_item("L1", "R-2"))
    done = await office.do("scan-in", barcode="L1")
    assert (done["instruction"], done["item"]["status"]) == ("ship to next request", "requested")


async def test_a_request_is_cancelled_with_its_reason_before_it_is_shipped_and_not_after(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    await office.do("scan-at-shelf", barcode="L1")
    done = await office.do("cancel", request="R-1", reason="damaged")
    assert (done["request"]["status"], done["request"]["open"]) == ("cancelled", False)
    assert "see the task list" in done["message"] or await office.kinds() == ["reshelve"]
    assert (await office.see("requests/R-1"))["history"][-1]["note"] == "damaged"
    await office.say(check_out("L2", "R-2"))
    error = await office.refused(409, "request-already-processed", "cancel", request="R-2")
    assert (error["field"], error["value"]) == ("request", "R-2")
    await office.refused(404, "request-not-found", "cancel", request="R-9")


# ---------------------------------------------------------------------------------------------- borrowing


async def test_the_barcode_alone_receives_what_was_announced(office: Office) -> None:
    await office.say(accept("X-1", "R-1", "BORROW-USER-1"), to="BORROW", partner="DESK")
    assert await office.kinds("BORROW") == ["receive"]
    done = await office.do("receive", "BORROW", barcode="X-1")
    assert (done["instruction"], done["item"]["status"]) == ("hold shelf", "received")
    assert (done["request"]["status"], await office.kinds("BORROW")) == (
        "physically-received-by-library",
        ["shelve-hold"],
    )
    again = await office.do("receive", "BORROW", barcode="X-1")
    assert again["item"]["status"] == "received"


async def test_the_form_makes_a_request_and_an_item_from_nothing(office: Office) -> None:
    done = await office.do(
        "receive",
        "BORROW",
        barcode="T-1",
        user="BORROW-USER-1",
        partner="BROKER",
        partner_item_id="theirs-7",
        title="A Title",
        author="An Author",
        call_number="QA 1",
        item_policy="two weeks",
        due_date="2026-02-27",
        note="fragile",
        pickup_library="LAW",
    )
    item = done["item"]
    assert (item["barcode"], item["partner_item_id"], item["partner"]) == ("T-1", "theirs-7", "BROKER")
    assert (item["title"], item["author"], item["call_number"]) == ("A Title", "An Author", "QA 1")
    assert (item["policy"], item["temporary"]) == ("two weeks", True)
    assert done["request"]["due_date"] == "2026-02-28T04:59:59Z"  # the end of that day in New York
    assert done["instruction"] == "send to pickup library"
    assert "Law Library" in done["message"]


async def test_receive_says_no_in_words(office: Office) -> None:
    await office.refused(422, "value-missing", "receive", "BORROW", barcode="  ")
    form = {"user": "BORROW-USER-1", "partner": "BROKER"}
    error = await office.refused(409, "barcode-taken", "receive", "BORROW", barcode="B1", **form)
    assert "fresh barcode" in error["hint"]
    error = await office.refused(409, "request-needed", "receive", "BORROW", barcode="T-1", partner="BROKER")
    assert error["hint"].startswith("Name the request")
    await office.refused(404, "request-not-found", "receive", "BORROW", barcode="T-1", request="R-9")
    error = await office.refused(409, "partner-unknown", "receive", "BORROW", barcode="T-1", user="BORROW-USER-1")
    assert error["hint"] == "One of BROKER, DESK, NOURL, OPAC."
    await office.refused(404, "user-not-found", "receive", "BORROW", barcode="T-1", user="nobody", partner="BROKER")
    await office.refused(
        422,
        "date-unreadable",
        "receive",
        "BORROW",
        barcode="T-1",
        user="BORROW-USER-1",
        partner="BROKER",
        due_date="soon",
    )
    error = await office.refused(
        404,
        "library-not-found",
        "receive",
        "BORROW",
        barcode="T-1",
        user="BORROW-USER-1",
        partner="BROKER",
        pickup_library="MOON",
    )
    assert error["field"] == "pickup_library"
    await office.say(accept("X-1", "R-1", "BORROW-USER-1"), to="BORROW")
    await office.do("return", "BORROW", barcode="X-1")
    await office.say(
        "<CheckInItem><ItemId><ItemIdentifierValue>X-1</ItemIdentifierValue></ItemId></CheckInItem>", to="BORROW"
    )
    await office.refused(409, "request-not-open", "receive", "BORROW", barcode="T-2", request="R-1")


async def test_a_request_that_came_without_a_title_is_listed_with_that_of_its_item(office: Office) -> None:
    await office.say(request_item("X-1", "R-1", user="BORROW-USER-1"), to="BORROW")
    assert (await office.see("requests", "BORROW"))["requests"][0]["title"] == ""
    told = "<BibliographicDescription><Title>White Teeth</Title></BibliographicDescription>"
    more = f"<ItemOptionalFields>{told}</ItemOptionalFields>"
    await office.say(accept("X-1", "R-1", "BORROW-USER-1", more=more), to="BORROW")
    (line,) = (await office.see("requests", "BORROW"))["requests"]
    assert line["title"] == "White Teeth"
    (hold,) = (await office.see("users/BORROW-USER-1", "BORROW"))["holds"]
    assert hold["title"] == "White Teeth"


async def test_an_item_goes_on_the_hold_shelf_and_the_user_is_told(office: Office) -> None:
    await office.say(accept("X-1", "R-1", "BORROW-USER-1"), to="BORROW")
    done = await office.do("hold-shelf", "BORROW", barcode="X-1")
    assert (done["instruction"], done["item"]["status"]) == ("hold shelf", "on-hold-shelf")
    user = await office.see("users/BORROW-USER-1", "BORROW")
    assert [notice["type"] for notice in user["notices"]] == ["available for pickup"]
    assert [(hold["barcode"], hold["state"]) for hold in user["holds"]] == [("X-1", "ready")]
    again = await office.do("hold-shelf", "BORROW", barcode="X-1")
    assert "already" in again["message"]
    assert len((await office.see("users/BORROW-USER-1", "BORROW"))["notices"]) == 1


async def test_the_hold_shelf_is_only_for_what_somebody_waits_for(office: Office) -> None:
    error = await office.refused(409, "nobody-waits", "hold-shelf", barcode="L1")
    assert error["value"] == "L1"
    await office.refused(404, "item-not-found", "hold-shelf", barcode="nothing")
    await office.do("check-out", barcode="L1", user="LEND-USER-1")
    await office.do("request", user="LEND-USER-2", barcode="L1")
    await office.refused(409, "on-loan", "hold-shelf", barcode="L1")


# ---------------------------------------------------------------------------------------------- circulation


async def test_our_own_item_goes_out_and_comes_back(office: Office) -> None:
    done = await office.do("check-out", barcode="L1", user="LEND-USER-1", due_date="2026-02-27")
    assert (done["instruction"], done["loan"]["to"]) == ("hand over", "user")
    assert done["message"] == "L1 is lent to LEND-USER-1 until 2026-02-27."
    back = await office.do("return", barcode="L1")
    assert (back["instruction"], back["item"]["status"]) == ("shelve", "available")
    assert back["loan"]["returned"]


async def test_a_borrowed_item_goes_to_its_user_and_then_back_to_its_lender(office: Office) -> None:
    await office.say(accept("X-1", "R-1", "BORROW-USER-1", due="2026-02-10T22:59:59Z"), to="BORROW")
    done = await office.do("check-out", "BORROW", barcode="X-1", user="card-BORROW-USER-1")
    assert (done["request"]["status"], done["loan"]["due_date"]) == ("loaned-item-to-patron", "2026-02-10T22:59:59Z")
    back = await office.do("return", "BORROW", barcode="X-1")
    assert (back["instruction"], back["request"]["status"]) == ("send back", "returned-by-patron")
    assert await office.kinds("BORROW") == ["return-to-partner"]
    again = await office.do("return", "BORROW", barcode="X-1")
    assert again["instruction"] == "send back"
    assert await office.kinds("BORROW") == ["return-to-partner"]


async def test_a_check_out_made_in_error_is_taken_back(office: Office) -> None:
    """As if it had never been: the next reader's hold is filled by the item, and nothing is on loan."""
    await office.do("request", barcode="L1", user="LEND-USER-1")
    await office.do("hold-shelf", barcode="L1")
    await office.do("check-out", barcode="L1", user="LEND-USER-1")
    done = await office.do("undo-check-out", barcode="L1")
    assert (done["instruction"], done["item"]["status"], done["loan"]) == ("hold shelf", "on-hold-shelf", None)
    assert (await office.see("users/LEND-USER-1"))["loans"] == []
    error = await office.refused(409, "not-on-loan", "undo-check-out", barcode="L1")
    assert error["field"] == "barcode"
    await office.refused(422, "value-missing", "undo-check-out")


async def test_a_shipment_made_in_error_is_taken_back(office: Office) -> None:
    """The request is where it was, and the item picked for it."""
    await office.say(request_item("L1", "R-1"))
    await office.do("scan-at-shelf", barcode="L1")
    await office.do("ship", barcode="L1")
    done = await office.do("undo-check-out", barcode="L1")
    assert (done["request"]["status"], done["item"]["status"]) == ("being-processed", "picked")
    assert await office.kinds() == ["ship"]


async def test_a_digital_supply_made_in_error_is_taken_back(office: Office) -> None:
    await office.say(request_item("L1", "R-1", kind="Digital"), partner="DIGITAL")
    await office.refused(409, "not-supplied", "undo-check-out", request="R-1")
    await office.do("ship", request="R-1", digital=True)
    done = await office.do("undo-check-out", request="R-1")
    assert done["request"]["status"] == "created-lending-request"


@pytest.mark.parametrize(
    ("said", "status", "kind"),
    [
        ("claimed-returned", "claimed", "search"),
        ("never-borrowed", "claimed", "search"),
        ("missing", "missing", "search"),
        ("lost", "lost", "review"),
    ],
)
async def test_what_a_borrower_says_of_an_item_is_written_down(
    office: Office, said: str, status: str, kind: str
) -> None:
    await office.do("check-out", barcode="L1", user="LEND-USER-1")
    done = await office.do("report", barcode="L1", said=said, returned="2026-01-04")
    assert (done["item"]["status"], await office.kinds()) == (status, [kind])
    assert bool(done["loan"]["returned"]) == (said == "lost")


async def test_a_report_says_no_in_words(office: Office) -> None:
    error = await office.refused(409, "not-on-loan", "report", barcode="L1", said="lost")
    assert "on loan" in error["message"]
    await office.do("check-out", barcode="L1", user="LEND-USER-1")
    error = await office.refused(422, "said-unknown", "report", barcode="L1", said="eaten by a dog")
    assert error["hint"] == "One of claimed-returned, never-borrowed, missing, lost."
    await office.refused(422, "date-in-future", "report", barcode="L1", said="claimed-returned", returned="2027-01-01")


async def test_a_withdrawn_item_that_turns_up_is_still_known(office: Office) -> None:
    await office.lend_borrowed()
    await office.do("return", "BORROW", barcode="X-1")
    await office.say(
        "<CheckInItem><ItemId><ItemIdentifierValue>X-1</ItemIdentifierValue></ItemId></CheckInItem>", to="BORROW"
    )
    for action in ("return", "scan-in"):
        done = await office.do(action, "BORROW", barcode="X-1")
        assert (done["instruction"], done["item"]["live"]) == ("send back", False)
        assert "BROKER" in done["message"]
    error = await office.refused(409, "item-withdrawn", "check-out", "BORROW", barcode="X-1", user="BORROW-USER-1")
    assert error["hint"] == "Send it back to its library."


async def test_an_item_of_ours_that_was_withdrawn_belongs_to_nobody_else(office: Office) -> None:
    delete = "<DeleteItem><ItemId><ItemIdentifierValue>B1</ItemIdentifierValue></ItemId></DeleteItem>"
    await office.say(delete, to="BORROW", partner="OPAC")
    for action in ("return", "scan-in"):
        done = await office.do(action, "BORROW", barcode="B1")
        assert (done["instruction"], done["message"]) == (
            "withdrawn",
            "B1 is ours, but withdrawn: give it to the cataloguers.",
        )
    error = await office.refused(409, "item-withdrawn", "check-out", "BORROW", barcode="B1", user="BORROW-USER-1")
    assert error["message"] == "Item B1 is withdrawn here."


async def test_what_is_received_again_is_sent_where_it_belongs(office: Office) -> None:
    await office.lend_borrowed()
    done = await office.do("receive", "BORROW", barcode="X-1")
    assert (done["instruction"], done["item"]["status"]) == ("return", "on-loan")
    await office.do("return", "BORROW", barcode="X-1")
    done = await office.do("receive", "BORROW", barcode="X-1")
    assert (done["instruction"], done["item"]["status"]) == ("send back", "returned")


async def test_what_its_user_says_to_have_returned_is_not_renewed_at_the_desk(office: Office) -> None:
    await office.lend_borrowed()
    await office.do("report", "BORROW", barcode="X-1", said="claimed-returned")
    error = await office.refused(409, "item-not-renewable", "renew", "BORROW", barcode="X-1")
    assert "claimed-returned" in error["message"]


async def test_check_out_says_no_in_words(office: Office) -> None:
    await office.refused(404, "item-not-found", "check-out", barcode="nothing", user="LEND-USER-1")
    await office.refused(404, "user-not-found", "check-out", barcode="L1", user="nobody")
    error = await office.refused(409, "item-does-not-circulate", "check-out", barcode="LREF", user="LEND-USER-1")
    assert (error["field"], error["value"]) == ("barcode", "LREF")
    error = await office.refused(409, "user-blocked", "check-out", barcode="L1", user="LEND-EXPIRED")
    assert (error["field"], error["value"]) == ("user", "LEND-EXPIRED")
    await office.do("check-out", barcode="L1", user="LEND-USER-1")
    error = await office.refused(409, "on-loan", "check-out", barcode="L1", user="LEND-USER-2")
    assert error["message"] == "Item L1 is on loan to somebody else already."
    error = await office.refused(409, "on-loan", "check-out", barcode="L1", user="LEND-USER-1")
    assert "this user" in error["message"]
    await office.refused(422, "date-unreadable", "check-out", barcode="L2", user="LEND-USER-1", due_date="x")
    await office.refused(422, "date-past", "check-out", barcode="L2", user="LEND-USER-1", due_date="2025-12-31")
    await office.say(accept("X-1", "R-1", "BORROW-USER-1"), to="BORROW")
    error = await office.refused(409, "for-another-user", "check-out", "BORROW", barcode="X-1", user="BORROW-USER-2")
    assert "BORROW-USER-1" not in str(error)


async def test_an_item_held_for_somebody_else_is_not_lent(office: Office) -> None:
    await office.do("check-out", barcode="L1", user="LEND-USER-1")
    await office.do("request", user="LEND-USER-2", barcode="L1")
    back = await office.do("return", barcode="L1")
    assert back["instruction"] == "hold shelf"
    error = await office.refused(409, "held-for-another-user", "check-out", barcode="L1", user="LEND-USER-1")
    assert "LEND-USER-2" not in str(error)
    await office.do("check-out", barcode="L1", user="LEND-USER-2")


async def test_renewing_our_own_item_moves_the_date_at_once(office: Office) -> None:
    await office.do("check-out", barcode="L1", user="LEND-USER-1", due_date="2026-01-20")
    done = await office.do("renew", barcode="L1", due_date="2026-02-10")
    assert (done["loan"]["due_date"], done["loan"]["renewals"]) == ("2026-02-10T22:59:59Z", 1)
    error = await office.refused(409, "item-not-renewable", "renew", barcode="L1", due_date="2026-02-01")
    assert (error["field"], error["value"]) == ("barcode", "L1")
    await office.do("request", user="LEND-USER-2", barcode="L1")
    await office.refused(409, "renewal-not-allowed-item-has-outstanding-requests", "renew", barcode="L1")


async def test_renew_says_no_in_words(office: Office) -> None:
    await office.refused(404, "item-not-found", "renew", barcode="nothing")
    await office.refused(409, "not-on-loan", "renew", barcode="L1")
    await office.say(check_out("L2", "R-1"))
    await office.refused(409, "not-on-loan", "renew", barcode="L2")
    await office.lend_borrowed(partner="NOURL")
    error = await office.refused(409, "partner-has-no-url", "renew", "BORROW", barcode="X-1")
    assert "no broker URL" in error["message"]
    assert "`url`" in error["hint"]
    assert await office.status("R-1", "BORROW") == "loaned-item-to-patron"
    assert await office.messages("BORROW") == []


async def test_a_lender_that_takes_no_renewals_is_not_asked(office: Office) -> None:
    await office.say(accept("X-1", "R-1", "BORROW-USER-1", more="<RenewalNotPermitted/>"), to="BORROW")
    await office.do("check-out", "BORROW", barcode="X-1", user="BORROW-USER-1")
    error = await office.refused(409, "item-not-renewable", "renew", "BORROW", barcode="X-1")
    assert error["message"] == "The lending library takes no renewals of this item."


async def test_a_users_request_puts_the_item_on_the_pick_list(office: Office) -> None:
    done = await office.do("request", user="LEND-USER-1", barcode="L1", pickup_library="LAW")
    assert "pick list" in done["message"]
    assert (await office.see("items/L1"))["status"] == "requested"
    assert await office.kinds() == ["pick"]
    shelf = await office.do("scan-at-shelf", barcode="L1")
    assert shelf["instruction"] == "hold shelf"
    assert (await office.do("hold-shelf", barcode="L1"))["item"]["status"] == "on-hold-shelf"


async def test_a_users_request_for_a_title_takes_any_copy(office: Office) -> None:
    await office.do("check-out", barcode="L20", user="LEND-USER-1")
    done = await office.do("request", user="LEND-USER-2", record="REC-LEND-20")
    assert "L20b" in done["message"]


async def test_a_users_request_recalls_what_a_partner_has(office: Office) -> None:
    await office.say(check_out("L1", "R-1"))
    done = await office.do("request", user="LEND-USER-1", barcode="L1")
    assert "recall is being sent" in done["message"]
    assert done["request"]["status"] == "recalled"
    assert [message["service"] for message in await office.messages("LEND")] == ["RecallItem"]


async def test_a_users_request_says_no_in_words(office: Office) -> None:
    await office.refused(404, "user-not-found", "request", user="nobody", barcode="L1")
    await office.refused(404, "item-not-found", "request", user="LEND-USER-1", barcode="nothing")
    await office.refused(422, "value-missing", "request", user="LEND-USER-1")
    error = await office.refused(404, "record-not-found", "request", user="LEND-USER-1", record="REC-9")
    assert error["field"] == "record"
    error = await office.refused(
        404, "library-not-found", "request", user="LEND-USER-1", barcode="L1", pickup_library="MOON"
    )
    assert error["hint"] == "One of MAIN, LAW."
    error = await office.refused(409, "user-blocked", "request", user="LEND-BLOCKED", barcode="L1")
    assert error["field"] == "user"
    await office.refused(409, "item-does-not-circulate", "request", user="LEND-USER-1", barcode="LREF")
    await office.do("request", user="LEND-USER-1", barcode="L1")
    await office.refused(409, "duplicate-request", "request", user="LEND-USER-1", barcode="L1")


async def test_no_refusal_speaks_of_ncip_elements(office: Office) -> None:
    """People at the desk know barcodes and users, not ItemIdentifierValue."""
    tried = [
        ("check-out", {"barcode": "LREF", "user": "LEND-USER-1"}),
        ("check-out", {"barcode": "L1", "user": "LEND-EXPIRED"}),
        ("request", {"barcode": "L1", "user": "LEND-BLOCKED"}),
        ("cancel", {"request": "R-1"}),
        ("renew", {"barcode": "L3", "due_date": "2026-01-06"}),
        ("ship", {"barcode": "L3", "request": "R-2"}),
    ]
    await office.say(check_out("L2", "R-1"))
    await office.say(request_item("L4", "R-2"))
    await office.do("check-out", barcode="L3", user="LEND-USER-1", due_date="2026-01-20")
    for action, values in tried:
        status, content = await office.call("POST", f"desk/{action}", json=values)
        assert status == 409, content
        assert content["error"]["field"] in actions()[action].parameters.__struct_fields__, content
        assert "Identifier" not in str(content), content
