"""The JSON Schemas of scenario and persona files, generated from the model, for editors that check while one writes."""

from __future__ import annotations

from typing import Any

import msgspec

from broker_sim.persona import Persona
from broker_sim.scenario import STEPS, Duration, Story

_REF = "#/$defs/{name}"


def scenario_schema() -> dict[str, Any]:
    """The whole schema. All scalars of a scenario file are text, so numbers and flags are allowed as text too."""
    shapes = [Story, *STEPS.values()]
    references, definitions = msgspec.json.schema_components(shapes, schema_hook=_unusual, ref_template=_REF)
    story, *steps = references
    definitions["Story"]["properties"]["steps"]["items"] = {"oneOf": list(steps)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A broker_sim scenario",
        **story,
        "$defs": {name: _lenient(definition) for name, definition in definitions.items()},
    }


def persona_schema() -> dict[str, Any]:
    """The schema of persona files."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A persona of broker_sim",
        **msgspec.json.schema(Persona),
    }


def _lenient(node: Any) -> Any:
    """YAML editors read ``2`` as a number and ``true`` as a flag; our loader reads both as text. Allow either."""
    if isinstance(node, list):
        return [_lenient(part) for part in node]
    if not isinstance(node, dict):
        return node
    lenient = {key: _lenient(value) for key, value in node.items()}
    if lenient.get("type") == "string" and "enum" not in lenient and "pattern" not in lenient:
        lenient["type"] = ["string", "number", "boolean"]
    return lenient


def _unusual(kind: type) -> dict[str, Any]:
    if kind is Duration:
        return {"type": "string", "pattern": r"^\d+(\.\d+)?\s*(ms|s|m|h)$", "description": Duration.__doc__}
    raise NotImplementedError(kind)
