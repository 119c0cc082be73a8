"""Our schema of NCIP 1.0 is the grammar of the DTD, stays it, and explains itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import xmlschema
from lxml import etree

from tests.ncip.grammar_pin import PIN_1, SCHEMA_1, XS, SchemaReader, differences, kind, parse_pin, read_schema
from tests.ncip.v1.dtd import as_schema

SCHEMA_1_01 = SCHEMA_1.with_name("ncip_v1_01.xsd")


@pytest.fixture(scope="module")
def schema() -> etree._Element:
    return read_schema(SCHEMA_1)


def test_schema_is_equivalent_to_the_official_dtd(shared: Path, tmp_path: Path) -> None:
    """Both allow the same documents, element by element and attribute by attribute."""
    official = tmp_path / "dtd.xsd"
    official.write_bytes(as_schema(shared / "schemas" / "ncip_v1_0.dtd"))
    command = [sys.executable, shared / "tools" / "equiv.py", official, SCHEMA_1]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "EQUIVALENT: 348 vs 348 global elements, 0 differences" in answer.stdout


def test_the_comparison_sees_a_difference(shared: Path, tmp_path: Path) -> None:
    """One child made optional is enough."""
    official, ours = tmp_path / "dtd.xsd", tmp_path / "ours.xsd"
    official.write_bytes(as_schema(shared / "schemas" / "ncip_v1_0.dtd"))
    text = SCHEMA_1.read_text("utf-8")
    ours.write_text(
        text.replace('<xs:element ref="ReminderLevel"/>', '<xs:element ref="ReminderLevel" minOccurs="0"/>')
    )
    command = [sys.executable, shared / "tools" / "equiv.py", official, ours]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "DIFF LoanedItem: content model" in answer.stdout


def test_the_dtd_and_our_schema_judge_every_message_of_version_1_alike(shared: Path) -> None:
    """And find the same of them valid."""
    with (shared / "schemas" / "ncip_v1_0.dtd").open("rb") as file:
        dtd = etree.DTD(file)
    ours = etree.XMLSchema(file=str(SCHEMA_1))
    parser = etree.XMLParser(remove_comments=True, resolve_entities=False, load_dtd=False, no_network=True)
    judged = {True: 0, False: 0}
    for path in sorted((shared / "corpus").rglob("*.xml")):
        try:
            root = etree.fromstring(path.read_bytes(), parser)
        except etree.XMLSyntaxError:
            continue
        if root.tag == "NCIPMessage":
            assert ours.validate(root) == dtd.validate(root), path
            judged[dtd.validate(root)] += 1
    assert judged[True] > 50
    assert judged[False] > 20


def test_grammar_is_the_pinned_one(schema: etree._Element) -> None:
    """A change of grammar fails here and names the element; a change of words or order does not."""
    pin = parse_pin(PIN_1.read_text("utf-8"))
    assert len(pin) == 348 + 1
    assert differences(SchemaReader(schema).grammar(), pin) == []


@pytest.mark.parametrize("path", [SCHEMA_1, SCHEMA_1_01], ids=["1.0", "1.01"])
def test_both_validators_understand_it(path: Path) -> None:
    libxml2, pure_python = etree.XMLSchema(file=str(path)), xmlschema.XMLSchema(str(path))
    header = (
        "<{0}Header><FromAgencyId><UniqueAgencyId><Scheme/><Value>A</Value></UniqueAgencyId></FromAgencyId>"
        "<ToAgencyId><UniqueAgencyId><Scheme/><Value>B</Value></UniqueAgencyId></ToAgencyId></{0}Header>"
    )
    request = (
        "<UniqueRequestId><UniqueAgencyId><Scheme/><Value>A</Value></UniqueAgencyId>"
        "<RequestIdentifierValue{0}>1</RequestIdentifierValue></UniqueRequestId>"
    )
    answered = (
        f'<NCIPMessage version="1"><ItemShippedResponse>{header.format("Response")}</ItemShippedResponse></NCIPMessage>'
    )
    looked_up = (
        f'<NCIPMessage version="1"><LookupRequest>{header.format("Initiation")}{request}</LookupRequest></NCIPMessage>'
    )
    is_later = path == SCHEMA_1_01
    for text, is_valid in (
        (answered, True),
        (answered.replace('version="1"', ""), False),
        (answered.replace("<Value>A", '<Value datatype="string">A', 1), True),
        (answered.replace("<Value>A", '<Value datatype="dateTime">A', 1), False),
        (answered.replace("<Scheme/>", "", 1), False),
        (looked_up.format(""), is_later),
        (looked_up.format(' datatype="string"'), is_later),
    ):
        root = etree.fromstring(text)
        assert libxml2.validate(root) == is_valid, text
        assert pure_python.is_valid(root) == is_valid, text


def test_every_composite_element_message_group_and_type_is_documented(schema: etree._Element) -> None:
    def documentation(node: etree._Element) -> str:
        return " ".join((node.findtext(f"{XS}annotation/{XS}documentation") or "").split())

    structured = [
        node for node in schema if kind(node) in {"group", "complexType"} or node.find(XS + "complexType") is not None
    ]
    assert len(structured) > 180
    assert [node.get("name") for node in structured if len(documentation(node).split()) < 3] == []
    texts = {node.get("name"): documentation(node) for node in schema if kind(node) == "element"}
    assert [name for name, text in texts.items() if text and not text.endswith(".")] == []
