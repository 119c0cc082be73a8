"""How a partner wants problems put (`problem_…` settings)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ncipd.circulation.partner import ProblemDetail, ProblemPath, ProblemValue
from ncipd.ncip.types import Coded

if TYPE_CHECKING:
    from ncipd.circulation.partner import Partner
    from ncipd.ncip import elements as el
    from ncipd.ncip.problems import Problem


def problem_for(partner: Partner | None, problem: Problem, service: str | None, our_code: str = "") -> el.Problem:
    """Give the Problem element of an answer to a partner, or to a sender who is not known (None).

    `our_code` is what the message called our agency; it stands in ProblemValue where the partner wants that.
    """
    told = problem.as_element(service)
    if partner is None or not partner.puts_problems_otherwise:
        return told
    own = partner.problem_types.get(told.problem_type.value)
    type_ = Coded(own) if own else told.problem_type if partner.problem_scheme else Coded(told.problem_type.value)
    return replace(
        told,
        problem_type=type_,
        problem_detail=_detail(partner.problem_detail, told),
        problem_element=_element(partner.problem_element, told.problem_element),
        problem_value=_value(partner.problem_value, told.problem_value, our_code),
    )


def _detail(style: ProblemDetail, told: el.Problem) -> str | None:
    type_ = told.problem_type.value
    words = {ProblemDetail.SENTENCE: told.problem_detail, ProblemDetail.TYPE: type_, ProblemDetail.NONE: None}
    return words[style] if style in words else "_".join(type_.upper().replace("-", " ").split())


def _element(style: ProblemPath, path: str | None) -> str | None:
    if path is None or style is ProblemPath.NONE:
        return None
    if style is ProblemPath.NAME:
        return path.rpartition("/")[2]
    if style is ProblemPath.XPATH:
        return f"//{path.removesuffix(path[path.rfind('/') :]) if path.endswith('IdentifierValue') else path}"
    return path


def _value(style: ProblemValue, value: str | None, our_code: str) -> str | None:
    if value is None or style is ProblemValue.NONE:
        return None
    return f"{our_code}/{value}" if style is ProblemValue.AGENCY_VALUE and our_code else value
