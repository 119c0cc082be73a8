"""The pin sees every change of the grammar, names the element, and sees no change where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy

import pytest
from lxml import etree

from tests.ncip.content_model import parse_model, telling_apart
from tests.ncip.grammar_pin import (
    PIN,
    XS,
    Grammar,
    SchemaReader,
    UnreadableError,
    differences,
    kind,
    meaningful,
    parse_pin,
    read_schema,
)

Change = Callable[[etree._Element], None]


@pytest.fixture(scope="module")
def pin() -> Grammar:
    return parse_pin(PIN.read_text(encoding="utf-8"))


@pytest.fixture
def schema() -> etree._Element:
    """The schema as a tree that a test may change."""
    return read_schema()


def declaration(schema: etree._Element, name: str) -> etree._Element:
    (found,) = schema.xpath("*[@name = $name]", name=name)
    return found


def place(schema: etree._Element, owner: str, child: str) -> etree._Element:
    """The reference to ``child`` in the model of the element or group ``owner``."""
    return declaration(schema, owner).xpath("descendant::*[@ref = $name]", name=child)[0]


# --- the pin sees each change ----------------------------------------------------------------------------------------


def occurs(owner: str, child: str, **occurrence: str) -> Change:
    return lambda schema: place(schema, owner, child).attrib.update(occurrence)


def swap_with_next(owner: str, child: str) -> Change:
    return lambda schema: (node := place(schema, owner, child)).getnext().addnext(node)


def remove(owner: str, child: str) -> Change:
    return lambda schema: (node := place(schema, owner, child)).getparent().remove(node)


def refer_to(owner: str, child: str, other: str) -> Change:
    return lambda schema: place(schema, owner, child).set("ref", other)


def tag(owner: str, what: str, new: str) -> Change:
    return lambda schema: setattr(next(declaration(schema, owner).iter(XS + what)), "tag", XS + new)


def attribute_of(owner: str, what: str, **values: str) -> Change:
    return lambda schema: next(declaration(schema, owner).iter(XS + what)).attrib.update(values)


def drop(owner: str, what: str) -> Change:
    return lambda schema: (node := next(declaration(schema, owner).iter(XS + what))).getparent().remove(node)


def setting(name: str, value: str) -> Change:
    return lambda schema: schema.set(name, value)


def new_element(schema: etree._Element) -> None:
    etree.SubElement(schema, XS + "element", name="Patron", type="xs:string")


CHANGES: list[tuple[str, Change, str]] = [
    (
        "required child made optional",
        occurs("AcceptItem", "RequestedActionType", minOccurs="0"),
        "AcceptItem: only the schema allows the children [RequestId]",
    ),
    (
        "optional child made required",
        occurs("Pending", "DateOfExpectedReply", minOccurs="1"),
        "Pending: only the pin allows the children []",
    ),
    (
        "single child made repeatable",
        occurs("Problem", "ProblemDetail", maxOccurs="unbounded"),
        "Problem: only the schema allows the children [ProblemType ProblemDetail ProblemDetail]",
    ),
    (
        "repeatable child capped",
        occurs("UserFiscalAccount", "AccountDetails", maxOccurs="2"),
        "UserFiscalAccount: only the pin allows the children [AccountBalance" + " AccountDetails" * 3,
    ),
    (
        "order of children swapped",
        swap_with_next("AccountDetails", "AccrualDate"),
        "AccountDetails: only the pin allows the children [AccrualDate FiscalTransactionInformation]",
    ),
    (
        "branch of a choice dropped",
        remove("AnyAddress", "ElectronicAddress"),
        "ShippingInformation: only the pin allows the children [ElectronicAddress]",
    ),
    (
        "choice made a sequence",
        tag("BibliographicId", "choice", "sequence"),
        "BibliographicId: only the pin allows the children [BibliographicItemId]",
    ),
    (
        "other child in a place",
        refer_to("CurrentBorrower", "UserId", "PreviousUserId"),
        "CurrentBorrower: only the schema allows the children [PreviousUserId]",
    ),
    (
        "shared group narrowed",
        occurs("UserOrCredentials", "AuthenticationInput", maxOccurs="1"),
        "DeleteUser: only the pin allows the children [AuthenticationInput AuthenticationInput]",
    ),
    (
        "message left out of the envelope",
        remove("LookupMessage", "LookupUser"),
        "NCIPMessage: only the pin allows the children [LookupUser]",
    ),
    ("element removed", lambda schema: schema.remove(declaration(schema, "CareOf")), "CareOf: pinned but not in the"),
    ("element added", new_element, "Patron: in the schema but not pinned"),
    (
        "other simple type",
        lambda schema: declaration(schema, "DateDue").set("type", "xs:date"),
        "DateDue: content is xs:date, pinned is xs:dateTime",
    ),
    ("value of a closed list dropped", drop("UserElementEnum", "enumeration"), "UserElementEnum: content is"),
    (
        "marker given content",
        lambda schema: etree.SubElement(
            etree.SubElement(next(declaration(schema, "ResourceDesired").iter(XS + "complexType")), XS + "sequence"),
            XS + "element",
            ref="Title",
        ),
        "ResourceDesired: content is Title, pinned is EMPTY",
    ),
    (
        "marker given attribute",
        lambda schema: etree.SubElement(
            next(declaration(schema, "ResourceDesired").iter(XS + "complexType")),
            XS + "attribute",
            name="Scheme",
            type="xs:anyURI",
        ),
        "ResourceDesired: @ncip:Scheme? xs:anyURI is in the schema but not pinned",
    ),
    (
        "attribute dropped",
        drop("SchemeValuePair", "attribute"),
        "AgencyId: @ncip:Scheme? xs:anyURI is pinned but not in the schema",
    ),
    (
        "attribute no longer qualified",
        attribute_of("NCIPMessage", "attribute", form="unqualified"),
        "NCIPMessage: @version xs:string is in the schema but not pinned",
    ),
    (
        "no attribute qualified",
        setting("attributeFormDefault", "unqualified"),
        "AgencyId: @Scheme? xs:anyURI is in the schema but not pinned",
    ),
    (
        "required attribute made optional",
        attribute_of("NCIPMessage", "attribute", use="optional"),
        "NCIPMessage: @ncip:version? xs:string is in the schema but not pinned",
    ),
    (
        "other type of an attribute",
        attribute_of("SchemeValuePair", "attribute", type="xs:string"),
        "AgencyId: @ncip:Scheme? xs:string is in the schema but not pinned",
    ),
    (
        "default for an attribute",
        attribute_of("NCIPMessage", "attribute", default="2"),
        "NCIPMessage: @ncip:version xs:string default=2 is in the schema but not pinned",
    ),
    (
        "extension left unchecked",
        attribute_of("Ext", "any", processContents="lax"),
        "Ext: only the schema allows the children [any(##any lax)]",
    ),
    (
        "text allowed between children",
        attribute_of("ItemId", "complexType", mixed="true"),
        "ItemId: @mixed=true is in the schema but not pinned",
    ),
    (
        "element made nillable",
        lambda schema: declaration(schema, "UserId").set("nillable", "true"),
        "UserId: @nillable=true is in the schema but not pinned",
    ),
    (
        "other namespace",
        setting("targetNamespace", "http://www.niso.org/2026/ncip"),
        "(schema): @targetNamespace=http://www.niso.org/2008/ncip is pinned but not in the schema",
    ),
]


@pytest.mark.parametrize(("change", "told"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_change_of_the_grammar_is_told_by_element(
    schema: etree._Element, pin: Grammar, change: Change, told: str
) -> None:
    change(schema)
    found = differences(SchemaReader(schema).grammar(), pin)
    assert any(told in line for line in found), found


def changes_of_one_place(model: etree._Element) -> Iterator[str]:
    """Make one change after the other in a model, each undone before the next, and say what it is."""
    for node in list(model.iter(*(XS + what for what in ("element", "group", "sequence", "choice", "any")))):
        parent, what = node.getparent(), node.get("ref", kind(node))
        index, attributes = parent.index(node), dict(node.attrib)
        # A branch of an optional choice, or a sequence that may be empty, can be left out anyway.
        occurrences = {"maxOccurs": "unbounded"} if kind(node) == "element" else {}
        if kind(node) == "element" and kind(parent) == "sequence":
            occurrences["minOccurs"] = "0"
        for occurrence, unusual in occurrences.items():
            node.set(occurrence, "1" if occurrence in attributes else unusual)
            yield f"other {occurrence} of {what}"
            node.attrib.clear()
            node.attrib.update(attributes)
        if kind(parent) in {"sequence", "choice"} and len(parent) > 1:
            parent.remove(node)
            yield f"no {what}"
            parent.insert(index, node)
        if kind(parent) == "sequence" and index + 1 < len(parent):
            parent.insert(index, parent[index + 1])
            yield f"{what} after the next"
            parent.insert(index, node)


def test_every_change_of_one_place_in_one_model_is_seen(schema: etree._Element, pin: Grammar) -> None:
    """No required child can become optional, no single one repeatable, none vanish or move without the pin telling."""
    reader, names = SchemaReader(schema), {"namespaces": {"xs": XS[1:-1]}}
    tried, unseen = 0, []
    for owner in schema.xpath("*[self::xs:element or self::xs:group]", **names):
        name = owner.get("name")
        users = (
            [owner] if kind(owner) == "element" else schema.xpath("*[.//xs:group[@ref = $name]]", name=name, **names)
        )
        for model in meaningful(owner):
            for change in changes_of_one_place(model):
                tried += 1
                if not any(any(reader.element(user).unlike(pin[user.get("name")])) for user in users):
                    unseen.append(f"{name}: {change}")
    assert unseen == []
    assert tried > 3800
    assert differences(reader.grammar(), pin) == []


# --- and no change where there is none -------------------------------------------------------------------------------


def test_wording_and_order_of_declarations_are_not_grammar(schema: etree._Element, pin: Grammar) -> None:
    for node in schema.xpath(".//xs:annotation | .//comment()", namespaces={"xs": XS[1:-1]}):
        node.getparent().remove(node)
    schema[:] = list(reversed(schema))
    assert differences(SchemaReader(schema).grammar(), pin) == []


def test_order_of_the_branches_of_a_choice_is_not_grammar(schema: etree._Element, pin: Grammar) -> None:
    for node in schema.iter(XS + "choice"):
        node[:] = list(reversed(node))
    assert differences(SchemaReader(schema).grammar(), pin) == []


def test_groups_written_out_in_place_are_the_same_grammar(schema: etree._Element, pin: Grammar) -> None:
    for node in [node for node in schema.iter(XS + "group") if node.get("ref")]:
        (model,) = meaningful(declaration(schema, node.attrib["ref"]))
        copy = deepcopy(model)
        copy.attrib.update({key: value for key, value in node.attrib.items() if key != "ref"})
        node.getparent().replace(node, copy)
    for node in [node for node in schema if kind(node) == "group"]:
        schema.remove(node)
    assert differences(SchemaReader(schema).grammar(), pin) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(A | (B, A?))", "((B, A?) | A)"),
        ("(A | (B, A?))", "((A | (B, A)) | B)"),
        ("(A?, B?)", "((A, B?)? | B)"),
        ("(A+)", "(A, A*)"),
        ("(A{2,3})", "(A, A, A?)"),
        ("((A*)*)", "((A+)?)"),
    ],
)
def test_models_written_differently_can_be_the_same(one: str, other: str) -> None:
    assert telling_apart(parse_model(one), parse_model(other)) is None


@pytest.mark.parametrize(
    ("one", "other", "children"),
    [
        ("(A, B?)", "(A?, B?)", []),
        ("(A, B)", "(B, A)", ["A", "B"]),
        ("(A{1,3})", "(A+)", ["A"] * 4),
        ("(A | (B, A?))", "(A?, B?)", []),
        ("((A, B)+)", "(A, B)", ["A", "B", "A", "B"]),
    ],
)
def test_models_that_differ_are_told_apart_by_the_shortest_children(one: str, other: str, children: list[str]) -> None:
    found = telling_apart(parse_model(one), parse_model(other))
    assert found is not None
    assert found[1] == children


def test_construct_that_could_not_be_pinned_is_refused(schema: etree._Element) -> None:
    """What the reader does not know it refuses with the line, so that nothing slips past the pin."""
    tag("SchemeValuePair", "extension", "restriction")(schema)
    with pytest.raises(UnreadableError, match=r"line \d+: xs:restriction where xs:extension is expected"):
        SchemaReader(schema).grammar()
