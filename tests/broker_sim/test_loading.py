"""Scenario files: what they say is kept as written, and every mistake is told with file and line."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from broker_sim import loading, places
from broker_sim.loading import NothingMatched
from broker_sim.scenario import Await, Duration, Send
from broker_sim.schema import scenario_schema
from broker_sim.yamlfile import FileMistake

SCENARIOS = places.conformance() / "scenarios"


def write(folder: Path, text: str) -> Path:
    path = folder / "some-profile" / "some-case.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
    return path


def test_a_scenario_is_named_by_its_folder_and_file(tmp_path: Path) -> None:
    path = write(tmp_path, "title: t\nside: both\nsteps:\n  - wait: 1ms\n")
    assert loading.load(path).id == "some-profile.some-case"


def test_what_looks_like_a_flag_or_a_number_stays_the_text_that_was_written(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        title: t
        side: lending
        variables: {agency: NO, item: 0123456, many: 1_000}
        steps:
          - send: LookupItem
            times: 2
            message: {ItemId: {AgencyId: NO, ItemIdentifierValue: 0123}}
        """,
    )
    scenario = loading.load(path)
    step = scenario.steps[0]
    assert scenario.story.variables == {"agency": "NO", "item": "0123456", "many": "1_000"}
    assert isinstance(step, Send)
    assert step.times == 2
    assert step.message == {"ItemId": {"AgencyId": "NO", "ItemIdentifierValue": "0123"}}


def test_lengths_of_time_are_written_with_their_unit(tmp_path: Path) -> None:
    step = loading.load(write(tmp_path, "title: t\nside: both\nsteps:\n  - {await: RenewItem, within: 500ms}\n")).steps[
        0
    ]
    assert isinstance(step, Await)
    assert step.within == 0.5
    assert [Duration.parse(text) for text in ("2m", "1h", "1.5s")] == [120, 3600, 1.5]


def test_needs_in_a_list_are_named_by_their_first_word(tmp_path: Path) -> None:
    path = write(tmp_path, "title: t\nside: both\nneeds: [item.available, user.valid]\nsteps: [{wait: 1ms}]\n")
    assert loading.load(path).needs == {"item": "item.available", "user": "user.valid"}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        pytest.param("", 1, "empty", id="empty file"),
        pytest.param("title: [\n", 2, "not YAML", id="no yaml"),
        pytest.param("title: a\ntitle: b\n", 2, "'title' is given twice", id="key twice"),
        pytest.param("title: t\nside: lending\n", 1, "missing required field `steps`", id="no steps"),
        pytest.param("title: t\nside: middle\nsteps: [{wait: 1s}]\n", 2, "middle", id="unknown side"),
        pytest.param(
            "title: t\nside: both\nsumary: x\nsteps: [{wait: 1s}]\n", 3, "did you mean 'summary'?", id="misspelt"
        ),
        pytest.param("title: t\nside: both\nsteps:\n  - wait: 1s\n  - sned: X\n", 5, "none of them", id="unknown step"),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - wait: 1s\n    desk: ship\n", 4, "both wait and desk", id="two kinds"
        ),
        pytest.param("title: t\nside: both\nsteps:\n  - wait: soon\n", 4, "500ms, 5s or 2m", id="no duration"),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - send: X\n    message: {A: b}\n    tims: 2\n",
            6,
            "did you mean 'times'?",
            id="misspelt in step",
        ),
        pytest.param("title: t\nside: both\nsteps:\n  - send: X\n    times: two\n", 5, "int", id="not a number"),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - send: X\n", 4, "exactly one of message, xml, raw, hex", id="nothing sent"
        ),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - send: X\n    message:\n      A: ${nobody}\n",
            6,
            "nothing defines ${nobody}",
            id="unknown variable",
        ),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - again: first\n",
            4,
            "'first' must be the name of a step that sends",
            id="unknown step name",
        ),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - {await: X, name: a}\n  - reply: a\n",
            5,
            "`answer: later`",
            id="reply to what was answered",
        ),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - desk: d\n    expect:\n      - path: A/B\n",
            6,
            "a desk answers with JSON",
            id="path at a desk",
        ),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - send: X\n    message: {A: b}\n    expect: [{path: A, json: b}]\n",
            6,
            "exactly one of",
            id="two subjects",
        ),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - send: X\n    message: {A: b}\n    expect:\n      - path: A[\n",
            7,
            "is not a path",
            id="no path",
        ),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - send: X\n    xml: <Y/>\n", 5, "the XML is a Y", id="another message"
        ),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - send: X\n    xml: <X>\n", 5, "not well-formed", id="broken xml"
        ),
        pytest.param("title: t\nside: both\nsteps:\n  - send: X\n    hex: 0g\n", 5, "hexadecimal", id="no hex"),
        pytest.param("title: t\nside: both\nsteps:\n  - broker: Shiped\n", 4, "Shiped", id="unknown status"),
        pytest.param(
            "title: t\nside: both\nneeds: [item.a, item.b]\nsteps: [{wait: 1s}]\n",
            3,
            "begin with the same word",
            id="ambiguous needs",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(FileMistake) as caught:
        loading.load(path)
    assert str(caught.value).startswith(f"{path}:{line}: "), caught.value
    assert said in str(caught.value)


def test_a_file_whose_name_is_no_slug_has_no_id(tmp_path: Path) -> None:
    path = tmp_path / "Some Profile" / "Case 1.yaml"
    path.parent.mkdir()
    path.write_text("title: t\nside: both\nsteps: [{wait: 1s}]\n", encoding="utf-8")
    with pytest.raises(FileMistake, match="lower-case words joined by hyphens"):
        loading.load(path)


@pytest.mark.parametrize("path", sorted(SCENARIOS.rglob("*.yaml")), ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_every_bundled_scenario_can_be_played_as_it_stands(path: Path) -> None:
    scenario = loading.load(path)
    assert scenario.id == f"{path.parent.name}.{path.stem}"


def test_scenarios_are_chosen_by_id_glob_path_or_folder(tmp_path: Path) -> None:
    one = write(tmp_path, "")
    other = one.with_name("other-case.yaml")
    other.write_text("")
    assert set(loading.select([], tmp_path)) == {one, other}
    assert loading.select(["some-profile.some-case"], tmp_path) == [one]
    assert loading.select(["*.other-*"], tmp_path) == [other]
    assert loading.select([str(one), "some-profile.some-case"], tmp_path) == [one]
    assert set(loading.select([str(one.parent)], tmp_path)) == {one, other}


def test_a_selection_that_matches_nothing_is_a_mistake_that_names_what_is_close(tmp_path: Path) -> None:
    write(tmp_path, "")
    with pytest.raises(NothingMatched, match=r"did you mean some-profile\.some-case\?"):
        loading.select(["some-profile.some-cse"], tmp_path)
    with pytest.raises(NothingMatched, match="there is nothing to play"):
        loading.select([], tmp_path / "empty")


def test_the_json_schema_knows_every_kind_of_step() -> None:
    schema = scenario_schema()
    steps = schema["$defs"]["Story"]["properties"]["steps"]["items"]["oneOf"]
    kinds = {schema["$defs"][step["$ref"].rpartition("/")[2]]["required"][0] for step in steps}
    assert kinds == {"send", "again", "relay", "desk", "await", "reply", "silence", "clock", "broker", "wait"}
