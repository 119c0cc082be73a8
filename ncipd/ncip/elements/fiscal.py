"""Money: amounts, transactions and accounts, in minor units of a currency."""

from __future__ import annotations

from datetime import datetime

from ncipd.ncip.elements.ids import FiscalTransactionReferenceId, RelatedFiscalTransactionReferenceId, RequestId
from ncipd.ncip.elements.items import ItemDetails
from ncipd.ncip.types import Coded, Element, Ext, Minor, element


@element
class Amount(Element):
    """A sum of money, as a whole number of the smallest unit of its currency."""

    currency_code: Coded
    monetary_value: Minor
    ext: Ext | None = None


@element
class AcknowledgedFeeAmount(Element):
    """The fee that the user has agreed to pay for this service."""

    currency_code: Coded
    monetary_value: Minor
    ext: Ext | None = None


@element
class PaidFeeAmount(Element):
    """The fee that the user has already paid for this service."""

    currency_code: Coded
    monetary_value: Minor
    ext: Ext | None = None


@element
class RequiredFeeAmount(Element):
    """The fee that the user must agree to before the action can go on."""

    currency_code: Coded
    monetary_value: Minor
    ext: Ext | None = None


@element
class AccountBalance(Element):
    """What a user owes in all, or has to their credit."""

    currency_code: Coded
    monetary_value: Minor
    ext: Ext | None = None


@element
class FiscalTransactionInformation(Element):
    """A charge, payment or waiver: what was done, why, how much, and for which item."""

    fiscal_action_type: Coded
    fiscal_transaction_reference_id: FiscalTransactionReferenceId | None = None
    related_fiscal_transaction_reference_id: tuple[RelatedFiscalTransactionReferenceId, ...] = ()
    fiscal_transaction_type: Coded
    valid_from_date: datetime | None = None
    valid_to_date: datetime | None = None
    amount: Amount
    payment_method_type: Coded | None = None
    fiscal_transaction_description: str | None = None
    request_id: RequestId | None = None
    item_details: ItemDetails | None = None
    ext: Ext | None = None


@element
class AccountDetails(Element):
    """One entry of a user's account: a fiscal transaction and when it accrued."""

    accrual_date: datetime
    fiscal_transaction_information: FiscalTransactionInformation
    ext: Ext | None = None


@element
class UserFiscalAccount(Element):
    """A user's account with an agency: the balance and its entries."""

    account_balance: AccountBalance
    account_details: tuple[AccountDetails, ...] = ()
    ext: Ext | None = None
