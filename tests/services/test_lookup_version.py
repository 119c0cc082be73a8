"""LookupVersion has a root of its own and is answered whatever version the asker speaks."""

from __future__ import annotations

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


async def test_the_versions_and_services_are_told(world: World) -> None:
    """Both ends swapped, every version, every service that is served."""
    root = etree.fromstring(await world.responder.respond(ASKED.encode(), Door("http")))
    assert root.tag == "NCIPVersionMessage"
    assert root.findtext("LookupVersionResponse/FromAgencyId/UniqueAgencyId/Value") == "LEND"
    assert root.findtext("LookupVersionResponse/ToAgencyId/UniqueAgencyId/Value") == "THEM"
    versions = [node.text or "" for node in root.iter("VersionSupported")]
    for spoken in ("v1_0.dtd", "v2_0.xsd", "v2_01.xsd", "v2_02.xsd"):
        assert any(version.endswith(f"ncip_{spoken}") for version in versions)
    assert {"CheckOutItem", "LookupItemSet"} <= {node.text for node in root.iter("ServiceSupported")}


async def test_a_version_message_without_a_question_gets_a_problem(world: World) -> None:
    """Never silence."""
    answer = await world.post("<NCIPVersionMessage version='x'/>")
    assert answer.problem == "Invalid Message Syntax Error"
