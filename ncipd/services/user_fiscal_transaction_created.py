"""UserFiscalTransactionCreated: a partner has charged or credited a user of ours (Z39.83-1 section 5.5.18)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from ncipd.circulation import account, review, transactions
from ncipd.circulation.identity import find_user
from ncipd.ncip.codec import encode
from ncipd.ncip.messages import UserFiscalTransactionCreated, UserFiscalTransactionCreatedResponse
from ncipd.services import serves
from ncipd.services.create_user_fiscal_transaction import refuse_without_accounts

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation

SERVICE = "UserFiscalTransactionCreated"


@serves(UserFiscalTransactionCreated)
def user_fiscal_transaction_created(
    message: UserFiscalTransactionCreated, circ: Circulation
) -> UserFiscalTransactionCreatedResponse:
    """Post what has been posted elsewhere, once: told again under the same number, it is known."""
    refuse_without_accounts(circ, SERVICE)
    with review.kept(circ, SERVICE, message.user_id.user_identifier_value):
        user = find_user(circ, message.user_id, (), SERVICE)
        posting = transactions.asked(circ, user, message.fiscal_transaction_information, SERVICE)
        if not posting.key[1]:
            posting = replace(posting, key=(circ.partner.code, _number(message)))
        known = transactions.posted(circ, posting)
        if known is not None and not transactions.is_same(known, posting, user):
            raise transactions.duplicate(posting, SERVICE)
        if known is not None:
            circ.note(f"transaction {posting.key[1]} was known already")
        else:
            account.post(circ, user, transactions.judged(circ, user, posting, SERVICE, fact=True))
    return UserFiscalTransactionCreatedResponse()


def _number(message: UserFiscalTransactionCreated) -> str:
    """Make the number of a transaction that has none, the same for the same content, so that it counts once."""
    content = encode(message.fiscal_transaction_information) + message.user_id.user_identifier_value.strip()
    return f"N-{blake2b(content.encode(), digest_size=12).hexdigest()}"
