"""`Circulation`: one unit of work on the store of one agency.

A service or a desk action gets a `Circulation` and nothing else: it knows the agency, the partner, the time, and the
rows. Everything done through it happens in one transaction, or not at all. It also collects what belongs to the
work but not to its result: the side that was decided, the request it was about, notes for staff, and the rows it
changed with their new versions (its *traces*), by which a stored answer knows whether it still holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ncipd.circulation import lifecycle
from ncipd.circulation.model import (
    Agency,
    Hold,
    HoldState,
    Item,
    ItemState,
    ItemStatus,
    Library,
    Loan,
    Location,
    Micros,
    Record,
    Request,
    RequestItem,
    RequestStatus,
    Role,
    Task,
    TaskKind,
    User,
    UserBlock,
)
from ncipd.circulation.remembered import Remembered, there
from ncipd.circulation.rows import (
    NEW_HOLD,
    NEW_ITEM,
    NEW_REQUEST,
    hold_row,
    item_row,
    loan_row,
    only_column,
    record_row,
    request_as_written,
    request_item_row,
    request_items_row,
    request_row,
    task_row,
)
from ncipd.ncip.envelope import VERSION, Envelope, write

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ncipd.circulation.partner import Partner
    from ncipd.circulation.proof import Proof
    from ncipd.ncip.types import Initiation
    from ncipd.store.port import Row, Transaction

T = TypeVar("T")

Places: TypeAlias = "dict[tuple[str, object], Any]"
"""Libraries and locations that were read, by kind and number, or by kind, agency and code; and what is said of them."""


class Circulation(Remembered):
    """One unit of work for one agency, inside one transaction."""

    partner: Partner
    """The partner that speaks; only work that came `by_message` has one."""
    by_message: bool
    """Whether a partner's message does this work, and not the desk."""

    def __init__(
        self,
        tx: Transaction,
        *,
        agency: Agency,
        partner: Partner | None,
        partners: Mapping[str, Partner],
        now: Micros,
        new_id: Callable[[], str],
        our_code: str = "",
        partner_agency: str = "",
        happened_at: Micros | None = None,
        proof: Proof | None = None,
        places: Places | None = None,
    ) -> None:
        """Open a unit of work; `partners` are those of the agency, by code.

        `happened_at` is when what it records took place, where a MandatedAction says that it already has (a clock that
        is ahead of ours means now); `proof` is what the message's AuthenticationInput proved; `places` keeps what was
        read of libraries and locations, for other units of work too.
        """
        super().__init__(tx)
        self.agency = agency
        if partner is not None:
            self.partner = partner
        self.by_message = partner is not None
        self.partners = partners
        self.now = now
        self.occurred_at = now if happened_at is None else min(happened_at, now)
        self.mandated = happened_at is not None
        self.new_id = new_id
        self.proof = proof
        self._places = {} if places is None else places
        self.our_code = our_code or agency.code
        self.partner_agency = partner_agency
        self.side: Role | None = None
        self.request_id: int | None = None
        self.notes: list[str] = ["mandated: recorded as it happened, whatever policy says"] if self.mandated else []
        self.kept: list[tuple[Role, TaskKind, str]] = []
        self.sends = False  # whether a message to a partner waits since this work
        self._records: dict[int, Record] = {}

    # ------------------------------------------------------------------------------------------ the setting

    @property
    def zone(self) -> str:
        """The time zone of dates without one: the partner's, else the agency's."""
        return (self.partner.time_zone if self.by_message else "") or self.agency.time_zone

    def partner_of(self, request: Request) -> Partner | None:
        """Find the configured partner of a request; None where it is no longer configured."""
        return self.partners.get(request.partner)

    def note(self, text: str) -> None:
        """Add a sentence to the journal line of this work."""
        self.notes.append(text)

    def about(self, request: Request) -> None:
        """Say which request this work is about, for the journal."""
        self.request_id = request.id
        self.side = request.role

    def take_as_fact(self, at: Micros | None = None) -> None:
        """Take what the message tells as having happened, at a moment or now: policy has no say in it."""
        self.mandated = True
        self.occurred_at = self.now if at is None else min(at, self.now)

    # ------------------------------------------------------------------------------------------ places

    def libraries(self) -> list[Library]:
        """List the agency's libraries, the first made first."""
        return self.tx.all("libraries", Library._make, agency=self.agency.id)

    def library(self, code: str) -> Library | None:
        """Find a library by its code."""
        return self._named_place("library", code, Library._make)

    def library_by_id(self, number: int) -> Library | None:
        """Read a library."""
        return self.of_places("library", number, lambda: self.tx.one("library_by_id", Library._make, id=number))

    def location(self, code: str) -> Location | None:
        """Find a location by its code."""
        return self._named_place("location", code, Location._make)

    def location_by_id(self, number: int | None) -> Location | None:
        """Read a location that may not be set."""
        if number is None:
            return None
        return self.of_places("location", number, lambda: self.tx.one("location_by_id", Location._make, id=number))

    def _named_place(self, kind: str, code: str, make: Callable[[Row], T]) -> T | None:
        key = (self.agency.id, code.strip())
        return self.of_places(
            kind, key, lambda: self.tx.one(f"{kind}_by_code", make, agency=self.agency.id, code=code.strip())
        )

    def of_places(self, kind: str, key: object, make: Callable[[], T]) -> T:
        """Read a place, or say what follows from places alone, once: they are few, and change only when loaded anew."""
        found: T | None = self._places.get((kind, key))
        if found is None:
            found = make()
            if found is not None:
                self._places[kind, key] = found
        return found

    # ------------------------------------------------------------------------------------------ users

    def users(self, identifier: str, kind: str = "") -> list[User]:
        """Find the users with this identifier, of this kind where one is named."""
        value = identifier.strip()
        if kind:
            return self.tx.all("users_by_typed_identifier", User._make, agency=self.agency.id, value=value, type=kind)
        return self.tx.all("users_by_identifier", User._make, agency=self.agency.id, value=value)

    def user(self, number: int) -> User:
        """Read a user that a row refers to."""
        return there(self.tx.one("user_by_id", User._make, id=number), "user", number)

    def change_user(self, user: User, query: str, **columns: Any) -> User:
        """Change a user by a named statement, and read it again."""
        self._changed("user", user.id, query, **columns)
        return self.user(user.id)

    def blocks(self, user: User) -> list[UserBlock]:
        """List the blocks and traps on a user."""
        return self.tx.all("user_blocks", UserBlock._make, user=user.id)

    # ------------------------------------------------------------------------------------------ records and items

    def record(self, number: int) -> Record:
        """Read a record that a row refers to."""
        found = self._records.get(number)
        if found is None:
            found = there(self.tx.one("record_by_id", record_row, id=number), "record", number)
            self._records[number] = found
        return found

    def describe(self, number: int, **columns: str) -> None:
        """Replace the description of a record."""
        self._records.pop(number, None)
        self.tx.run("update_record", id=number, **columns)

    def records(self, value: str, code: str = "") -> list[Record]:
        """Find the records with this number, of this kind where one is named."""
        if code:
            return self.tx.all("records_by_coded_identifier", record_row, agency=self.agency.id, value=value, code=code)
        return self.tx.all("records_by_identifier", record_row, agency=self.agency.id, value=value)

    def item(self, number: int) -> Item:
        """Read an item that a row refers to."""
        return self._row("item", number, item_row)

    def item_by_barcode(self, barcode: str) -> Item | None:
        """Find the live item with this barcode."""
        value, seen = barcode.strip(), self._seen["item"]
        if value not in seen:
            row = self.tx.one("item_at_hand", agency=self.agency.id, barcode=value)
            seen[value] = self._at_hand(row) if row is not None else None
        found: Item | None = seen[value]
        return found

    def _at_hand(self, row: Row) -> Item:
        """Take up an item with its loan; what there is none of need not be asked for."""
        item, (_, loan, has_tasks, has_holds) = item_row(row), row
        self._rows["item", item.id] = item
        self._note_loan(item, loan_row(row[1:]) if loan is not None else None)
        if not has_tasks:
            self._seen["task"][item.id] = []
        if not has_holds:
            self._seen["hold"][item.id] = []
        return item

    def withdrawn_item(self, barcode: str) -> Item | None:
        """Find the item that last had this barcode and is withdrawn."""
        return self.tx.one("withdrawn_item", item_row, agency=self.agency.id, barcode=barcode.strip())

    def temporary_items(self, partner: str, partner_item: str) -> list[Item]:
        """Find the temporary items that a partner calls by this id, live and new ones first."""
        return self.tx.all(
            "items_by_partner_item",
            item_row,
            agency=self.agency.id,
            partner=partner,
            partner_item=partner_item.strip(),
        )

    def items_of(self, record: int) -> list[Item]:
        """List the live items of a record."""
        return self.tx.all("items_of_record", item_row, record=record)

    def add_record(self, *, temporary: bool, **described: str) -> int:
        """Add a bibliographic record; fields not described stay empty."""
        columns = {name: described.get(name, "") for name in Record._fields[3:]}
        return self.tx.insert("insert_record", agency=self.agency.id, temporary=int(temporary), **columns)

    def add_item(self, record: int, barcode: str, status: ItemStatus, **columns: Any) -> Item:
        """Add an item."""
        number = self.tx.insert(
            "insert_item",
            **{**NEW_ITEM, **columns},
            agency=self.agency.id,
            record=record,
            barcode=barcode,
            status=status,
        )
        self._made("item", number)
        return self.item(number)

    def set_item_status(self, item: Item, status: ItemStatus) -> None:
        """Move an item in circulation."""
        self._changed("item", item.id, "set_item_status", status=status)

    def change_item(self, item: Item, query: str, **columns: Any) -> int:
        """Change an item by a named statement; gives its new version."""
        return self._changed("item", item.id, query, **columns)

    # ------------------------------------------------------------------------------------------ requests

    def request(self, number: int) -> Request:
        """Read a request that a row refers to."""
        return self._row("request", number, request_row)

    def open_request(self, role: Role, partner: str, identifier: str, identifier_agency: str = "") -> Request | None:
        """Find the open request with this key; whether the identifier's agency is part of it is the partner's say."""
        counts = self.partner.request_agency_counts
        for one in self.requests_called(partner, identifier):
            if one.open and one.role == role and (not counts or one.identifier_agency == identifier_agency):
                return one
        return None

    def requests_called(self, partner: str, identifier: str) -> list[Request]:
        """Find all requests of a partner with this id, open and new ones first."""
        seen, key = self._seen["request"], (partner, identifier)
        found: list[Request] | None = seen.get(key)
        if found is None:
            rows = self.tx.all("requests_by_identifier", agency=self.agency.id, partner=partner, identifier=identifier)
            found = seen[key] = [self._with_items(row) for row in rows]
        return found

    def _with_items(self, row: Row) -> Request:
        """Take up a request with its items; what is to do for it need not be asked for where there is nothing."""
        request, items = request_row(row), request_items_row(row[1:])
        self._rows["request", request.id] = request
        self._rows.update((("request_item", place.id), place) for place in items)
        self._seen["request_item"][request.id] = sorted(items)  # by id
        if not row[2]:
            self._seen["task"]["request", request.id] = []
        return request

    def open_requests_of(self, item: Item) -> list[Request]:
        """Find the open requests that an item belongs to, the newest first."""
        return self._all("request", item.id, "open_requests_of_item", request_row, item=item.id)

    def last_request_of(self, item: Item) -> Request | None:
        """Find the request, open or ended, that an item belonged to last."""
        return self.tx.one("last_request_of_item", request_row, item=item.id)

    def add_request(self, role: Role, event: lifecycle.Event, identifier: str, **columns: Any) -> Request:
        """Begin a request with the event that brings it into being; raises IllegalMoveError for one that cannot.

        Where the partner gave no `identifier` ('') one is made that the partner does not know.
        """
        status = lifecycle.next_status(role, None, event)
        made = not identifier
        identifier = identifier or self.new_id()
        for earlier in self.requests_called(columns.get("partner") or self.partner.code, identifier):
            if earlier.role is role:  # what was answered about it lapses: the same words now mean the new one
                self.touch("request", earlier.id)
        written: dict[str, Any] = {
            "partner": self.partner.code if self.by_message else "",
            **NEW_REQUEST,
            **columns,
            "agency": self.agency.id,
            "role": role,
            "identifier": identifier,
            "identifier_made": int(made),
            "open": int(status not in lifecycle.FINAL),
            "status": status,
            "partner_agency": self.partner_agency,
            "our_agency_code": self.our_code,
            "created_at": self.occurred_at,
        }
        number = self.tx.insert("insert_request", **written)
        self._made("request", number)
        self._seen["request_item"][number] = []
        self.happened(number, event, status)
        request = request_as_written({**written, "id": number})
        self.about(request)
        return request

    def advance(self, request: Request, event: lifecycle.Event, note: str = "") -> Request:
        """Move a request along its lifecycle; raises IllegalMoveError where the table has no such move.

        The only place where a request's status is written.
        """
        status = lifecycle.next_status(request.role, request.status, event)
        opened = int(status not in lifecycle.FINAL)
        version = self._changed("request", request.id, "set_request_status", status=status, open=opened)
        self.happened(request.id, event, status, note)
        return request._replace(status=status, open=opened, version=version)

    def happened(self, request: int, event: str, status: RequestStatus, note: str = "") -> None:
        """Write a line of a request's history."""
        line: dict[str, Any] = {"request": request, "at": self.now, "event": str(event), "status": status, "note": note}
        self.tx.later("insert_request_event", line)

    def events(self, request: Request) -> list[tuple[Micros, str, str, str]]:
        """Read the history of a request: when, what happened, the status it came to, a note."""
        told: list[Any] = self.tx.all("request_events", request=request.id)
        late: Any = self.tx.pending("insert_request_event", "request", request.id)
        return told + [(line["at"], line["event"], line["status"], line["note"]) for line in late]

    def change_request(self, request: Request, query: str, **columns: Any) -> Request:
        """Change a request by a named statement, and read it again."""
        self._changed("request", request.id, query, **columns)
        return self.request(request.id)

    def request_items(self, request: Request) -> list[RequestItem]:
        """List the items of a request, dropped ones too."""
        return self._all("request_item", request.id, "request_items", request_item_row, request=request.id)

    def request_item(self, request: Request, item: Item) -> RequestItem | None:
        """Find an item's place in a request."""
        return next((place for place in self.request_items(request) if place.item_id == item.id), None)

    def add_request_item(self, request: Request, item: Item, state: ItemState, loan: int | None = None) -> None:
        """Make an item part of a request, or take it in again."""
        place = self.request_item(request, item)
        if place is not None:
            self._changed("request_item", place.id, "readmit_request_item", loan=loan, state=state)
            return
        number = self.tx.insert("insert_request_item", request=request.id, item=item.id, loan=loan, state=state)
        self._made("request_item", number)

    def set_request_item(self, place: RequestItem, state: ItemState, loan: int | None = None) -> None:
        """Move an item within its request; its loan stays where none is given."""
        self._changed(
            "request_item",
            place.id,
            "set_request_item",
            state=state,
            loan=loan if loan is not None else place.loan_id,
        )

    # ------------------------------------------------------------------------------------------ loans and holds

    def loan_of(self, item: Item) -> Loan | None:
        """Find the loan on which an item is out."""
        seen = self._seen["loan"]
        if item.id not in seen:
            self._note_loan(item, self.tx.one("open_loan_of_item", loan_row, item=item.id))
        found: Loan | None = seen[item.id]
        return found

    def _note_loan(self, item: Item, loan: Loan | None) -> None:
        self._seen["loan"][item.id] = loan
        if loan is not None:
            self._rows["loan", loan.id] = loan

    def loan(self, number: int) -> Loan:
        """Read a loan that a row refers to."""
        return self._row("loan", number, loan_row)

    def lend(
        self,
        item: Item,
        due_at: Micros | None,
        *,
        user: int | None = None,
        partner: str | None = None,
        request: int | None = None,
    ) -> Loan:
        """Lend an item to a user or to a partner; the store refuses a second open loan of the item."""
        reported = int(self.by_message)
        number = self.tx.insert(
            "insert_loan",
            agency=self.agency.id,
            item=item.id,
            user=user,
            partner=partner,
            request=request,
            out_at=self.occurred_at,
            due_at=due_at,
            reported=reported,
        )
        self._made("loan", number)
        return Loan(
            number,
            self.agency.id,
            item.id,
            user,
            partner,
            request,
            self.occurred_at,
            due_at,
            0,
            None,
            None,
            reported,
            1,
        )

    def change_loan(self, loan: Loan, query: str, **columns: Any) -> Loan:
        """Change a loan by a named statement, and read it again."""
        self._changed("loan", loan.id, query, **columns)
        return self.loan(loan.id)

    def return_loan(self, loan: Loan) -> None:
        """End a loan now."""
        self._changed("loan", loan.id, "return_loan", returned_at=max(self.occurred_at, loan.out_at))

    def holds_on(self, item: Item) -> list[Hold]:
        """List the open holds that an item could fill: on it or on its record, oldest first."""
        return self._all("hold", item.id, "open_holds_on_item", hold_row, item=item.id, record=item.record_id)

    def holds_of(self, request: Request) -> list[Hold]:
        """List the holds that a borrowing request placed."""
        return self.tx.all("holds_of_request", hold_row, request=request.id)

    def add_hold(self, user: int, **columns: Any) -> Hold:
        """Place a hold."""
        like = {"user": user, "item": columns.get("item"), "record": columns.get("record")}
        for earlier in self.tx.all("ended_holds_like", only_column, **like):
            self.touch("hold", earlier)  # what was answered about it lapses: the same words now mean the new one
        number = self.tx.insert(
            "insert_hold", **{**NEW_HOLD, **columns}, agency=self.agency.id, user=user, placed_at=self.occurred_at
        )
        self._made("hold", number)
        return self.hold(number)

    def change_hold(self, hold: Hold, query: str, **columns: Any) -> Hold:
        """Change a hold by a named statement, and read it again."""
        self._changed("hold", hold.id, query, **columns)
        return self.hold(hold.id)

    def hold(self, number: int) -> Hold:
        """Read a hold that a row refers to."""
        return self._row("hold", number, hold_row)

    def set_hold(
        self, hold: Hold, state: HoldState, *, item: int | None = None, expires_at: Micros | None = None
    ) -> None:
        """Move a hold; the item and the expiry stay where none is given, but one that waits again expires no more."""
        waits_again = state is HoldState.WAITING and hold.state is HoldState.READY
        self._changed(
            "hold",
            hold.id,
            "set_hold",
            state=state,
            item=item if item is not None else hold.item_id,
            expires_at=expires_at if expires_at is not None or waits_again else hold.expires_at,
        )

    # ------------------------------------------------------------------------------------------ people

    def tell(self, user: int, kind: str, content: str, request: Request | None = None) -> None:
        """Queue a notice to a user."""
        self.tx.insert(
            "insert_notice",
            agency=self.agency.id,
            user=user,
            request=request.id if request else None,
            type=kind,
            content=content,
            created_at=self.now,
        )

    def ask_staff(
        self, role: Role, kind: TaskKind, *, request: Request | None = None, item: Item | None = None, note: str = ""
    ) -> None:
        """Put something on the task list."""
        self._forget("task")
        self.tx.insert(
            "insert_task",
            agency=self.agency.id,
            role=role,
            kind=kind,
            request=request.id if request else None,
            item=item.id if item else None,
            note=note,
            created_at=self.now,
        )

    def keep(self, role: Role, kind: TaskKind, note: str) -> None:
        """Ask staff for something even if this work ends in a Problem and all else of it is undone."""
        self.kept.append((role, kind, note))

    def tasks_of(self, request: Request) -> list[Task]:
        """List what is still to do for a request."""
        return self._all("task", ("request", request.id), "open_tasks_of_request", task_row, request=request.id)

    def finish_tasks(self, request: Request, *kinds: TaskKind) -> None:
        """Strike tasks of a request, all of them where no kind is named."""
        tasks = self.tasks_of(request)
        if tasks and not kinds:
            self.tx.run("finish_all_tasks_of_request", request=request.id, at=self.now)
            self._forget("task")
        for kind in {task.kind for task in tasks}.intersection(kinds):
            self.tx.run("finish_tasks_of_request", request=request.id, kind=kind, at=self.now)
            self._forget("task")

    def finish_task(self, task: Task) -> None:
        """Strike one task."""
        self._forget("task")
        self.tx.run("finish_task", id=task.id, agency=self.agency.id, at=self.now)

    def tasks_about(self, item: Item) -> list[Task]:
        """List what is still to do with an item."""
        return self._all("task", item.id, "open_tasks_of_item", task_row, item=item.id)

    def finish_item_tasks(self, item: Item, *kinds: TaskKind) -> None:
        """Strike tasks about an item."""
        for kind in {task.kind for task in self.tasks_about(item)}.intersection(kinds):
            self.tx.run("finish_tasks_of_item", item=item.id, kind=kind, at=self.now)
            self._forget("task")

    # ------------------------------------------------------------------------------------------ messages out

    def send(
        self, partner: Partner, message: Initiation, *, request: Request | None = None, loan: Loan | None = None
    ) -> int:
        """Queue a message to a partner; it leaves after this work is durable. Gives its number in the outbox."""
        body = write(Envelope(version=VERSION, message=message), prefix=partner.prefix)
        self.sends = True
        return self.tx.insert(
            "insert_outbox",
            agency=self.agency.id,
            partner=partner.code,
            service=type(message).__name__,
            request=request.id if request else None,
            loan=loan.id if loan else None,
            body=body,
            state="queued",
            next_at=self.now,
            created_at=self.now,
        )

    # ------------------------------------------------------------------------------------------ its answer

    def holds_until_moved(self) -> None:
        """Let the answer to this work hold until the items go elsewhere, whatever else becomes of what it changed."""
        requests = [self.request(number) for kind, number in self.traces if kind == "request"]
        items = {self.loan(number).item_id for kind, number in self.traces if kind == "loan"} | {
            place.item_id
            for request in requests
            for place in self.request_items(request)
            if place.state is ItemState.OUT
        }
        if items:
            self.traces = {("item", number): self.item(number).version for number in items}
