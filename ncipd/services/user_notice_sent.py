"""UserNoticeSent: a partner has sent a notice to a user of ours (Z39.83-1 section 5.5.19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import notices, review
from ncipd.circulation.clock import to_micros
from ncipd.circulation.identity import find_user, refuse_without_access
from ncipd.ncip.messages import UserNoticeSent, UserNoticeSentResponse
from ncipd.services import serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation

SERVICE = "UserNoticeSent"


@serves(UserNoticeSent)
def user_notice_sent(message: UserNoticeSent, circ: Circulation) -> UserNoticeSentResponse:
    """Keep the notice among those that the user got, once, whatever its kind; it is not sent again."""
    refuse_without_access(circ, SERVICE)
    with review.kept(circ, SERVICE, f"user {message.user_id.user_identifier_value.strip()}"):
        user = find_user(circ, message.user_id, (), SERVICE)
        details = message.user_notice_details
        notices.items(circ, details, SERVICE)
        content, at = notices.text(circ, details, SERVICE), to_micros(message.date_sent, circ.zone)
        type_ = details.notice_type.value.strip().casefold()
        if circ.tx.one("notice_sent_at", user=user.id, type=type_, sent_at=at, content=content) is None:
            notices.queue(circ, user, type_, content, send_at=at, sent_at=at)
        else:
            circ.note("the notice was known already")
    return UserNoticeSentResponse()
