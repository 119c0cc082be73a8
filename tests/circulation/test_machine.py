"""Lending and borrowing in any order: messages of two partners and what staff do, on a real store.

After each step the rows must agree with each other. What is refused may be refused; nothing may be half done, no
answer may break the schema, and none may say that we failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from lxml import etree

from ncipd.circulation.errors import DeskError
from ncipd.circulation.lifecycle import FINAL, IllegalMoveError
from ncipd.circulation.partner import BarcodeRule, OpenLoan, Partner, PartnerRole
from ncipd.ncip import schema
from ncipd.ncip.problems import Problem
from tests.circulation import messages as say
from tests.services.world import fill, make_world

PARTNERS = (
    Partner(code="P1", agency="LEND", url="http://one.invalid/ncip", default_library="MAIN"),
    Partner(
        code="P2",
        agency="LEND",
        url="http://two.invalid/ncip",
        automatic_renewal=False,
        automatic_receive=False,
        receive_digitally=True,
        open_loan=OpenLoan.CLOSE_OWN,
        barcode_rule=BarcodeRule.PREFIX,
        default_library="LAW",
    ),
    Partner(code="OPAC", agency="LEND", role=PartnerRole.DISCOVERY),
)
OURS = ("L1", "L20", "L20b")  # the last two are copies of one title
THEIRS = ("X1", "X2", "L1")  # the last is a barcode of ours as well
USERS = ("LEND-USER-1", "LEND-USER-2")
REQUESTS = ("R-1", "R-2")

partners = st.sampled_from(["P1", "P1", "P2"])
requests = st.sampled_from(REQUESTS)
perhaps_request = st.sampled_from([*REQUESTS, ""])
ours = st.sampled_from(OURS)
items = st.sampled_from([*OURS, "X1", "X1", "X2"])
happened = st.sampled_from(
    ["", "", "", "", "2026-01-05T08:00:00Z", "2026-01-06T08:00:00Z"]
)  # before the first day, after it
users = st.sampled_from(USERS)
dates = st.sampled_from(
    ["", "2026-01-09T12:00:00Z", "2026-02-10T22:59:59Z", "2026-03-01T22:59:59Z", "2026-09-01T00:00:00Z"]
)

STRAYED = ("lost", "missing", "claimed")  # out with a user or partner who says not to have it
LENT = (
    "shipped-physically",
    "received-by-partner",
    "renew-requested",
    "renewed",
    "renew-rejected",
    "recalled",
    "returned-by-partner",
    "lost",
)
HERE = (
    "physically-received-by-library",
    "loaned-item-to-patron",
    "renew-requested",
    "renewed-by-partner",
    "renew-request-not-accepted",
    "recalled-by-partner",
    "overdue-request",
    "report-lost-item-to-partner",
    "returned-by-patron",
)


class Libraries(RuleBasedStateMachine):
    """One agency that lends and borrows, two partners, and everybody does what comes to their mind."""

    @initialize(beginning=st.sampled_from(["nothing", "out", "here", "both", "both"]), partner=partners)
    def open(self, beginning, partner) -> None:
        """Begin with nothing, or where it becomes interesting: an item lent, one borrowed and with its user."""
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.world = self.runner.run(self._open())
        self.last: tuple[str, str] | None = None
        if beginning in ("out", "both"):
            self.send(say.check_out("L1", "R-1"), partner)
        if beginning in ("here", "both"):
            self.send(say.accept("R-2", item="X1", user=USERS[0], action="Circulate"), partner)
            self.desk("receive", barcode="X1")
            self.desk("check-out", barcode="X1", user=USERS[0])

    async def _open(self):
        world = make_world(Path(self.folder.name), PARTNERS)
        await fill(world)
        return world

    def teardown(self) -> None:
        self.runner.run(self.world.store.close())
        self.runner.close()
        self.folder.cleanup()

    # ------------------------------------------------------------------------------------------ what is done

    def send(self, content: str, partner: str) -> None:
        self.last = (content, partner)
        answer = self.runner.run(self.world.send(content, partner=partner))
        assert schema.is_valid(etree.fromstring(answer.raw)), answer
        assert answer.problem != "Temporary Processing Failure", f"{content}\n{answer}"

    def desk(self, name: str, **values: object) -> None:
        # What is refused must do nothing: the invariants see to that.
        with contextlib.suppress(DeskError, Problem, IllegalMoveError):
            self.runner.run(self.world.desk(name, **values))

    @rule(partner=partners, request=requests, item=ours, kind=st.sampled_from(["Hold", "Hold", "Digital"]))
    def another_library_wants_an_item(self, partner, request, item, kind):
        self.send(say.request_item(request, item=item, kind=kind), partner)

    @rule(
        partner=partners,
        request=requests,
        items=st.permutations(OURS),
        kind=st.sampled_from(["Hold", "Hold", "Digital"]),
    )
    def another_library_wants_two_items(self, partner, request, items, kind):
        self.send(say.request_item(request, item=items[0], further=items[1], kind=kind), partner)

    @rule(partner=partners, request=requests, kind=st.sampled_from(["Hold", "Digital"]))
    def another_library_wants_a_title(self, partner, request, kind):
        self.send(say.request_item(request, title="REC-LEND-20", kind=kind), partner)

    @rule(partner=partners, request=requests)
    def another_library_wants_what_we_do_not_have(self, partner, request):
        self.send(say.request_item(request, title="NOTHING"), partner)

    @rule(partner=partners, request=requests, user=users)
    def a_user_wants_what_another_library_has(self, partner, request, user):
        self.send(say.request_item(request, user=user, title="THEIRS-1"), partner)

    @rule(
        partner=partners,
        request=perhaps_request,
        item=ours,
        due=dates,
        digital=st.sampled_from([False] * 5 + [True]),
        at=happened,
    )
    def check_out(self, partner, request, item, due, digital, at):
        self.send(say.check_out(item, request, due=due, digital=digital, happened=at), partner)

    @rule(partner=partners, request=perhaps_request, item=items, at=happened)
    def check_in(self, partner, request, item, at):
        self.send(say.check_in(item, request, happened=at), partner)

    @rule(partner=partners, request=requests)
    def cancel(self, partner, request):
        self.send(say.cancel(request), partner)

    @rule(partner=partners, item=items)
    def cancel_by_item(self, partner, item):
        self.send(say.cancel(item=item), partner)

    @rule(
        partner=partners,
        request=requests,
        item=st.sampled_from([*THEIRS, "X1", "X1", ""]),
        user=st.sampled_from([*USERS, "", "-"]),
        action=st.sampled_from(["Circulate", say.HOLD]),
        final=st.sampled_from([False] * 5 + [True]),
    )
    def accept(self, partner, request, item, user, action, final):
        self.send(say.accept(request, item=item, user=user, action=action, final=final, return_by=""), partner)

    @rule(partner=partners, item=items, until=dates)
    def renew(self, partner, item, until):
        self.send(say.renew(item, until), partner)

    @rule(user=users, item=items, what=st.sampled_from(["renew", "request", "cancel", "take", "bring"]))
    def a_user_at_the_catalogue(self, user, item, what):
        said = {
            "renew": say.renew(item, user=user),
            "request": say.request_item(user=user, item=item),
            "cancel": say.cancel(user=user, item=item),
            "take": say.check_out(item, user=user),
            "bring": say.check_in(item),
        }
        self.send(said[what], "OPAC")

    @rule(partner=partners, item=items, until=dates)
    def recall(self, partner, item, until):
        self.send(say.recall(item, until), partner)

    @rule(partner=st.sampled_from(["P1", "P2", "OPAC"]), item=items, request=perhaps_request)
    def undo_check_out(self, partner, item, request):
        self.send(say.undo(item, request), partner)

    @rule(partner=partners, item=items)
    def cancel_recall(self, partner, item):
        self.send(say.cancel_recall(item), partner)

    @rule(
        partner=st.sampled_from(["P1", "P2", "OPAC"]),
        item=items,
        user=st.sampled_from([*USERS, "-"]),
        what=st.sampled_from(["Lost", "Missing", "NeverBorrowed"]),
    )
    def report(self, partner, item, user, what):
        self.send(say.report(item, what, user=user), partner)

    @rule(
        partner=st.sampled_from(["OPAC", "OPAC", "P1"]),
        item=items,
        status=st.sampled_from(["Missing", "Lost", "Available On Shelf", "In Process"]),
    )
    def a_status_is_set(self, partner, item, status):
        self.send(say.set_status(item, status), partner)

    @rule(partner=partners, item=items)
    def the_lender_renewed(self, partner, item):
        self.send(say.renewed(item, "2026-03-05T12:00:00Z"), partner)

    @rule(partner=partners, item=items, status=st.sampled_from(["Item Not Renewed", "Item Overdue"]))
    def the_lender_tells(self, partner, item, status):
        self.send(say.status_updated(item, status), partner)

    @rule(partner=partners, request=requests, item=items, user=users)
    def look_up(self, partner, request, item, user):
        self.send(say.lookup_request(request, "Request Status Type", "User Id"), partner)
        self.send(say.lookup_item(item, "Circulation Status", "Date Due", borrower=True), partner)
        self.send(say.lookup_user(user, loans=True, requests=True), partner)

    @rule()
    def the_last_message_comes_again(self):
        if self.last is not None:
            self.send(*self.last)

    @rule(days=st.sampled_from([0.001, 0.01, 1, 8]))
    def time_passes(self, days):
        self.world.clock.pass_days(days)

    @rule(item=ours, request=perhaps_request)
    def staff_scan_at_the_shelf(self, item, request):
        self.desk("scan-at-shelf", barcode=item, request=request)

    @rule(item=ours, request=perhaps_request)
    def staff_ship(self, item, request):
        self.desk("ship", barcode=item, request=request)

    @rule(request=requests)
    def staff_send_a_copy(self, request):
        self.desk("ship", request=request, digital=True)

    @rule(request=requests)
    def staff_confirm_a_copy(self, request):
        self.desk("confirm-digital", request=request)

    @rule(request=requests, item=ours)
    def staff_locate(self, request, item):
        self.desk("locate", request=request, barcode=item)

    @rule(request=requests)
    def staff_cancel(self, request):
        self.desk("cancel", request=request)

    @rule(barcode=st.sampled_from(["X1", "Y1", "L1"]), request=perhaps_request)
    def staff_receive(self, barcode, request):
        self.desk("receive", barcode=barcode, request=request)

    def barcodes(self) -> list[str]:
        """What can be scanned: the three items, and everything borrowed."""
        rows = self.world.store._reader.execute("SELECT barcode FROM item WHERE temporary = 1 ORDER BY id").fetchall()
        return [*OURS, *(row[0] for row in rows)]

    @rule(
        action=st.sampled_from(["hold-shelf", "return", "scan-in", "renew", "check-out", "check-out"]),
        which=st.integers(0, 5),
        user=users,
    )
    def staff_scan(self, action, which, user):
        known = self.barcodes()
        more = {"user": user} if action == "check-out" else {}
        self.desk(action, barcode=known[which % len(known)], **more)

    @rule(user=users, item=ours)
    def a_user_wants_our_item(self, user, item):
        self.desk("request", user=user, barcode=item)

    @rule(user=users)
    def a_user_wants_our_title(self, user):
        self.desk("request", user=user, record="REC-LEND-20")

    @rule(request=requests, yes=st.booleans())
    def staff_decide_a_renewal(self, request, yes):
        self.desk("approve-renewal" if yes else "reject-renewal", request=request)

    # ------------------------------------------------------------------------------------------ what must hold

    def rows(self, query: str, *values: object) -> list[dict[str, object]]:
        cursor = self.world.store._reader.execute(query, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @invariant()
    def the_rows_agree(self) -> None:
        if not hasattr(self, "world"):
            return
        self.check_recalls()
        loans = self.rows("SELECT * FROM loan WHERE returned_at IS NULL")
        live = self.rows("SELECT * FROM item WHERE live = 1")
        self.check_loans(loans, live)
        self.check_items(live)
        for request in self.rows("SELECT * FROM request"):
            self.check_request(request)
        for hold in self.rows("SELECT * FROM hold WHERE state IN ('waiting', 'ready')"):
            self.check_hold(hold)
        self.check_tasks()

    def check_loans(self, loans, live) -> None:
        out = [loan["item_id"] for loan in loans]
        assert len(out) == len(set(out)), "an item is out on one loan at most"
        away = {item["id"] for item in live if item["status"] == "on-loan"}
        strayed = {item["id"] for item in live if item["status"] in STRAYED}
        assert away <= set(out) <= away | strayed, "on loan is what has a loan"
        assert all((loan["user_id"] is None) != (loan["partner"] is None) for loan in loans), "to a user or a partner"
        assert len(live) == len({(item["agency_id"], item["barcode"]) for item in live}), (
            "a barcode is of one live item"
        )

    def check_items(self, live) -> None:
        for item in live:
            places = self.rows(
                "SELECT p.*, r.open, r.role, r.status FROM request_item p JOIN request r ON r.id = p.request_id"
                " WHERE p.item_id = ?",
                item["id"],
            )
            holding = [
                p for p in places if p["status"] in ("being-processed", *LENT) and p["state"] in ("wanted", "picked")
            ]
            holds = self.rows(
                "SELECT * FROM hold WHERE item_id = ? AND state IN ('waiting', 'ready') AND request_id IS NULL",
                item["id"],
            )
            ready = [hold for hold in holds if hold["state"] == "ready"]
            match item["status"]:
                case "requested" | "picked":
                    assert len(holding) == 1 or holds, f"{item} is set aside for nobody"
                case "on-hold-shelf" if not item["temporary"]:
                    assert ready, f"{item} waits on the hold shelf for nobody"
                case _:
                    assert not holding, f"{item} is set aside and elsewhere"
            assert len(holding) <= 1, f"{item} is set aside for two requests"
            if item["temporary"]:
                (place,) = places
                assert (place["role"], place["open"], place["state"]) == ("borrowing", 1, "out"), f"{item} is nobody's"

    def check_request(self, request) -> None:
        places = self.rows(
            "SELECT p.*, i.status AS item_status, i.live, l.returned_at, l.partner AS borrower FROM request_item p"
            " JOIN item i ON i.id = p.item_id LEFT JOIN loan l ON l.id = p.loan_id WHERE p.request_id = ?",
            request["id"],
        )
        states = [place["state"] for place in places]
        status = request["status"]
        assert bool(request["open"]) == (status not in FINAL)
        if status in FINAL or status == "shipped-digitally":
            assert not {"out", "picked", "wanted", "waiting"} & set(states), (
                f"{request} has ended, its items have not: {places}"
            )
        if request["role"] == "lending":
            self.check_lending(request, status, places, states)
        else:
            self.check_borrowing(request, status, places, states)
        history = self.rows("SELECT status FROM request_event WHERE request_id = ? ORDER BY id", request["id"])
        assert history[-1]["status"] == status, "no status without an event"

    def check_lending(self, request, status, places, states) -> None:
        out = [place for place in places if place["state"] == "out"]
        for place in out:
            if place["item_status"] in STRAYED:
                continue
            assert place["item_status"] == "on-loan", f"{place} is out and here"
            assert (place["returned_at"], place["borrower"]) == (None, request["partner"]), f"{place} has no loan"
        assert bool(out) == (status in LENT), f"{request}: {places}"
        if status == "being-processed":
            held = [place for place in places if place["state"] in ("wanted", "picked")]
            kept = {"wanted": ("requested",), "picked": ("picked", "in-transit")}
            assert all(place["item_status"] in kept[place["state"]] for place in held), (
                f"{request} has nothing set aside: {places}"
            )
            assert held
        if status in ("created-lending-request", "locate-failed"):
            assert "picked" not in states

    def check_borrowing(self, request, status, places, states) -> None:
        assert set(states) <= {"out", "back"}
        assert all(place["live"] == (place["state"] == "out") for place in places), f"{request}: {places}"
        if status in HERE or status == "shipped-physically":
            assert "out" in states, f"{request} has nothing here: {places}"
        if status == "created-borrowing-request":
            assert not states
        if status == "returned-by-patron":
            statuses = {place["item_status"] for place in places if place["state"] == "out"}
            assert statuses == {"returned"}, f"{request}: {places}"
        assert request["user_id"] is not None, "a borrowing request is somebody's"

    def check_hold(self, hold) -> None:
        if hold["state"] == "ready":
            (item,) = self.rows("SELECT * FROM item WHERE id = ?", hold["item_id"])
            assert item["status"] == "on-hold-shelf", f"{hold} is ready, but {item} is not there"
        if hold["request_id"] is not None:
            (request,) = self.rows("SELECT * FROM request WHERE id = ?", hold["request_id"])
            assert request["open"], f"{hold} outlived {request}"

    def check_tasks(self) -> None:
        for task in self.rows(
            "SELECT t.*, r.open, r.status, r.identifier, i.status AS item_status, i.barcode FROM task t"
            " LEFT JOIN request r ON r.id = t.request_id LEFT JOIN item i ON i.id = t.item_id WHERE t.done_at IS NULL"
        ):
            kind, status = task["kind"], task["item_status"]
            if kind not in ("reshelve", "send-home", "review"):
                assert task["open"] in (1, None), f"{task} is about a request that has ended"
            match kind:
                case "decide-renewal":
                    assert task["status"] == "renew-requested", task
                case "locate":
                    assert task["status"] == "locate-failed", task
                case "ship":
                    assert task["status"] in ("being-processed", *LENT), task
                    assert status == "picked", task
                case "pick":
                    digital = task["note"] == "to be supplied digitally"
                    assert digital or status == "requested", task
                case "receive":
                    assert status == "expected", task
                case "return-to-partner":
                    assert status == "returned", task
                case "shelve-hold":
                    assert status in ("received", "in-transit"), task
                case "reshelve":
                    assert status == "available", task
                case "send-home":
                    assert status == "in-transit", task

    def check_recalls(self) -> None:
        late = self.rows(
            "SELECT loan.* FROM loan JOIN recall ON recall.loan_id = loan.id AND recall.cancelled_at IS NULL"
            " WHERE loan.due_at > recall.due_at AND loan.returned_at IS NULL"
        )
        assert not late, "a recall never gives more time"


# A failure tells its steps as they were: to shrink them would take minutes, and everybody waits.
Libraries.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


class TestLibraries(Libraries.TestCase):  # type: ignore[misc, valid-type]
    """Whatever comes in whatever order, the rows agree."""
