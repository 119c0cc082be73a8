"""The report for programs: everything that happened, as JSON with a versioned form."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from broker_sim.events import Exchange
from broker_sim.reports.record import Record, ScenarioRecord, StepRecord
from broker_sim.verdict import Finding, Verdict

# Raised when a key changes its meaning or goes away; new keys do not raise it.
SCHEMA_VERSION = "1"


def write(record: Record, path: Path) -> None:
    """Write the report to a file."""
    path.write_text(json.dumps(document(record), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def document(record: Record) -> dict[str, Any]:
    """The whole report as plain data."""
    run, finished = record.run, record.finished
    return {
        "schema_version": SCHEMA_VERSION,
        "broker_sim": run.version if run else None,
        "target": run.target if run else None,
        "agent": run.agent if run else None,
        "agent_file": run.agent_file if run else None,
        "listening": run.listening if run else None,
        "started": run.at.isoformat() if run else None,
        "seconds": round(finished.seconds, 3) if finished else None,
        "exit_code": finished.exit_code if finished else None,
        "verdicts": {verdict.value: record.counts[verdict] for verdict in Verdict},
        "messages": record.messages,
        "warnings": record.warnings,
        "scenarios": [_scenario(scenario) for scenario in record.scenarios.values()],
        "strays": [{"remark": stray.remark, **_exchange(stray.exchange)} for stray in record.strays],
    }


def _scenario(scenario: ScenarioRecord) -> dict[str, Any]:
    billing = asdict(scenario.billing)
    return {
        **billing,
        "verifies": list(scenario.billing.verifies),
        "steps_planned": billing.pop("steps"),
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
