"""LookupVersion has a root of its own and is answered whatever version the asker speaks."""

from __future__ import annotations

import pytest
from lxml import etree

from ncipd.responder import Door
from tests.services.world import World

ASKED = (
    '<!DOCTYPE NCIPVersionMessage PUBLIC "-//NISO//NCIP Version Discovery XML Schema//EN" '
    '"http://www.niso.org/ncip/v1_0/imp1/xsd/ncip_version.xsd">'
    '<NCIPVersionMessage version="http://www.niso.org/ncip/v1_0/imp1/xsd/ncip_version.xsd"><LookupVersion>'
    "<FromAgencyId><UniqueAgencyId><Scheme>s</Scheme><Value>THEM</Value></UniqueAgencyId></FromAgencyId>"
    "<ToAgencyId><UniqueAgencyId><Scheme>s</Scheme><Value>LEND</Value></UniqueAgencyId></ToAgencyId>"
    "</LookupVersion></NCIPVersionMessage>"
)


async def ask(world: World, raw: str) -> etree._Element:
    return etree.fromstring((await world.responder.respond(raw.encode(), Door("http"))).body)


async def test_the_versions_and_services_are_told(world: World) -> None:
    """Both ends swapped, every version, every service that is served."""
    root = await ask(world, ASKED)
    assert root.tag == "NCIPVersionMessage"
    assert root.findtext("LookupVersionResponse/FromAgencyId/UniqueAgencyId/Value") == "LEND"
    assert root.findtext("LookupVersionResponse/ToAgencyId/UniqueAgencyId/Value") == "THEM"
    versions = [node.text or "" for node in root.iter("VersionSupported")]
    for spoken in ("v1_0.dtd", "v2_0.xsd", "v2_01.xsd", "v2_02.xsd"):
        assert any(version.endswith(f"ncip_{spoken}") for version in versions)
    assert {"CheckOutItem", "LookupItemSet"} <= {node.text for node in root.iter("ServiceSupported")}


@pytest.mark.parametrize(
    "asked",
    [
        ASKED,
        ASKED.replace(">THEM<", ">&lt;T&amp;H&gt;<![CDATA[<EM>]]>&#13; é<"),
        ASKED.replace("FromAgencyId>", "Other>"),
        "<NCIPVersionMessage><LookupVersion/></NCIPVersionMessage>",
    ],
    ids=["as it should be", "signs of markup", "without an agency", "empty"],
)
async def test_the_answer_has_one_form_whatever_was_asked(world: World, asked: str) -> None:
    """No schema of it could be obtained, and no answer is checked here: so its whole form is held fast."""
    root = await ask(world, asked)
    assert (root.tag, root.keys(), len(root)) == ("NCIPVersionMessage", ["version"], 1)
    response = root[0]
    told = list(dict.fromkeys(node.tag for node in response))
    assert told == ["FromAgencyId", "ToAgencyId", "VersionSupported", "ServiceSupported"]
    for end in response[:2]:
        assert [node.tag for node in end.iter()] == [end.tag, "UniqueAgencyId", "Scheme", "Value"]
    assert [node.tag for node in response[2:]] == sorted((node.tag for node in response[2:]), reverse=True)
    for node in response[2:]:
        assert not len(node)
        assert node.text
    assert [node for node in root.iter() if node is not root and node.attrib] == []
    services = [node.text for node in response.iter("ServiceSupported")]
    assert len(services) == len(set(services))


async def test_a_version_message_without_a_question_gets_a_problem(world: World) -> None:
    """Never silence."""
    answer = await world.post("<NCIPVersionMessage version='x'/>")
    assert answer.problem == "Invalid Message Syntax Error"
