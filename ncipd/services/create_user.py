"""CreateUser: a user is made (Z39.83-1 section 5.4.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import users
from ncipd.circulation.identity import refuse_without_access
from ncipd.circulation.user_edit import Manner
from ncipd.ncip.messages import CreateUser, CreateUserResponse
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(CreateUser)
def create_user(message: CreateUser, circ: Circulation) -> CreateUserResponse:
    """Make the user, with the number that is sent or one made here; AuthenticationInput is what they will log in with.

    Where the creation is mandated, a user who is known already is brought up to date instead.
    """
    refuse_without_access(circ, "CreateUser")
    if circ.mandated:
        known = [user for value in users.told_numbers(message, "CreateUser") for user in circ.users(value)]
        if known:
            user = users.take_up(circ, known[0], message, "CreateUser", Manner.MANDATED)
            return CreateUserResponse(user_id=message.user_id or answers.user_id(circ, user))
    user = users.create(circ, message, "CreateUser", Manner.MANDATED if circ.mandated else Manner.WISH)
    return CreateUserResponse(user_id=message.user_id or answers.user_id(circ, user))
