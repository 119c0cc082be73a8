"""Notices to users: asked for by message, told of by partners, and sent, to a real mail server too."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from ncipd.circulation.notices import KINDS
from ncipd.config import Notices as Settings
from ncipd.config import effective, parse
from ncipd.config.mistakes import Mistakes
from ncipd.metrics import Metrics
from ncipd.notices import ATTEMPTS, NEVER, Letter, LogSender, Notices, SmtpSender, Unsent, next_pause, sender_of
from tests.ports import free_port
from tests.services.people import PEOPLE, U1, notes, rows, user
from tests.services.world import START, World, fill, item_id, make_world, user_id
from tests.waiting import WITHIN

VIOLATED = "Element Rule Violated"
MANDATED = "<MandatedAction><DateEventOccurred>2026-01-04T10:00:00Z</DateEventOccurred></MandatedAction>"
PRIVILEGE = (
    "<UserPrivilege><AgencyId>LEND</AgencyId><AgencyUserPrivilegeType>Student</AgencyUserPrivilegeType>"
    "<ValidToDate>2026-03-01T00:00:00Z</ValidToDate></UserPrivilege>"
)
DAY = 86_400_000_000


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path / "data", PEOPLE)
    await fill(made)
    yield made
    await made.store.close()


def about_items(*barcodes: str, due: str = "2026-02-01T22:59:59Z", amount: str = "") -> str:
    return "".join(
        f"<NoticeItem><ItemDetails>{item_id(one)}<BibliographicDescription><Title>A Book</Title>"
        f"</BibliographicDescription><DateDue>{due}</DateDue></ItemDetails>{amount}</NoticeItem>"
        for one in barcodes
    )


def about_account(code: str = "EUR") -> str:
    money = f"<CurrencyCode>{code}</CurrencyCode><MonetaryValue>250</MonetaryValue>"
    return (
        f"<UserFiscalAccount><AccountBalance>{money}</AccountBalance><AccountDetails>"
        "<AccrualDate>2026-01-02T08:00:00Z</AccrualDate><FiscalTransactionInformation>"
        "<FiscalActionType>Assess</FiscalActionType><FiscalTransactionType>Fine</FiscalTransactionType>"
        f"<Amount>{money}</Amount></FiscalTransactionInformation></AccountDetails></UserFiscalAccount>"
    )


def notice(type_: str, about: str, *, words: str = "", at: str = "", name: str = U1, before: str = "") -> str:
    date = f"<DateToSend>{at}</DateToSend>" if at else ""
    content = f"<NoticeContent>{words}</NoticeContent>" if words else ""
    return (
        f"<SendUserNotice>{before}{user_id(name)}{date}<UserNoticeDetails><NoticeType>{type_}</NoticeType>{content}"
        f"{about}</UserNoticeDetails></SendUserNotice>"
    )


def sent(type_: str, about: str, *, at: str = "2026-01-05T08:00:00Z", name: str = U1) -> str:
    return (
        f"<UserNoticeSent>{user_id(name)}<DateSent>{at}</DateSent><UserNoticeDetails><NoticeType>{type_}</NoticeType>"
        f"{about}</UserNoticeDetails></UserNoticeSent>"
    )


GOOD = {
    "account reminder": about_account(),
    "privilege reminder": PRIVILEGE,
    "general message": PRIVILEGE,
}


# --- SendUserNotice --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", KINDS)
async def test_every_kind_of_notice_that_is_offered_is_taken(world: World, type_: str) -> None:
    await world.desk("check-out", barcode="L1", user=U1)
    answer = await world.send(notice(type_.title(), GOOD.get(type_, about_items("L1")), words="Hello"))
    assert (answer.kind, answer.problem) == ("SendUserNoticeResponse", None), answer
    assert answer.text("SendUserNoticeResponse/DateWillSend") == "2026-01-05T09:00:00Z"
    assert rows(world, "SELECT type, sent_at FROM notice") == [(type_, None)]


async def test_a_notice_says_what_it_was_given_and_what_it_is_about(world: World) -> None:
    await world.desk("check-out", barcode="L1", user=U1)
    money = "<Amount><CurrencyCode>EUR</CurrencyCode><MonetaryValue>250</MonetaryValue></Amount>"
    await world.send(notice("item overdue", about_items("L1", amount=money), words="Dear reader,"))
    await world.send(notice("account reminder", about_account()))
    await world.send(notice("privilege reminder", PRIVILEGE))
    texts = [text for (text,) in rows(world, "SELECT content FROM notice ORDER BY id")]
    assert texts == [
        "Dear reader,\n\nA Book (L1), due 2026-02-01, 2.50 EUR",
        "2026-01-02: Assess, Fine, 2.50 EUR\nBalance: 2.50 EUR",
        "Student, valid until 2026-03-01",
    ]


async def test_a_notice_for_a_later_day_waits_for_it(world: World) -> None:
    later = "2026-01-10T09:00:00Z"
    answer = await world.send(notice("privilege reminder", PRIVILEGE, at=later))
    assert answer.text("SendUserNoticeResponse/DateWillSend") == later
    post = Post()
    assert not await out(world, post).deliver()
    world.clock.pass_days(5)
    assert await out(world, post).deliver()
    assert len(post.letters) == 1


async def test_a_notice_that_comes_twice_is_sent_once(world: World) -> None:
    first = await world.send(notice("privilege reminder", PRIVILEGE))
    assert (await world.send(notice("privilege reminder", PRIVILEGE))).raw == first.raw
    assert rows(world, "SELECT count(*) FROM notice") == [(1,)]


async def test_a_notice_that_has_been_sent_already_is_kept_and_not_sent_again(world: World) -> None:
    answer = await world.send(notice("item overdue", about_items("L1"), before=MANDATED))
    assert answer.text("SendUserNoticeResponse/DateSent") == "2026-01-04T10:00:00Z", answer
    assert not await out(world, Post()).deliver()


WHERE = "SendUserNotice/UserNoticeDetails"
ITEM = f"{WHERE}/NoticeItem/ItemDetails/ItemId/ItemIdentifierValue"
PROBLEMS = {
    "unknown user": (notice("privilege reminder", PRIVILEGE, name="NOBODY"), "Unknown User",
                     "SendUserNotice/UserId/UserIdentifierValue"),
    "no user": (notice("privilege reminder", PRIVILEGE, name=" "), VIOLATED,
                "SendUserNotice/UserId/UserIdentifierValue"),
    "unknown kind": (notice("birthday card", PRIVILEGE), "Unsupported Notice", f"{WHERE}/NoticeType"),
    "about the wrong thing": (notice("account reminder", PRIVILEGE), VIOLATED, f"{WHERE}/UserPrivilege"),
    "about the wrong thing too": (notice("item overdue", about_account()), VIOLATED, f"{WHERE}/UserFiscalAccount"),
    "without words": (notice("general message", PRIVILEGE), VIOLATED, f"{WHERE}/NoticeContent"),
    "unknown item": (notice("available for pickup", about_items("NO")), "Unknown Item", ITEM),
    "not on loan": (notice("item overdue", about_items("L1")), "Item Not Checked Out", ITEM),
    "on loan to another": (notice("recalled", about_items("L9")), "Item Not Checked Out", ITEM),
    "past": (notice("privilege reminder", PRIVILEGE, at="2025-12-24T00:00:00Z"), "Invalid Date",
             "SendUserNotice/DateToSend"),
    "too far ahead": (notice("privilege reminder", PRIVILEGE, at="2031-01-01T00:00:00Z"), VIOLATED,
                      "SendUserNotice/DateToSend"),
    "unknown currency": (notice("account reminder", about_account("XXZ")), "Invalid Amount",
                         f"{WHERE}//CurrencyCode"),
}  # fmt: skip


@pytest.mark.parametrize("case", PROBLEMS)
async def test_a_notice_that_cannot_be_sent_is_refused_and_none_is_queued(world: World, case: str) -> None:
    await world.desk("check-out", barcode="L9", user="LEND-USER-2")
    message, problem, element = PROBLEMS[case]
    answer = await world.send(message)
    assert (answer.problem, answer.text("Problem/ProblemElement")) == (problem, element), answer
    assert len(answer.text("Problem/ProblemDetail") or "") > 20
    assert "LEND-USER-2" not in repr(answer)
    assert rows(world, "SELECT * FROM notice") == []


async def test_the_kinds_that_are_sent_are_named_where_another_is_asked_for(world: World) -> None:
    answer = await world.send(PROBLEMS["unknown kind"][0])
    assert all(kind in (answer.text("Problem/ProblemDetail") or "") for kind in KINDS)


# --- UserNoticeSent --------------------------------------------------------------------------------------------------


async def test_a_notice_that_a_partner_has_sent_is_kept_once_and_never_sent_here(world: World) -> None:
    """Whatever its kind, and also where we would not send it."""
    for _ in range(3):
        answer = await world.send(sent("birthday card", about_items("L1")))
        assert (answer.kind, answer.problem) == ("UserNoticeSentResponse", None), answer
        world.clock.pass_days(1)
    assert rows(world, "SELECT type, content, sent_at FROM notice") == [
        ("birthday card", "A Book (L1), due 2026-02-01", START - 3_600_000_000)
    ]
    assert not await out(world, Post()).deliver()
    assert (await world.send(sent("birthday card", about_items("L1"), at="2026-01-06T08:00:00Z"))).problem is None
    assert rows(world, "SELECT count(*) FROM notice") == [(2,)], "another day, another notice"


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (sent("x", PRIVILEGE, name="NOBODY"), "Unknown User"),
        (sent("x", about_items("NO")), "Unknown Item"),
        (sent("x", about_account("XXZ")), "Invalid Amount"),
    ],
)
async def test_what_cannot_be_taken_up_is_a_problem_and_shown_to_staff(
    world: World, message: str, problem: str
) -> None:
    answer = await world.send(message)
    assert answer.problem == problem, answer
    (note,) = notes(world)
    assert note.startswith("BROKER sent UserNoticeSent about user ")


# --- sending ---------------------------------------------------------------------------------------------------------


class Post:
    """A sender that keeps the letters, or refuses them."""

    def __init__(self, *refusals: Exception) -> None:
        self.letters: list[Letter] = []
        self.came = asyncio.Event()
        self.refusals = list(refusals)

    async def send(self, letter: Letter) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.letters.append(letter)
        self.came.set()


def out(world: World, sender: Any) -> Notices:
    return Notices(world.store, sender, clock=world.clock, metrics=Metrics())


async def mail_to(world: World, address: str, *, role: str = "Home", name: str = U1, until: int | None = None) -> None:
    number = user(world, name).id
    await world.store.transact(
        lambda tx: tx.insert(
            "insert_user_address", user=number, role=role, kind="mailto", data=address, locality="", region="",
            country="", postal_code="", valid_from=None, valid_to=until, content="",
        )
    )  # fmt: skip


async def test_what_the_desk_tells_a_user_leaves_like_every_notice(world: World) -> None:
    await world.desk("check-out", barcode="L1", user="LEND-USER-2")
    await world.desk("request", user=U1, barcode="L1")
    await world.desk("return", barcode="L1")
    post = Post()
    assert await out(world, post).deliver()
    (letter,) = post.letters
    assert (letter.type, letter.subject) == ("available for pickup", "Ready for you to pick up")
    assert (letter.name, letter.sender) == ("Rosa Reader", "LEND University")
    assert rows(world, "SELECT sent_at, attempts, error FROM notice") == [(START, 1, "")]
    assert not await out(world, post).deliver()


async def test_a_notice_goes_to_the_address_for_notices_while_that_is_valid(world: World) -> None:
    post = Post()
    await mail_to(world, "home@x.example")
    await mail_to(world, "notice@x.example", role="Notice", until=START + DAY)
    for _ in range(2):
        await world.send(notice("privilege reminder", PRIVILEGE))
        await out(world, post).deliver()
        world.clock.pass_days(2)
    assert [letter.address for letter in post.letters] == ["notice@x.example", "home@x.example"]


async def test_a_notice_that_is_not_sent_comes_back_later_each_time(world: World) -> None:
    await world.send(notice("privilege reminder", PRIVILEGE))
    post = Post(Unsent("busy"), RuntimeError("a bug"))
    assert await out(world, post).deliver()
    assert not await out(world, post).deliver()
    assert rows(world, "SELECT send_at, error, sent_at FROM notice") == [(START + 60_000_000, "busy", None)]
    world.clock.moment += 60_000_000
    await out(world, post).deliver()
    assert rows(world, "SELECT error FROM notice") == [("sending failed here: RuntimeError",)]
    world.clock.moment += 120_000_000
    await out(world, post).deliver()
    assert len(post.letters) == 1


async def test_a_notice_is_given_up_after_about_a_day_and_staff_are_asked_to_tell_the_user(world: World) -> None:
    await world.send(notice("privilege reminder", PRIVILEGE))
    post = Post(*[Unsent("busy")] * 100)
    for _ in range(60):
        await out(world, post).deliver()
        world.clock.pass_days(0.1)
    assert rows(world, "SELECT attempts, send_at FROM notice") == [(ATTEMPTS, NEVER)]
    (note,) = notes(world)
    assert note == f"notice to user {U1} (privilege reminder) could not be sent: busy; tell the user otherwise"


def test_pauses_double_up_to_four_hours_and_end_within_a_day() -> None:
    pauses = [next_pause(attempt) for attempt in range(1, ATTEMPTS + 1)]
    assert pauses[-1] is None
    seconds = [pause // 1_000_000 for pause in pauses if pause is not None]
    assert seconds[:3] == [60, 120, 240]
    assert max(seconds) <= 4 * 3600
    assert 8 * 3600 < sum(seconds) < 24 * 3600


async def test_a_notice_whose_sending_was_cut_short_is_sent_after_a_while(world: World) -> None:
    """The process may end between sending and writing that down."""
    await world.send(notice("privilege reminder", PRIVILEGE))
    await world.store.transact(lambda tx: tx.all("lease_notices", now=START, until=START + 300_000_000, most=8))
    post = Post()
    assert not await out(world, post).deliver()
    world.clock.moment += 301_000_000
    assert await out(world, post).deliver()


async def test_notices_are_sent_in_the_background_until_it_is_stopped(world: World) -> None:
    await world.send(notice("privilege reminder", PRIVILEGE))
    post = Post()
    running = asyncio.create_task(out(world, post).run())
    async with asyncio.timeout(WITHIN):
        await post.came.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


# --- e-mail ----------------------------------------------------------------------------------------------------------


class Mailbox:
    """What a real mail server was given; it refuses what a test tells it to."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.no_recipient = ""
        self.no_letter = ""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if self.no_recipient:
            return self.no_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.no_letter:
            return self.no_letter
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        found = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        self.mails.append(found)
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, Settings]]:
    """A mail server that runs, and the settings that lead to it."""
    box, port = Mailbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, Settings(sender="smtp", host="127.0.0.1", port=port, starttls=False, from_address="desk@lake.example")
    controller.stop()


async def test_a_notice_arrives_as_an_e_mail_at_a_real_mail_server(
    world: World, mailbox: tuple[Mailbox, Settings]
) -> None:
    box, settings = mailbox
    await mail_to(world, "rosa@x.example")
    await world.send(notice("general message", PRIVILEGE, words="Grüße aus der Bücherei"))
    assert await out(world, sender_of(settings)).deliver()
    assert box.envelopes == [("desk@lake.example", ["rosa@x.example"])]
    (mail,) = box.mails
    assert mail["From"] == "LEND University <desk@lake.example>"
    assert mail["To"] == "Rosa Reader <rosa@x.example>"
    assert mail["Subject"] == "A message from the library"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@lake.example>")
    assert mail.get_content().splitlines() == ["Grüße aus der Bücherei", "", "Student, valid until 2026-03-01"]
    assert rows(world, "SELECT sent_at FROM notice") == [(START,)]


async def test_the_same_notice_sent_twice_is_one_letter_to_a_mailbox(mailbox: tuple[Mailbox, Settings]) -> None:
    box, settings = mailbox
    letter = Letter(7, "x", "rosa@x.example", "Rosa", "Library", "Subject", "Words", START)
    for _ in range(2):
        await SmtpSender(settings).send(letter)
    assert len({mail["Message-ID"] for mail in box.mails}) == 1


@pytest.mark.parametrize(
    ("refusal", "for_good"),
    [
        ({"no_recipient": "550 no such user"}, True),
        ({"no_recipient": "450 try again"}, False),
        ({"no_letter": "554 spam"}, True),
        ({"no_letter": "451 try again"}, False),
    ],
)
async def test_what_the_mail_server_refuses_for_good_is_not_tried_again(
    world: World, mailbox: tuple[Mailbox, Settings], refusal: dict[str, str], for_good: bool
) -> None:
    box, settings = mailbox
    vars(box).update(refusal)
    await mail_to(world, "rosa@x.example")
    await world.send(notice("privilege reminder", PRIVILEGE))
    await out(world, SmtpSender(settings)).deliver()
    ((send_at, sent_at),) = rows(world, "SELECT send_at, sent_at FROM notice")
    assert ((send_at == NEVER), sent_at, len(notes(world))) == (for_good, None, int(for_good))


async def test_a_user_without_an_address_is_for_staff_to_tell(world: World, mailbox: tuple[Mailbox, Settings]) -> None:
    _, settings = mailbox
    await world.send(notice("privilege reminder", PRIVILEGE))
    await out(world, SmtpSender(settings)).deliver()
    assert "has no e-mail address" in notes(world)[0]


async def test_an_address_cannot_smuggle_a_header_in(mailbox: tuple[Mailbox, Settings]) -> None:
    box, settings = mailbox
    for address in ("a@x.example\r\nBcc: b@x.example", "no address at all", "a@x.example, b@x.example"):
        with pytest.raises(Unsent) as caught:
            await SmtpSender(settings).send(Letter(1, "x", address, "Rosa", "Library", "S", "W", START))
        assert caught.value.for_good
    assert box.mails == []


async def test_a_mail_server_that_is_away_or_does_not_encrypt_is_tried_again(
    mailbox: tuple[Mailbox, Settings],
) -> None:
    box, settings = mailbox
    letter = Letter(1, "x", "rosa@x.example", "Rosa", "Library", "S", "W", START)
    away = Settings(sender="smtp", host="127.0.0.1", port=free_port(), starttls=False, from_address="a@x.example")
    plain = Settings(sender="smtp", host=settings.host, port=settings.port, from_address="a@x.example")
    for wrong in (away, plain):
        with pytest.raises(Unsent) as caught:
            await SmtpSender(wrong).send(letter)
        assert not caught.value.for_good
    assert box.mails == [], "nothing leaves unencrypted where encryption was asked for"


# --- configuration ---------------------------------------------------------------------------------------------------


def test_the_sender_is_chosen_in_the_configuration_and_the_log_is_the_default() -> None:
    assert isinstance(sender_of(parse("").notices), LogSender)
    config = parse(
        '[notices]\nsender = "smtp"\nfrom_address = "a@x.example"\npassword = "env:MAIL"', environ={"MAIL": "s3"}
    )
    assert isinstance(sender_of(config.notices), SmtpSender)
    assert config.notices.password == "s3"
    assert "s3" not in effective(config)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (
            'sender = "smtp"',
            "notices.from_address: expected an e-mail address such as library@example.org, it is missing",
        ),
        ('sender = "smtp"\nfrom_address = "desk"', "notices.from_address: expected an e-mail address"),
        ('sender = "pigeon"', "notices.sender: expected one of log, smtp"),
        ("port = 0", "notices.port: expected a whole number from 1 to 65535"),
        ('password = "env:NOT_SET"', "notices.password: the environment variable NOT_SET is not set"),
    ],
)
def test_a_mistake_in_the_settings_of_notices_is_told(text: str, mistake: str) -> None:
    with pytest.raises(Mistakes) as caught:
        parse(f"[notices]\n{text}", environ={})
    assert mistake in str(caught.value)


def test_the_readme_names_every_kind_of_notice() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    listed = readme.partition("Notices that are sent: *")[2].partition("*")[0].replace("\n", " ")
    assert {kind.strip() for kind in listed.split(",")} == set(KINDS)
