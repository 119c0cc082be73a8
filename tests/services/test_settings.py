"""Every setting of a partner does what it says, and its default is what semantics.md calls the default.

A test named `test_{setting}_…` is about that setting; the last test here fails for a setting that has none.
"""

from __future__ import annotations

import re
import sys

import msgspec
import pytest

from ncipd.circulation import account
from ncipd.circulation.clock import from_micros
from ncipd.circulation.errors import DeskError
from ncipd.circulation.partner import BarcodeRule, BeyondMaximum, NotOnLoan, OpenLoan, Partner, PartnerRole, Sides
from ncipd.ncip.problems import Problem
from tests.circulation import messages as say
from tests.circulation.messages import IN_FEBRUARY, IN_MARCH
from tests.edge import test_dialects
from tests.services import version_1
from tests.services.world import fill, make_world, message

USER = "LEND-USER-1"
MINUTE = 1 / (24 * 60)


@pytest.fixture
async def world(tmp_path):
    """Gives a world for the settings that a test chooses; times are the Berlin clock, from 5 January 2026."""
    made = []

    async def make(*partners, **settings):
        chosen = partners or (Partner(**{"code": "BROKER", "agency": "LEND", **settings}),)
        world = make_world(tmp_path / f"data{len(made)}", chosen)
        made.append(world)
        await fill(world)
        return world

    yield make
    for world in made:
        await world.store.close()


def written(moment):
    return from_micros(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def loan(world, barcode="L1"):
    return world.ask(lambda circ: circ.loan_of(circ.item_by_barcode(barcode)))


def borrowed(world, value="X-1", partner="BROKER"):
    return world.ask(lambda circ: circ.temporary_items(partner, value))[0]


def charge(circ):
    """Let a user owe something."""
    account.post(circ, circ.users(USER)[0], account.Posting("Assess", "Fine", 250, "EUR"))


def outbox(world):
    return [
        (row[1], row[2], row[10].decode())
        for row in world.ask(
            lambda circ: circ.tx.all("outbox_of_agency", agency=circ.agency.id, state="queued", most=9)
        )
    ]


async def make_record(world, value, code, title="Coded"):
    """Give a record of the lending agency a number of this kind."""

    def add(tx):
        circ = world.unit(tx, "LEND")
        record = circ.add_record(temporary=False, title=title)
        tx.run("insert_record_identifier", agency=circ.agency.id, value=value, code=code, record=record)
        circ.add_item(record, f"{code}-{value}", "available", home_library=circ.libraries()[0].id)

    await world.store.transact(add)


# ---------------------------------------------------------------------------------------------- who the partner is


@pytest.mark.parametrize("said", ["BROKER", "broker", " Broker "])
async def test_code_is_what_application_profile_type_says(world, said):
    here = await world()
    assert (await here.send(say.lookup_item("L1"), partner=said)).problem is None
    assert (await here.send(say.lookup_item("L1"), partner="OTHER")).problem == "Unknown System"


async def test_agency_is_any_code_of_the_agency_that_the_partner_belongs_to(world):
    """A partner of one agency is unknown at the other."""
    here = await world(agency="XX-BORROW")
    assert (await here.send(say.lookup_item("B1"), to="BORROW")).problem is None
    assert (await here.send(say.lookup_item("B1"), to="XX-BORROW")).problem is None
    assert (await here.send(say.lookup_item("L1"), to="LEND")).problem == "Unknown System"


@pytest.mark.parametrize(("name", "shown"), [("The Great Broker", "The Great Broker"), ("", "BROKER")])
async def test_name_is_what_people_read(world, name, shown):
    here = await world(name=name, url="http://broker.invalid/ncip")
    await here.send(say.check_out("L1", "R-1"))
    done = await here.desk("request", user=USER, barcode="L1")
    assert f"The item is with {shown}" in done.message


async def test_role_decides_what_renew_item_means(world):
    """From a broker about an item lent it is the borrower's wish; from a discovery layer it is our user's."""
    for role in PartnerRole:
        here = await world(role=role)
        local = role in (PartnerRole.DISCOVERY, PartnerRole.ILS)
        await here.desk("check-out", barcode="L1", user=USER, due_date="2026-02-10")
        answer = await here.send(say.renew("L1", IN_MARCH, user=USER))
        assert answer.problem == (None if local else "Item Not Checked Out"), role


async def test_role_decides_what_request_item_means(world):
    """From a discovery layer it is a hold of our user; from a broker or peer it is a lending request."""
    for role in PartnerRole:
        here = await world(role=role)
        assert (await here.send(say.request_item("R-1", user=USER, item="L1"))).problem is None
        local = role in (PartnerRole.DISCOVERY, PartnerRole.ILS)
        assert (here.count("hold"), here.count("request")) == ((1, 0) if local else (0, 1)), role


async def test_sides_decides_where_nothing_else_could(world):
    """A partner with one side is on that side, whatever a message names."""
    wish = say.request_item("R-1", user=USER, title="OCLC-9")
    for sides, status in (
        (Sides.BOTH, "created-borrowing-request"),
        (Sides.BORROWING, "created-borrowing-request"),
        (Sides.LENDING, "locate-failed"),
    ):
        here = await world(sides=sides)
        assert (await here.send(wish)).problem is None
        assert here.status("R-1") == status
        accepted = await here.send(say.accept("R-2", item="X-1", user=USER))
        assert accepted.problem == ("Unauthorized Service For System" if sides is Sides.LENDING else None)


async def test_agency_ids_name_the_partner_by_from_agency_id(world):
    """But never a code of our own agency: some senders put the same code in From and To."""
    here = await world(agency_ids=("THEM", "LEND"))
    for origin, problem in (("THEM", None), ("them", None), ("OTHERS", "Unknown System"), ("LEND", "Unknown System")):
        assert (await here.send(say.lookup_item("L1"), partner="", origin=origin)).problem == problem, origin
    anybody = await world()
    assert (await anybody.send(say.lookup_item("L1"), partner="", origin="THEM")).problem == "Unknown System"


async def test_system_ids_name_the_partner_by_from_system_id(world):
    named = message(say.lookup_item("L1"), partner="").replace(
        "<FromAgencyId>", "<FromSystemId>Big-ILS</FromSystemId><FromAgencyId>"
    )
    assert (await (await world(system_ids=("BIG-ILS",))).post(named)).problem is None
    assert (await (await world()).post(named)).problem == "Unknown System"


async def test_keys_name_the_partner_by_the_path(world):
    """POST /ncip/{key}: no header needed, and none in the answer."""
    bare = re.sub("<InitiationHeader>.*</InitiationHeader>", "", message(say.lookup_item("L1")))
    here = await world(
        Partner(code="ONE", agency="LEND", keys=("one", "uno"), services=("LookupItem",)),
        Partner(code="TWO", agency="BORROW", keys=("two",)),
    )
    for key in ("one", "uno"):
        answer = await here.post(bare, key=key)
        assert (answer.problem, answer.has("ResponseHeader")) == (None, False)
    assert (await here.post(bare, key="two")).problem == "Unknown Item", "L1 is not an item of the other agency"
    assert (await here.post(bare)).problem == "Unknown System"


@pytest.mark.parametrize("fallback", [True, False])
async def test_fallback_stands_for_whoever_is_not_recognised(world, fallback):
    here = await world(fallback=fallback)
    for partner in ("STRANGER", ""):
        answer = await here.send(say.lookup_item("L1"), partner=partner)
        assert answer.problem == (None if fallback else "Unknown System")


async def test_secret_must_be_sent_and_must_be_right(world):
    here = await world(secret="open sesame")

    def with_secret(element, value):
        sent = message(say.lookup_item("L1"))
        where = "<ToAgencyId>" if element == "FromAgencyAuthentication" else "<FromAgencyId>"
        return sent.replace(where, f"<{element}>{value}</{element}>{where}", 1)

    assert (await here.send(say.lookup_item("L1"))).problem == "Agency Authentication Failed"
    assert (await here.post(with_secret("FromAgencyAuthentication", "open sesame"))).problem is None
    assert (await here.post(with_secret("FromAgencyAuthentication", "barley"))).problem == (
        "Agency Authentication Failed"
    )
    assert (await here.post(with_secret("FromSystemAuthentication", "open sesame"))).problem is None
    assert (await here.post(with_secret("FromSystemAuthentication", "barley"))).problem == (
        "System Authentication Failed"
    )
    anybody = await world()
    assert (await anybody.post(with_secret("FromAgencyAuthentication", "barley"))).problem is None, "not asked for"


async def test_url_is_where_our_own_messages_go_and_without_it_staff_do_it(world):
    reachable = await world(url="http://broker.invalid/ncip")
    await reachable.send(say.check_out("L1", "R-1"))
    await reachable.desk("request", user=USER, barcode="L1")
    assert [(partner, service) for partner, service, _ in outbox(reachable)] == [("BROKER", "RecallItem")]
    mute = await world()
    await mute.send(say.check_out("L1", "R-1"))
    done = await mute.desk("request", user=USER, barcode="L1")
    assert (outbox(mute), mute.tasks()) == ([], ["recall-by-hand"])
    assert "cannot be sent" in done.message


async def test_user_data_decides_whether_answers_say_who_a_user_is(world):
    for allowed in (True, False):
        here = await world(user_data=allowed)
        answer = await here.send(say.lookup_user(USER, "Name Information", "Block Or Trap"))
        assert answer.has("UserOptionalFields/NameInformation") == allowed


async def test_user_accounts_decides_whether_answers_say_what_a_user_owes(world):
    wanted = say.lookup_user(USER).replace("</LookupUser>", "<UserFiscalAccountDesired/></LookupUser>")
    for allowed in (True, False):
        here = await world(user_accounts=allowed)
        await here.store.transact(lambda tx, here=here: charge(here.unit(tx, "LEND")))
        answer = await here.send(wanted)
        assert answer.problem is None
        assert answer.has("LookupUserResponse/UserFiscalAccount") == allowed


async def test_trust_identifier_alone_lets_a_number_say_who_the_user_is(world):
    """Without it, AuthenticationInput needs a PIN or password beside the number."""
    typed = (
        f"<LookupUser><AuthenticationInput><AuthenticationInputData>card-{USER}</AuthenticationInputData>"
        "<AuthenticationDataFormatType>text</AuthenticationDataFormatType>"
        "<AuthenticationInputType>Barcode Id</AuthenticationInputType></AuthenticationInput></LookupUser>"
    )
    trusting = await (await world(trust_identifier_alone=True)).send(typed)
    assert (trusting.problem, trusting.text("LookupUserResponse/UserId/UserIdentifierValue")) == (None, USER)
    assert (await (await world()).send(typed)).problem is not None


async def test_services_are_all_or_those_listed(world):
    here = await world(services=("LookupItem", "CheckOutItem"))
    assert (await here.send(say.lookup_item("L1"))).problem is None
    assert (await here.send(say.check_out("L1", "R-1"))).problem is None
    assert (await here.send(say.check_in("L1"))).problem == "Unauthorized Service For System"
    assert loan(here) is not None
    assert (await (await world()).send(say.check_in("L1"))).problem == "Item Not Checked Out"


async def test_refuse_repairs_refuses_what_needs_them(world):
    """A message with an unqualified version is repaired by default."""
    sloppy = message(say.lookup_item("L1")).replace("n:version", "version")
    assert (await (await world()).post(sloppy)).problem is None
    strict = await (await world(refuse_repairs=("unqualified-version",))).post(sloppy)
    assert strict.problem is not None
    other = await (await world(refuse_repairs=("no-namespace",))).post(sloppy)
    assert other.problem is None


# ---------------------------------------------------------------------------------------------- what ids mean


async def test_user_identifier_type_says_which_number_names_a_user(world):
    """World users have an institution number and a card."""
    any_kind = await world()
    cards = await world(user_identifier_type="barcode id")
    for value, by_card in ((USER, False), (f"card-{USER}", True)):
        assert (await any_kind.send(say.lookup_user(value))).problem is None
        assert ((await cards.send(say.lookup_user(value))).problem is None) == by_card
        accepted = await cards.send(say.accept(f"R-{value}", item=f"X-{value}", user=value))
        assert accepted.problem == (None if by_card else "Unknown User")


async def test_pseudo_users_are_never_users_of_ours_whatever_they_look_like(world):
    wish = say.request_item("R-1", user=USER, title="OCLC-9")
    ours = await world()
    await ours.send(wish)
    assert ours.status("R-1") == "created-borrowing-request"
    pseudo = await world(pseudo_users=("-", USER))
    await pseudo.send(wish)
    assert pseudo.status("R-1") == "locate-failed"


async def test_record_identifier_code_says_which_number_names_a_title(world):
    """A number of another kind names nothing, even if it is sent without saying what kind it is."""
    for code, status in (("", "being-processed"), ("OCLC", "being-processed"), ("ISBN", "locate-failed")):
        here = await world(record_identifier_code=code)
        await make_record(here, "4711", "OCLC")
        answer = await here.send(say.request_item("R-1", title="4711"))
        assert (answer.problem, here.status("R-1")) == (None, status), code


async def test_request_agency_counts_says_whether_two_agencies_share_a_request_id(world):
    first = say.request_item("R-1", item="L1", request_agency="NORTH")
    second = say.request_item("R-1", item="L2", request_agency="SOUTH")
    alike = await world()
    assert [(await alike.send(wish)).problem for wish in (first, second)] == [None, "Duplicate Request"]
    apart = await world(request_agency_counts=True)
    assert [(await apart.send(wish)).problem for wish in (first, second)] == [None, None]
    assert (await apart.send(say.check_out("L2", "R-1", request_agency="SOUTH"))).problem is None
    assert (apart.item_status("L1"), apart.item_status("L2")) == ("requested", "on-loan")


async def test_request_agency_counts_in_lookups_and_cancellations_too(world):
    """The request of one agency is neither shown nor cancelled under the id of another."""
    here = await world(request_agency_counts=True)
    for request_agency, item in (("NORTH", "L1"), ("SOUTH", "L2")):
        await here.send(say.request_item("R-1", item=item, request_agency=request_agency))
    for request_agency, item in (("NORTH", "L1"), ("SOUTH", "L2")):
        found = await here.send(say.lookup_request("R-1", "Request Status Type", request_agency=request_agency))
        assert found.text("LookupRequestResponse/ItemId/ItemIdentifierValue") == item, found
    elsewhere = await here.send(say.cancel("R-1", request_agency="WEST"))
    assert elsewhere.problem == "Unknown Request"
    assert (await here.send(say.cancel("R-1", request_agency="SOUTH"))).problem is None
    assert (here.item_status("L1"), here.item_status("L2")) == ("requested", "available")


# ---------------------------------------------------------------------------------------------- places


async def test_default_library_is_where_lent_items_come_back_to(world):
    """An item of another library is sent home from there; it is also the home of temporary items."""
    for library, instruction in (("LAW", "send home"), ("MAIN", "shelve"), ("", "shelve")):
        here = await world(default_library=library)
        await here.send(say.check_out("L1", "R-1"))
        assert (await here.desk("scan-in", barcode="L1")).instruction == instruction
        await here.send(say.accept("R-2", item="X-1", user=USER))
        home = here.ask(lambda circ: circ.library_by_id(borrowed(here).home_library_id))  # noqa: B023
        assert home.code == (library or "MAIN")


@pytest.mark.parametrize(("code", "there"), [("STACKS", "Stacks"), ("", None), ("NOWHERE", None)])
async def test_lending_location_is_where_lent_items_stand_meanwhile(world, code, there):
    here = await world(lending_location=code)
    await here.send(say.check_out("LLAW", "R-1"))
    item = here.ask(lambda circ: circ.item_by_barcode("LLAW"))
    place = here.ask(lambda circ: circ.location_by_id(item.temporary_location_id))
    assert (place.name if place else None) == there
    await here.send(say.check_in("LLAW"))
    assert here.ask(lambda circ: circ.item_by_barcode("LLAW")).temporary_location_id is None


@pytest.mark.parametrize(("code", "there"), [("STACKS", "Stacks"), ("", None)])
async def test_borrowing_location_is_where_borrowed_items_stand(world, code, there):
    here = await world(borrowing_location=code)
    await here.send(say.accept("R-1", item="X-1", user=USER))
    place = here.ask(lambda circ: circ.location_by_id(borrowed(here).temporary_location_id))
    assert (place.name if place else None) == there


@pytest.mark.parametrize(
    ("pickup", "default", "where"), [("LAW", "MAIN", "LAW"), ("", "LAW", "LAW"), ("", "", "MAIN"), ("LAW", "", "LAW")]
)
async def test_pickup_library_is_where_users_fetch_what_names_no_place(world, pickup, default, where):
    here = await world(pickup_library=pickup, default_library=default)
    await here.send(say.accept("R-1", item="X-1", user=USER))
    await here.send(say.request_item("R-2", user=USER, title="OCLC-9"))
    for name in ("R-1", "R-2"):
        request = here.ask(lambda circ, name=name: circ.requests_called("BROKER", name))[0]
        library = here.ask(lambda circ, request=request: circ.library_by_id(request.pickup_library_id))
        assert library.code == where


@pytest.mark.parametrize("policy", ["ILL-14", ""])
async def test_item_policy_is_given_to_temporary_items(world, policy):
    here = await world(item_policy=policy)
    await here.send(say.accept("R-1", item="X-1", user=USER))
    assert borrowed(here).policy == policy


# ---------------------------------------------------------------------------------------------- lending


async def test_check_out_without_request_makes_one_or_is_refused(world):
    here = await world()
    assert (await here.send(say.check_out("L1", "R-1"))).problem is None
    strict = await world(check_out_without_request=False)
    assert (await strict.send(say.check_out("L1", "R-1"))).problem == "Unknown Request"
    assert (strict.item_status("L1"), strict.count("request")) == ("available", 0)
    await strict.send(say.request_item("R-1", item="L1"))
    assert (await strict.send(say.check_out("L1", "R-1"))).problem is None


async def test_refuse_unavailable_refuses_instead_of_waiting(world):
    for refuse in (False, True):
        here = await world(refuse_unavailable=refuse)
        await here.desk("check-out", barcode="L1", user=USER)
        answer = await here.send(say.request_item("R-1", item="L1"))
        assert answer.problem == ("Item Not Available By Need Before Date" if refuse else None)
        assert here.count("request") == (0 if refuse else 1)
        assert (await here.send(say.request_item("R-2", item="L2"))).problem is None


async def test_open_loan_refuses_or_closes_the_partners_own_older_loan(world):
    for rule, problem in ((OpenLoan.REFUSE, "Item Already Checked Out"), (OpenLoan.CLOSE_OWN, None)):
        here = await world(open_loan=rule)
        await here.send(say.check_out("L1", "R-1"))
        assert (await here.send(say.check_out("L1", "R-2"))).problem == problem
        assert here.status("R-1") == ("shipped-physically" if problem else "request-completed")
        await here.desk("check-out", barcode="L2", user=USER)
        assert (await here.send(say.check_out("L2", "R-3"))).problem == "Item Already Checked Out", "only its own loan"


async def test_check_in_not_on_loan_is_success_or_a_problem(world):
    """Known: a request of this partner is for the item, though it was never shipped. What is back is back, always."""
    for rule, known, unknown in (
        (NotOnLoan.SUCCESS_IF_KNOWN, None, "Item Not Checked Out"),
        (NotOnLoan.SUCCESS, None, None),
        (NotOnLoan.PROBLEM, "Item Not Checked Out", "Item Not Checked Out"),
    ):
        here = await world(check_in_not_on_loan=rule)
        await here.send(say.request_item("R-1", item="L1"))
        assert (await here.send(say.check_in("L1"))).problem == known
        assert (await here.send(say.check_in("L2"))).problem == unknown
        await here.send(say.check_out("L3", "R-3"))
        await here.desk("scan-in", barcode="L3")
        assert (await here.send(say.check_in("L3"))).problem is None


async def test_digital_says_whether_a_copy_can_be_asked_for(world):
    """Off, a digital wish is a wish for the item, and NonReturnableFlag makes nothing digital."""
    for digital in (True, False):
        here = await world(digital=digital)
        await here.send(say.request_item("R-1", item="L1", kind="Non-returnable Copy"))
        assert here.item_status("L1") == ("available" if digital else "requested")
        answer = await here.send(say.check_out("L1", "R-1"))
        assert answer.has("CheckOutItemResponse/NonReturnableFlag") == digital
        assert here.count("loan") == (0 if digital else 1)
        await here.send(say.accept("R-2", item="X-1", user=USER, final=True))
        assert here.status("R-2") == ("digitally-received-by-library" if digital else "physically-received-by-library")


async def test_receive_digitally_waits_for_the_desk_or_check_in(world):
    at_once = await world()
    await at_once.send(say.request_item("R-1", item="L1", kind="Digital"))
    await at_once.send(say.check_out("L1", "R-1"))
    assert (at_once.status("R-1"), at_once.tasks()) == ("request-completed", [])
    waiting = await world(receive_digitally=True)
    for request in ("R-1", "R-2"):
        await waiting.send(say.request_item(request, item="L1", kind="Digital"))
        await waiting.send(say.check_out("L1", request))
        assert waiting.status(request) == "shipped-digitally"
    await waiting.desk("confirm-digital", request="R-1")
    assert (await waiting.send(say.check_in("L1", "R-2"))).problem is None
    assert (waiting.status("R-1"), waiting.status("R-2")) == ("request-completed", "request-completed")


# ---------------------------------------------------------------------------------------------- time


@pytest.mark.parametrize(("days", "due"), [(28, "2026-02-02T22:59:59Z"), (7, "2026-01-12T22:59:59Z")])
async def test_loan_days_is_the_period_where_no_date_is_named(world, days, due):
    """By message and at the desk, to the end of the day in Berlin."""
    here = await world(loan_days=days)
    answer = await here.send(say.check_out("L1", "R-1"))
    assert answer.text("CheckOutItemResponse/DateDue") == due
    await here.send(say.request_item("R-2", item="L2"))
    await here.desk("ship", barcode="L2")
    assert written(loan(here, "L2").due_at) == due
    await here.send(say.accept("R-3", item="X-1", user=USER, action="Circulate"))
    assert written(loan(here, "X-1").due_at) == due


@pytest.mark.parametrize(
    ("maximum", "due"), [(112, IN_MARCH), (30, "2026-02-04T22:59:59Z"), (14, "2026-01-19T22:59:59Z"), (0, IN_MARCH)]
)
async def test_maximum_loan_days_is_the_longest_a_loan_may_last(world, maximum, due):
    here = await world(maximum_loan_days=maximum)
    answer = await here.send(say.check_out("L1", "R-1", due=IN_MARCH))
    assert answer.text("CheckOutItemResponse/DateDue") == due
    usual = (await here.send(say.check_out("L2", "R-2"))).text("CheckOutItemResponse/DateDue")
    assert usual == min(due, "2026-02-02T22:59:59Z"), "the usual period is no longer than the maximum"


async def test_maximum_loan_days_counts_from_the_start_of_the_loan_renewals_included(world):
    here = await world(maximum_loan_days=40, renewal_days=10)
    await here.send(say.check_out("L1", "R-1"))
    assert (await here.send(say.renew("L1"))).text("RenewItemResponse/DateDue") == "2026-02-12T22:59:59Z"
    here.clock.pass_days(1)
    last = await here.send(say.renew("L1"))
    assert last.text("RenewItemResponse/DateDue") == "2026-02-14T22:59:59Z", "what is left"
    here.clock.pass_days(1)
    assert (await here.send(say.renew("L1"))).problem == "Item Not Renewable"


async def test_due_date_beyond_maximum_is_capped_or_refused(world):
    for rule, problem in ((BeyondMaximum.CAP, None), (BeyondMaximum.REJECT, "Element Rule Violated")):
        here = await world(maximum_loan_days=30, due_date_beyond_maximum=rule)
        answer = await here.send(say.check_out("L1", "R-1", due=IN_MARCH))
        assert answer.problem == problem
        assert (loan(here) is None) == (problem is not None)
        assert (await here.send(say.check_out("L2", "R-2", due="2026-02-01T00:00:00Z"))).problem is None


@pytest.mark.parametrize("most", [0, 1, 3])
async def test_maximum_renewals_is_how_often_a_loan_is_renewed(world, most):
    here = await world(maximum_renewals=most, renewal_days=5)
    await here.send(say.check_out("L1", "R-1"))
    for count in range(1, most + 1):
        answer = await here.send(say.renew("L1"))
        assert answer.text("RenewItemResponse/RenewalCount") == str(count)
        here.clock.pass_days(1)
    assert (await here.send(say.renew("L1"))).problem == "Maximum Renewals Exceeded"


@pytest.mark.parametrize(("days", "due"), [(28, "2026-03-10T22:59:59Z"), (5, "2026-02-15T22:59:59Z")])
async def test_renewal_days_is_how_far_a_renewal_moves_the_date(world, days, due):
    """Where none is asked for; also in what we ask of a lender."""
    here = await world(renewal_days=days, url="http://broker.invalid/ncip")
    await here.send(say.check_out("L1", "R-1", due=IN_FEBRUARY))
    assert (await here.send(say.renew("L1"))).text("RenewItemResponse/DateDue") == due
    await here.send(say.accept("R-2", item="X-1", user=USER, action="Circulate", return_by=IN_FEBRUARY))
    await here.desk("renew", barcode="X-1")
    ((_, _, body),) = outbox(here)
    assert f"DesiredDateDue>{due}<" in body


async def test_automatic_renewal_answers_at_once_and_otherwise_staff_do(world):
    for automatic in (True, False):
        here = await world(automatic_renewal=automatic)
        await here.send(say.check_out("L1", "R-1", due=IN_FEBRUARY))
        answer = await here.send(say.renew("L1", IN_MARCH))
        assert answer.has("RenewItemResponse/Pending") == (not automatic)
        assert (here.status("R-1"), here.tasks()) == (
            ("renewed", []) if automatic else ("renew-requested", ["decide-renewal"])
        )
        beyond = await here.send(say.renew("L1", "2027-01-01T00:00:00Z"))
        assert beyond.problem == "Item Not Renewable", "policy comes first, also where staff decide"


async def test_renewal_beyond_maximum_is_refused_or_capped(world):
    for rule, problem in ((BeyondMaximum.REJECT, "Item Not Renewable"), (BeyondMaximum.CAP, None)):
        here = await world(maximum_loan_days=40, renewal_beyond_maximum=rule)
        await here.send(say.check_out("L1", "R-1"))
        answer = await here.send(say.renew("L1", IN_MARCH))
        assert answer.problem == problem
        assert answer.text("RenewItemResponse/DateDue") == (None if problem else "2026-02-14T22:59:59Z")


@pytest.mark.parametrize(("days", "expected"), [(3, "2026-01-08T22:59:59Z"), (10, "2026-01-15T22:59:59Z")])
async def test_renewal_reply_days_is_when_a_pending_renewal_will_be_answered(world, days, expected):
    here = await world(automatic_renewal=False, renewal_reply_days=days)
    await here.send(say.check_out("L1", "R-1", due=IN_FEBRUARY))
    answer = await here.send(say.renew("L1", IN_MARCH))
    assert answer.text("RenewItemResponse/Pending/DateOfExpectedReply") == expected


async def test_renewed_means_renew_takes_news_of_a_renewal_for_the_wish(world):
    """Told again it changes nothing; beyond the maximum it is refused as RenewItem is, and staff see it."""
    for wish in (True, False):
        here = await world(renewed_means_renew=wish)
        await here.send(say.check_out("L1", "R-1", due=IN_FEBRUARY))
        for _ in range(2):
            assert (await here.send(say.renewed("L1", IN_MARCH))).problem is None
        assert written(loan(here).due_at) == (IN_MARCH if wish else IN_FEBRUARY)
        assert loan(here).renewals == int(wish)
        refused = await here.send(say.renewed("L1", "2027-03-01T00:00:00Z"))
        assert (refused.problem, refused.text("ProblemElement")) == (
            ("Item Not Renewable", "ItemRenewed/ItemId/ItemIdentifierValue") if wish else (None, None)
        )


async def test_recall_on_local_request_recalls_or_lets_the_user_wait(world):
    for recalls in (True, False):
        here = await world(recall_on_local_request=recalls, url="http://broker.invalid/ncip")
        await here.send(say.check_out("L1", "R-1", due=IN_FEBRUARY))
        await here.desk("request", user=USER, barcode="L1")
        assert (here.status("R-1"), here.sent()) == (
            ("recalled", ["RecallItem"]) if recalls else ("shipped-physically", [])
        )
        assert here.count("hold") == 1


@pytest.mark.parametrize(("days", "due"), [(7, "2026-01-12T22:59:59Z"), (14, "2026-01-19T22:59:59Z")])
async def test_recall_days_is_how_much_time_a_recall_leaves(world, days, due):
    """Where it names no date: what we send to borrowers, and what our user gets."""
    here = await world(recall_days=days, url="http://broker.invalid/ncip")
    await here.send(say.check_out("L1", "R-1", due=IN_FEBRUARY))
    await here.desk("request", user=USER, barcode="L1")
    ((_, _, body),) = outbox(here)
    assert (f"DesiredDateDue>{due}<" in body, written(loan(here).due_at)) == (True, due)
    await here.send(say.accept("R-2", item="X-1", user=USER, action="Circulate", return_by=IN_FEBRUARY))
    assert (await here.send(say.recall("X-1"))).text("RecallItemResponse/DateDue") == due


# ---------------------------------------------------------------------------------------------- borrowing


async def test_automatic_receive_receives_at_once_and_otherwise_the_desk_does(world):
    for automatic in (True, False):
        here = await world(automatic_receive=automatic)
        await here.send(say.accept("R-1", item="X-1", user=USER))
        assert (here.status("R-1"), here.tasks("borrowing")) == (
            ("physically-received-by-library", ["shelve-hold"]) if automatic else ("shipped-physically", ["receive"])
        )


async def test_barcode_rule_own_prefix_or_refuse_where_the_barcode_is_taken(world):
    """L1 is a barcode of ours; whatever the rule, it stays the barcode of that item alone."""
    arrived = say.accept("R-1", item="L1", user=USER)
    for rule, pattern in ((BarcodeRule.OWN, r"TMP-made-\d+"), (BarcodeRule.PREFIX, "TMP-L1"), (BarcodeRule.REFUSE, "")):
        here = await world(barcode_rule=rule)
        answer = await here.send(arrived)
        if not pattern:
            assert (answer.problem, here.count("request")) == ("Cannot Accept Item", 0)
            assert (await here.send(say.accept("R-1", item="X-1", user=USER))).problem is None
            continue
        given = answer.text("AcceptItemResponse/ItemId/ItemIdentifierValue")
        assert re.fullmatch(pattern, given), given
        assert (borrowed(here, "L1").barcode, borrowed(here, "L1").partner_item_id) == (given, "L1")
        assert not here.ask(lambda circ: circ.item_by_barcode("L1")).temporary
        free = await here.send(say.accept("R-2", item="X-1", user=USER))
        assert free.text("AcceptItemResponse/ItemId/ItemIdentifierValue") == "X-1", "a free barcode is kept"


async def test_barcode_prefix_begins_made_up_and_prefixed_barcodes(world):
    here = await world(barcode_rule=BarcodeRule.PREFIX, barcode_prefix="ILL/")
    answers = [
        await here.send(say.accept(request, item=item, user=USER))
        for request, item in (("R-1", "L1"), ("R-2", "L1"), ("R-3", ""))
    ]
    given = [answer.text("AcceptItemResponse/ItemId/ItemIdentifierValue") for answer in answers]
    assert given[:2] == ["ILL/L1", "ILL/L1-2"], "prefixed, and still one live item each"
    assert given[2].startswith("ILL/")


@pytest.mark.parametrize(("days", "due"), [(0, IN_FEBRUARY), (3, "2026-02-07T22:59:59Z")])
async def test_user_due_days_earlier_ends_a_users_loan_before_the_lenders_date(world, days, due):
    """Two due dates: also after a renewal by the lender."""
    here = await world(user_due_days_earlier=days)
    await here.send(say.accept("R-1", item="X-1", user=USER, action="Circulate", return_by=IN_FEBRUARY))
    request = here.ask(lambda circ: circ.requests_called("BROKER", "R-1"))[0]
    assert (written(loan(here, "X-1").due_at), written(request.due_at)) == (due, IN_FEBRUARY)
    await here.send(say.renew("X-1", "2026-03-10T22:59:59Z"))
    assert written(loan(here, "X-1").due_at) == f"2026-03-{10 - days:02}T22:59:59Z"


@pytest.mark.parametrize(("days", "until"), [(10, "2026-01-15T22:59:59Z"), (3, "2026-01-08T22:59:59Z")])
async def test_hold_shelf_days_is_how_long_an_item_waits_for_its_user(world, days, until):
    """Where the message names no date."""
    here = await world(hold_shelf_days=days)
    for item, expires in (("X-1", ""), ("X-2", IN_FEBRUARY)):
        await here.send(say.accept(f"R-{item}", item=item, user=USER, pickup_expires=expires))
        await here.desk("hold-shelf", barcode=item)
        (hold,) = here.ask(lambda circ, item=item: circ.holds_of(circ.requests_called("BROKER", f"R-{item}")[0]))
        assert written(hold.expires_at) == (expires or until)


# ---------------------------------------------------------------------------------------------- messages


@pytest.mark.parametrize(("minutes", "after", "again"), [(10, 9, True), (10, 11, False), (60, 59, True), (0, 1, False)])
async def test_resend_window_minutes_is_how_long_a_stored_answer_is_repeated(world, minutes, after, again):
    here = await world(resend_window_minutes=minutes)
    await here.send(say.check_out("L1", "R-1"))
    first = await here.send(say.renew("L1"))
    here.clock.pass_days(after * MINUTE)
    second = await here.send(say.renew("L1"))
    assert (second.raw == first.raw) == again
    assert loan(here).renewals == (1 if again else 2)


@pytest.mark.parametrize(
    ("zone", "due"), [("", "2026-02-10T10:00:00Z"), ("America/New_York", "2026-02-10T16:00:00Z"), ("UTC", None)]
)
async def test_time_zone_is_that_of_dates_without_one(world, zone, due):
    """The partner's, else the agency's (Berlin)."""
    here = await world(time_zone=zone)
    answer = await here.send(say.check_out("L1", "R-1", due="2026-02-10T11:00:00"))
    assert answer.text("CheckOutItemResponse/DateDue") == (due or "2026-02-10T11:00:00Z")
    zoned = await here.send(say.check_out("L2", "R-2", due="2026-02-10T11:00:00+05:00"))
    assert zoned.text("CheckOutItemResponse/DateDue") == "2026-02-10T06:00:00Z", "a zone that is sent is believed"


@pytest.mark.parametrize("zone", ["", "America/New_York", "Pacific/Auckland"])
async def test_time_zone_does_not_move_the_end_of_our_day(world, zone):
    """A due date that we decide is the end of a day at the agency (Berlin), whatever clock the partner goes by."""
    for settings, told in (
        ({}, say.check_out("L1", "R-1")),
        ({}, say.check_out("L1", "R-1", happened="2026-01-05T08:00:00Z")),
        ({"maximum_loan_days": 28}, say.check_out("L1", "R-1", due="2026-06-01T00:00:00Z")),
    ):
        here = await world(time_zone=zone, **{"loan_days": 28, **settings})
        answer = await here.send(told)
        assert answer.text("CheckOutItemResponse/DateDue") == "2026-02-02T22:59:59Z", (settings, told)


async def test_always_include_adds_to_what_was_asked(world):
    """Elsewhere only what was asked for is answered."""
    plain = await world()
    assert not (await plain.send(say.lookup_item("L1"))).has("ItemOptionalFields")
    assert not (await plain.send(say.lookup_user(USER))).has("UserOptionalFields")
    generous = await world(always_include=("circulation status", "Name Information"))
    item = await generous.send(say.lookup_item("L1", "Location"))
    assert item.text("ItemOptionalFields/CirculationStatus") == "Available On Shelf"
    assert item.has("ItemOptionalFields/Location")
    user = await generous.send(say.lookup_user(USER))
    assert user.has("UserOptionalFields/NameInformation")
    assert not user.has("UserOptionalFields/UserPrivilege")
    returned = await generous.send(say.check_out("L1", "R-1"))
    assert returned.text("ItemOptionalFields/CirculationStatus") == "On Loan", "what is so after the message"


@pytest.mark.parametrize(("datatypes", "marked"), [("as-asked", False), ("always", True), ("never", False)])
async def test_v1_datatypes_says_whether_texts_of_version_1_carry_their_datatype(world, datatypes, marked):
    """As in the message, which has none here; tests/services/test_version_1.py has messages with them."""
    here = await world(v1_datatypes=datatypes)
    asked = version_1.pair("ItemElementType", "Circulation Status")
    plain = version_1.v1("LookupItem", version_1.item("L1") + asked)
    answer = await here.post(plain)
    assert (b' datatype="string"' in answer.raw) == marked


async def test_a_forwarded_wish_of_a_partner_without_settings_is_refused_with_words(world):
    """A partner that is no longer configured has no URL: staff are told which one."""
    here = await world(url="http://broker.invalid/ncip")
    await here.send(say.accept("R-1", item="X-1", user=USER, action="Circulate"))
    here.directory._partners[1].clear()
    with pytest.raises((DeskError, Problem), match="BROKER"):
        await here.desk("renew", barcode="X-1")


def test_every_setting_has_a_test():
    """Named after it, here or in `tests/edge/test_dialects.py`; a new setting fails here until it has one."""
    tests = [name for module in (sys.modules[__name__], test_dialects) for name in dir(module)]
    untested = [
        field.name
        for field in msgspec.structs.fields(Partner)
        if not any(name.startswith(f"test_{field.name}_") for name in tests)
    ]
    assert not untested, f"write test_{{setting}}_… for {', '.join(untested)}"


def test_every_default_is_the_documented_one():
    """semantics.md: what is said to be the default there."""
    plain = Partner(code="P", agency="A")
    assert plain.open_loan is OpenLoan.REFUSE
    assert plain.due_date_beyond_maximum is BeyondMaximum.CAP
    assert plain.renewal_beyond_maximum is BeyondMaximum.REJECT
    assert plain.barcode_rule is BarcodeRule.OWN
    assert plain.check_in_not_on_loan is NotOnLoan.SUCCESS_IF_KNOWN
    assert plain.resend_window_minutes == 10
    assert plain.user_due_days_earlier == 0
    assert plain.check_out_without_request
    assert plain.automatic_receive
    assert not plain.always_include
