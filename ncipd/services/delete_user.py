"""DeleteUser: a user is deleted (Z39.83-1 section 5.4.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import users
from ncipd.circulation.identity import find_user, refuse_without_access
from ncipd.ncip.messages import DeleteUser, DeleteUserResponse
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(DeleteUser)
def delete_user(message: DeleteUser, circ: Circulation) -> DeleteUserResponse:
    """Delete a user who has nothing open; what they borrowed is kept for the statistics, without them."""
    refuse_without_access(circ, "DeleteUser")
    user = find_user(circ, message.user_id, message.authentication_input, "DeleteUser")
    users.delete(circ, user)
    return DeleteUserResponse(user_id=message.user_id or answers.user_id(circ, user))
