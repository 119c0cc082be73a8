"""The bundled scenarios and cases against one ncipd again and again, as an integrator plays them."""

from __future__ import annotations

import json
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.waiting import WITHIN


@pytest.fixture
def demo(root: Path, tmp_path: Path) -> Iterator[list[str]]:
    """`ncipd serve --demo` on ports of its own; gives the words that point broker-sim at it."""
    tcp, broker = free_port(), free_port()
    agent = tmp_path / "ncipd.toml"
    bundled = (root / "conformance" / "agents" / "ncipd.toml").read_text("utf-8")
    agent.write_text(bundled.replace("127.0.0.1:8643", f"127.0.0.1:{tcp}"), "utf-8")
    serve = [sys.executable, "-m", "ncipd", "serve", "--demo", "--port", "0", "--tcp-port", str(tcp)]
    serve += ["--broker-url", f"http://127.0.0.1:{broker}/ncip", "--data", str(tmp_path / "data")]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=log, text=True, cwd=root) as ncipd,
    ):
        try:
            assert ncipd.stdout is not None
            said, _, _ = select.select([ncipd.stdout], [], [], WITHIN)
            ready = re.fullmatch(r"ncipd ready (\S+)\n", ncipd.stdout.readline() if said else "")
            assert ready, (tmp_path / "log").read_text("utf-8")
            yield ["--target", ready[1], "--agent", str(agent), "--listen", f"127.0.0.1:{broker}"]
        finally:
            ncipd.terminate()


@pytest.mark.slow
def test_all_scenarios_and_cases_pass_a_second_time_against_the_same_ncipd(
    demo: list[str], root: Path, tmp_path: Path
) -> None:
    failed = {}
    for turn in ("first", "second"):
        for command, strict in (("run", []), ("conform", ["--strict"])):
            report = tmp_path / f"{command}-{turn}.json"
            words = [command, *demo, "--json", str(report), "--no-skips", *strict]
            done = subprocess.run(
                [sys.executable, "-m", "broker_sim", *words], cwd=root, capture_output=True, text=True, check=False
            )
            played = json.loads(report.read_text("utf-8"))["scenarios"]
            red = [one["id"] for one in played if one["verdict"].upper() not in {"PASS", "SKIP"}]
            failed[f"{turn} {command}"] = (done.returncode, red)
    assert set(map(str, failed.values())) == {"(0, [])"}, failed
