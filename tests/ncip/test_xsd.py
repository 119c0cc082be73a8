"""Our schema of NCIP 2.02 is the standard's grammar, stays it, and explains itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import xmlschema
from lxml import etree

from tests.ncip.grammar_pin import (
    NAMESPACE,
    PIN,
    SCHEMA,
    XS,
    Grammar,
    SchemaReader,
    differences,
    kind,
    parse_pin,
    read_schema,
)


@pytest.fixture(scope="module")
def pin() -> Grammar:
    return parse_pin(PIN.read_text(encoding="utf-8"))


@pytest.fixture
def schema() -> etree._Element:
    return read_schema()


# --- the same grammar as the standard's ------------------------------------------------------------------------------


def test_schema_is_equivalent_to_the_official_one(shared: Path) -> None:
    """Both schemas allow the same messages, element by element."""
    command = [sys.executable, shared / "tools" / "equiv.py", shared / "schemas" / "ncip_v2_02.xsd", SCHEMA]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "EQUIVALENT: 359 vs 359 global elements, 0 differences" in answer.stdout


def test_grammar_is_the_pinned_one(schema: etree._Element, pin: Grammar) -> None:
    """A change of grammar fails here and names the element; a change of words or order does not."""
    assert differences(SchemaReader(schema).grammar(), pin) == []


def test_pin_names_every_element_once_and_the_settings() -> None:
    names = [line.split()[0] for line in PIN.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert names == sorted(set(names))
    assert len(names) == 359 + 1


def test_no_type_but_the_standards_own_can_be_called_up_by_a_message(schema: etree._Element) -> None:
    """With xsi:type a message can name a global type, so a second one would widen the grammar."""
    assert schema.xpath("*[self::xs:complexType or self::xs:simpleType]/@name", namespaces={"xs": XS[1:-1]}) == [
        "SchemeValuePair"
    ]


# --- two validators, one verdict -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def libxml2() -> etree.XMLSchema:
    return etree.XMLSchema(read_schema().getroottree())


@pytest.fixture(scope="module")
def pure_python() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(SCHEMA)


def message(content: str, version: str = 'n:version="2.02"') -> str:
    return f'<n:NCIPMessage xmlns:n="{NAMESPACE}" xmlns:x="urn:example" {version}>{content}</n:NCIPMessage>'


HEADER = """<n:InitiationHeader>
  <n:FromAgencyId><n:AgencyId n:Scheme="urn:example:agencies">XX-BROKER</n:AgencyId></n:FromAgencyId>
  <n:ToAgencyId><n:AgencyId>XX-LEND</n:AgencyId></n:ToAgencyId>
</n:InitiationHeader>"""
USER = "<n:UserId><n:UserIdentifierValue>U-7</n:UserIdentifierValue></n:UserId>"
ITEM = "<n:ItemId><n:ItemIdentifierValue>I-7</n:ItemIdentifierValue></n:ItemId>"
DUE = "<n:DateDue>2026-03-01T22:59:59Z</n:DateDue>"
PROBLEM = "<n:Problem><n:ProblemType>Unknown Item</n:ProblemType></n:Problem>"

VALID = {
    "lookup by what the user entered": message(
        "<n:LookupUser><n:AuthenticationInput><n:AuthenticationInputData>1234</n:AuthenticationInputData>"
        "<n:AuthenticationDataFormatType>text/plain</n:AuthenticationDataFormatType>"
        "<n:AuthenticationInputType>PIN</n:AuthenticationInputType></n:AuthenticationInput>"
        "<n:LoanedItemsDesired/></n:LookupUser>"
    ),
    "check-out with a header": message(f"<n:CheckOutItem>{HEADER}{USER}{ITEM}</n:CheckOutItem>"),
    "check-out answered": message(f"<n:CheckOutItemResponse>{ITEM}{USER}{DUE}</n:CheckOutItemResponse>"),
    "check-out refused, with restrictions to accept": message(
        f"<n:CheckOutItemResponse>{PROBLEM}<n:RequiredItemUseRestrictionType>In Library Use Only"
        "</n:RequiredItemUseRestrictionType></n:CheckOutItemResponse>"
    ),
    "problems instead of a message": message(PROBLEM * 2),
    "extension instead of a message": message(f"<n:Ext>{DUE}</n:Ext>"),
    "titles, then items": message(
        f"<n:RequestItem>{USER}<n:BibliographicId><n:BibliographicRecordId><n:BibliographicRecordIdentifier>1"
        "</n:BibliographicRecordIdentifier><n:AgencyId>XX-LEND</n:AgencyId></n:BibliographicRecordId></n:BibliographicId>"
        f"{ITEM}<n:RequestType>Loan</n:RequestType><n:RequestScopeType>Item</n:RequestScopeType></n:RequestItem>"
    ),
    "notification acknowledged": message("<n:ItemRenewedResponse/>"),
}

INVALID = {
    "no version": message(PROBLEM, version=""),
    "version not qualified": message(PROBLEM, version='version="2.02"'),
    "scheme not qualified": message(
        '<n:Problem><n:ProblemType Scheme="urn:x">Unknown Item</n:ProblemType></n:Problem>'
    ),
    "empty envelope": message(""),
    "two messages": message("<n:ItemRenewedResponse/><n:ItemRenewedResponse/>"),
    "item before user": message(f"<n:CheckOutItem>{ITEM}{USER}</n:CheckOutItem>"),
    "user and credentials missing": message(f"<n:CheckOutItem>{ITEM}</n:CheckOutItem>"),
    "date without time": message(
        f"<n:CheckOutItemResponse>{ITEM}{USER}<n:DateDue>2026-03-01</n:DateDue></n:CheckOutItemResponse>"
    ),
    "two ends of one loan": message(
        f"<n:CheckOutItemResponse>{ITEM}{USER}{DUE}<n:NonReturnableFlag/></n:CheckOutItemResponse>"
    ),
    "marker with a value": message(
        f"<n:LookupUser>{USER}<n:LoanedItemsDesired>true</n:LoanedItemsDesired></n:LookupUser>"
    ),
    "problem beside an answer": message(f"<n:CheckInItemResponse>{PROBLEM}{ITEM}</n:CheckInItemResponse>"),
    "place in the queue below 1": message(
        f"<n:LookupRequestResponse>{ITEM}<n:HoldQueuePosition>0</n:HoldQueuePosition></n:LookupRequestResponse>"
    ),
    "foreign element in an extension": message(f"<n:CheckInItem>{ITEM}<n:Ext><x:Note/></n:Ext></n:CheckInItem>"),
    "message outside the namespace": message("<ItemRenewedResponse/>"),
    "unknown service": message("<n:LookupVersion/>"),
}


@pytest.mark.parametrize("text", VALID.values(), ids=VALID)
def test_both_validators_accept(libxml2: etree.XMLSchema, pure_python: xmlschema.XMLSchema, text: str) -> None:
    tree = etree.fromstring(text)
    assert libxml2.validate(tree), libxml2.error_log
    assert pure_python.is_valid(tree)


@pytest.mark.parametrize("text", INVALID.values(), ids=INVALID)
def test_both_validators_refuse(libxml2: etree.XMLSchema, pure_python: xmlschema.XMLSchema, text: str) -> None:
    tree = etree.fromstring(text)
    assert not libxml2.validate(tree)
    assert not pure_python.is_valid(tree)


# --- it explains itself ----------------------------------------------------------------------------------------------


def documentation(node: etree._Element) -> str:
    return " ".join((node.findtext(f"{XS}annotation/{XS}documentation") or "").split())


def test_every_composite_element_message_group_and_type_is_documented(schema: etree._Element) -> None:
    structured = [
        node for node in schema if kind(node) in {"group", "complexType"} or node.find(XS + "complexType") is not None
    ]
    assert len(structured) > 200
    assert [node.get("name") for node in structured if len(documentation(node).split()) < 3] == []


def test_every_documentation_ends_as_a_sentence(schema: etree._Element) -> None:
    texts = {node.get("name"): documentation(node) for node in schema if kind(node) == "element"}
    assert [name for name, text in texts.items() if text and not text.endswith(".")] == []


def test_every_message_names_its_clause_and_shares_it_with_its_response(schema: etree._Element) -> None:
    """47 services: 5 lookups here, 22 updates, 20 notifications, each with the clause of Z39.83-1 that defines it."""
    clauses: dict[str, list[str]] = {"3": [], "4": [], "5": []}
    texts = {node.get("name"): documentation(node) for node in schema if kind(node) == "element"}
    services = [name for name in texts if f"{name}Response" in texts]
    for name in services:
        for text in (texts[name], texts[f"{name}Response"]):
            (family, number), *others = re.findall(r"Z39\.83-1, 5\.(\d)\.(\d+)\.$", text)
            assert not others
            clauses[family].append(number)
    numbers = {family: sorted(map(int, found)) for family, found in clauses.items()}
    assert numbers == {
        "3": sorted([1, 2, 3, 4, 6] * 2),
        "4": sorted([*range(1, 23)] * 2),
        "5": sorted([*range(1, 21)] * 2),
    }
