"""An answer to 2.0 or 2.01 has nothing that only 2.02 has."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from ncipd.ncip import schema
from ncipd.ncip.document import parse
from ncipd.ncip.lowering import SINCE_2_02
from ncipd.ncip.messages import MESSAGES, LookupItemSetResponse, LookupUserResponse
from ncipd.ncip.read import read
from ncipd.ncip.types import Message, Response
from ncipd.ncip.wire import LATEST, version_2
from tests.ncip.grammar_pin import XS, read_schema
from tests.ncip.strategies import elements_of, every_form
from tests.services.conftest import world as world  # noqa: PLC0414 - a fixture
from tests.services.world import World, message, user_id

URIS = {
    "2.0": "http://www.niso.org/schemas/ncip/v2_0/imp1/xsd/ncip_v2_0.xsd",
    "2.01": "http://www.niso.org/schemas/ncip/v2_01/imp1/xsd/ncip_v2_01.xsd",
}
ANSWERS = sorted(name for name, cls in MESSAGES.items() if issubclass(cls, Response) and name not in SINCE_2_02)
ADDED = {
    "BibInformation",
    "HoldingsSet",
    "HoldingsSetId",
    "ItemInformation",
    "ItemNote",
    "MaximumItemsCount",
    "NextItemToken",
    "SummaryHoldingsInformation",
    "TitleHoldQueueLength",
    "LookupItemSet",
    "LookupItemSetResponse",
}


def earlier_schema(version: str) -> etree._Element:
    """Our schema of 2.02 without what came after a version, by the change history of the standard's own."""
    root = read_schema()

    def places(owner: str, child: str) -> list[etree._Element]:
        return root.xpath("*[@name = $owner]/descendant::*[@ref = $child]", owner=owner, child=child)

    def drop(owner: str, child: str) -> None:
        for place in places(owner, child):
            place.getparent().remove(place)

    for name in ADDED:
        for node in root.xpath("//*[@ref = $name] | /*/*[@name = $name]", name=name):
            node.getparent().remove(node)
    drop("ItemOptionalFields", "DateDue")
    drop("LoanedItem", "BibliographicId")
    drop("RequestedItem", "BibliographicId")
    for child in ("ReminderLevel", "Amount"):
        places("LoanedItem", child)[0].attrib.pop("minOccurs")
    root.xpath("*[@name = 'ReminderLevel']")[0].set("type", "xs:positiveInteger")
    if version == "2.0":
        places("BibliographicDescription", "BibliographicRecordId")[0].attrib.pop("maxOccurs")
        title = places("RequestItem", "BibliographicId")[0]
        choice = title.getparent().getparent()
        choice[:] = [etree.Element(f"{XS}element", ref=name) for name in ("ItemId", "BibliographicId")]
        refused = places("UpdateRequestItemResponse", "TermsNotAccepted")[0]
        instead = etree.Element(f"{XS}sequence")
        etree.SubElement(instead, f"{XS}element", ref="Problem", maxOccurs="unbounded")
        etree.SubElement(instead, f"{XS}element", ref="RequiredFeeAmount", minOccurs="0")
        refused.getparent().replace(refused, instead)
    return root


@cache
def grammar(version: str) -> etree.XMLSchema:
    return etree.XMLSchema(earlier_schema(version))


@pytest.mark.parametrize("version", URIS)
def test_the_grammar_that_answers_are_compared_with_is_the_official_one(
    shared: Path, tmp_path: Path, version: str
) -> None:
    ours = tmp_path / "ours.xsd"
    ours.write_bytes(etree.tostring(earlier_schema(version)))
    official = shared / "schemas" / f"ncip_v{version.replace('.', '_')}.xsd"
    command = [sys.executable, shared / "tools" / "equiv.py", official, ours]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "EQUIVALENT" in answer.stdout, answer.stdout


@pytest.mark.parametrize("version", URIS)
@pytest.mark.parametrize("name", ANSWERS)
def test_every_form_of_every_answer_is_valid_in_the_version_of_its_message(name: str, version: str) -> None:
    wire = version_2(URIS[version])
    for answer in every_form(MESSAGES[name]):
        root = etree.fromstring(wire.write(answer))  # type: ignore[arg-type]
        assert grammar(version).validate(root), grammar(version).error_log


@settings(max_examples=2 * settings().max_examples)
@given(
    st.sampled_from(ANSWERS).flatmap(lambda name: elements_of(MESSAGES[name], foreign=False)), st.sampled_from([*URIS])
)
def test_any_answer_is_valid_in_the_version_of_its_message(answer: Message, version: str) -> None:
    root = etree.fromstring(version_2(URIS[version]).write(answer))
    for ext in list(root.iter("{*}Ext")):  # what an Ext holds is the sender's, whatever version knows it
        ext.getparent().remove(ext)
    assert grammar(version).validate(root), grammar(version).error_log


def test_the_latest_version_is_written_as_it_is() -> None:
    wire = version_2("http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd")
    for form in every_form(LookupUserResponse):
        written = wire.write(form)  # type: ignore[arg-type]
        assert read(parse(written)).envelope.message == form


@pytest.mark.parametrize(
    ("attribute", "version"),
    [
        ("http://www.niso.org/schemas/ncip/v2_0/imp1/xsd/ncip_v2_0.xsd", "2.0"),
        ("http://www.niso.org/ncip/v2_01/ncip_v2_01.xsd", "2.01"),
        ("2.0", "2.0"),
        ("v2.01", "2.01"),
        ("http://www.niso.org/schemas/ncip/v2_0/imp1/xsd/ncip_v2_02.xsd", ""),
        ("2.02", ""),
        ("http://128.151.244.69/ncip/", ""),
    ],
)
def test_the_file_that_the_version_attribute_names_tells_the_version(attribute: str, version: str) -> None:
    assert version_2(attribute).grammar == version
    assert version_2(attribute).version == attribute


@pytest.mark.parametrize("prefix", ["", "ncip"])
def test_the_prefix_that_was_agreed_is_kept_in_every_version(prefix: str) -> None:
    for uri in (URIS["2.0"], "http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd"):
        for name in ("LookupUserResponse", "LookupItemSetResponse"):
            form = every_form(MESSAGES[name])[-1]
            root = etree.fromstring(version_2(uri).agreed(prefix=prefix).write(form))  # type: ignore[arg-type]
            assert {node.prefix or "" for node in root.iter()} == {prefix}
            assert schema.is_valid(root)


def test_what_only_2_02_has_is_answered_in_2_02() -> None:
    """Who asks for a set of items speaks 2.02, whatever they call it."""
    for form in every_form(LookupItemSetResponse):
        assert version_2(URIS["2.0"]).write(form) == LATEST.write(form)  # type: ignore[arg-type]


@pytest.mark.parametrize("version", URIS)
async def test_what_a_user_has_is_told_in_the_version_of_the_question(world: World, version: str) -> None:
    """A loan with its title, and a request with its title: both tell more in 2.02."""
    await world.send(
        "<AcceptItem><RequestId><RequestIdentifierValue>R1</RequestIdentifierValue></RequestId>"
        "<RequestedActionType>Circulate</RequestedActionType>"
        f"{user_id('BORROW-USER-1')}<ItemId><ItemIdentifierValue>X1</ItemIdentifierValue></ItemId>"
        "<ItemOptionalFields><BibliographicDescription><BibliographicRecordId><BibliographicRecordIdentifier>77"
        "</BibliographicRecordIdentifier><AgencyId>THEM</AgencyId></BibliographicRecordId><Title>A title</Title>"
        "</BibliographicDescription></ItemOptionalFields></AcceptItem>",
        to="BORROW",
    )
    asked = message(
        f"<LookupUser>{user_id('BORROW-USER-1')}<LoanedItemsDesired/><RequestedItemsDesired/></LookupUser>", to="BORROW"
    )
    latest = await world.post(asked)
    assert latest.has("LoanedItem/ItemId")
    assert latest.has("RequestedItem/RequestId")
    assert not grammar(version).validate(latest.root)
    answer = await world.post(asked.replace("http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd", URIS[version]))
    assert answer.has("LoanedItem/ItemId")
    assert grammar(version).validate(answer.root), grammar(version).error_log
    assert schema.is_valid(answer.root)
