"""Lookups: exactly what was asked for, of whoever may be asked about, and nothing about anybody else."""

from __future__ import annotations

import pytest
from lxml import etree

from ncipd.circulation.partner import Partner, PartnerRole
from ncipd.ncip.schemes import ItemElementType, RequestElementType, UserElementType
from tests.circulation import messages as say
from tests.circulation.messages import IN_FEBRUARY
from tests.services.world import DAY, START, fill, make_world

USER = "LEND-USER-1"
NEIGHBOUR = "LEND-USER-2"
PARTNERS = (
    Partner(code="BROKER", agency="LEND", url="http://broker.invalid/ncip"),
    Partner(code="OTHER", agency="LEND"),
    Partner(code="SHOWS", agency="LEND", always_include=("Circulation Status",)),
    Partner(code="CATALOGUE", agency="LEND", role=PartnerRole.DISCOVERY),
    Partner(code="BROKER", agency="BORROW"),
)


@pytest.fixture
async def world(tmp_path):
    """Our agency, with a user of whom much is known and a record and an item with everything filled in."""
    made = make_world(tmp_path / "data", PARTNERS)
    await fill(made)
    await made.store.transact(lambda tx: describe(made.unit(tx, "LEND")))
    yield made
    await made.store.close()


def describe(circ):
    user = circ.users(USER)[0].id
    execute = circ.tx._execute
    execute("UPDATE user SET born_at = ?, expires_at = ? WHERE id = ?", (START - 9000 * DAY, START + 300 * DAY, user))
    for role, kind, data in (("Home", "mailto", "rosa@example.org"), ("Home", "postal", "Main Street 1")):
        execute(
            "INSERT INTO user_address (user_id, role, kind, data, locality, postal_code) VALUES (?, ?, ?, ?, ?, ?)",
            (user, role, kind, data, "Lakeside", "12345"),
        )
    circ.tx.run(
        "insert_user_block", user=user, type="Block Check Out", valid_from=None, valid_to=START + 5 * DAY, note="secret"
    )
    circ.tx.run(
        "insert_user_block", user=user, type="Block Renewal", valid_from=None, valid_to=START - DAY, note="over"
    )
    item = circ.item_by_barcode("L1")
    execute("UPDATE item SET copy_number = 'c.2', volume = 'vol. 3' WHERE id = ?", (item.id,))
    execute("UPDATE record SET author = 'Melville', publisher = 'Harper' WHERE id = ?", (item.record_id,))


def parts(answer, path):
    """Name what stands inside an element, in order and without repetitions; the element must be there."""
    (found,) = [node for node in answer.root.iter() if etree.QName(node).localname == path]
    return list(dict.fromkeys(etree.QName(node).localname for node in found))


# ---------------------------------------------------------------------------------------------- LookupUser


USER_PARTS = {
    "Name Information": ["NameInformation"],
    "User Address Information": ["UserAddressInformation"],
    "Date Of Birth": ["DateOfBirth"],
    "User Language": ["UserLanguage"],
    "User Privilege": ["UserPrivilege"],
    "Block Or Trap": ["BlockOrTrap"],
    "User Id": ["UserId"],
}


@pytest.mark.parametrize("asked", USER_PARTS)
async def test_of_a_user_only_the_part_that_was_asked_for_is_told(world, asked):
    answer = await world.send(say.lookup_user(USER, asked))
    assert parts(answer, "LookupUserResponse") == ["ResponseHeader", "UserId", "UserOptionalFields"]
    assert parts(answer, "UserOptionalFields") == USER_PARTS[asked]


async def test_of_a_user_of_whom_nothing_was_asked_only_the_id_is_told(world):
    """The id is the one that the agency knows the user by, whichever was sent."""
    answer = await world.send(say.lookup_user(f"card-{USER}"))
    assert parts(answer, "LookupUserResponse") == ["ResponseHeader", "UserId"]
    assert answer.text("LookupUserResponse/UserId/UserIdentifierValue") == USER


async def test_all_parts_of_a_user_come_in_the_order_of_the_grammar(world):
    answer = await world.send(say.lookup_user(USER, *reversed(USER_PARTS)))
    assert parts(answer, "UserOptionalFields") == [part for found in USER_PARTS.values() for part in found]


async def test_a_users_details_are_those_of_the_store(world):
    answer = await world.send(say.lookup_user(USER, *USER_PARTS))
    assert answer.text("StructuredPersonalUserName/Surname") == "Reader"
    assert answer.text("ElectronicAddress/ElectronicAddressData") == "rosa@example.org"
    assert answer.text("StructuredAddress/PostalCode") == "12345"
    assert answer.text("UserPrivilege/AgencyUserPrivilegeType") == "Student"
    assert sorted(answer.texts("UserOptionalFields/UserId/UserIdentifierValue")) == [USER, f"card-{USER}"]


async def test_blocks_are_told_while_they_hold_and_notes_for_staff_never(world):
    answer = await world.send(say.lookup_user(USER, "Block Or Trap"))
    assert answer.texts("BlockOrTrap/BlockOrTrapType") == ["Block Check Out"]
    assert "secret" not in answer.raw.decode()
    world.clock.pass_days(6)
    assert not (await world.send(say.lookup_user(USER, "Block Or Trap"))).has("BlockOrTrap")


@pytest.mark.parametrize("asked", ["user privilege", " User Privilege ", "Previous User Id", "Favourite Colour"])
async def test_element_types_are_read_generously_and_unknown_ones_add_nothing(world, asked):
    answer = await world.send(say.lookup_user(USER, asked))
    assert answer.problem is None
    assert answer.has("UserOptionalFields/UserPrivilege") == ("rivilege" in asked)


async def test_authentication_input_is_never_told(world):
    assert UserElementType.AUTHENTICATION_INPUT.value not in USER_PARTS
    answer = await world.send(say.lookup_user(USER, "Authentication Input"))
    assert not answer.has("AuthenticationInput")


async def test_what_a_user_has_is_told_only_where_it_is_desired_and_only_their_own(world):
    """Loans and requests of two users: each lookup shows one user's."""
    await world.store.transact(lambda tx: tx._execute("DELETE FROM user_block", ()))
    for user, item, title, wanted in ((USER, "L1", "OCLC-1", "L3"), (NEIGHBOUR, "L2", "OCLC-2", "L4")):
        await world.desk("check-out", barcode=item, user=user)
        await world.desk("request", barcode=wanted, user=user)
        assert (await world.send(say.request_item(f"R-{user}", user=user, title=title))).problem is None
    silent = await world.send(say.lookup_user(USER))
    assert parts(silent, "LookupUserResponse") == ["ResponseHeader", "UserId"]
    for user, item, wanted, others in ((USER, "L1", "L3", ("L2", "L4")), (NEIGHBOUR, "L2", "L4", ("L1", "L3"))):
        answer = await world.send(say.lookup_user(user, loans=True, requests=True))
        assert answer.texts("LoanedItem/ItemId/ItemIdentifierValue") == [item]
        assert answer.text("LoanedItemsCount/LoanedItemCountValue") == "1"
        assert set(answer.texts("RequestedItem/ItemId/ItemIdentifierValue")) == {wanted}
        assert f"R-{user}" in answer.texts("RequestedItem/RequestId/RequestIdentifierValue")
        text = answer.raw.decode()
        assert not [other for other in others if f">{other}<" in text]
        assert (NEIGHBOUR if user == USER else USER) not in text


async def test_a_borrowed_item_is_among_what_a_user_has(world):
    await world.send(say.accept("R-1", item="X-1", user=USER, action="Circulate", return_by=IN_FEBRUARY, title="Moby"))
    answer = await world.send(say.lookup_user(USER, loans=True, requests=True))
    assert answer.text("LoanedItem/DateDue") == IN_FEBRUARY
    assert answer.text("LoanedItem/Title") == "Moby"
    recalled = await world.send(say.recall("X-1"))
    assert recalled.problem is None
    again = await world.send(say.lookup_user(USER, loans=True))
    assert again.text("LoanedItemsCount/CirculationStatus") == "Recalled"


async def test_nobody_is_found_who_is_not_there_or_not_ours(world):
    for value, to in (("WHO-1", "LEND"), (USER, "BORROW"), ("-", "LEND")):
        answer = await world.send(say.lookup_user(value), to=to)
        assert (answer.problem, answer.text("Problem/ProblemValue")) == ("Unknown User", value)
        assert answer.text("Problem/ProblemElement") == "LookupUser/UserId/UserIdentifierValue"


async def test_a_number_that_two_users_have_is_not_unique(world):
    def share(tx):
        circ = world.unit(tx, "LEND")
        for name, kind in ((USER, "Old"), (NEIGHBOUR, "New")):
            user = circ.users(name)[0].id
            tx.run("insert_user_identifier", agency=circ.agency.id, value="SHARED", type=kind, user=user)

    await world.store.transact(share)
    answer = await world.send(say.lookup_user("SHARED"))
    assert answer.problem == "Non-Unique User"
    assert USER not in answer.raw.decode()
    assert NEIGHBOUR not in answer.raw.decode()


# ---------------------------------------------------------------------------------------------- LookupItem


ITEM_PARTS = {
    "Bibliographic Description": ["BibliographicDescription"],
    "Circulation Status": ["CirculationStatus"],
    "Hold Queue Length": ["HoldQueueLength"],
    "Item Description": ["ItemDescription"],
    "Location": ["Location"],
}


@pytest.mark.parametrize("asked", ITEM_PARTS)
async def test_of_an_item_only_the_part_that_was_asked_for_is_told(world, asked):
    answer = await world.send(say.lookup_item("L1", asked))
    assert parts(answer, "LookupItemResponse") == ["ResponseHeader", "ItemId", "ItemOptionalFields"]
    assert parts(answer, "ItemOptionalFields") == ITEM_PARTS[asked]


async def test_of_an_item_of_which_nothing_was_asked_only_the_id_is_told(world):
    answer = await world.send(say.lookup_item("L1"))
    assert parts(answer, "LookupItemResponse") == ["ResponseHeader", "ItemId"]
    generous = await world.send(say.lookup_item("L1", "Location"), partner="SHOWS")
    assert parts(generous, "ItemOptionalFields") == ["CirculationStatus", "Location"], "this partner's profile says so"


async def test_an_items_details_are_those_of_the_store(world):
    answer = await world.send(say.lookup_item("L1", *ItemElementType))
    assert answer.text("BibliographicDescription/Title") == "Title 1"
    assert answer.text("BibliographicDescription/Author") == "Melville"
    assert answer.text("ItemDescription/CallNumber") == "QA L1"
    assert answer.text("ItemDescription/CopyNumber") == "c.2"
    assert answer.texts("LocationNameInstance/LocationNameValue") == ["LEND University", "Main Library", "Stacks"]
    assert answer.text("ItemOptionalFields/CirculationStatus") == "Available On Shelf"
    assert answer.text("ItemOptionalFields/HoldQueueLength") == "0"


async def test_a_restriction_is_told_of_what_does_not_circulate(world):
    asked = "Item Use Restriction Type"
    assert (await world.send(say.lookup_item("LREF", asked))).text(
        "ItemOptionalFields/ItemUseRestrictionType"
    ) == "In Library Use Only"
    assert not (await world.send(say.lookup_item("L1", asked))).has("ItemUseRestrictionType")


async def test_the_due_date_is_told_while_the_item_is_out(world):
    await world.send(say.check_out("L1", "R-1", due=IN_FEBRUARY))
    answer = await world.send(say.lookup_item("L1", "Date Due", "Circulation Status"))
    assert answer.text("ItemOptionalFields/DateDue") == IN_FEBRUARY
    assert answer.text("ItemOptionalFields/CirculationStatus") == "On Loan"
    await world.send(say.check_in("L1"))
    assert not (await world.send(say.lookup_item("L1", "Date Due"))).has("DateDue")


async def test_when_it_was_recalled_and_until_when_it_waits_is_told_to_who_asks_for_the_status(world):
    """DateRecalled and HoldPickupDate have no element type of their own: they belong to Circulation Status."""
    await world.desk("check-out", barcode="L1", user=NEIGHBOUR)
    await world.send(
        "<RecallItem><ItemId><ItemIdentifierValue>L1</ItemIdentifierValue></ItemId></RecallItem>", partner="CATALOGUE"
    )
    assert (await world.send(say.lookup_item("L1", "Circulation Status"))).has("LookupItemResponse/DateRecalled")
    assert parts(await world.send(say.lookup_item("L1", "Date Due")), "LookupItemResponse") == [
        "ResponseHeader",
        "ItemId",
        "ItemOptionalFields",
    ]
    await world.desk("request", user=USER, barcode="L2")
    await world.desk("scan-at-shelf", barcode="L2")
    await world.desk("hold-shelf", barcode="L2")
    assert (await world.send(say.lookup_item("L2", "Circulation Status"))).has("LookupItemResponse/HoldPickupDate")
    assert not (await world.send(say.lookup_item("L2", "Location"))).has("LookupItemResponse/HoldPickupDate")


async def test_every_step_of_an_item_has_its_circulation_status(world):
    async def status(barcode="L1"):
        answer = await world.send(say.lookup_item(barcode, "Circulation Status"))
        return answer.text("ItemOptionalFields/CirculationStatus")

    await world.send(say.request_item("R-1", item="L1"))
    assert await status() == "Pending Transfer"
    await world.send(say.check_out("L1", "R-1", due=IN_FEBRUARY))
    assert await status() == "On Loan"
    await world.desk("request", user=NEIGHBOUR, barcode="L1")
    assert await status() == "Recalled"
    await world.send(say.check_in("L1"))
    assert await status() == "Available For Pickup"
    await world.send(say.accept("R-2", item="X-1", user=USER))
    assert await status("X-1") == "In Process"


async def test_a_borrowed_item_is_found_under_our_barcode_and_by_its_request(world):
    """The partner's number for it is a barcode of ours, so a barcode of its own was made."""
    accepted = await world.send(say.accept("R-1", item="L1", user=USER, title="Moby"))
    ours = accepted.text("AcceptItemResponse/ItemId/ItemIdentifierValue")
    by_barcode = await world.send(say.lookup_item(ours, "Bibliographic Description"))
    assert by_barcode.text("BibliographicDescription/Title") == "Moby"
    await world.send(say.accept("R-2", item="X-2", user=USER, title="Dick"))
    by_theirs = await world.send(say.lookup_item("X-2", "Bibliographic Description"))
    assert by_theirs.text("BibliographicDescription/Title") == "Dick"
    by_request = await world.send(say.lookup_item("", "Bibliographic Description", request="R-1"))
    assert by_request.text("BibliographicDescription/Title") == "Moby"
    assert by_request.text("LookupItemResponse/ItemId/ItemIdentifierValue") == ours
    await world.send(say.check_in(ours))
    assert (await world.send(say.lookup_item(ours))).problem == "Unknown Item", "what went back is not here"


async def test_the_borrower_is_named_only_to_the_partner_that_borrows(world):
    """And as that partner named them; users of ours are never named."""
    await world.send(say.check_out("L1", "R-1", user="THEIR-READER"))
    mine = await world.send(say.lookup_item("L1", borrower=True))
    assert mine.text("CurrentBorrower/UserId/UserIdentifierValue") == "THEIR-READER"
    assert not (await world.send(say.lookup_item("L1"))).has("ItemTransaction")
    assert "THEIR-READER" not in (await world.send(say.lookup_item("L1", borrower=True), partner="OTHER")).raw.decode()
    await world.desk("check-out", barcode="L2", user=NEIGHBOUR)
    theirs = await world.send(say.lookup_item("L2", *ItemElementType, borrower=True))
    assert theirs.problem is None
    assert NEIGHBOUR not in theirs.raw.decode()


async def test_an_item_by_its_request_is_named_with_the_request(world):
    await world.send(say.request_item("R-1", title="REC-LEND-1"))
    answer = await world.send(say.lookup_item(request="R-1"))
    assert answer.text("LookupItemResponse/RequestId/RequestIdentifierValue") == "R-1"
    assert answer.text("LookupItemResponse/ItemId/ItemIdentifierValue") == "L1"
    await world.send(say.request_item("R-2", title="NOTHING"))
    nothing = await world.send(say.lookup_item(request="R-2"))
    assert parts(nothing, "LookupItemResponse") == ["ResponseHeader", "RequestId"]


async def test_no_item_is_found_that_is_not_ours_or_not_this_partners(world):
    answer = await world.send(say.lookup_item("NOPE"))
    assert (answer.problem, answer.text("Problem/ProblemValue")) == ("Unknown Item", "NOPE")
    assert (await world.send(say.lookup_item("B1"))).problem == "Unknown Item", "an item of the other agency"
    await world.send(say.request_item("R-1", item="L1"))
    assert (await world.send(say.lookup_item(request="R-1"), partner="OTHER")).problem == "Unknown Request"
    assert (await world.send(say.lookup_item(request="R-9"))).problem == "Unknown Request"


# ---------------------------------------------------------------------------------------------- LookupRequest


REQUEST_PARTS = {
    "User Id": "UserId",
    "Request Type": "RequestType",
    "Request Scope Type": "RequestScopeType",
    "Request Status Type": "RequestStatusType",
    "Need Before Date": "NeedBeforeDate",
    "Pickup Location": "PickupLocation",
    "Date Of User Request": "DateOfUserRequest",
}


async def of_a_user(world):
    return await world.send(
        say.request_item("R-1", user=NEIGHBOUR, title="OCLC-9", kind="Loan", pickup="LAW", before=IN_FEBRUARY)
    )


@pytest.mark.parametrize("asked", REQUEST_PARTS)
async def test_of_a_request_only_the_part_that_was_asked_for_is_told(world, asked):
    await of_a_user(world)
    answer = await world.send(say.lookup_request("R-1", asked))
    assert parts(answer, "LookupRequestResponse") == ["ResponseHeader", "RequestId", REQUEST_PARTS[asked]]


async def test_a_requests_details_are_those_that_were_sent(world):
    await of_a_user(world)
    answer = await world.send(say.lookup_request("R-1", *RequestElementType))
    told = {name: answer.text(f"LookupRequestResponse/{name}") for name in REQUEST_PARTS.values() if name != "UserId"}
    assert told == {
        "RequestType": "Loan",
        "RequestScopeType": "Item",
        "RequestStatusType": "Requested Via ILL",
        "NeedBeforeDate": IN_FEBRUARY,
        "PickupLocation": "LAW",
        "DateOfUserRequest": "2026-01-05T09:00:00Z",
    }
    assert answer.text("LookupRequestResponse/UserId/UserIdentifierValue") == NEIGHBOUR


async def test_of_a_requests_item_and_user_only_what_was_asked_for_is_told(world):
    await of_a_user(world)
    await world.send(say.accept("R-1", item="X-1", title="Moby"))
    plain = await world.send(say.lookup_request("R-1"))
    assert parts(plain, "LookupRequestResponse") == ["ResponseHeader", "RequestId", "ItemId"]
    answer = await world.send(
        say.lookup_request("R-1", about_item=("Circulation Status",), about_user=("Name Information",))
    )
    assert parts(answer, "ItemOptionalFields") == ["CirculationStatus"]
    assert parts(answer, "UserOptionalFields") == ["NameInformation"]


async def test_a_request_is_found_by_user_item_and_type(world):
    await world.send(say.request_item("R-1", item="L1", user="THEIR-READER"), partner="BROKER")
    found = await world.send(say.lookup_request(item="L1", user="THEIR-READER"))
    assert found.text("LookupRequestResponse/RequestId/RequestIdentifierValue") == "R-1"
    assert (await world.send(say.lookup_request(item="L1", user="ANOTHER"))).problem == "Unknown Request"


async def test_each_stage_of_a_request_has_its_status(world):
    async def status(request):
        answer = await world.send(say.lookup_request(request, "Request Status Type"))
        return answer.text("LookupRequestResponse/RequestStatusType")

    await world.send(say.request_item("R-1", item="L1"))
    assert await status("R-1") == "In Process"
    await world.send(say.cancel("R-1"))
    assert await status("R-1") == "Cannot Fulfill Request"
    await of_a_user(world)
    assert await status("R-1") == "Requested Via ILL", "the open request comes before the ended one"
    await world.send(say.accept("R-1", item="X-1"))
    assert await status("R-1") == "Available For Pickup"


async def test_no_request_is_found_that_is_not_there_or_another_partners(world):
    await of_a_user(world)
    answer = await world.send(say.lookup_request("R-9"))
    assert (answer.problem, answer.text("Problem/ProblemValue")) == ("Unknown Request", "R-9")
    assert (await world.send(say.lookup_request("R-1"), partner="OTHER")).problem == "Unknown Request"
    assert (await world.send(say.lookup_request("R-1"), to="BORROW")).problem == "Unknown Request"


# ---------------------------------------------------------------------------------------------- LookupAgency


async def test_of_an_agency_only_what_was_asked_for_is_told(world):
    named = await world.send(say.lookup_agency("LEND", "Organization Name Information"))
    assert parts(named, "LookupAgencyResponse") == ["ResponseHeader", "AgencyId", "OrganizationNameInformation"]
    assert named.text("OrganizationNameInformation/OrganizationName") == "LEND University"
    profiles = await world.send(say.lookup_agency("LEND", "Application Profile Supported Type"))
    assert parts(profiles, "LookupAgencyResponse") == ["ResponseHeader", "AgencyId", "ApplicationProfileSupportedType"]
    assert profiles.texts("ApplicationProfileSupportedType") == ["BROKER"], "other partners are none of its business"


async def test_an_agency_is_found_by_any_of_its_codes_and_named_as_asked(world):
    for code in ("LEND", "XX-LEND", "xx-lend"):
        answer = await world.send(say.lookup_agency(code, "Organization Name Information"))
        assert answer.text("LookupAgencyResponse/AgencyId") == code
    other = await world.send(say.lookup_agency("BORROW", "Organization Name Information"))
    assert other.text("OrganizationNameInformation/OrganizationName") == "BORROW University"


async def test_an_unknown_agency_is_a_problem(world):
    answer = await world.send(say.lookup_agency("NOWHERE", "Organization Name Information"))
    assert (answer.problem, answer.text("Problem/ProblemValue")) == ("Unknown Agency", "NOWHERE")
    assert answer.kind == "LookupAgencyResponse"


# ---------------------------------------------------------------------------------------------- all of them


async def test_lookups_change_nothing_but_the_journal(world):
    await of_a_user(world)
    before = world.store._reader.execute("SELECT count(*) FROM journal").fetchone()[0]
    state = [world.store._reader.execute(f"SELECT * FROM {name}").fetchall() for name in ("request", "item", "reply")]
    for content in (
        say.lookup_user(USER, loans=True, requests=True),
        say.lookup_item("L1"),
        say.lookup_request("R-1"),
        say.lookup_agency("LEND", "Organization Name Information"),
    ):
        assert (await world.send(content)).problem is None
    await world.store.transact(lambda _: None)
    assert world.store._reader.execute("SELECT count(*) FROM journal").fetchone()[0] == before + 4
    assert state == [
        world.store._reader.execute(f"SELECT * FROM {name}").fetchall() for name in ("request", "item", "reply")
    ]


# ---------------------------------------------------------------------------------------------- ids as they were sent


def whose(content, agency="HUB"):
    """Say of every ItemId and RequestId whose it is."""
    for name in ("ItemIdentifierValue", "RequestIdentifierValue"):
        content = content.replace(f"<{name}>", f"<AgencyId>{agency}</AgencyId><{name}>")
    return content


def named(answer, path):
    """Read whose an id is said to be, and its value."""
    kind = path.rpartition("/")[2].removesuffix("Id")
    return answer.text(f"{path}/AgencyId"), answer.text(f"{path}/{kind}IdentifierValue")


async def well(world, content):
    answer = await world.send(content)
    assert answer.problem is None, answer
    return answer


async def test_an_id_comes_back_as_it_was_sent(world):
    """With the agency whose it is, in the answer to a request and in every lookup that names it so."""
    made = await well(world, whose(say.request_item("R-1", item="L1")))
    assert named(made, "RequestItemResponse/ItemId") == ("HUB", "L1")
    by_item = await well(world, whose(say.lookup_item("L1")))
    assert named(by_item, "LookupItemResponse/ItemId") == ("HUB", "L1")
    by_request = await well(world, whose(say.lookup_item(request="R-1")))
    assert named(by_request, "LookupItemResponse/RequestId") == ("HUB", "R-1")
    about_it = await well(world, whose(say.lookup_request("R-1")))
    assert named(about_it, "LookupRequestResponse/RequestId") == ("HUB", "R-1")
    came = await well(world, whose(say.accept("R-2", item="X-1", user=USER)))
    assert named(came, "AcceptItemResponse/ItemId") == ("HUB", "X-1")


async def test_an_id_comes_back_without_the_blanks_around_it(world):
    """And an ItemId with its type, which may be left out when it is sent."""
    await well(world, whose(say.request_item(" R-1 ", item=" L1 ")))
    answer = await well(world, whose(say.lookup_item(" L1 ")))
    assert named(answer, "LookupItemResponse/ItemId") == ("HUB", "L1")
    assert answer.text("ItemId/ItemIdentifierType") == "Barcode"
    answer = await well(world, whose(say.lookup_request(" R-1 ")))
    assert named(answer, "LookupRequestResponse/RequestId") == ("HUB", "R-1")


async def test_a_hold_is_named_as_the_partner_named_it(world):
    """By its own number and whose that is, in the lookups and in the answer that ends it."""
    wish = whose(say.request_item("W-1", user=USER, item="L1"), "CATALOGUE")
    assert named(await world.send(wish, partner="CATALOGUE"), "RequestItemResponse/RequestId") == ("CATALOGUE", "W-1")
    for content in (say.lookup_request("W-1"), say.lookup_item(request="W-1"), say.cancel("W-1", user=USER)):
        answer = await world.send(whose(content, "CATALOGUE"), partner="CATALOGUE")
        assert answer.problem is None, answer
        assert named(answer, "RequestId") == ("CATALOGUE", "W-1"), content


async def test_whose_a_request_is_is_known_from_when_it_was_made(world):
    """A lookup that does not name the request tells it as the partner did, though requests are not told apart by it."""
    await well(world, whose(say.request_item("R-1", user=USER, title="OCLC-9", code="OCLC", kind="Loan")))
    listed = await well(world, say.lookup_user(USER, requests=True))
    assert named(listed, "RequestedItem/RequestId") == ("HUB", "R-1")
    found = await well(world, say.lookup_request(user=USER, item="OCLC-9"))
    assert named(found, "LookupRequestResponse/RequestId") == ("HUB", "R-1")
    await well(world, whose(say.accept("R-1", item="X-1", user=USER), "ANOTHER"))
    await well(world, say.lookup_request("R-1"))
    assert world.count("request") == 1, "whose it is does not count for this partner"


async def test_a_request_that_is_named_otherwise_is_told_as_it_is_known(world):
    """Sent with another agency than it was made with, it is the same request, and comes back as sent."""
    await well(world, whose(say.request_item("R-1", item="L1")))
    other = await well(world, whose(say.lookup_request("R-1"), "ANOTHER"))
    assert named(other, "LookupRequestResponse/RequestId") == ("ANOTHER", "R-1")
    again = await well(world, whose(say.request_item("R-1", item="L1"), "ANOTHER"))
    assert named(again, "RequestItemResponse/RequestId") == ("ANOTHER", "R-1")
    assert world.count("request") == 1
    await well(world, whose(say.check_out("L1", "R-1"), "THIRD"))
    await well(world, say.check_in("L1", "R-1"))
    assert world.status("R-1") == "request-completed"
