"""CreateUserFiscalTransaction: something is charged, paid or waived on a user's account (Z39.83-1 section 5.4.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import account, transactions
from ncipd.circulation.identity import find_user, refuse_without_access
from ncipd.ncip.messages import CreateUserFiscalTransaction, CreateUserFiscalTransactionResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation

SERVICE = "CreateUserFiscalTransaction"


@serves(CreateUserFiscalTransaction)
def create_user_fiscal_transaction(
    message: CreateUserFiscalTransaction, circ: Circulation
) -> CreateUserFiscalTransactionResponse:
    """Post one entry; the balance is the sum of all of them. What is mandated is not measured by what is owed."""
    refuse_without_accounts(circ, SERVICE)
    user = find_user(circ, message.user_id, message.authentication_input, SERVICE)
    posting = transactions.asked(circ, user, message.fiscal_transaction_information, SERVICE)
    if transactions.posted(circ, posting) is not None:
        raise transactions.duplicate(posting, SERVICE)
    posting = transactions.judged(circ, user, posting, SERVICE, fact=circ.mandated)
    entry = account.post(circ, user, posting)
    return CreateUserFiscalTransactionResponse(
        user_id=message.user_id or answers.user_id(circ, user),
        fiscal_transaction_reference_id=account.reference(circ, entry),
    )


def refuse_without_accounts(circ: Circulation, service: str) -> None:
    """Raise Problem User Access Denied or Account Access Denied where the partner may not post to accounts."""
    refuse_without_access(circ, service)
    if not circ.partner.user_accounts:
        raise Problem(
            ProblemType.ACCOUNT_ACCESS_DENIED,
            element=f"{service}/UserId",
            detail=f"Partner {circ.partner.code} may not see or post to users' accounts here; the library's "
            "configuration decides that (user_accounts).",
        )
