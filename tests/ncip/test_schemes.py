"""The standard's value lists, with the URIs that name them."""

from __future__ import annotations

import pytest

from ncipd.ncip import schemes
from ncipd.ncip.schemes import CirculationStatus, RequestStatusType, SchemeValue
from ncipd.ncip.types import Coded

LISTS = SchemeValue.__subclasses__()


def test_a_value_carries_the_uri_of_its_list() -> None:
    uri = "http://www.niso.org/ncip/v1_0/imp1/schemes/circulationstatus/circulationstatus.scm"
    assert CirculationStatus.ON_LOAN.coded() == Coded("On Loan", uri)


@pytest.mark.parametrize("text", ["On Loan", " on loan ", "ON LOAN", Coded("On loan", "urn:other")])
def test_a_received_value_is_found_whatever_its_case_and_scheme(text: Coded | str) -> None:
    assert CirculationStatus.named(text) is CirculationStatus.ON_LOAN


@pytest.mark.parametrize("text", [None, "", "Lent", Coded("")])
def test_a_value_that_is_on_no_list_is_none(text: Coded | str | None) -> None:
    assert CirculationStatus.named(text) is None


def test_values_are_spelled_as_the_standard_spells_them() -> None:
    assert RequestStatusType.NEED_TO_ACCEPT_CONDITIONS == "Need to Accept Conditions"
    assert schemes.MediumType.COMPACT_DISC == "Compact Disc (CD)"
    assert schemes.ItemIdentifierType.scheme.endswith("/visibleitemidentifiertype.scm")
    assert schemes.UserElementType.scheme == "http://www.niso.org/ncip/v1_0/schemes/userelementtype/userelementtype.scm"


def test_what_version_2_02_added_is_there() -> None:
    assert schemes.ItemElementType.DATE_DUE == "Date Due"
    assert {schemes.MediumType.DVD, schemes.MediumType.BLU_RAY} == {"DVD", "Blu-Ray"}
    assert {"UPC", "GTIN"} <= set(schemes.BibliographicItemIdentifierCode)
    assert {"Renew Still Pending", "Item Not Renewed", "Item Overdue"} <= set(CirculationStatus)


def test_every_list_has_a_uri_of_its_own_and_distinct_values() -> None:
    assert len(LISTS) == 31
    assert len({each.scheme for each in LISTS}) == len(LISTS)
    for each in LISTS:
        assert each.scheme.startswith("http://www.niso.org/ncip/v")
        assert len({value.casefold() for value in each}) == len(each)
