"""What is built is what is used: the wheel, installed into an empty environment, away from this checkout."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from ncipd import __version__

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]

BUILD_WITHIN = 600
INSTALL_WITHIN = 1_800
READY_WITHIN = 120


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, root], BUILD_WITHIN, folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(root, wheel, tmp_path_factory):
    """The folder of the commands that an institution gets with `pip install ncipd`."""
    place = tmp_path_factory.mktemp("empty") / "venv"
    venv.create(place, with_pip=True)
    pip = [place / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    run([*pip, "-c", root / "constraints.txt", wheel], INSTALL_WITHIN, place)
    return place / "bin"


def run(command, within, folder):
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=away(),
        timeout=within,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def away():
    """The environment without what points back at this checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}


def test_the_wheel_carries_schema_scenarios_sql_and_licence(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "ncipd/_xsd/ncip_v1_0.xsd",
        "ncipd/_xsd/ncip_v1_01.xsd",
        "ncipd/_xsd/ncip_v2_02.xsd",
        "broker_sim/_xsd/ncip_v1_0.xsd",
        "broker_sim/_xsd/ncip_v1_01.xsd",
        "broker_sim/_xsd/ncip_v2_02.xsd",
        "broker_sim/_conformance/agents/ncipd.toml",
        "ncipd/store/queries.sql",
        "ncipd/profiles/alma.toml",
        "broker_sim/profiles/alma.toml",
    ):
        assert wanted in names
    for folder, suffix in (
        ("broker_sim/_conformance/scenarios/alma-broker/", ".yaml"),
        ("ncipd/store/migrations/", ".sql"),
    ):
        assert any(name.startswith(folder) and name.endswith(suffix) for name in names)
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith("tests") or "__pycache__" in name]


def test_every_file_of_the_packages_is_in_the_wheel(root, wheel):
    """Nothing that the code reads is left behind, whatever its suffix."""
    names = set(zipfile.ZipFile(wheel).namelist())
    files = [path for top in ("ncipd", "broker_sim") for path in (root / top).rglob("*") if path.is_file()]
    missing = [
        path.relative_to(root).as_posix()
        for path in files
        if "__pycache__" not in path.parts and path.relative_to(root).as_posix() not in names
    ]
    assert not missing


def test_ncipd_tells_its_version(installed, tmp_path):
    assert __version__ in run([installed / "ncipd", "--version"], READY_WITHIN, tmp_path)


def test_broker_sim_lists_the_bundled_scenarios(installed, tmp_path, root):
    listed = run([installed / "broker-sim", "list"], READY_WITHIN, tmp_path)
    scenarios = sorted((root / "conformance" / "scenarios" / "alma-broker").glob("*.yaml"))
    assert scenarios
    assert not [path.stem for path in scenarios if path.stem not in listed]


def test_ncipd_serves_the_demo_gets_healthy_and_stops_when_told(installed, tmp_path):
    """The ready line is all it says on standard output; SIGTERM ends it with 0."""
    command = [str(installed / "ncipd"), "serve", "--demo", "--port", "0", "--data", str(tmp_path / "data")]
    with (
        (tmp_path / "log").open("w+") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=tmp_path, env=away()) as ncipd,
    ):
        try:
            line = ready_line(ncipd)
            assert line.startswith("ncipd ready http://127.0.0.1:"), (tmp_path / "log").read_text()
            root = line.split()[-1].removesuffix("/ncip")
            with urllib.request.urlopen(f"{root}/healthz", timeout=READY_WITHIN) as answer:
                assert json.load(answer)["status"] == "ok"
            with urllib.request.urlopen(f"{root}/readyz", timeout=READY_WITHIN) as answer:
                assert answer.status == 200
            ncipd.send_signal(signal.SIGTERM)
            assert ncipd.wait(READY_WITHIN) == 0, (tmp_path / "log").read_text()
            assert ncipd.stdout.read() == ""
        finally:
            ncipd.kill()


def ready_line(ncipd):
    readable, _, _ = select.select([ncipd.stdout], [], [], READY_WITHIN)
    return ncipd.stdout.readline() if readable else ""


def test_the_packages_come_from_the_environment_and_not_from_the_checkout(installed, tmp_path, root):
    script = "import ncipd, broker_sim; print(ncipd.__file__); print(broker_sim.__file__)"
    for line in run([installed / "python", "-c", script], READY_WITHIN, tmp_path).splitlines():
        assert not Path(line).is_relative_to(root)
