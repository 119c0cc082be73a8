"""Agent files: test data is handed out once, desk requests are made from templates, mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker_sim import agent, loading, places
from broker_sim.agent import AgentMistake, DeskAction, Fixture, Fixtures, MissingRole, UsedUp, WrongParameters
from broker_sim.scenario import Desk

AGENT_FILES = sorted((places.conformance() / "agents").glob("*.toml"))
MINIMAL = '[agent]\nname = "x"\n[agency]\nlender = "L"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "agent.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", AGENT_FILES, ids=lambda path: path.stem)
def test_every_bundled_agent_file_is_understood(path: Path) -> None:
    assert agent.load(path).agent.name


def test_ncipds_agent_file_has_every_desk_action_and_role_that_the_bundled_scenarios_use() -> None:
    known = agent.load(places.conformance() / "agents" / "ncipd.toml")
    for path in loading.select([], places.conformance() / "scenarios"):
        scenario = loading.load(path)
        assert set(scenario.needs.values()) <= set(known.fixtures), path
        for step in scenario.steps:
            if isinstance(step, Desk):
                agent.fill_action(step.desk, known.desk[step.desk], {"agency": "X", **step.with_})


def test_a_range_of_ids_is_written_short() -> None:
    ids = agent.expand(Fixture(ids=["L-008..L-011", "B-9..B-10", "X"], agency="A"))
    assert [entry["id"] for entry in ids] == ["L-008", "L-009", "L-010", "L-011", "B-9", "B-10", "X"]
    assert ids[0]["agency"] == "A"


def test_what_is_handed_out_is_not_handed_out_again(tmp_path: Path) -> None:
    items = '[fixtures."item.available"]\nids = [{ id = "1", record = "R" }, "2", "3"]\n'
    users = '[fixtures.user]\nids = ["u"]\nshared = true\n'
    fixtures = Fixtures(agent.load(write(tmp_path, MINIMAL + items + users)))
    first = fixtures.take({"item": "item.available", "copy": "item.available", "user": "user"})
    assert first == {"item": "1", "item.record": "R", "copy": "2", "user": "u"}
    assert fixtures.take({"user": "user"}) == {"user": "u"}
    with pytest.raises(UsedUp, match=r"all 3 ids of \[fixtures.'item.available'\] are taken"):
        fixtures.take({"item": "item.available", "copy": "item.available"})
    assert fixtures.take({"item": "item.available"})["item"] == "3"
    with pytest.raises(MissingRole, match=r"names no item\.lost"):
        fixtures.take({"item": "item.lost"})


ACTION = DeskAction(
    method="POST",
    path="/{agency}/items/{barcode}",
    query={"dry": "{dry?}"},
    json={"barcode": "{barcode}", "due": "{due?}", "note": "for {user}", "flags": ["{flag?}", True]},
)


def test_what_is_optional_and_not_given_is_left_out() -> None:
    path, query, body = agent.fill_action("x", ACTION, {"agency": "A B", "barcode": "1/2", "user": "Ada"})
    assert path == "/A%20B/items/1%2F2"
    assert query == {}
    assert body == {"barcode": "1/2", "note": "for Ada", "flags": [True]}
    _, query, body = agent.fill_action(
        "x", ACTION, {"agency": "A", "barcode": "1", "user": "Ada", "dry": "1", "due": "d", "flag": "f"}
    )
    assert query == {"dry": "1"}
    assert body["due"] == "d"
    assert body["flags"] == ["f", True]


def test_a_desk_step_with_wrong_parameters_is_told_the_right_ones() -> None:
    with pytest.raises(
        WrongParameters, match=r"\[desk.x\] does not take colour and needs user; it takes agency, barcode, dry"
    ):
        agent.fill_action("x", ACTION, {"agency": "A", "barcode": "1", "colour": "red"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[agent", "expected"),
        ('[agent]\nname = "x"\n', "agency"),
        (MINIMAL + "[callbak]\n", "callbak"),
        (MINIMAL + '[fixtures.x]\nids = "a"\n', r"fixtures\.….ids: expected a list, got text"),
        (MINIMAL + "[agent]\n", "declare"),
        (MINIMAL + '[callback]\nlisten = "here:there"\n', "expected host:port, such as 127.0.0.1:8642"),
        (MINIMAL + '[callback]\nlisten = "here:99999"\n', "expected host:port"),
        ('[agent]\nnam = "x"\n', r"agent\.nam: unknown key 'nam'; did you mean 'name'\?"),
        (MINIMAL + '[desk.ship]\npath = "/"\nmethod = "POSTS"\n', r"desk\.….method: .*did you mean 'POST'\?"),
        (MINIMAL + '[fixtures.x]\nids = [{ record = "R" }]\n', "needs an `id`"),
        (MINIMAL + '[[exclude]]\ncase = "x"\n', "reason"),
        (MINIMAL + '[[exclude]]\ncase = "x"\nreason = " "\n', "a reason is needed"),
    ],
)
def test_a_mistake_in_an_agent_file_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(AgentMistake, match=f"(?i)agent.toml.*{said}"):
        agent.load(write(tmp_path, text))


def test_tokens_come_from_the_environment_for_one_side_or_both(tmp_path: Path) -> None:
    both = agent.load(write(tmp_path, MINIMAL + 'borrower = "B"\n[access]\ntoken_env = "T"\n'))
    assert both.tokens({"T": "secret"}) == {"L": "secret", "B": "secret"}
    one = agent.load(write(tmp_path, MINIMAL + '[access.token_env]\nlender = "T"\n'))
    assert one.tokens({"T": "secret"}) == {"L": "secret"}
    assert one.tokens({}) == {}
