"""A SQL file is taken apart as psql does it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.engines._postgres_script import Copy, Malformed, Meta, Statement, split


def parts(text: str) -> list[tuple[object, ...]]:
    """Each part as (line, text), with the data of a COPY behind it; a backslash command as (line, name, argument)."""
    found: list[tuple[object, ...]] = []
    for part in split(text.splitlines(keepends=True)):
        if isinstance(part, Meta):
            found.append((part.line, part.name, part.argument))
        elif isinstance(part, Copy):
            found.append((part.line, part.text, list(part.data)))
        else:
            assert isinstance(part, Statement)
            found.append((part.line, part.text))
    return found


@pytest.mark.parametrize(
    "statement",
    [
        "select 'a;b''c;'",
        """select E'it\\'s; ' || E'a'';\\\\'""",
        'select "a;""b;" from t',
        "select $$ ; ' $x$ $$, $x$ ; $$ ; $x$",
        "select a$b$c, $1 from t",
        "select U&'\\;', N'x;', 1e3::text",
        "create rule r as on insert to t do also (select 1; select 2)",
        "create function f() returns int begin atomic select case when true then 1 end; select 2; end",
        "create or replace procedure p() language sql begin atomic select 1; end",
        "create table begin_end (id int)",
        "select case when 1 = 1 then 2 end",
        "do $body$\nbegin\n  perform 1; -- ;\nend $body$",
    ],
)
def test_a_semicolon_inside_ends_nothing(statement: str) -> None:
    assert parts(f"{statement}; select 2") == [(1, statement), (1 + statement.count("\n"), "select 2")]


def test_comments_are_no_statements_and_lines_are_counted() -> None:
    text = "-- first; one\n\n/* a; /* nested; */\n b; */ select 1 -- tail;\n + 2;\n-- only a comment\n"
    assert parts(text) == [(4, "select 1 \n + 2")]


def test_a_comment_inside_keeps_the_lines() -> None:
    assert parts("select 1 /* a\nb\n*/ + 1,\n2") == [(1, "select 1 \n\n  + 1,\n2")]


def test_copy_blocks_hold_their_data_as_it_stands() -> None:
    text = 'COPY t (a) FROM STDIN;\nx;y\'\n\\\\.\n\\N\n\\.\nselect 1;\ncopy u\n from stdin with (format csv);\n"a\nb"\n\\.\n'
    assert parts(text) == [
        (1, "COPY t (a) FROM STDIN", ["x;y'\n", "\\\\.\n", "\\N\n"]),
        (6, "select 1"),
        (7, "copy u\n from stdin with (format csv)", ['"a\n', 'b"\n']),
    ]


def test_data_that_nobody_takes_is_skipped() -> None:
    found = [part for part in split(["copy t from stdin;\n", "a;b\n", "\\.\n", "select 1"]) if not isinstance(part, Copy)]
    assert found == [Statement("select 1", 4)]


def test_copy_to_and_from_files_have_no_data() -> None:
    assert parts("copy t to stdout; copy t from '/stdin'; select 1") == [
        (1, "copy t to stdout"),
        (1, "copy t from '/stdin'"),
        (1, "select 1"),
    ]


def test_backslash_commands_stand_alone() -> None:
    assert parts("\\restrict x1\n\\c  shop ;\n  \\.\nselect 1; \\echo done\n") == [
        (1, "restrict", "x1"), (2, "c", "shop"), (3, ".", ""), (4, "select 1"), (4, "echo", "done")]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("select 1;\nselect 'a\n", 2, "the text that begins here has no end"),
        ('select\n "a', 2, "the quoted name"),
        ("/* a /* b */\n", 1, "the comment"),
        ("select 1;\ndo $x$ a $$", 2, "the text"),
        ("\ncopy t from stdin;\n1\n", 2, "the data of this COPY has no end"),
        ("select 1\n\\g\n", 2, "\\g inside a statement"),
    ],
)
def test_what_has_no_end_is_told_by_its_beginning(text: str, line: int, words: str) -> None:
    with pytest.raises(Malformed) as error:
        parts(text)
    assert error.value.line == line
    assert words in str(error.value)


PIECES = st.sampled_from(
    ["a", " ", "'", "''", '"', "$$", "$t$", "--", "/*", "*/", "\n", "(", ")", "E'", "E'\\''", "begin", "case", "end", "1"]
)


@given(st.lists(PIECES, max_size=30))
def test_a_text_without_semicolons_is_one_statement_or_has_no_end(pieces: list[str]) -> None:
    try:
        found, told = parts("".join(pieces) + "\n"), ""
    except Malformed as error:
        found, told = [], str(error)
    assert len(found) <= 1
    assert told == "" or "has no end" in told or "inside a statement" in told


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")),
        min_size=1,
        max_size=5,
    )
)
def test_quoted_texts_come_through_whole(texts: list[str]) -> None:
    quoted = ["select '" + text.replace("'", "''") + "'" for text in texts]
    assert [part[1] for part in parts(";\n".join(quoted))] == quoted
