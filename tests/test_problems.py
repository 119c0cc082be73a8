"""The page of problems: it is what ncipd does, and leaves none of the standard's problems unspoken of."""

from __future__ import annotations

import pytest

from ncipd.ncip.problem_types import SERVICE_PROBLEMS
from tests import problems
from tests.problems import PROBLEMS, ROOT, by_service


@pytest.mark.xdist_group("problems")
def test_the_page_is_what_a_run_of_the_cases_shows() -> None:
    assert PROBLEMS.read_text("utf-8") == problems.page(problems.seen(problems.play())), "run python -m tests.readme"


def test_every_problem_has_a_when_or_a_reason_why_it_does_not_come() -> None:
    rows = [line.split(" | ") for line in PROBLEMS.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert all(len(row) == 3 and row[2].strip(" |") for row in rows)
    spoken_of = {(service.removeprefix("| "), problem) for service, problem, _ in rows}
    named = {(service, str(problem)) for service, known in SERVICE_PROBLEMS.items() for problem in known}
    assert named - spoken_of == set()


def test_what_no_case_can_show_is_shown_by_the_test_that_is_named() -> None:
    answered = by_service(PROBLEMS.read_text("utf-8"))
    for (service, problem), (_, test) in problems.BY_TEST.items():
        file, _, name = test.partition("::")
        text = (ROOT / file).read_text("utf-8")
        assert f"async def {name}(" in text
        assert problem in text
        assert problem in answered[service]
