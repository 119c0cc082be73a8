"""Users by message: looked up, made, changed, deleted, and told of by partners."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.people import (
    ALL_FIELDS,
    EVERYTHING,
    PEOPLE,
    U1,
    give,
    is_known,
    log_in,
    look,
    lookup,
    notes,
    rows,
    typed,
    user,
)
from tests.services.world import START, World, fill, item_id, make_world, request_id, user_id

DENIED = "User Access Denied"
VIOLATED = "Element Rule Violated"
UNDELETABLE = "Unable To Delete Element"
UNADDABLE = "Unable To Add Element"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path / "data", PEOPLE)
    await fill(made)
    yield made
    await made.store.close()


# --- what messages say -----------------------------------------------------------------------------------------------

NAME = (
    "<NameInformation><PersonalNameInformation><StructuredPersonalUserName><Prefix>Dr.</Prefix><GivenName>Ada</GivenName>"
    "<Initials>K.</Initials><Surname>King</Surname><Suffix>Jr.</Suffix></StructuredPersonalUserName>"
    "</PersonalNameInformation></NameInformation>"
)
STREET = (
    "<UserAddressInformation><UserAddressRoleType>Home</UserAddressRoleType><ValidFromDate>2026-01-01T00:00:00Z"
    "</ValidFromDate><PhysicalAddress><StructuredAddress><HouseName>Mill House</HouseName><Street>1 Elm Street</Street>"
    "<Locality>Hillside</Locality><Region>NY</Region><Country>US</Country><PostalCode>12999</PostalCode>"
    "<CareOf>Mrs. Smith</CareOf></StructuredAddress><PhysicalAddressType>Postal Address</PhysicalAddressType>"
    "</PhysicalAddress></UserAddressInformation>"
)


def mail(address: str, role: str = "Notice") -> str:
    return (
        f"<UserAddressInformation><UserAddressRoleType>{role}</UserAddressRoleType><ElectronicAddress>"
        "<ElectronicAddressType>mailto</ElectronicAddressType>"
        f"<ElectronicAddressData>{address}</ElectronicAddressData></ElectronicAddress></UserAddressInformation>"
    )


def born(date: str) -> str:
    return f"<DateOfBirth>{date}</DateOfBirth>"


def language(code: str) -> str:
    return f"<UserLanguage>{code}</UserLanguage>"


def privilege(type_: str, until: str = "", more: str = "") -> str:
    ends = f"<ValidToDate>{until}</ValidToDate>" if until else ""
    return (
        f"<UserPrivilege><AgencyId>LEND</AgencyId><AgencyUserPrivilegeType>{type_}</AgencyUserPrivilegeType>{ends}{more}"
        "</UserPrivilege>"
    )


def block(type_: str, until: str = "", agency: str = "LEND") -> str:
    ends = f"<ValidToDate>{until}</ValidToDate>" if until else ""
    return f"<BlockOrTrap><AgencyId>{agency}</AgencyId><BlockOrTrapType>{type_}</BlockOrTrapType>{ends}</BlockOrTrap>"


FEE = (
    "<UserPrivilegeFee><Amount><CurrencyCode>EUR</CurrencyCode><MonetaryValue>1500</MonetaryValue></Amount>"
    "<PaymentMethodType>Cash</PaymentMethodType></UserPrivilegeFee>"
    "<UserPrivilegeStatus><UserPrivilegeStatusType>Active</UserPrivilegeStatusType></UserPrivilegeStatus>"
    "<UserPrivilegeDescription>paid at the desk</UserPrivilegeDescription>"
)
WHOLE = (
    NAME + STREET + mail("ada@hillside.example") + born("1990-12-10T00:00:00Z") + language("eng") + language("fre")
    + privilege("Graduate", "2030-09-30T22:00:00Z", FEE) + privilege("Interlibrary Loan")
    + block("Trap For Message", "2026-02-01T00:00:00Z", "XX-OTHER")
)  # fmt: skip
MANDATED = "<MandatedAction><DateEventOccurred>2026-01-04T10:00:00Z</DateEventOccurred></MandatedAction>"


def create(who: str = "", rest: str = NAME, service: str = "CreateUser") -> str:
    return f"<{service}>{who}{rest}</{service}>"


def update(name: str, *, out: str = "", into: str = "", service: str = "UpdateUser", mandated: str = "") -> str:
    deleted = f"<DeleteUserFields>{out}</DeleteUserFields>" if out else ""
    added = f"<AddUserFields>{into}</AddUserFields>" if into else ""
    return f"<{service}>{mandated}{user_id(name)}{deleted}{added}</{service}>"


def delete(name: str, mandated: str = "") -> str:
    return f"<DeleteUser>{mandated}{user_id(name)}</DeleteUser>"


# --- LookupUser ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ALL_FIELDS)
async def test_only_what_was_asked_for_is_given(world: World, field: str) -> None:
    await world.send(create(user_id("NEW-1"), WHOLE))
    await world.send(update("NEW-1", into=typed("Barcode Id", "card-new")))
    await world.send(update("NEW-1", out=typed("Barcode Id", "card-new")))
    answer = await world.send(look("NEW-1", field))
    assert answer.problem is None, answer
    given = {node.tag.rpartition("}")[2] for node in answer.root.iterfind(".//{*}UserOptionalFields/*")}
    wanted = {"Authentication Input": set()}.get(field, {field.replace(" ", "")})
    assert given == wanted
    assert not answer.has("LookupUserResponse/LoanedItem")
    assert not answer.has("LookupUserResponse/UserFiscalAccount")


async def test_nothing_asked_for_is_nothing_but_the_number(world: World) -> None:
    answer = await world.send(look(f"card-{U1}"))
    assert answer.text("LookupUserResponse/UserId/UserIdentifierValue") == U1
    assert not answer.has("UserOptionalFields")


async def test_a_secret_is_not_given_to_anybody(world: World) -> None:
    await give(world, U1, "0417")
    answer = await world.send(look(U1, *ALL_FIELDS, more=EVERYTHING))
    assert not answer.has("AuthenticationInput")
    assert "argon2" not in repr(answer)


async def test_loans_are_listed_with_titles_numbers_and_what_is_owed_and_counted_by_status(world: World) -> None:
    for barcode in ("L1", "L2", "L3"):
        await world.desk("check-out", barcode=barcode, user=U1)
    await world.store.transact(lambda tx: tx.run("set_loan_recalled", id=2, recalled_at=START, due_at=START))
    await world.send(fine(U1, "L3"))
    answer = await world.send(look(U1, more="<LoanedItemsDesired/>"))
    assert answer.texts("LoanedItem/ItemId/ItemIdentifierValue") == ["L1", "L2", "L3"]
    assert answer.text("LoanedItem/Title") == "Title 1"
    assert answer.text("LoanedItem/BibliographicId/BibliographicRecordId/BibliographicRecordIdentifier") == "REC-LEND-1"
    assert answer.texts("LoanedItem/Amount/MonetaryValue") == ["250"]
    counts = dict(
        zip(
            answer.texts("LoanedItemsCount/CirculationStatus"),
            answer.texts("LoanedItemsCount/LoanedItemCountValue"),
            strict=True,
        )
    )
    assert counts == {"On Loan": "2", "Recalled": "1"}
    assert not answer.has("LookupUserResponse/RequestedItem")


def fine(name: str, barcode: str) -> str:
    return (
        f"<CreateUserFiscalTransaction>{user_id(name)}<FiscalTransactionInformation><FiscalActionType>Assess"
        "</FiscalActionType><FiscalTransactionType>Fine</FiscalTransactionType><Amount><CurrencyCode>EUR</CurrencyCode>"
        f"<MonetaryValue>250</MonetaryValue></Amount><ItemDetails>{item_id(barcode)}<BibliographicDescription/>"
        "</ItemDetails></FiscalTransactionInformation></CreateUserFiscalTransaction>"
    )


async def test_requests_are_listed_with_their_place_in_the_queue_and_where_to_fetch_them(world: World) -> None:
    await world.desk("check-out", barcode="L1", user="LEND-USER-5")
    for name in ("LEND-USER-2", U1):
        await world.desk("request", user=name, barcode="L1", pickup_library="LAW")
    answer = await world.send(look(U1, more="<RequestedItemsDesired/>"))
    assert answer.texts("RequestedItem/HoldQueuePosition") == ["2"]
    assert answer.texts("RequestedItem/PickupLocation") == ["LAW"]
    assert answer.texts("RequestedItem/RequestStatusType") == ["In Process"]
    assert answer.texts("RequestedItem/Title") == ["Title 1"]
    assert answer.texts("RequestedItemsCount/RequestType") == ["Hold"]
    assert answer.texts("RequestedItemsCount/RequestedItemCountValue") == ["1"]
    await world.desk("return", barcode="L1")
    first = await world.send(look("LEND-USER-2", more="<RequestedItemsDesired/>"))
    assert first.texts("RequestedItem/RequestStatusType") == ["Available For Pickup"]
    assert first.has("RequestedItem/PickupExpiryDate")
    assert not first.has("RequestedItem/HoldQueuePosition")


async def test_a_request_to_a_partner_is_among_them_under_the_partners_number(world: World) -> None:
    accepted = (
        f"<AcceptItem>{request_id('R-9')}<RequestedActionType>Hold For Pickup</RequestedActionType>{user_id(U1)}"
        f"{item_id('X-9')}<ItemOptionalFields><BibliographicDescription><Title>A Rare Book</Title>"
        "</BibliographicDescription></ItemOptionalFields></AcceptItem>"
    )
    assert (await world.send(accepted)).problem is None
    await world.desk("hold-shelf", barcode="X-9")
    answer = await world.send(look(U1, more="<RequestedItemsDesired/>"))
    assert answer.texts("RequestedItem/RequestId/RequestIdentifierValue") == ["R-9"]
    assert answer.texts("RequestedItem/ItemId/ItemIdentifierValue") == ["X-9"]
    assert answer.texts("RequestedItem/Title") == ["A Rare Book"]
    assert answer.has("RequestedItem/PickupExpiryDate")


async def test_users_who_cannot_be_told_apart_need_a_type(world: World) -> None:
    number = user(world, "LEND-USER-2").id
    await world.store.transact(
        lambda tx: tx.run("insert_user_identifier", agency=1, value=U1, type="Barcode Id", user=number)
    )
    answer = await world.send(look(U1))
    assert (answer.problem, answer.text("Problem/ProblemValue")) == ("Non-Unique User", U1)
    typed_id = (
        "<UserId><UserIdentifierType>Barcode Id</UserIdentifierType>"
        f"<UserIdentifierValue>{U1}</UserIdentifierValue></UserId>"
    )
    assert (await world.send(lookup(typed_id))).text("UserId/UserIdentifierValue") == "LEND-USER-2"


async def test_a_user_who_is_none_is_said_to_be_unknown(world: World) -> None:
    answer = await world.send(look("NOBODY"))
    assert (answer.problem, answer.text("Problem/ProblemValue")) == ("Unknown User", "NOBODY")
    assert answer.text("Problem/ProblemElement") == "LookupUser/UserId/UserIdentifierValue"
    assert (await world.send(look("  "))).problem == VIOLATED
    assert (await world.send(look(U1), to="BORROW")).problem == "Unknown User", "each agency has its own users"


# --- who may ---------------------------------------------------------------------------------------------------------


def _about_users(name: str) -> dict[str, str]:
    return {
        "LookupUser": look(name),
        "CreateUser": create(user_id(name)),
        "UpdateUser": update(name, into=language("ger")),
        "DeleteUser": delete(name),
        "CreateUserFiscalTransaction": fine(name, "L1"),
        "SendUserNotice": (
            f"<SendUserNotice>{user_id(name)}<UserNoticeDetails><NoticeType>privilege reminder</NoticeType>"
            f"{privilege('Student')}</UserNoticeDetails></SendUserNotice>"
        ),
        "UserCreated": create(user_id(name), service="UserCreated"),
        "UserUpdated": update(name, into=language("ger"), service="UserUpdated"),
        "UserFiscalTransactionCreated": fine(name, "L1").replace(
            "CreateUserFiscalTransaction", "UserFiscalTransactionCreated"
        ),
        "UserNoticeSent": (
            f"<UserNoticeSent>{user_id(name)}<DateSent>2026-01-05T08:00:00Z</DateSent><UserNoticeDetails>"
            f"<NoticeType>x</NoticeType>{privilege('Student')}</UserNoticeDetails></UserNoticeSent>"
        ),
    }


@pytest.mark.parametrize("service", tuple(_about_users("")))
@pytest.mark.parametrize("name", [U1, "NOBODY"])
async def test_a_partner_without_access_to_users_is_refused_whether_they_exist_or_not(
    world: World, service: str, name: str
) -> None:
    answer = await world.send(_about_users(name)[service], partner="NODATA")
    assert (answer.kind, answer.problem) == (f"{service}Response", DENIED), answer
    assert rows(world, "SELECT count(*) FROM user WHERE agency_id = 1") == [(7,)]


async def test_such_a_partner_learns_nothing_of_users_from_other_answers_either(world: World) -> None:
    await world.desk("check-out", barcode="L1", user=U1)
    wanted = "<UserElementType>Name Information</UserElementType>"
    wish = (
        f"<RequestItem>{user_id(U1)}{item_id('L2')}<RequestType>Hold</RequestType><RequestScopeType>Item"
        f"</RequestScopeType>{wanted}</RequestItem>"
    )
    answer = await world.send(wish, partner="NODATA")
    assert "Reader" not in repr(answer)


# --- CreateUser ------------------------------------------------------------------------------------------------------


async def test_a_user_is_made_with_all_that_is_told_and_looked_up_as_told(world: World) -> None:
    answer = await world.send(create(user_id("NEW-1"), WHOLE))
    assert answer.problem is None, answer
    assert answer.text("CreateUserResponse/UserId/UserIdentifierValue") == "NEW-1"
    found = await world.send(look("NEW-1", *ALL_FIELDS))
    for path, value in {
        "StructuredPersonalUserName/Prefix": "Dr.",
        "StructuredPersonalUserName/Initials": "K.",
        "StructuredPersonalUserName/Suffix": "Jr.",
        "StructuredAddress/HouseName": "Mill House",
        "StructuredAddress/CareOf": "Mrs. Smith",
        "UserAddressInformation/ValidFromDate": "2026-01-01T00:00:00Z",
        "ElectronicAddress/ElectronicAddressData": "ada@hillside.example",
        "UserOptionalFields/DateOfBirth": "1990-12-10T00:00:00Z",
        "UserPrivilegeFee/Amount/MonetaryValue": "1500",
        "UserPrivilegeFee/PaymentMethodType": "Cash",
        "UserPrivilege/UserPrivilegeDescription": "paid at the desk",
        "BlockOrTrap/AgencyId": "XX-OTHER",
        "BlockOrTrap/ValidToDate": "2026-02-01T00:00:00Z",
    }.items():
        assert found.text(path) == value, path
    assert found.texts("UserOptionalFields/UserLanguage") == ["eng", "fre"]
    assert found.texts("UserPrivilege/AgencyUserPrivilegeType") == ["Graduate", "Interlibrary Loan"]
    made = user(world, "NEW-1")
    assert (made.surname, made.given_name, made.user_group) == ("King", "Ada", "Graduate")
    assert made.expires_at is not None, "the first privilege is the group, and its end the end of the registration"


async def test_a_user_without_a_number_gets_one(world: World) -> None:
    answer = await world.send(create())
    number = answer.text("CreateUserResponse/UserId/UserIdentifierValue")
    assert number
    assert user(world, number).surname == "King"


async def test_what_a_new_user_will_log_in_with_is_their_number_and_pin(world: World) -> None:
    answer = await world.send(create(log_in("card-77", "8642", by="Barcode Id")))
    assert answer.text("CreateUserResponse/UserId/UserIdentifierValue") == "card-77"
    found = await world.send(lookup(log_in("card-77", "8642", by="Barcode Id"), "User Id"))
    assert found.texts("UserOptionalFields/UserId/UserIdentifierType") == ["Barcode Id"]
    both = await world.send(create(user_id("NEW-2") + log_in("card-78", "8642", by="Barcode Id")))
    assert both.problem is None, both
    found = await world.send(lookup(log_in("card-78", "8642"), "User Id"))
    assert found.texts("UserOptionalFields/UserId/UserIdentifierValue") == ["NEW-2", "card-78"]


@pytest.mark.parametrize(
    ("name", "surname", "given"),
    [
        ("<UnstructuredPersonalUserName>King, Ada</UnstructuredPersonalUserName>", "King", "Ada"),
        ("<UnstructuredPersonalUserName>Ada King</UnstructuredPersonalUserName>", "Ada King", ""),
    ],
)
async def test_a_name_in_one_piece_is_given_back_in_one_piece(
    world: World, name: str, surname: str, given: str
) -> None:
    whole = f"<NameInformation><PersonalNameInformation>{name}</PersonalNameInformation></NameInformation>"
    await world.send(create(user_id("NEW-1"), whole))
    found = await world.send(look("NEW-1", "Name Information"))
    assert name.split(">")[1].startswith(found.text("UnstructuredPersonalUserName") or "?")
    made = user(world, "NEW-1")
    assert (made.surname, made.given_name) == (surname, given)


async def test_a_user_may_be_an_organization(world: World) -> None:
    office = (
        "<NameInformation><OrganizationNameInformation><OrganizationNameType>Official Name</OrganizationNameType>"
        "<OrganizationName>Lake School</OrganizationName></OrganizationNameInformation></NameInformation>"
    )
    assert (await world.send(create(user_id("ORG-1"), office))).problem is None
    found = await world.send(look("ORG-1", "Name Information"))
    assert found.text("OrganizationNameInformation/OrganizationName") == "Lake School"


@pytest.mark.parametrize("who", [user_id(U1), user_id(f"card-{U1}"), log_in(f"card-{U1}", "1", by="Barcode Id")])
async def test_a_number_that_somebody_has_is_no_number_for_a_new_user(world: World, who: str) -> None:
    answer = await world.send(create(who))
    assert answer.problem == "Duplicate User", answer
    assert U1 in (answer.text("Problem/ProblemValue") or "")
    assert rows(world, "SELECT count(*) FROM user WHERE agency_id = 1") == [(7,)]


async def test_each_agency_has_its_own_users(world: World) -> None:
    assert (await world.send(create(user_id(U1)), to="BORROW")).problem is None
    assert is_known(world, U1, "BORROW")


@pytest.mark.parametrize(
    ("rest", "element"),
    [
        (NAME + born("2030-01-01T00:00:00Z"), "CreateUser/DateOfBirth"),
        (NAME.replace("King", " "), "CreateUser/NameInformation"),
        (NAME + block("Nonsense"), "CreateUser/BlockOrTrap/BlockOrTrapType"),
        (
            NAME
            + STREET.replace("</ValidFromDate>", "</ValidFromDate><ValidToDate>2025-01-01T00:00:00Z</ValidToDate>"),
            "CreateUser/UserAddressInformation/ValidToDate",
        ),
    ],
)
async def test_what_cannot_be_so_is_refused_and_nobody_is_made(world: World, rest: str, element: str) -> None:
    answer = await world.send(create(user_id("NEW-1"), rest))
    assert (answer.problem, answer.text("Problem/ProblemElement")) == (VIOLATED, element), answer
    assert not is_known(world, "NEW-1")


@pytest.mark.parametrize(
    ("who", "problem"),
    [
        (user_id(" "), VIOLATED),
        (typed("User Id", " "), VIOLATED),
        (log_in("NEW-1", ""), "User Authentication Failed"),
        (typed("User Id", "NEW-1") + typed("X.509 Certificate", "x"), "User Authentication Failed"),
        (log_in("NEW-1", "1") + typed("PIN", "2") + typed("Password", "3"), VIOLATED),
    ],
)
async def test_what_nobody_could_log_in_with_is_refused(world: World, who: str, problem: str) -> None:
    answer = await world.send(create(who))
    assert answer.problem == problem, answer


async def test_a_creation_that_comes_twice_makes_one_user_with_one_answer(world: World) -> None:
    first = await world.send(create(rest=WHOLE))
    assert (await world.send(create(rest=WHOLE))).raw == first.raw
    named = await world.send(create(user_id("NEW-1")))
    assert (await world.send(create(user_id("NEW-1")))).raw == named.raw
    world.clock.pass_days(1)
    assert (await world.send(create(user_id("NEW-1")))).problem == "Duplicate User"


async def test_a_creation_that_has_happened_already_brings_the_user_up_to_date(world: World) -> None:
    answer = await world.send(create(MANDATED + user_id(U1), NAME + born("1990-12-10T00:00:00Z")))
    assert answer.problem is None, answer
    found = user(world, U1)
    assert (found.surname, found.born_at is not None) == ("Reader", True), "what is known already is kept"
    assert (await world.send(create(MANDATED + user_id("NEW-1")))).problem is None
    assert is_known(world, "NEW-1")


# --- UpdateUser ------------------------------------------------------------------------------------------------------


async def test_each_part_can_be_deleted_as_it_was_told_and_then_is_gone(world: World) -> None:
    await world.send(create(user_id("NEW-1"), WHOLE))
    answer = await world.send(update("NEW-1", out=WHOLE))
    assert answer.problem is None, answer
    assert answer.text("UpdateUserResponse/UserId/UserIdentifierValue") == "NEW-1"
    found = await world.send(look("NEW-1", *ALL_FIELDS))
    given = [node.tag.rpartition("}")[2] for node in found.root.iterfind(".//{*}UserOptionalFields/*")]
    assert given == ["UserId"]


async def test_what_a_load_brought_can_be_deleted_and_replaced(world: World) -> None:
    """Deletions come first: the old value out, the new one in, in one message."""
    old = (
        "<NameInformation><PersonalNameInformation><StructuredPersonalUserName><GivenName>Rosa</GivenName>"
        "<Surname>Reader</Surname></StructuredPersonalUserName></PersonalNameInformation></NameInformation>"
    )
    until = "2031-09-30T21:59:59Z"
    answer = await world.send(
        update(
            U1,
            out=old + language("eng") + privilege("Student"),
            into=NAME + language("ger") + privilege("Graduate", until),
        )
    )
    assert answer.problem is None, answer
    found = await world.send(look(U1, "Name Information", "User Language", "User Privilege"))
    assert found.text("StructuredPersonalUserName/Surname") == "King"
    assert found.texts("UserOptionalFields/UserLanguage") == ["ger"]
    assert found.texts("UserPrivilege/AgencyUserPrivilegeType") == ["Graduate"]
    assert found.text("UserPrivilege/ValidToDate") == until, "the new group ends when it is told to"
    assert user(world, U1).expires_at is not None


async def test_a_registration_that_was_prolonged_lets_the_user_borrow_again(world: World) -> None:
    out = f"<CheckOutItem>{user_id('LEND-EXPIRED')}{item_id('L1')}</CheckOutItem>"
    assert (await world.send(out, partner="DISCOVERY")).problem == "User Blocked"
    answer = await world.send(
        update("LEND-EXPIRED", out=privilege("Student"), into=privilege("Student", "2031-01-01T00:00:00Z"))
    )
    assert answer.problem is None, answer
    assert (await world.send(out, partner="DISCOVERY")).problem is None


async def test_a_block_counts_from_when_it_is_added_until_it_is_deleted(world: World) -> None:
    wish = (
        f"<RequestItem>{user_id(U1)}{item_id('L1')}<RequestType>Hold</RequestType><RequestScopeType>Item"
        "</RequestScopeType></RequestItem>"
    )
    assert (await world.send(update(U1, into=block("Block Request Item")))).problem is None
    assert (await world.send(wish, partner="DISCOVERY")).problem == "User Blocked"
    assert (await world.send(update(U1, out=block("Block Request Item")))).problem is None
    assert (await world.send(wish, partner="DISCOVERY")).problem is None


@pytest.mark.parametrize(
    ("out", "element"),
    [
        (NAME, "NameInformation"),
        (born("1990-12-10T00:00:00Z"), "DateOfBirth"),
        (language("fre"), "UserLanguage"),
        (STREET, "UserAddressInformation"),
        (privilege("Faculty"), "UserPrivilege"),
        (privilege("Student", "2031-01-01T00:00:00Z"), "UserPrivilege"),
        (block("Block Hold"), "BlockOrTrap"),
        (typed("Barcode Id", "card-LEND-USER-2"), "AuthenticationInput"),
        (typed("PIN", "1234"), "AuthenticationInput"),
    ],
)
async def test_what_is_not_there_cannot_be_deleted_and_nothing_else_is_done(
    world: World, out: str, element: str
) -> None:
    both = {"UserLanguage": language("eng") + out, "BlockOrTrap": language("eng") + out}.get(element, out)
    answer = await world.send(update(U1, out=both, into=born("1991-01-01T00:00:00Z")))
    assert (answer.problem, answer.text("Problem/ProblemElement")) == (
        UNDELETABLE,
        f"UpdateUser/DeleteUserFields/{element}",
    ), answer
    assert (user(world, U1).language, user(world, U1).born_at) == ("eng", None)


async def test_one_of_several_that_fit_must_be_told_apart(world: World) -> None:
    early, late = "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"
    await world.send(update(U1, into=privilege("ILL", early) + privilege("ILL", late)))
    answer = await world.send(update(U1, out=privilege("ILL")))
    assert answer.problem == UNDELETABLE
    assert "2 of them fit" in (answer.text("Problem/ProblemDetail") or "")
    assert (await world.send(update(U1, out=privilege("ILL", early)))).problem is None
    found = await world.send(look(U1, "User Privilege"))
    assert found.texts("UserPrivilege/ValidToDate") == [late]


@pytest.mark.parametrize(
    ("into", "element"),
    [
        (NAME, "NameInformation"),
        (born("1990-12-10T00:00:00Z"), "DateOfBirth"),
        (typed("PIN", "2468"), "AuthenticationInput"),
        (typed("Barcode Id", f"card-{U1}"), "AuthenticationInput/AuthenticationInputData"),
        (typed("Barcode Id", "card-LEND-USER-2"), "AuthenticationInput/AuthenticationInputData"),
    ],
)
async def test_what_there_is_one_of_cannot_be_added_to(world: World, into: str, element: str) -> None:
    await give(world, U1, "0417")
    await world.send(update(U1, into=born("1991-01-01T00:00:00Z")))
    answer = await world.send(update(U1, into=into))
    assert (answer.problem, answer.text("Problem/ProblemElement")) == (
        UNADDABLE,
        f"UpdateUser/AddUserFields/{element}",
    ), answer
    assert "LEND-USER-2" not in (answer.text("Problem/ProblemDetail") or "").replace("card-LEND-USER-2", "")


async def test_what_may_be_repeated_and_is_there_already_is_there_once(world: World) -> None:
    into = mail("a@x.example") + language("eng") + privilege("ILL") + block("Trap For Message")
    for _ in range(2):
        assert (await world.send(update(U1, into=into))).problem is None
        world.clock.pass_days(1)
    for table in ("user_address", "user_privilege", "user_block"):
        assert rows(world, f"SELECT count(*) FROM {table} WHERE user_id = {user(world, U1).id}") == [(1,)]
    assert user(world, U1).language == "eng"


async def test_the_old_number_becomes_a_previous_one(world: World) -> None:
    """A lost card: the number is taken away, another is given, and the old one finds nobody any more."""
    card = f"card-{U1}"
    answer = await world.send(update(U1, out=typed("Barcode Id", card), into=typed("Barcode Id", "card-new")))
    assert answer.problem is None, answer
    found = await world.send(look("card-new", "User Id", "Previous User Id"))
    assert found.texts("PreviousUserId/UserIdentifierValue") == [card]
    assert found.text("PreviousUserId/ValidToDate") == "2026-01-05T09:00:00Z"
    assert (await world.send(look(card))).problem == "Unknown User"


async def test_the_number_under_which_the_user_is_known_can_be_changed_but_not_be_lost(world: World) -> None:
    answer = await world.send(update(U1, out=typed("User Id", U1), into=typed("User Id", "NEW-1")))
    assert answer.problem is None, answer
    assert (await world.send(look("NEW-1"))).text("UserId/UserIdentifierValue") == "NEW-1"
    out = typed("User Id", "NEW-1") + typed("Barcode Id", f"card-{U1}")
    refused = await world.send(update("NEW-1", out=out))
    assert (refused.problem, is_known(world, "NEW-1")) == (UNDELETABLE, True)


async def test_a_pin_is_changed_by_who_knows_the_old_one(world: World) -> None:
    await give(world, U1, "0417")
    wrong = await world.send(update(U1, out=typed("PIN", "1111"), into=typed("PIN", "2468")))
    assert wrong.problem == UNDELETABLE
    assert rows(world, "SELECT failures FROM user_secret") == [(1,)], "a wrong old PIN is a guess, and counted"
    assert (await world.send(update(U1, out=typed("PIN", "0417"), into=typed("PIN", "2468")))).problem is None
    assert (await world.send(lookup(log_in(U1, "2468")))).problem is None
    assert (await world.send(lookup(log_in(U1, "0417")))).problem == "User Authentication Failed"
    assert (await world.send(update(U1, out=typed("PIN", "2468")))).problem is None
    assert rows(world, "SELECT * FROM user_secret") == []


@pytest.mark.parametrize(
    ("into", "problem"),
    [
        ("", "Needed Data Missing"),
        (born("2040-01-01T00:00:00Z"), VIOLATED),
        (typed("PIN", " "), VIOLATED),
        (typed("User Id", " "), VIOLATED),
        (typed("X.509 Certificate", "x"), VIOLATED),
        (typed("PIN", "1") + typed("PIN", "2") + typed("PIN", "3"), VIOLATED),
        (block("Nonsense"), VIOLATED),
        (
            STREET.replace("</ValidFromDate>", "</ValidFromDate><ValidToDate>2025-01-01T00:00:00Z</ValidToDate>"),
            VIOLATED,
        ),
    ],
)
async def test_a_change_that_is_none_or_cannot_be_so_is_refused(world: World, into: str, problem: str) -> None:
    assert (await world.send(update(U1, into=into))).problem == problem


async def test_a_user_who_is_none_cannot_be_changed(world: World) -> None:
    answer = await world.send(update("NOBODY", out=typed("PIN", "1"), into=language("ger")))
    assert answer.problem == "Unknown User", answer


async def test_a_change_that_comes_twice_is_made_once(world: World) -> None:
    change = update(U1, out=language("eng"), into=language("ger"))
    first = await world.send(change)
    assert (await world.send(change)).raw == first.raw
    world.clock.pass_days(1)
    assert (await world.send(change)).problem == UNDELETABLE, "a day later it is another wish"


async def test_a_mandated_change_is_recorded_but_undoes_nothing_later(world: World) -> None:
    """Told late: the value that it replaces is gone, so what came since stays."""
    await world.send(update(U1, into=born("1991-01-01T00:00:00Z")))
    late = update(U1, out=born("1980-01-01T00:00:00Z"), into=born("1985-01-01T00:00:00Z"), mandated=MANDATED)
    assert (await world.send(late)).problem is None
    found = await world.send(look(U1, "Date Of Birth"))
    assert found.text("UserOptionalFields/DateOfBirth") == "1991-01-01T00:00:00Z"
    in_order = update(U1, out=born("1991-01-01T00:00:00Z"), into=born("1985-01-01T00:00:00Z"), mandated=MANDATED)
    assert (await world.send(in_order)).problem is None
    assert (await world.send(look(U1, "Date Of Birth"))).text("DateOfBirth") == "1985-01-01T00:00:00Z"
    ((note,),) = rows(world, "SELECT note FROM journal WHERE service = 'UpdateUser' AND note LIKE '%kept%'")
    assert "mandated" in note


# --- DeleteUser ------------------------------------------------------------------------------------------------------


async def test_a_deleted_user_is_gone_and_what_they_borrowed_is_counted_without_them(world: World) -> None:
    await give(world, U1, "0417")
    await world.send(update(U1, into=mail("a@x.example")))
    await world.desk("check-out", barcode="L1", user=U1)
    await world.desk("return", barcode="L1")
    await world.desk("check-out", barcode="L2", user="LEND-USER-2")
    await world.desk("request", user=U1, barcode="L2")
    await world.send(f"<CancelRequestItem>{user_id(U1)}{item_id('L2')}<RequestType>Hold</RequestType>"
                     "</CancelRequestItem>", partner="DISCOVERY")  # fmt: skip
    number = user(world, U1).id
    answer = await world.send(delete(U1))
    assert answer.problem is None, answer
    assert answer.text("DeleteUserResponse/UserId/UserIdentifierValue") == U1
    assert (await world.send(look(U1))).problem == "Unknown User"
    assert rows(world, "SELECT user_id, returned_at IS NOT NULL FROM loan WHERE id = 1") == [(None, 1)]
    for table in ("user_identifier", "user_address", "user_secret", "hold", "notice", "request", "user_privilege"):
        assert rows(world, f"SELECT count(*) FROM {table} WHERE user_id = {number}") == [(0,)], table
    assert (await world.send(create(user_id(U1)))).problem is None, "the number is free again"


async def test_a_deletion_that_comes_twice_is_answered_alike(world: World) -> None:
    first = await world.send(delete(U1))
    assert (await world.send(delete(U1))).raw == first.raw
    world.clock.pass_days(1)
    assert (await world.send(delete(U1))).problem == "Unknown User"


async def test_a_deletion_that_comes_twice_is_answered_alike_though_others_were_made_since(world: World) -> None:
    """Nobody gets the number in the store that the deleted user had, the newest of all."""
    await world.send(create(user_id("NEW-1")))
    first = await world.send(delete("NEW-1"))
    await world.send(create(user_id("NEW-2")))
    assert (await world.send(delete("NEW-1"))).raw == first.raw


async def _borrow(world: World) -> None:
    await world.desk("check-out", barcode="L1", user=U1)


async def _wish(world: World) -> None:
    await world.desk("check-out", barcode="L1", user="LEND-USER-2")
    await world.desk("request", user=U1, barcode="L1")


async def _borrow_elsewhere(world: World) -> None:
    await world.send(
        f"<AcceptItem>{request_id('R-9')}<RequestedActionType>Hold For Pickup</RequestedActionType>{user_id(U1)}"
        f"{item_id('X-9')}</AcceptItem>"
    )


async def _owe(world: World) -> None:
    await world.send(fine(U1, "L1"))


OPEN = {"1 loans": _borrow, "1 requests": _wish, "1 requests ": _borrow_elsewhere, "a balance of 2.50 EUR": _owe}


@pytest.mark.parametrize("what", OPEN)
async def test_a_user_with_something_open_is_not_deleted(world: World, what: str) -> None:
    await OPEN[what](world)
    answer = await world.send(delete(U1))
    assert (answer.problem, answer.text("Problem/ProblemElement")) == (VIOLATED, "DeleteUser/UserId"), answer
    assert what.strip() in (answer.text("Problem/ProblemDetail") or "")
    assert is_known(world, U1)


@pytest.mark.parametrize("what", OPEN)
async def test_a_deletion_that_has_happened_leaves_only_what_the_open_things_hang_on(world: World, what: str) -> None:
    await OPEN[what](world)
    await give(world, U1, "0417")
    number = user(world, U1).id
    answer = await world.send(delete(U1, MANDATED))
    assert answer.problem is None, answer
    assert (await world.send(look(U1))).problem == "Unknown User"
    assert rows(world, f"SELECT surname, given_name, expires_at FROM user WHERE id = {number}") == [("", "", None)]
    assert rows(world, f"SELECT count(*) FROM user_secret WHERE user_id = {number}") == [(0,)]
    (note,) = notes(world)
    assert what.strip() in note
    assert "Rosa Reader" in note, "staff must know whom to ask"
    if what == "1 loans":
        assert rows(world, "SELECT user_id FROM loan WHERE returned_at IS NULL") == [(number,)]
        await world.desk("return", barcode="L1")
    assert (await world.send(create(user_id(U1)))).problem is None


async def test_a_user_who_is_none_cannot_be_deleted(world: World) -> None:
    answer = await world.send(delete("NOBODY"))
    assert (answer.problem, answer.text("Problem/ProblemValue")) == ("Unknown User", "NOBODY")


# --- what partners tell ----------------------------------------------------------------------------------------------


async def test_a_user_whom_a_partner_tells_of_is_known_from_then_on_and_once(world: World) -> None:
    told = create(user_id("NEW-1"), WHOLE, "UserCreated")
    for _ in range(3):
        answer = await world.send(told)
        assert (answer.kind, answer.problem) == ("UserCreatedResponse", None), answer
        world.clock.pass_days(1)
    found = await world.send(look("NEW-1", *ALL_FIELDS))
    assert found.text("StructuredPersonalUserName/Surname") == "King"
    assert len(found.texts("UserAddressInformation/UserAddressRoleType")) == 2
    assert len(found.texts("UserPrivilege/AgencyUserPrivilegeType")) == 2


async def test_a_user_who_is_known_is_brought_up_to_date_by_what_is_told(world: World) -> None:
    assert (await world.send(create(user_id(U1), NAME, "UserCreated"))).problem is None
    assert user(world, U1).surname == "King"
    assert rows(world, "SELECT count(*) FROM user WHERE agency_id = 1") == [(7,)]


async def test_changes_that_a_partner_tells_are_taken_up_once_however_often_they_are_told(world: World) -> None:
    told = update(
        U1,
        out=typed("Barcode Id", f"card-{U1}") + language("eng"),
        into=typed("Barcode Id", "card-new") + typed("PIN", "2468") + NAME + language("ger") + block("Block Hold"),
        service="UserUpdated",
    )
    for _ in range(3):
        answer = await world.send(told)
        assert (answer.kind, answer.problem) == ("UserUpdatedResponse", None), answer
        world.clock.pass_days(1)
    found = await world.send(look("card-new", *ALL_FIELDS))
    assert found.text("StructuredPersonalUserName/Surname") == "King"
    assert found.texts("UserOptionalFields/UserLanguage") == ["ger"]
    assert found.texts("PreviousUserId/UserIdentifierValue") == [f"card-{U1}"]
    assert found.texts("BlockOrTrap/BlockOrTrapType") == ["Block Hold"]
    assert (await world.send(lookup(log_in("card-new", "2468")))).problem is None


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (update("NOBODY", into=language("ger"), service="UserUpdated"), "Unknown User"),
        (update(U1, service="UserUpdated"), "Needed Data Missing"),
        (update(U1, into=typed("Barcode Id", "card-LEND-USER-2"), service="UserUpdated"), UNADDABLE),
        (create(user_id("NEW-1"), NAME + born("2040-01-01T00:00:00Z"), "UserCreated"), VIOLATED),
        (create(user_id(" "), NAME, "UserCreated"), VIOLATED),
    ],
)
async def test_what_cannot_be_taken_up_is_a_problem_and_shown_to_staff(world: World, told: str, problem: str) -> None:
    answer = await world.send(told)
    assert answer.problem == problem, answer
    (note,) = notes(world)
    assert note.startswith("BROKER sent User")


async def test_a_user_who_borrowed_what_they_had_waited_for_can_be_deleted_too(world: World) -> None:
    """The loan remembers the hold that it filled, and must not keep the user alive by it."""
    await world.desk("check-out", barcode="L1", user="LEND-USER-2")
    await world.desk("request", user=U1, barcode="L1")
    await world.desk("return", barcode="L1")
    await world.desk("check-out", barcode="L1", user=U1)
    await world.desk("return", barcode="L1")
    assert rows(world, "SELECT count(*) FROM loan WHERE hold_id IS NOT NULL") == [(1,)]
    answer = await world.send(delete(U1))
    assert answer.problem is None, answer
    assert rows(world, "SELECT user_id, hold_id FROM loan WHERE id = 2") == [(None, None)]
