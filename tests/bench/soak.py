"""`python -m tests.bench.soak`: does ncipd stay as it is when it is busy for long?

One ncipd with the demonstration's data answers the bundled scenarios and cases over and over. The data is used up after
a while, so that more and more is refused; what counts is that every answer comes and is valid, that nothing fails
inside, and that memory, open files and the time of an answer do not grow. The first quarter of the laps is for warming
up; the second is what the last is compared with. Exits 1 if something grew or failed, 2 if nothing could be measured.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic
from urllib.request import urlopen

from tests.bench.server import ROOT
from tests.ports import free_port

AGENT = ROOT / "conformance" / "agents" / "ncipd.toml"
MINUTES = 30.0
FEWEST = 4  # laps from which growth can be told
STOP_WITHIN = 60.0  # seconds

MEMORY = 1.25  # times what it was
LATENCY = 2.0  # times what it was: other work of the machine is in it
FILES = 8  # more than there were


class SoakError(Exception):
    """Nothing could be measured; says why."""


@dataclass(frozen=True, slots=True)
class Lap:
    """What once through all scenarios and cases came to."""

    messages: int
    failures: int  # answers that did not come, were invalid, or told of a failure inside
    seconds: float  # the median message
    memory: int  # bytes, resident
    files: int  # open


def soak(folder: Path, seconds: float, told: Callable[[int, Lap], None]) -> list[Lap]:
    """Play for so long, at least `FEWEST` laps; `told` hears of each."""
    broker = f"127.0.0.1:{free_port()}"
    serve = [sys.executable, "-m", "ncipd", "serve", "--demo", "--port", "0", "--data", str(folder / "data")]
    serve += ["--broker-url", f"http://{broker}/ncip"]
    laps: list[Lap] = []
    with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT) as ncipd:
        try:
            line = ncipd.stdout.readline() if ncipd.stdout else ""
            if not line.startswith("ncipd ready "):
                raise SoakError("ncipd did not get ready")
            url, until = line.split()[-1], monotonic() + seconds
            while monotonic() < until or len(laps) < FEWEST:
                laps.append(_lap(url, broker, ncipd.pid, folder))
                told(len(laps), laps[-1])
        finally:
            ncipd.terminate()
            code = ncipd.wait(STOP_WITHIN)
    if code:
        raise SoakError(f"ncipd did not stop cleanly: exit status {code}")
    return laps


def _lap(url: str, broker: str, pid: int, folder: Path) -> Lap:
    before, reports = failed_inside(url), []
    for command in ("run", "conform"):
        report = folder / f"{command}.json"
        report.unlink(missing_ok=True)
        play = [sys.executable, "-m", "broker_sim", command, "--target", url, "--agent", str(AGENT)]
        play += ["--listen", broker, "--json", str(report)]
        subprocess.run(play, cwd=ROOT, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not report.exists():
            raise SoakError(f"broker-sim {command} left no report; does ncipd still answer?")
        reports.append(json.loads(report.read_text("utf-8")))
    seconds, failures = judged(reports)
    return Lap(len(seconds), failures + failed_inside(url) - before, median(seconds), *_process(pid))


def judged(reports: list[dict[str, object]]) -> tuple[list[float], int]:
    """Give what each message took, and how many answers did not come or were invalid."""
    seconds, failures = [], 0
    for report in reports:
        for scenario in report["scenarios"]:  # type: ignore[attr-defined]
            steps = scenario["steps"]
            schema = [one for step in steps for one in step["expectations"] if one["aspect"] == "schema"]
            failures += sum(not one["ok"] for one in schema)
            for exchange in (one for step in steps for one in step.get("exchanges", ())):
                ours = exchange["receiver"] != "Broker"  # what ncipd asks the broker, the broker may refuse
                over_tcp = exchange.get("method") == "TCP"  # the demonstration has its TCP door only on its own port
                if ours and not over_tcp and exchange.get("channel") == "ncip" and exchange.get("asked"):
                    seconds.append(exchange["seconds"])
                    failures += exchange.get("status") != 200
    return seconds, failures


def failed_inside(url: str) -> int:
    """Read how many messages were answered Temporary Processing Failure so far."""
    with urlopen(f"{url.removesuffix('/ncip')}/metrics") as answer:
        text = answer.read().decode()
    found = re.findall(
        r'^ncipd_messages_total\{.*verdict="Temporary Processing Failure".*\} ([0-9.]+)$', text, re.MULTILINE
    )
    return int(sum(float(one) for one in found))


def _process(pid: int) -> tuple[int, int]:
    """Read the resident memory of a process and how many files it has open."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    kilobytes = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    if kilobytes is None:
        raise SoakError(f"/proc/{pid}/status does not tell the memory")
    return int(kilobytes[1]) * 1024, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def verdict(laps: list[Lap]) -> list[str]:
    """Say in words what grew or failed; nothing where all is well."""
    if len(laps) < FEWEST:
        raise SoakError(f"{len(laps)} laps are too few to tell; let it run longer")
    quarter = len(laps) // 4
    first, last = laps[quarter : 2 * quarter], laps[-quarter:]
    wrong = []
    memory = [median(lap.memory for lap in some) for some in (first, last)]
    if memory[1] > memory[0] * MEMORY:
        wrong.append(f"memory grew from {memory[0] / 1e6:.0f} to {memory[1] / 1e6:.0f} MB")
    files = [median(lap.files for lap in some) for some in (first, last)]
    if files[1] > files[0] + FILES:
        wrong.append(f"open files grew from {files[0]:.0f} to {files[1]:.0f}")
    seconds = [median(lap.seconds for lap in some) for some in (first, last)]
    if seconds[1] > seconds[0] * LATENCY:
        wrong.append(f"the median answer grew from {seconds[0] * 1000:.1f} to {seconds[1] * 1000:.1f} ms")
    failures = sum(lap.failures for lap in laps)
    if failures:
        wrong.append(f"{failures} answers did not come, were invalid, or told of a failure inside")
    return wrong


def _told(number: int, lap: Lap) -> None:
    print(
        f"lap {number}: {lap.messages} messages, median {lap.seconds * 1000:.1f} ms, {lap.failures} failures, "
        f"{lap.memory / 1e6:.0f} MB, {lap.files} files open",
        flush=True,
    )


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="for how long (default: %(default)g)")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="ncipd-soak-") as folder:
        try:
            laps = soak(Path(folder), asked.minutes * 60, _told)
            wrong = verdict(laps)
        except (SoakError, OSError) as error:
            print(f"soak: {error}", file=sys.stderr)
            return 2
    print(f"\n{len(laps)} laps, {sum(lap.messages for lap in laps)} messages")
    print("\n".join(f"FAIL {one}" for one in wrong) or "PASS memory, files, answers and their time are what they were")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
