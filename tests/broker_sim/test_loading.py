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


STEPS = "title: t\nside: both\nsteps:\n"
LOOKUP = f"{STEPS}  - send: LookupItem\n    message: {{ItemId: b}}\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        pytest.param("", 1, "empty", id="empty file"),
        pytest.param("title: [\n", 2, "not YAML", id="no yaml"),
        pytest.param("title: a\ntitle: b\n", 2, "'title' is given twice", id="key twice"),
        pytest.param("title: t\nside: lending\n", 1, "the key 'steps' is missing", id="no steps"),
        pytest.param(
            "title: t\nside: middle\nsteps: [{wait: 1s}]\n",
            2,
            "expected one of borrowing, both, lending, got 'middle'",
            id="unknown side",
        ),
        pytest.param(
            "title: t\nside: both\nsumary: x\nsteps: [{wait: 1s}]\n", 3, "did you mean 'summary'?", id="misspelt"
        ),
        pytest.param("title: t\nside: both\nsteps:\n  - wait: 1s\n  - sned: X\n", 5, "none of them", id="unknown step"),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - wait: 1s\n    desk: ship\n", 4, "both wait and desk", id="two kinds"
        ),
        pytest.param("title: t\nside: both\nsteps:\n  - wait: soon\n", 4, "500ms, 5s or 2m", id="no duration"),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - send: LookupItem\n    message: {ItemId: b}\n    tims: 2\n",
            6,
            "did you mean 'times'?",
            id="misspelt in step",
        ),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - send: LookupItem\n    times: two\n",
            5,
            "expected a whole number, got text",
            id="not a number",
        ),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - send: LookupItem\n",
            4,
            "exactly one of message, xml, raw, hex",
            id="nothing sent",
        ),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - send: LookupItem\n    message:\n      ItemId: ${nobody}\n",
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
            "title: t\nside: both\nsteps:\n  - {await: RenewItem, name: a}\n  - reply: a\n",
            5,
            "`answer: later`",
            id="reply to what was answered",
        ),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - desk: d\n    expect:\n      - path: ItemId/AgencyId\n",
            6,
            "a desk answers with JSON",
            id="path at a desk",
        ),
        pytest.param(
            f"{LOOKUP}    expect: [{{path: ItemId, json: b}}]\n",
            6,
            "exactly one of",
            id="two subjects",
        ),
        pytest.param(
            f"{LOOKUP}    expect:\n      - path: ItemId[\n",
            7,
            "is not a path",
            id="no path",
        ),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - send: LookupItem\n    xml: <LookupUser/>\n",
            5,
            "the XML is a LookupUser",
            id="another message",
        ),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - send: LookupItem\n    xml: <LookupItem>\n",
            5,
            "not well-formed",
            id="broken xml",
        ),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - send: LookupItem\n    hex: 0g\n", 5, "hexadecimal", id="no hex"
        ),
        pytest.param(
            "title: t\nside: both\nsteps:\n  - broker: Shiped\n", 4, "did you mean 'Shipped'?", id="unknown status"
        ),
        pytest.param(
            "title: t\nside: both\nneeds: [item.a, item.b]\nsteps: [{wait: 1s}]\n",
            3,
            "begin with the same word",
            id="ambiguous needs",
        ),
        pytest.param("- a\n- b\n", 1, "expected keys with values, got a list", id="a list"),
        pytest.param(
            f"{STEPS}  - desk: ship\n    expect: {{status: 200}}\n", 5, "expected a list, got keys", id="no list"
        ),
        pytest.param(
            f"{LOOKUP}    expect:\n      - problem: Unknown Item\n",
            7,
            "expected none or the keys type, element, value, detail, got 'Unknown Item'",
            id="problem without its key",
        ),
        pytest.param(
            f"{STEPS}  - send: LokupItem\n    message: {{}}\n", 4, "did you mean 'LookupItem'?", id="no message"
        ),
        pytest.param(f"{STEPS}  - await: Renewal\n", 4, "NCIP has no message 'Renewal'", id="awaits no message"),
        pytest.param(f"{STEPS}  - silence: RecalItem\n", 4, "did you mean 'RecallItem'?", id="silence of no message"),
        pytest.param(
            f"ignore: [Renew]\n{STEPS}  - wait: 1s\n", 1, "NCIP has no message 'Renew'", id="ignores no message"
        ),
        pytest.param(
            f"{LOOKUP}    expect:\n      - response: LookupItemRespons\n",
            7,
            "did you mean 'LookupItemResponse'?",
            id="response",
        ),
        pytest.param(
            f"{LOOKUP}    expect:\n      - absent: //UserOptionalFeilds\n",
            7,
            "NCIP has no element 'UserOptionalFeilds'; did you mean 'UserOptionalFields'?",
            id="absent by a misspelt name",
        ),
        pytest.param(f"{LOOKUP}    capture: {{due: 'DateDue['}}\n", 6, "is not a path", id="captures by no path"),
        pytest.param(
            f"{STEPS}  - desk: ship\n    capture: {{due: 'loan['}}\n",
            5,
            "is not a JSON path",
            id="captures by no JSON path",
        ),
        pytest.param(
            f"{STEPS}  - await: RenewItem\n    where: {{RenewItem/ItmId: a}}\n",
            5,
            "no element 'ItmId'",
            id="where no element is",
        ),
        pytest.param(
            f"{LOOKUP}    expect:\n      - path: //DateDue\n        after: yesterday\n",
            8,
            "expected a date-time such as 2026-03-02T09:00:00Z, got 'yesterday'",
            id="no date-time",
        ),
        pytest.param(f"clock: noon\n{STEPS}  - wait: 1s\n", 1, "expected a date-time", id="clock without a time"),
        pytest.param(
            f"{STEPS}  - clock: {{advance: 1d}}\n",
            4,
            "expected a period such as P1D or PT12H, got '1d'",
            id="no period",
        ),
        pytest.param(
            f"{LOOKUP}    envelope: {{encoding: klingon}}\n", 6, "unknown encoding: klingon", id="no encoding"
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
