"""``broker-sim``: run, conform, list, report, schema.

Exit codes: 0 passed · 1 conformance failure · 2 usage, bad file or nothing matched · 3 target unreachable · 4 error of
the suite.
"""

from __future__ import annotations

import asyncio
import json as json_text
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from cyclopts import App, CycloptsError, Parameter
from rich.console import Console

import broker_sim
from broker_sim import listing, places, requirements
from broker_sim.agent import AgentMistake, address_of
from broker_sim.agent import load as load_agent
from broker_sim.events import Command, Event
from broker_sim.loading import NothingMatched, load, select
from broker_sim.persona import PersonaMistake
from broker_sim.reports.record import Record, join
from broker_sim.requirements import RequirementMistake, Requirements
from broker_sim.scenario import Scenario
from broker_sim.schema import persona_schema, scenario_schema
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


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Written:
    """Where the reports go."""

    html: Annotated[Path | None, Parameter(help="Write the report for people to this file.")] = None
    json: Annotated[Path | None, Parameter(help="Write the report for programs to this file.")] = None
    junit: Annotated[Path | None, Parameter(help="Write the report for continuous integration to this file.")] = None
    report_dir: Annotated[
        Path | None, Parameter(help="Write all three into this folder: index.html, report.json, junit.xml.")
    ] = None

    def write(self, record: Record) -> None:
        """Write every report that is wanted, and say so."""
        from broker_sim.reports import html, json, junit

        wanted = (
            (html.write, self.html, "index.html"),
            (json.write, self.json, "report.json"),
            (junit.write, self.junit, "junit.xml"),
        )
        for write, path, name in wanted:
            for one in (path, self.report_dir / name if self.report_dir else None):
                if one is not None:
                    one.parent.mkdir(parents=True, exist_ok=True)
                    write(record, one)
                    print(f"wrote {one}")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Options:
    """How something is played."""

    target: Annotated[str, Parameter(help="The target's NCIP address, such as http://127.0.0.1:8080/ncip.")]
    agent: Annotated[Path, Parameter(help="The file that describes the target: its agencies, test data and desk.")]
    jobs: Annotated[int, Parameter(alias="-j", help="How many are played at once.")] = 4
    strict: Annotated[bool, Parameter(negative="", help="A broken SHOULD counts as a failure.")] = False
    no_skips: Annotated[
        bool,
        Parameter(negative="", help="What cannot be played counts as a failure, unless the agent file excludes it."),
    ] = False
    listen: Annotated[
        str | None,
        Parameter(help="Where the broker listens, host:port; otherwise by the agent file's [callback]."),
    ] = None


_Scenarios = Annotated[
    str, Parameter(help="Ids, globs over ids, files or folders; all bundled scenarios when none is given.")
]
_Cases = Annotated[
    str,
    Parameter(help="Ids, services (CheckOutItem), globs over ids, files or folders; all bundled cases for none."),
]
_NOWHERE = Written()


@app.command
def run(*scenario: _Scenarios, options: Options, written: Written = _NOWHERE) -> int:
    """Play scenarios against a target and judge it."""
    return _play("run", _load(scenario, places.scenarios()), options, written)


@app.command
def conform(*case: _Cases, options: Options, written: Written = _NOWHERE) -> int:
    """Judge a target by the bundled cases, service by service; what it does not declare is skipped."""
    return _play("conform", _load(case, places.cases(), cases=True), options, written)


@app.command(name="list")
def list_all(
    *scenario: str,
    markdown: bool = False,
    json: bool = False,
    requirements: bool = False,
    needs: bool = False,
    personas: bool = False,
) -> int:
    """List scenarios and cases with the personas that they are played as, or what they need and verify.

    Parameters
    ----------
    scenario
        Ids, services, globs over ids, files or folders; everything that is bundled when none is given.
    markdown
        As a Markdown table.
    json
        As JSON, with summaries, requirements and test data.
    requirements
        List the requirements instead, with the cases that verify them; exit code 1 where one has no case and no reason.
    needs
        List instead how much test data of each role is needed.
    personas
        List instead the personas: how each family of systems writes and posts its messages.

    """
    form = "json" if json else "markdown" if markdown else "table"
    if requirements:
        covered = listing.coverage(_requirements(), _load(scenario, places.cases(), cases=True))
        listing.show_requirements(covered, _console(), form=form)
        return int(any(one.gap for one in covered))
    if personas:
        listing.show_personas(_console(), form=form)
        return 0
    found = _load(scenario, places.scenarios(), places.cases())
    if needs:
        listing.show_needs(found, _console())
    else:
        listing.show(found, _console(), form=form)
    return 0


@app.command
def report(
    *run: Annotated[Path, Parameter(help="Files that `--json` has written.")], written: Written = _NOWHERE
) -> int:
    """Put the JSON reports of several runs together into one report; its exit code is the worst of theirs."""
    from broker_sim.reports.reading import read

    if not run:
        raise Refused("name the JSON reports that are to be put together")
    try:
        record = join([read(path) for path in run])
    except ValueError as error:
        raise Refused(str(error)) from error
    written.write(record)
    return BROKEN if record.exit_code is None else record.exit_code


@app.command
def schema(*, persona: bool = False) -> int:
    """Print the JSON Schema of scenario files, for an editor to check them while one writes.

    Parameters
    ----------
    persona
        That of persona files instead.

    """
    print(json_text.dumps(persona_schema() if persona else scenario_schema(), ensure_ascii=False, indent=2))
    return 0


def _play(command: Command, scenarios: list[Scenario], options: Options, written: Written) -> int:
    from broker_sim import engine
    from broker_sim.reports.terminal import Terminal

    target = options.target
    if urlsplit(target).scheme not in {"http", "https"} or not urlsplit(target).hostname:
        raise Refused(f"--target must be an address like http://127.0.0.1:8080/ncip, not {target!r}")
    if options.listen is not None:
        try:
            address_of(options.listen)
        except ValueError as error:
            raise Refused(f"--listen: {error}") from error
    plan = engine.Plan(
        scenarios=scenarios,
        target=target,
        agent=load_agent(options.agent),
        agent_file=options.agent,
        jobs=options.jobs,
        listen=options.listen,
        strict=options.strict,
        no_skips=options.no_skips,
        command=command,
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
    written.write(record)
    return code


def _console() -> Console:
    console = Console()
    if not console.is_terminal:
        console.width = _LOG_WIDTH
    return console


def _requirements() -> Requirements:
    return requirements.load(places.requirements())


def _load(wanted: Sequence[str], *bundled: Path, cases: bool = False) -> list[Scenario]:
    """Load everything that is meant, from elsewhere as ``cases`` or scenarios; all mistakes are told at once."""
    rules = _requirements()
    scenarios: list[Scenario] = []
    mistakes: list[str] = []
    for path in select(wanted, *bundled):
        is_case = cases or path.resolve().parent.parent.name == places.cases().name
        try:
            scenarios.append(load(path, rules if is_case else None))
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
    except (Refused, NothingMatched, AgentMistake, PersonaMistake, RequirementMistake) as error:
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
