"""``broker-sim``: run, list, schema.

Exit codes: 0 passed · 1 conformance failure · 2 usage, bad file or nothing matched · 3 target unreachable · 4 error of
the suite.
"""

from __future__ import annotations

import asyncio
import json as json_text
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from cyclopts import App, CycloptsError, Parameter
from rich.console import Console
from rich.table import Table

import broker_sim
from broker_sim import places
from broker_sim.agent import AgentMistake
from broker_sim.agent import load as load_agent
from broker_sim.events import Event
from broker_sim.loading import NothingMatched, load, select
from broker_sim.scenario import Scenario
from broker_sim.schema import scenario_schema
from broker_sim.yamlfile import FileMistake

USAGE, UNREACHABLE, BROKEN = 2, 3, 4
# A log file has no width; lines are broken here so that they can still be read.
_LOG_WIDTH = 140

app = App(
    name="broker-sim",
    help="Plays a broker through whole workflows against a library's NCIP endpoint, and judges what it sees.",
    version=broker_sim.__version__,
)


class Refused(Exception):
    """The command cannot be carried out as it was given."""


@app.command
def run(
    *scenario: str,
    target: str,
    agent: Path,
    jobs: Annotated[int, Parameter(alias="-j")] = 4,
    html: Path | None = None,
    json: Path | None = None,
    junit: Path | None = None,
    report_dir: Path | None = None,
    strict: bool = False,
    no_skips: bool = False,
    listen: str | None = None,
) -> int:
    """Play scenarios against a target and judge it.

    Parameters
    ----------
    scenario
        Ids, globs over ids, files or folders; all bundled scenarios when none is given.
    target
        The target's NCIP address, such as http://127.0.0.1:8080/ncip.
    agent
        The file that describes the target: its agencies, test data and desk.
    jobs
        How many scenarios are played at once.
    html
        Write the report for people to this file.
    json
        Write the report for programs to this file.
    junit
        Write the report for continuous integration to this file.
    report_dir
        Write all three into this folder: index.html, report.json, junit.xml.
    strict
        A broken SHOULD counts as a failure.
    no_skips
        A scenario that cannot be played counts as a failure.
    listen
        Where the broker listens, host:port, instead of the agent file's [callback] listen.

    """
    from broker_sim import engine
    from broker_sim.reports import html as html_report
    from broker_sim.reports import json as json_report
    from broker_sim.reports import junit as junit_report
    from broker_sim.reports.record import Record
    from broker_sim.reports.terminal import Terminal

    if urlsplit(target).scheme not in {"http", "https"} or not urlsplit(target).hostname:
        raise Refused(f"--target must be an address like http://127.0.0.1:8080/ncip, not {target!r}")
    plan = engine.Plan(
        scenarios=_load(scenario),
        target=target,
        agent=load_agent(agent),
        agent_file=agent,
        jobs=jobs,
        listen=listen,
        strict=strict,
        no_skips=no_skips,
    )
    record = Record()
    terminal = Terminal(record, _console())

    def hear(event: Event) -> None:
        record(event)
        terminal(event)

    try:
        code = asyncio.run(engine.run(plan, hear))
    finally:
        terminal.close()
    folder = {name: report_dir / name for name in ("index.html", "report.json", "junit.xml")} if report_dir else {}
    wanted = (
        (html_report.write, (html, folder.get("index.html"))),
        (json_report.write, (json, folder.get("report.json"))),
        (junit_report.write, (junit, folder.get("junit.xml"))),
    )
    for write, paths in wanted:
        for path in paths:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                write(record, path)
                print(f"wrote {path}")
    return code


@app.command(name="list")
def list_scenarios(*scenario: str, markdown: bool = False, json: bool = False) -> int:
    """List the scenarios: id, side, level, title.

    Parameters
    ----------
    scenario
        Ids, globs over ids, files or folders; all bundled scenarios when none is given.
    markdown
        As a Markdown table.
    json
        As JSON, with summaries and requirements.

    """
    from broker_sim.engine import billing

    listed = [billing(one) for one in _load(scenario)]
    if json:
        keys = ("id", "title", "summary", "side", "level", "verifies")
        print(
            json_text.dumps([{key: getattr(one, key) for key in keys} for one in listed], ensure_ascii=False, indent=2)
        )
    elif markdown:
        print("| scenario | side | level | what happens |\n|---|---|---|---|")
        for one in listed:
            title = one.title.replace("|", "\\|")
            print(f"| `{one.id}` | {one.side} | {one.level} | {title} |")
    else:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("scenario", "side", "level", "what happens"):
            table.add_column(column, no_wrap=column != "what happens")
        for one in listed:
            table.add_row(one.id, one.side, one.level, one.title)
        _console().print(table)
    return 0


@app.command
def schema() -> int:
    """Print the JSON Schema of scenario files, for an editor to check them while one writes."""
    print(json_text.dumps(scenario_schema(), ensure_ascii=False, indent=2))
    return 0


def _console() -> Console:
    console = Console()
    if not console.is_terminal:
        console.width = _LOG_WIDTH
    return console


def _load(wanted: Sequence[str]) -> list[Scenario]:
    """Load every scenario that is meant; all mistakes of all files are told at once."""
    scenarios: list[Scenario] = []
    mistakes: list[str] = []
    for path in select(wanted, places.conformance() / "scenarios"):
        try:
            scenarios.append(load(path))
        except FileMistake as mistake:
            mistakes.append(str(mistake))
    if mistakes:
        raise Refused("\n".join(mistakes))
    twice = {one.id for one in scenarios if sum(other.id == one.id for other in scenarios) > 1}
    if twice:
        raise Refused(f"two files have the same id: {', '.join(sorted(twice))}")
    return scenarios


def main(tokens: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code tells what kind of end it was."""
    from broker_sim.engine import Unreachable

    try:
        return int(app(tokens, exit_on_error=False, print_error=False, result_action="return_value") or 0)
    except CycloptsError as error:
        return _said(f"{error}\n`broker-sim --help` shows how it is used", USAGE)
    except (Refused, NothingMatched, AgentMistake) as error:
        return _said(str(error), USAGE)
    except Unreachable as error:
        return _said(str(error), UNREACHABLE)
    except OSError as error:
        return _said(str(error), BROKEN)
    except KeyboardInterrupt:
        return _said("stopped", BROKEN)


def _said(message: str, code: int) -> int:
    print(f"broker-sim: {message}", file=sys.stderr)
    return code
