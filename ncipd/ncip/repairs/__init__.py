"""Named repairs of messages that the grammar refuses and that senders send all the same.

A repair touches only what is invalid, and says what it did. None runs on a valid message, and none runs once the
message is valid. They run in the order of REPAIRS: the bytes come first; the tree has its names before anything is
looked for by name; and what is foreign goes last. Each walks through the message a fixed number of times.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice

from ncipd.ncip.applied import Applied
from ncipd.ncip.document import Document
from ncipd.ncip.paths import path
from ncipd.ncip.repairs import content, names, values
from ncipd.ncip.repairs.walk import Changes
from ncipd.ncip.schema import is_valid

__all__ = ["MOST_RECORDED", "REPAIRS", "TOLERATED", "Applied", "Repair", "repair"]

MOST_RECORDED = 20
"""How many changes of one repair are recorded one by one; of more, the number is."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair: its name, what it accepts, what it does about it, and how.

    ``apply`` yields each element and what is done to it, before it does it.
    """

    name: str
    accepts: str
    summary: str
    apply: Callable[[Document], Changes] | None = None
    """None where the bytes are repaired, because without it there is no tree."""
    tolerated: bool = False
    """Whether the schema does not refuse what it accepts: it is made even where nothing is to be repaired."""


def repair(document: Document, allowed: Collection[str] | None = None) -> list[Applied]:
    """Repair a document in place and tell what was done; ``allowed`` names the repairs that may be made (None: all)."""
    applied: list[Applied] = []
    for each in REPAIRS.values():
        if each.apply is not None and (allowed is None or each.name in allowed):
            made = list(_recorded(each.name, each.apply(document)))
            applied += made
            if made and is_valid(document.root):
                break
    return applied


def _recorded(name: str, changes: Changes) -> Iterator[Applied]:
    for node, detail in islice(changes, MOST_RECORDED):
        yield Applied(name, path(node), detail)
    more = sum(1 for _ in changes)
    if more:
        yield Applied(name, "/NCIPMessage", f"and {more} more")


REPAIRS: dict[str, Repair] = {
    each.name: each
    for each in (
        # --- bytes: octets.py, forms.py, prolog.py
        Repair("url-encoded", "a body written with percent signs, `%3CNCIPMessage…`", "Decodes it."),
        Repair(
            "form-post",
            "a web form (`xml=…`, `XForms:Model=…` or any other field, URL-encoded or not, or multipart)",
            "Takes the message out of the first field that holds XML.",
        ),
        Repair(
            "leading-whitespace",
            "blanks, line ends and byte order marks before the XML declaration, or byte order marks behind blanks",
            "Cuts them off.",
        ),
        Repair(
            "utf-8-declared-otherwise",
            "a declaration of ISO-8859-1 or another one-byte encoding over bytes that are UTF-8",
            "Reads UTF-8.",
            tolerated=True,
        ),
        Repair(
            "wrong-encoding",
            "bytes that are not in the encoding declared: UTF-16 declared over UTF-8, UTF-8 declared (or nothing) over "
            "Latin-1 or Windows-1252, and mixtures",
            "Reads as UTF-8 what is UTF-8, and the rest as Windows-1252.",
        ),
        Repair(
            "control-characters",
            "NUL, 0x04 and other control characters, in the message, around it, or written as `&#4;`",
            "Leaves them out.",
        ),
        Repair(
            "undeclared-prefix",
            "a namespace prefix that no `xmlns` declares, such as `ncip:version` in a message without prefixes",
            "Declares it for NCIP (`xsi` for XML Schema).",
        ),
        Repair(
            "doctype",
            "a DOCTYPE that names an outside DTD",
            "Ignores it; the DTD is never fetched, and entities stay refused.",
            tolerated=True,
        ),
        Repair(
            "nonsense-version",
            "a version attribute that names no version 2, such as `5.6`",
            "Takes the message to be 2.02.",
            tolerated=True,
        ),
        Repair(
            "message-in-ext",
            "a message in the Ext of the NCIPMessage, as NCIP 2.0 sends LookupItemSet",
            "Takes it out, and puts the answer into an Ext.",
            tolerated=True,
        ),
        # --- names
        Repair(
            "no-namespace",
            "elements of NCIP 2 without a namespace",
            "Puts them into the namespace of NCIP.",
            names.no_namespace,
        ),
        Repair(
            "wrong-namespace",
            "a namespace that is a variant of NCIP's, such as one with https or a slash at its end",
            "Takes it for the namespace of NCIP.",
            names.wrong_namespace,
        ),
        Repair(
            "ils-di",
            "elements of NCIP 2.02 in the namespace of the ILS-DI extension, which had them before",
            "Puts them into the namespace of NCIP.",
            names.ils_di,
        ),
        Repair(
            "unqualified-version",
            "`version` where `ncip:version` should be",
            "Puts the attribute into the namespace of NCIP.",
            names.unqualified_version,
        ),
        Repair("missing-version", "no version attribute", "Takes the message to be 2.02.", names.missing_version),
        Repair(
            "misspelt-element",
            "an element that can only be another one: other case, plural, words in another order (DesiredDueDate), "
            "one letter wrong, or the Unique of version 1",
            "Gives it the name of the one element of its parent that it can be. A message is never guessed.",
            names.misspelt_element,
        ),
        Repair(
            "unqualified-scheme",
            "`Scheme` where `ncip:Scheme` should be, or an empty one",
            "Puts the attribute into the namespace of NCIP; drops it where it is empty.",
            names.unqualified_scheme,
        ),
        Repair(
            "scheme-value",
            "Scheme and Value as child elements, as in version 1",
            "Takes the Value for the content and the Scheme for the attribute.",
            values.scheme_value,
        ),
        Repair(
            "unknown-attribute",
            "attributes that the grammar does not have, such as `datatype`",
            "Drops them.",
            names.unknown_attribute,
        ),
        # --- places
        Repair(
            "checkin-ids",
            "UserId and RequestId in a CheckInItem",
            "Moves them into its Ext, where they help to find the loan.",
            content.checkin_ids,
        ),
        Repair(
            "proof-beside-user",
            "AuthenticationInput beside a UserId, where the grammar has one or the other",
            "Moves it into the Ext; the UserId says who it is, and the proof is checked.",
            content.proof_beside_user,
        ),
        Repair(
            "bare-record",
            "a BibliographicRecordId that holds a number alone, neither whose nor which kind",
            "Takes it for a number of the agency in ToAgencyId.",
            content.bare_record,
        ),
        Repair("stray-text", "text between child elements", "Drops it.", content.stray_text),
        # --- values
        Repair(
            "flag-value",
            "a word in an element that says yes by being there: `<ResourceDesired>true</ResourceDesired>`",
            "Leaves out a yes, true or 1, and the whole element where it says no, false or 0.",
            values.flag_value,
        ),
        Repair(
            "date-spelling",
            "a date and time with a blank for the T, with slashes, a decimal comma, or without hyphens and colons",
            "Spells it as XML does. Day and month are never swapped: the year must come first.",
            values.date_spelling,
        ),
        Repair(
            "date-only",
            "a date without a time",
            "Takes it for 23:59:59 of that day, in the partner's time zone (or else the agency's) unless it names one.",
            values.date_only,
        ),
        Repair("missing-seconds", "a time without seconds", "Adds `:00`.", values.missing_seconds),
        Repair(
            "odd-offset",
            "an offset such as `+0100`, `+01`, `z` or `UTC`",
            "Spells it as `+01:00` or `Z`.",
            values.odd_offset,
        ),
        Repair(
            "missing-currency",
            "an amount of 0 without CurrencyCode, as in the fee of an AcceptItem that costs nothing",
            "Drops the amount, or the element that is about it, whichever may be absent; any other amount is refused.",
            values.missing_currency,
        ),
        # --- what is left
        Repair(
            "misplaced-element",
            "an element of NCIP that has no place in its parent",
            "Moves it into the Ext of the parent.",
            content.misplaced_element,
        ),
        Repair(
            "unknown-element",
            "an element that NCIP does not have",
            "Moves it into the Ext of its parent, where it is kept and not looked at. An unknown message is refused.",
            content.unknown_element,
        ),
        Repair("child-order", "child elements in another order", "Puts them in order.", content.child_order),
        Repair(
            "empty-value",
            "an empty element that may be absent and must not be empty, or one that is about an amount without a value",
            "Drops it.",
            values.empty_value,
        ),
        Repair(
            "foreign-ext",
            "in an Ext, what is not NCIP",
            "Keeps it without checking it.",
            content.foreign_ext,
        ),
        Repair(
            "half-header",
            "a ResponseHeader that is not whole",
            "Leaves it out: an answer comes on the connection that its question took.",
            content.half_header,
        ),
    )
}

TOLERATED = frozenset(each.name for each in REPAIRS.values() if each.tolerated)
"""The repairs of what the schema does not refuse."""
