"""Every setting that says how a partner bends NCIP does what it says, on real messages over HTTP.

A test named `test_{setting}_…` is about that setting; `tests/services/test_settings.py` has those about circulation,
and fails for a setting that has a test in neither.
"""

from __future__ import annotations

import base64

import pytest
from lxml import etree

from ncipd.circulation.partner import Partner
from ncipd.config import parse
from ncipd.responder import Door
from tests.circulation import messages as say
from tests.circulation.messages import IN_FEBRUARY
from tests.edge.office import ROOT, opened
from tests.services.world import Answer, item_id, message, request_id, user_id

USER = "LEND-USER-1"
SCHEMA = etree.XMLSchema(etree.parse(ROOT / "xsd" / "ncip_v2_02.xsd"))


class Line:
    """An office whose one agency has the partners of a test, and the wire to it."""

    def __init__(self, office):
        self.office = office
        self.content_type = ""

    async def post(self, raw, key="", **headers):
        """Send bytes over HTTP; whatever comes back is valid NCIP."""
        url = f"{self.office.ncipd.url}{f'/{key}' if key else ''}"
        async with self.office.session.post(url, data=raw, headers=headers) as answered:
            assert answered.status == 200
            self.content_type = answered.headers["Content-Type"]
            body = await answered.read()
        SCHEMA.assertValid(etree.fromstring(body))
        return Answer(body)

    async def send(self, content, *, to="LEND", partner="P", origin="THEM", key="", more="", **headers):
        raw = message(content, to=to, partner=partner, origin=origin)
        if more:
            raw = raw.replace("</FromAgencyId>", f"</FromAgencyId>{more}", 1)
        return await self.post(raw.encode(), key, **headers)

    def ask(self, view):
        """Look into the store, as the agency sees it."""
        from ncipd.circulation.unit import Circulation

        directory = self.office.ncipd.directory
        agency = directory.agency("LEND")
        return self.office.ncipd.store.read(
            lambda tx: view(
                Circulation(
                    tx,
                    agency=agency,
                    partner=None,
                    partners=directory.partners_of(agency),
                    now=self.office.ncipd.clock.now(),
                    new_id=lambda: "x",
                )
            )
        )

    def temporary(self, value="X-1"):
        return self.ask(lambda circ: circ.temporary_items("P", value))


@pytest.fixture
async def line(tmp_path):
    """Gives a line to partners with the settings of a test, read as from `ncipd.toml`."""
    made = []

    async def make(text="", *further):
        """`text` holds the settings of partner P as TOML; each of `further` is a whole partner."""
        tables = [f'[[partner]]\ncode = "P"\nagency = "LEND"\n{text}\n', *(f"[[partner]]\n{one}\n" for one in further)]
        partners = parse("".join(tables), environ={}).partner
        context = opened(tmp_path / f"data{len(made)}", made=partners)
        made.append(context)
        return Line(await context.__aenter__())

    yield make
    for context in reversed(made):
        await context.__aexit__(None, None, None)


SURNAME = "UserOptionalFields/NameInformation/PersonalNameInformation/StructuredPersonalUserName/Surname"
OTHER = 'code = "Q"\nagency = "LEND"\n'

# ---------------------------------------------------------------------------------------------- who it is


async def test_profile_gives_the_settings_that_the_partner_does_not_have_itself(line):
    here = await line('profile = "alma"\nproblem_detail = "sentence"')
    refused = await here.send(say.check_out("NOWHERE", "R-1"))
    assert refused.text("Problem/ProblemElement") == "//CheckOutItem/ItemId", "of the profile"
    assert refused.text("Problem/ProblemDetail") != refused.problem, "of the partner itself"
    plain = await line()
    refused = await plain.send(say.check_out("NOWHERE", "R-1"))
    assert refused.text("Problem/ProblemElement") == "CheckOutItem/ItemId/ItemIdentifierValue"


async def test_named_by_decides_what_names_the_partner(line):
    """What is not listed names nobody: not the code, not the agency, not the address."""
    here = await line('agency_ids = ["THEM"]\nkeys = ["p"]\nnamed_by = ["from-agency-id"]')
    assert (await here.send(say.lookup_item("L1"), partner="")).problem is None
    assert (await here.send(say.lookup_item("L1"), partner="P", origin="X")).problem == "Unknown System"
    assert (await here.send(say.lookup_item("L1"), partner="", origin="X", key="p")).problem == "Unknown System"


async def test_named_by_decides_which_of_several_partners_is_meant(line):
    """ApplicationProfileType first (the default), or FromAgencyId first: the same message, another partner."""
    for order, prefix in (("", b"<q:"), ('named_by = ["from-agency-id", "application-profile-type"]', b"<p:")):
        here = await line(f'agency_ids = ["THEM"]\nprefix = "p"\n{order}', f'{OTHER}prefix = "q"')
        assert prefix in (await here.send(say.lookup_item("L1"), partner="Q", origin="THEM")).raw, order


async def test_named_by_decides_whether_a_foreign_profile_type_speaks_against_the_partner(line):
    """OCLC's says the version of a profile: it names nobody there, and elsewhere it is a partner that is not known."""
    told = "<FromSystemId>WSILL</FromSystemId>"
    raw = message(say.lookup_item("L1"), partner="2.00", origin="LIB").replace(
        "<FromAgencyId>", f"{told}<FromAgencyId>"
    )
    here = await line('profile = "oclc-circill"')
    assert (await here.post(raw.encode())).problem is None
    strict = await line('system_ids = ["WSILL"]')
    assert (await strict.post(raw.encode())).problem == "Unknown System"


async def test_named_by_the_code_in_from_agency_authentication(line):
    """Alma's NCIP 1 does that in LookupUser; elsewhere it names nobody."""
    header = "<FromAgencyAuthentication>P</FromAgencyAuthentication>"
    here = await line('named_by = ["code-in-authentication"]')
    assert (await here.send(say.lookup_item("L1"), partner="", more=header)).problem is None
    plain = await line()
    assert (await plain.send(say.lookup_item("L1"), partner="", more=header)).problem == "Unknown System"


async def test_profile_types_name_the_partner_beside_its_code(line):
    here = await line('profile_types = ["Version 2011"]')
    for said, problem in (("Version 2011", None), ("VERSION 2011", None), ("p", None), ("2012", "Unknown System")):
        assert (await here.send(say.lookup_item("L1"), partner=said)).problem == problem, said


async def test_agency_separator_parts_institution_and_library(line):
    """In FromAgencyId and in ToAgencyId; without it such codes are unknown."""
    here = await line('agency_ids = ["THEM"]\nagency_separator = "||"')
    found = await here.send(say.lookup_item("L1"), to="LEND||LAW", partner="", origin="THEM||SCI")
    assert found.problem is None
    assert found.text("FromAgencyId/AgencyId") == "LEND||LAW", "the answer calls us as we were called"
    assert (await here.send(say.lookup_item("L1"), to="NONE||LAW", partner="")).problem == "Unknown Agency"
    plain = await line('agency_ids = ["THEM"]')
    assert (await plain.send(say.lookup_item("L1"), to="LEND||LAW", partner="")).problem == "Unknown Agency"
    assert (await plain.send(say.lookup_item("L1"), partner="", origin="THEM||SCI")).problem == "Unknown System"


def basic(text):
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("place", "headers", "more"),
    [
        ("http-bearer", {"Authorization": "Bearer open:sesame"}, ""),
        ("http-basic", {"Authorization": basic("open:sesame")}, ""),
        ("from-agency-authentication", {}, "<FromAgencyAuthentication>open:sesame</FromAgencyAuthentication>"),
    ],
)
async def test_authenticated_by_is_where_the_secret_must_stand(line, place, headers, more):
    """In its place it opens; elsewhere, wrong or missing it does not."""
    here = await line(f'secret = "open:sesame"\nauthenticated_by = ["{place}"]')
    assert (await here.send(say.lookup_item("L1"), more=more, **headers)).problem is None
    wrong = {name: value[:-2] + "x=" for name, value in headers.items()}
    refused = await here.send(say.lookup_item("L1"), more=more.replace("open", "shut"), **wrong)
    assert (refused.problem or "").endswith("Authentication Failed")
    assert "open:sesame" not in refused.raw.decode()
    assert ((await here.send(say.lookup_item("L1"))).problem or "").endswith("Authentication Failed")
    elsewhere = await line('secret = "open:sesame"\nauthenticated_by = ["from-system-authentication"]')
    refused = await elsewhere.send(say.lookup_item("L1"), more=more, **headers)
    assert refused.problem == "System Authentication Failed"


@pytest.mark.parametrize("credentials", ["Basic", "Basic ???", "Basic /w==", "Bearer", "Digest x", ""])
async def test_authenticated_by_http_survives_credentials_that_are_none(line, credentials):
    here = await line('secret = "s"\nauthenticated_by = ["http-basic", "http-bearer"]')
    refused = await here.send(say.lookup_item("L1"), Authorization=credentials)
    assert refused.problem == "System Authentication Failed"


# ---------------------------------------------------------------------------------------------- what it is about


async def test_request_key_ext_is_a_request_id_in_ext(line):
    """CrossLink writes the RequestId of CheckOutItem there."""
    shipped = f"<CheckOutItem>{user_id('-')}{item_id('L1')}<Ext>{request_id('R-1')}</Ext></CheckOutItem>"
    here = await line('request_key = ["request-id", "ext"]')
    await here.send(say.request_item("R-1", item="L2"))
    assert (await here.send(shipped)).problem is None
    assert await here.office.status("R-1") == "shipped-physically", "of the request, though another copy was sent"
    plain = await line()
    await plain.send(say.request_item("R-1", item="L2"))
    await plain.send(shipped)
    assert await plain.office.status("R-1") != "shipped-physically"


async def test_request_key_item_id_is_the_number_of_the_transaction(line):
    """Where a message names an item only, its number is the request's too; a RequestId that is sent goes before."""
    here = await line('request_key = ["request-id", "item-id"]\nsides = "borrowing"')
    await here.send(say.accept("77", item="77", user=USER))
    assert (await here.send(say.check_in("77"))).problem is None
    assert await here.office.status("77") == "request-completed"


async def test_item_key_takes_a_barcode_from_where_record_numbers_stand(line):
    """Only a barcode of an item here is taken; what is a record number stays one."""
    for kind, more in (("Record", "<AgencyId>X</AgencyId>"), ("Item", "")):
        here = await line(f'item_key = ["item-id", "bibliographic-{kind.lower()}-id"]')
        for value, request in (("L3", "R-1"), ("REC-LEND-4", "R-2")):
            number = f"<Bibliographic{kind}Identifier>{value}</Bibliographic{kind}Identifier>{more}"
            title = f"<BibliographicId><Bibliographic{kind}Id>{number}</Bibliographic{kind}Id></BibliographicId>"
            wish = say.request_item(request, item="L3").replace(item_id("L3"), title)
            assert (await here.send(wish)).problem is None
        assert (await here.office.see("requests/R-1"))["items"][0]["barcode"] == "L3"
        assert (await here.office.see("requests/R-2"))["items"][0]["barcode"] == "L4"


async def test_item_key_copy_number_holds_a_barcode(line):
    fields = "<ItemOptionalFields><ItemDescription><CopyNumber>L5</CopyNumber></ItemDescription></ItemOptionalFields>"
    title = say.number("REC-LEND-20")
    wish = say.request_item("R-1", item="L5").replace(item_id("L5"), title)
    wish = wish.replace("</RequestScopeType>", f"</RequestScopeType>{fields}")
    here = await line('item_key = ["item-id", "copy-number"]')
    await here.send(wish)
    assert (await here.office.see("requests/R-1"))["items"][0]["barcode"] == "L5"


@pytest.mark.parametrize("type_", ["ILL Request Id", "ill request id"])
async def test_item_key_request_finds_the_item_of_a_request_that_item_id_names(line, type_):
    """OCLC checks in by the request's number; told again, it is success as ever."""
    said = f"<ItemIdentifierType>{type_}</ItemIdentifierType><ItemIdentifierValue>R-1</ItemIdentifierValue>"
    named = f"<ItemId>{said}</ItemId>"
    here = await line('item_key = ["item-id", "request"]')
    await here.send(say.check_out("L1", "R-1"))
    for _ in range(2):
        back = await here.send(f"<CheckInItem>{named}</CheckInItem>")
        assert back.problem is None
        assert back.text("ItemId/ItemIdentifierValue") == "L1"
        here.office.pass_days(1)
    assert await here.office.status("R-1") == "request-completed"
    plain = await line()
    await plain.send(say.check_out("L1", "R-1"))
    assert (await plain.send(f"<CheckInItem>{named}</CheckInItem>")).problem == "Unknown Item"


async def test_user_key_finds_the_user_elsewhere(line):
    """In UserOptionalFields or in Ext; the standard's place goes before where it stands first."""
    fields = f"<UserOptionalFields>{user_id(USER)}</UserOptionalFields>"
    for place, more in (("user-optional-fields", fields), ("ext", f"<Ext>{user_id(USER)}</Ext>")):
        here = await line(f'user_key = ["user-id", "{place}"]')
        assert (
            await here.send(say.accept("R-1", item="X-1").replace("</AcceptItem>", f"{more}</AcceptItem>"))
        ).problem is None
        holder = (await here.office.see("requests/R-1"))["user"]
        assert holder == USER, place
        plain = await line()
        refused = await plain.send(say.accept("R-1", item="X-1").replace("</AcceptItem>", f"{more}</AcceptItem>"))
        assert refused.problem is not None, "nobody is named"


async def test_pickup_key_finds_the_library_elsewhere(line):
    """The first place that names a library of ours counts."""
    shipping = (
        "<ShippingInformation><PhysicalAddress><UnstructuredAddress><UnstructuredAddressType>x</UnstructuredAddressType>"
        "<UnstructuredAddressData>y</UnstructuredAddressData></UnstructuredAddress>"
        "<PhysicalAddressType>LAW</PhysicalAddressType></PhysicalAddress></ShippingInformation>"
    )
    wish = say.request_item("R-1", user=USER, title="OCLC-1", code="OCLC")
    for place, content, to, more in (
        ("shipping-information", wish.replace("</RequestScopeType>", f"</RequestScopeType>{shipping}"), "LEND", ""),
        ("to-agency-id", wish, "LEND||LAW", ""),
        ("on-behalf-of-agency", wish, "LEND", "<OnBehalfOfAgency><AgencyId>LAW</AgencyId></OnBehalfOfAgency>"),
        ("item-note", wish.replace("</RequestItem>", "<Ext><ItemNote>LAW</ItemNote></Ext></RequestItem>"), "LEND", ""),
    ):
        here = await line(f'agency_separator = "||"\npickup_key = ["pickup-location", "{place}"]')
        assert (await here.send(content, to=to, more=more)).problem is None, place
        asked = await here.send(say.lookup_request("R-1", "Pickup Location"))
        assert asked.text("PickupLocation") == "LAW", place
        await here.send(
            say.request_item("R-2", user=USER, title="OCLC-2", code="OCLC", pickup="MAIN"), to=to, more=more
        )
        assert (await here.send(say.lookup_request("R-2", "Pickup Location"))).text("PickupLocation") == "MAIN", place


async def test_record_codes_say_what_kinds_of_numbers_are_called_here(line):
    """Without it, a kind of number that nobody here knows finds nothing."""
    wish = say.request_item("R-1", title="REC-LEND-7", code="SYSNUMBER")
    here = await line('record_codes = { SYSNUMBER = "" }')
    await here.send(wish)
    assert (await here.office.see("requests/R-1"))["items"][0]["barcode"] == "L7"
    plain = await line()
    await plain.send(wish)
    assert await plain.office.status("R-1") == "locate-failed"


# ---------------------------------------------------------------------------------------------- circulation


async def test_honour_desired_date_says_whether_the_wished_date_counts(line):
    for text, due in (("", IN_FEBRUARY), ("honour_desired_date = false\nloan_days = 10", "2026-01-15T22:59:59Z")):
        here = await line(text)
        answer = await here.send(say.check_out("L1", "R-1", due=IN_FEBRUARY))
        assert answer.text("DateDue") == due, text


@pytest.mark.parametrize(
    ("rule", "barcode"),
    [("item-id", "X-1"), ("request-id", "R-1"), ("item-id-and-agency", "X-1THEM"), ("made", None)],
)
async def test_temporary_barcode_is_made_of_what_the_rule_says(line, rule, barcode):
    """And the partner goes on to call the item as it did."""
    here = await line(f'temporary_barcode = "{rule}"\nsides = "borrowing"')
    answer = await here.send(say.accept("R-1", item="X-1", user=USER))
    (item,) = here.temporary()
    assert answer.text("ItemId/ItemIdentifierValue") == item.barcode
    assert item.barcode == barcode if barcode else item.barcode.startswith("TMP-")
    assert (await here.send(say.check_in("X-1", "R-1"))).problem is None


# ---------------------------------------------------------------------------------------------- how it is answered


@pytest.mark.parametrize("prefix", ["ns1", "ncip", ""])
async def test_prefix_is_that_of_every_answer(line, prefix):
    """Of problems and of what cannot be understood too; clients look for `ns1:Problem` as text."""
    here = await line(f'prefix = "{prefix}"\nkeys = ["p"]')
    start = f"<{prefix}:" if prefix else "<"
    for content in (say.lookup_item("L1"), say.lookup_item("NOWHERE"), "<LookupItem/>", "<Nonsense/>"):
        raw = (await here.send(content, key="p")).raw.decode()
        assert f"{start}NCIPMessage xmlns" in raw, content
    assert f"{start}NCIPMessage xmlns" in (await here.post(b"<no xml", "p")).raw.decode()


async def test_prefix_is_that_of_the_partner_whose_door_it_is(line):
    """What cannot be read names nobody; the port that is bound to a partner does."""
    here = await line('prefix = "p"')
    for raw in (b"<no xml", message(say.lookup_item("L1"), partner="").encode()):
        answer = await here.office.ncipd.responder.respond(raw, Door("tcp", agency="LEND", partner="p"))
        assert b"<p:NCIPMessage" in answer.body


async def test_prefix_is_that_of_our_own_messages(line):
    here = await line('prefix = "own"\nurl = "http://127.0.0.1:9/ncip"')
    await here.send(say.check_out("L1", "R-1"))
    await here.office.do("request", user=USER, barcode="L1")
    (row,) = here.ask(lambda circ: circ.tx.all("outbox_of_agency", agency=circ.agency.id, state="queued", most=9)) or (
        here.ask(lambda circ: circ.tx.all("outbox_of_agency", agency=circ.agency.id, state="sending", most=9))
    )
    assert b"<own:RecallItem>" in row[10]


async def test_content_type_is_that_of_the_answers(line):
    here = await line('content_type = "text/xml; charset=utf-8"\nkeys = ["p"]')
    for content in (say.lookup_item("L1"), say.lookup_item("NOWHERE"), say.check_out("L1", "R-1")):
        await here.send(content)
        assert here.content_type == "text/xml; charset=utf-8"
    await here.post(b"<no xml", "p")
    assert here.content_type == "text/xml; charset=utf-8"
    await here.send(say.lookup_item("L1"), partner="STRANGER")
    assert here.content_type == 'application/xml; charset="utf-8"', "nobody's setting"
    plain = await line()
    await plain.send(say.lookup_item("L1"))
    assert plain.content_type == 'application/xml; charset="utf-8"'


async def test_problem_scheme_says_whether_the_type_has_one(line):
    for text, has in (("", True), ("problem_scheme = false", False)):
        here = await line(text)
        for content in (say.lookup_item("NOWHERE"), f"<LookupItemSet>{item_id('NOWHERE')}</LookupItemSet>"):
            answer = await here.send(content)
            assert answer.problem == "Unknown Item"
            assert (b"Scheme=" in answer.raw) is has


async def test_problem_types_are_called_as_the_partner_looks_for_them(line):
    here = await line('[partner.problem_types]\n"Unknown Item" = "Not Found"')
    answer = await here.send(say.lookup_item("NOWHERE"))
    assert answer.problem == "Not Found"
    assert b"Scheme=" not in answer.raw, "the word is on no list"
    assert (await here.send(say.lookup_user("NOBODY"))).problem == "Unknown User"


@pytest.mark.parametrize(
    ("style", "detail"), [("type", "Unknown Item"), ("code", "UNKNOWN_ITEM"), ("none", None), ("sentence", "...")]
)
async def test_problem_detail_says_what_it_should(line, style, detail):
    here = await line(f'problem_detail = "{style}"')
    told = (await here.send(say.lookup_item("NOWHERE"))).text("Problem/ProblemDetail")
    assert (told.endswith(".") and len(told) > 20) if style == "sentence" else told == detail


@pytest.mark.parametrize(
    ("style", "element"),
    [
        ("path", "LookupItem/ItemId/ItemIdentifierValue"),
        ("xpath", "//LookupItem/ItemId"),
        ("name", "ItemIdentifierValue"),
        ("none", None),
    ],
)
async def test_problem_element_is_named_in_the_style_of_the_partner(line, style, element):
    here = await line(f'problem_element = "{style}"')
    assert (await here.send(say.lookup_item("NOWHERE"))).text("Problem/ProblemElement") == element


@pytest.mark.parametrize(("style", "value"), [("value", "NOWHERE"), ("agency/value", "LEND/NOWHERE"), ("none", None)])
async def test_problem_value_is_put_as_the_partner_wants_it(line, style, value):
    here = await line(f'problem_value = "{style}"')
    assert (await here.send(say.lookup_item("NOWHERE"))).text("Problem/ProblemValue") == value


async def test_privileges_tell_a_status_and_a_profile(line):
    """ReShare, FOLIO and Relais read them so; who may not request is BLOCKED."""
    here = await line('privileges = "status-and-profile"')
    for user, status in ((USER, "OK"), ("LEND-BLOCKED", "BLOCKED"), ("LEND-EXPIRED", "BLOCKED")):
        answer = await here.send(say.lookup_user(user, "User Privilege"))
        types = answer.texts("UserPrivilege/AgencyUserPrivilegeType")
        states = answer.texts("UserPrivilege/UserPrivilegeStatus/UserPrivilegeStatusType")
        assert dict(zip(types, states, strict=True)) == {"STATUS": status, "PROFILE": "Student"}
    plain = await line()
    answer = await plain.send(say.lookup_user(USER, "User Privilege"))
    assert answer.texts("UserPrivilege/AgencyUserPrivilegeType") == ["Student"]


async def test_quirks_empty_user_optional_fields(line):
    for text, there in (('quirks = ["empty-user-optional-fields"]', True), ("", False)):
        here = await line(text)
        await here.send(say.check_out("L1", "R-1"))
        back = await here.send(say.check_in("L1"))
        assert back.kind == "CheckInItemResponse"
        assert back.has("UserOptionalFields") is there
        refused = await here.send(say.check_in("NOWHERE"))
        assert not refused.has("UserOptionalFields"), "a problem stands alone"


async def test_quirks_ids_in_ext(line):
    """NNCIPP repeats the ids where the grammar leaves an answer empty."""
    shipped = (
        f"<ItemShipped>{request_id('R-1')}{item_id('X-1')}{user_id(USER)}<DateShipped>2026-01-05T08:00:00Z</DateShipped>"
        "<ShippingInformation><ElectronicAddress><ElectronicAddressType>mailto</ElectronicAddressType>"
        "<ElectronicAddressData>a@b.example</ElectronicAddressData></ElectronicAddress></ShippingInformation></ItemShipped>"
    )
    for text, there in (('quirks = ["ids-in-ext"]', True), ("", False)):
        here = await line(f'sides = "borrowing"\n{text}')
        await here.send(say.request_item("R-1", user=USER, title="T-1"))
        answer = await here.send(shipped)
        assert answer.problem is None
        assert (answer.text("ItemShippedResponse/Ext/RequestId/RequestIdentifierValue") == "R-1") is there


async def test_quirks_item_barcode(line):
    for text, type_ in (('quirks = ["item-barcode"]', "Item Barcode"), ("", "Barcode")):
        here = await line(text)
        answer = await here.send(say.request_item("R-1", item="L1"))
        assert answer.text("RequestItemResponse/ItemId/ItemIdentifierType") == type_


async def test_always_include_is_applied_to_the_user_of_a_request(line):
    """LookupRequest, RequestItem and CancelRequestItem carry it unasked, as LookupUser does."""
    here = await line('always_include = ["Name Information"]\nsides = "borrowing"')
    asked = await here.send(say.request_item("R-1", user=USER, title="T-1"))
    assert (
        asked.text("UserOptionalFields/NameInformation/PersonalNameInformation/StructuredPersonalUserName/Surname")
        == "Reader"
    )
    found = await here.send(say.lookup_request("R-1"))
    assert (
        found.text("UserOptionalFields/NameInformation/PersonalNameInformation/StructuredPersonalUserName/Surname")
        == "Reader"
    )
    assert not found.has("ItemOptionalFields"), "nothing of an item was wanted"
    gone = await here.send(say.cancel("R-1", user=USER))
    assert (
        gone.text("UserOptionalFields/NameInformation/PersonalNameInformation/StructuredPersonalUserName/Surname")
        == "Reader"
    )
    hidden = await line('always_include = ["Name Information"]\nuser_data = false\nsides = "borrowing"')
    await hidden.send(say.request_item("R-1", user=USER, title="T-1"))
    assert not (await hidden.send(say.lookup_request("R-1"))).has("UserOptionalFields")


async def test_always_include_of_items_adds_nothing_of_users(line):
    here = await line('always_include = ["Circulation Status"]')
    assert not (await here.send(say.lookup_user(USER))).has("UserOptionalFields")
    assert (await here.send(say.lookup_item("L1"))).has("ItemOptionalFields/CirculationStatus")


def test_a_partner_without_settings_looks_where_the_standard_has_it():
    assert not Partner(code="P", agency="A").looks_elsewhere
    assert Partner(code="P", agency="A", user_key=()).looks_elsewhere
