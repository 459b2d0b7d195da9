from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt
import pytest

from aggflow.errors import SourceUnavailableError
from aggflow.language import Completion, Word, complete_linq, parse_linq

TABLES = {
    "flights": {
        "carrier": "string",
        "origin": "string",
        "dep_delay": "int64",
        "arr_delay": "float64",
        "time_hour": "timestamp",
        "dep date": "date",
        "payload": dt.Struct.from_tuples(
            [
                ("user", "string"),
                ("user id", "int64"),
                ("place", dt.Struct.from_tuples([("city", "string")])),
            ]
        ),
    },
    "demo.ecommerce.data": {"client": "string"},
    "demo.ecommerce.old": {"client": "string"},
}
COLUMNS = {name: dict(ibis.schema(columns).items()) for name, columns in TABLES.items()}


def complete(marked: str, **options: object) -> Completion:
    """The completion where the bar stands."""
    text, position = marked.replace("|", "", 1), marked.index("|")
    return complete_linq(
        text,
        position,
        tables=COLUMNS,
        columns=lambda table: COLUMNS.get(table, {}),
        **options,  # pyright: ignore[reportArgumentType] - options as a mapping
    )


def texts(marked: str, kind: str | None = None) -> list[str]:
    return [word.text for word in complete(marked).words if kind is None or word.kind == kind]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("|", ["from"]),
        ("fr|", ["from"]),
        ("from |", ["demo.ecommerce.data", "demo.ecommerce.old", "flights"]),
        ("from fl|", ["flights"]),
        ("from demo.|", ["ecommerce.data", "ecommerce.old"]),
        ("from demo.ecommerce.o|", ["old"]),
        ("from flights |", ["where", "select", "group"]),
        ("from flights gr|", ["group"]),
        ("from flights group |", ["every", "by", "select"]),
        ("from flights group every |", ["1m", "5m", "15m", "30m", "1h", "1d", "-"]),
        ("from flights group every 1|", ["1m", "15m", "1h", "1d"]),
        ("from flights group every 1h b|", ["by"]),
        ("from flights group every 1h by car|", ["carrier"]),
        ("from flights group every 1h by carrier, ori|", ["origin"]),
        ("from flights where payload.pl|", ["place"]),
        ("from flights where payload.place.|", ["city"]),
        ("from flights where payload.`user i|", ["`user id`"]),
        ("from flights where `dep |", ["`dep date`"]),
        ("from flights group by carrier select count() a|", ["as"]),
        ("from flights group by carrier select med|", ["median("]),
        ("from flights where carrier = 'AA' an|", ["and"]),
        ("from flights where not(isnull(carr|", ["carrier"]),
    ],
)
def test_what_can_be_typed(marked: str, expected: list[str]) -> None:
    found = texts(marked)
    assert found[: len(expected)] == expected


@pytest.mark.parametrize(
    "marked",
    [
        'from flights where carrier = "A|',
        'from flights where carrier = "A\\"|',
        "from flights where carrier = 'A|",
        "from flights // gr|",
        "from flights group by carrier select count() as n|",
        "from from |",
        "from flights where carrier in {1.5|",
    ],
)
def test_nothing_is_offered_where_no_known_word_can_stand(marked: str) -> None:
    assert complete(marked).words == ()


def test_a_text_that_is_closed_is_behind() -> None:
    assert texts('from flights where carrier = "AA" |')[:3] == ["and", "or", "where"]


def test_columns_that_fit_the_function_come_first() -> None:
    numbers = texts("from flights group by carrier select avg(|", "column")
    assert numbers[:2] == ["dep_delay", "arr_delay"]
    assert {"carrier", "payload"} < set(numbers)
    assert texts("from flights where hour(|", "column")[:2] == ["time_hour", "`dep date`"]
    assert texts("from flights where lower(|", "column")[:2] == ["carrier", "origin"]


def test_a_column_says_its_type() -> None:
    (word,) = complete("from flights group by dep_de|").words
    assert word == Word("dep_delay", "column", "int64")


def test_after_the_group_there_are_keys_aggregates_and_the_bucket() -> None:
    text = "from flights group every 1h by carrier, floor(dep_delay / 10) select count() as n, |"
    assert set(texts(text, "name")) == {"carrier", "`floor(dep_delay / 10)`", "n", "eventdate"}
    assert "sum(" in texts(text, "aggregate")
    assert texts(text, "column") == []
    assert "eventdate" not in texts("from flights group by carrier select |", "name")


def test_aggregates_are_only_offered_after_the_group_and_conditions_only_where_they_can_stand() -> None:
    assert texts("from flights where |", "aggregate") == []
    assert "has(" in texts("from flights where |", "condition")
    assert texts("from flights group by |", "condition") == []
    assert texts("from flights where lower(|", "condition") == []
    assert "has(" in texts("from flights select ifthenelse(|", "condition")
    assert texts("from flights select ifthenelse(has(carrier, 'A'), |", "condition") == []


def test_a_name_given_before_the_group_is_a_column_from_then_on() -> None:
    assert texts("from flights select dep_delay / 60 as hours where ho|")[:2] == ["hours", "hour("]
    assert texts("from flights select dep_delay / 60 as hours group by ho|", "name") == ["hours"]


def test_the_clause_of_the_place_counts_where_what_is_before_is_wrong() -> None:
    assert texts("from flights where carrier == 'A' group every 1h by ori|") == ["origin"]
    assert texts("from flights group every 1x by carrier select avg(dep|", "column") == [
        "dep_delay",
        "`dep date`",
    ]


def test_operators_are_offered_behind_a_value() -> None:
    found = texts("from flights where carrier |", "operator")
    assert {"=", "/=", "->", "~", "in"} <= set(found)
    assert texts("from flights group by carrier |", "operator") == []


def test_the_nearest_word_is_offered_where_none_continues() -> None:
    found = complete("from flights group by carier|")
    assert [word.text for word in found.words] == ["carrier"]
    assert found.is_near
    assert not complete("from flights group by carr|").is_near
    assert complete("from flights group by zzzzz|").words == ()


def test_a_word_replaces_what_is_written_of_it_on_both_sides() -> None:
    text = "from flights group by car|ier select count()"
    found = complete(text)
    put, at = found.applied(text.replace("|", ""), found.words[0])
    assert put == "from flights group by carrier select count()"
    assert put[:at].endswith("carrier")


def test_a_part_of_a_word_is_replaced_alone() -> None:
    text = "from flights where payload.`user i|"
    found = complete(text)
    put, at = found.applied(text.replace("|", ""), found.words[0])
    assert put == "from flights where payload.`user id`"
    assert at == len(put)


def test_keywords_bring_their_space_and_calls_their_parenthesis() -> None:
    assert Completion(0, 2).applied("fr", Word("from", "keyword")) == ("from ", 5)
    assert Completion(0, 2).applied("fr flights", Word("from", "keyword")) == ("from flights", 4)
    assert Completion(0, 2).applied("av", Word("avg(", "aggregate")) == ("avg(", 4)


def test_only_so_many_are_given() -> None:
    assert len(complete("from flights where |", most=4).words) == 4


def test_a_source_that_is_gone_has_no_columns_to_offer() -> None:
    def gone(table: str) -> dict[str, object]:
        raise SourceUnavailableError(f"{table} cannot be reached")

    found = complete_linq("from flights where ", 19, tables=["flights"], columns=gone)
    assert {word.text for word in found.words if word.kind == "column"} == {"eventdate"}
    assert any(word.kind == "condition" for word in found.words)


@pytest.mark.parametrize("at", range(0, 134, 3))
def test_every_place_of_a_query_can_be_completed(at: int) -> None:
    text = "from flights where carrier in {'AA', \"UA\"} select dep_delay * 2 as twice group every 1h by origin select avg(twice) as a every"
    found = complete_linq(text, at, tables=COLUMNS, columns=lambda table: COLUMNS.get(table, {}))
    assert 0 <= found.start <= min(at, len(text)) <= found.end <= len(text)


@pytest.mark.parametrize(
    "marked",
    [
        "from | group by carrier",
        "from flights where | group",
        "from flights group every | by carrier",
        "from flights group by |",
        "from flights group every 1h by origin select |",
        "from flights group by origin select sum(|)",
    ],
)
def test_what_is_offered_can_be_read(marked: str) -> None:
    text = marked.replace("|", "")
    found = complete(marked)
    names = [word for word in found.words if word.kind in ("table", "column", "period", "name")]
    assert names
    for word in names:
        parse_linq(found.applied(text, word)[0])
