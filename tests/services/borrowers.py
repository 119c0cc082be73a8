"""The world as the borrowing library sees it."""

from __future__ import annotations

from contextlib import asynccontextmanager

from ncipd.circulation.clock import from_micros
from ncipd.circulation.partner import Partner, PartnerRole, Sides
from tests.circulation import messages as say
from tests.circulation.messages import IN_FEBRUARY
from tests.services.world import PARTNERS, fill, make_world

USER = "BORROW-USER-1"
WITH_DISCOVERY = (
    *PARTNERS,
    Partner(code="CATALOGUE", agency="BORROW", role=PartnerRole.DISCOVERY),
    Partner(code="NOURL", agency="BORROW"),
    Partner(code="STRICT", agency="BORROW", maximum_renewals=0, maximum_loan_days=10),
    Partner(code="ONE-SIDED", agency="BORROW", sides=Sides.BORROWING),
)


@asynccontextmanager
async def borrowing(folder):
    """A library with some partners, and what is in the usual world."""
    made = make_world(folder / "data", WITH_DISCOVERY)
    await fill(made)
    yield Borrower(made)
    await made.store.close()


class Borrower:
    """The world as the borrowing library sees it."""

    def __init__(self, world):
        self.world = world
        self.clock = world.clock

    async def send(self, content, partner="BROKER"):
        return await self.world.send(content, to="BORROW", partner=partner)

    async def well(self, content, partner="BROKER"):
        """Send what must succeed."""
        answer = await self.send(content, partner)
        assert answer.problem is None, answer
        return answer

    async def desk(self, name, /, **values):
        return await self.world.desk(name, agency="BORROW", **values)

    def status(self, request="R-1"):
        return self.world.status(request, "BORROW")

    def tasks(self):
        return self.world.tasks("borrowing", "BORROW")

    def sent(self):
        return self.world.sent("BORROW")

    def ask(self, view):
        return self.world.ask(view, "BORROW")

    def item(self, barcode="X-1"):
        return self.ask(lambda circ: circ.item_by_barcode(barcode) or circ.withdrawn_item(barcode))

    def request(self, identifier="R-1"):
        return self.ask(lambda circ: circ.requests_called("BROKER", identifier))[0]

    def loan(self, barcode="X-1"):
        return self.ask(lambda circ: circ.loan_of(circ.item_by_barcode(barcode)))

    def due(self, barcode="X-1"):
        return written(self.loan(barcode).due_at)

    def holds(self, identifier="R-1"):
        return [hold.state for hold in self.ask(lambda circ: circ.holds_of(self.request(identifier)))]

    def notices(self, user=USER):
        rows = self.ask(lambda circ: circ.tx.all("notices_of_user", user=circ.users(user)[0].id))
        return [row[3] for row in reversed(rows)]

    async def lent(self, request="R-1", item="X-1", *, partner="BROKER", return_by=IN_FEBRUARY, **more):
        """Have an item come and go straight to the user."""
        await self.well(
            say.accept(request, item=item, user=USER, action="Circulate", return_by=return_by, **more), partner
        )

    async def here(self, request="R-1", item="X-1", **more):
        """Have an item come and wait on the hold shelf."""
        await self.well(say.accept(request, item=item, user=USER, return_by=IN_FEBRUARY, **more))
        await self.desk("hold-shelf", barcode=item)


def written(moment):
    return from_micros(moment).strftime("%Y-%m-%dT%H:%M:%SZ")
