"""What a notice to a user is about."""

from __future__ import annotations

from ncipd.ncip.elements.fiscal import Amount, UserFiscalAccount
from ncipd.ncip.elements.items import ItemDetails
from ncipd.ncip.elements.users import UserPrivilege
from ncipd.ncip.types import Coded, Element, Ext, element


@element
class NoticeItem(Element):
    """An item that a notice is about, with the amount that is owed for it."""

    item_details: ItemDetails
    amount: Amount | None = None
    ext: Ext | None = None


@element
class UserNoticeDetails(Element):
    """What a notice to a user says and is about: items, the account or a privilege."""

    choice = "NoticeItem+ | UserFiscalAccount | UserPrivilege"

    notice_type: Coded
    notice_content: str | None = None
    notice_item: tuple[NoticeItem, ...] = ()
    user_fiscal_account: UserFiscalAccount | None = None
    user_privilege: UserPrivilege | None = None
    ext: Ext | None = None
