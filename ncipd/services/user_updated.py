"""UserUpdated: another system has changed data of a user (Z39.83-1 section 5.5.20)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import review, users
from ncipd.circulation.identity import find_user, refuse_without_access
from ncipd.circulation.user_edit import Manner
from ncipd.ncip.messages import UserUpdated, UserUpdatedResponse
from ncipd.services import serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(UserUpdated)
def user_updated(message: UserUpdated, circ: Circulation) -> UserUpdatedResponse:
    """Take the changes up, once: what is gone already is gone, and what is told anew takes the place of the old."""
    refuse_without_access(circ, "UserUpdated")
    with review.kept(circ, "UserUpdated", f"user {message.user_id.user_identifier_value.strip()}"):
        user = find_user(circ, message.user_id, (), "UserUpdated")
        users.change(circ, user, message.delete_user_fields, message.add_user_fields, "UserUpdated", Manner.FACT)
    return UserUpdatedResponse()
