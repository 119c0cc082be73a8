"""Requirements: short to write, every mistake told with its line, and cases held to them."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from broker_sim import cli, listing, loading, places, requirements
from broker_sim.requirements import RequirementMistake
from broker_sim.yamlfile import FileMistake

GOOD = """
[check-out-item]
title = "CheckOutItem"
clause = "Z39.83-1 5.4.3"

[check-out-item.must]
lends = "The item is on loan"
later = { line = "Nothing is undone", clause = "Z39.83-1 6.3", actor = "initiator" }

[check-out-item.should]
resend = "Sent twice, it makes one loan"

[check-out-item.may]
charge = { line = "It may cost something", not_tested = "what it costs differs" }
"""


def rules(folder: Path, text: str = GOOD) -> requirements.Requirements:
    path = folder / "requirements.toml"
    path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
    return requirements.load(path)


def case(folder: Path, text: str, name: str = "lends") -> Path:
    path = folder / "cases" / "check-out-item" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
    return path


def test_a_requirement_has_what_its_group_says_unless_it_says_otherwise(tmp_path: Path) -> None:
    found = rules(tmp_path).by_slug
    assert list(found) == [
        "check-out-item.lends",
        "check-out-item.later",
        "check-out-item.resend",
        "check-out-item.charge",
    ]
    lends, later = found["check-out-item.lends"], found["check-out-item.later"]
    assert (lends.level, lends.actor, lends.clause) == ("MUST", "responder", "Z39.83-1 5.4.3")
    assert (later.level, later.actor, later.clause) == ("MUST", "initiator", "Z39.83-1 6.3")
    assert found["check-out-item.charge"].not_tested == "what it costs differs"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        pytest.param("[a]\ntitle = 'A'\n", 1, "missing required field `clause`", id="no clause"),
        pytest.param("[a]\ntitle = 'A'\nclause = 'c'\n[a.must]\nB = 'x'\n", 5, "a.B is no slug", id="no slug"),
        pytest.param("[a]\ntitle = 'A'\nclause = 'c'\n[a.must]\nb = ' '\n", 5, "need words", id="no words"),
        pytest.param(
            "[a]\ntitle = 'A'\nclause = 'c'\n[a.must]\nb = 7\n", 5, "Expected `object`, got `int`", id="a number"
        ),
        pytest.param("[a]\ntitle = 'A'\nclause = 'c'\n[a.mst]\nb = 'x'\n", 4, "unknown field `mst`", id="misspelt"),
        pytest.param(
            "[a]\ntitle = 'A'\nclause = 'c'\n[a.must]\nb = {line = 'x', not_tested = ''}\n", 5, "need words", id="why"
        ),
        pytest.param(
            "[a]\ntitle = 'A'\nclause = 'c'\n[a.must]\nb = 'x'\n[a.may]\nb = 'y'\n", 5, "two levels", id="twice"
        ),
    ],
)
def test_a_mistake_in_the_requirements_is_told_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(RequirementMistake) as caught:
        rules(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'requirements.toml'}:{line}: "), caught.value
    assert said in str(caught.value)


def test_a_case_has_the_level_of_the_strongest_requirement_that_it_verifies(tmp_path: Path) -> None:
    found = rules(tmp_path)
    steps = "steps: [{send: LookupItem, message: {A: b}}]\n"
    both = case(tmp_path, "title: t\nverifies: [check-out-item.resend, check-out-item.lends]\n" + steps)
    weak = case(tmp_path, "title: t\nverifies: [check-out-item.resend, check-out-item.charge]\n" + steps, "weak")
    assert loading.load(both, found).story.level == "MUST"
    assert loading.load(weak, found).story.level == "SHOULD"
    assert [one.slug for one in loading.load(both, found).requirements] == [
        "check-out-item.resend",
        "check-out-item.lends",
    ]


@pytest.mark.parametrize(
    ("receivers", "side"), [(["lender"], "lending"), (["borrower"], "borrowing"), (["lender", "borrower"], "both")]
)
def test_the_side_of_a_case_follows_from_whom_it_writes_to(tmp_path: Path, receivers: list[str], side: str) -> None:
    steps = "".join(f"  - {{send: LookupItem, to: {to}, message: {{ItemId: b}}}}\n" for to in receivers)
    path = case(tmp_path, f"title: t\nverifies: [check-out-item.lends]\nsteps:\n{steps}")
    assert loading.load(path, rules(tmp_path)).side == side


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        pytest.param("title: t\nsteps: [{wait: 1s}]\n", 1, "at least one requirement", id="verifies nothing"),
        pytest.param(
            "title: t\nverifies:\n  - check-out-item.lends\n  - check-out-item.lend\nsteps: [{wait: 1s}]\n",
            4,
            "no requirement 'check-out-item.lend'; did you mean 'check-out-item.lends'?",
            id="unknown slug",
        ),
        pytest.param(
            "title: t\nlevel: SHOULD\nverifies: [check-out-item.lends]\nsteps: [{wait: 1s}]\n",
            2,
            "leave `level` out",
            id="a level of its own",
        ),
    ],
)
def test_a_mistake_in_a_case_is_told_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = case(tmp_path, text)
    with pytest.raises(FileMistake) as caught:
        loading.load(path, rules(tmp_path))
    assert str(caught.value).startswith(f"{path}:{line}: "), caught.value
    assert said in str(caught.value)


def test_a_case_lies_in_the_folder_of_a_group(tmp_path: Path) -> None:
    path = tmp_path / "check-out" / "lends.yaml"
    path.parent.mkdir()
    path.write_text("title: t\nverifies: [check-out-item.lends]\nsteps: [{wait: 1s}]\n", encoding="utf-8")
    with pytest.raises(FileMistake, match="'check-out' is no group of requirements; did you mean 'check-out-item'"):
        loading.load(path, rules(tmp_path))


def test_what_no_case_verifies_is_a_gap_unless_it_says_why(tmp_path: Path) -> None:
    found = rules(tmp_path)
    lends = loading.load(case(tmp_path, "title: t\nverifies: [check-out-item.lends]\nsteps: [{wait: 1s}]\n"), found)
    covered = {one.requirement.slug: one for one in listing.coverage(found, [lends])}
    assert covered["check-out-item.lends"].cases == ("check-out-item.lends",)
    assert [slug for slug, one in covered.items() if one.gap] == ["check-out-item.later", "check-out-item.resend"]


def test_the_list_of_requirements_tells_what_verifies_them_and_fails_for_a_gap(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lends = case(tmp_path, "title: t\nverifies: [check-out-item.lends]\nsteps: [{wait: 1s}]\n")
    assert cli.main(["list", "--requirements", "--json", str(lends)]) == 1
    listed = {one["slug"]: one for one in json.loads(capsys.readouterr().out)}
    assert listed["check-out-item.lends"]["cases"] == ["check-out-item.lends"]
    assert listed["check-out-item.unknown-item"]["cases"] == []
    assert cli.main(["list", "--requirements"]) == 0
    said = capsys.readouterr().out
    assert "NO CASE" not in said
    assert "not tested: " in said
    assert cli.main(["list", "--requirements", "--markdown"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 2 + len(requirements.load(places.requirements()))


def test_the_list_tells_how_much_test_data_of_each_role_is_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = case(
        tmp_path,
        "title: t\nverifies: [check-out-item.lends]\nneeds: {a: item.available, b: item.available, c: user.reader}\n"
        "steps: [{wait: 1s}]\n",
    )
    assert cli.main(["list", "--needs", str(one)]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()[1:]] == [
        ["item.available", "2"],
        ["user.reader", "1"],
    ]
