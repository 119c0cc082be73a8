"""Answers as bytes: under their header, as their partner wants them, and none that breaks its own grammar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from lxml import etree
from msgspec.structs import replace

from ncipd.circulation.dialect import problem_for
from ncipd.circulation.errors import DeskError
from ncipd.ncip import messages
from ncipd.ncip.codec import without_foreign
from ncipd.ncip.envelope import header_of, reply_header
from ncipd.ncip.problems import Problem, ProblemType

if TYPE_CHECKING:
    from ncipd.circulation.lifecycle import IllegalMoveError
    from ncipd.ncip.types import Response
    from ncipd.ncip.wire import Wire
    from ncipd.responder.exchange import Exchange


class AnswerInvalid(Exception):
    """Our own answer broke the schema: a bug, and none of its effects may remain."""


def written(exchange: Exchange, response: Response) -> bytes:
    """Write a response under its header; raises AnswerInvalid for what the schema refuses, as that is not sent."""
    header = reply_header(exchange.header)
    if header is not None:
        response = replace(cast("Any", response), response_header=header)
    try:
        return _valid(exchange.wire, exchange.wire.write(response))
    except AnswerInvalid:  # ids are sent back as they came, and with them what was accepted unchecked in an Ext
        return _valid(exchange.wire, exchange.wire.write(without_foreign(response)))


def refusal(exchange: Exchange, problem: Problem) -> bytes:
    """Write a problem into the response to its message, or alone where none is known; raises AnswerInvalid."""
    told = tuple(
        problem_for(exchange.partner, one, exchange.service, exchange.our_code) for one in (problem, *problem.and_also)
    )
    kind = getattr(messages, f"{exchange.service}Response", None) if exchange.service else None
    if kind is None:
        return _valid(exchange.wire, exchange.wire.refuse(told))
    more: dict[str, Any] = {}
    if problem.required_fee is not None:
        more["required_fee_amount"] = problem.required_fee
    if problem.required_restrictions:
        more["required_item_use_restriction_type"] = problem.required_restrictions
    header = exchange.header
    if header is None and exchange.document is not None:
        header = header_of(exchange.document.root)
    response = kind(response_header=reply_header(header), problem=told, **more)
    try:
        return _valid(exchange.wire, exchange.wire.write(response))
    except AnswerInvalid:  # the header was read from a message that is not valid
        return _valid(exchange.wire, exchange.wire.write(replace(cast("Any", response), response_header=None)))


def as_problem(error: IllegalMoveError | DeskError) -> Problem:
    """Say in the words of the standard what the domain does not allow."""
    if isinstance(error, DeskError):
        return Problem(
            ProblemType.USER_INELIGIBLE_TO_CHECK_OUT_THIS_ITEM
            if error.code == "held-for-another-user"
            else ProblemType.TEMPORARY_PROCESSING_FAILURE,
            value=str(error.value) if error.value is not None else None,
            detail=f"{error.message} {error.hint}".strip(),
        )
    return Problem(
        ProblemType.REQUEST_ALREADY_PROCESSED,
        detail=f"The request is in status {str(error.status or 'none')!r}, which does not allow this any more.",
    )


def _valid(wire: Wire, answer: bytes) -> bytes:
    """Give an answer that its grammar accepts; what it refuses is not sent."""
    root = etree.fromstring(answer)
    if not wire.is_valid(root):
        raise AnswerInvalid("; ".join(str(violation) for violation in wire.violations(root)[:3]))
    return answer
