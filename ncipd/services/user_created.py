"""UserCreated: another system has made a user (Z39.83-1 section 5.5.17)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import review, users
from ncipd.circulation.identity import find_user, refuse_without_access
from ncipd.circulation.user_edit import Manner
from ncipd.ncip.messages import UserCreated, UserCreatedResponse
from ncipd.services import serves
from ncipd.services.create_user import told

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(UserCreated)
def user_created(message: UserCreated, circ: Circulation) -> UserCreatedResponse:
    """Know the user from now on; one who is known already is brought up to date."""
    refuse_without_access(circ, "UserCreated")
    value = message.user_id.user_identifier_value.strip()
    with review.kept(circ, "UserCreated", f"user {value}"):
        if value and circ.users(value, circ.partner.user_identifier_type):
            user = find_user(circ, message.user_id, (), "UserCreated")
            users.take_up(circ, user, told(message), "UserCreated", Manner.FACT)
        else:
            users.create(circ, message.user_id, told(message), "UserCreated", Manner.FACT)
    return UserCreatedResponse()
