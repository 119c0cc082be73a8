"""The bench counts right, refuses to pass what it could not measure, and writes its report; how fast is not asked."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.bench import growth, holding, library, own, reading, rounds, soak
from tests.bench.__main__ import bench
from tests.bench.generating import Outcome, load
from tests.bench.report import as_data, as_text
from tests.bench.rounds import GATE_LEVEL, Measured, Pair, Plan
from tests.bench.server import BenchError, Server, serving
from tests.bench.traffic import ITEM, SIZE, Traffic

ITEMS = [ITEM % number for number in range(200)]
ECHO = Outcome(requests=3_000, seconds=1.0, p50_ms=1, p99_ms=2, errors=0, cpu_seconds=0.9, core=0.99)
NCIPD = Outcome(requests=1_000, seconds=1.0, p50_ms=3, p99_ms=9, errors=0, cpu_seconds=0.9, core=0.99)


@pytest.fixture(scope="module")
def ncipd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real ncipd in a process of its own, on a small store."""
    store = tmp_path_factory.mktemp("bench") / "store"
    library.fill(store, len(ITEMS))
    with serving("ncipd", store) as server:
        yield server


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_both_messages_have_the_size_and_are_answered_without_problem_or_repair(ncipd: Server, tmp_path: Path) -> None:
    traffic = Traffic.write(tmp_path, ncipd.address, ITEMS[:1], run=1)
    for service, body in zip(("CheckOutItem", "CheckInItem"), traffic.bodies(ITEMS[0]), strict=True):
        assert len(body) == SIZE
        answer = ncipd.post(body)
        assert f"{service}Response>".encode() in answer
        assert b"Problem" not in answer
    assert b"ncipd_repairs_total{" not in _metrics(ncipd)


def test_our_generator_counts_every_message_that_ncipd_answered(ncipd: Server, tmp_path: Path) -> None:
    before = Counter(ncipd.verdicts())
    outcome = load("own", ncipd, 5, 0.3, Traffic.write(tmp_path, ncipd.address, ITEMS[1:50], run=2))
    answered = Counter(ncipd.verdicts()) - before
    assert outcome.errors == 0
    assert outcome.requests == answered.total() > 0
    assert {verdict for _, verdict in answered} == {"ok"}
    assert abs(answered["CheckOutItem", "ok"] - answered["CheckInItem", "ok"]) <= 5


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
def test_wrk_moves_copies_out_and_back_and_counts_all_but_what_it_leaves_under_way(
    ncipd: Server, tmp_path: Path
) -> None:
    before = Counter(ncipd.verdicts())
    outcome = load("wrk", ncipd, 8, 1, Traffic.write(tmp_path, ncipd.address, ITEMS[50:], run=3))
    answered = Counter(ncipd.verdicts()) - before
    assert outcome.errors == 0
    assert outcome.requests <= answered.total() <= outcome.requests + 8
    assert {verdict for _, verdict in answered} == {"ok"}
    # 16 copies are away at any time, and the last messages may be lost with their connections
    assert 16 - 8 <= answered["CheckOutItem", "ok"] - answered["CheckInItem", "ok"] <= 16 + 8


@pytest.mark.parametrize(
    ("answer", "whole"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length:3\r\n\r\nab", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", False),
    ],
)
def test_an_answer_is_whole_when_its_announced_length_has_come(answer: bytes, whole: bool) -> None:
    assert own.whole(bytearray(answer)) is whole


def test_percentiles_are_those_of_the_answers() -> None:
    tally = own.Tally()
    tally.latencies.extend(number / 1_000 for number in range(100, 0, -1))
    assert (tally.percentile(0.5), tally.percentile(0.99)) == (51.0, 100.0)
    assert own.Tally().percentile(0.5) == 0.0


# --- what is measured ------------------------------------------------------------------------------------------------


def test_a_whole_bench_writes_its_report_and_says_whether_it_passed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bench-report.json"
    status = bench(Plan("own", rounds=1, seconds=0.2, levels=(GATE_LEVEL,), items=400), file)
    report = json.loads(file.read_text())
    assert status == (0 if report["gate"]["passed"] else 1)
    assert report["ratio_to_echo"]["64"] > 0
    assert report["cpu_us"]["64"] >= 0
    assert "CheckOutItem: ok" in report["messages"].keys() <= {"CheckInItem: ok", "CheckOutItem: ok"}
    assert [(each["round"], each["connections"]) for each in report["rounds"]] == [(1, 64)]
    assert report["machine"]["generator"] == "own"
    assert f"Written to {file}." in capsys.readouterr().out


def test_a_server_that_does_not_start_ends_the_bench(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="ended before it answered"), serving("echo", "many"):
        pass


def test_an_echo_answers_with_the_size_that_it_was_told(tmp_path: Path) -> None:
    with serving("echo", "1300") as echo:
        assert len(echo.post(b"<message/>")) == 1300
        assert echo.cpu_seconds() > 0


# --- what it comes to ------------------------------------------------------------------------------------------------


def test_the_medians_over_the_rounds_are_reported(tmp_path: Path) -> None:
    pairs = [
        Pair(1, 64, replace(NCIPD, requests=900), ECHO),
        Pair(2, 64, replace(NCIPD, requests=1_500), ECHO),
        Pair(3, 64, replace(NCIPD, requests=600), ECHO),
    ]
    report = as_data(_measured(*pairs), _machine(), quick=False)
    assert report["ratio_to_echo"] == {"64": 0.3}
    assert report["cpu_us"] == {"64": 1000.0}
    assert report["gate"]["passed"]
    table = as_text(report).splitlines()
    assert table[1].split() == ["64", "900", "3,000", "0.300", "3.00", "9.00", "1000", "300", "99%", "99%"]
    assert "Gate passed: ratio 0.300 at 64 connections, 0.12 required." in table


def test_a_ratio_below_the_gate_is_no_pass() -> None:
    (complaint,) = _measured(Pair(1, 64, replace(NCIPD, requests=300), ECHO)).complaints()
    assert complaint == "the ratio to the echo is 0.100 at 64 connections; 0.12 are required"


def test_an_echo_that_was_not_busy_is_no_pass() -> None:
    (complaint,) = _measured(Pair(1, 64, NCIPD, replace(ECHO, core=0.9))).complaints()
    assert complaint.startswith("the generator (own) drove the echo to 90% of a core at 64 connections, and 95% are")


def test_more_than_one_in_a_hundred_messages_refused_is_no_pass() -> None:
    measured = _measured(Pair(1, 64, NCIPD, ECHO))
    measured.verdicts["CheckInItem", "Item Not Checked Out"] = 10
    assert measured.complaints() == []
    measured.verdicts["CheckInItem", "Item Not Checked Out"] = 11
    (complaint,) = measured.complaints()
    assert complaint == ("11 of 1011 messages were not answered with ok: CheckInItem Item Not Checked Out (11)")


def test_failed_connections_are_no_pass() -> None:
    (complaint,) = _measured(Pair(1, 64, replace(NCIPD, errors=11), ECHO)).complaints()
    assert complaint == "11 connections, answers or HTTP statuses of ncipd were not as they should be"


def test_no_run_moves_a_copy_of_another(tmp_path: Path) -> None:
    plan, server = Plan("own", items=100), Server("ncipd", "http://127.0.0.1:1/ncip", 0)
    seen: Counter[str] = Counter()
    for level in range(len(plan.levels) + 1):
        traffic = rounds._traffic(plan, level, server, tmp_path)
        seen.update((traffic.folder / "items.txt").read_text().split())
    assert seen.keys() == {ITEM % number for number in range(1, 100)}
    assert set(seen.values()) == {1}


def _measured(*pairs: Pair) -> Measured:
    measured = Measured(Plan("own", rounds=len(pairs), levels=(64,)), pairs=list(pairs))
    measured.verdicts.update({("CheckOutItem", "ok"): 500, ("CheckInItem", "ok"): 500})
    return measured


def _machine() -> dict[str, object]:
    names = ("python", "loop", "sqlite", "generator", "cores", "processor", "file_system", "load_average")
    return {**dict.fromkeys(names, "-"), "sync_ms": 0.2}


def _metrics(server: Server) -> bytes:
    with urlopen(f"http://{server.address}/metrics") as answer:
        text: bytes = answer.read()
    return text


def test_repairs_cost_a_valid_message_nothing() -> None:
    """It is read strictly first, and then there is nothing to repair; what counts is the fastest round of each way."""
    best: dict[str, float] = {}
    for _ in range(10):  # more rounds where the machine is never quiet for one
        took = reading.valid_message(40)
        best = {name: min(best.get(name, one), one) for name, one in took.items()}
        if best["all repairs allowed"] / best["no repair allowed"] < 1.1:
            return
    pytest.fail(f"after 400 rounds each, in microseconds: {best}")


# --- how long the store is held --------------------------------------------------------------------------------------


def test_the_work_of_each_message_is_seen_with_its_service_and_connection(tmp_path: Path) -> None:
    """A real ncipd: what changes something holds the writer, a lookup the reader, its journal line the writer."""

    def use(url: str) -> None:
        for service, more in (
            ("CheckOutItem", "<UserId><UserIdentifierValue>-</UserIdentifierValue></UserId>"),
        ) * 3 + (("LookupItem", ""),):
            item = "<ItemId><ItemIdentifierValue>L-0001</ItemIdentifierValue></ItemId>"
            body = (
                f'<NCIPMessage xmlns="http://www.niso.org/2008/ncip"><{service}>{more}{item}</{service}></NCIPMessage>'
            )
            with urlopen(url, data=body.encode()) as answer:
                assert b"Problem" not in answer.read()

    growth._serve(tmp_path / "data", use, watch=tmp_path / "seen", log=tmp_path / "log")
    found = holding.holds(tmp_path / "seen", tmp_path / "log")
    seen = {(one.service, one.connection) for one in found}
    assert seen == {("CheckOutItem", "writer"), ("LookupItem", "reader"), ("LookupItem", "writer")}
    assert all(0 < one.usual <= one.longest < 60 for one in found)
    assert holding.unit(found) > 0


@pytest.mark.parametrize(("longest", "passes"), [(0.024, True), (0.026, False)])
def test_what_holds_the_writer_too_long_is_no_pass(
    capsys: pytest.CaptureFixture[str], longest: float, *, passes: bool
) -> None:
    """25 usual CheckOutItems, in the round in the middle: one pause of the machine is not the service's."""
    usual = holding.Held("CheckOutItem", "writer", 0.001, 0.002)
    slow = [holding.Held("LookupItemSet", "writer", 0.001, one) for one in (0.001, longest, 9.0)]
    reader = holding.Held("LookupItemSet", "reader", 0.001, 9.0)
    found = holding.usual_of([[usual, one, reader] for one in slow])
    assert (0 < growth.told(found) <= holding.LIMIT) == passes
    assert ("too long" in capsys.readouterr().out) == (not passes)


def test_without_a_check_out_nothing_can_be_said() -> None:
    assert growth.told([holding.Held("LookupItem", "reader", 0.001, 0.002)]) == 0


# --- soaking ---------------------------------------------------------------------------------------------------------


LAP = soak.Lap(messages=2_000, failures=0, seconds=0.004, memory=150_000_000, files=20)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, ""),
        ({"memory": 200_000_000}, "memory grew from 150 to 200 MB"),
        ({"files": 40}, "open files grew from 20 to 40"),
        ({"seconds": 0.02}, "the median answer grew from 4.0 to 20.0 ms"),
        ({"failures": 1}, "2 answers did not come"),
    ],
)
def test_what_grows_over_the_laps_is_said(change: dict[str, int], told: str) -> None:
    """The first quarter warms up; the last is compared with the second."""
    warming = replace(LAP, memory=50_000_000, seconds=0.001)
    laps = [warming, warming, LAP, LAP, LAP, LAP, replace(LAP, **change), replace(LAP, **change)]
    assert " ".join(soak.verdict(laps)).startswith(told)
    assert bool(soak.verdict(laps)) == bool(told)


def test_too_few_laps_tell_nothing() -> None:
    with pytest.raises(soak.SoakError, match="too few"):
        soak.verdict([LAP] * 3)


def test_an_answer_that_did_not_come_or_was_invalid_is_counted() -> None:
    """What the simulated broker refuses on purpose is no answer of ncipd, and its TCP door is not open here."""
    asked = {"channel": "ncip", "asked": "LookupItem", "seconds": 0.5}
    exchanges = [
        {**asked, "receiver": "Lender", "status": 200},
        {**asked, "receiver": "Lender", "status": None},
        {**asked, "receiver": "Broker", "status": 503},
        {**asked, "receiver": "Lender", "status": None, "method": "TCP"},
    ]
    judged = [{"aspect": "schema", "ok": False}, {"aspect": "content", "ok": False}]
    report = {"scenarios": [{"steps": [{"exchanges": exchanges, "expectations": judged}]}]}
    assert soak.judged([report]) == ([0.5, 0.5], 2)


def test_a_failure_inside_is_read_from_the_metrics(ncipd: Server) -> None:
    assert soak.failed_inside(f"http://{ncipd.address}/ncip") == 0
