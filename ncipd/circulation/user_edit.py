"""How a message changes a user: what is to be deleted goes, then what is to be added comes (Z39.83-1 section 5.4).

A wish is refused as a whole where it deletes what is not there, or adds a second of what there is one of. A fact that a
partner tells is taken up as far as it goes: what is gone already is gone, and what is told anew takes the place of the
old. What is mandated may come late, so it does not take the place of something else that is there.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from ncipd.circulation import persons
from ncipd.circulation.clock import to_micros
from ncipd.circulation.model import User, UserSecret
from ncipd.ncip import elements as el
from ncipd.ncip.problems import Problem, ProblemType

if TYPE_CHECKING:
    from datetime import datetime

    from ncipd.circulation.model import Micros
    from ncipd.circulation.unit import Circulation

FACTS = ("surname", "given_name", "name", "user_group", "language", "born_at", "expires_at")
_LISTS = {
    "address": ("delete_user_addresses", "insert_user_address"),
    "privilege": ("delete_user_privileges", "insert_user_privilege"),
    "block": ("delete_user_blocks", "insert_agency_block"),
}

R = TypeVar("R", bound=tuple[Any, ...])


class Manner(Enum):
    """How a message is meant."""

    WISH = "wish"
    FACT = "fact"
    MANDATED = "mandated"


class Edit:
    """The changes that one message makes to one user."""

    def __init__(self, circ: Circulation, user: User, service: str, manner: Manner, *, new: bool = False) -> None:
        """Begin; `new`: the user has just been made, so the first privilege that is added is the group."""
        self.circ = circ
        self.user = user
        self.service = service
        self.manner = manner
        self.facts: dict[str, Any] = {column: getattr(user, column) for column in FACTS}
        self.new = new
        self.takes_group = new
        self.added: list[str] = []  # identifiers
        self.where = service

    @property
    def now(self) -> User:
        """The user with the changes so far."""
        return self.user._replace(**self.facts)

    def secrets(self) -> list[UserSecret]:
        """Read the user's PIN and password, that is their hashes."""
        return self.circ.tx.all("user_secrets", UserSecret._make, user=self.user.id)

    def write_all(self, kind: str, rows: list[R]) -> None:
        """Write the addresses, privileges or blocks that the user has from now on."""
        delete, insert = _LISTS[kind]
        self.circ.tx.run(delete, user=self.user.id)
        for row in rows:
            values: dict[str, Any] = row._asdict()  # type: ignore[attr-defined]  # they are named tuples
            del values["user_id"]
            self.circ.tx.insert(insert, user=self.user.id, **values)

    def store(self) -> User:
        """Write what has changed, and give the user as it is now; raises Problem where no identifier is left."""
        circ, user = self.circ, self.user
        circ.touch("user", user.id)
        if any(self.facts[column] != getattr(user, column) for column in FACTS):
            user = circ.change_user(user, "set_user_facts", **self.facts)
        values = [row.value for row in persons.identifier_rows(circ, user)]
        if user.primary_id in values:
            return user
        if not values:
            raise self.undeletable("AuthenticationInput", user.primary_id, "It is the only number of the user.")
        return circ.change_user(user, "set_user_primary_id", primary_id=(self.added or values)[0])

    # ------------------------------------------------------------------------------------------ saying no

    def not_there(self, name: str, value: str | None = None) -> None:
        """Raise Problem Unable To Delete Element; of a fact, note it."""
        if self.manner is Manner.WISH:
            raise self.undeletable(name, value, "It is not there as it is told; look the user up and compare.")
        self.circ.note(f"{name} was not there to be deleted")

    def undeletable(self, name: str, value: str | None, detail: str) -> Problem:
        """Say that something cannot be deleted."""
        element = f"{self.service}/DeleteUserFields/{name}"
        return Problem(ProblemType.UNABLE_TO_DELETE_ELEMENT, element=element, value=value, detail=detail)

    def there_already(self, name: str) -> Problem:
        """Say that there is one of what there can be only one of."""
        return Problem(
            ProblemType.UNABLE_TO_ADD_ELEMENT,
            element=f"{self.where}/{name}",
            detail=f"The user has {name} already and there can be only one; delete that in the same message.",
        )

    def violated(self, name: str, detail: str, value: str | None = None) -> Problem:
        """Say that a value is not accepted here."""
        return Problem(ProblemType.ELEMENT_RULE_VIOLATED, element=f"{self.where}/{name}", value=value, detail=detail)

    def unkept(self, one: el.AuthenticationInput) -> Problem:
        """Say that an input is neither an identifier nor a secret."""
        type_ = one.authentication_input_type.value
        return self.violated(
            "AuthenticationInput/AuthenticationInputType",
            f"AuthenticationInput of type {type_!r} is not kept here; send an identifier, a PIN or a Password.",
            type_,
        )


def birthday(date: datetime) -> Micros:
    """Give the day of a birth as midnight UTC, so that no zone moves it to another day."""
    return to_micros(date.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None), "UTC")


def moment(edit: Edit, date: datetime) -> Micros:
    """Give a date of a message; one without a zone is the partner's."""
    return to_micros(date, edit.circ.zone)
