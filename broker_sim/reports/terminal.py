"""The report for whoever sits in front of it: scenarios turning green, then what went wrong, then a table."""

from __future__ import annotations

from collections import Counter

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from broker_sim import events
from broker_sim.events import Event
from broker_sim.reports.record import Record, ScenarioRecord, StepRecord, worst
from broker_sim.reports.words import again, place, span, what, where
from broker_sim.verdict import Finding, Verdict

MARKS = {
    Verdict.PASS: ("✓", "green"),
    Verdict.NON_STRICT: ("≈", "yellow"),
    Verdict.FAIL: ("✗", "bold red"),
    Verdict.SKIP: ("–", "dim"),
    Verdict.ERROR: ("!", "bold magenta"),
}


class Terminal:
    """Listens to a run and shows it; lives on a real terminal, prints plain lines elsewhere."""

    def __init__(self, record: Record, console: Console) -> None:
        self._record, self._console = record, console
        self._playing: dict[str, str] = {}
        self._live: Live | None = None

    def __call__(self, event: Event) -> None:
        """Show one event; the record has taken it in before."""
        match event:
            case events.RunStarted():
                self._begin(event)
            case events.ScenarioStarted():
                self._playing[event.scenario] = ""
            case events.StepStarted():
                self._playing[event.scenario] = f"{event.sender}: {event.title}"
            case events.ScenarioFinished():
                self._playing.pop(event.scenario, None)
                self._say(self._line(self._record.scenarios[event.scenario]))
            case events.Stray():
                self._say(Text(f"  ? {event.exchange.asked} came from the target and belongs to no scenario", "yellow"))
            case events.RunFinished():
                self.close()
                self._end(event)
            case _:
                return
        if self._live is not None:
            self._live.update(self._now())

    def close(self) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _begin(self, run: events.RunStarted) -> None:
        self._console.print(f"[bold]{what(run)}[/] against [bold]{escape(run.agent)}[/] at {run.target}")
        if run.listening:
            self._console.print(f"[dim]the broker listens at {run.listening}[/]")
        self._console.print()
        if self._console.is_terminal:
            self._live = Live(self._now(), console=self._console, transient=True, refresh_per_second=12)
            self._live.start()

    def _say(self, text: Text) -> None:
        self._console.print(text, soft_wrap=not self._console.is_terminal)

    def _line(self, scenario: ScenarioRecord) -> Text:
        verdict = scenario.verdict or Verdict.ERROR
        mark, style = MARKS[verdict]
        text = Text.assemble(
            ("  ", ""), (f"{mark} ", style), (scenario.billing.id, "" if verdict is Verdict.PASS else style)
        )
        text.append(f"  {span(scenario.seconds)}", "dim")
        if verdict is not Verdict.PASS:
            first = scenario.unmet[0][1].requirement if scenario.unmet else ""
            text.append(f"  {verdict.value}: {scenario.reason or first}", "dim" if verdict is Verdict.SKIP else "")
        return text

    def _now(self) -> Group:
        done = sum(scenario.verdict is not None for scenario in self._record.scenarios.values())
        total = len(self._record.scenarios)
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            ProgressBar(total=max(1, total), completed=done, width=40, complete_style="green"),
            f"{done}/{total}",
            f"{self._record.messages} messages",
        )
        lines = [
            Text(f"  … {name}  {doing}", "dim", no_wrap=True, overflow="ellipsis")
            for name, doing in self._playing.items()
        ]
        return Group(*lines, Padding(bar, (1, 0, 0, 2)))

    def _end(self, event: events.RunFinished) -> None:
        for scenario in self._record.scenarios.values():
            for step, finding in scenario.unmet:
                self._console.print(self._failure(scenario, step, finding))
            if scenario.verdict is Verdict.ERROR:
                self._console.print(self._error(scenario))
        self._console.print()
        by_service = self._record.run is not None and self._record.run.command == "conform"
        self._console.print(self._services() if by_service else self._table())
        for warning in self._record.warnings:
            self._console.print(f"[yellow]{escape(warning)}[/]")
        self._console.print(self._sum(event))

    def _failure(self, scenario: ScenarioRecord, step: StepRecord, finding: Finding) -> Group:
        style = "bold red" if finding.fatal else "yellow"
        word = "FAIL" if finding.fatal else "NON-STRICT"
        head = Text.assemble(
            (f"\n{word} ", style),
            (scenario.billing.id, "bold"),
            f", step {step.number + 1}: {step.sender}, {step.title}",
        )
        lines = [
            ("requirement", Text(finding.requirement)),
            ("expected", Text(finding.expected, "green")),
            ("actual", Text(finding.actual, style)),
            ("where", Text(where(finding))),
            ("in", Text(place(scenario, step))),
            ("again", Text(again(scenario))),
        ]
        return self._explained(head, lines)

    def _error(self, scenario: ScenarioRecord) -> Group:
        """What kept a scenario from being judged: that is nothing the target can be blamed for."""
        head = Text.assemble(("\nERROR ", "bold magenta"), (scenario.billing.id, "bold"))
        last = next(reversed(scenario.reached), None)
        if last is not None:
            head.append(f", step {last.number + 1}: {last.sender}, {last.title}")
        reason = Text(scenario.reason or "the run ended before this scenario did", "magenta")
        return self._explained(
            head,
            [("reason", reason), ("in", Text(place(scenario, last))), ("again", Text(again(scenario)))],
        )

    def _explained(self, head: Text, lines: list[tuple[str, Text]]) -> Group:
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, text in lines:
            if text.plain:
                table.add_row(name, text)
        return Group(head, Padding(table, (0, 0, 0, 2)))

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        table.add_column("verdict", no_wrap=True)
        table.add_column("scenario", no_wrap=True)
        table.add_column("side")
        table.add_column("messages", justify="right")
        table.add_column("expectations", justify="right")
        table.add_column("time", justify="right", no_wrap=True)
        for scenario in self._record.scenarios.values():
            verdict = scenario.verdict or Verdict.ERROR
            mark, style = MARKS[verdict]
            met = scenario.expectations - len(scenario.unmet)
            counted = f"{met}/{scenario.expectations}" if scenario.expectations else ""
            messages = str(scenario.messages or "")
            row = (
                Text(f"{mark} {verdict.value}", style),
                scenario.billing.id,
                scenario.billing.side,
                messages,
                counted,
            )
            table.add_row(*row, span(scenario.seconds))
        return table

    def _services(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        table.add_column("verdict", no_wrap=True)
        table.add_column("service", no_wrap=True)
        for title in ("cases", *(verdict.value.lower() for verdict in Verdict), "messages"):
            table.add_column(title, justify="right")
        for group, scenarios in self._record.groups.items():
            verdict = worst(scenarios) or Verdict.ERROR
            mark, style = MARKS[verdict]
            counts = Counter(scenario.verdict or Verdict.ERROR for scenario in scenarios)
            cells = [Text(str(counts[each]) if counts[each] else "·", MARKS[each][1] if counts[each] else "dim")
                     for each in Verdict]  # fmt: skip
            messages = str(sum(scenario.messages for scenario in scenarios) or "")
            table.add_row(Text(f"{mark} {verdict.value}", style), group, str(len(scenarios)), *cells, messages)
        return table

    def _sum(self, event: events.RunFinished) -> Text:
        counts = self._record.counts
        text = Text("\n")
        for verdict in Verdict:
            if counts[verdict]:
                text.append(f"{counts[verdict]} {verdict.value}  ", MARKS[verdict][1])
        return text.append(f"{self._record.messages} messages in {span(event.seconds)}", "dim")
