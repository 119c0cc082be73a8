"""Bytes that are no XML as they came are read as they were meant, or refused at once: encodings, forms, prefixes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from ncipd.ncip.document import parse
from ncipd.ncip.messages import CheckOutItem
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.read import read
from tests.ncip.deviations import DECLARATION, multipart
from tests.ncip.repairing import GOOD, NS, ORIGINAL, needs

UMLAUT = GOOD.replace("A title", "Jürgens Bücher – “alle”")


@pytest.mark.parametrize(
    ("raw", "repair_made"),
    [
        (UMLAUT.encode("cp1252"), "wrong-encoding"),
        ((DECLARATION + UMLAUT).encode("cp1252"), "wrong-encoding"),
        ((DECLARATION.replace("UTF-8", "us-ascii") + UMLAUT).encode("cp1252"), "wrong-encoding"),
        ((DECLARATION.replace("UTF-8", "us-ascii") + UMLAUT).encode(), "wrong-encoding"),
        ((DECLARATION.replace("UTF-8", "UTF-16") + UMLAUT).encode(), "wrong-encoding"),
        ((DECLARATION.replace("UTF-8", "utf-16") + UMLAUT).encode("utf-8-sig"), "wrong-encoding"),
        ((DECLARATION.replace("UTF-8", "ISO-8859-1") + UMLAUT).encode(), "utf-8-declared-otherwise"),
        ((DECLARATION.replace("UTF-8", "windows-1252") + UMLAUT).encode("utf-8-sig"), "utf-8-declared-otherwise"),
        ((DECLARATION.replace("UTF-8", "windows-1252") + UMLAUT).encode("cp1252"), ""),
        ((DECLARATION.replace("UTF-8", "ISO-8859-1") + GOOD).encode(), ""),
        (UMLAUT.replace("ü", "Ã¼").encode("cp1252"), "wrong-encoding"),
    ],
)
def test_text_is_read_in_the_encoding_that_it_is_in(raw: bytes, repair_made: str) -> None:
    asked = (needs(raw, repair_made) if repair_made else read(parse(raw), allowed=())).envelope.message
    assert isinstance(asked, CheckOutItem)
    assert asked.ext is not None
    assert asked.ext.find("Title") in (
        read(parse(UMLAUT.encode())).envelope.message.ext.find("Title"),  # type: ignore[union-attr]
        read(parse(GOOD.encode())).envelope.message.ext.find("Title"),  # type: ignore[union-attr]
    )


def test_bytes_of_two_encodings_are_both_read() -> None:
    """A system that pastes a Latin-1 name into UTF-8."""
    both = UMLAUT.encode().replace(b"</n:Title>", " größer".encode("latin-1") + b"</n:Title>")
    asked = needs(both, "wrong-encoding").envelope.message
    assert "Jürgens Bücher – “alle” größer" in repr(asked)


@pytest.mark.parametrize("junk", [b"\x00", b"\x04", b"\x1a\x00\r\n", b"\x0b\x0c\x1f"])
@pytest.mark.parametrize("where", ["before", "inside", "after"])
def test_control_characters_are_left_out(junk: bytes, where: str) -> None:
    raw = (DECLARATION + GOOD).encode()
    raw = {
        "before": junk + raw,
        "inside": raw.replace(b"A title", b"A" + junk.strip() + b" title"),
        "after": raw + junk,
    }[where]
    assert needs(raw, "control-characters").envelope.message == ORIGINAL


@pytest.mark.parametrize("written", ["&#0;", "&#4;", "&#x1F;", "&#00004;"])
def test_references_to_control_characters_are_left_out(written: str) -> None:
    raw = GOOD.replace("A title", f"A{written} title").encode()
    assert needs(raw, "control-characters").envelope.message == ORIGINAL
    assert "A\ttitle" in repr(read(parse(GOOD.replace("A title", "A&#9;title").encode())).envelope).replace("\\t", "\t")


FORMS: dict[str, Callable[[str], str]] = {
    "xml": lambda text: f"xml={quote_plus(text)}",
    "XForms:Model": lambda text: f"XForms:Model={quote(text)}",
    "encoded name": lambda text: f"XForms%3AModel={quote_plus(text)}",
    "other fields": lambda text: f"token=abc&xml={quote_plus(text)}&submit=Send",
    "not encoded": lambda text: f"xml={text}",
    "not encoded, with other fields": lambda text: f"a=b&xml={text}&submit=Send",
    "blanks": lambda text: f"\r\nxml={quote_plus(text)}",
    "multipart": multipart,
}


@pytest.mark.parametrize("posted", FORMS.values(), ids=FORMS)
def test_a_web_form_is_opened(posted: Callable[[str], str]) -> None:
    text = GOOD.replace("A title", "1 + 1 = 2 &amp; 100 % ü")
    expected = read(parse(text.encode())).envelope.message
    assert needs(posted(text).encode(), "form-post").envelope.message == expected


@pytest.mark.parametrize("encode", [quote, quote_plus])
def test_a_body_written_with_percent_signs_is_decoded(encode: Callable[[str], str]) -> None:
    text = GOOD.replace("23:59:00Z", "23:59:00+00:00").replace("A title", "1 + 1 ü")
    expected = read(parse(text.encode())).envelope.message
    assert needs(encode(text).encode(), "url-encoded").envelope.message == expected
    small = re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), encode(text))
    assert needs(small.encode(), "url-encoded").envelope.message == expected


@pytest.mark.parametrize(
    "raw",
    [b"xml=", b"xml=hello", b"item=1&user=2", b"a=" + b"&a=" * 100_000, b"--", b"--x\r\n\r\n", b"--x\r\n" * 100_000],
)
def test_a_form_without_a_message_is_no_message(raw: bytes) -> None:
    with pytest.raises(Problem) as caught:
        parse(raw)
    assert caught.value.type is ProblemType.INVALID_MESSAGE_SYNTAX_ERROR


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>'


@pytest.mark.parametrize("wrap", [str, quote, FORMS["xml"], FORMS["not encoded"], multipart], ids=range(5))
@pytest.mark.parametrize("encode", ["utf-8", "utf-16"])
def test_no_wrapping_gets_an_entity_through(wrap: Callable[[str], str], encode: str) -> None:
    for hostile in (BOMB, "\x04" + BOMB, BOMB.replace("<!ENTITY", "<!\x00ENTITY"), BOMB.replace("<!DOC", "<!D\x04OC")):
        with pytest.raises(Problem) as caught:
            parse(wrap(hostile).encode(encode))
        assert caught.value.type is ProblemType.INVALID_MESSAGE_SYNTAX_ERROR


LONG = {
    "percent signs": b"%3C" * 340_000,
    "a form of percent signs": b"xml=" + b"%" * 1_000_000,
    "high bytes": b"\xfc" * 1_000_000,
    "high bytes and blanks": b"<a>" + b"\xfc " * 500_000,
    "control characters": b"<a>" + b"\x04" * 1_000_000,
    "references": b"<a>" + b"&#4;" * 250_000,
    "long references": b"<a>" + b"&#0000000000" * 80_000,
    "one prefix": b"<NCIPMessage>" + b"<a:b/>" * 160_000,
    "many prefixes": b"<NCIPMessage>" + b"".join(b"<p%d:b/>" % number for number in range(80_000)),
    "parts": b"--x\r\n" + b"\r\n\r\n" * 240_000,
    "blanks": b" " * 1_000_000,
    "a false encoding": b'<?xml version="1.0" encoding="UTF-16"?>' + b"\xfc " * 500_000,
}


@pytest.mark.parametrize("raw", LONG.values(), ids=LONG)
def test_bytes_made_to_be_repaired_for_long_are_not(raw: bytes) -> None:
    started = time.process_time()
    with pytest.raises(Problem):
        parse(raw)
    assert time.process_time() - started < 20  # a tenth of a second here; with the square of the length it were an hour


@pytest.mark.parametrize("prefix", ["ncip", "ns1", "x-y.z"])
def test_a_prefix_that_nobody_declared_is_that_of_ncip(prefix: str) -> None:
    text = GOOD.replace("<n:", f"<{prefix}:").replace("</n:", f"</{prefix}:").replace(" n:", f" {prefix}:")
    raw = text.replace(f' xmlns:n="{NS}"', "").encode()
    assert needs(raw, "undeclared-prefix").envelope.message == ORIGINAL


def test_a_prefix_is_not_declared_by_a_longer_one() -> None:
    """`n2` is another prefix than `n`, though the name of the one begins with that of the other."""
    text = GOOD.replace(f'xmlns:n="{NS}"', 'xmlns:n2="urn:elsewhere"')
    assert needs(text.encode(), "undeclared-prefix").envelope.message == ORIGINAL


@pytest.mark.parametrize("warned_of", ['<n:a xmlns:b="relative"/>', '<n:a xml:space="any"/>'])
def test_a_prefix_that_nobody_declared_is_found_though_a_warning_follows(warned_of: str) -> None:
    """The parser ends with a warning then, and lxml takes that for all that there is to say."""
    text = GOOD.replace("<n:ResourceDesired/>", "<ncip:ResourceDesired/>").replace("</n:Ext>", f"{warned_of}</n:Ext>")
    reading = read(parse(text.encode()))
    assert "undeclared-prefix" in {applied.name for applied in reading.repairs}
    assert isinstance(reading.envelope.message, CheckOutItem)
    assert reading.envelope.message.resource_desired


def test_a_prefix_of_an_attribute_alone_is_declared_too() -> None:
    text = GOOD.replace("<n:", "<").replace("</n:", "</").replace("xmlns:n=", "xmlns=").replace(" n:", " ncip:")
    assert needs(text.encode(), "undeclared-prefix").envelope.message == ORIGINAL
    hint = text.replace("xmlns=", 'xsi:schemaLocation="http://x y" xmlns=')
    assert needs(hint.encode(), "undeclared-prefix").envelope.message == ORIGINAL
