"""CreateUser: a user is made (Z39.83-1 section 5.4.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import users
from ncipd.circulation.identity import inputs_of, refuse_without_access
from ncipd.circulation.user_edit import Manner
from ncipd.ncip import elements as el
from ncipd.ncip.messages import CreateUser, CreateUserResponse, UserCreated
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(CreateUser)
def create_user(message: CreateUser, circ: Circulation) -> CreateUserResponse:
    """Make the user, with the number that is sent or one made here; AuthenticationInput is what they will log in with.

    Where the creation is mandated, a user who is known already is brought up to date instead.
    """
    refuse_without_access(circ, "CreateUser")
    facts = told(message, inputs_of(message.authentication_input, message.ext))
    if circ.mandated:
        numbers = users.told_numbers(message.user_id, facts, "CreateUser")
        known = [user for value in numbers for user in circ.users(value)]
        if known:
            user = users.take_up(circ, known[0], facts, "CreateUser", Manner.MANDATED)
            return CreateUserResponse(user_id=message.user_id or answers.user_id(circ, user))
    manner = Manner.MANDATED if circ.mandated else Manner.WISH
    user = users.create(circ, message.user_id, facts, "CreateUser", manner)
    return CreateUserResponse(user_id=message.user_id or answers.user_id(circ, user))


def told(message: CreateUser | UserCreated, inputs: tuple[el.AuthenticationInput, ...] = ()) -> el.AddUserFields:
    """Give all that a message tells of a new user."""
    return el.AddUserFields(
        authentication_input=inputs,
        name_information=message.name_information,
        user_address_information=message.user_address_information,
        date_of_birth=message.date_of_birth,
        user_language=message.user_language,
        user_privilege=message.user_privilege,
        block_or_trap=message.block_or_trap,
    )
