"""Who speaks, and to whom: the agency first, then the partner within it (semantics.md, "Who speaks")."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from ncipd.circulation.partner import Partner
from ncipd.directory import Directory, Parties
from ncipd.ncip.document import parse
from ncipd.ncip.problems import Problem
from ncipd.store.sqlite import SqliteStore
from tests.services.world import NS, _fill

PARTNERS = (
    Partner(code="ALMA", agency="XX-LEND", agency_ids=("THEM", "LEND"), keys=("alma",)),
    Partner(code="SYSTEM", agency="LEND", system_ids=("sys-1",)),
    Partner(code="PEER", agency="LEND", agency_ids=("XX-PEER",), system_ids=("sys-2",)),
    Partner(code="SECRET", agency="LEND", secret="open sesame", keys=("secret",)),
    Partner(code="ALMA", agency="BORROW", agency_ids=("THEM",)),
    Partner(code="ANYBODY", agency="BORROW", fallback=True),
)

Recognise = Callable[..., Parties]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """Two agencies, LEND (also XX-LEND) and BORROW (also XX-BORROW)."""
    async with SqliteStore.open(tmp_path / "data") as made:
        await made.transact(_fill)
        yield made


@pytest.fixture
def recognise(store: SqliteStore) -> Recognise:
    """Recognise both ends of a message whose header holds the given elements."""
    directory = Directory(PARTNERS)
    store.read(directory.refresh)

    def ask(key: str | None = None, door: tuple[str, str] = ("", ""), **header: str) -> Parties:
        return directory.recognise(parse(headed(**header)), key, *door)

    return ask


def headed(**header: str) -> bytes:
    """A LookupUser with the given header elements; `to` and `origin` are the agencies."""
    parts = []
    for name in ("FromSystemId", "FromSystemAuthentication", "origin", "FromAgencyAuthentication", "to"):
        if name not in header:
            continue
        if name in ("origin", "to"):
            outer = "FromAgencyId" if name == "origin" else "ToAgencyId"
            parts.append(f"<{outer}><AgencyId>{header[name]}</AgencyId></{outer}>")
        else:
            parts.append(f"<{name}>{header[name]}</{name}>")
    if "profile" in header:
        parts.append(f"<ApplicationProfileType>{header['profile']}</ApplicationProfileType>")
    inside = f"<InitiationHeader>{''.join(parts)}</InitiationHeader>" if header else ""
    user = "<UserId><UserIdentifierValue>u</UserIdentifierValue></UserId>"
    return f'<NCIPMessage xmlns="{NS}"><LookupUser>{inside}{user}</LookupUser></NCIPMessage>'.encode()


def refusal(recognise: Recognise, key: str | None = None, **header: str) -> Problem:
    with pytest.raises(Problem) as caught:
        recognise(key, **header)
    return caught.value


# ---------------------------------------------------------------------------------------------- the agency


@pytest.mark.parametrize("code", ["LEND", "XX-LEND", "xx-lend", " LEND "])
def test_to_agency_id_names_the_agency_by_any_of_its_codes(recognise: Recognise, code: str) -> None:
    parties = recognise(to=code, profile="ALMA")
    assert (parties.agency.code, parties.partner.code) == ("LEND", "ALMA")
    assert parties.our_code == code.strip()  # what we call ourselves in our answers


def test_an_agency_that_nobody_here_has_is_unknown(recognise: Recognise) -> None:
    problem = refusal(recognise, to="NOBODY", profile="ALMA")
    assert (str(problem.type), problem.value) == ("Unknown Agency", "NOBODY")
    assert problem.element == "InitiationHeader/ToAgencyId/AgencyId"
    assert str(refusal(recognise, "alma", to="NOBODY").type) == "Unknown Agency"  # a path key does not change that


def test_without_to_agency_id_the_first_agency_is_meant_or_that_of_the_path_key(recognise: Recognise) -> None:
    assert recognise(profile="ALMA").agency.code == "LEND"
    assert recognise("alma").agency.code == "LEND"
    assert recognise("alma", profile="SYSTEM").partner.code == "ALMA"


async def test_where_there_is_no_agency_yet_the_way_out_is_told(tmp_path: Path) -> None:
    async with SqliteStore.open(tmp_path / "empty") as empty:
        directory = Directory(PARTNERS)
        assert len(empty.read(directory.refresh)) == len(PARTNERS)
    with pytest.raises(Problem, match="No agency is set up here yet"):
        directory.recognise(parse(headed()), None)


# ---------------------------------------------------------------------------------------------- the partner


def test_partners_are_those_of_the_agency_only(recognise: Recognise) -> None:
    """The same code names different partners at different agencies."""
    ours, theirs = recognise(to="LEND", profile="ALMA"), recognise(to="BORROW", profile="ALMA")
    assert (ours.partner.agency, theirs.partner.agency) == ("XX-LEND", "BORROW")
    assert set(ours.partners) == {"ALMA", "SYSTEM", "PEER", "SECRET"}
    assert set(theirs.partners) == {"ALMA", "ANYBODY"}


@pytest.mark.parametrize(
    ("key", "header", "partner"),
    [
        ("alma", {"profile": "SYSTEM", "origin": "XX-PEER", "FromSystemId": "sys-1"}, "ALMA"),
        (None, {"profile": "SYSTEM", "origin": "THEM", "FromSystemId": "sys-2"}, "SYSTEM"),
        (None, {"profile": "alma"}, "ALMA"),
        (None, {"origin": "xx-peer"}, "PEER"),
        (None, {"origin": "THEM", "FromSystemId": "unknown"}, "ALMA"),
        (None, {"FromSystemId": "SYS-1"}, "SYSTEM"),
        (None, {"origin": "ELSEWHERE", "FromSystemId": "sys-2"}, "PEER"),
    ],
)
def test_path_key_then_profile_then_from_agency_then_from_system(
    recognise: Recognise, key: str | None, header: dict[str, str], partner: str
) -> None:
    assert recognise(key, to="LEND", **header).partner.code == partner


def test_from_agency_goes_before_from_system_whatever_the_order_of_the_configuration(recognise: Recognise) -> None:
    """SYSTEM stands before PEER in the configuration, and still FromAgencyId decides."""
    assert recognise(to="LEND", origin="XX-PEER", FromSystemId="sys-1").partner.code == "PEER"


@pytest.mark.parametrize("origin", ["LEND", "XX-LEND", "lend"])
def test_the_agencys_own_code_in_from_agency_id_never_names_a_partner(recognise: Recognise, origin: str) -> None:
    """Some senders put the same agency at both ends; ALMA lists LEND by mistake, and is not meant."""
    assert str(refusal(recognise, to="LEND", origin=origin).type) == "Unknown System"
    assert recognise(to="LEND", origin=origin, FromSystemId="sys-1").partner.code == "SYSTEM"


def test_a_profile_that_names_nobody_is_unknown_even_where_the_rest_would_do(recognise: Recognise) -> None:
    problem = refusal(recognise, to="LEND", profile="NOBODY", origin="THEM")
    assert (str(problem.type), problem.value) == ("Unknown System", "NOBODY")
    assert problem.element == "InitiationHeader/ApplicationProfileType"


def test_a_message_that_names_nobody_is_told_how_to_name_itself(recognise: Recognise) -> None:
    problem = refusal(recognise, to="LEND", origin="STRANGER")
    assert (str(problem.type), problem.value) == ("Unknown System", "STRANGER")
    assert "ApplicationProfileType" in problem.detail
    assert str(refusal(recognise).type) == "Unknown System"  # no header at all


@pytest.mark.parametrize("header", [{}, {"profile": "NOBODY"}, {"origin": "STRANGER"}, {"FromSystemId": "sys-1"}])
def test_where_there_is_a_fallback_it_stands_for_whoever_is_not_recognised(
    recognise: Recognise, header: dict[str, str]
) -> None:
    assert recognise(to="BORROW", **header).partner.code == "ANYBODY"
    assert recognise(to="BORROW", origin="THEM").partner.code == "ALMA"


def test_a_path_key_of_another_agency_names_nobody_here(recognise: Recognise) -> None:
    parties = recognise("alma", to="BORROW", profile="ALMA")
    assert (parties.agency.code, parties.partner.agency) == ("BORROW", "BORROW")
    assert recognise("alma", to="BORROW").partner.code == "ANYBODY"


def test_an_unknown_path_key_is_as_none(recognise: Recognise) -> None:
    assert recognise("nonsense", to="LEND", profile="PEER").partner.code == "PEER"
    assert str(refusal(recognise, "nonsense", to="LEND").type) == "Unknown System"


def test_what_the_partner_calls_itself_is_kept_for_our_messages_to_it(recognise: Recognise) -> None:
    assert recognise(to="LEND", profile="ALMA", origin=" MEMBER-7 ").partner_agency == "MEMBER-7"
    assert recognise(to="LEND", profile="ALMA").partner_agency == ""


# ---------------------------------------------------------------------------------------------- the secret


@pytest.mark.parametrize("name", ["FromAgencyAuthentication", "FromSystemAuthentication"])
def test_a_partner_with_a_secret_must_send_it(recognise: Recognise, name: str) -> None:
    assert recognise(to="LEND", profile="SECRET", **{name: "open sesame"}).partner.code == "SECRET"
    kind = "Agency" if name == "FromAgencyAuthentication" else "System"
    for wrong in ("open", "OPEN SESAME", "open sesame!", "\N{SNOWMAN}"):
        problem = refusal(recognise, to="LEND", profile="SECRET", **{name: wrong})
        assert str(problem.type) == f"{kind} Authentication Failed"
        assert problem.value is None  # it could be nearly right
        assert wrong not in problem.detail


@pytest.mark.parametrize("header", [{}, {"FromAgencyAuthentication": ""}, {"FromAgencyAuthentication": "  "}])
def test_a_secret_that_is_missing_is_asked_for(recognise: Recognise, header: dict[str, str]) -> None:
    problem = refusal(recognise, to="LEND", profile="SECRET", **header)
    assert str(problem.type) == "Agency Authentication Failed"
    assert "FromAgencyAuthentication" in problem.detail


def test_a_path_key_does_not_replace_the_secret(recognise: Recognise) -> None:
    assert str(refusal(recognise, "secret").type) == "Agency Authentication Failed"
    assert recognise("secret", FromAgencyAuthentication="open sesame", to="LEND").partner.code == "SECRET"


def test_a_secret_that_nobody_asked_for_is_ignored(recognise: Recognise) -> None:
    assert recognise(to="LEND", profile="ALMA", FromAgencyAuthentication="whatever").partner.code == "ALMA"


# ---------------------------------------------------------------------------------------------- what there is


async def test_agencies_that_are_added_while_ncipd_runs_are_found_after_a_look(store: SqliteStore) -> None:
    directory = Directory((*PARTNERS, Partner(code="NEW", agency="NEW")))
    assert store.read(directory.refresh) == ["NEW"]
    assert directory.agency("NEW") is None
    await store.transact(_add)
    assert store.read(directory.refresh) == []
    found = directory.agency("new")
    assert found is not None
    assert directory.partner(found.id, "NEW") is not None
    assert [agency.code for agency in directory.agencies()] == ["LEND", "BORROW", "NEW"]


def _add(tx) -> None:
    number = tx.insert("insert_agency", code="NEW", name="New", time_zone="UTC", network="")
    tx.run("insert_agency_code", folded="NEW", agency=number, code="NEW")


# ---------------------------------------------------------------------------------------------- doors


def test_a_message_that_names_nobody_is_for_the_agency_and_of_the_partner_of_its_door(recognise: Recognise) -> None:
    found = recognise(door=("XX-BORROW", "alma"))
    assert (found.agency.code, found.partner.code, found.our_code) == ("BORROW", "ALMA", "BORROW")
    assert recognise(door=("LEND", "PEER"), origin="XX-NOBODY").partner.code == "PEER"


def test_what_a_message_says_counts_more_than_its_door(recognise: Recognise) -> None:
    """The door's partner is only the one to assume."""
    assert recognise(door=("LEND", "PEER"), profile="ALMA").partner.code == "ALMA"
    assert recognise(door=("LEND", "PEER"), FromSystemId="sys-1").partner.code == "SYSTEM"
    assert recognise("alma", door=("LEND", "PEER")).partner.code == "ALMA"


def test_a_door_is_no_way_to_the_partner_of_that_name_at_another_agency(recognise: Recognise) -> None:
    """Nor does it need one: it is for one agency, and elsewhere a partner has to say who it is."""
    assert recognise(door=("LEND", "ALMA"), to="BORROW").partner.code == "ANYBODY"
    with pytest.raises(Problem, match="Nothing in the header names a partner"):
        recognise(door=("BORROW", "ALMA"), to="LEND")


def test_the_partner_of_a_door_must_show_its_secret_all_the_same(recognise: Recognise) -> None:
    with pytest.raises(Problem, match="must send its secret"):
        recognise(door=("LEND", "SECRET"))
    assert recognise(door=("LEND", "SECRET"), FromAgencyAuthentication="open sesame").partner.code == "SECRET"


def test_a_door_for_an_agency_that_is_not_there_yet_takes_only_messages_that_name_another(recognise: Recognise) -> None:
    with pytest.raises(Problem, match="The agency 'LATER' of this port is not set up here yet"):
        recognise(door=("LATER", ""))
    assert recognise(door=("LATER", "X"), to="BORROW").agency.code == "BORROW"
