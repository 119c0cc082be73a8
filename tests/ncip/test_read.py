"""What cannot be read is refused in the standard's words: where, what was found, what was expected."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from ncipd.ncip import schema
from ncipd.ncip.document import DEFAULT_LIMITS, parse
from ncipd.ncip.elements import Problem as ProblemElement
from ncipd.ncip.envelope import VERSION, Envelope, write
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.read import Invalid, read
from ncipd.ncip.repairs import MOST_RECORDED
from ncipd.ncip.types import Coded, Ext, Leaf, Message
from tests.ncip.strategies import messages

NS = "http://www.niso.org/2008/ncip"


def enveloped(content: str) -> bytes:
    return f'<n:NCIPMessage xmlns:n="{NS}" n:version="{VERSION}">\n{content}\n</n:NCIPMessage>'.encode()


def refusal(content: str, allowed: Collection[str] | None = ()) -> Invalid:
    with pytest.raises(Invalid) as caught:
        read(parse(enveloped(content)), allowed=allowed)
    return caught.value


USER = "<n:UserId><n:UserIdentifierValue>U-1</n:UserIdentifierValue></n:UserId>"
ITEM = "<n:ItemId><n:ItemIdentifierValue>I-1</n:ItemIdentifierValue></n:ItemId>"


@pytest.mark.parametrize(
    ("content", "type_", "element", "value", "says"),
    [
        (
            f"<n:CheckOutItem>{ITEM}</n:CheckOutItem>",
            ProblemType.NEEDED_DATA_MISSING,
            "CheckOutItem/UserId",
            None,
            "CheckOutItem has no UserId or AuthenticationInput before ItemId",
        ),
        (
            f"<n:CheckOutItem>{USER}</n:CheckOutItem>",
            ProblemType.NEEDED_DATA_MISSING,
            "CheckOutItem/ItemId",
            None,
            "CheckOutItem has no ItemId",
        ),
        (
            f"<n:CheckOutItem>{USER}<n:ItemId/></n:CheckOutItem>",
            ProblemType.NEEDED_DATA_MISSING,
            "CheckOutItem/ItemId/ItemIdentifierValue",
            None,
            "ItemId has no ItemIdentifierValue",
        ),
        (
            f"<n:CheckOutItem>{USER}{ITEM}<n:DesiredDueDate/></n:CheckOutItem>",
            ProblemType.UNKNOWN_ELEMENT,
            "CheckOutItem/DesiredDueDate",
            "DesiredDueDate",
            "DesiredDueDate is no element of NCIP 2.02",
        ),
        (
            f"<n:CheckOutItem>{USER}{ITEM}<x:y xmlns:x='urn:x'/></n:CheckOutItem>",
            ProblemType.UNKNOWN_ELEMENT,
            "CheckOutItem/y",
            "y",
            "y is not in the namespace of NCIP",
        ),
        (
            f"<n:CheckOutItem>{USER}{ITEM}<n:PickupLocation/></n:CheckOutItem>",
            ProblemType.INVALID_MESSAGE_SYNTAX_ERROR,
            "CheckOutItem/PickupLocation",
            "PickupLocation",
            "PickupLocation has no place in CheckOutItem",
        ),
        (
            f"<n:CheckOutItem>{USER}{USER}{ITEM}</n:CheckOutItem>",
            ProblemType.INVALID_MESSAGE_SYNTAX_ERROR,
            "CheckOutItem/UserId[2]",
            "UserId",
            "UserId cannot stand here a second time. Expected: ItemId",
        ),
        (
            f"<n:CheckOutItem>{USER}{ITEM}<n:DesiredDateDue>2026-01-31</n:DesiredDateDue></n:CheckOutItem>",
            ProblemType.INVALID_DATE,
            "CheckOutItem/DesiredDateDue",
            "2026-01-31",
            "Expected: a date and time such as 2026-01-31T23:59:00Z; found: '2026-01-31'",
        ),
        (
            f"<n:CheckOutItem>{USER}{ITEM}<n:DesiredDateDue>-0001-01-31T00:00:00Z</n:DesiredDateDue></n:CheckOutItem>",
            ProblemType.INVALID_DATE,
            "CheckOutItem/DesiredDateDue",
            "-0001-01-31T00:00:00Z",
            "year from 0001 to 9999",
        ),
        (
            "<n:LookupItemSet><n:HoldingsSetId/><n:MaximumItemsCount>0</n:MaximumItemsCount></n:LookupItemSet>",
            ProblemType.INVALID_MESSAGE_SYNTAX_ERROR,
            "LookupItemSet/MaximumItemsCount",
            "0",
            "Expected: a whole number, 1 or more; found: '0'",
        ),
        (
            f"<n:CheckOutItem>{USER}{ITEM}<n:ResourceDesired>x</n:ResourceDesired></n:CheckOutItem>",
            ProblemType.INVALID_MESSAGE_SYNTAX_ERROR,
            "CheckOutItem/ResourceDesired",
            "content",
            "ResourceDesired cannot have content",
        ),
        (
            f"<n:CheckOutItem x='y'>{USER}{ITEM}</n:CheckOutItem>",
            ProblemType.INVALID_MESSAGE_SYNTAX_ERROR,
            "CheckOutItem",
            "x",
            "CheckOutItem cannot have the attribute x",
        ),
        (
            "<n:LookupUser><n:UserId><n:UserIdentifierValue><n:x/></n:UserIdentifierValue></n:UserId></n:LookupUser>",
            ProblemType.INVALID_MESSAGE_SYNTAX_ERROR,
            "LookupUser/UserId/UserIdentifierValue",
            "child elements",
            "UserIdentifierValue cannot have child elements",
        ),
        ("<n:DestroyItem/>", ProblemType.UNSUPPORTED_SERVICE, "DestroyItem", "DestroyItem", "no element of NCIP 2.02"),
        ("", ProblemType.INVALID_MESSAGE_SYNTAX_ERROR, "NCIPMessage", "nothing", "NCIPMessage is empty"),
    ],
)
def test_a_refusal_names_the_problem_the_element_and_the_value(
    content: str, type_: ProblemType, element: str, value: str | None, says: str
) -> None:
    with pytest.raises(Problem) as caught:
        read(parse(enveloped(content)), allowed=())
    problem = caught.value
    assert (problem.type, problem.element, problem.value) == (type_, element, value)
    assert says in problem.detail


def test_a_refusal_gives_the_line_and_every_violation() -> None:
    problem = refusal(f"<n:CheckOutItem>\n{USER}\n{ITEM}\n<n:X/></n:CheckOutItem>")
    assert problem.detail.startswith("Line 5: /NCIPMessage/CheckOutItem/X: ")
    problem = refusal(
        f"<n:LookupUser>{USER}<n:Ext><n:DateDue>x</n:DateDue><n:RenewalCount>y</n:RenewalCount></n:Ext></n:LookupUser>"
    )
    assert [violation.path for violation in problem.violations] == [
        "/NCIPMessage/LookupUser/Ext/DateDue",
        "/NCIPMessage/LookupUser/Ext/RenewalCount",
    ]
    assert [each.element for each in problem.and_also] == ["LookupUser/Ext/RenewalCount"]


def test_violations_are_capped() -> None:
    wrong = "<n:DateDue>x</n:DateDue>" * 500
    assert (
        len(refusal(f"<n:LookupUser>{USER}<n:Ext>{wrong}</n:Ext></n:LookupUser>").violations) == schema.MOST_VIOLATIONS
    )


@pytest.mark.parametrize("prefix", ["xmlns:n", "xmlns"])
def test_a_violation_is_found_whatever_the_prefix(prefix: str) -> None:
    text = enveloped(f"<n:LookupUser>{USER}{USER}</n:LookupUser>").decode()
    if prefix == "xmlns":
        text = text.replace("<n:", "<").replace("</n:", "</").replace("xmlns:n=", f'xmlns="{NS}" xmlns:n=')
    (violation,) = schema.violations(parse(text.encode()).root)
    assert violation.path == "/NCIPMessage/LookupUser/UserId[2]"
    assert violation.line == 2
    assert violation.found == "UserId"


def test_any_element_but_the_envelope_is_no_message_though_the_schema_knows_it() -> None:
    """The schema accepts every element as a root; a message has an envelope."""
    root = parse(f'<n:LookupUser xmlns:n="{NS}">{USER}</n:LookupUser>'.encode()).root
    assert not schema.is_valid(root)
    assert schema.violations(root)[0].expected == f"NCIPMessage in the namespace {NS}"


# --- what an envelope can hold ---------------------------------------------------------------------------------------


def test_problems_without_a_message_are_read() -> None:
    problems = "<n:Problem><n:ProblemType>a</n:ProblemType></n:Problem><n:Problem><n:ProblemType/></n:Problem>"
    assert read(parse(enveloped(problems))).envelope == Envelope(
        VERSION, problems=(ProblemElement(problem_type=Coded("a")), ProblemElement(problem_type=Coded("")))
    )


def test_an_ext_without_a_message_is_read() -> None:
    assert read(parse(enveloped("<n:Ext><n:Title>t</n:Title></n:Ext>"))).envelope == Envelope(
        VERSION, ext=Ext(children=(Leaf("Title", "t"),))
    )


# --- anything at all -------------------------------------------------------------------------------------------------


@settings(max_examples=4 * settings().max_examples)
@given(messages(), st.data())
def test_a_spoiled_message_is_read_or_refused_but_never_a_bug(message: Message, data: st.DataObject) -> None:
    """Bytes taken out, doubled or changed anywhere."""
    raw = write(Envelope(VERSION, message))
    at = data.draw(st.integers(0, len(raw) - 1))
    length = data.draw(st.integers(0, 40))
    put = data.draw(st.sampled_from([b"", b"x", b"<", b"</", b"<a/>", b"&", raw[at : at + 60], b"n:", b'""', b"-1"]))
    with suppress(Problem):
        read(parse(raw[:at] + put + raw[at + length :]))


def wrapped(content: str) -> str:
    return f"<n:Ext>{content}</n:Ext>"


HOSTILE = {
    "foreign content": "<n:Ext>" + "<x xmlns='urn:x'/>" * 3_900 + "</n:Ext>",
    "a namespace each": "<n:Ext>" + "".join(f"<x xmlns:p{n}='urn:{n}'/>" for n in range(3_900)) + "</n:Ext>",
    "wrong dates": "<n:Ext>" + "<n:DateDue>x</n:DateDue>" * 3_900 + "</n:Ext>",
    "stray text": "<n:Ext>" + "<n:UserId>x</n:UserId>" * 3_900 + "</n:Ext>",
    "unqualified schemes": "<n:Ext>" + "<n:AgencyId Scheme='x'/>" * 3_900 + "</n:Ext>",
    "unknown elements": "<n:UserId>" + "<n:Unheard/>" * 3_900 + "</n:UserId>",
    "unknown elements, each of its own": "<n:UserId>" + "".join(f"<n:U{n}/>" for n in range(3_900)) + "</n:UserId>",
    "misplaced elements": "<n:UserId>" + "<n:DateDue>2026-01-05</n:DateDue>" * 3_900 + "</n:UserId>",
    "misspelt elements": "<n:ItemDescription>" + "<n:title/>" * 3_900 + "</n:ItemDescription>",
    "unknown names in many places": wrapped("<n:UserId><n:UserNumber>1</n:UserNumber></n:UserId>" * 1_300),
    "empty elements": wrapped("<n:DateDue/>" * 3_900),
    "empty elements, nested": wrapped(("<n:UserId>" * 30 + "</n:UserId>" * 30) * 100),
    "unknown attributes": wrapped("<n:Title x='1'/>" * 3_900),
    "Scheme and Value": wrapped("<n:AgencyId><n:Scheme>s</n:Scheme><n:Value>v</n:Value></n:AgencyId>" * 1_300),
    "odd dates": wrapped("<n:DateDue>2026-01-31 12:00 +01</n:DateDue>" * 3_900),
    "long dates": wrapped(f"<n:DateDue>{'1' * 20_000}</n:DateDue>" * 10),
    "flags": wrapped("<n:NonReturnableFlag>true</n:NonReturnableFlag>" * 3_900),
    "deep": "<n:Ext>" * 40 + "<x/>" + "</n:Ext>" * 40,
}


def looking_up(content: str) -> bytes:
    return enveloped(f"<n:LookupUser>{USER}<n:Ext>{content}</n:Ext></n:LookupUser>")


VALID = wrapped("<n:DateDue>2026-01-31T12:00:00Z</n:DateDue>" * 3_900) * 4


def seconds_to_read(raw: bytes) -> float:
    """How long the processor takes to read or refuse a message; the best of three."""
    taken = []
    for _ in range(3):
        started = time.process_time()
        with suppress(Problem):
            read(parse(raw))
        taken.append(time.process_time() - started)
    return min(taken)


def cut(raw: bytes, most: int) -> bytes:
    """A message without its last elements, so that it has no more than this many."""
    root = etree.fromstring(raw)
    for node in list(root.iter(etree.Element))[:most:-1]:
        node.getparent().remove(node)
    return etree.tostring(root)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_wrong_thousands_of_times_takes_hardly_longer_than_what_is_right(name: str) -> None:
    """At the limits of a message, and at the limit up to which messages are repaired."""
    wrong = looking_up(HOSTILE[name] * 4)
    right = seconds_to_read(looking_up(VALID))
    assert seconds_to_read(wrong) < 5 * right
    assert seconds_to_read(cut(wrong, DEFAULT_LIMITS.max_repaired - 1)) < 8 * right


@pytest.mark.parametrize("name", HOSTILE)
def test_neither_repairs_nor_violations_grow_with_what_is_wrong(name: str) -> None:
    try:
        raw = cut(looking_up(HOSTILE[name] * 4), DEFAULT_LIMITS.max_repaired - 1)
        recorded = Counter(applied.name for applied in read(parse(raw)).repairs)
        assert max(recorded.values()) <= MOST_RECORDED + 1
    except Invalid as problem:
        assert len(problem.violations) <= schema.MOST_VIOLATIONS  # noqa: PT017 - some are read, some are refused


@pytest.mark.parametrize("allowed", [None, ()])
def test_a_long_message_is_read_where_it_is_valid(allowed: Collection[str] | None) -> None:
    assert read(parse(looking_up(VALID)), allowed=allowed).repairs == ()


def test_a_long_message_that_would_need_repairs_is_refused_with_what_is_wrong() -> None:
    """And what is secret in it is not told."""
    date = "<n:DateDue>2026-01-31T12:00:00Z</n:DateDue>"
    dates = date * DEFAULT_LIMITS.max_repaired
    assert read(parse(looking_up(dates[: -50 * len(date)] + "<n:DateDue>2026-01-31</n:DateDue>"))).repairs != ()
    with pytest.raises(Invalid) as caught:
        read(parse(looking_up(dates + "<n:DateDue>2026-01-31</n:DateDue>")))
    assert caught.value.type is ProblemType.INVALID_MESSAGE_SYNTAX_ERROR
    assert "'2026-01-31' is not a valid value" in caught.value.detail
    assert "less at once" in caught.value.detail
    with pytest.raises(Invalid) as caught:
        read(parse(looking_up(dates + "<n:AuthenticationInput>sesame</n:AuthenticationInput>")))
    assert "sesame" not in caught.value.detail


def test_no_schema_that_a_message_names_is_fetched(listener: tuple[int, list[object]]) -> None:
    port, callers = listener
    hint = f"xsi:schemaLocation='urn:x http://127.0.0.1:{port}/x.xsd {NS} http://127.0.0.1:{port}/ncip.xsd'"
    xsi = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'"
    content = f"<n:LookupUser {xsi} {hint}>{USER}<n:Ext><x xmlns='urn:x' {hint}/></n:Ext></n:LookupUser>"
    assert [applied.name for applied in read(parse(enveloped(content))).repairs] == ["foreign-ext"]
    time.sleep(0.05)
    assert callers == []
