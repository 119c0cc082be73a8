"""Messages on a bare connection: told apart by the end of their root elements, however the bytes arrive."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncipd.ncip.framing import LONGEST_NAME, FramingLost, Splitter
from ncipd.ncip.problems import ProblemType

PLAIN = b"<NCIPMessage><LookupItem/></NCIPMessage>"
ODD = {
    "an empty root": b"<NCIPMessage/>",
    "a prefix": b'<ns1:NCIPMessage xmlns:ns1="u"><ns1:X/></ns1:NCIPMessage>',
    "a declaration": b'<?xml version="1.0" encoding="UTF-8"?>\r\n' + PLAIN,
    "> in a value of the root": b"<NCIPMessage a=\"x>y\" b='/>'>t</NCIPMessage>",
    "an empty root with /> in a value": b'<NCIPMessage a="/>"/>',
    "a quote in the other quotes": b"<NCIPMessage a=\"it's\" b='\"'>t</NCIPMessage>",
    "the end in an inner value": b"<NCIPMessage><X a='&lt;/NCIPMessage>'/></NCIPMessage>",
    "the end in a comment": b"<NCIPMessage><!-- </NCIPMessage> -- > ' --></NCIPMessage>",
    "the end in CDATA": b"<NCIPMessage><![CDATA[</NCIPMessage> ]] > <!-- ]]></NCIPMessage>",
    "the end in an instruction": b"<NCIPMessage><?go </NCIPMessage> ' ?></NCIPMessage>",
    "comments and instructions first": b"<?xml version='1.0'?><!-- <NCIPMessage> --><?a b?>\n<!----> " + PLAIN,
    "a DOCTYPE": b'<!DOCTYPE NCIPMessage PUBLIC "-//NISO//NCIP DTD Version 1//EN" "http://x/y>z.dtd">' + PLAIN,
    "a DOCTYPE with a subset": b"""<!DOCTYPE NCIPMessage [
        <!-- it's a ]> --> <?p ]> ' ?>
        <!ENTITY a "]>'"> <!ENTITY b '">' ><!ELEMENT c (#PCDATA)> %d;
    ]>"""
    + PLAIN,
    "a root within the root": b"<NCIPMessage><NCIPMessage/><NCIPMessage ><a/></NCIPMessage\n></NCIPMessage >",
    "longer and shorter names": b"<NCIPMessage><NCIPMessages></NCIPMessages><NCIP/></NCIPMessage>",
    "blanks in tags": b"<NCIPMessage\n a = 'b'\t>t</NCIPMessage \r\n>",
    "letters beyond ASCII": "<NCIPMessage>Bücher „a“ 𝄞</NCIPMessage>".encode(),
    "Latin-1": '<?xml version="1.0" encoding="ISO-8859-1"?><NCIPMessage>Bücher</NCIPMessage>'.encode("latin-1"),
    "another root": b"<html><body></body></html>",
}
BROKEN = {
    "a child left open": b"<NCIPMessage><X><Y></X></NCIPMessage>",
    "a quote left open": b"<NCIPMessage><X a='b></X></NCIPMessage>",
    "a quote of the root left open": b"<NCIPMessage a='b><X></X></NCIPMessage>",
    "a tag left open": b"<NCIPMessage <X></X></NCIPMessage>",
    "a bare <": b"<NCIPMessage>a < b, it's <3</NCIPMessage>",
    "control characters": b"<NCIPMessage>\x00\x04\x1f</NCIPMessage>",
    "no > at the end": b"<NCIPMessage></NCIPMessage<",
}
SEPARATORS = [b"", b"\n", b"\r\n", b"\x00", b"\x04", b" \t", b"\xef\xbb\xbf", b"\x04\r\n\x00"]
ALL = [*ODD.values(), *(one for name, one in BROKEN.items() if name != "no > at the end")]


def split(*chunks, most=1_000_000):
    splitter = Splitter(most)
    return [message for chunk in chunks for message in splitter.feed(chunk)], splitter


def bytewise(stream):
    return [stream[at : at + 1] for at in range(len(stream))]


@pytest.mark.parametrize("message", ODD.values(), ids=ODD)
def test_a_message_ends_where_its_root_element_ends_byte_by_byte_or_at_once(message):
    for chunks in ([message + PLAIN], bytewise(message + PLAIN)):
        messages, splitter = split(*chunks)
        assert messages == [message, PLAIN]
        assert not splitter.pending


@pytest.mark.parametrize("message", [one for name, one in BROKEN.items() if name != "no > at the end"])
def test_a_message_that_is_no_xml_does_not_swallow_the_next(message):
    """It is for its reader to refuse; the connection goes on."""
    for chunks in ([message + PLAIN], bytewise(message + PLAIN)):
        assert split(*chunks)[0] == [message, PLAIN]


@given(
    st.lists(st.tuples(st.sampled_from(ALL), st.sampled_from(SEPARATORS)), max_size=6),
    st.sampled_from(SEPARATORS),
    st.data(),
)
def test_any_way_of_cutting_any_messages_gives_the_same_messages(sent, first, data):
    stream = first + b"".join(message + separator for message, separator in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    chunks = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    messages, splitter = split(*chunks)
    assert messages == [message for message, _ in sent]
    assert (splitter.pending, splitter.rest) == (False, b"")


@given(st.lists(st.binary(max_size=40), max_size=10), st.integers(10, 60))
def test_whatever_comes_gives_messages_or_a_problem_and_the_same_ones_byte_by_byte(chunks, most):
    """Soup made of nothing in particular: no other exception, and no more held than allowed."""
    assert outcome(chunks, most) == outcome(bytewise(b"".join(chunks)), most)


SOUP = st.sampled_from(
    [
        *b"< > / a <a> </a> <a/> <ab </ab> <!-- --> <![CDATA[ ]]> <? ?> <!DOCTYPE <!ENTITY [ ]".split(),
        *[b'"', b"'", b" ", b"\n", b"\x00", b"\x04", b"\xef", b"\xef\xbb\xbf"],
    ]
)


@given(st.lists(SOUP, max_size=40), st.integers(10, 60))
def test_markup_soup_gives_the_same_messages_byte_by_byte(pieces, most):
    assert outcome(pieces, most) == outcome(bytewise(b"".join(pieces)), most)


def outcome(chunks, most):
    splitter, messages = Splitter(most), []
    try:
        for chunk in chunks:
            messages += splitter.feed(chunk)
            assert len(splitter.rest) <= most
    except FramingLost:
        return messages, "lost"
    assert all(0 < len(message) <= most for message in messages)
    return messages, splitter.rest


def test_messages_are_found_only_as_they_are_asked_for():
    """Who answers one at a time has the others wait, not in a list of their own."""
    splitter = Splitter(1_000)
    given_ = splitter.feed(PLAIN + PLAIN + b"rubbish")
    assert next(given_) == PLAIN
    assert splitter.rest == PLAIN + b"rubbish"
    assert next(given_) == PLAIN
    with pytest.raises(FramingLost):
        next(given_)


def test_messages_before_the_rubbish_are_given_and_nothing_after_it():
    splitter, messages = Splitter(1_000), []
    with pytest.raises(FramingLost):
        for message in splitter.feed(PLAIN + b"\nHELO there\n" + PLAIN):
            messages.append(message)  # noqa: PERF402 - extend() would keep none of them
    assert messages == [PLAIN]
    assert list(splitter.feed(PLAIN)) == []


@pytest.mark.parametrize(
    ("rubbish", "told"),
    [
        (b"HELO there", r"found 'HELO there'"),
        (b"]]>", r"found ']]>'"),
        (b"< a/>", r"found '< a/>'"),
        (b"</NCIPMessage>", "found '</NCIPMessage>'"),
        (b"<1/>", "found '<1/>'"),
        (b"\x16\x03\x01\x02\x00", r"found '\x16"),
        (PLAIN.decode().encode("utf-16"), "UTF-16 is not understood"),
        (PLAIN.decode().encode("utf-16-le"), "UTF-16 is not understood"),
        (PLAIN.decode().encode("utf-16-be"), "UTF-16 is not understood"),
        (b"<?xml version='1.0'?>stray" + PLAIN, "found 'stray<"),
        (b"<" + b"a" * (LONGEST_NAME + 1), "found '<aaaa"),
        (b"<" + b"a" * (LONGEST_NAME + 1) + b"/>", "found '<aaaa"),
    ],
)
def test_what_is_no_message_is_told_with_what_was_found_and_what_to_send(rubbish, told):
    with pytest.raises(FramingLost) as lost:
        split(rubbish)
    assert told in lost.value.detail
    assert "Please send" in lost.value.detail
    assert lost.value.type == ProblemType.INVALID_MESSAGE_SYNTAX_ERROR
    assert lost.value.detail.isascii()


@pytest.mark.parametrize(
    "unfinished",
    [b"<NCIPMessage>", b"<NCIPMessage a='", b"<!-- ", b"<!DOCTYPE a [", b"<![CDATA[", b"<?xml ", b"<NCIPMessage><!--"],
)
@pytest.mark.parametrize("size", [1, 7, 2_000])
def test_a_message_beyond_the_limit_is_refused_as_soon_as_that_is_known(unfinished, size):
    """No more is held than the limit and one chunk, whatever hides the end."""
    splitter = Splitter(1_000)
    stream, fed = unfinished + b"x" * 5_000, 0
    with pytest.raises(FramingLost, match="at most 1,000 bytes"):
        for fed in range(0, len(stream), size):
            assert not list(splitter.feed(stream[fed : fed + size]))
    assert fed <= 1_000


def test_a_message_of_exactly_the_limit_is_given_and_one_byte_more_is_not():
    assert split(PLAIN + PLAIN, most=len(PLAIN))[0] == [PLAIN, PLAIN]
    for chunks in ([PLAIN], bytewise(PLAIN)):
        with pytest.raises(FramingLost):
            split(*chunks, most=len(PLAIN) - 1)


def test_what_stands_between_messages_counts_for_nothing():
    messages, splitter = split(b"\n" * 5_000, PLAIN, b"\x00" * 5_000, PLAIN, b"\x04", most=100)
    assert messages == [PLAIN, PLAIN]
    assert not splitter.pending


@pytest.mark.parametrize(
    ("behind", "separator"),
    [(b"\n", b"\n"), (b"\r\n", b"\r\n"), (b"\x00", b"\x00"), (b" \x04\n", b"\x04"), (b"", b""), (b"  ", b"")],
)
def test_what_a_sender_puts_behind_its_messages_is_known(behind, separator):
    assert split(PLAIN + behind)[1].separator == separator
    assert split(PLAIN, behind)[1].separator == separator


def test_a_message_that_has_begun_is_pending_until_it_is_whole():
    splitter = Splitter(1_000)
    assert not splitter.pending
    assert not list(splitter.feed(b"\n" + PLAIN[:9]))
    assert (splitter.pending, splitter.rest) == (True, PLAIN[:9])
    assert list(splitter.feed(PLAIN[9:])) == [PLAIN]
    assert not splitter.pending


HARD = {
    "one long text": b"<NCIPMessage>" + b"x" * 1_000_000,
    "a tag without end": b"<NCIPMessage " + b"x" * 1_000_000,
    "a comment of hyphens": b"<!--" + b"- " * 500_000,
    "brackets in CDATA": b"<NCIPMessage><![CDATA[" + b"]" * 1_000_000,
    "many <": b"<NCIPMessage>" + b"<" * 1_000_000,
    "many beginnings of the end": b"<NCIPMessage>" + b"</NCIPMessag" * 80_000,
    "many roots": b"<a>" * 333_333,
    "many quotes": b"<a " + b"'\"" * 500_000,
    "many declarations": b"<!DOCTYPE a [" + b"<!E '" * 200_000,
    "many blanks": b" \x00\n\x04" * 250_000,
    "many instructions": b"<?a?>" * 200_000,
    "many messages": b"<a/>" * 250_000,
}


@pytest.mark.parametrize("stream", HARD.values(), ids=HARD)
def test_time_grows_with_what_comes_and_not_faster(stream):
    """A megabyte in pieces of 100 bytes: were each piece to have the scan begin anew, it would take minutes."""
    began = time.thread_time()
    for _ in split(*(stream[at : at + 100] for at in range(0, len(stream), 100)), most=2_000_000)[0]:
        pass
    assert time.thread_time() - began < 60


def test_nesting_costs_no_memory():
    tracemalloc.start()
    splitter = Splitter(10_000_000)
    stream = b"<a>" * 300_000
    for at in range(0, len(stream), 1_000):
        list(splitter.feed(stream[at : at + 1_000]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * len(stream)


def test_the_messages_of_the_corpus_follow_each_other(shared):
    """Every real message in an encoding that can be framed, on one connection, cut into segments."""
    bodies = []
    for path in sorted((shared / "corpus").rglob("*.xml")):
        raw = path.read_bytes().strip(b" \t\r\n\x00\x04").removeprefix(b"\xef\xbb\xbf").lstrip()
        try:
            if split(raw)[0] == [raw]:
                bodies.append(raw)
        except FramingLost:
            continue
    assert len(bodies) > 250
    stream = b"\n".join(bodies)
    assert split(*(stream[at : at + 1_460] for at in range(0, len(stream), 1_460)))[0] == bodies
