"""Unit tests of answers: the JSON array, CSV, frames."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from oracle import Event
from shop import Aggregation, Field, Shop, at

import aggflow as af

VALUE = Aggregation("value", "value", ["COUNT", "SUM", "LAST"])
PRICE = Aggregation("price", "price", ["SUM", "AVG", "MIN", "LAST"])
FIELDS = [
    Field("n", "value", "COUNT"),
    Field("sum", "value", "SUM"),
    Field("price", "price", "SUM"),
    Field("mean", "price", "AVG"),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("answer"))
    made.add(
        Event(at("10:10"), "a", "x", 1.0),
        Event(at("10:20"), 'say "a", b\r\nc', "y", 2.5),
        Event(at("11:10"), "", None, None),
        Event(at("11:20"), None, "x", -0.5),
    )
    made.sql("ALTER TABLE events ADD COLUMN price DECIMAL(12, 2)")
    made.sql("ALTER TABLE events ADD COLUMN flag BOOLEAN")
    made.sql("UPDATE events SET price = 0.10 * (1 + epoch_us(time) // 60000000 % 60), flag = value > 0")
    made.source()
    flag = Aggregation("flag", "flag", ["FIRST", "LAST"])
    player = Aggregation("player", "player", ["LAST", "APPROX_COUNT_DISTINCT"])
    made.filter("1h", groupings=["player", "team", "flag"], aggregations=[VALUE, PRICE, flag, player])
    made.build(until=at("11:00"))
    yield made
    made.close()


def answer(shop: Shop, **options: Any) -> Any:
    given: dict[str, Any] = {"timing": af.Lookback("24h"), "fields": FIELDS, **options}
    shop.ws.add_endpoint("e", filter="f", **given)
    return shop.ws.query("e")


def test_keys_stand_in_their_order(shop: Shop) -> None:
    both = {"team": af.All(), "player": af.All()}
    rows = answer(shop, timing=af.TimeSeries("5h", include_incomplete=True), groupings=both).rows
    assert len(rows) == 4
    for row in rows:
        assert list(row) == ["dt", "groupings", "fields"]
        assert list(row["groupings"]) == ["player", "team"]
        assert list(row["fields"]) == ["n", "sum", "price", "mean"]
    assert rows[0] == {
        "dt": "2025-01-01T10:00:00Z",
        "groupings": {"player": "x", "team": "a"},
        "fields": {"n": 1, "sum": 1.0, "price": 1.1, "mean": 1.1},
    }


def test_groupings_are_there_only_where_some_are_returned(shop: Shop) -> None:
    fixed = {"team": af.Fixed(["a"], returned=False)}
    assert answer(shop, groupings=fixed).rows == [{"fields": {"n": 1, "sum": 1.0, "price": 1.1, "mean": 1.1}}]
    series = answer(shop, timing=af.TimeSeries("5h"), groupings=fixed)
    assert [list(row) for row in series.rows] == [["dt", "fields"]]


def test_values_keep_their_types(shop: Shop) -> None:
    fields = [
        Field("n", "value", "COUNT"),
        Field("distinct", "player", "APPROX_COUNT_DISTINCT"),
        Field("last", "player", "LAST"),
        Field("flag", "flag", "FIRST"),
        Field("none", "value", "LAST", duration="1h", offset="20h"),
    ]
    (row,) = answer(shop, fields=fields).rows
    assert row["fields"] == {"n": 4, "distinct": 2, "last": "x", "flag": True, "none": None}
    assert [type(value) for value in row["fields"].values()] == [int, int, str, bool, type(None)]
    flags = answer(shop, groupings={"flag": af.All()}, sort=["flag"]).rows
    assert [row["groupings"]["flag"] for row in flags] == [False, True, None]


def test_rows_are_json(shop: Shop) -> None:
    rows = answer(shop, groupings={"team": af.All()}).rows
    assert json.loads(json.dumps(rows)) == rows
    assert "NaN" not in json.dumps(rows, allow_nan=False)


def test_decimals_are_exact(shop: Shop) -> None:
    found = answer(shop)
    assert found.fields["price"].to_list() == [Decimal("6.40")]
    assert found.rows[0]["fields"]["price"] == 6.4
    assert found.rows[0]["fields"]["mean"] == pytest.approx(1.6)
    assert found.to_csv().splitlines()[1].split(",")[2] == "6.40"
    assert found.to_arrow()["price"].to_pylist() == [Decimal("6.40")]


def test_csv_quotes_only_what_needs_it(shop: Shop) -> None:
    """Null is empty, an empty text is two quotes, and nothing else is altered."""
    text = answer(shop, groupings={"team": af.All()}, fields=FIELDS[:2]).to_csv()
    assert text == ('team,n,sum\r\n"",1,\r\na,1,1.0\r\n"say ""a"", b\r\nc",1,2.5\r\n,1,-0.5\r\n')
    assert [row[0] for row in csv.reader(io.StringIO(text, newline=""))] == [
        "team",
        "",
        "a",
        'say "a", b\r\nc',
        "",
    ]


def test_csv_has_its_header_without_rows(shop: Shop) -> None:
    none = answer(shop, timing=af.TimeSeries("5h"), groupings={"team": af.Fixed(["nobody"])})
    assert none.rows == []
    assert none.to_csv() == "dt,team,n,sum,price,mean\r\n"


def test_csv_columns_stand_in_the_filters_order(shop: Shop) -> None:
    both = {"team": af.All(), "flag": af.All(), "player": af.All()}
    found = answer(shop, groupings=both, timing=af.TimeSeries("5h", include_incomplete=True)).to_csv()
    assert found.splitlines()[:2] == [
        "dt,player,team,flag,n,sum,price,mean",
        "2025-01-01T10:00:00Z,x,a,true,1,1.0,1.10,1.1",
    ]


def test_frames_have_the_same_columns(shop: Shop) -> None:
    both = {"team": af.All(), "player": af.All()}
    found = answer(shop, groupings=both, timing=af.TimeSeries("5h", include_incomplete=True))
    table = found.to_arrow()
    names = ["dt", "player", "team", "n", "sum", "price", "mean"]
    assert table.column_names == names
    assert table.schema.field("dt").type == pa.timestamp("us", "UTC")
    assert table["dt"][0].as_py() == datetime(2025, 1, 1, 10, tzinfo=UTC)
    assert table["player"].to_pylist() == [row["groupings"]["player"] for row in found.rows]
    assert table["sum"].null_count == 1
    frame = found.to_pandas()
    assert list(frame.columns) == names
    assert len(frame) == len(found) == 4
    polars = pytest.importorskip("polars")
    assert isinstance(found.to_polars(), polars.DataFrame)
    assert found.to_polars().columns == names


def test_an_answer_shows_itself(shop: Shop) -> None:
    found = answer(shop, groupings={"team": af.All()})
    assert "say &quot;a&quot;" in found._repr_html_()
    assert "4 rows" in repr(found)
