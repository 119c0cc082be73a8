"""`make demo`: start ncipd with its demo data, put it to the bundled scenarios and cases, leave demo-report/.

Scenarios and cases each get an ncipd of their own, fresh from its demo data; what they found is put into one report.
Where one of the two ports that the agent file names is taken, a copy of that file names another.
"""

from __future__ import annotations

import contextlib
import random
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
REPORT = ROOT / "demo-report"
AGENT = ROOT / "conformance" / "agents" / "ncipd.toml"
# A case that finds a SHOULD broken, or cannot be played, is a gap of ours: nothing but what the agent file excludes.
PARTS = {"run": ["--no-skips"], "conform": ["--strict", "--no-skips"]}
BROKER_PORT, TCP_PORT = 8642, 8643  # where by the agent file the broker listens, and ncipd for NCIP without HTTP
OTHERS = range(20_000, 32_000)  # below what systems give to whoever asks for any port
READY_WITHIN = 120.0  # seconds; a busy machine starts slowly
STOP_WITHIN = 60.0  # seconds


def ready_url(ncipd: subprocess.Popen[str]) -> str | None:
    """The address in the ready line, or None when ncipd ended or stayed silent."""
    assert ncipd.stdout is not None  # noqa: S101  # opened as a pipe
    if not select.select([ncipd.stdout], [], [], READY_WITHIN)[0]:
        return None
    line = ncipd.stdout.readline()
    return line.split()[-1] if line.startswith("ncipd ready ") else None


def stop(ncipd: subprocess.Popen[str]) -> int:
    """Ask ncipd to drain; its exit code, or 1 when it had to be killed."""
    ncipd.terminate()
    try:
        return ncipd.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        ncipd.kill()
        ncipd.wait()
        return 1


def main() -> int:
    """Serve, play, stop, twice; 0 only if everything passed, nothing was left out and ncipd stopped cleanly."""
    shutil.rmtree(REPORT, ignore_errors=True)
    REPORT.mkdir()
    with tempfile.TemporaryDirectory(prefix="ncipd-demo-") as folder:
        results = {command: Path(folder) / f"{command}.json" for command in PARTS}
        codes = [part(command, result, Path(folder) / command) for command, result in results.items()]
        found = [str(result) for result in results.values() if result.exists()]
        told = broker_sim("report", *found, "--report-dir", str(REPORT)) if found else 0
    return max(*codes, told)


def free(usual: int) -> int:
    """The usual port if nobody has it, or else some other."""
    for port in (usual, *random.sample(OTHERS, 100)):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("a hundred ports were tried, and none is free")


def agent_file(ports: dict[int, int], folder: Path) -> Path:
    """The bundled agent file, or a copy in this folder that names other ports."""
    text = AGENT.read_text("utf-8")
    for usual, port in ports.items():
        text = text.replace(f'"127.0.0.1:{usual}"', f'"127.0.0.1:{port}"')
    if text == AGENT.read_text("utf-8"):
        return AGENT
    copy = folder / AGENT.name
    copy.write_text(text, "utf-8")
    return copy


def part(command: str, result: Path, folder: Path) -> int:
    """Play one part against a fresh ncipd; broker-sim's exit code, or ncipd's where that one is not 0."""
    folder.mkdir()
    ports = {port: free(port) for port in (BROKER_PORT, TCP_PORT)}  # anew: since the last part, somebody may have come
    agent = agent_file(ports, folder)
    log = REPORT / f"ncipd-{command}.log"
    broker, tcp = f"http://127.0.0.1:{ports[BROKER_PORT]}/ncip", str(ports[TCP_PORT])
    serve = [str(BIN / "ncipd"), "serve", "--demo", "--port", "0", "--broker-url", broker, "--tcp-port", tcp]
    serve += ["--data", str(folder / "data")]
    with (
        log.open("w") as errors,
        subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT) as ncipd,
    ):
        try:
            verdict = play(command, ready_url(ncipd), result, agent)
        finally:
            stopped = stop(ncipd)
    if stopped:
        print(f"ncipd did not stop cleanly (exit {stopped}); its log is {log.relative_to(ROOT)}:", file=sys.stderr)
        print("".join(log.read_text(errors="replace").splitlines(keepends=True)[-20:]), file=sys.stderr)
    return verdict or stopped


def play(command: str, url: str | None, result: Path, agent: Path) -> int:
    """Play everything that is bundled against `url`; broker-sim's exit code, 3 (unreachable) without a `url`."""
    if url is None:
        print("ncipd did not get ready", file=sys.stderr)
        return 3
    return broker_sim(command, "--target", url, "--agent", str(agent), "--json", str(result), *PARTS[command])


def broker_sim(*words: str) -> int:
    """Run broker-sim; its exit code."""
    return subprocess.run([str(BIN / "broker-sim"), *words], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
