"""`make demo`: start ncipd with its demo data, replay every bundled scenario against it, leave demo-report/."""

from __future__ import annotations

import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
REPORT = ROOT / "demo-report"
READY_WITHIN = 60.0  # seconds
STOP_WITHIN = 30.0  # seconds


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
    """Serve, replay, stop; 0 only if every scenario passed and ncipd stopped cleanly."""
    shutil.rmtree(REPORT, ignore_errors=True)
    REPORT.mkdir()
    log = REPORT / "ncipd.log"
    with tempfile.TemporaryDirectory(prefix="ncipd-demo-") as folder, log.open("w") as errors:
        serve = [str(BIN / "ncipd"), "serve", "--demo", "--port", "0", "--data", folder]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT) as ncipd:
            try:
                verdict = replay(ready_url(ncipd))
            finally:
                stopped = stop(ncipd)
    if stopped:
        print(f"ncipd did not stop cleanly (exit {stopped}); its log is {log.relative_to(ROOT)}:", file=sys.stderr)
        print("".join(log.read_text(errors="replace").splitlines(keepends=True)[-20:]), file=sys.stderr)
    return verdict or stopped


def replay(url: str | None) -> int:
    """Run all bundled scenarios against `url`; broker-sim's exit code, 3 (unreachable) without a `url`."""
    if url is None:
        print("ncipd did not get ready", file=sys.stderr)
        return 3
    agent = ROOT / "conformance" / "agents" / "ncipd.toml"
    broker = [str(BIN / "broker-sim"), "run", "--target", url, "--agent", str(agent), "--report-dir", str(REPORT)]
    return subprocess.run(broker, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
