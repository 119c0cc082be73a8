"""Which user a message means: by UserId, or by what was typed at a log-in (AuthenticationInput)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation.model import User, UserIdentifier, UserSecret
from ncipd.ncip import elements as el
from ncipd.ncip.problems import SERVICE_PROBLEMS, Problem, ProblemType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ncipd.circulation.unit import Circulation

#: The inputs that prove something, and the kind of secret that each is compared with.
SECRETS = {"pin": "PIN", "password": "Password", "ldappassword": "Password"}
#: The inputs that name a user, and the types of identifier that each may be; none = any.
NAMES: dict[str, tuple[str, ...]] = {
    "user id": (),
    "username": (),
    "ldapusername": (),
    "institution id number": (),
    "barcode id": ("Barcode Id", "Barcode", ""),
    "barcode": ("Barcode Id", "Barcode", ""),
}
_BARCODES = frozenset({"barcode id", "barcode"})
MOST_SECRETS = 2
"""A PIN and a password: more of them in one message are guesses."""


class Typed(NamedTuple):
    """What a user typed: names with their types, secrets with their kinds, and types of which neither is known."""

    names: tuple[tuple[str, str], ...]
    secrets: tuple[tuple[str, str], ...]
    others: tuple[str, ...]


def typed(inputs: Iterable[el.AuthenticationInput]) -> Typed:
    """Sort inputs by what they are; blanks around the typed text do not count."""
    names, secrets, others = [], [], []
    for one in inputs:
        type_ = one.authentication_input_type.value.strip()
        text = one.authentication_input_data.strip()
        if type_.casefold() in SECRETS:
            secrets.append((SECRETS[type_.casefold()], text))
        elif type_.casefold() in NAMES:
            names.append((type_, text))
        else:
            others.append(type_)
    return Typed(tuple(names), tuple(secrets), tuple(others))


def kept_type(type_: str) -> str:
    """Give the type under which an identifier is kept that came as an input of this type."""
    name = type_.casefold()
    return "Barcode Id" if name in _BARCODES else "" if name == "user id" else type_


def may_be(type_: str, row: UserIdentifier) -> bool:
    """Say whether an input of this type may mean this identifier."""
    kinds = NAMES[type_.casefold()]
    return not kinds or row.type.casefold() in {kind.casefold() for kind in kinds}


def secret_of(known: list[UserSecret], kind: str) -> UserSecret | None:
    """Find the secret of a kind; a user who has a single one is known by it, whatever the partner calls it."""
    same = next((one for one in known if one.kind == kind), None)
    return same or (known[0] if len(known) == 1 else None)


def inputs_of(inputs: tuple[el.AuthenticationInput, ...], ext: el.Ext | None) -> tuple[el.AuthenticationInput, ...]:
    """Give the AuthenticationInput that says or proves who the user of a message is.

    Beside a UserId, where the grammar has no place for it, a repair has moved it into the Ext.
    """
    if inputs or ext is None:
        return inputs
    return tuple(child for child in ext.children if isinstance(child, el.AuthenticationInput))


def users_typed(circ: Circulation, user_id: el.UserId | None, names: Iterable[tuple[str, str]]) -> list[User]:
    """Find the users whom a UserId and every typed name mean; one only where all of them mean the same."""
    found: list[list[User]] = []
    if user_id is not None:
        found.append(users_called(circ, *value_and_type(user_id)))
    for type_, value in names:
        exact = type_.casefold() in _BARCODES
        kinds = NAMES[type_.casefold()] or (circ.partner.user_identifier_type,)
        found.append([user for kind in kinds for user in _users(circ, value, kind, exact=exact)])
    if not found:
        return []
    numbers = set.intersection(*({user.id for user in users} for users in found))
    return list({user.id: user for user in found[0] if user.id in numbers}.values())


def _users(circ: Circulation, value: str, kind: str, *, exact: bool) -> list[User]:
    if kind or not exact:
        return circ.users(value, kind)
    return circ.tx.all("users_by_typed_identifier", User._make, agency=circ.agency.id, value=value, type="")


def value_and_type(user_id: el.UserId) -> tuple[str, str]:
    """Read the value of a UserId, and the type of identifier that it is said to be; '' where it is not said."""
    type_ = user_id.user_identifier_type
    return user_id.user_identifier_value.strip(), type_.value.strip() if type_ else ""


def users_called(circ: Circulation, value: str, type_: str = "") -> list[User]:
    """Find the users with this identifier; its type decides only where the value alone means several."""
    users = circ.users(value, circ.partner.user_identifier_type)
    if len(users) > 1 and type_:
        users = circ.users(value, type_) or users
    return users


def find_user(
    circ: Circulation, user_id: el.UserId | None, inputs: tuple[el.AuthenticationInput, ...], service: str
) -> User:
    """Find the one user that a message means: who was authenticated, else who has the UserId.

    Raises Problem: Unknown User, Non-Unique User, User Authentication Failed, and Element Rule Violated or Needed Data
    Missing for an empty id.
    """
    proven = proven_user(circ)
    if proven is not None:
        return proven
    if inputs:
        raise authentication_failed(service)
    if user_id is None:
        raise Problem(
            ProblemType.NEEDED_DATA_MISSING, element=f"{service}/UserId", detail="Send the UserId of the user meant."
        )
    value, type_ = value_and_type(user_id)
    return one_user(circ, users_called(circ, value, type_), f"{service}/UserId/UserIdentifierValue", value)


def proven_user(circ: Circulation) -> User | None:
    """Read the user who was authenticated before this work began."""
    number = circ.proof.user if circ.proof is not None else None
    return None if number is None else circ.tx.one("user_by_id", User._make, id=number)


def one_user(circ: Circulation, users: list[User], element: str, value: str) -> User:
    """Give the single user of those found under the value of an element; raises Problem where there is not just one."""
    if len(users) == 1:
        return users[0]
    of_service = SERVICE_PROBLEMS.get(element.partition("/")[0], ())
    if not value:
        violated = ProblemType.ELEMENT_RULE_VIOLATED in of_service
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED if violated else ProblemType.NEEDED_DATA_MISSING,
            element=element,
            detail="The id of the user is empty; send the number by which the library knows the user.",
        )
    if users:
        several = ProblemType.NON_UNIQUE_USER in of_service
        raise Problem(
            ProblemType.NON_UNIQUE_USER if several else ProblemType.UNKNOWN_USER,
            element=element,
            value=value,
            detail=f"{len(users)} users have the identifier {value!r}; send one that only a single user has, or its "
            "UserIdentifierType.",
        )
    kind = circ.partner.user_identifier_type
    wanted = f" of type {kind!r}" if kind else ""
    raise Problem(
        ProblemType.UNKNOWN_USER,
        element=element,
        value=value,
        detail=f"No user here has the identifier {value!r}{wanted}; check it, and the agreed kind of identifier.",
    )


def authentication_failed(service: str, detail: str = "") -> Problem:
    """Say that a user could not be authenticated, and not whether it was the name or the secret that was wrong."""
    return Problem(
        ProblemType.USER_AUTHENTICATION_FAILED,
        element=f"{service}/AuthenticationInput",
        detail=detail
        or "The user could not be authenticated; check the number and the PIN or password. After five failures in a "
        "row nothing is accepted for 15 minutes.",
    )


def refuse_without_access(circ: Circulation, service: str) -> None:
    """Raise Problem User Access Denied where the partner may not see or change data of users."""
    if not circ.partner.user_data:
        raise Problem(
            ProblemType.USER_ACCESS_DENIED,
            element=f"{service}/UserId",
            detail=f"Partner {circ.partner.code} may not see or change data of users here; the library's "
            "configuration decides that (user_data).",
        )
