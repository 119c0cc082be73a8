"""Why a message cannot be carried out: the exception that carries a problem in the standard's words."""

from __future__ import annotations

from ncipd.ncip import elements
from ncipd.ncip.problem_types import (
    GENERAL,
    GENERAL_SCHEME,
    MESSAGING,
    MESSAGING_SCHEME,
    SERVICE_PROBLEMS,
    ProblemType,
    scheme_of,
)
from ncipd.ncip.types import Coded

__all__ = [
    "GENERAL",
    "GENERAL_SCHEME",
    "MESSAGING",
    "MESSAGING_SCHEME",
    "SERVICE_PROBLEMS",
    "Problem",
    "ProblemType",
    "scheme_of",
]


LONGEST_DETAIL = 2_000
"""Characters of a sentence for a person; what is quoted in it may be as long as a message."""


class Problem(Exception):
    """Raised where a message cannot be carried out; the answer says so in the standard's words.

    ``element`` is the path of the element that it is about and ``value`` what stands there, as received. ``detail`` is
    a sentence for a person: what was wrong and what to do. ``and_also`` holds further problems of the same message.
    CheckOutItem, RenewItem, RequestItem and UpdateRequestItem may be answered with a fee or restrictions that the user
    has to accept first (Z39.83-1 section 5.4).
    """

    def __init__(
        self,
        type: ProblemType | str,
        *,
        element: str | None = None,
        value: str | None = None,
        detail: str,
        scheme: str | None = None,
        and_also: tuple[Problem, ...] = (),
        required_fee: elements.RequiredFeeAmount | None = None,
        required_restrictions: tuple[Coded, ...] = (),
    ) -> None:
        """Say what is wrong."""
        if len(detail) > LONGEST_DETAIL:
            half = LONGEST_DETAIL // 2
            detail = f"{detail[:half]} … {detail[-half:]}"
        super().__init__(f"{type}: {detail}")
        self.type = type
        self.element = element
        self.value = value
        self.detail = detail
        self.scheme = scheme
        self.and_also = and_also
        self.required_fee = required_fee
        self.required_restrictions = required_restrictions

    def as_element(self, service: str | None) -> elements.Problem:
        """Give the Problem element that says this in the answer of a service, named as its initiation message."""
        return elements.Problem(
            problem_type=Coded(str(self.type), self.scheme or scheme_of(self.type, service)),
            problem_detail=self.detail,
            problem_element=self.element,
            problem_value=self.value,
        )
