"""On what terms an item is to be had: what forbids it, what a user must accept first, where it can be sent.

What has to be accepted comes back with the refusal (RequiredFeeAmount, RequiredItemUseRestrictionType); sent again with
the acknowledgement, the message is carried out (Z39.83-1 sections 5.4.3, 5.4.13, 5.4.15 and 5.4.21). What is mandated
has happened already, and none of this is asked.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation.account import LARGEST
from ncipd.circulation.catalogue import restrictions
from ncipd.circulation.rows import only_column
from ncipd.ncip import elements as el
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.schemes import CURRENCY_CODE, ItemUseRestrictionType, PhysicalAddressType
from ncipd.ncip.types import Coded

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, User
    from ncipd.circulation.unit import Circulation

_STAYS_HERE = frozenset(
    {
        ItemUseRestrictionType.IN_LIBRARY_USE_ONLY,
        ItemUseRestrictionType.NOT_FOR_LOAN,
        ItemUseRestrictionType.SUPERVISION_REQUIRED,
        ItemUseRestrictionType.USE_ONLY_IN_CONTROLLED_ACCESS,
    }
)


class Use(Enum):
    """What a user wants of an item: the problem where its restrictions forbid that, and the restrictions that do."""

    REQUEST = (ProblemType.USER_INELIGIBLE_TO_REQUEST_THIS_ITEM, _STAYS_HERE)
    CHECK_OUT = (ProblemType.USER_INELIGIBLE_TO_CHECK_OUT_THIS_ITEM, _STAYS_HERE)
    RENEW = (
        ProblemType.USER_INELIGIBLE_TO_RENEW_THIS_ITEM,
        frozenset({ItemUseRestrictionType.RENEWALS_NOT_PERMITTED}),
    )


class Accepted(NamedTuple):
    """What a message says that a user has accepted or paid."""

    acknowledged_fee_amount: el.AcknowledgedFeeAmount | None = None
    paid_fee_amount: el.PaidFeeAmount | None = None
    acknowledged_item_use_restriction_type: tuple[Coded, ...] = ()


def refuse_restricted(circ: Circulation, item: Item, user: User, use: Use, service: str) -> None:
    """Raise Problem User Ineligible To ... This Item where a restriction of the item forbids this use to every user."""
    if circ.mandated:
        return
    problem, forbidding = use.value
    named = [ItemUseRestrictionType.named(type_) for type_ in restrictions(circ, item)]
    found = next((type_ for type_ in named if type_ in forbidding), None)
    if found is not None:
        raise Problem(
            problem,
            element=f"{service}/UserId/UserIdentifierValue",
            value=user.primary_id,
            detail=f"Item {item.barcode} is restricted ({found}), for this user as for all; choose another copy.",
        )


def require_acceptance(circ: Circulation, item: Item, message: object, service: str) -> None:
    """Raise Problem Needed Data Missing or Invalid Amount until the message accepts the item's fee and restrictions.

    `message` is what may hold AcknowledgedFeeAmount, PaidFeeAmount and AcknowledgedItemUseRestrictionType: `Accepted`,
    a message, or the AddRequestFields of UpdateRequestItem. A fee that has been paid need not be agreed to.
    """
    if circ.mandated:
        return
    open_points = [*_fee_problems(item, message, service), *_restriction_problems(circ, item, message, service)]
    if not open_points:
        return
    first, *rest = open_points
    first.and_also = tuple(rest)
    first.required_fee = next((one.required_fee for one in open_points if one.required_fee), None)
    first.required_restrictions = tuple(type_ for one in open_points for type_ in one.required_restrictions)
    raise first


def fee_of(item: Item) -> el.RequiredFeeAmount | None:
    """Give what borrowing an item costs; None where it is free."""
    if not item.fee_amount:
        return None
    return el.RequiredFeeAmount(currency_code=Coded(item.fee_currency, CURRENCY_CODE), monetary_value=item.fee_amount)


def _fee_problems(item: Item, message: object, service: str) -> list[Problem]:
    fee = fee_of(item)
    if fee is None:
        return []
    stated = [
        amount
        for name in ("paid_fee_amount", "acknowledged_fee_amount")
        if (amount := getattr(message, name, None)) is not None
    ]
    if any(
        one.currency_code.matches(item.fee_currency) and fee.monetary_value <= one.monetary_value <= LARGEST
        for one in stated
    ):
        return []
    cost = f"{fee.monetary_value} {item.fee_currency} (in minor units)"
    return [
        Problem(
            ProblemType.INVALID_AMOUNT if stated else ProblemType.NEEDED_DATA_MISSING,
            element=f"{service}/AcknowledgedFeeAmount",
            value=f"{stated[0].monetary_value} {stated[0].currency_code}" if stated else None,
            detail=f"Item {item.barcode} costs {cost}; ask the user to agree, and send the message again with "
            "AcknowledgedFeeAmount.",
            required_fee=fee,
        )
    ]


def _restriction_problems(circ: Circulation, item: Item, message: object, service: str) -> list[Problem]:
    accepted: tuple[Coded, ...] = getattr(message, "acknowledged_item_use_restriction_type", ())
    wanted = circ.tx.all("restrictions_to_acknowledge", only_column, item=item.id)
    missing = [type_ for type_ in wanted if not any(one.matches(type_) for one in accepted)]
    if not missing:
        return []
    return [
        Problem(
            ProblemType.NEEDED_DATA_MISSING,
            element=f"{service}/AcknowledgedItemUseRestrictionType",
            value=", ".join(missing),
            detail=f"Item {item.barcode} is lent on conditions ({', '.join(missing)}); ask the user to accept them, "
            "and send the message again with AcknowledgedItemUseRestrictionType.",
            required_restrictions=tuple(Coded(type_, ItemUseRestrictionType.scheme) for type_ in missing),
        )
    ]


def refuse_address(circ: Circulation, shipping: el.ShippingInformation | None, service: str) -> None:
    """Raise Problem Unsupported Shipping Address Type unless something can be sent there: by post, or by e-mail."""
    if shipping is None or circ.mandated:
        return
    where = f"{service}/ShippingInformation"
    if shipping.physical_address is not None:
        type_, element = shipping.physical_address.physical_address_type, f"{where}/PhysicalAddress/PhysicalAddressType"
        # Some libraries leave the type of a street address empty.
        supported = not type_.value.strip() or PhysicalAddressType.named(type_) is not None
    elif shipping.electronic_address is not None:
        type_ = shipping.electronic_address.electronic_address_type
        element = f"{where}/ElectronicAddress/ElectronicAddressType"
        supported = type_.matches("mailto")
    else:
        return
    if not supported:
        raise Problem(
            ProblemType.UNSUPPORTED_SHIPPING_ADDRESS_TYPE,
            element=element,
            value=type_.value,
            detail="Items are sent to a Postal Address, a Street Address, or by e-mail (mailto); send one of these.",
        )
