"""`ncipd/openapi.yaml` and the desk's door say the same: the routes, the parameters, the words, the examples."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from aiohttp import web
from jsonschema import Draft202012Validator
from msgspec import inspect
from openapi_spec_validator import validate

from ncipd.api import Api
from ncipd.api.calls import LONGEST, MOST, USUAL
from ncipd.api.demo_clock import ClockSetting
from ncipd.api.endpoints import OUTBOX_STATES
from ncipd.circulation.model import HoldState, ItemState, ItemStatus, RequestStatus, Role, TaskKind
from ncipd.desk import actions
from tests.edge.office import closed, description, resolved

DESK = "/api/v1/agencies/{agency}/desk/"
CLOCK = "/api/v1/demo/clock"
METHODS = {"get", "post", "put", "patch", "delete"}


def routes(*, demo: bool) -> set[tuple[str, str]]:
    """(method, path) of every route that the door adds, but for the one that catches what has none."""
    app = web.Application()
    nothing: Any = None
    Api(nothing, nothing, clock=nothing, new_id=nothing, demo=demo, wake=nothing).routes(app)
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method not in ("HEAD", "*")
    }


def operations() -> dict[tuple[str, str], Any]:
    return {
        (method.upper(), path): operation
        for path, methods in description()["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def body_of(method: str, path: str) -> Any:
    return resolved(operations()[method, path]["requestBody"])["content"]["application/json"]


def test_the_description_is_valid_openapi():
    validate(description())


def test_every_route_is_described_and_every_described_route_exists():
    assert set(operations()) == routes(demo=True)


def test_only_the_clock_needs_the_demo():
    assert routes(demo=True) - routes(demo=False) == {("GET", CLOCK), ("POST", CLOCK)}


def kinds(type: inspect.Type) -> set[str]:
    """The JSON types that a field takes."""
    match type:
        case inspect.UnionType(types=types):
            return set().union(*(kinds(one) for one in types))
        case inspect.StrType():
            return {"string"}
        case inspect.BoolType():
            return {"boolean"}
        case inspect.FloatType():
            return {"number"}
        case inspect.NoneType():
            return {"null"}
        case _:
            raise AssertionError(f"{type} is new here: say which JSON type it is")


STRUCTS = [
    *((DESK + name, action.parameters) for name, action in sorted(actions().items())),
    (CLOCK, ClockSetting),
]


@pytest.mark.parametrize(("path", "struct"), STRUCTS, ids=[path.rpartition("/")[2] for path, _ in STRUCTS])
def test_an_actions_parameters_are_those_described(path, struct):
    """Names, which are required, types and defaults; neither side has one more."""
    schema = resolved(body_of("POST", path)["schema"])
    fields = msgspec.structs.fields(struct)
    types = {field.name: kinds(field.type) for field in inspect.type_info(struct).fields}
    assert set(schema["properties"]) == {field.name for field in fields}
    assert set(schema.get("required", [])) == {field.name for field in fields if field.required}
    assert schema["additionalProperties"] is False
    for field in fields:
        described = schema["properties"][field.name]
        told = described["type"] if isinstance(described["type"], list) else [described["type"]]
        assert set(told) == types[field.name], field.name
        assert described.get("description"), field.name
        if not field.required:
            assert described["default"] == field.default, field.name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Role", Role),
        ("TaskKind", TaskKind),
        ("RequestStatus", RequestStatus),
        ("ItemStatus", ItemStatus),
        ("MessageState", OUTBOX_STATES),
    ],
)
def test_the_words_are_those_of_the_store(name, words):
    assert description()["components"]["schemas"][name]["enum"] == [str(word) for word in words]


def test_the_states_of_items_and_holds_are_those_of_the_store():
    schemas = description()["components"]["schemas"]
    assert schemas["RequestItem"]["properties"]["state"]["enum"] == [str(state) for state in ItemState]
    shown = schemas["Hold"]["properties"]["state"]["enum"]
    assert shown == [HoldState.WAITING, HoldState.READY]  # the others are over, and not shown


def test_limits_are_those_of_the_door():
    most = description()["components"]["parameters"]["most"]["schema"]
    assert (most["minimum"], most["maximum"], most["default"]) == (1, MOST, USUAL)
    assert f"({LONGEST // 1024} KiB)" in description()["info"]["description"]


def test_every_operation_says_what_it_does_who_may_and_what_goes_wrong():
    names = [operation["operationId"] for operation in operations().values()]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in description()["tags"]}
    for (method, path), operation in operations().items():
        assert operation["summary"], path
        assert set(operation["tags"]) <= tags, path
        assert "200" in operation["responses"], path
        if path.endswith("openapi.yaml"):
            continue
        assert resolved(operation["responses"]["default"])["content"]["application/json"], path
        named = [resolved(one)["name"] for one in operation.get("parameters", [])]
        assert ("Idempotency-Key" in named) == (method == "POST" and path != CLOCK), path


def examples(part: Any) -> list[Any]:
    found = [part["example"]] if "example" in part else []
    return found + [one["value"] for one in part.get("examples", {}).values()]


def contents() -> list[tuple[str, Any]]:
    """Every JSON body in the description that has examples."""
    found = []
    for (method, path), operation in operations().items():
        bodies = [resolved(answer) for answer in operation["responses"].values()]
        if "requestBody" in operation:
            bodies.append(resolved(operation["requestBody"]))
        for body in bodies:
            content = body.get("content", {}).get("application/json")
            if content and examples(content):
                found.append((f"{method} {path}", content))
    return found


def test_examples_are_what_the_schema_says():
    assert len(contents()) > len(STRUCTS)
    for where, content in contents():
        for example in examples(content):
            wrong = [error.message for error in Draft202012Validator(closed(content["schema"])).iter_errors(example)]
            assert not wrong, where


def test_every_action_has_an_example():
    assert not [path for path, _ in STRUCTS if not examples(body_of("POST", path))]


async def test_a_running_ncipd_gives_its_description_to_everybody(office):
    """No token is needed to read how tokens are used."""
    async with office.session.get(f"{office.root}/api/v1/openapi.yaml") as answer:
        assert answer.status == 200
        assert answer.content_type == "application/yaml"
        assert (await answer.text()).startswith("openapi: 3.1")
