"""Bytes from anywhere become a tree or a Problem that says what is wrong; nothing is fetched, expanded or exhausted."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncipd.ncip.document import Document, Limits, parse
from ncipd.ncip.envelope import VERSION
from ncipd.ncip.problems import Problem, ProblemType

ONE = "http://www.niso.org/2008/ncip"
NS = f'xmlns="{ONE}" xmlns:n="{ONE}"'
LOOKUP = "<LookupUser><UserId><UserIdentifierValue>{}</UserIdentifierValue></UserId></LookupUser>"


def message(content: str = LOOKUP.format("U-1"), version: str = VERSION) -> str:
    return f'<NCIPMessage {NS} n:version="{version}">{content}</NCIPMessage>'


def refusal(raw: bytes, limits: Limits | None = None) -> Problem:
    with pytest.raises(Problem) as caught:
        parse(raw, limits=limits or Limits())
    assert caught.value.type is ProblemType.INVALID_MESSAGE_SYNTAX_ERROR
    return caught.value


def user_of(document: Document) -> str | None:
    return document.peek("UserId", "UserIdentifierValue")


# --- what it is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "kind", "service"),
    [
        (LOOKUP, "message", "LookupUser"),
        ("<n:DestroyItem/>", "message", "DestroyItem"),
        ("<Problem><ProblemType>x</ProblemType></Problem>", "problem", None),
        ("<Ext/>", "ext", None),
        ("", "empty", None),
    ],
)
def test_a_document_knows_what_it_holds(content: str, kind: str, service: str | None) -> None:
    document = parse(message(content).encode())
    assert (document.kind, document.service) == (kind, service)


def test_any_other_root_is_foreign() -> None:
    document = parse(b"<html><body/></html>")
    assert (document.kind, document.service, document.speaks) == ("foreign", None, False)
    assert document.peek("body") is None


def test_peek_finds_text_by_name_whatever_the_namespace() -> None:
    document = parse(
        b"<NCIPMessage><LookupUser><UserId><UserIdentifierValue> U-1\n</UserIdentifierValue><Ext/></UserId>"
        b"</LookupUser></NCIPMessage>"
    )
    assert document.peek("UserId", "UserIdentifierValue") == "U-1"
    assert document.peek("UserId", "AgencyId") is None
    assert document.peek("UserId", "Ext") is None
    assert document.peek("InitiationHeader", "FromAgencyId", "AgencyId") is None


URI = "http://www.niso.org/schemas/ncip/{}/ncip_{}.xsd"


@pytest.mark.parametrize(
    ("version", "speaks", "answer"),
    [
        (VERSION, True, VERSION),
        (URI.format("v2_0", "v2_0"), True, URI.format("v2_0", "v2_0")),
        ("http://www.niso.org/schemas/ncip/v2_0/imp1/xsd/ncip_v2_02.xsd", True, None),
        ("http://example.org/v1_0/xsd/ncip_v2_02.xsd", True, None),
        ("2.02", True, "2.02"),
        ("5.6", True, VERSION),
        ("", True, VERSION),
        ("yes", True, VERSION),
        ("x" * 1000, True, VERSION),
        ("http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd", False, VERSION),
        (URI.format("v3_0", "v3_0"), False, VERSION),
        ("1.0", False, VERSION),
        ("3", False, VERSION),
    ],
)
def test_only_a_version_that_names_another_major_one_is_not_spoken(
    version: str, speaks: bool, answer: str | None
) -> None:
    """In the namespace of NCIP 2 only the schema of a later one. The answer says what names NCIP 2, else 2.02."""
    document = parse(message(version=version).encode())
    assert document.version == version
    assert document.speaks != version.endswith("ncip_v3_0.xsd")
    assert document.answer_version == (answer or version)
    repaired = document.speaks and "2" not in version
    assert [applied.name for applied in document.applied] == (["nonsense-version"] if repaired else [])
    for namespace in ("", f'xmlns="{ONE.replace("http", "https")}"'):
        bare = f'<NCIPMessage {namespace} version="{version}"><LookupUser/></NCIPMessage>'
        assert parse(bare.encode()).speaks is speaks


@pytest.mark.parametrize(
    ("raw", "speaks"),
    [
        (b"<NCIPMessage><LookupUser/></NCIPMessage>", True),
        (b'<NCIPMessage version="2.02"><LookupUser><UniqueUserId/></LookupUser></NCIPMessage>', True),
        (
            b'<NCIPMessage version="http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd"><LookupUser/></NCIPMessage>',
            False,
        ),
        (b"<NCIPMessage><LookupUser><UniqueUserId/></LookupUser></NCIPMessage>", False),
        (b"<NCIPMessage><LookupUser><X><Scheme/><Value/></X></LookupUser></NCIPMessage>", False),
        (b'<x:NCIPMessage xmlns:x="http://example.org/other"/>', False),
    ],
)
def test_without_a_namespace_the_vocabulary_tells_the_version(raw: bytes, speaks: bool) -> None:
    assert parse(raw).speaks is speaks


def test_an_unqualified_version_is_seen() -> None:
    assert parse(message().replace("n:version", "version").encode()).version == VERSION


# --- encodings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["UTF-8", "utf-8", "ISO-8859-1", "windows-1252", "UTF-16", "UTF-16LE", "UTF-16BE", "ISO-8859-15"]
)
def test_declared_encodings_are_understood(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>\n{message(LOOKUP.format("Jürgen"))}'
    assert user_of(parse(declared.encode(encoding))) == "Jürgen"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_without_a_declaration_it_is_utf_8_or_what_the_byte_order_mark_says(encoding: str) -> None:
    document = parse(message(LOOKUP.format("Jürgen 😀")).encode(encoding))
    assert user_of(document) == "Jürgen 😀"
    assert document.applied == []


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b'<?xml version="1.0" encoding="x-klingon"?>' + message().encode(), "x-klingon"),
        (b'<?xml version="1.0" encoding="UTF-7"?>' + message().encode(), "UTF-7"),
        (message().encode("utf-32"), "UTF-32"),
        (message().encode("utf-32-le"), "UTF-32"),
        (message().encode("utf-32-be"), "UTF-32"),
        ('<?xml version="1.0" encoding="cp037"?><a/>'.encode("cp037"), "send UTF-8"),
        (message().encode("utf-16") + b"\x00", "UTF-16"),
        ("😀".encode("utf-16")[:-2], "UTF-16"),
    ],
)
def test_a_wrong_encoding_is_refused_with_advice(raw: bytes, says: str) -> None:
    assert says in refusal(raw).detail


# --- no XML ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "place", "says"),
    [
        (b"", "Line 1, column 1", "one NCIPMessage as the whole body"),
        (b"  \n ", "Line 2", "one NCIPMessage as the whole body"),
        (b"hello", "Line 1", "one NCIPMessage as the whole body"),
        (b"<a>\n  <b></c>\n</a>", "Line 2, column 10", "b line 2 and c"),
        (b"<a>\n&#xFFFF;</a>", "Line 2", "characters that XML does not allow"),
        ("<a>\n\ufffe</a>".encode(), "Line 2", "characters that XML does not allow"),
        (b"<a/>x", "Line 1", "nothing after it"),
        (b"<a/><b/>", "Line 1", "nothing after it"),
        (b"<a>\nR&D</a>", "Line 2", "write & as &amp;"),
        (b"<a>R & D</a>", "Line 1", "write & as &amp;"),
        (b"<a>&nbsp;</a>", "Line 1", "write the character itself"),
        (b"<a", "Line 1", "Please"),
        (b"<a><b>", "Line 1", "send the whole message"),
        (b"<a b='1' b='2'/>", "Line 1", "b redefined"),
        (b"<x:a/>", "Line 1", "declare the prefix"),
    ],
)
def test_what_is_no_xml_is_refused_with_line_and_advice(raw: bytes, place: str, says: str) -> None:
    detail = refusal(raw).detail
    assert detail.startswith(place)
    assert says in detail


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: f"<a>{text}</a>".encode("utf-8", "replace")))
def test_any_bytes_give_a_document_or_a_problem(raw: bytes) -> None:
    """Nothing that a sender can send is a bug here."""
    with suppress(Problem):
        parse(raw)


# --- DOCTYPE and entities --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE NCIPMessage SYSTEM "{}">',
        '<!DOCTYPE NCIPMessage PUBLIC "-//NISO//NCIP DTD Version 1//EN" "{}">',
        "<!DOCTYPE\n NCIPMessage\n PUBLIC '-//NISO//NCIP DTD Version 1.0//EN'\n '{}' >",
        "<!-- <!DOCTYPE --> <?php x?> <!DOCTYPE NCIPMessage SYSTEM '{}'>",
    ],
)
def test_an_outside_dtd_is_tolerated_and_never_fetched(
    doctype: str, listener: tuple[int, list[object]], tmp_path: Path
) -> None:
    port, callers = listener
    local = tmp_path / "x.dtd"
    local.write_text('<!ENTITY secret "from a file">')
    for system in (f"http://127.0.0.1:{port}/ncip.dtd", local.as_uri()):
        document = parse(('<?xml version="1.0"?>' + doctype.format(system) + message()).encode())
        assert [applied.name for applied in document.applied] == ["doctype"]
        assert user_of(document) == "U-1"
        assert document.root.getroottree().docinfo.doctype == ""
        refusal((doctype.format(system) + message(LOOKUP.format("&secret;"))).encode())
    time.sleep(0.05)
    assert callers == []


BILLION_LAUGHS = (
    "<!DOCTYPE a [<!ENTITY l0 'ha'>"
    + "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 12))
    + "]><a>&l11;</a>"
)


@pytest.mark.parametrize(
    "raw",
    [
        BILLION_LAUGHS,
        BILLION_LAUGHS.replace("<a>&l11;</a>", "<a b='&l11;'/>"),
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1:9/x'> %p;]><a/>",
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a/>",
        "<!DOCTYPE a []><a/>",
        "<!DOCTYPE a SYSTEM 'x.dtd' [<!ATTLIST a b CDATA 'c'>]><a/>",
        "<!DOCTYPE a SYSTEM 'x.dtd' junk><a/>",
        "<!DOCTYPE a",
        "<!DOCTYPE" + " " * 500_000,
        "<!-- " + "<!DOCTYPE " * 20_000,
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32-le"])
def test_a_doctype_that_declares_anything_is_refused_at_once(raw: str, encoding: str) -> None:
    started = time.thread_time()
    refusal(raw.encode(encoding))
    assert time.thread_time() - started < 20, "were it looked for at every place anew, it would take hours"


@pytest.mark.parametrize(
    "declaration",
    [
        b'<?xml version="1.0"' + b" " * 150 + b'encoding="UTF-7"?>',
        b'<?xml version="1.0" encoding' + b" " * 30 + b'="UTF-7"?>',
        b'<\x01?xml version="1.0" encoding="UTF-7"?>',
    ],
    ids=["blanks before the encoding", "blanks behind it", "a control character"],
)
def test_no_encoding_hides_a_doctype(declaration: bytes) -> None:
    """What the parser takes the bytes for counts, not only what their beginning looks like."""
    hidden = "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>".replace("<", "+ADw-").encode()
    assert "UTF-7" in refusal(declaration + hidden).detail


def test_the_word_doctype_in_text_is_no_doctype() -> None:
    document = parse(message(LOOKUP.format("<![CDATA[<!DOCTYPE x [ ]>]]>")).encode())
    assert user_of(document) == "<!DOCTYPE x [ ]>"
    assert document.applied == []


def test_a_line_is_counted_as_received_though_a_doctype_was_taken_out() -> None:
    assert refusal(b"<!DOCTYPE a\n SYSTEM 'x'>\n<a>\n<b></a>").detail.startswith("Line 4")


# --- limits ----------------------------------------------------------------------------------------------------------


def test_a_hundred_megabytes_are_refused_without_parsing() -> None:
    assert "100,000,000 bytes; 1,048,576 are accepted" in refusal(b"<" * 100_000_000).detail


@pytest.mark.parametrize("depth", [65, 200, 300, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    assert "fewer" in refusal(b"<a>" * depth + b"</a>" * depth).detail


def test_nesting_to_the_limit_is_accepted() -> None:
    assert parse(b"<a>" * 64 + b"</a>" * 64).root.tag == "a"
    assert parse(b"<a>" * 3 + b"</a>" * 3, limits=Limits(max_depth=3)).root.tag == "a"
    assert "3 levels" in refusal(b"<a>" * 4 + b"</a>" * 4, Limits(max_depth=3)).detail
    assert "3 levels" in refusal(b"<a>" * 3 + b"<a/>" + b"</a>" * 3, Limits(max_depth=3)).detail


def rows(count: int, row: bytes) -> bytes:
    """Elements in groups of a thousand, so that no element has too many children."""
    groups = [b"<a>" + row * min(1000, count - done) + b"</a>" for done in range(0, count, 1000)]
    return b"<a>" + b"".join(groups) + b"</a>"


def test_too_many_elements_children_or_attributes_are_refused() -> None:
    assert "20,000 elements" in refusal(rows(20_000, b"<b/>")).detail
    assert "20,000 attributes" in refusal(rows(10_001, b"<b c='' d=''/>")).detail
    assert "4,000 children" in refusal(b"<a>" + b"<b/>" * 4_001 + b"</a>").detail


def test_as_many_as_the_limits_say_are_accepted() -> None:
    assert parse(rows(19_979, b"<b/>")).root.tag == "a"
    assert parse(rows(10_000, b"<b c='' d=''/>")).root.tag == "a"
    assert parse(b"<a>" + b"<b/>" * 4_000 + b"</a>").root.tag == "a"
    assert parse(b"<a>" + b"=" * 60_000 + b"</a>").root.tag == "a"


# --- repairs of the bytes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [b"\n", b" \t\r\n", b"\xef\xbb\xbf\n", b"\xef\xbb\xbf\xef\xbb\xbf"])
def test_blanks_and_marks_before_the_declaration_are_cut_off(before: bytes) -> None:
    document = parse(before + b'<?xml version="1.0" encoding="UTF-8"?>' + message().encode())
    assert [applied.name for applied in document.applied] == ["leading-whitespace"]


@pytest.mark.parametrize("before", [b"\n\xef\xbb\xbf", b"\xef\xbb\xbf\n\xef\xbb\xbf"])
def test_a_mark_behind_blanks_is_cut_off_without_a_declaration_too(before: bytes) -> None:
    document = parse(before + message().encode())
    assert [applied.name for applied in document.applied] == ["leading-whitespace"]


@pytest.mark.parametrize("raw", [b"\n" + message().encode(), b"\xef\xbb\xbf<?xml version='1.0'?>" + message().encode()])
def test_what_xml_allows_before_the_root_is_no_repair(raw: bytes) -> None:
    assert parse(raw).applied == []
