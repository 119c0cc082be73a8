"""UpdateUser: data of a user are taken out and put in (Z39.83-1 section 5.4.22)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import users
from ncipd.circulation.identity import find_user, refuse_without_access
from ncipd.circulation.user_edit import Manner
from ncipd.ncip.messages import UpdateUser, UpdateUserResponse
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(UpdateUser)
def update_user(message: UpdateUser, circ: Circulation) -> UpdateUserResponse:
    """Delete, then add; all of it or nothing. A PIN is changed by deleting the old and adding the new one."""
    refuse_without_access(circ, "UpdateUser")
    user = find_user(circ, message.user_id, message.authentication_input, "UpdateUser")
    manner = Manner.MANDATED if circ.mandated else Manner.WISH
    user = users.change(circ, user, message.delete_user_fields, message.add_user_fields, "UpdateUser", manner)
    return UpdateUserResponse(user_id=message.user_id or answers.user_id(circ, user))
