"""A mismatch: a column compared with what no value of its declared type can equal."""

from __future__ import annotations

import ibis.expr.datatypes as dt
import pytest

from aggflow.errors import ParseError
from aggflow.language import OpenColumns, check_predicate, check_subject, parse_linq

COLUMNS: dict[str, dt.DataType] = {
    "carrier": dt.string,
    "delay": dt.int64,
    "late": dt.boolean,
    "at": dt.timestamp,
    "id": dt.UUID(),
    "place": dt.Struct.from_tuples([("city", dt.string)]),
    "payload": dt.JSON(),
}


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("@.carrier > 5", "@.carrier", "carrier holds texts (string), and 5 is a number"),
        ("5 < @['carrier']", "@['carrier']", "carrier holds texts"),
        ("@.carrier in ['AA', 5]", "@.carrier", "5 is a number"),
        ("@.place.city == 1", "@.place.city", "place.city holds texts"),
        ("@.carrier > @.delay", "@.carrier", "delay numbers (int64)"),
        ("@.delay == 'late'", "@.delay", "delay holds numbers (int64), and 'late' is a text"),
        ("@.late == 'yes'", "@.late", "late holds true or false (boolean), and 'yes' is a text"),
        ("@.late == 2", "@.late", "2 is a number"),
        ("@.at == true", "@.at", "at holds times (timestamp(6)), and true is true or false"),
        ("=carrier = 5 and has(carrier, 'A')", "carrier", "carrier holds texts"),
        ("=at > '2026-01-01' and 5 <- carrier and has(carrier, 'A')", "carrier", "5 is a number"),
    ],
)
def test_what_is_silently_false_is_refused_with_its_place(text: str, place: str, said: str) -> None:
    columns = COLUMNS | {"at": dt.Timestamp(scale=6)}
    with pytest.raises(ParseError) as caught:
        check_predicate(text, columns)
    assert said in caught.value.message
    assert text.startswith(place, caught.value.position)
    assert caught.value.hint


def test_the_place_is_of_the_very_comparison() -> None:
    text = "(@.carrier == '@.carrier' || @.payload.tags.length > 5) && @.late && !(@.carrier > 5)"
    with pytest.raises(ParseError) as caught:
        check_predicate(text, COLUMNS)
    assert caught.value.position == text.rindex("@.carrier")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "true",
        "@.carrier > '5'",
        "@.carrier == true",  # texts 'true' and 'false'
        "@.carrier == null",
        "@.carrier LIKE 'A%' && @.carrier.length > 5",
        "@.delay == '5'",
        "@.delay == true",  # engines that have no truth values keep 1 and 0
        "@.late == 1 || @.late == 'TRUE'",
        "@.at > 1700000000000 || @.at == '2026-01-31'",
        "@.id == 5",
        "@.payload.user > 5",  # a type a row
        "@.nowhere > 5",
        "=float(carrier) > 5",
        "=length(carrier) > 5 and carrier in {'A'}",
    ],
)
def test_what_can_be_true_is_accepted(text: str) -> None:
    check_predicate(text, OpenColumns(COLUMNS))


def test_a_value_is_looked_into() -> None:
    check_subject("carrier", COLUMNS)
    check_subject("=ifthenelse(carrier = 'AA', 1, 0)", COLUMNS)
    with pytest.raises(ParseError, match="carrier holds texts"):
        check_subject("=ifthenelse(carrier = 1, 1, 0)", COLUMNS)


@pytest.mark.parametrize(
    "where",
    ["where carrier > 5", "select carrier as c where 5 < c", "where decode(carrier, 5, true, false) = true"],
)
def test_a_query_is_refused_as_well(where: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_linq(f"from flights {where} group every 1h", columns=COLUMNS)
    assert "holds texts (string), and 5 is a number" in caught.value.message
    assert 'a text stands in quotes: "5"' in caught.value.hint


def test_a_text_that_is_no_number_may_stand_beside_numbers_in_a_query() -> None:
    # It matches nothing: the contract of tasks says so.
    assert parse_linq('from flights where delay = "late" group every 1h', columns=COLUMNS).wheres
