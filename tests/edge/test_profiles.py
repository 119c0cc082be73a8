"""Every bundled profile: it is read, explained, and recognises the messages of its family; real ones where they are."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import msgspec
import pytest
from lxml import etree

from ncipd import portrait, profiles
from ncipd.circulation.keys import looked_up
from ncipd.circulation.partner import Partner
from ncipd.config import effective, parse
from ncipd.config.mistakes import Mistakes
from ncipd.ncip import messages
from ncipd.ncip.document import parse as parse_message
from ncipd.ncip.envelope import VERSION
from ncipd.ncip.read import read
from ncipd.recognition import Names, said_in
from ncipd.responder import Door
from ncipd.services import services
from tests.circulation import messages as say
from tests.edge.office import ROOT, opened
from tests.edge.test_dialects import SCHEMA
from tests.services.world import NS, Answer, message

FAMILIES = {
    "alma", "alma-v1", "alma-p2p", "nncipp", "relais-d2d", "oclc-circill", "wms", "reshare", "reshare-plain",
    "crosslink", "inn-reach", "shareit", "vdx", "illiad-alma", "illiad-folio", "illiad-aleph", "koha", "folio",
    "openrs-dcb", "vufind", "xc", "dbc",
}  # fmt: skip

#: Whose messages the reference corpus has, by the profile of their family.
SOURCES = {
    "xc-ncip2-toolkit": "xc",
    "folio-mod-ncip": "folio",
    "indexdata-crosslink": "crosslink",
    "ole-mock-ncip-server": "reshare",
    "ole-mod-rs": "reshare",
    "ole-kuali": "relais-d2d",
    "scriptotek-php-ncip": "xc",
    "openrs-dcb-service": "openrs-dcb",
}
every_profile = pytest.mark.parametrize("name", profiles.names())


def test_there_is_a_profile_for_each_family():
    assert set(profiles.names()) == FAMILIES


# ---------------------------------------------------------------------------------------------- each of them


@every_profile
def test_a_profile_is_what_a_partner_can_start_from(name):
    """With nothing of its own but who it is, a partner is complete, and can be written down and read again."""
    text = f'[[partner]]\ncode = "P"\nagency = "A"\nprofile = "{name}"\n'
    config = parse(text)
    (partner,) = config.partner
    assert partner == msgspec.structs.replace(profiles.partner(name), code="P", agency="A")
    assert parse(effective(config)) == config


@every_profile
def test_a_profile_says_what_it_is_and_which_messages_come(name):
    profile = profiles.load(name)
    assert profile.title
    assert len(profile.about.split()) > 15
    assert set(profile.versions) <= {"1.0", "1.01", "2.0", "2.01", "2.02"}
    for step in profile.flow:
        assert step.service in messages.MESSAGES, step
        assert step.sender == "us" or step.service in services(), step
    assert profile.flow or profile.extends


@every_profile
def test_a_profile_states_nothing_that_only_a_library_can_know(name):
    assert not set(profiles.load(name).partner) & set(profiles.OWN)


@every_profile
def test_what_is_deduced_is_a_setting_that_the_profile_states(name):
    stated = profiles.settings(name)
    assert not [setting for setting in profiles.load(name).inferred if setting not in stated]


@every_profile
def test_a_profile_is_explained_in_words(name):
    """Every setting is named once, with its value in words and where it comes from; nothing is left unexplained."""
    told = "\n".join(portrait.told_of_profile(name))
    assert profiles.load(name).title in told
    for field in msgspec.structs.fields(Partner):
        assert told.count(f"      {field.name}: ") == (field.name not in profiles.OWN), field.name
    for setting in profiles.settings(name):
        line = next(line for line in told.splitlines() if line.startswith(f"      {setting}: "))
        assert "[profile " in line, line


@every_profile
def test_a_partner_of_a_profile_is_explained_with_the_origin_of_each_setting(name):
    partner = msgspec.structs.replace(profiles.partner(name), code="P", agency="A", secret="s3cret", loan_days=5)
    told = "\n".join(portrait.told(partner))
    assert "loan_days: 5   [ncipd.toml]" in told
    assert "s3cret" not in told
    assert f"profile {name}" in told


@every_profile
def test_the_file_is_typed_and_unknown_keys_are_refused(name):
    table = tomllib.loads((profiles.FOLDER / f"{name}.toml").read_text("utf-8"))
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({**table, "extend": "alma"}, profiles.Profile)


# ---------------------------------------------------------------------------------------------- inheritance


def test_tables_merge_and_lists_replace():
    below = {"a": 1, "list": [1, 2], "table": {"x": 1, "y": {"z": 1}}}
    above = {"list": [3], "table": {"y": {"w": 2}}, "b": 2}
    assert profiles.merged(below, above) == {
        "a": 1, "list": [3], "table": {"x": 1, "y": {"z": 1, "w": 2}}, "b": 2,
    }  # fmt: skip
    assert below == {"a": 1, "list": [1, 2], "table": {"x": 1, "y": {"z": 1}}}


def test_a_profile_that_extends_another_has_all_of_it():
    assert profiles.lineage("illiad-alma") == ("alma", "illiad-alma")
    below, above = profiles.partner("alma"), profiles.partner("illiad-alma")
    assert above.problem_types == {**below.problem_types, "Invalid Message Syntax Error": "Service is not known"}
    assert above.pseudo_users == ("-", "pseudopatron")


def test_a_partner_replaces_lists_of_its_profile_and_adds_to_its_tables():
    (partner,) = parse(
        '[[partner]]\ncode = "P"\nagency = "A"\nprofile = "reshare"\npseudo_users = ["x"]\n'
        '[partner.record_codes]\nOCLC = "oclc"\n'
    ).partner
    assert partner.pseudo_users == ("x",)
    assert partner.record_codes == {"SYSNUMBER": "", "BibID": "", "OCLC": "oclc"}


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"a": 'extends = "b"', "b": 'extends = "a"'}, "extends itself: a → b → a"),
        ({"a": "partner = { loan_dais = 3 }"}, "profile a: no setting of a profile is called loan_dais"),
        ({"a": 'partner = { secret = "x" }'}, "profile a: no setting of a profile is called secret"),
        ({"a": 'inferred = ["secret"]'}, "profile a: no setting of a profile is called secret"),
        ({"a": "versions = 2"}, "profile a: .*versions"),
        ({"a": "what = = 3"}, "profile a: "),
    ],
)
def test_a_file_that_is_no_profile_is_told_by_its_name(tmp_path, monkeypatch, files, told):
    for name, text in files.items():
        rest = "" if "versions" in text else "versions = []\n"
        (tmp_path / f"{name}.toml").write_text(f'title = "t"\nabout = "a"\n{rest}{text}\n', "utf-8")
    monkeypatch.setattr(profiles, "FOLDER", tmp_path)
    caches = (profiles.names, profiles.load, profiles.lineage, profiles.partner)
    for cache in caches:
        cache.cache_clear()
    try:
        with pytest.raises(ValueError, match=told):
            profiles.settings("a")
    finally:
        monkeypatch.undo()
        for cache in caches:
            cache.cache_clear()


def mistakes(text):
    with pytest.raises(Mistakes) as caught:
        parse(f'[[partner]]\ncode = "P"\nagency = "A"\n{text}')
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('profile = "almma"', "partner[1].profile: no profile is called 'almma'; did you mean 'alma'?"),
        ('profile = "../alma"', "partner[1].profile: no profile is called '../alma'; did you mean 'alma'?"),
        ('profile = "zzz"', "partner[1].profile: no profile is called 'zzz'; there are alma, "),
        ("profile = 3", "partner[1].profile: expected text in quotes, got 3"),
        ('prefix = "xml1"', "partner[1].prefix: expected a namespace prefix such as 'ns1', or '' for none, got 'xml1'"),
        ('prefix = "a b"', "partner[1].prefix: expected a namespace prefix"),
        ('content_type = "xml"', "partner[1].content_type: expected a media type such as"),
        ('content_type = "a/b\\r\\nX: y"', "partner[1].content_type: expected a media type such as"),
        ("named_by = []", "partner[1].named_by: must not be empty"),
        ("authenticated_by = []", "partner[1].authenticated_by: must not be empty"),
        ('named_by = ["code"]', "partner[1].named_by[1]: expected one of path-key, application-profile-type, "),
        ('named_by = "path-key"', "partner[1].named_by: expected a list of path-key, application-profile-type, "),
        ('quirks = ["ids-in-text"]', "partner[1].quirks[1]: expected one of empty-user-optional-fields, ids-in-ext, "),
        ("[partner.record_codes]\nA = 3", "partner[1].record_codes.A: expected text in quotes, got 3"),
        ('problem_types = { "Unknwon Item" = "x" }', "partner[1].problem_types: the standard has no 'Unknwon Item'"),
        ('always_include = ["Nmae Information"]', "partner[1].always_include: the standard has no 'Nmae Information'"),
        ('problem_types = ["x"]', "partner[1].problem_types: expected a table"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_setting_is_told_with_its_path(text, told):
    (found,) = mistakes(text)
    assert found.startswith(told)


def test_mistakes_beside_a_profile_are_told_all_at_once():
    assert [one.partition(":")[0] for one in mistakes('profile = "almma"\nloan_days = -1\nprefix = "1"')] == [
        "partner[1].profile",
        "partner[1].loan_days",
        "partner[1].prefix",
    ]


def test_what_comes_from_a_profile_is_shown_as_such():
    shown = effective(parse('[[partner]]\ncode = "P"\nagency = "A"\nprofile = "illiad-alma"\nloan_days = 5\n'))
    for line in (
        'profile = "illiad-alma"\n',
        'pseudo_users = ["-", "pseudopatron"]  # profile illiad-alma\n',
        'problem_detail = "type"  # profile alma\n',
        "loan_days = 5\n",
        'prefix = "ns1"  # default\n',
    ):
        assert f"\n{line}" in shown, line


# ---------------------------------------------------------------------------------------------- what it explains


def test_every_setting_has_a_meaning_in_words():
    told = portrait.meanings(Partner)
    assert not [field.name for field in msgspec.structs.fields(Partner) if not told.get(field.name)]
    for field in msgspec.structs.fields(Partner):
        assert all(portrait.choices(field.type).values()), field.name


def test_every_setting_that_is_explained_exists():
    known = {field.name for field in msgspec.structs.fields(Partner)}
    grouped = [name for names in portrait.GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert not set(grouped) - known
    assert not set(portrait.MATTERS) - known
    assert not {service for named in portrait.MATTERS.values() for service in named} - set(messages.MESSAGES)


def test_the_keys_of_a_message_are_found_where_the_profile_has_them():
    raw = message(say.check_out("L1", "R-1")).encode()
    found = looked_up(read(parse_message(raw)).envelope.message, profiles.partner("crosslink"))
    assert [(one.key, str(one.place), one.value) for one in found] == [
        ("user", "user-id", "-"),
        ("item", "item-id", "L1"),
        ("request", "request-id", "R-1"),
        ("request", "ext", ""),
        ("pickup", "pickup-location", ""),
    ]


@every_profile
def test_every_place_of_every_profile_can_be_read_in_every_message(name):
    """Also where the message has no such element at all."""
    raw = message("<LookupAgency><AgencyId>LEND</AgencyId><AgencyElementType>x</AgencyElementType></LookupAgency>")
    assert looked_up(read(parse_message(raw.encode())).envelope.message, profiles.partner(name))


# ---------------------------------------------------------------------------------------------- who is recognised


def told(element, value):
    inner = f"<AgencyId>{value}</AgencyId>" if element in {"FromAgencyId", "ToAgencyId", "OnBehalfOfAgency"} else value
    return f"<{element}>{inner}</{element}>"


#: How a member of each family names itself: what its library would configure, what its header says beside ToAgencyId,
#: the address it posts to, and what its HTTP says. The code of the partner is OURCODE.
NAMED = {
    "alma": ("", {"FromAgencyId": "LEND", "ApplicationProfileType": "OURCODE"}, "", {}),
    "alma-v1": ("", {"FromAgencyId": "BROKER", "FromAgencyAuthentication": "OURCODE"}, "", {}),
    "alma-p2p": (
        'agency_ids = ["47NTNU"]',
        {"FromSystemId": "ALMA_NCIP_ILL", "FromAgencyId": "47NTNU||LIB1", "ToAgencyId": "LEND||MAIN"},
        "",
        {},
    ),
    "nncipp": ('agency_ids = ["NO-2060000"]', {"FromAgencyId": "NO-2060000"}, "", {}),
    "relais-d2d": ("", {"FromAgencyId": "Relais", "ApplicationProfileType": "EZBORROW"}, "", {}),
    "oclc-circill": (
        "",
        {"FromSystemId": "WSILL", "FromAgencyId": "", "ApplicationProfileType": "2.00"},
        "",
        {},
    ),
    "wms": (
        'secret = "tk_1"',
        {"FromAgencyId": "LEND", "ApplicationProfileType": "Version 2011"},
        "",
        {"Authorization": "Bearer tk_1"},
    ),
    "reshare": ("", {"FromAgencyId": "LEND", "ApplicationProfileType": "OURCODE"}, "", {}),
    "reshare-plain": ('agency_ids = ["EAST"]', {"FromAgencyId": "EAST"}, "", {}),
    "crosslink": (
        'agency_ids = ["ISIL:X"]\nsecret = "pass"',
        {"FromAgencyId": "ISIL:X", "FromAgencyAuthentication": "pass"},
        "",
        {},
    ),
    "inn-reach": ('agency_ids = ["zzdcb"]', {"FromAgencyId": "ZZDCB"}, "", {}),
    "shareit": ("", {"FromSystemId": "SHAREit", "FromAgencyId": "CPomAG"}, "", {}),
    "vdx": ('agency_ids = ["VDX"]', {"FromAgencyId": "VDX", "ApplicationProfileType": "CILL-2"}, "", {}),
    "illiad-alma": ("", {"FromAgencyId": "LEND", "ApplicationProfileType": "OURCODE"}, "", {}),
    "illiad-folio": ("", {"FromAgencyId": "ILL", "ApplicationProfileType": "ILL"}, "", {}),
    "illiad-aleph": ('agency_ids = ["ILLIAD"]', {"FromAgencyId": "ILLIAD"}, "", {}),
    "koha": ('agency_ids = ["CONSORTIUM"]', {"FromAgencyId": "CONSORTIUM"}, "", {}),
    "folio": ('keys = ["apikey-1"]', {"FromAgencyId": "anybody"}, "apikey-1", {}),
    "openrs-dcb": ('agency_ids = ["supplier-host"]', {"FromAgencyId": "supplier-host"}, "", {}),
    "xc": ('keys = ["catalogue"]', None, "catalogue", {}),
    "vufind": (
        'keys = ["vufind"]\nsecret = "tk"',
        None,
        "vufind",
        {"Authorization": "Bearer tk"},
    ),
    "dbc": (
        'agency_ids = ["DK-715700"]\nsecret = "kode"',
        {"FromAgencyId": "DK-715700", "FromAgencyAuthentication": "kode"},
        "",
        {},
    ),
}
ORDER = (
    "FromSystemId", "FromSystemAuthentication", "FromAgencyId", "FromAgencyAuthentication", "OnBehalfOfAgency",
    "ToSystemId", "ToAgencyId", "ApplicationProfileType",
)  # fmt: skip


def headed(header):
    """A LookupAgency with this header, or with none."""
    said = {"ToAgencyId": "LEND", **(header or {})}
    parts = "".join(told(element, said[element]) for element in ORDER if element in said)
    full = f"<InitiationHeader>{parts}</InitiationHeader>" if header is not None else ""
    wanted = "<AgencyId>LEND</AgencyId><AgencyElementType>Organization Name Information</AgencyElementType>"
    return (
        f'<NCIPMessage xmlns="{NS}" xmlns:n="{NS}" n:version="{VERSION}"><LookupAgency>{full}{wanted}</LookupAgency>'
        "</NCIPMessage>"
    )


def test_every_profile_is_tried_with_how_its_members_name_themselves():
    assert set(NAMED) == FAMILIES


@every_profile
async def test_a_member_of_the_family_is_recognised_as_it_names_itself(tmp_path, name):
    """Beside another partner that would be taken otherwise; and a stranger is not taken for it."""
    settings, header, key, http = NAMED[name]
    partners = parse(
        f'[[partner]]\ncode = "OTHER"\nagency = "LEND"\nfallback = true\nkeys = ["other"]\nprefix = "other"\n'
        f'[[partner]]\ncode = "OURCODE"\nagency = "LEND"\nprofile = "{name}"\nprefix = "ours"\n{settings}\n'
    ).partner
    async with opened(tmp_path / "data", made=partners) as office:

        async def post(raw, path):
            url = f"{office.ncipd.url}/{path}" if path else office.ncipd.url
            async with office.session.post(url, data=raw.encode(), headers=http) as answer:
                body = await answer.read()
            SCHEMA.assertValid(etree.fromstring(body))
            return body

        answer = await post(headed(header), key)
        assert b"<ours:LookupAgencyResponse>" in answer
        assert Answer(answer).problem is None
        stranger = await post(headed({"FromAgencyId": "STRANGER"}), "")
        assert b"<other:LookupAgencyResponse>" in stranger


# ---------------------------------------------------------------------------------------------- recognition at speed


def test_recognition_does_not_depend_on_how_many_partners_there_are():
    """What names a partner is looked up: no partner is asked that the message does not name."""
    many = tuple(Partner(code=f"P{n}", agency="A", agency_ids=(f"A{n}",)) for n in range(2_000))
    names = Names(many, {"A"})
    said = said_in(parse_message(message(say.lookup_item("L1"), partner="", origin="a1999").encode()))
    assert [one.code for _, one in names.named(said)] == ["P1999"]
    assert names.find(said).partner.code == "P1999"


# ---------------------------------------------------------------------------------------------- real messages


def corpus(shared: Path):
    """The requests and notifications of NCIP 2 by source: file, bytes, and what their headers say."""
    found = {source: [] for source in SOURCES}
    for entry in json.loads((shared / "corpus" / "index.json").read_text("utf-8")):
        wanted = entry["direction"] in {"request", "notification"} and entry["family"] == "2" and entry["well_formed"]
        if wanted:
            assert entry["source"] in found, f"no profile is named for {entry['source']}"
            raw = (shared / "corpus" / entry["file"]).read_bytes()
            found[entry["source"]].append((entry["file"], raw, said_in(parse_message(raw))))
    return found


def quoted(values):
    return json.dumps(sorted(value for value in values if value))


def configuration(found):
    """One agency with all the codes that the messages send to, and a partner for each source, as one would write it."""
    text = ""
    for source, told in found.items():
        ours = {said.get("ToAgencyId", "") for _, _, said in told}
        theirs = {said.get("FromAgencyId", "") for _, _, said in told} - ours
        types = {said.get("ApplicationProfileType", "") for _, _, said in told}
        text += (
            f'[[partner]]\ncode = "{source}"\nagency = "{source}"\nprofile = "{SOURCES[source]}"\nkeys = ["{source}"]\n'
            f"profile_types = {quoted(types)}\nagency_ids = {quoted(theirs)}\n"
        )
    return parse(text).partner


def add_agencies(found):
    def add(tx):
        for source, told in found.items():
            codes = {source} | {said["ToAgencyId"] for _, _, said in told if said.get("ToAgencyId")}
            agency = tx.insert("insert_agency", code=source, name=source, time_zone="UTC", network="")
            for code in codes:
                tx.run("insert_agency_code", folded=code.upper(), agency=agency, code=code)
            tx.insert("upsert_library", agency=agency, code="MAIN", name="Main Library")

    return add


async def test_real_messages_are_recognised_and_answered(shared, tmp_path):
    """By their header where it names anybody, else by the address: from that partner, and always with valid NCIP."""
    found = corpus(shared)
    answered: dict[str, int] = {}
    for source, told in found.items():
        one = {source: told}
        async with opened(tmp_path / source, made=configuration(one)) as office:
            await office.ncipd.store.transact(add_agencies(one))
            directory = office.ncipd.directory
            assert not office.ncipd.store.read(directory.refresh)
            agency = directory.agency(source)
            names = Names(tuple(directory.partners_of(agency).values()), directory._codes[agency.id])
            for file, raw, said in told:
                key = "" if names.find(said) is not None and said.get("ToAgencyId") else source
                url = f"{office.ncipd.url}/{key}" if key else office.ncipd.url
                async with office.session.post(url, data=raw) as answer:
                    assert answer.status == 200, file
                    body = await answer.read()
                SCHEMA.assertValid(etree.fromstring(body))
                service = parse_message(raw).service
                if service not in services():
                    assert Answer(body).problem == "Unsupported Service", file
                    continue
                told_in = Answer(body).root[0]
                kind = etree.QName(told_in[0] if Answer(body).kind == "Ext" else told_in).localname
                assert kind in {f"{service}Response", "Problem"}, file
                partner = await office.until(lambda agency=agency: journalled(office, agency), file)
                assert partner == source, file
                answered[source] = answered.get(source, 0) + 1
    assert set(answered) == set(SOURCES)
    assert sum(answered.values()) > 120


@pytest.mark.slow
async def test_no_profile_breaks_on_any_real_message(shared, tmp_path):
    """Whoever sends it: every message under every profile gets a valid answer, and none makes the service fail."""
    kinds = {shape(raw): (file, raw, said) for told in corpus(shared).values() for file, raw, said in told}
    found = {"all": list(kinds.values())}
    assert len(kinds) > 50
    text = "".join(
        f'[[partner]]\ncode = "{name}"\nagency = "all"\nprofile = "{name}"\nkeys = ["{name}"]\n'
        for name in profiles.names()
    )
    async with opened(tmp_path / "data", made=parse(text).partner) as office:
        await office.ncipd.store.transact(add_agencies(found))
        office.ncipd.store.read(office.ncipd.directory.refresh)
        for name in profiles.names():
            for file, raw, _ in found["all"]:
                answer = (await office.ncipd.responder.respond(raw, Door("http", key=name))).body
                SCHEMA.assertValid(etree.fromstring(answer))
                assert Answer(answer).problem not in {"Temporary Processing Failure", "TEMPORARY_PROCESSING_FAILURE"}, (
                    name,
                    file,
                )


def shape(raw):
    """What a message is made of: messages of one shape differ in their values only."""
    return tuple(node.tag.rpartition("}")[2] for node in parse_message(raw).root.iter())


async def journalled(office, agency):
    """Give the partner of the message that was written down last, once."""
    rows = office.ncipd.store.read(lambda tx: tx.all("journal_of_agency", agency=agency.id, before=2**62, most=1))
    if not rows or rows[0][0] == getattr(office, "seen", 0):
        return ""
    office.seen = rows[0][0]
    return rows[0][2]


def test_the_corpus_is_not_part_of_the_project():
    """Only facts about it are used."""
    assert not list((ROOT / "tests").rglob("*.xml"))
