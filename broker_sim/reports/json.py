"""The report for programs: everything that happened, as JSON with a versioned form."""

from __future__ import annotations

import base64
import json
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from broker_sim.events import Exchange, RunFinished, RunStarted
from broker_sim.reports.record import Record, ScenarioRecord, StepRecord, worst
from broker_sim.verdict import Finding, Verdict

# Raised when a key changes its meaning or goes away; new keys do not raise it.
SCHEMA_VERSION = "1"


def write(record: Record, path: Path) -> None:
    """Write the report to a file."""
    path.write_text(json.dumps(document(record), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def document(record: Record) -> dict[str, Any]:
    """The whole report as plain data; of several runs put together, the head is the first one's."""
    runs = [_run(run, end) for run, end in zip_longest(record.runs, record.ends)]
    head = {key: value for key, value in runs[0].items() if key != "command"} if runs else dict.fromkeys(_HEAD)
    return {
        "schema_version": SCHEMA_VERSION,
        **head,
        "seconds": None if record.seconds is None else round(record.seconds, 3),
        "exit_code": record.exit_code,
        "verdicts": {verdict.value: record.counts[verdict] for verdict in Verdict},
        "messages": record.messages,
        "warnings": record.warnings,
        "runs": runs,
        "scenarios": [_scenario(record, scenario) for scenario in record.scenarios.values()],
        "requirements": [
            {
                **msgspec.to_builtins(requirement),
                "verdict": worst(cases),
                "cases": [case.billing.id for case in cases],
            }
            for requirement, cases in record.requirements
        ],
        "strays": [{"remark": stray.remark, **_exchange(stray.exchange)} for stray in record.strays],
    }


_HEAD = ("broker_sim", "target", "agent", "agent_file", "listening", "jobs", "started")


def _run(run: RunStarted, end: RunFinished | None) -> dict[str, Any]:
    return {
        "command": run.command,
        "broker_sim": run.version,
        "target": run.target,
        "agent": run.agent,
        "agent_file": run.agent_file,
        "listening": run.listening,
        "jobs": run.jobs,
        "started": run.at.isoformat(),
        "finished": end.at.isoformat() if end else None,
        "seconds": round(end.seconds, 3) if end else None,
        "exit_code": end.exit_code if end else None,
    }


def _scenario(record: Record, scenario: ScenarioRecord) -> dict[str, Any]:
    billing = scenario.billing
    return {
        "id": billing.id,
        "title": billing.title,
        "summary": billing.summary,
        "side": billing.side,
        "level": billing.level,
        "persona": billing.persona,
        "verifies": list(billing.verifies),
        "requirements": msgspec.to_builtins(billing.requirements),
        "file": billing.file,
        "bundled": billing.bundled,
        "steps_planned": billing.steps,
        "run": record.runs.index(scenario.run),
        "verdict": scenario.verdict,
        "envelope": scenario.envelope,
        "reason": scenario.reason,
        "started": scenario.started.isoformat() if scenario.started else None,
        "seconds": round(scenario.seconds, 4),
        "messages": scenario.messages,
        "variables": scenario.variables,
        "broker_statuses": [{"step": step, "status": status} for step, status in scenario.statuses],
        "steps": [_step(step) for step in scenario.steps.values()],
    }


def _step(step: StepRecord) -> dict[str, Any]:
    return {
        "number": step.number + 1,
        "kind": step.kind,
        "title": step.title,
        "note": step.note,
        "sender": step.sender,
        "receiver": step.receiver,
        "line": step.line,
        "seconds": round(step.seconds, 4),
        "captured": step.captured,
        "exchanges": [_exchange(exchange) for exchange in step.exchanges],
        "expectations": [_finding(finding) for finding in step.findings],
        "broker": [
            {
                "request": status.request,
                "status": status.status,
                "lender_item": status.lender_item,
                "temporary_item": status.temporary_item,
            }
            for status in step.broker
        ],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in Finding.__slots__}


def _exchange(exchange: Exchange) -> dict[str, Any]:
    plain = {name: getattr(exchange, name) for name in Exchange.__slots__}
    return {
        **plain,
        "at": exchange.at.isoformat(),
        "seconds": round(exchange.seconds, 5),
        "request": _body(exchange.request),
        "response": _body(exchange.response),
    }


def _body(raw: bytes) -> dict[str, str]:
    try:
        return {"text": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}
