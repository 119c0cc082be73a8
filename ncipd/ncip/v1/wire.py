"""Version 1 as a wire form: how an answer in it is spelled, checked, and refused where there is no service."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lxml import etree

from ncipd.ncip import elements, messages
from ncipd.ncip.lexical import escape_attribute
from ncipd.ncip.paths import Node
from ncipd.ncip.problem_types import MESSAGING_SCHEME
from ncipd.ncip.schema import Violation
from ncipd.ncip.types import Coded, Message, Response
from ncipd.ncip.v1 import grammar
from ncipd.ncip.v1.table import AUTHENTICATE, DTD, LATER, UNIQUE
from ncipd.ncip.v1.writing import put
from ncipd.ncip.wire import Wire

_WORD = re.compile(r"\b(" + "|".join(UNIQUE) + r")\b")


@dataclass(frozen=True, slots=True)
class Version1(Wire):
    """NCIP 1: what the answer has of the spelling of the message, which had it or not."""

    version: str = DTD
    """The version attribute, as received."""
    asked: str = ""
    """The element that was received in the NCIPMessage."""
    doctype: bool = False
    datatypes: bool = False
    """Whether texts carry the attribute datatype."""
    header: elements.ResponseHeader | None = None
    """The header of an answer that no service gives, where it is known."""
    grammar: str = "1.0"

    def write(self, message: Message) -> bytes:
        """Write a message in the words of version 1."""
        is_answer = self.asked in AUTHENTICATE and isinstance(message, Response)
        root = etree.Element("NCIPMessage", version=self.version)
        put(root, message, "AuthenticateUserResponse" if is_answer else None, datatypes=self.datatypes)
        public = "1.01" if "v1_01" in self.version else "1.0"
        doctype = (
            f'<!DOCTYPE NCIPMessage PUBLIC "-//NISO//NCIP DTD Version {public}//EN" '
            f'"{escape_attribute(self.version) if self.version.endswith(".dtd") else DTD}">\n'
        )
        text = etree.tostring(root, encoding="unicode")
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{doctype if self.doctype else ""}{text}'.encode()

    def refuse(self, problems: tuple[elements.Problem, ...]) -> bytes:
        """Write problems into the response to what was asked.

        The envelope of version 1 holds no problems. For what has no response at all, that of ItemRequested is taken:
        systems of version 1 that wait for an answer take it for a failure of anything (reference: INN-Reach).
        """
        asked = AUTHENTICATE.get(self.asked, self.asked)
        kind = getattr(messages, asked if asked.endswith("Response") else f"{asked}Response", None)
        is_known = isinstance(kind, type) and issubclass(kind, Response) and kind.__name__ in grammar.names() | LATER
        known = kind if is_known and kind is not None else messages.ItemRequestedResponse
        errors = tuple(_about_the_message(one) for one in problems)
        return self.write(known(response_header=self.header, problem=errors))

    @property
    def plain(self) -> Version1:
        """Version 1.0 without the header and the version attribute of the message; what was asked is kept if known."""
        return Version1(asked=self.asked if self.has(self.asked) else "")

    def is_valid(self, root: Node) -> bool:
        """Tell whether what was written obeys the grammar of 1.0, or of 1.01 for what only that has."""
        return grammar.is_valid_answer(root)

    def violations(self, root: Node) -> list[Violation]:
        """Give the breaches of the grammar of 1.0."""
        return grammar.violations(root)

    def worded(self, found: list[Violation]) -> list[Violation]:
        """Say breaches of the grammar of version 2 with the names that their elements have in version 1."""
        return [
            replace(
                one,
                path=_old(one.path),
                found=_old(one.found),
                expected=_old(one.expected),
                reason=_old(one.reason),
                name=_old(one.name),
            )
            for one in found
        ]

    def agreed(self, *, prefix: str = "ns1", datatypes: str = "as-asked") -> Version1:  # noqa: ARG002 - it has none
        """Give the form with the datatypes of the partner, whose messages need not show what it wants."""
        return self if datatypes == "as-asked" else replace(self, datatypes=datatypes == "always")

    def has(self, service: str) -> bool:
        """Tell whether 1.0, or 1.01 as far as it is known, has the service."""
        return service in LATER or service in grammar.names() or service not in messages.MESSAGES

    def called(self, service: str | None) -> str | None:
        """Give AuthenticateUser where it was that, for version 2 has no word for it."""
        return self.asked if self.asked in AUTHENTICATE else service


def _old(text: str) -> str:
    return _WORD.sub(lambda found: UNIQUE[found[0]], text)


def _about_the_message(problem: elements.Problem) -> elements.Problem:
    """Make a problem a messaging error: it is not about what was asked for."""
    return replace(problem, problem_type=Coded(problem.problem_type.value, MESSAGING_SCHEME))
