"""The desk's door on a running ncipd: who may, what is refused, what is done once, and what others never see."""

from __future__ import annotations

import asyncio
import gzip
import json
from datetime import datetime
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest

from ncipd.api.calls import LONGEST
from ncipd.circulation.clock import to_micros
from tests.edge.office import PREFIX, TOKENS, Office, accept, check_out, opened, renew, request_item
from tests.services.world import START

JSON = {"Content-Type": "application/json"}
SHIP = f"{PREFIX}/agencies/LEND/desk/ship"


def stored(folder: Path) -> bytes:
    """Every byte that is on the disk."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


# ---------------------------------------------------------------------------------------------- tokens


async def test_a_token_opens_the_desk_of_its_agency_by_any_of_its_codes(office: Office) -> None:
    for code in ("LEND", "XX-LEND", "xx-lend"):
        status, content = await office.call("GET", "tasks", agency=code, token=TOKENS["LEND"])
        assert (status, content) == (200, {"tasks": []})


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_word_bearer_may_be_written_in_any_case(office: Office, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {TOKENS['LEND']}"}
    assert (await office.call("GET", "tasks", token=None, headers=headers))[0] == 200


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (None, "token-missing"),
        ("Bearer ", "token-missing"),
        ("Basic cm9zYTpyb3Nh", "token-missing"),
        ("Bearer wrong", "token-unknown"),
        (f"Bearer {TOKENS['LEND']}x", "token-unknown"),
        ("Bearer \N{SNOWMAN}", "token-unknown"),
    ],
)
async def test_without_a_token_that_is_known_nothing_is_shown_or_done(office: Office, sent: str, code: str) -> None:
    headers = {"Authorization": sent} if sent is not None else {}
    for method, path in (
        ("GET", "tasks"),
        ("GET", "users/LEND-USER-1"),
        ("POST", "desk/ship"),
        ("POST", "tasks/1/done"),
    ):
        status, content = await office.call(method, path, token=None, headers=headers | JSON, data=b"{}")
        assert (status, content["error"]["code"]) == (401, code)


async def test_a_refusal_says_which_kind_of_token_is_wanted(office: Office) -> None:
    async with office.session.get(f"{office.root}{PREFIX}/agencies/LEND/tasks") as answer:
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_token_of_another_agency_opens_nothing_and_does_not_tell_which_agencies_there_are(
    office: Office,
) -> None:
    for agency in ("LEND", "NOBODY"):
        status, content = await office.call("GET", "tasks", agency=agency, token=TOKENS["BORROW"])
        assert (status, content["error"]["code"]) == (403, "token-of-another-agency")
        assert "BORROW" not in json.dumps(content)


async def test_what_users_are_called_may_be_kept_by_nobody_on_the_way(office: Office) -> None:
    headers = {"Authorization": f"Bearer {TOKENS['LEND']}"}
    async with office.session.get(f"{office.root}{PREFIX}/agencies/LEND/users/LEND-USER-1", headers=headers) as answer:
        assert answer.headers["Cache-Control"] == "no-store"


async def test_the_text_of_a_token_is_nowhere_on_the_disk(tmp_path: Path) -> None:
    """Only its SHA-256 is stored; it is in no journal line and in no stored answer."""
    async with opened(tmp_path / "data") as office:
        await office.say(request_item("L1", "R-1"))
        await office.do("ship", barcode="L1", key="k-1")
        await office.call("GET", "tasks", token="an-unknown-token")
    kept = stored(tmp_path / "data")
    assert b"rosa" in kept
    assert not [token for token in (*TOKENS.values(), "an-unknown-token") if token.encode() in kept]


# ---------------------------------------------------------------------------------------------- under --demo


async def test_under_demo_this_machine_needs_no_token(demo: Office) -> None:
    assert await demo.see("tasks") == {"tasks": []}
    await demo.say(request_item("L1", "R-1"))
    await demo.do("ship", barcode="L1")
    (line, *_) = (await demo.see("journal"))["journal"]
    assert (line["operator"], line["service"]) == ("demo", "ship")


@pytest.mark.parametrize(
    "host", ["library.example", "library.example:8080", "127.0.0.1.evil.example", "10.0.0.1", "[::2]:80", "[::1", "a b"]
)
async def test_under_demo_a_foreign_host_is_refused(demo: Office, host: str) -> None:
    """A page whose name was made to point here (DNS rebinding) cannot work the desk."""
    for method, path in (("GET", "tasks"), ("POST", "desk/ship")):
        status, content = await demo.call(method, path, headers={"Host": host} | JSON, data=b"{}")
        assert (status, content["error"]["code"]) == (403, "host-foreign")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1234", "127.0.0.1:80", "[::1]:8080"])
async def test_under_demo_every_name_of_this_machine_will_do(demo: Office, host: str) -> None:
    assert (await demo.call("GET", "tasks", headers={"Host": host}))[0] == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://", "http://[", "evil"]
)
async def test_under_demo_a_foreign_origin_is_refused(demo: Office, origin: str) -> None:
    for method, path in (("GET", "tasks"), ("POST", "desk/ship")):
        status, content = await demo.call(method, path, headers={"Origin": origin} | JSON, data=b"{}")
        assert (status, content["error"]["code"]) == (403, "origin-foreign")


async def test_under_demo_a_page_of_this_machine_may(demo: Office) -> None:
    assert (await demo.call("GET", "tasks", headers={"Origin": "http://localhost:5173"}))[0] == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
@pytest.mark.parametrize("path", ["desk/ship", "tasks/1/done", "outbox/1/retry"])
async def test_under_demo_a_form_in_a_page_can_do_nothing(demo: Office, kind: str, path: str) -> None:
    """A browser sends these types to other sites without asking them first."""
    status, content = await demo.call("POST", path, headers={"Content-Type": kind}, data=b'{"barcode": "L1"}')
    assert (status, content["error"]["code"]) == (415, "not-json")


async def test_under_demo_an_unknown_agency_is_told_which_ones_there_are(demo: Office) -> None:
    status, content = await demo.call("GET", "tasks", agency="NOBODY")
    assert (status, content["error"]["code"]) == (404, "agency-unknown")
    assert "LEND, BORROW" in content["error"]["hint"]


async def test_under_demo_a_token_still_names_its_operator(demo: Office) -> None:
    await demo.say(request_item("L1", "R-1"))
    status, _ = await demo.call("POST", "desk/ship", token=TOKENS["LEND"], json={"barcode": "L1"})
    assert status == 200
    assert (await demo.see("journal"))["journal"][0]["operator"] == "rosa"


async def test_without_demo_there_is_no_clock_to_set(office: Office) -> None:
    for method in ("GET", "POST"):
        async with office.session.request(method, f"{office.root}{PREFIX}/demo/clock", json={}) as answer:
            assert answer.status == 404
            assert (await answer.json())["error"]["code"] == "no-such-endpoint"


# ---------------------------------------------------------------------------------------------- bodies


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "parameters-wrong"),  # an empty body is an empty object
        (b"{", 400, "json-unreadable"),
        (b"barcode=L1", 400, "json-unreadable"),
        (b'{"barcode": "\xff"}', 400, "json-unreadable"),
        (b'{"barcode": "\\ud800"}', 400, "json-unreadable"),  # half a character, which no store can hold
        (b'{"barcode": NaN}', 400, "json-unreadable"),
        (b'{"barcode": "L1"} {}', 400, "json-unreadable"),
        (b"[" * 60_000, 400, "json-unreadable"),
        (b"[]", 422, "not-an-object"),
        (b'"L1"', 422, "not-an-object"),
        (b"null", 422, "not-an-object"),
    ],
)
async def test_a_body_that_cannot_be_read_is_told_so(office: Office, body: bytes, status: int, code: str) -> None:
    found, content = await office.call("POST", "desk/return", headers=JSON, data=body)
    assert (found, content["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("sent", "field", "message"),
    [
        ({}, "barcode", "Missing parameter 'barcode'."),
        ({"barcode": "L1", "Barcode": "L1"}, "Barcode", "Unknown parameter 'Barcode'."),
        ({"barcode": 4711}, "barcode", "barcode: expected text, got a number."),
        ({"barcode": None}, "barcode", "barcode: expected text, got null."),
        ({"barcode": ["L1"]}, "barcode", "barcode: expected text, got a list."),
        ({"barcode": "L1", "user": "u", "due_date": 20260301}, "due_date", "due_date: expected text, got a number."),
    ],
)
async def test_a_wrong_parameter_is_named_in_words_with_those_that_there_are(
    office: Office, sent: dict[str, object], field: str, message: str
) -> None:
    status, content = await office.call("POST", "desk/check-out", json=sent)
    error = content["error"]
    assert (status, error["code"], error["field"]) == (422, "parameters-wrong", field)
    assert error["message"] == message
    assert error["hint"] == "Expected: barcode, user, due_date?."


async def test_a_body_of_another_type_is_refused_with_a_token_too(office: Office) -> None:
    status, content = await office.call("POST", "desk/return", headers={"Content-Type": "text/xml"}, data=b"<x/>")
    assert (status, content["error"]["code"]) == (415, "not-json")


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_is_too_large_is_refused(office: Office, chunked: bool) -> None:
    """Whether its length is announced or it just goes on."""
    body = json.dumps({"barcode": "x" * LONGEST}).encode()

    async def pieces():
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    status, content = await office.call("POST", "desk/return", headers=JSON, data=pieces() if chunked else body)
    assert (status, content["error"]["code"]) == (413, "too-large")


async def test_a_body_in_pieces_is_put_together(office: Office) -> None:
    async def pieces():
        for piece in (b'{"bar', b'code": ', b'"L1"}'):
            yield piece
            await asyncio.sleep(0.02)

    await office.say(request_item("L1", "R-1"))
    status, content = await office.call("POST", "desk/scan-at-shelf", headers=JSON, data=pieces())
    assert (status, content["done"]) == (200, True), content


async def test_a_compressed_body_is_refused_unread(office: Office) -> None:
    """A few bytes of it could be gigabytes."""
    headers = {**JSON, "Content-Encoding": "gzip"}
    status, content = await office.call("POST", "desk/return", headers=headers, data=gzip.compress(b" " * 10_000_000))
    assert (status, content["error"]["code"]) == (415, "compressed")


# ---------------------------------------------------------------------------------------------- endpoints


@pytest.mark.parametrize(
    "path", ["desk/steal", "desk", "task", "items", "items/", "requests/1/2", "outbox/1/retry/now", ""]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_is_not_there_is_answered_in_the_same_form(office: Office, method: str, path: str) -> None:
    status, content = await office.call(method, path)
    assert (status, content["error"]["code"]) == (404, "no-such-endpoint")
    assert "openapi.yaml" in content["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "desk/ship", "POST"),
        ("DELETE", "tasks", "GET"),
        ("POST", "items/L1", "GET"),
        ("GET", "tasks/1/done", "POST"),
    ],
)
async def test_another_method_than_the_endpoints_is_told_which_one(
    office: Office, method: str, path: str, allowed: str
) -> None:
    headers = {"Authorization": f"Bearer {TOKENS['LEND']}"}
    url = f"{office.root}{PREFIX}/agencies/LEND/{path}"
    async with office.session.request(method, url, headers=headers) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (405, "method-not-allowed")
        assert allowed in answer.headers["Allow"].split(", ")


async def test_a_store_that_takes_no_work_is_told_apart_from_a_bug(office: Office) -> None:
    """The operator hears that nothing was done, and under which id the log tells more."""
    await office.ncipd.store.close()
    status, content = await office.call("POST", "desk/return", json={"barcode": "L1"})
    assert (status, content["error"]["code"]) == (503, "store-unavailable")
    assert "nothing was done" in content["error"]["message"]
    assert content["error"]["hint"].startswith("Quote ")


# ---------------------------------------------------------------------------------------------- Idempotency-Key


async def test_a_double_scan_does_nothing_twice_and_gets_the_same_answer(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    first = await office.do("ship", barcode="L1", key="scan-1")
    again = await office.do("ship", barcode="L1", key="scan-1")
    assert again == first
    lines = (await office.see("journal", request="R-1"))["journal"]
    assert [line["service"] for line in lines] == ["ship", "RequestItem"]


async def test_the_answer_stays_the_same_when_the_world_has_moved_on(office: Office) -> None:
    """A scanner that sends again hours later must not return the item a second time."""
    await office.say(check_out("L1", "R-1"))
    first = await office.do("scan-in", barcode="L1", key="k")
    await office.say(check_out("L1", "R-2"))
    office.pass_days(0.5)
    assert await office.do("scan-in", barcode="L1", key="k") == first
    assert await office.status("R-2") == "shipped-physically"


async def test_concurrent_doubles_are_one_action_with_one_answer(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    answers = await asyncio.gather(*(office.do("ship", barcode="L1", key="one") for _ in range(16)))
    assert all(answer == answers[0] for answer in answers)
    lines = (await office.see("journal", request="R-1"))["journal"]
    assert [line["service"] for line in lines].count("ship") == 1


async def test_a_key_used_for_something_else_is_refused(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    await office.do("scan-at-shelf", barcode="L1", key="k")
    for action, values in (("scan-at-shelf", {"barcode": "L2"}), ("ship", {"barcode": "L1"})):
        status, content = await office.call("POST", f"desk/{action}", json=values, headers={"Idempotency-Key": "k"})
        assert (status, content["error"]["code"]) == (422, "key-used")
    assert await office.status("R-1") == "being-processed"


async def test_leaving_a_parameter_out_is_the_same_as_sending_its_default(office: Office) -> None:
    """The same action, written in another way."""
    await office.say(request_item("L1", "R-1"))
    first = await office.do("ship", barcode="L1", key="k")
    assert await office.do("ship", barcode="L1", request="", due_date=None, digital=False, key="k") == first


async def test_what_was_refused_can_be_tried_again_under_its_key(office: Office) -> None:
    status, _ = await office.call("POST", "desk/ship", json={"barcode": "L1"}, headers={"Idempotency-Key": "k"})
    assert status == 409
    await office.say(request_item("L1", "R-1"))
    await office.do("ship", barcode="L1", key="k")


async def test_keys_belong_to_their_operator_and_agency(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    await office.do("ship", barcode="L1", key="k")
    status, content = await office.call(
        "POST", "desk/ship", agency="BORROW", json={"barcode": "L1"}, headers={"Idempotency-Key": "k"}
    )
    assert (status, content["error"]["code"]) == (404, "item-not-found")


async def test_a_key_outlives_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as office:
        await office.say(request_item("L1", "R-1"))
        first = await office.do("ship", barcode="L1", key="k")
    async with opened(tmp_path / "data") as office:
        assert await office.do("ship", barcode="L1", key="k") == first


async def test_a_task_struck_twice_under_one_key_is_struck_once(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    (task,) = (await office.see("tasks"))["tasks"]
    for _ in range(2):
        status, content = await office.call("POST", f"tasks/{task['id']}/done", headers={"Idempotency-Key": "k"})
        assert (status, content["done"]) == (200, True)
    status, content = await office.call("POST", f"tasks/{task['id']}/done")
    assert (status, content["error"]["code"]) == (404, "task-not-found")


# ---------------------------------------------------------------------------------------------- the journal


async def test_the_journal_names_who_did_it_and_what_was_said(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    await office.do("scan-at-shelf", barcode="L1")
    (task,) = (await office.see("tasks"))["tasks"]
    await office.call("POST", f"tasks/{task['id']}/done")
    lines = (await office.see("journal"))["journal"]
    told = [(line["direction"], line["service"], line["operator"], line["partner"]) for line in lines]
    assert told == [
        ("desk", "task-done", "rosa", ""),
        ("desk", "scan-at-shelf", "rosa", ""),
        ("in", "RequestItem", "", "BROKER"),
    ]
    assert lines[0]["note"] == f"task {task['id']}"
    assert all(line["correlation"] for line in lines)
    assert len({line["correlation"] for line in lines}) == 3


async def test_what_was_refused_leaves_nothing(office: Office) -> None:
    await office.refused(409, "not-requested", "ship", barcode="L1")
    assert (await office.see("journal"))["journal"] == []


async def test_the_journal_is_read_a_page_at_a_time_and_by_request(office: Office) -> None:
    for number in range(1, 6):
        await office.say(request_item(f"L{number}", f"R-{number}"))
    await office.do("scan-at-shelf", barcode="L3")
    newest = (await office.see("journal", most=2))["journal"]
    assert [line["service"] for line in newest] == ["scan-at-shelf", "RequestItem"]
    older = (await office.see("journal", before=newest[-1]["id"]))["journal"]
    assert [line["id"] for line in newest + older] == [6, 5, 4, 3, 2, 1]
    about = (await office.see("journal", request="R-3"))["journal"]
    assert [line["service"] for line in about] == ["scan-at-shelf", "RequestItem"]
    assert (await office.see("journal", request="R-3", before=about[0]["id"]))["journal"] == about[1:]
    assert (await office.not_seen(404, "journal?request=R-99"))["code"] == "request-not-found"


# ---------------------------------------------------------------------------------------------- lists


async def test_lists_are_bounded_and_can_be_read_on(office: Office) -> None:
    for number in range(1, 8):
        await office.say(request_item(f"L{number}", f"R-{number}"))
    first = (await office.see("tasks", most=3))["tasks"]
    rest = (await office.see("tasks", after=first[-1]["id"]))["tasks"]
    assert [task["item"] for task in first + rest] == [f"L{number}" for number in range(1, 8)]
    newest = (await office.see("requests", most=2))["requests"]
    assert [request["identifier"] for request in newest] == ["R-7", "R-6"]


@pytest.mark.parametrize("path", ["tasks", "requests", "outbox", "journal"])
@pytest.mark.parametrize("most", ["0", "1001", "99999999999999999999999", "-1", "ten", "1.5", "%C2%B2", "1e3"])
async def test_nobody_gets_an_endless_list(office: Office, path: str, most: str) -> None:
    error = await office.not_seen(422, f"{path}?most={most}")
    assert error["field"] == "most"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("tasks?role=lender", "role"),
        ("tasks?kind=picking", "kind"),
        ("tasks?after=-1", "after"),
        ("requests?role=x", "role"),
        ("requests?status=Being%20processed", "status"),
        ("requests/R-1?role=x", "role"),
        ("outbox?state=waiting", "state"),
        ("journal?before=yesterday", "before"),
    ],
)
async def test_a_filter_with_a_word_that_is_none_is_refused_with_those_that_are(
    office: Office, query: str, field: str
) -> None:
    """An empty list would read as "nothing to do"."""
    error = await office.not_seen(422, query)
    assert error["field"] == field
    assert "expected" in error["message"]


async def test_lists_are_filtered(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    await office.say(request_item("L2", "R-2", kind="Copy"), partner="DIGITAL")
    await office.say(check_out("L3", "R-3"))
    await office.do("scan-at-shelf", barcode="L1")
    assert [task["item"] for task in (await office.see("tasks", kind="ship"))["tasks"]] == ["L1"]
    assert [task["item"] for task in (await office.see("tasks", kind="pick"))["tasks"]] == ["L2"]
    assert (await office.see("tasks", role="borrowing"))["tasks"] == []
    shipped = (await office.see("requests", status="shipped-physically"))["requests"]
    assert [request["identifier"] for request in shipped] == ["R-3"]
    assert (await office.see("requests", role="borrowing"))["requests"] == []
    named = (await office.see("requests", identifier="R-2", role="lending"))["requests"]
    assert [request["partner"] for request in named] == ["DIGITAL"]


async def test_a_short_list_of_one_kind_is_not_used_up_by_tasks_of_other_kinds(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    await office.say(request_item("L2", "R-2"))
    await office.do("scan-at-shelf", barcode="L1")
    assert [task["item"] for task in (await office.see("tasks", kind="ship", most=1))["tasks"]] == ["L1"]


async def test_an_ended_request_is_found_by_its_id_and_not_in_the_list_of_open_ones(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    await office.do("cancel", request="R-1")
    assert (await office.see("requests"))["requests"] == []
    (line,) = (await office.see("requests", identifier="R-1"))["requests"]
    assert (line["status"], line["open"]) == ("cancelled", False)


# ---------------------------------------------------------------------------------------------- views


async def test_a_request_is_shown_with_items_history_tasks_and_journal(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    await office.do("scan-at-shelf", barcode="L1")
    await office.do("ship", barcode="L1", due_date="2026-02-27")
    shown = await office.see("requests/R-1")
    assert (shown["status_name"], shown["role"], shown["partner"]) == ("Shipped physically", "lending", "BROKER")
    assert shown["due_date"] == "2026-02-27T22:59:59Z"  # the end of that day in Berlin
    (item,) = shown["items"]
    assert (item["barcode"], item["state"], item["loan"]["partner"]) == ("L1", "out", "BROKER")
    assert [event["event"] for event in shown["history"]] == ["locate", "ship"]
    assert shown["tasks"] == []
    assert [line["service"] for line in shown["journal"]] == ["RequestItem", "scan-at-shelf", "ship"]
    assert await office.see(f"requests/{shown['id']}") == shown


async def test_a_pick_slip_says_what_where_and_for_whom(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    slip = await office.see("requests/R-1/pick-slip")
    assert (slip["request"], slip["partner"], slip["ship_to"]) == ("R-1", "BROKER", "THEM")
    (item,) = slip["items"]
    assert (item["barcode"], item["title"], item["call_number"]) == ("L1", "Title 1", "QA L1")
    assert (item["library"], item["location"]) == ("Main Library", "Stacks")
    assert slip["printed"].startswith("2026-01-05T09:")


async def test_a_borrowing_request_has_no_pick_slip(office: Office) -> None:
    await office.say(accept("X-1", "R-9", "BORROW-USER-1"), to="BORROW")
    status, content = await office.call("GET", "requests/R-9/pick-slip", agency="BORROW")
    assert (status, content["error"]["code"]) == (404, "request-not-found")


async def test_an_item_and_a_user_are_shown_as_they_stand(office: Office) -> None:
    await office.do("check-out", barcode="L1", user="card-LEND-USER-1", due_date="2026-02-01T12:00")
    item = await office.see("items/L1")
    assert (item["status"], item["loan"]["to"], item["loan"]["due_date"]) == ("on-loan", "user", "2026-02-01T11:00:00Z")
    user = await office.see("users/card-LEND-USER-1")
    assert user["primary_id"] == "LEND-USER-1"
    assert [loan["barcode"] for loan in user["loans"]] == ["L1"]
    blocked = await office.see("users/LEND-BLOCKED")
    assert [block["type"] for block in blocked["blocks"]] == ["Block Request Item"]


async def test_a_borrowed_item_is_found_as_its_lender_calls_it_and_after_it_went_back(office: Office) -> None:
    await office.say(accept("B1", "R-9", "BORROW-USER-1"), to="BORROW")  # their barcode is taken here
    item = await office.see("items/B1", "BORROW")
    assert (item["temporary"], item["barcode"]) == (False, "B1")
    (task,) = (await office.see("tasks", "BORROW"))["tasks"]
    ours = await office.see(f"items/{task['item']}", "BORROW")
    assert (ours["temporary"], ours["partner_item_id"], ours["partner"]) == (True, "B1", "BROKER")
    await office.say(
        "<CheckInItem><ItemId><ItemIdentifierValue>B1</ItemIdentifierValue></ItemId></CheckInItem>", to="BORROW"
    )
    assert (await office.see(f"items/{task['item']}", "BORROW"))["live"] is False


async def test_what_is_not_there_is_named(office: Office) -> None:
    for path, code, value in (
        ("items/nothing", "item-not-found", "nothing"),
        ("users/nobody", "user-not-found", "nobody"),
        ("requests/none", "request-not-found", "none"),
        ("requests/4711", "request-not-found", "4711"),
        ("requests/none/pick-slip", "request-not-found", "none"),
    ):
        error = await office.not_seen(404, path)
        assert (error["code"], error["value"]) == (code, value)


ODD = [
    "a/b",
    "ä ö",
    "日本-1",
    "x?y&z=1",
    "a%b",
    "50%25",
    "..",
    "a+b",
    "<script>",
    "'; DROP TABLE item; --",
    "#1",
    "\N{PILE OF POO}",
]


@pytest.mark.parametrize("name", ODD)
async def test_ids_with_any_characters_are_found_by_path_query_and_body(office: Office, name: str) -> None:
    """A barcode or a request id is what a partner made of it."""
    await office.say(accept(escape(name), escape(name), "BORROW-USER-1"), to="BORROW")
    path = quote(name, safe="")
    assert (await office.see(f"items/{path}", "BORROW"))["barcode"] == name
    assert (await office.see(f"requests/{path}", "BORROW"))["identifier"] == name
    assert len((await office.see("requests", "BORROW", identifier=name))["requests"]) == 1
    assert len((await office.see("journal", "BORROW", request=name))["journal"]) == 1
    done = await office.do("hold-shelf", "BORROW", barcode=name)
    assert done["item"]["barcode"] == name


@pytest.mark.parametrize("path", ["items/%FF", "items/%00", "users/%E2%28%A1", "requests/%ZZ", f"items/{'x' * 5000}"])
async def test_a_path_that_names_nothing_sensible_finds_nothing(office: Office, path: str) -> None:
    assert (await office.not_seen(404, path))["code"].endswith("-not-found")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("9" * 19, id="19 digits"),
        pytest.param("9" * 5000, id="5000 digits"),
        pytest.param("²"),
        "٣",
        "-1",
        "0",
        "1.0",
        "1e3",
    ],
)
async def test_a_request_number_that_no_request_can_have_finds_none(office: Office, name: str) -> None:
    """In the path and in a body."""
    await office.say(request_item("L1", "R-1"))
    assert (await office.not_seen(404, f"requests/{quote(name)}"))["code"] == "request-not-found"
    await office.refused(404, "request-not-found", "cancel", request=name)


# ---------------------------------------------------------------------------------------------- two agencies


async def test_nothing_of_one_agency_is_visible_to_the_other(office: Office) -> None:
    await office.say(request_item("L1", "R-1"))
    await office.do("ship", barcode="L1")
    await office.say(accept("X-1", "R-9", "BORROW-USER-1"), to="BORROW")
    lent, borrowed = (await office.see("requests/R-1"))["id"], (await office.see("requests/R-9", "BORROW"))["id"]
    for agency, paths in (
        ("BORROW", ("items/L1", "users/LEND-USER-1", "users/card-LEND-USER-1", "requests/R-1", f"requests/{lent}")),
        ("LEND", ("items/X-1", "users/BORROW-USER-1", "requests/R-9", f"requests/{borrowed}")),
        ("BORROW", (f"requests/{lent}/pick-slip", "requests/R-1/pick-slip", "journal?request=R-1")),
        ("LEND", (f"journal?request={borrowed}",)),
    ):
        for path in paths:
            await office.not_seen(404, path, agency)
    for agency, request, other in (("LEND", "R-1", "R-9"), ("BORROW", "R-9", "R-1")):
        shown = [one["identifier"] for one in (await office.see("requests", agency))["requests"]]
        assert shown == [request]
        assert (await office.see("requests", agency, identifier=other))["requests"] == []
        assert all(task["request"] in (request, None) for task in (await office.see("tasks", agency))["tasks"])
        services = [line["service"] for line in (await office.see("journal", agency))["journal"]]
        assert services == {"LEND": ["ship", "RequestItem"], "BORROW": ["AcceptItem"]}[agency]


async def test_nothing_of_one_agency_can_be_changed_by_the_other(office: Office) -> None:
    """Not by barcode, not by the partner's id, and not by the number that the row has here."""
    await office.say(request_item("L1", "R-1"))
    await office.say(request_item("L2", "R-2"), partner="MANUAL")
    await office.do("ship", barcode="L2")
    await office.say(renew("L2", "2026-03-01T00:00:00Z"), partner="MANUAL")
    before = [await office.see("requests/R-1"), await office.see("requests/R-2"), await office.see("tasks")]
    numbers = [request["id"] for request in before[:2]]
    for barcode in ("L1", "L2"):
        for action in ("scan-at-shelf", "ship", "scan-in", "return", "renew", "hold-shelf"):
            await office.refused(404, "item-not-found", action, "BORROW", barcode=barcode)
    await office.refused(404, "user-not-found", "check-out", "BORROW", barcode="B1", user="LEND-USER-1")
    await office.refused(404, "user-not-found", "request", "BORROW", user="LEND-USER-1", barcode="B1")
    for request in ("R-1", "R-2", *map(str, numbers)):
        for action in ("cancel", "confirm-digital", "approve-renewal", "reject-renewal"):
            await office.refused(404, "request-not-found", action, "BORROW", request=request)
        await office.refused(404, "request-not-found", "locate", "BORROW", request=request, barcode="B1")
        await office.refused(404, "request-not-found", "receive", "BORROW", request=request, barcode="new-1")
    for task in before[2]["tasks"]:
        status, content = await office.call("POST", f"tasks/{task['id']}/done", agency="BORROW")
        assert (status, content["error"]["code"]) == (404, "task-not-found")
    after = [await office.see("requests/R-1"), await office.see("requests/R-2"), await office.see("tasks")]
    assert after == before


async def test_the_outbox_of_one_agency_is_closed_to_the_other(office: Office) -> None:
    await office.lend_borrowed()
    await office.do("renew", "BORROW", barcode="X-1")
    (message,) = await office.messages("BORROW")
    assert await office.messages("LEND") == []
    status, content = await office.call("POST", f"outbox/{message['id']}/retry", agency="LEND")
    assert (status, content["error"]["code"]) == (404, "message-not-found")


@pytest.mark.parametrize("number", ["0", "-1", "999999", "99999999999999999999999999", "x", "1.0", "%C2%B2", "%2F"])
async def test_a_number_that_names_no_task_or_message_finds_none(office: Office, number: str) -> None:
    for path, code in ((f"tasks/{number}/done", "task-not-found"), (f"outbox/{number}/retry", "message-not-found")):
        status, content = await office.call("POST", path)
        assert (status, content["error"]["code"]) == (404, code)


# ---------------------------------------------------------------------------------------------- the demo's clock


async def clock(demo: Office, setting: object) -> tuple[int, dict[str, object]]:
    async with demo.session.post(f"{demo.root}{PREFIX}/demo/clock", json=setting) as answer:
        return answer.status, await answer.json()


async def test_the_clock_can_be_read_set_and_moved_on(demo: Office) -> None:
    async with demo.session.get(f"{demo.root}{PREFIX}/demo/clock") as answer:
        assert (await answer.json())["now"].startswith("2026-01-05T09:00:")
    for setting, shown in (
        ({"set": "2026-03-01T10:00:00Z"}, "2026-03-01T10:00:"),
        ({"set": "2026-03-01T10:00:00+02:00"}, "2026-03-01T08:00:"),
        ({"set": "2026-03-01T10:00:00"}, "2026-03-01T10:00:"),
        ({"advance": "P1D"}, "2026-03-02T10:00:"),
        ({"advance": "P1WT2H30M"}, "2026-03-09T12:30:"),
        ({"advance_seconds": 3600}, "2026-03-09T13:30:"),
        ({"advance_seconds": -1800.5}, "2026-03-09T12:59:"),
    ):
        status, content = await clock(demo, setting)
        assert status == 200
        assert str(content["now"]).startswith(shown)


async def test_the_clock_is_told_as_exactly_as_it_goes(demo: Office) -> None:
    """What is told by it afterwards must not lie before what was done by it."""
    before = demo.ncipd.clock.now()
    async with demo.session.get(f"{demo.root}{PREFIX}/demo/clock") as answer:
        told = datetime.fromisoformat((await answer.json())["now"])
    assert before <= to_micros(told, "UTC") <= demo.ncipd.clock.now()


async def test_what_is_done_happens_at_the_time_of_the_clock(demo: Office) -> None:
    await clock(demo, {"set": "2027-06-01T10:00:00Z"})
    done = await demo.do("check-out", barcode="L1", user="LEND-USER-1")
    assert done["loan"]["out"].startswith("2027-06-01T10:00:")


@pytest.mark.parametrize(
    "setting",
    [
        {},
        {"set": "tomorrow"},
        {"set": "2026-13-01"},
        {"set": None},
        {"advance": "1 day"},
        {"advance": "P"},
        {"advance": "P1Y"},
        {"advance": "PT99999999999999999999S"},
        {"advance_seconds": "60"},
        {"advance_seconds": True},
        {"advance_seconds": 1e300},
        {"advance_seconds": -1e300},
        {"advance": "P999999999W"},
        {"set": "0001-01-01T00:00:00+14:00"},
        {"set": "9999-12-31T23:59:59-14:00"},
        {"set": "2026-03-01T10:00:00Z", "advance": "P1D"},
        {"now": "2026-03-01T10:00:00Z"},
    ],
)
async def test_a_clock_setting_that_says_nothing_sensible_changes_nothing(demo: Office, setting: object) -> None:
    """The demo must stay usable: a clock beyond what dates can hold would break every answer after it."""
    status, content = await clock(demo, setting)
    assert status == 422, content
    assert START <= demo.ncipd.clock.now() < START + 60_000_000


async def test_the_clock_is_closed_to_foreign_pages_too(demo: Office) -> None:
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Content-Type": "text/plain"}):
        async with demo.session.post(f"{demo.root}{PREFIX}/demo/clock", data=b"{}", headers=JSON | headers) as answer:
            assert answer.status in (403, 415)
