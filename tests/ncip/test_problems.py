"""A Problem says what is wrong in the standard's words, and where the words come from."""

from __future__ import annotations

import pytest

from ncipd.ncip import elements
from ncipd.ncip.elements import RequiredFeeAmount
from ncipd.ncip.messages import MESSAGES
from ncipd.ncip.problems import (
    GENERAL,
    GENERAL_SCHEME,
    MESSAGING,
    MESSAGING_SCHEME,
    SERVICE_PROBLEMS,
    Problem,
    ProblemType,
)
from ncipd.ncip.types import Coded

CHECK_OUT_SCHEME = "http://www.niso.org/ncip/v1_0/schemes/processingerrortype/checkoutitemprocessingerror.scm"


@pytest.mark.parametrize(
    ("type_", "service", "scheme"),
    [
        (ProblemType.UNKNOWN_ITEM, "CheckOutItem", CHECK_OUT_SCHEME),
        (ProblemType.NEEDED_DATA_MISSING, "CheckOutItem", GENERAL_SCHEME),
        (ProblemType.UNKNOWN_ELEMENT, "CheckOutItem", MESSAGING_SCHEME),
        (ProblemType.ITEM_ALREADY_CHECKED_OUT, "CheckOutItem", CHECK_OUT_SCHEME),
        ("Our Own Trouble", "CheckOutItem", CHECK_OUT_SCHEME),
        (ProblemType.UNSUPPORTED_SERVICE, None, GENERAL_SCHEME),
        (ProblemType.INVALID_MESSAGE_SYNTAX_ERROR, None, MESSAGING_SCHEME),
        (ProblemType.UNKNOWN_ITEM, None, None),
    ],
)
def test_a_problem_names_the_list_that_its_type_comes_from(type_: str, service: str | None, scheme: str | None) -> None:
    """The service's own list first, then the general one, then that of messaging."""
    assert Problem(type_, detail="x").as_element(service).problem_type == Coded(str(type_), scheme)


def test_a_problem_becomes_an_element_with_all_that_is_known() -> None:
    problem = Problem(
        ProblemType.UNKNOWN_ITEM,
        element="CheckOutItem/ItemId/ItemIdentifierValue",
        value="I-1",
        detail="No item I-1 here.",
        scheme="urn:mine",
    )
    assert problem.as_element("CheckOutItem") == elements.Problem(
        problem_type=Coded("Unknown Item", "urn:mine"),
        problem_detail="No item I-1 here.",
        problem_element="CheckOutItem/ItemId/ItemIdentifierValue",
        problem_value="I-1",
    )
    assert str(problem) == "Unknown Item: No item I-1 here."


def test_a_sentence_stays_one_that_a_person_can_read() -> None:
    """A message may have a value of a megabyte; the sentence that quotes it tells its beginning and its end."""
    value = "L" * 1_000_000
    problem = Problem(ProblemType.UNKNOWN_ITEM, value=value, detail=f"No item has the barcode {value!r}; check it.")
    assert problem.detail.startswith("No item has the barcode 'LLL")
    assert problem.detail.endswith("LLL'; check it.")
    assert len(problem.detail) < 2_100
    assert len(str(problem)) < 2_200
    assert problem.value == value


def test_a_problem_can_ask_for_a_fee_and_bring_further_problems() -> None:
    fee = RequiredFeeAmount(currency_code=Coded("EUR"), monetary_value=250)
    other = Problem(ProblemType.USER_BLOCKED, detail="y")
    problem = Problem(
        ProblemType.ELEMENT_RULE_VIOLATED,
        detail="x",
        and_also=(other,),
        required_fee=fee,
        required_restrictions=(Coded("In Library Use Only"),),
    )
    assert (problem.required_fee, problem.and_also) == (fee, (other,))
    assert problem.required_restrictions == (Coded("In Library Use Only"),)


def test_every_type_is_on_a_list_but_the_one_that_the_standard_lacks() -> None:
    listed = GENERAL.union(MESSAGING, *SERVICE_PROBLEMS.values())
    assert set(ProblemType) - listed == {ProblemType.ITEM_ALREADY_CHECKED_OUT}
    assert len(SERVICE_PROBLEMS) == 24


def test_every_list_belongs_to_a_service() -> None:
    assert set(SERVICE_PROBLEMS) <= set(MESSAGES)


def test_a_check_out_has_the_problems_of_its_list() -> None:
    assert SERVICE_PROBLEMS["CheckOutItem"] == {
        "Item Does Not Circulate",
        "Maximum Check Outs Exceeded",
        "Resource Cannot Be Provided",
        "Unknown Item",
        "Unknown Request",
        "Unknown User",
        "Unsupported Shipping Address Type",
        "User Authentication Failed",
        "User Blocked",
        "User Ineligible To Check Out This Item",
    }
