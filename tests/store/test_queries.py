"""The file of named queries: what it gives, and each way of getting it wrong."""

from __future__ import annotations

import pytest

from ncipd.store import queries
from ncipd.store.queries import QueryFileError

GOOD = """\
-- Everything we ask.

-- name: find_item
-- The item with this barcode.
SELECT id, ';' AS semicolon   -- not the end;
  FROM item
 WHERE barcode = :barcode;

-- ---- loans ----

-- name: open_loans
-- All loans of a user that are not ended.
-- (ended: in_at is set)
WITH open AS (SELECT * FROM loan WHERE in_at IS NULL)
SELECT * FROM open WHERE user_id = :user
"""


@pytest.fixture
def load(tmp_path):
    def loaded(text, **options):
        path = tmp_path / "queries.sql"
        path.write_text(text, "utf-8")
        return queries.load(path, **options)

    return loaded


def test_a_query_is_found_by_its_name_without_comments_around_it(load):
    found = load(GOOD)
    assert list(found) == ["find_item", "open_loans"]
    assert found["find_item"].startswith("SELECT id, ';'")
    assert found["find_item"].endswith("barcode = :barcode")
    assert found["open_loans"].startswith("WITH open")


def test_a_row_types_columns_stand_for_its_name_in_braces(load):
    text = "-- name: items\n-- All items.\nSELECT {item} FROM item WHERE note <> '{}'"
    found = load(text, columns={"item": ("id", "barcode")})
    assert found["items"] == "SELECT item.id, item.barcode FROM item WHERE note <> '{}'"


def test_the_row_types_are_those_of_the_domain():
    columns = queries.row_columns()
    assert columns["agency"][:2] == ("id", "code")
    assert "request_item" in columns


def test_parameters_are_found_and_texts_are_not_taken_for_them():
    sql = "SELECT ':no', a AS b FROM t WHERE x = :x AND y=:y_2 AND z IN (:x, ':neither') -- :nor this"
    assert queries.parameters(sql) == ("x", "y_2")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD + "-- name: find_item\n-- Again.\nSELECT 1", ":16: query 'find_item': this name is taken"),
        ("-- name: find_item\nSELECT 1", ":1: query 'find_item': the line after its name must say"),
        ("-- name: find_item\n--\nSELECT 1", "the line after its name must say"),
        ("-- name: find_item\n", "the line after its name must say"),
        (
            "-- name: find_item\n-- Finds it.\n\n-- name: other\n-- Other.\nSELECT 1",
            "there is no SQL after its purpose",
        ),
        ("-- name: find_item\n-- Finds it.\nSELECT 1; SELECT 2;", "holds 2 statements"),
        ("-- name: find_item\n-- Finds it.\nSELECT 'open", "no `;` ends the statement"),
        ("-- name: Find-Item\n-- Finds it.\nSELECT 1", "a name is lower-case letters"),
        ("-- name:\n-- Finds it.\nSELECT 1", "a name is lower-case letters"),
        ("-- name: stop\n-- Stops.\nCOMMIT", "begins with 'COMMIT'; only SELECT"),
        ("-- name: tune\n-- Tunes.\nPRAGMA synchronous = OFF", "begins with 'PRAGMA'"),
        ("\nSELECT 1;\n-- name: a\n-- A.\nSELECT 1", ":2: SQL before the first"),
        ("-- name: a\n-- A.\nSELECT {itme} FROM item", "no row type has the columns {itme}; known are item"),
    ],
)
def test_a_mistake_is_refused_with_its_line_and_what_to_do(load, text, words):
    with pytest.raises(QueryFileError) as caught:
        load(text, columns={"item": ("id",)})
    assert words in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(QueryFileError, match="cannot be read"):
        queries.load(tmp_path / "none.sql")
