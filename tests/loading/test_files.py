"""Which files are read, how they are told apart, and how a mistake in one is told."""

from __future__ import annotations

import json

import pytest

from ncipd.loading import LoadError, load_file, read_rows
from ncipd.loading.files import open_rows
from ncipd.loading.rows import RecordRow


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_csv_is_read_with_any_delimiter_line_end_and_byte_order_mark(load, rows, delimiter, bom, ends):
    lines = [["id", "title", "author"], ["R1", '"Łódź, a city; ""old"""', "Żak"], ["R2", "紅樓夢", "曹雪芹"]]
    report = load("records", bom + ends.join(delimiter.join(line) for line in lines))
    assert (report.added, report.refused, report.exit_code) == (2, 0, 0)
    assert rows("SELECT title, author FROM record ORDER BY id") == [
        ('Łódź, a city; "old"', "Żak"),
        ("紅樓夢", "曹雪芹"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        '[{"id": "R1", "title": "Emma"}, {"id": "R2", "title": "Kim"}]',
        '\ufeff  [\n {"id": "R1",\n  "title": "Emma"},\n {"id": "R2", "title": "Kim"}\n]\n',
        '{"id": "R1", "title": "Emma"}\n\n{"id": "R2", "title": "Kim"}',
        '\ufeff{"id": "R1", "title": "Emma"}\r\n{"id": "R2", "title": "Kim"}\r\n',
    ],
)
def test_json_is_an_array_or_a_line_for_each_object(load, rows, content):
    assert load("records", content).added == 2
    assert rows("SELECT title FROM record ORDER BY id") == [("Emma",), ("Kim",)]


def test_a_header_may_be_written_with_capitals_and_spaces(load, rows):
    load("users", "Primary ID,Given Name,Loan-Limit\nU1,Ada,3\n")
    assert rows("SELECT primary_id, given_name, loan_limit FROM user") == [("U1", "Ada", 3)]


def test_a_single_column_needs_no_delimiter(load):
    assert load("users", "primary_id\nU1\nU2\n").added == 2


def test_blank_lines_and_lines_of_empty_cells_are_no_rows(load):
    report = load("users", "\nprimary_id,surname\n\nU1,Byron\n,\n  , \nU2,King\n\n")
    assert (report.rows, report.added) == (2, 2)


def test_a_cell_may_go_over_several_lines_and_line_numbers_stay_right(load, rows):
    report = load("records", 'id,title\nR1,"one\ntwo"\nR2,\nR3,three\n')
    assert rows("SELECT title FROM record ORDER BY id") == [("one\ntwo",), ("three",)]
    (refusal,) = report.refusals
    assert (refusal.row, refusal.line, refusal.key) == (2, 4, "R2")


def test_a_list_in_a_cell_is_separated_by_bars_and_a_bar_that_is_meant_is_escaped(load, rows):
    load(
        "records",
        r"""id,title,identifiers
R1,Emma,ISBN=1|OCLC=a\|b|| OCLC = c=d ||ISBN=1
""",
    )
    assert rows("SELECT code, value FROM record_identifier ORDER BY code, value") == [
        ("", "R1"), ("ISBN", "1"), ("OCLC", "a|b"), ("OCLC", "c=d"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf  \n", "empty"),
        ("primary_id\nU1\n".encode("utf-16"), "not UTF-8 text (UTF-16"),
        ("primary_id\nU1\n".encode("utf-16-le"), "not UTF-8 text (UTF-16"),
        (b"PK\3\4\0\0\0", "a spreadsheet or an archive; save it as CSV"),
        (b"primary_id\rU1\r", "bare carriage return"),
        (b"primary_id,surnam\nU1,x\n", "line 1: unknown column 'surnam' (did you mean 'surname'?)"),
        (b"surname,email\nx,y\n", "no column primary_id"),
        (b"U1,Byron,Ada\n", "The first line names the columns; they can be primary_id, identifiers, surname"),
        (b"primary_id,surname,Surname\nU1,a,b\n", "two columns are called 'surname'"),
        (b"\n\nprimary_id,a\nU1,\n", "line 3: unknown column 'a'"),
        (b'"primary_id\nU1\n', "no column primary_id"),
        (b'[{"primary_id": "U1"},\n {"primary_id": "U2",}]', "line 2, column 22: no JSON"),
        (b'[{"primary_id": "U1"},\n {"primary_id": "U2"}', "line 2, column 22: no JSON"),
        (b'{\n "primary_id": "U1"\n}\n', "line 1: an object over several lines; expected JSON Lines"),
        (b'{"primary_id": "' + b"x" * 1_000_001, "line 1: longer than 1,000,000 bytes"),
        (b"[" * 100_000, "no JSON"),
    ],
)
def test_a_file_that_is_none_is_told_at_once_and_nothing_is_loaded(load, rows, content, message):
    with pytest.raises(LoadError) as caught:
        load("users", content)
    assert message in str(caught.value)
    assert "users.txt" in str(caught.value)
    assert rows("SELECT * FROM user") == []


def test_a_file_that_is_missing_or_a_folder_is_told(folder, tmp_path):
    for path in (tmp_path / "nowhere.csv", tmp_path):
        with pytest.raises(LoadError, match="cannot be read"):
            load_file(folder, "users", path)


@pytest.mark.parametrize(
    ("content", "row", "line", "message"),
    [
        ("primary_id,surname\nU1,a\nU2\nU3,c\n", 2, 3, "1 cells; expected 2, as many as the header has"),
        ("primary_id,surname\nU1,a\nU2,b,c\nU3,c\n", 2, 3, "3 cells; expected 2"),
        ('primary_id,surname\nU1,a\nU2,"b"c\nU3,c\n', 2, 3, "no CSV"),
        ('primary_id,surname\nU1,a\nU3,c\nU2,"b\nU4,d\n', 3, 4, "(lines 4 to 5 were read as one row)"),
        (
            "primary_id,surname\nU1,a\nU2,\0b\nU3,c\n",
            2,
            3,
            "surname: the character U+0000; expected text without control",
        ),
        ('{"primary_id": "U1"}\n{"primary_id": "U2"\n{"primary_id": "U3"}\n', 2, 2, "no JSON"),
        (
            '{"primary_id": "U1"}\n["U2"]\n{"primary_id": "U3"}\n',
            2,
            2,
            "expected an object with the columns primary_id",
        ),
        ('[{"primary_id": "U1"},\n\n"U2"\n,{"primary_id": "U3"}]', 2, 3, "expected an object"),
        ('{"primary_id": "U1"}\n{"primary_id": "\\ud800"}\n{"primary_id": "U3"}\n', 2, 2, "no JSON"),
    ],
)
def test_a_row_that_is_broken_is_refused_with_its_place_and_the_others_are_loaded(
    load, rows, content, row, line, message
):
    report = load("users", content)
    (refusal,) = report.refusals
    assert (refusal.row, refusal.line) == (row, line)
    assert message in refusal.why
    assert str(refusal).startswith(f"users.txt, line {line} (row {row}")
    assert rows("SELECT primary_id FROM user ORDER BY id") == [("U1",), ("U3",)]
    assert report.exit_code == 1


@pytest.mark.parametrize("form", ["csv", "jsonl", "json"])
def test_bytes_that_are_not_utf_8_are_refused_in_their_rows_alone(load, rows, form):
    if form == "csv":
        content = b"primary_id,surname\nU1,M\xfcller\nU2,Weber\n"
    else:
        one, two = b'{"primary_id": "U1", "surname": "M\xfcller"}', b'{"primary_id": "U2"}'
        content = one + b"\n" + two if form == "jsonl" else b"[" + one + b"," + two + b"]"
    report = load("users", content)
    assert "save the file as UTF-8" in report.refusals[0].why
    assert rows("SELECT primary_id FROM user") == [("U2",)]


def test_unknown_keys_of_json_are_refused_with_what_was_meant(why):
    row = {"primary_id": "U1", "sirname": "x", "blocks": [{"type": "Block Hold", "until": "2026-01-01"}]}
    said = why("users", [row])
    assert "sirname: unknown column (did you mean 'surname'?)" in said
    assert "blocks[1].until: unknown column" in said


@pytest.mark.parametrize("lines", [True, False])
def test_the_line_of_a_json_object_is_where_it_begins(load, lines):
    objects = [{"primary_id": "U1"}, {"primary_id": 2}, {"primary_id": "U3"}, {"primary_id": "U4", "born": "x"}]
    content = "\n".join(map(json.dumps, objects)) if lines else json.dumps(objects, indent=1)
    report = load("users", content)
    places = [(refusal.row, refusal.line) for refusal in report.refusals]
    assert places == ([(2, 2), (4, 4)] if lines else [(2, 5), (4, 11)])


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_huge_file_is_read_as_it_goes(tmp_path, form):
    """The first rows are there when hardly anything of the file has been read."""
    path = tmp_path / "records"
    line = "R1,Emma\n" if form == "csv" else '{"id": "R1", "title": "Emma"}\n'
    path.write_text(("id,title\n" if form == "csv" else "") + line * 1_000_000)
    with open_rows(path, RecordRow) as file:
        some = file.rows()
        assert next(some).raw == next(some).raw == {"id": "R1", "title": "Emma"}
        assert file.position < 100
        assert file.size > 8_000_000


def test_read_rows_gives_what_json_would_have_said(tmp_path):
    path = tmp_path / "users.csv"
    path.write_text("primary_id,loan_limit,identifiers\nU1,3,Barcode Id=7|8\n")
    assert list(read_rows(path, "users")) == [
        {
            "primary_id": "U1",
            "loan_limit": 3,
            "identifiers": [{"type": "Barcode Id", "value": "7"}, {"type": "", "value": "8"}],
        }
    ]
    path.write_text('[["x"]]')
    with pytest.raises(LoadError, match="line 1"):
        list(read_rows(path, "users"))
