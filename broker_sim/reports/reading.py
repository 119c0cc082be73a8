"""A JSON report read back, so that several runs can be put together into one report."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from broker_sim.events import Billing, BrokerStatus, Exchange, RunFinished, RunStarted, Stray
from broker_sim.reports.json import SCHEMA_VERSION
from broker_sim.reports.record import Record, ScenarioRecord, StepRecord
from broker_sim.requirements import Requirement
from broker_sim.verdict import Finding, Verdict

Plain = Mapping[str, Any]


def read(path: Path) -> Record:
    """Read a report that `--json` has written; raises ValueError for anything else."""
    try:
        data = msgspec.json.decode(path.read_bytes())
        if data["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema_version {data['schema_version']!r} is not {SCHEMA_VERSION!r}")
        return _record(data)
    except (OSError, msgspec.DecodeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no report of this broker-sim: {error!r}") from error


def _record(data: Plain) -> Record:
    record = Record()
    billings = [(_billing(one), one) for one in data["scenarios"]]
    for number, plain in enumerate(data["runs"]):
        record.runs.append(_started(plain, tuple(billing for billing, one in billings if one["run"] == number)))
        if plain["finished"] is not None:
            record.ends.append(
                RunFinished(datetime.fromisoformat(plain["finished"]), plain["seconds"], plain["exit_code"])
            )
    for billing, one in billings:
        record.scenarios[billing.id] = _scenario(billing, record.runs[one["run"]], one)
    for plain in data["strays"]:
        exchange = _exchange({key: value for key, value in plain.items() if key != "remark"})
        record.strays.append(Stray(exchange.at, exchange, plain["remark"]))
    record.warnings += data["warnings"]
    return record


def _started(plain: Plain, billings: tuple[Billing, ...]) -> RunStarted:
    return RunStarted(
        at=datetime.fromisoformat(plain["started"]),
        target=plain["target"],
        agent=plain["agent"],
        agent_file=plain["agent_file"],
        listening=plain["listening"],
        jobs=plain["jobs"],
        scenarios=billings,
        version=plain["broker_sim"],
        command=plain["command"],
    )


def _billing(plain: Plain) -> Billing:
    return Billing(
        id=plain["id"],
        title=plain["title"],
        summary=plain["summary"],
        side=plain["side"],
        level=plain["level"],
        verifies=tuple(plain["verifies"]),
        file=plain["file"],
        steps=plain["steps_planned"],
        requirements=msgspec.convert(plain["requirements"], tuple[Requirement, ...]),
        persona=plain.get("persona"),
        bundled=plain.get("bundled", True),
    )


def _scenario(billing: Billing, run: RunStarted, plain: Plain) -> ScenarioRecord:
    return ScenarioRecord(
        billing,
        run,
        started=datetime.fromisoformat(plain["started"]) if plain["started"] else None,
        verdict=_verdict(plain["verdict"]),
        envelope=_verdict(plain["envelope"]),
        reason=plain["reason"],
        seconds=plain["seconds"],
        variables=plain["variables"],
        steps={step["number"] - 1: _step(billing.id, step) for step in plain["steps"]},
    )


def _verdict(word: str | None) -> Verdict | None:
    return None if word is None else Verdict(word)


def _step(scenario: str, plain: Plain) -> StepRecord:
    number = plain["number"] - 1
    return StepRecord(
        number,
        plain["kind"],
        plain["title"],
        plain["note"],
        plain["sender"],
        plain["receiver"],
        plain["line"],
        exchanges=[_exchange(exchange) for exchange in plain["exchanges"]],
        findings=[Finding(**finding) for finding in plain["expectations"]],
        broker=[BrokerStatus(scenario, number, **status) for status in plain["broker"]],
        captured=plain["captured"],
        seconds=plain["seconds"],
    )


def _exchange(plain: Plain) -> Exchange:
    parts = {
        **plain,
        "at": datetime.fromisoformat(plain["at"]),
        "request": _body(plain["request"]),
        "response": _body(plain["response"]),
    }
    return Exchange(**parts)


def _body(plain: Mapping[str, str]) -> bytes:
    return plain["text"].encode() if "text" in plain else base64.b64decode(plain["base64"])
