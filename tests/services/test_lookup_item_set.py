"""LookupItemSet: many items, pages, and one bad id that spoils nothing."""

from __future__ import annotations

from tests.services.world import Answer, World, item_id


def title(number: str) -> str:
    return (
        f"<BibliographicId><BibliographicRecordId><BibliographicRecordIdentifier>{number}</BibliographicRecordIdentifier>"
        "<AgencyId>LEND</AgencyId></BibliographicRecordId></BibliographicId>"
    )


def ask(*ids: str, most: int | None = None, token: str | None = None, types: tuple[str, ...] = ()) -> str:
    wanted = "".join(f"<ItemElementType>{one}</ItemElementType>" for one in types)
    limit = f"<MaximumItemsCount>{most}</MaximumItemsCount>" if most else ""
    on = f"<NextItemToken>{token}</NextItemToken>" if token else ""
    return f"<LookupItemSet>{''.join(ids)}{wanted}{limit}{on}</LookupItemSet>"


def barcodes(answer: Answer) -> list[str]:
    return answer.texts("ItemInformation/ItemId/ItemIdentifierValue")


async def test_titles_sets_and_items_are_found_with_what_was_asked_for(world: World) -> None:
    """By title, by the holdings set that the answer names, and by item: the same copies."""
    answer = await world.send(ask(title("REC-LEND-20"), types=("Circulation Status", "Location", "Item Description")))
    assert barcodes(answer) == ["L20", "L20b"], answer
    assert answer.texts("ItemOptionalFields/CirculationStatus") == ["Available On Shelf"] * 2
    assert not answer.has("BibliographicDescription")
    name = answer.text("HoldingsSet/HoldingsSetId")
    again = await world.send(ask(f"<HoldingsSetId>{name}</HoldingsSetId>", types=("Bibliographic Description",)))
    assert barcodes(again) == ["L20", "L20b"], again
    assert again.text("BibliographicDescription/Title") == "Title 20"
    items = await world.send(ask(item_id("L1"), item_id("L2")))
    assert barcodes(items) == ["L1", "L2"]


async def test_one_bad_id_spoils_nothing(world: World) -> None:
    """A problem stands where the data would have stood: title, set, item."""
    answer = await world.send(ask(title("REC-LEND-1"), title("nonsense"), title("REC-LEND-2")))
    assert answer.texts("BibInformation/Problem/ProblemType") == ["Unknown Item"]
    assert barcodes(answer) == ["L1", "L2"]
    answer = await world.send(ask("<HoldingsSetId>nonsense</HoldingsSetId>"))
    assert answer.texts("HoldingsSet/Problem/ProblemType") == ["Unknown Item"], answer
    answer = await world.send(ask(item_id("nope"), item_id("L3")))
    assert answer.texts("ItemInformation/Problem/ProblemType") == ["Unknown Item"]
    assert "L3" in barcodes(answer)


async def test_pages_give_every_item_once_and_the_last_has_no_token(world: World) -> None:
    """A query of five items, two at a time, through three answers."""
    ids = (title("REC-LEND-20"), title("REC-LEND-1"), title("REC-LEND-2"), title("REC-LEND-3"))
    token, seen = None, []
    for _ in range(3):
        answer = await world.send(ask(*ids, most=2, token=token))
        seen += barcodes(answer)
        token = answer.text("LookupItemSetResponse/NextItemToken")
    assert seen == ["L20", "L20b", "L1", "L2", "L3"]
    assert token is None


async def test_a_page_can_end_within_a_title(world: World) -> None:
    """One item at a time through a title with two copies."""
    first = await world.send(ask(title("REC-LEND-20"), most=1))
    token = first.text("LookupItemSetResponse/NextItemToken")
    second = await world.send(ask(title("REC-LEND-20"), most=1, token=token))
    assert barcodes(first) + barcodes(second) == ["L20", "L20b"]
    assert not second.has("LookupItemSetResponse/NextItemToken")


async def test_a_token_is_bound_to_its_query_and_expires(world: World) -> None:
    """Another query, a forged token and a late one are refused as a whole."""
    first = await world.send(ask(title("REC-LEND-20"), most=1))
    token = first.text("LookupItemSetResponse/NextItemToken")
    for wrong in (
        ask(title("REC-LEND-1"), most=1, token=token),
        ask(title("REC-LEND-20"), most=2, token=token),
        ask(title("REC-LEND-20"), most=1, token="forged"),
    ):
        answer = await world.send(wrong)
        assert answer.texts("LookupItemSetResponse/Problem/ProblemType") == ["Element Rule Violated"], answer
    world.clock.pass_days(1)
    late = await world.send(ask(title("REC-LEND-20"), most=1, token=token))
    assert "expired" in (late.text("LookupItemSetResponse/Problem/ProblemDetail") or "")


async def test_items_of_another_agency_are_not_shown(world: World) -> None:
    """A holdings set of the other agency is unknown here."""
    answer = await world.send(ask(title("REC-BORROW-1")), to="BORROW")
    name = answer.text("HoldingsSet/HoldingsSetId")
    assert name is not None
    assert (await world.send(ask(f"<HoldingsSetId>{name}</HoldingsSetId>"))).problem == "Unknown Item"


async def test_who_has_it_and_who_waits_is_told_to_our_own_systems_alone(world: World) -> None:
    """CurrentBorrower and CurrentRequester, by LookupItemSet and LookupItem, when desired; never to a broker."""
    await world.desk("check-out", barcode="L1", user="LEND-USER-1")
    await world.desk("request", barcode="L1", user="LEND-USER-2")
    desired = "<CurrentBorrowerDesired/><CurrentRequestersDesired/>"
    for service in ("LookupItemSet", "LookupItem"):
        told = await world.send(f"<{service}>{item_id('L1')}{desired}</{service}>", partner="DISCOVERY")
        assert told.text("CurrentBorrower/UserId/UserIdentifierValue") == "LEND-USER-1"
        assert told.texts("CurrentRequester/UserId/UserIdentifierValue") == ["LEND-USER-2"]
        assert not (await world.send(f"<{service}>{item_id('L1')}</{service}>", partner="DISCOVERY")).has("UserId")
        assert not (await world.send(f"<{service}>{item_id('L1')}{desired}</{service}>")).has("UserId")
