"""Items and agencies as messages create, change and delete them; every effect is looked up."""

from __future__ import annotations

import pytest

from tests.services.world import Answer, World, item_id, request_id, user_id

TITLE = "<BibliographicDescription><Author>Mary Shelley</Author><Title>Frankenstein</Title></BibliographicDescription>"
EVERYTHING = (
    "Bibliographic Description", "Circulation Status", "Electronic Resource", "Hold Queue Length", "Item Description",
    "Item Use Restriction Type", "Location", "Physical Condition", "Security Marker", "Sensitization Flag",
)  # fmt: skip


def create(barcode: str = "", more: str = "", request: str = "") -> str:
    return f"<CreateItem>{item_id(barcode) if barcode else ''}{request}{TITLE}{more}</CreateItem>"


async def look(world: World, barcode: str, partner: str = "BROKER") -> Answer:
    wanted = "".join(f"<ItemElementType>{one}</ItemElementType>" for one in EVERYTHING)
    return await world.send(f"<LookupItem>{item_id(barcode)}{wanted}</LookupItem>", partner=partner)


DETAILS = (
    "<ItemUseRestrictionType>Overnight Only</ItemUseRestrictionType><CirculationStatus>In Process</CirculationStatus>"
    "<ItemDescription><CallNumber>PR 5397</CallNumber><CopyNumber>2</CopyNumber><NumberOfPieces>3</NumberOfPieces>"
    "</ItemDescription><Location><LocationType>Permanent Location</LocationType><LocationName><LocationNameInstance>"
    "<LocationNameLevel>1</LocationNameLevel><LocationNameValue>STACKS</LocationNameValue></LocationNameInstance>"
    "</LocationName></Location><PhysicalCondition><PhysicalConditionType>Pages Missing</PhysicalConditionType>"
    "<PhysicalConditionDetails>page 7</PhysicalConditionDetails></PhysicalCondition>"
    "<SecurityMarker>Tag-It</SecurityMarker><SensitizationFlag/>"
)


async def test_an_item_is_created_with_all_that_is_said_of_it(world: World) -> None:
    """What LookupItem gives back is what CreateItem brought."""
    answer = await world.send(create("N1", DETAILS), partner="DISCOVERY")
    assert answer.text("CreateItemResponse/ItemId/ItemIdentifierValue") == "N1", answer
    found = await look(world, "N1")
    for path, value in (
        ("BibliographicDescription/Title", "Frankenstein"),
        ("ItemUseRestrictionType", "Overnight Only"),
        ("CirculationStatus", "In Process"),
        ("ItemDescription/CallNumber", "PR 5397"),
        ("ItemDescription/NumberOfPieces", "3"),
        ("PhysicalCondition/PhysicalConditionDetails", "page 7"),
        ("SecurityMarker", "Tag-It"),
    ):
        assert found.text(f"ItemOptionalFields/{path}") == value, path
    assert found.has("ItemOptionalFields/SensitizationFlag")


async def test_an_item_without_an_id_is_given_one(world: World) -> None:
    """The answer says which."""
    answer = await world.send(create())
    made = answer.text("CreateItemResponse/ItemId/ItemIdentifierValue")
    assert made is not None
    assert (await look(world, made)).problem is None


async def test_what_cannot_be_created_is_refused_and_leaves_nothing(world: World) -> None:
    """Duplicate Item, a status that follows from a loan, an unknown value, a request and a place that are not known."""
    assert (await world.send(create("L1"))).problem == "Duplicate Item"
    on_loan = "<CirculationStatus>On Loan</CirculationStatus>"
    assert (await world.send(create("N2", on_loan))).problem == "Element Rule Violated"
    nonsense = "<CirculationStatus>Gone Fishing</CirculationStatus>"
    assert (await world.send(create("N2", nonsense))).problem == "Unknown Value From Known Scheme"
    assert (await world.send(create("N2", request=request_id("R-none")))).problem == "Element Rule Violated"
    nowhere = DETAILS.replace("STACKS", "MOON")
    assert (await world.send(create("N2", nowhere))).problem == "Element Rule Violated"
    assert (await look(world, "N2")).problem == "Unknown Item"
    assert world.count("item") == world.count("item WHERE temporary = 0")


async def test_creating_twice_is_one_item(world: World) -> None:
    """A resend gets the stored answer."""
    first, second = await world.send(create("N3")), await world.send(create("N3"))
    assert first.raw == second.raw
    assert world.count("item WHERE barcode = 'N3'") == 1


def update(barcode: str, deleted: str = "", added: str = "") -> str:
    gone = f"<DeleteItemFields>{deleted}</DeleteItemFields>" if deleted else ""
    new = f"<AddItemFields>{added}</AddItemFields>" if added else ""
    return f"<UpdateItem>{item_id(barcode)}{gone}{new}</UpdateItem>"


def call_number(text: str) -> str:
    return f"<ItemDescription><CallNumber>{text}</CallNumber></ItemDescription>"


async def test_updates_delete_before_they_add(world: World) -> None:
    """To change a value the old one is deleted and the new one added, in one message."""
    answer = await world.send(update("L1", call_number("QA L1"), call_number("PR 1")), partner="DISCOVERY")
    assert answer.problem is None, answer
    assert (await look(world, "L1")).text("ItemDescription/CallNumber") == "PR 1"


async def test_an_update_that_does_not_fit_changes_nothing(world: World) -> None:
    """Deleting what is not there, adding what is there already, nothing at all, an item of ours by a broker."""
    wrong = update("L1", call_number("never"), call_number("PR 2"))
    assert (await world.send(wrong, partner="DISCOVERY")).problem == "Unable To Delete Element"
    assert (
        await world.send(update("L1", "", call_number("PR 2")), partner="DISCOVERY")
    ).problem == "Unable To Add Element"
    assert (await world.send(update("L1"), partner="DISCOVERY")).problem == "Needed Data Missing"
    assert (await world.send(update("L1", "", call_number("PR 2")))).problem == "Item Access Denied"
    assert (await world.send(update("nope", "", call_number("PR 2")))).problem == "Unknown Item"
    assert (await look(world, "L1")).text("ItemDescription/CallNumber") == "QA L1"


async def test_restrictions_come_and_go(world: World) -> None:
    """A repeatable element: added, refused when it is there, deleted, refused when it is not."""
    limit = "<ItemUseRestrictionType>Overnight Only</ItemUseRestrictionType>"
    assert (await world.send(update("L1", added=limit), partner="DISCOVERY")).problem is None
    assert (await look(world, "L1")).texts("ItemUseRestrictionType") == ["Overnight Only"]
    world.clock.pass_days(1)
    assert (await world.send(update("L1", added=limit), partner="DISCOVERY")).problem == "Unable To Add Element"
    assert (await world.send(update("L1", deleted=limit), partner="DISCOVERY")).problem is None
    world.clock.pass_days(1)
    assert (await world.send(update("L1", deleted=limit), partner="DISCOVERY")).problem == "Unable To Delete Element"


async def test_an_item_is_deleted_unless_it_is_needed(world: World) -> None:
    """On loan or wanted: refused. Free: gone. Deleted twice: the same."""
    await world.send(create("T1"))
    assert (await world.send(f"<DeleteItem>{item_id('T1')}</DeleteItem>")).problem is None
    assert (await look(world, "T1")).problem == "Unknown Item"
    world.clock.pass_days(1)
    assert (await world.send(f"<DeleteItem>{item_id('T1')}</DeleteItem>")).problem is None
    assert (await world.send(f"<DeleteItem>{item_id('L1')}</DeleteItem>")).problem == "Item Access Denied"
    await world.desk("check-out", barcode="L2", user="LEND-USER-1")
    taken = await world.send(f"<DeleteItem>{item_id('L2')}</DeleteItem>", partner="DISCOVERY")
    assert taken.problem == "Element Rule Violated"
    await world.desk("request", barcode="L3", user="LEND-USER-1")
    wanted = await world.send(f"<DeleteItem>{item_id('L3')}</DeleteItem>", partner="DISCOVERY")
    assert wanted.problem == "Element Rule Violated"
    assert (await world.send(f"<DeleteItem>{item_id('L4')}</DeleteItem>", partner="DISCOVERY")).problem is None


async def test_a_temporary_item_that_is_deleted_ends_its_borrowing(world: World) -> None:
    """DeleteItem after a return cleans up: the request completes, the item is withdrawn."""
    accept = (
        f"<AcceptItem>{request_id('B-1')}<RequestedActionType>Hold For Pickup</RequestedActionType>"
        f"{user_id('BORROW-USER-1')}{item_id('THEIRS-1')}</AcceptItem>"
    )
    assert (await world.send(accept, to="BORROW")).problem is None
    assert (await world.send(f"<DeleteItem>{item_id('THEIRS-1')}</DeleteItem>", to="BORROW")).problem is None
    assert world.status("B-1", "BORROW") == "request-completed"
    assert world.item_status("THEIRS-1", "BORROW") == "withdrawn"


@pytest.mark.parametrize("status", ["Lost", "Missing", "Available On Shelf"])
async def test_a_circulation_status_is_set(world: World, status: str) -> None:
    """What LookupItem says afterwards."""
    message = (
        f"<UpdateCirculationStatus>{item_id('L1')}<CirculationStatus>{status}</CirculationStatus>"
        "</UpdateCirculationStatus>"
    )
    assert (await world.send(message, partner="DISCOVERY")).problem is None
    assert (await look(world, "L1")).text("ItemOptionalFields/CirculationStatus") == status


async def test_a_status_that_contradicts_a_loan_is_refused(world: World) -> None:
    """An item on loan is not available by being said to be."""
    await world.desk("check-out", barcode="L1", user="LEND-USER-1")
    message = (
        f"<UpdateCirculationStatus>{item_id('L1')}<CirculationStatus>Available On Shelf</CirculationStatus>"
        "</UpdateCirculationStatus>"
    )
    assert (await world.send(message, partner="DISCOVERY")).problem == "Element Rule Violated"
    assert world.item_status("L1") == "on-loan"


async def test_the_status_of_our_items_is_not_for_others_to_set(world: World) -> None:
    """A broker may set the status of what it has lent to us, and of nothing else."""
    message = f"<UpdateCirculationStatus>{item_id('L1')}<CirculationStatus>Missing</CirculationStatus>"
    answer = await world.send(f"{message}</UpdateCirculationStatus>")
    assert answer.problem == "Item Access Denied", answer
    assert world.item_status("L1") == "available"


async def test_told_of_an_item_it_is_known_once(world: World) -> None:
    """ItemCreated and ItemUpdated are taken up, and told twice they change nothing more."""
    told = f"<ItemCreated>{item_id('THEIRS-2')}{TITLE}</ItemCreated>"
    for _ in range(2):
        assert (await world.send(told)).problem is None
        world.clock.pass_days(1)
    assert world.count("item WHERE partner_item_id = 'THEIRS-2'") == 1
    changed = f"<ItemUpdated>{item_id('THEIRS-2')}<AddItemFields>{call_number('XY 1')}</AddItemFields></ItemUpdated>"
    assert (await world.send(changed)).problem is None
    assert (await look(world, "THEIRS-2")).text("ItemDescription/CallNumber") == "XY 1"
    unknown = await world.send(changed.replace("THEIRS-2", "THEIRS-9"))
    assert unknown.problem == "Unknown Item"
    assert world.tasks("borrowing") == ["review"], "a person sees what nobody here knows"


NAME = (
    "<OrganizationNameInformation><OrganizationNameType>Official Name</OrganizationNameType>"
    "<OrganizationName>{}</OrganizationName></OrganizationNameInformation>"
)


async def look_agency(world: World, code: str, *types: str) -> Answer:
    wanted = "".join(f"<AgencyElementType>{one}</AgencyElementType>" for one in types)
    return await world.send(f"<LookupAgency><AgencyId>{code}</AgencyId>{wanted}</LookupAgency>")


async def test_an_agency_is_created_looked_up_and_changed(world: World) -> None:
    """Name, agreement and privilege; then another name instead of the first."""
    named = f"<AgencyId>NEW-1</AgencyId>{NAME.format('New Library')}"
    made = f"<CreateAgency>{named}<ConsortiumAgreement>REGIO</ConsortiumAgreement></CreateAgency>"
    assert (await world.send(made)).text("CreateAgencyResponse/AgencyId") == "NEW-1"
    found = await look_agency(world, "NEW-1", "Organization Name Information", "Consortium Agreement")
    assert (found.text("OrganizationName"), found.text("ConsortiumAgreement")) == ("New Library", "REGIO")
    update_message = (
        f"<UpdateAgency><AgencyId>NEW-1</AgencyId><DeleteAgencyFields>{NAME.format('New Library')}</DeleteAgencyFields>"
        f"<AddAgencyFields>{NAME.format('Newer Library')}</AddAgencyFields></UpdateAgency>"
    )
    assert (await world.send(update_message)).problem is None
    assert (await look_agency(world, "NEW-1", "Organization Name Information")).texts("OrganizationName") == [
        "Newer Library"
    ]
    world.clock.pass_days(1)
    assert (await world.send(update_message)).problem == "Unable To Delete Element"
    assert (await world.send(made)).problem == "Duplicate Agency"


async def test_agencies_of_others_are_not_changed(world: World) -> None:
    """Unknown Agency, and Agency Access Denied for one that is served here."""
    agreement = "<AddAgencyFields><ConsortiumAgreement>X</ConsortiumAgreement></AddAgencyFields>"
    change = "<UpdateAgency><AgencyId>{}</AgencyId>" + agreement + "</UpdateAgency>"
    assert (await world.send(change.format("nobody"))).problem == "Unknown Agency"
    assert (await world.send(change.format("LEND"))).problem == "Agency Access Denied"
    assert (await world.send(change.format("LEND"), partner="DISCOVERY")).problem is None
    assert (await world.send(change.format("BORROW"), partner="DISCOVERY")).problem == "Agency Access Denied"


async def test_an_agency_that_is_only_known_is_not_served(world: World) -> None:
    """A message to it is for somebody else."""
    await world.send(f"<CreateAgency><AgencyId>NEW-2</AgencyId>{NAME.format('N')}</CreateAgency>")
    world.store.read(world.directory.refresh)
    assert (await world.send(f"<LookupItem>{item_id('L1')}</LookupItem>", to="NEW-2")).problem == "Unknown Agency"


async def test_told_of_an_agency_it_is_known_once(world: World) -> None:
    """AgencyCreated and AgencyUpdated are taken up; what does not fit goes to staff."""
    told = f"<AgencyCreated><AgencyId>NEW-3</AgencyId>{NAME.format('Third')}</AgencyCreated>"
    for _ in range(2):
        assert (await world.send(told)).problem is None
        world.clock.pass_days(1)
    changed = (
        "<AgencyUpdated><AgencyId>NEW-3</AgencyId><AddAgencyFields><ConsortiumAgreement>A</ConsortiumAgreement>"
        "</AddAgencyFields></AgencyUpdated>"
    )
    assert (await world.send(changed)).problem is None
    assert (await look_agency(world, "NEW-3", "Consortium Agreement")).text("ConsortiumAgreement") == "A"
    assert (await world.send(changed.replace("NEW-3", "NEW-9"))).problem == "Unknown Agency"
    assert world.tasks() == ["review"]


async def test_an_agencys_name_is_found_with_and_without_its_scheme(world: World) -> None:
    """What LookupAgency tells can be deleted as it stands, and as a partner spells it; the last name stays."""
    partner = "DISCOVERY"
    scheme = "http://www.niso.org/ncip/v1_0/imp1/schemes/organizationnametype/organizationnametype.scm"
    before = (await look_agency(world, "LEND", "Organization Name Information")).text("OrganizationName") or ""
    spelt = NAME.format(before).replace("<OrganizationNameType>", f'<OrganizationNameType Scheme="{scheme}">')
    change = "<UpdateAgency><AgencyId>LEND</AgencyId>{}</UpdateAgency>"
    added = change.format(f"<AddAgencyFields>{NAME.format('Alias')}</AddAgencyFields>")
    assert (await world.send(added, partner=partner)).problem is None
    assert (await look_agency(world, "LEND", "Organization Name Information")).texts("OrganizationName") == [
        before,
        "Alias",
    ]
    gone = change.format(f"<DeleteAgencyFields>{spelt}</DeleteAgencyFields>")
    assert (await world.send(gone, partner=partner)).problem is None
    last = change.format(f"<DeleteAgencyFields>{NAME.format('Alias')}</DeleteAgencyFields>")
    assert (await world.send(last, partner=partner)).problem == "Element Rule Violated"
    assert (await look_agency(world, "LEND", "Organization Name Information")).texts("OrganizationName") == ["Alias"]


async def test_an_agency_is_not_created_of_nonsense(world: World) -> None:
    """A name without a letter, an address that ends before it begins: refused, and nothing is kept."""
    address = (
        "<AgencyAddressInformation><AgencyAddressRoleType>Official</AgencyAddressRoleType>"
        "<ValidFromDate>2026-02-01T00:00:00Z</ValidFromDate><ValidToDate>2026-01-01T00:00:00Z</ValidToDate>"
        "<ElectronicAddress><ElectronicAddressType>mailto</ElectronicAddressType><ElectronicAddressData>a@b.example"
        "</ElectronicAddressData></ElectronicAddress></AgencyAddressInformation>"
    )
    for content in (NAME.format(""), NAME.format("N") + address):
        answer = await world.send(f"<CreateAgency><AgencyId>NEW-4</AgencyId>{content}</CreateAgency>")
        assert answer.problem == "Element Rule Violated"
    assert (await look_agency(world, "NEW-4", "Organization Name Information")).problem == "Unknown Agency"


async def test_told_otherwise_of_a_known_agency_staff_are_shown(world: World) -> None:
    """AgencyCreated with another name changes nothing, and says so."""
    told = f"<AgencyCreated><AgencyId>NEW-5</AgencyId>{NAME.format('Fifth')}</AgencyCreated>"
    assert (await world.send(told)).problem is None
    assert (await world.send(told.replace("Fifth", "Other"))).problem == "Duplicate Agency"
    assert (await look_agency(world, "NEW-5", "Organization Name Information")).texts("OrganizationName") == ["Fifth"]
    assert world.tasks() == ["review"]


RARE = (
    "<BibliographicDescription><ComponentId><ComponentIdentifierType>SICI</ComponentIdentifierType>"
    "<ComponentIdentifier>C-1</ComponentIdentifier></ComponentId><Pagination>280 p.</Pagination>"
    "<PublicationDateOfComponent>1818</PublicationDateOfComponent><SponsoringBody>Lake Society</SponsoringBody>"
    "<ElectronicDataFormatType>PDF</ElectronicDataFormatType></BibliographicDescription>"
)


async def test_the_rarer_parts_of_a_description_are_kept_and_taken_out(world: World) -> None:
    """Component, pagination, sponsor and format: given back by LookupItem, refused where they differ, deleted."""
    assert (await world.send(update("L1", added=RARE), partner="DISCOVERY")).problem is None
    found = await look(world, "L1")
    for name, value in (("Pagination", "280 p."), ("ComponentIdentifier", "C-1"), ("SponsoringBody", "Lake Society")):
        assert found.text(name) == value
    other = update("L1", added=RARE.replace("280 p.", "281 p."))
    assert (await world.send(other, partner="DISCOVERY")).problem == "Unable To Add Element"
    assert (await world.send(update("L1", deleted=RARE), partner="DISCOVERY")).problem is None
    assert not (await look(world, "L1")).has("Pagination")
    world.clock.pass_days(1)
    assert (await world.send(update("L1", deleted=RARE), partner="DISCOVERY")).problem == "Unable To Delete Element"


async def test_a_changed_title_or_restriction_that_is_told_twice_is_one_change(world: World) -> None:
    """The second gets the stored answer, although no column of the item itself has changed."""
    limit = "<ItemUseRestrictionType>Overnight Only</ItemUseRestrictionType>"
    for message in (update("L1", added=limit), update("L1", added=RARE), update("L1", deleted=RARE)):
        first = await world.send(message, partner="DISCOVERY")
        second = await world.send(message, partner="DISCOVERY")
        assert first.problem is None
        assert first.raw == second.raw


async def test_what_is_told_to_be_gone_is_gone_however_often_it_is_told(world: World) -> None:
    """ItemUpdated and AgencyUpdated tell facts: deleting what is not there, or adding what is, is no news."""
    limit = "<ItemUseRestrictionType>Overnight Only</ItemUseRestrictionType>"
    await world.send(update("L1", added=RARE + limit), partner="DISCOVERY")
    once = update("L1", deleted=RARE + limit, added=call_number("QA L1")).replace("UpdateItem", "ItemUpdated")
    for _ in range(2):
        answer = await world.send(once, partner="DISCOVERY")
        assert answer.problem is None, answer
        world.clock.pass_days(1)
    assert (await world.send(update("L1", deleted=RARE), partner="DISCOVERY")).problem == "Unable To Delete Element"
    await world.send(f"<CreateAgency><AgencyId>NEW-9</AgencyId>{NAME.format('Ninth')}</CreateAgency>")
    pact = "<ConsortiumAgreement>Pact</ConsortiumAgreement>"
    change = (
        f"<AgencyUpdated><AgencyId>NEW-9</AgencyId><DeleteAgencyFields>{pact}</DeleteAgencyFields><AddAgencyFields>"
        f"{pact.replace('Pact', 'Union')}</AddAgencyFields></AgencyUpdated>"
    )
    for _ in range(2):
        assert (await world.send(change)).problem is None
        world.clock.pass_days(1)
    assert (await look_agency(world, "NEW-9", "Consortium Agreement")).texts("ConsortiumAgreement") == ["Union"]
    assert world.tasks("borrowing") == world.tasks() == []


async def test_an_item_that_cannot_be_taken_up_is_shown_to_staff(world: World) -> None:
    """ItemCreated for a request that is not known here."""
    told = f"<ItemCreated>{item_id('THEIRS-3')}{request_id('R-none')}{TITLE}</ItemCreated>"
    assert (await world.send(told)).problem == "Element Rule Violated"
    assert world.tasks("borrowing") == ["review"]


def set_status(barcode: str, status: str) -> str:
    return (
        f"<UpdateCirculationStatus>{item_id(barcode)}<CirculationStatus>{status}</CirculationStatus>"
        "</UpdateCirculationStatus>"
    )


def wanted(barcode: str, request: str, user: str = "-") -> str:
    return (
        f"<RequestItem>{user_id(user)}{item_id(barcode)}{request_id(request)}<RequestType>Hold</RequestType>"
        "<RequestScopeType>Item</RequestScopeType></RequestItem>"
    )


async def test_what_is_kept_for_somebody_is_not_available_by_being_said_to_be(world: World) -> None:
    await world.send(wanted("L1", "R-1"))
    await world.send(wanted("L2", "H-1", "LEND-USER-1"), partner="DISCOVERY")
    await world.desk("hold-shelf", barcode="L2")
    for barcode, status in (("L1", "requested"), ("L2", "on-hold-shelf")):
        for named in ("Available On Shelf", "In Process"):
            answer = await world.send(set_status(barcode, named), partner="DISCOVERY")
            assert answer.problem == "Element Rule Violated", answer
        assert world.item_status(barcode) == status


async def test_who_waits_gets_what_is_said_to_be_available_again(world: World) -> None:
    for barcode in ("L1", "L2"):
        await world.send(set_status(barcode, "Missing"), partner="DISCOVERY")
    await world.send(wanted("L1", "R-1"))
    await world.send(wanted("L2", "H-1", "LEND-USER-1"), partner="DISCOVERY")
    for barcode in ("L1", "L2"):
        assert (await world.send(set_status(barcode, "Available On Shelf"), partner="DISCOVERY")).problem is None
    assert (world.item_status("L1"), world.item_status("L2")) == ("requested", "requested")
    assert (world.status("R-1"), world.tasks()) == ("being-processed", ["pick", "pick"])


async def test_who_an_item_was_kept_for_waits_again_when_it_is_missing(world: World) -> None:
    await world.send(wanted("L1", "R-1"))
    await world.send(wanted("L2", "H-1", "LEND-USER-1"), partner="DISCOVERY")
    await world.desk("hold-shelf", barcode="L2")
    for barcode in ("L1", "L2"):
        assert (await world.send(set_status(barcode, "Missing"), partner="DISCOVERY")).problem is None
    assert (world.status("R-1"), world.tasks()) == ("created-lending-request", ["review"])
    await world.desk("scan-in", barcode="L1")
    await world.desk("scan-in", barcode="L2")
    assert (world.item_status("L1"), world.item_status("L2")) == ("requested", "on-hold-shelf")
    assert (world.status("R-1"), world.tasks()) == ("being-processed", ["review", "pick"])


ISBN = (
    "<BibliographicItemId><BibliographicItemIdentifier>{}</BibliographicItemIdentifier>"
    "<BibliographicItemIdentifierCode>{}</BibliographicItemIdentifierCode></BibliographicItemId>"
)


async def test_a_number_is_one_however_it_is_written(world: World) -> None:
    """An item that was created with a hyphenated ISBN is found by it, and is a copy of the same title without."""
    for barcode, number, code in (
        ("N1", "978-99990-0001-7", "ISBN"),
        ("N2", "9789999000017", "isbn"),
        ("N3", "978 99990 0001 7", "Isbn"),
    ):
        about = f"<BibliographicDescription>{ISBN.format(number, code)}<Title>T</Title></BibliographicDescription>"
        created = await world.send(f"<CreateItem>{item_id(barcode)}{about}</CreateItem>", partner="DISCOVERY")
        assert created.problem is None, created
    found = await world.send(
        f"<LookupItemSet><BibliographicId>{ISBN.format('978-99990-0001-7', 'ISBN')}</BibliographicId></LookupItemSet>"
    )
    assert found.texts("ItemInformation/ItemId/ItemIdentifierValue") == ["N1", "N2", "N3"]
    about = f"<BibliographicDescription>{ISBN.format('978-9999000017', 'ISBN')}</BibliographicDescription>"
    gone = f"<UpdateItem>{item_id('N1')}<DeleteItemFields>{about}</DeleteItemFields></UpdateItem>"
    assert (await world.send(gone, partner="DISCOVERY")).problem is None


async def test_the_last_character_of_an_isbn_is_one_in_either_case(world: World) -> None:
    """And blanks in it do not count, whoever writes them."""
    about = (
        f"<BibliographicDescription>{ISBN.format('9999 0001 0x', 'ISBN')}<Title>T</Title></BibliographicDescription>"
    )
    await world.send(f"<CreateItem>{item_id('N1')}{about}</CreateItem>", partner="DISCOVERY")
    for number in ("999900010X", "9999-0001-0x", "9999 0001 0X"):
        found = await world.send(
            f"<LookupItemSet><BibliographicId>{ISBN.format(number, 'ISBN')}</BibliographicId></LookupItemSet>"
        )
        assert found.texts("ItemInformation/ItemId/ItemIdentifierValue") == ["N1"], number


async def test_a_title_that_we_have_borrowed_makes_no_lender_of_us(world: World) -> None:
    """A stranger who asks for it is an unknown user, not a library that wants a title of ours."""
    about = (
        f"<BibliographicDescription>{ISBN.format('9789999000017', 'ISBN')}<Title>T</Title></BibliographicDescription>"
    )
    await world.send(f"<CreateItem>{item_id('X-1')}{about}</CreateItem>")
    answer = await world.send(
        f"<RequestItem>{user_id('NOBODY')}"
        f"<BibliographicId>{ISBN.format('9789999000017', 'ISBN')}</BibliographicId>"
        "<RequestType>Hold</RequestType><RequestScopeType>Bibliographic Item</RequestScopeType></RequestItem>"
    )
    assert (answer.problem, world.count("request")) == ("Unknown User", 0)


async def test_what_a_partner_has_lent_to_us_is_no_title_of_ours(world: World) -> None:
    about = (
        f"<BibliographicDescription>{ISBN.format('9789999000017', 'ISBN')}<Title>T</Title></BibliographicDescription>"
    )
    await world.send(f"<CreateItem>{item_id('X-1')}{about}</CreateItem>")
    answer = await world.send(
        f"<RequestItem>{user_id('LEND-USER-1')}"
        f"<BibliographicId>{ISBN.format('9789999000017', 'ISBN')}</BibliographicId>"
        "<RequestType>Hold</RequestType><RequestScopeType>Bibliographic Item</RequestScopeType></RequestItem>",
        partner="DISCOVERY",
    )
    assert (answer.problem, world.item_status("X-1")) == ("Unknown Item", "available")


@pytest.mark.parametrize("tied", ["", request_id("B-1")])
async def test_an_item_that_was_created_for_its_coming_is_the_one_that_comes(world: World, tied: str) -> None:
    if tied:
        await world.send(wanted("THEIRS-1", "B-1", "BORROW-USER-1"), to="BORROW")
    assert (await world.send(create("X-1", request=tied), to="BORROW")).problem is None
    accept = (
        f"<AcceptItem>{request_id('B-1')}<RequestedActionType>Hold For Pickup</RequestedActionType>"
        f"{user_id('BORROW-USER-1')}{item_id('X-1')}</AcceptItem>"
    )
    for _ in range(2):
        answer = await world.send(accept, to="BORROW")
        assert (answer.problem, answer.text("ItemId/ItemIdentifierValue")) == (None, "X-1"), answer
        world.clock.pass_days(1)
    assert (world.item_status("X-1", "BORROW"), world.status("B-1", "BORROW")) == (
        "received",
        "physically-received-by-library",
    )
    assert world.ask(lambda circ: len(circ.temporary_items("BROKER", "X-1")), "BORROW") == 1
    another = accept.replace("B-1", "B-2").replace("BORROW-USER-1", "BORROW-USER-2")
    answer = await world.send(another, to="BORROW")
    assert answer.text("ItemId/ItemIdentifierValue") != "X-1", "another request, another item"


async def test_an_item_deleted_while_it_is_on_loan_is_offered_to_nobody(world: World) -> None:
    await world.desk("check-out", barcode="L1", user="LEND-USER-1")
    number = "<BibliographicRecordId><BibliographicRecordIdentifier>REC-LEND-1</BibliographicRecordIdentifier>{}"
    title = number.format("<AgencyId>LEND</AgencyId></BibliographicRecordId>")
    await world.send(
        f"<RequestItem>{user_id('-')}<BibliographicId>{title}</BibliographicId>{request_id('R-1')}"
        "<RequestType>Hold</RequestType><RequestScopeType>Bibliographic Item</RequestScopeType></RequestItem>"
    )
    mandated = "<MandatedAction><DateEventOccurred>2026-01-05T08:00:00Z</DateEventOccurred></MandatedAction>"
    answer = await world.send(f"<DeleteItem>{mandated}{item_id('L1')}</DeleteItem>", partner="DISCOVERY")
    assert answer.problem is None, answer
    assert (world.item_status("L1"), world.status("R-1"), world.tasks()) == ("withdrawn", "created-lending-request", [])


async def test_what_was_borrowed_for_a_user_is_kept_for_them_whatever_is_said_of_it(world: World) -> None:
    await world.send(
        f"<AcceptItem>{request_id('B-1')}<RequestedActionType>Hold For Pickup</RequestedActionType>"
        f"{user_id('BORROW-USER-1')}{item_id('X-1')}</AcceptItem>",
        to="BORROW",
    )
    for status in ("Available On Shelf", "Missing"):
        assert (await world.send(set_status("X-1", status), to="BORROW")).problem == "Element Rule Violated"
    assert world.item_status("X-1", "BORROW") == "received"
