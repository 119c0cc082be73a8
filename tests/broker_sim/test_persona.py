"""Personas: every setting shows in the octets, every bundled one is played by scenarios, every mistake is told."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, unquote

import msgspec
import pytest
from lxml import etree

from broker_sim import cli, content, dressing, oracle, persona, places, post, wire
from broker_sim.loading import load
from broker_sim.persona import Persona, PersonaMistake, Post, Speaker
from broker_sim.scenario import Envelope
from broker_sim.variables import UnknownVariable
from broker_sim.wire import Header
from broker_sim.yamlfile import FileMistake
from ncipd import profiles

HEAD = 'title = "T"\nabout = "A"\n'
CHECK_IN = {"ItemId": {"AgencyId": "LENDER", "ItemIdentifierType": "Barcode", "ItemIdentifierValue": "1"}}
CHECK_OUT = {
    "UserId": {"UserIdentifierValue": "-"},
    "ItemId": {"AgencyId": "LENDER", "ItemIdentifierValue": "1"},
    "RequestId": {"AgencyId": "B", "RequestIdentifierValue": "R & Ü"},
    "DesiredDateDue": "2026-03-02T22:00:00Z",
}
every_persona = pytest.mark.parametrize("name", persona.names())


def fill(value: object, **extra: str) -> object:
    """Variables as a scenario has them: two that it knows, and no other."""
    known = {"to": "LENDER", "request": "R1", **extra}
    if isinstance(value, dict):
        return {key: fill(one) for key, one in value.items()}
    if isinstance(value, str) and value.startswith("${") and value[2:-1] not in known:
        raise UnknownVariable(value[2:-1])
    return known.get(value[2:-1], value) if isinstance(value, str) and value.startswith("${") else value


def octets(one: Persona, service: str = "CheckOutItem", body: dict[str, object] | None = None) -> bytes:
    """A message as the persona writes it."""
    head = dressing.header(one, fill, broker="BROKER", to="LENDER", profile=None)
    node = wire.headed(content.from_mapping(service, CHECK_OUT if body is None else body), head)
    dressed = dressing.dressed(one, node, fill, {"LENDER": "XX-1"} if one.agencies else {})
    return wire.message(dressing.spelled(one, dressed), dressing.envelope(one))


# ---------------------------------------------------------------------------------------------- the bundled ones


def test_there_is_a_persona_for_each_profile_of_the_target():
    assert set(persona.names()) == set(profiles.names())


@every_persona
def test_every_persona_is_played_on_every_side_that_it_serves(name):
    """Each scenario of its folder names it, and together they send to each side."""
    found = [load(path) for path in sorted((places.scenarios() / name).glob("*.yaml"))]
    assert found
    assert {one.story.persona for one in found} == {name}
    side = persona.load(name).side
    assert {one.side for one in found} == ({"lending", "borrowing"} if side == "both" else {side})


@every_persona
async def test_what_a_persona_means_is_valid_whatever_it_looks_like(name):
    one = persona.load(name)
    head = dressing.header(one, fill, broker="B", to="LENDER", profile=None) or Header("B", "LENDER")
    raw = dressing.plain(one, wire.headed(content.from_mapping("CheckInItem", {"ItemId": _with_agency()}), head))
    message = wire.read(raw)
    opinion = await oracle.judge(message.document)
    assert opinion.valid, opinion.violations
    assert opinion.grammar == (one.version if one.is_version_1 else "2.02")
    assert message.text("CheckInItem", "ItemId", "ItemIdentifierValue") == "1"


def _with_agency() -> dict[str, str]:
    return {"AgencyId": "LENDER", "ItemIdentifierValue": "1"}


# ---------------------------------------------------------------------------------------------- each setting

SETTINGS = {
    "version": ('version = "1.0"', b"<UniqueItemId>"),
    "agencies": ('agencies = "isil"', b"<ItemId>\n      <AgencyId>XX-1</AgencyId>"),
    "schemes": ('schemes = { AgencyId = "urn:a" }', b'<AgencyId ncip:Scheme="urn:a">LENDER'),
    "dates": ('dates = "no-seconds"', b">2026-03-02T22:00+00:00<"),
    "zone": ('dates = "basic-offset"\nzone = "Asia/Kolkata"', b">2026-03-03T03:30:00+0530<"),
    "also": ("also.CheckOutItem.Ext = { ItemNote = 'n' }", b"<ItemNote>n</ItemNote>"),
    "moved": ('moved = { "CheckOutItem/RequestId" = "CheckOutItem/Ext" }', b"<Ext>\n      <RequestId>"),
    "order": ('order = { CheckOutItem = ["ItemId", "UserId"] }', b"</ItemId>\n    <UserId>"),
    "names": ('names = { DesiredDateDue = "DesiredDueDate" }', b"<DesiredDueDate>"),
    "header.from_system": ('header.from_system = "S"', b"<FromSystemId>S</FromSystemId>\n      <FromAgencyId>"),
    "header.from_system_authentication": ('header.from_system_authentication = "p"', b"<FromSystemAuthentication>p<"),
    "header.from_agency": ('header.from_agency = "F"', b"<FromAgencyId>\n        <AgencyId>F<"),
    "header.from_agency_authentication": ('header.from_agency_authentication = "p"', b"<FromAgencyAuthentication>p<"),
    "header.on_behalf_of": ('header.on_behalf_of = "L"', b"<OnBehalfOfAgency>\n        <AgencyId>L<"),
    "header.to_system": ('header.to_system = "T"', b"<ToSystemId>T<"),
    "header.to_agency": ('header.to_agency = "Z"', b"<ToAgencyId>\n        <AgencyId>Z<"),
    "header.application_profile_type": ('header.application_profile_type = "P"', b"<ApplicationProfileType>P<"),
    "envelope.version": ('envelope.version = "5.6"', b'ncip:version="5.6"'),
    "envelope.version_attribute": ('envelope.version_attribute = "unqualified"', b' version="http'),
    "envelope.scheme_attribute": (
        'schemes = { AgencyId = "urn:a" }\nenvelope.scheme_attribute = "unqualified"', b'<AgencyId Scheme="urn:a">',
    ),
    "envelope.namespace": ('envelope.namespace = "none"', b"<NCIPMessage version="),
    "envelope.prefix": ('envelope.prefix = "ns1"', b"<ns1:CheckOutItem>"),
    "envelope.encoding": ('envelope.encoding = "ISO-8859-1"', b"R &amp; \xdc"),
    "envelope.declared_encoding": ('envelope.declared_encoding = "KOI8-R"', b'encoding="KOI8-R"?>'),
    "envelope.doctype": ('envelope.doctype = "<!DOCTYPE NCIPMessage>"', b"?>\n<!DOCTYPE NCIPMessage>\n<NCIP"),
    "envelope.schema_location": ('envelope.schema_location = "a b"', b'xsi:schemaLocation="a b"'),
    "envelope.before": ('envelope.before = "\\n "', b"\n <?xml"),
    "envelope.stray_text": ('envelope.stray_text = "x&y"', b">x&amp;y\n  <CheckOutItem>"),
    "envelope.coded": (
        'schemes = { AgencyId = "urn:a" }\nenvelope.coded = "children"',
        b"<AgencyId>\n        <Scheme>urn:a</Scheme>\n        <Value>LENDER</Value>",
    ),
    "envelope.datatypes": ('version = "1.0"\nenvelope.datatypes = true', b'<Value datatype="string">LENDER'),
}  # fmt: skip
#: What takes something away, or is tried elsewhere in this file.
OTHERS = {"title", "about", "extends", "side", "header", "envelope", "post", "header.none", "envelope.declaration"}


def test_every_setting_is_tried():
    shapes = (("", Persona), ("header.", Speaker), ("envelope.", Envelope))
    fields = {f"{table}{field.name}" for table, shape in shapes for field in msgspec.structs.fields(shape)}
    assert fields == SETTINGS.keys() | OTHERS


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_shows_in_the_octets_and_is_not_there_without_it(setting, folder):
    text, shows = SETTINGS[setting]
    folder(mine=HEAD + text, usual=HEAD)
    assert shows in octets(persona.load("mine"))
    assert shows not in octets(persona.load("usual"))


def test_header_and_declaration_can_be_left_out(folder):
    folder(mine=HEAD + "header.none = true\nenvelope.declaration = false")
    raw = octets(persona.load("mine"))
    assert raw.startswith(b"<NCIPMessage")
    assert b"InitiationHeader" not in raw


@pytest.mark.parametrize(
    ("dates", "written"),
    [
        ("no-zone", "2026-03-02T23:00:00"),
        ("offset", "2026-03-02T23:00:00+01:00"),
        ("milliseconds", "2026-03-02T22:00:00.000Z"),
        ("date", "2026-03-02"),
        ("utc", "2026-03-02T22:00:00Z"),
    ],
)
def test_dates_are_written_in_the_form_and_zone_of_the_persona(dates, written, folder):
    folder(mine=f'{HEAD}dates = "{dates}"\nzone = "Europe/Oslo"')
    root = wire.read(octets(persona.load("mine"))).root
    assert root.findtext(".//{*}DesiredDateDue") == written


def test_what_is_added_may_use_variables_and_is_left_out_where_one_is_unknown(folder):
    folder(
        mine=f"""{HEAD}
        [also.CheckInItem]
        RequestId = {{ RequestIdentifierValue = "${{request}}" }}
        UserId = {{ UserIdentifierValue = "${{nobody}}" }}
        """
    )
    raw = octets(persona.load("mine"), "CheckInItem", CHECK_IN)
    assert b"<RequestIdentifierValue>R1</RequestIdentifierValue>" in raw
    assert b"UserId" not in raw


def test_what_the_scenario_says_itself_is_not_added_again(folder):
    folder(mine=f'{HEAD}[also.CheckOutItem]\nUserId = {{ UserIdentifierValue = "other" }}')
    assert octets(persona.load("mine")).count(b"<UserId>") == 1


def test_what_is_moved_may_come_from_within(folder):
    folder(mine=f'{HEAD}[moved]\n"*/ItemId/ItemIdentifierValue" = "*/Ext/Deep"')
    root = wire.read(octets(persona.load("mine"), "CheckInItem", CHECK_IN)).root
    assert root.findtext(".//{*}Ext/{*}Deep/{*}ItemIdentifierValue") == "1"
    assert root.find(".//{*}ItemId/{*}ItemIdentifierValue") is None


def test_a_scheme_for_every_coded_element_may_hold_its_name(folder):
    folder(mine=f'{HEAD}schemes = {{ "*" = "urn:{{element}}", AgencyId = "urn:mine" }}')
    raw = octets(persona.load("mine"), "CheckInItem", CHECK_IN)
    assert b'Scheme="urn:ItemIdentifierType"' in raw
    assert b'Scheme="urn:mine"' in raw
    assert b"ItemIdentifierValue ncip" not in raw


def test_a_persona_has_what_it_extends_tables_merged(folder):
    folder(
        below=f'{HEAD}version = "2.0"\n[envelope]\nprefix = "ns1"\n[header]\nfrom_agency = "F"\nto_agency = "Z"',
        mine=f'{HEAD}extends = "below"\n[header]\nfrom_agency = "G"',
    )
    one = persona.load("mine")
    assert (one.version, one.envelope.prefix) == ("2.0", "ns1")
    assert (one.header.from_agency, one.header.to_agency) == ("G", "Z")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nonsense = 1", r"mine\.toml: .*unknown field `nonsense`"),
        ('[envelope]\nprfix = "a"', r"mine\.toml: .*unknown field `prfix` - at `\$\.envelope`"),
        ('version = "3"', r"mine\.toml: Invalid enum value '3' - at `\$\.version`"),
        ('[post]\nform = "json"', r"mine\.toml: .*'json' - at `\$\.post\.form`"),
        ("order = { A = 1 }", r"mine\.toml: Expected `array`, got `int` - at `\$\.order"),
        ('zone = "Lakeside"', r"mine\.toml: zone: 'Lakeside' is no time zone"),
        ('[also.CheckInItem]\n"a b" = "x"', r"mine\.toml: also\.CheckInItem: 'a b' is not an element name"),
        ('moved = { "CheckInItem" = "X" }', r"mine\.toml: moved\.'CheckInItem'"),
        ('moved = { "CheckInItem/A" = "CheckOutItem/B" }', r"mine\.toml: moved\.'CheckInItem/A'"),
        ("x = = 1", r"mine\.toml: "),
        ('extends = "min"', r"there is no persona 'min'; did you mean 'mine'\?"),
        ('extends = "mine"', r"mine\.toml: extends: goes in a circle: mine → mine"),
    ],
)
def test_a_mistake_in_a_persona_is_told_with_its_file_and_its_key(text, told, folder):
    folder(mine=HEAD + text)
    with pytest.raises(PersonaMistake, match=told):
        persona.load("mine")


def test_a_scenario_with_an_unknown_persona_is_told_with_its_line(tmp_path):
    file = tmp_path / "some-family" / "flow.yaml"
    file.parent.mkdir()
    file.write_text("title: T\nside: lending\npersona: reshear\nsteps: [{send: X, raw: x}]\n", "utf-8")
    with pytest.raises(FileMistake, match=r"flow\.yaml:3: there is no persona 'reshear'; did you mean 'reshare'\?"):
        load(file)


# ---------------------------------------------------------------------------------------------- version 1


V1 = """<!DOCTYPE NCIPMessage PUBLIC "-//NISO//NCIP DTD Version 1.0//EN" "http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd">
<NCIPMessage version="http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd"><CheckInItemResponse>
<ResponseHeader><FromAgencyId><UniqueAgencyId><Scheme/><Value>L</Value></UniqueAgencyId></FromAgencyId>
<ToAgencyId><UniqueAgencyId><Scheme>urn:s</Scheme><Value>B</Value></UniqueAgencyId></ToAgencyId></ResponseHeader>
%s</CheckInItemResponse></NCIPMessage>"""
ERROR = """<Problem><ProcessingError><ProcessingErrorType><Scheme>urn:p</Scheme><Value>Unknown Item</Value>
</ProcessingErrorType><ProcessingErrorElement><ElementName>CheckInItem</ElementName><ProcessingErrorElement>
<ElementName>UniqueItemId</ElementName><ProcessingErrorValue>7</ProcessingErrorValue></ProcessingErrorElement></ProcessingErrorElement></ProcessingError></Problem>"""


async def test_an_answer_of_version_1_is_judged_by_its_schema_and_looked_at_like_any_other():
    from broker_sim.answer import problems

    message = wire.read((V1 % ERROR).encode())
    opinion = await oracle.judge(message.document)
    assert (opinion.valid, opinion.grammar) == (True, "1.0")
    assert message.text("CheckInItemResponse", "ResponseHeader", "ToAgencyId", "AgencyId") == "B"
    assert message.root.find(".//{*}ToAgencyId/{*}AgencyId").get("{http://www.niso.org/2008/ncip}Scheme") == "urn:s"
    (told,) = problems(message)
    assert told["ProblemType"] == "Unknown Item"
    assert told["ProblemElement"] == "CheckInItem/ItemId"
    assert told["ProblemValue"] == "7"
    assert told["line"] == "5"


def test_an_error_that_stands_by_itself_in_an_acknowledgement_is_a_problem_too():
    """Version 1 has no Problem in the answers to notifications."""
    from broker_sim.answer import describe

    error = ERROR.removeprefix("<Problem>").removesuffix("</Problem>").replace("Processing", "Messaging")
    message = wire.read((V1 % error).replace("CheckInItemResponse", "ItemShippedResponse").encode())
    assert describe(message) == "ItemShippedResponse with Problem Unknown Item: no detail"


async def test_an_invalid_answer_of_version_1_is_found_by_both_validators():
    message = wire.read((V1 % "<Surprise/>").encode())
    opinion = await oracle.judge(message.document)
    assert opinion.agree
    assert not opinion.valid


async def test_1_01_is_judged_by_the_schema_of_1_01(folder):
    folder(mine=f'{HEAD}version = "1.01"')
    body = {
        "RequestId": {"AgencyId": "L", "RequestIdentifierValue": "1"},
        "ItemElementType": "Bibliographic Description",
    }
    message = wire.read(octets(persona.load("mine"), "LookupRequest", body))
    opinion = await oracle.judge(message.document)
    assert (opinion.valid, opinion.grammar) == (True, "1.01"), opinion.violations


async def test_a_missing_schema_is_told_and_no_verdict_given(monkeypatch):
    def nowhere(version: str = "2.02") -> Path:
        raise FileNotFoundError(f"no {version}")

    monkeypatch.setattr(places, "xsd", nowhere)
    with pytest.raises(oracle.NoSchema, match=r"NCIP 1\.0 can neither be written nor judged here: no 1\.0"):
        await oracle.judge(etree.fromstring(V1 % ""))


def test_a_document_without_a_namespace_is_of_version_1_only_by_its_own_word():
    assert not wire.read(b'<NCIPMessage version="2.02"><CheckInItemResponse/></NCIPMessage>').is_version_1
    assert wire.read((V1 % "").encode()).is_version_1


# ---------------------------------------------------------------------------------------------- the post


def test_the_body_may_be_a_field_of_a_form_or_percent_encoded():
    raw = "<a>ü & b</a>".encode()
    assert post.packed(Post(), raw) == raw
    assert parse_qs(post.packed(Post(form="xml"), raw).decode()) == {"xml": [raw.decode()]}
    assert parse_qs(post.packed(Post(form="XForms:Model"), raw).decode()) == {"XForms:Model": [raw.decode()]}
    assert unquote(post.packed(Post(form="percent"), raw).decode()) == raw.decode()
    assert b"<" not in post.packed(Post(form="percent"), raw)
    assert post.content_type(Post(form="xml", content_type="text/xml")) == "application/x-www-form-urlencoded"
    assert post.content_type(Post(form="percent", content_type="text/html")) == "text/html"


# ---------------------------------------------------------------------------------------------- lists and schemas


def test_the_list_shows_personas_and_who_plays_which_scenario(capsys):
    assert cli.main(["list", "--personas", "--markdown"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split("`")[1] for row in rows[2:]] == list(persona.names())
    assert cli.main(["list", "--personas", "--json"]) == 0
    assert {one["id"]: one["title"] for one in json.loads(capsys.readouterr().out)}["wms"] == "OCLC WMS clients"
    assert cli.main(["list", "reshare", "--json"]) == 0
    assert {one["persona"] for one in json.loads(capsys.readouterr().out)} == {"reshare"}


def test_the_schema_of_personas_has_every_setting_and_no_room_for_others(capsys):
    assert cli.main(["schema", "--persona"]) == 0
    definitions = json.loads(capsys.readouterr().out)["$defs"]
    for shape in (Persona, Speaker, Post, Envelope):
        definition = definitions[shape.__name__]
        assert set(definition["properties"]) == {field.name for field in msgspec.structs.fields(shape)}
        assert definition["additionalProperties"] is False
