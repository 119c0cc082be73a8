"""SendUserNotice: a notice is to be sent to a user, now or later (Z39.83-1 section 5.4.17)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import notices
from ncipd.circulation.clock import as_told
from ncipd.circulation.identity import find_user, refuse_without_access
from ncipd.ncip.messages import SendUserNotice, SendUserNoticeResponse
from ncipd.services import serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(SendUserNotice)
def send_user_notice(message: SendUserNotice, circ: Circulation) -> SendUserNoticeResponse:
    """Queue the notice, and say when it will be sent. One that is mandated has been sent already, and is only kept."""
    refuse_without_access(circ, "SendUserNotice")
    user = find_user(circ, message.user_id, (), "SendUserNotice")
    details = message.user_notice_details
    type_ = notices.kind_of(details.notice_type, "SendUserNotice")
    at = notices.send_time(circ, message.date_to_send, "SendUserNotice")
    notices.refuse_details(circ, user, type_, details, "SendUserNotice")
    sent_at = at if circ.mandated else None
    notices.queue(circ, user, type_, notices.text(circ, details, "SendUserNotice"), send_at=at, sent_at=sent_at)
    date = as_told(at)
    if circ.mandated:
        return SendUserNoticeResponse(user_id=message.user_id, date_sent=date)
    return SendUserNoticeResponse(user_id=message.user_id, date_will_send=date)
