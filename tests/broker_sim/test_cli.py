"""The command line: its exit codes tell what kind of end it was, its reports are written, its lists can be read."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from broker_sim import cli, loading, places
from tests.broker_sim.conftest import AGENT_FILE, serving
from tests.broker_sim.library import Library

FREE = "127.0.0.1:0"


def run(*words: str, target: str = "http://127.0.0.1:9/ncip", agent: Path = AGENT_FILE) -> int:
    return cli.main(["run", *words, "--target", target, "--agent", str(agent), "--listen", FREE])


def test_all_passed_is_0_and_the_reports_are_written(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = tmp_path / "extra.json"
    words = (
        "alma-broker.lending-physical",
        "alma-broker.borrowing-full-round",
        "--report-dir",
        str(tmp_path / "new" / "folder"),
    )
    assert run(*words, "--json", str(extra), target=address) == 0
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == [
        "index.html",
        "junit.xml",
        "report.json",
    ]
    assert json.loads(extra.read_text())["verdicts"]["PASS"] == 2
    said = capsys.readouterr().out
    assert "✓ alma-broker.lending-physical" in said
    assert "2 PASS" in said


def test_a_conformance_failure_is_1(tmp_path: Path) -> None:
    with serving(Library("http-500")) as address:
        assert run("alma-broker.lending-physical", "--junit", str(tmp_path / "junit.xml"), target=address) == 1
    assert "<failure" in (tmp_path / "junit.xml").read_text()


def test_conform_judges_by_cases_and_report_puts_runs_together(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--target", address, "--agent", str(AGENT_FILE), "--listen", FREE]
    assert cli.main(["conform", "envelope.with-prefix*", *words, "--json", str(tmp_path / "good.json")]) == 0
    assert "2 cases against ncipd" in capsys.readouterr().out
    assert cli.main(["conform", "CheckInItem", *words, "--json", str(tmp_path / "bad.json")]) == 1
    said = capsys.readouterr().out
    assert "✗ check-in-item.item-not-checked-out" in said
    assert any(line.startswith("✗ FAIL") and line.split()[2] == "check-in-item" for line in said.splitlines())
    assert cli.main(["run", "alma-broker.lending-physical", *words, "--json", str(tmp_path / "run.json")]) == 0
    parts = [str(tmp_path / f"{name}.json") for name in ("run", "good", "bad")]
    assert cli.main(["report", *parts, "--report-dir", str(tmp_path / "all")]) == 1
    whole = json.loads((tmp_path / "all" / "report.json").read_text())
    assert [run["command"] for run in whole["runs"]] == ["run", "conform", "conform"]
    assert {"alma-broker.lending-physical", "envelope.with-prefix", "check-in-item.ends-loan"} < {
        one["id"] for one in whole["scenarios"]
    }
    assert cli.main(["report", *parts[:2], "--junit", str(tmp_path / "junit.xml")]) == 0
    assert 'tests="3"' in (tmp_path / "junit.xml").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run"], "--target"),
        (["conform"], "--target"),
        (["report"], "name the JSON reports"),
        (["report", str(AGENT_FILE)], "is no report of this broker-sim"),
        (
            ["conform", "alma-broker.lending-physical", "--target", "http://127.0.0.1:9/ncip", "--agent", "x.toml"],
            "no scenario or case is called",
        ),
        (["dance"], "dance"),
        (["run", "--target", "http://127.0.0.1:9/ncip", "--agent", "nowhere.toml"], "nowhere.toml"),
        (["run", "--target", "ftp://x", "--agent", str(AGENT_FILE)], "--target must be an address"),
        (
            ["run", "no.such-thing", "--target", "http://127.0.0.1:9/ncip", "--agent", str(AGENT_FILE)],
            "no scenario or case is called",
        ),
        (
            ["run", "--target", "http://127.0.0.1:9/ncip", "--agent", str(AGENT_FILE), "--listen", "127.0.0.1:x"],
            "--listen: expected host:port, such as 127.0.0.1:8642, got '127.0.0.1:x'",
        ),
        (["list", "alma-broker.lending-phisical"], "did you mean alma-broker.lending-physical"),
    ],
)
def test_wrong_usage_and_nothing_matched_are_2(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 2
    assert said in capsys.readouterr().err


def test_bad_files_are_2_and_all_of_their_mistakes_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    (folder / "one.yaml").write_text("title: t\nside: both\nsteps:\n  - nothing: x\n")
    (folder / "two.yaml").write_text("title: t\n")
    assert run(str(folder)) == 2
    said = capsys.readouterr().err
    assert f"{folder / 'one.yaml'}:4: " in said
    assert f"{folder / 'two.yaml'}:1: " in said


def test_an_unreachable_target_is_3(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening
        port = taken.getsockname()[1]
        assert run("alma-broker.lending-physical", target=f"http://127.0.0.1:{port}/ncip") == 3
    assert "cannot be reached" in capsys.readouterr().err


def test_an_error_of_the_suite_is_4(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "some" / "broken.yaml"
    path.parent.mkdir()
    path.write_text("title: t\nside: both\nsteps:\n  - send: CheckInItem\n    message: {Nonsense: x}\n")
    assert run(str(path), target=address) == 4
    assert "is not valid NCIP 2.02" in capsys.readouterr().out
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        assert (
            cli.main(["run", "*.lending-physical", "--target", address, "--agent", str(AGENT_FILE), "--listen", listen])
            == 4
        )
    assert f"the broker cannot listen at {listen}: " in capsys.readouterr().err


def test_the_list_names_every_bundled_scenario_and_case(capsys: pytest.CaptureFixture[str]) -> None:
    ids = {loading.scenario_id(path) for path in loading.select([], places.scenarios(), places.cases())}
    assert cli.main(["list", "--json"]) == 0
    assert {one["id"] for one in json.loads(capsys.readouterr().out)} == ids
    assert cli.main(["list", "--markdown"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0] == "| scenario or case | side | level | persona | what happens |"
    assert len(rows) == 2 + len(ids)
    assert cli.main(["list"]) == 0
    assert "alma-broker.lending-physical" in capsys.readouterr().out


def test_the_module_is_a_command_whose_exit_code_is_the_verdict() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "broker_sim", "schema"], capture_output=True, check=False, cwd=AGENT_FILE.parents[2]
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["$defs"]["Story"]
    done = subprocess.run(
        [sys.executable, "-m", "broker_sim", "run"], capture_output=True, check=False, cwd=AGENT_FILE.parents[2]
    )
    assert done.returncode == 2
