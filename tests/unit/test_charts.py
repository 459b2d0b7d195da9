"""Charts: what is drawn for which shape of answer, with Altair and vl-convert as they are."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zlib
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pytest
import vl_convert

from aggflow.charts import draw, kept, save, thumbnail
from aggflow.charts.renderer import bundle
from aggflow.engine.answer import Answer
from aggflow.engine.explanation import Explanation
from aggflow.errors import AggflowError, NotFoundError, QueryError
from aggflow.measures.state import Values
from aggflow.measures.vocabulary import GroupingValue
from aggflow.timeline import Window, WindowSet

START = 1_356_998_400  # 2013-01-01T00:00:00Z
DAY, HOUR = 86_400, 3_600
ODD = ('O\'Neil "x"\\', "a.b[0]", "{{x}}\n<b>", "ünïcödé ☃", "", None, "true", True)
ODD_NAME = "@.cl\"i\\ent['x.y'][0]"


def counts(values: Iterable[int]) -> Values:
    return Values(np.array(list(values), dtype=np.int64))


def floats(values: Iterable[float | None]) -> Values:
    items = list(values)
    valid = np.array([item is not None for item in items], dtype=bool)
    return Values(np.array([item or 0.0 for item in items], dtype=np.float64), None if valid.all() else valid)


def objects(values: Sequence[object]) -> Values:
    return Values(np.array(values, dtype=object))


def answer(
    fields: Mapping[str, Values],
    *,
    buckets: Sequence[int] | None = None,
    groupings: Mapping[str, Sequence[GroupingValue]] | None = None,
    name: str = "flights",
) -> Answer:
    explanation = Explanation("filter delays", list, WindowSet(), WindowSet(), 1, 2, 3, (), None, 4.0, 0.0)
    groups = {key: tuple(values) for key, values in (groupings or {}).items()}
    count = len(next(iter(fields.values())).data)
    return Answer(name, None if buckets is None else tuple(buckets), groups, fields, count, explanation, draw)


def days(count: int, first: int = START) -> list[int]:
    return [first + DAY * day for day in range(count)]


def by_group(
    buckets: Sequence[int], groups: Sequence[GroupingValue]
) -> tuple[list[int], list[GroupingValue]]:
    return [bucket for bucket in buckets for _ in groups], [group for _ in buckets for group in groups]


def series_of(groups: Sequence[GroupingValue], length: int = 12) -> Answer:
    buckets, labels = by_group(days(length), groups)
    numbers = [100.0 * (len(groups) - i % len(groups)) + i for i in range(len(buckets))]
    return answer({"p95": floats(numbers)}, buckets=buckets, groupings={"carrier": labels})


def crossed(*sizes: int) -> dict[str, list[GroupingValue]]:
    grid = np.indices(sizes).reshape(len(sizes), -1)
    return {f"g{axis}": [f"{'abcd'[axis]}{value}" for value in row] for axis, row in enumerate(grid.tolist())}


def spec_of(drawn: Answer, **options: Any) -> dict[str, Any]:
    return draw(drawn, **options).to_dict()


def rows_of(spec: Mapping[str, Any], panel: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    data = (panel or spec)["data"]
    return spec["datasets"][data["name"]]


def marks(panel: Mapping[str, Any]) -> list[str]:
    inner = panel.get("spec", panel)
    return [layer["mark"]["type"] for layer in inner.get("layer", [inner])]


SHAPES: dict[str, Callable[[], Answer]] = {
    "count over time": lambda: answer({"flights": counts(range(48))}, buckets=days(48)),
    "mean over time": lambda: answer({"mean": floats([1.5, None, 2.5, 4.0])}, buckets=days(4)),
    "one bucket": lambda: answer({"flights": counts([5])}, buckets=days(1)),
    "groups over time": lambda: series_of(["UA", "DL", "AA"]),
    "twenty groups over time": lambda: series_of([f"c{i}" for i in range(20)]),
    "percentiles": lambda: answer(
        {"p50": floats(range(9)), "p95": floats(range(1, 10)), "p99": floats(range(2, 11))}, buckets=days(9)
    ),
    "fields over time": lambda: answer(
        {"flights": counts(range(9)), "p50_delay": floats(range(9)), "p95_delay": floats(range(9))},
        buckets=days(9),
    ),
    "bars": lambda: answer(
        {"p95": floats([9.5, -3.0, None])}, groupings={"carrier": ["UA", "DL", "AA"]}
    ),
    "bars of two fields": lambda: answer(
        {"flights": counts([9, 8]), "mean": floats([1.0, 2.0])}, groupings={"carrier": ["UA", "DL"]}
    ),
    "odd names": lambda: answer({ODD_NAME: counts(range(1, 9))}, groupings={ODD_NAME: ODD}),
    "odd names over time": lambda: answer(
        {ODD_NAME: floats(range(24))},
        buckets=by_group(days(3), ODD)[0],
        groupings={ODD_NAME: by_group(days(3), ODD)[1]},
    ),
    "not complete and not built": lambda: read_live(
        replace(series_of(["UA", "DL"]), open_from=days(12)[-1]), (days(12)[2], days(12)[4])
    ),
    "heat map": lambda: answer({"p95": floats([*range(11), None])}, groupings=crossed(4, 3)),
    "heat map around zero": lambda: answer({"change": floats(range(-6, 6))}, groupings=crossed(4, 3)),
    "grouped bars": lambda: answer({"flights": counts(range(24))}, groupings=crossed(4, 3, 2)),
    "maps": lambda: answer({"p95": floats(range(64))}, groupings=crossed(2, 4, 8)),
    "maps of four groupings": lambda: answer({"p95": floats(range(64))}, groupings=crossed(2, 2, 2, 8)),
    "one number": lambda: answer({"flights": counts([336_776])}),
    "several numbers": lambda: answer(
        {"flights": counts([3]), "mean": floats([None]), "last": objects(["landed"])}
    ),
    "no rows": lambda: answer({"flights": counts([])}, groupings={"carrier": []}),
    "only nulls": lambda: answer({"p95": floats([None, None])}, buckets=days(2)),
    "only texts": lambda: answer({"last": objects(["a", "b"])}, groupings={"carrier": ["UA", "DL"]}),
}  # fmt: skip


@pytest.fixture
def renderers() -> Iterator[Any]:
    """Altair's renderers as they are before anything is drawn, and afterwards as they were."""
    before = alt.renderers._get_state()
    alt.renderers.register("aggflow", None)
    alt.renderers.enable("default")
    yield alt.renderers
    alt.renderers._set_state(before)


@pytest.mark.parametrize(
    ("shape", "theme"),
    [
        *((shape, "light") for shape in SHAPES),
        *((shape, theme) for theme in ("dark", "auto") for shape in ("count over time", "heat map")),
    ],
)
def test_each_shape_is_a_picture(shape: str, theme: Any, tmp_path: Path) -> None:
    path = save(draw(SHAPES[shape](), theme=theme), tmp_path / "chart.png")
    png = path.read_bytes()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert _different_lines(png) > 20, "blank"


def _different_lines(png: bytes) -> int:
    """How many different lines the picture has, once it is unpacked; a blank one has two."""
    width, packed, at = int.from_bytes(png[16:20]), b"", 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            packed += png[at + 8 : at + 8 + size]
        at += size + 12
    raw, line = zlib.decompress(packed), 4 * width + 1
    return len({raw[start : start + line] for start in range(0, len(raw), line)})


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_drawn_by_vega_lite_5(shape: str) -> None:
    svg = vl_convert.vegalite_to_svg(spec_of(SHAPES[shape]()), vl_version="5.8")
    assert "</text>" in svg


def test_a_count_over_time_is_an_area_in_utc_from_zero() -> None:
    spec = spec_of(answer({"flights": counts([3, 0, 7])}, buckets=[START + HOUR * i for i in range(3)]))
    assert marks(spec)[:2] == ["area", "line"]
    x, y = (spec["layer"][0]["encoding"][channel] for channel in "xy")
    assert (x["type"], x["scale"]["type"]) == ("temporal", "utc")
    assert x["title"] == "2013, UTC"
    assert y["scale"]["domain"][0] == 0
    assert [(row["t"], row["v"]) for row in rows_of(spec)] == [
        ((START + HOUR * i) * 1000, value) for i, value in enumerate([3.0, 0.0, 7.0])
    ]


@pytest.mark.parametrize("width", [268, 350])
@pytest.mark.parametrize("hours", [95, 119, 24 * 30, 24 * 92])
def test_an_axis_of_days_says_which_days_however_narrow_it_is(width: int, hours: int) -> None:
    # From ten o'clock on: the first label is none of a day.
    buckets = [START + HOUR * i for i in range(10, 10 + hours)]
    spec = spec_of(answer({"n": counts(range(hours))}, buckets=buckets), width=width)
    drawn = vl_convert.vegalite_to_svg(spec, vl_version="5.8")
    axis = drawn[drawn.index("role-axis-label", drawn.index("X-axis")) : drawn.index("role-axis-title")]
    labels = re.findall(r"<text (?![^>]*opacity=\"0\")[^>]*>([^<]+)</text>", axis)
    dates = [label for label in labels if re.match(r"[A-Z][a-z]{2}\b", label)]
    assert len(dates) >= 2
    assert len(labels) == len(set(labels))


def test_tooltips_say_the_time_in_utc_and_the_exact_value() -> None:
    spec = spec_of(answer({"n": counts([9_007_199_254_740_993])}, buckets=[START + HOUR]))
    assert spec["transform"] == [{"calculate": "utcFormat(datum.t, '%Y-%m-%d %H:%M') + ' UTC'", "as": "when"}]
    assert rows_of(spec)[0]["text"] == "9,007,199,254,740,993"
    shown = [tip["field"] for tip in spec["layer"][-1]["encoding"]["tooltip"]]
    assert shown == ["when", "text"]


def test_a_null_is_a_gap_and_a_value_between_gaps_is_a_dot() -> None:
    spec = spec_of(answer({"mean": floats([1.0, 2.0, None, 4.0, None, 6.0])}, buckets=days(6)))
    assert [row["v"] for row in rows_of(spec)] == [1.0, 2.0, None, 4.0, None, 6.0]
    assert [row["v"] for row in rows_of(spec) if row.get("alone")] == [4.0, 6.0]


def test_no_line_is_drawn_over_buckets_without_a_row() -> None:
    buckets = [*days(3), START + 5 * DAY, START + 6 * DAY]
    spec = spec_of(answer({"flights": counts([1, 2, 3, 4, 5])}, buckets=buckets))
    assert [row["v"] for row in rows_of(spec)] == [1, 2, 3, None, 4, 5]


def test_months_differ_and_are_no_gaps() -> None:
    starts = [1_356_998_400, 1_359_676_800, 1_362_096_000, 1_364_774_400]  # January to April 2013
    assert len(rows_of(spec_of(answer({"flights": counts([1, 2, 3, 4])}, buckets=starts)))) == 4


def test_a_group_that_misses_a_bucket_has_a_gap_there() -> None:
    buckets = [*days(3), START, START + 2 * DAY]
    drawn = answer({"n": counts([1, 2, 3, 7, 9])}, buckets=buckets, groupings={"g": ["a"] * 3 + ["b"] * 2})
    lines = {key: [row["v"] for row in rows_of(spec_of(drawn)) if row["line"] == key] for key in "ab"}
    assert lines == {"a": [1, 2, 3], "b": [7, None, 9]}


def test_groups_over_time_are_lines_with_a_colour_each() -> None:
    spec = spec_of(series_of(["UA", "DL", "AA"]))
    assert marks(spec)[0] == "line"
    colour = spec["layer"][0]["encoding"]["color"]
    assert (colour["title"], colour["scale"]["domain"]) == ("carrier", ["UA", "DL", "AA"])
    assert len(set(colour["scale"]["range"])) == 3
    names = {param["name"]: param.get("bind") for param in spec["params"]}
    assert names == {"zoom": "scales", "chosen": "legend", "pointed_0": None}


def test_of_twenty_groups_the_ten_largest_have_a_colour_and_the_legend_counts_the_others() -> None:
    spec = spec_of(series_of([f"c{i}" for i in range(20)]))
    scale = spec["layer"][0]["encoding"]["color"]["scale"]
    assert scale["domain"] == [*(f"c{i}" for i in range(10)), "10 others"]
    assert len(set(scale["range"])) == 11
    rows = rows_of(spec)
    assert {row["line"] for row in rows if row["key"] == "10 others"} == {f"c{i}" for i in range(10, 20)}
    assert rows[0]["key"] == "10 others", "grey lies under the colours"
    assert {row["g0"] for row in rows} == {f"c{i}" for i in range(20)}, "tooltips name each"


def test_percentiles_of_one_value_share_a_panel_and_other_fields_do_not() -> None:
    spec = spec_of(SHAPES["fields over time"]())
    assert [panel["layer"][0]["encoding"]["y"]["title"] for panel in spec["vconcat"]] == [
        "flights",
        "p50_delay · p95_delay",
    ]
    zoom = next(param for param in spec["params"] if param["name"] == "zoom")
    assert zoom["views"] == ["marks_0", "marks_1"], "panels move together"
    assert [marks(panel)[0] for panel in spec["vconcat"]] == ["area", "area"]


def test_bands_lie_between_percentiles_the_widest_first_and_end_where_one_is_missing() -> None:
    fields = {
        "p99": floats([5.0, None, 7.0]),
        "median": floats([3.0, 4.0, 5.0]),
        "p5": floats([1.0, 1.0, 2.0]),
        "p95": floats([4.0, 5.0, 6.0]),
    }
    spec = spec_of(answer(fields, buckets=days(3)))
    assert marks(spec)[:2] == ["area", "line"]
    found: dict[str, list[Any]] = {}
    for row in rows_of(spec):
        if row.get("part") == "band":
            found.setdefault(row["line"], []).append((row["low"], row["high"]))
    assert found == {
        "p5 to p99": [(1.0, 5.0), (1.0, None), (2.0, 7.0)],
        "median to p95": [(3.0, 4.0), (4.0, 5.0), (5.0, 6.0)],
    }


def test_what_is_not_complete_is_dashed_from_the_last_complete_value_on() -> None:
    whole = answer({"flights": counts([3, 4, 5, 1])}, buckets=days(4))
    assert "part" not in json.dumps(rows_of(spec_of(whole)))
    spec = spec_of(replace(whole, open_from=days(4)[-1]))
    rows = [(row["t"] // 1000, row["v"], row.get("part")) for row in rows_of(spec)]
    a, b, c, d = days(4)
    assert rows == [(a, 3, None), (b, 4, None), (c, 5, None), (c, 5, "join"), (d, 1, "open")]
    dashes = [layer["mark"].get("strokeDash") for layer in spec["layer"][:3]]
    assert dashes == [None, [5, 4], None]
    assert "dashed: not complete yet" in spec["title"]["subtitle"]
    assert "not complete yet" in spec["transform"][0]["calculate"]


def test_a_value_that_is_not_complete_after_a_gap_stands_alone() -> None:
    last = days(3)[-1]
    drawn = replace(answer({"mean": floats([3.0, None, 5.0])}, buckets=days(3)), open_from=last)
    rows = [(row["v"], row.get("part"), row.get("alone")) for row in rows_of(spec_of(drawn))]
    assert rows == [(3.0, None, True), (None, None, None), (5.0, "open", True)]


def read_live(drawn: Answer, *parts: tuple[int, int], stored: bool = True) -> Answer:
    windows = [Window(start * 1_000_000, end * 1_000_000) for start, end in parts]
    built = WindowSet([Window(0, START * 1_000_000)] if stored else [])
    return replace(drawn, explanation=replace(drawn.explanation, stored=built, live=WindowSet(windows)))


def test_what_was_not_built_is_shaded_as_far_as_it_is_drawn() -> None:
    plain = answer({"flights": counts(range(6))}, buckets=days(6))
    a, b, c, d, *_, f = days(6)
    drawn = read_live(plain, (a - DAY, b), (c, d), (f, f + DAY))
    spec = spec_of(drawn)
    shaded = [(row["t"] // 1000, row["to"] // 1000) for row in rows_of(spec) if row.get("part") == "unbuilt"]
    assert shaded == [(a, b), (c, d)]
    assert marks(spec)[0] == "rect"
    assert "shaded: not built, read from the source" in spec["title"]["subtitle"]
    nothing_built = spec_of(read_live(plain, (a, f), stored=False))
    assert "rect" not in marks(nothing_built), "all of it is said in a sentence"


def test_it_is_said_where_the_numbers_come_from_unless_that_is_not_wanted() -> None:
    drawn = replace(SHAPES["count over time"](), open_from=days(48)[-1])
    assert spec_of(drawn)["title"]["subtitle"][0].startswith("from filter delays")
    assert spec_of(drawn, explained=False)["title"]["subtitle"] == ["dashed: not complete yet"]


def test_a_page_of_voila_is_given_the_picture_that_it_could_not_make(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_of(SHAPES["one number"]())
    monkeypatch.delenv("SERVER_SOFTWARE", raising=False)
    assert "image/png" not in bundle(spec)
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    assert b64decode(bundle(spec)["image/png"]).startswith(b"\x89PNG")


def test_a_chart_follows_the_theme_that_is_enabled_for_all() -> None:
    drawn = SHAPES["count over time"]()
    assert spec_of(drawn)["config"]["background"] == "#ffffff"
    with alt.theme.enable("aggflow_dark"):
        assert spec_of(drawn)["config"]["background"] == "#14171f"
        assert spec_of(drawn, theme="light")["config"]["background"] == "#ffffff"
        own = alt.Chart({"values": [{"a": 1}]}).mark_bar().encode(x="a:Q").to_dict()
        assert own["config"]["background"] == "#14171f", "charts of one's own look alike"
    with alt.theme.enable("ggplot2"):
        assert spec_of(drawn)["config"]["background"] == "#ffffff"


def test_percentiles_with_groups_have_a_panel_each() -> None:
    buckets, labels = by_group(days(2), ["a", "b"])
    fields = {"p50": floats(range(4)), "p95": floats(range(4))}
    assert len(spec_of(answer(fields, buckets=buckets, groupings={"g": labels}))["vconcat"]) == 2


def test_a_series_too_long_to_search_names_its_lines_only() -> None:
    spec = spec_of(series_of(["a", "b"], length=2_600))
    assert marks(spec) == ["line", "point"]
    assert [tip["field"] for tip in spec["layer"][0]["encoding"]["tooltip"]] == ["g0"]
    assert len(rows_of(spec)) == 5_200


def test_bars_keep_the_order_of_the_answer_and_a_null_is_a_dash() -> None:
    spec = spec_of(SHAPES["bars"]())
    assert marks(spec)[0] == "bar"
    encoding = spec["layer"][0]["encoding"]
    assert (encoding["y"]["type"], encoding["y"]["sort"]) == ("nominal", None)
    assert encoding["x"]["scale"]["domain"] == [-3.0, 9.5]
    assert [(row["g"], row["v"], row["label"]) for row in rows_of(spec)] == [
        ("UA", 9.5, "9.50"),
        ("DL", -3.0, "-3.00"),
        ("AA", None, "\N{EN DASH}"),
    ]


def test_bars_begin_at_zero_however_far_from_it_they_end() -> None:
    fields = {"p95": floats([194.2, 181.1, 134.4])}
    spec = draw(answer(fields, groupings={"carrier": ["EV", "9E", "FL"]})).to_dict()
    (x,) = {json.dumps(layer["encoding"]["x"]["scale"]["domain"]) for layer in layers(spec)}
    assert json.loads(x)[0] == 0


def layers(spec: Any) -> Iterator[Any]:
    """All layers with a scale of numbers across."""
    if isinstance(spec, dict):
        if "domain" in str(spec.get("encoding", {}).get("x", {}).get("scale", "")):
            yield spec
        for part in spec.values():
            yield from layers(part)
    elif isinstance(spec, list):
        for part in spec:
            yield from layers(part)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("shape", "shown", "left_out"),
    [
        (answer({"n": counts(range(30))}, groupings={"a": [f"g{i}" for i in range(30)]}), "g7", "g8"),
        (
            answer(
                {"n": counts([3, 2]), "second": counts([5, 6])}, groupings={"a": ["x", None], "b": ["y", "z"]}
            ),
            "none · z",
            "second",
        ),
        (
            answer({"n": counts(range(8))}, buckets=[*days(1) * 8], groupings={"a": [*"abcdefgh"]}),
            ">d<",
            ">e<",
        ),
        (answer({"n": counts([1, 2, 3])}, buckets=days(3)), "UTC", "flights"),
        (answer({"n": counts([1234]), "m": counts([5])}), "1,234", "flights"),
        (answer({"n": counts([1])}, groupings={"a": ["<b>&" + "x" * 100]}), "&lt;b&gt;", "x" * 20),
        (answer({"n": counts([])}, groupings={"a": []}), "no rows", "flights"),
    ],
)
def test_a_thumbnail_is_small_and_shows_what_comes_first(
    shape: Answer, shown: str, left_out: str, theme: Any
) -> None:
    svg = thumbnail(shape, theme)
    assert svg.startswith("<svg")
    assert shown in svg
    assert left_out not in svg
    width, height = (float(side) for side in re.findall(r'(?:width|height)="([\d.]+)"', svg)[:2])
    assert 100 < width < 400
    assert 30 < height < 330
    assert 'opacity="0"' not in svg.partition("<g")[2] or shape.buckets is None


@pytest.mark.parametrize(
    ("groups", "several", "fields", "series", "said"),
    [
        (8, False, 1, False, ""),
        (9, False, 1, False, "8 of 9 values of carrier"),
        (4, False, 2, True, ""),
        (1016, False, 2, True, "4 of 1,016 values of carrier"),
        (16, True, 3, True, "4 of 16 groups, 2 of 3 fields"),
        (0, False, 2, False, "1 of 2 fields"),
    ],
)
def test_what_a_thumbnail_leaves_out_is_said(
    groups: int, several: bool, fields: int, series: bool, said: str
) -> None:
    times = 2 if series else 1
    carriers = [f"c{i}" for i in range(groups)] * times
    shape = answer(
        {f"n{i}": counts(range(groups * times)) for i in range(fields)},
        groupings={"carrier": carriers} | ({"origin": ["JFK"] * len(carriers)} if several else {}),
        buckets=[START + DAY * day for day in range(times) for _ in range(groups)] if series else None,
    )
    assert kept(shape) == said
    drawn = set(re.findall(r">(c\d+)[^<]*<", thumbnail(shape)))
    assert len(drawn) == (int(said.split(maxsplit=1)[0]) if "of" in said and groups else groups)


def test_many_bars_are_cut_and_the_subtitle_says_so() -> None:
    drawn = answer({"n": counts(range(100))}, groupings={"g": [f"g{i}" for i in range(100)]})
    spec = spec_of(drawn)
    assert len(rows_of(spec)) == 40
    assert "the first 40 of 100 rows" in spec["title"]["subtitle"]


def test_values_of_different_types_that_look_the_same_are_told_apart() -> None:
    drawn = answer({"n": counts([1, 2, 3, 4])}, groupings={"g": ["true", True, None, ""]})
    labels = [row["g"] for row in rows_of(spec_of(drawn))]
    assert labels == ["true (text)", "true (bool)", "(none)", "(empty)"]


def test_two_groupings_are_a_heat_map_whose_nulls_stay_empty() -> None:
    spec = spec_of(SHAPES["heat map"]())
    assert marks(spec) == ["rect", "text"]
    encoding = spec["layer"][0]["encoding"]
    assert encoding["y"]["title"] == "g0"
    assert encoding["x"]["title"] == "g1"
    assert encoding["y"]["scale"]["domain"] == ["a0", "a1", "a2", "a3"]
    assert encoding["color"]["scale"]["domain"] == [0.0, 10.0]
    assert len(rows_of(spec)) == 11


def test_a_heat_map_around_zero_parts_its_colours_there() -> None:
    scale = spec_of(SHAPES["heat map around zero"]())["layer"][0]["encoding"]["color"]["scale"]
    assert scale["domain"] == [-6, -3, 0, 3, 6]


def test_the_longer_side_of_a_wide_heat_map_goes_down() -> None:
    spec = spec_of(answer({"n": counts(range(48))}, groupings=crossed(2, 24)))
    assert spec["layer"][0]["encoding"]["y"]["title"] == "g1"


def test_three_groupings_are_bars_in_panels_or_maps_where_colours_would_be_many() -> None:
    spec = spec_of(SHAPES["grouped bars"]())
    assert marks(spec) == ["bar"]
    assert spec["facet"]["field"] == "f"
    assert spec["spec"]["encoding"]["yOffset"]["field"] == "x"
    assert [row["f"] for row in rows_of(spec)][::6] == ["a0", "a1", "a2", "a3"]
    assert marks(spec_of(SHAPES["maps"]())) == ["rect", "text"]
    four = spec_of(SHAPES["maps of four groupings"]())
    assert {row["f"] for row in rows_of(four)} == {"a0 · b0", "a0 · b1", "a1 · b0", "a1 · b1"}


def test_one_number_is_written_large() -> None:
    spec = spec_of(SHAPES["one number"]())
    assert marks(spec) == ["text", "text"]
    assert [(row["name"], row["figure"]) for row in rows_of(spec)] == [("flights", "336,776")]


def test_figures_are_short_where_long_and_exact_in_the_tooltip() -> None:
    rows = rows_of(spec_of(answer({"n": counts([350_217_607_123]), "last": objects(["landed"])})))
    assert [(row["figure"], row["text"]) for row in rows] == [
        ("350G", "350,217,607,123"),
        ("landed", "landed"),
    ]


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ("no rows", "no rows"),
        ("only nulls", "no values: all are null"),
        ("only texts", "no numbers to draw"),
    ],
)
def test_nothing_to_see_is_a_sentence(shape: str, sentence: str) -> None:
    spec = spec_of(SHAPES[shape]())
    assert marks(spec) == ["text"]
    assert rows_of(spec) == [{"text": sentence}]


def test_a_field_of_texts_is_left_out_and_named() -> None:
    fields = {"n": counts([1, 2]), "last": objects(["a", "b"])}
    spec = spec_of(answer(fields, groupings={"g": ["x", "y"]}))
    assert "not drawn, as they hold no numbers: last" in spec["title"]["subtitle"]


def test_title_and_subtitle() -> None:
    drawn = SHAPES["bars"]()
    title = spec_of(drawn)["title"]
    assert title == {"text": "flights", "subtitle": [drawn.explanation.provenance]}
    assert " ms" not in drawn.explanation.provenance
    assert spec_of(drawn, title="delays")["title"]["text"] == "delays"
    assert len(spec_of(drawn, title="a long title " * 20, width=300)["title"]["text"]) > 3


def test_fields_are_chosen_and_ordered() -> None:
    drawn = SHAPES["bars of two fields"]()
    spec = spec_of(drawn, fields=["mean", "flights"])
    assert [panel["layer"][0]["encoding"]["x"]["title"] for panel in spec["hconcat"]] == ["mean", "flights"]
    assert "hconcat" not in spec_of(drawn, fields=["mean"])


def test_sizes() -> None:
    spec = spec_of(SHAPES["fields over time"](), width=400, height=300)
    assert [(panel["width"], panel["height"]) for panel in spec["vconcat"]] == [(400, 150)] * 2


def test_what_is_wrong_is_said() -> None:
    drawn = SHAPES["bars"]()
    with pytest.raises(NotFoundError, match=r"there is no field 'p59' \(did you mean 'p95'\?\)"):
        draw(drawn, fields=["p59"])
    with pytest.raises(QueryError, match="no field"):
        draw(drawn, fields=[])
    with pytest.raises(NotFoundError, match="there is no theme 'drak'"):
        draw(drawn, theme="drak")  # pyright: ignore[reportArgumentType] - wrong on purpose


def test_the_grounds_of_themes() -> None:
    grounds = [
        spec_of(SHAPES["bars"](), theme=theme)["config"]["background"] for theme in ("light", "dark", "auto")
    ]
    assert grounds == ["#ffffff", "#14171f", "transparent"]


def test_the_renderer_needs_no_network_and_is_enabled_by_the_first_chart(renderers: Any) -> None:
    chart = SHAPES["bars"]().chart()
    assert renderers.active == "aggflow"
    bundle = chart._repr_mimebundle_(None, None)
    assert set(bundle) == {"application/vnd.vegalite.v5+json", "text/plain"}
    assert bundle["application/vnd.vegalite.v5+json"]["$schema"].endswith("/v5.json")
    assert bundle["text/plain"] == "<chart: flights>"


def test_a_renderer_that_was_chosen_stays(renderers: Any) -> None:
    renderers.enable("svg")
    SHAPES["bars"]().chart()
    assert renderers.active == "svg"
    assert "aggflow" in renderers.names()


def test_default_chosen_after_the_first_chart_stays(renderers: Any) -> None:
    SHAPES["bars"]().chart()
    renderers.enable("default")
    SHAPES["bars"]().chart()
    assert renderers.active == "default"


def test_saved_as_what_the_ending_says(tmp_path: Path) -> None:
    chart = draw(SHAPES["groups over time"]())
    assert save(chart, tmp_path / "a.SVG").read_text().startswith("<svg")
    assert json.loads(save(chart, str(tmp_path / "a.json")).read_text()) == chart.to_dict()
    page = save(chart, tmp_path / "a.html").read_text()
    assert "<html" in page
    assert "<script src" not in page, "nothing is loaded"
    assert len(page) > 500_000, "the library is in the page"


def test_saving_elsewhere_is_refused(tmp_path: Path) -> None:
    chart = draw(SHAPES["bars"]())
    with pytest.raises(AggflowError, match=r"saved as '\.gif' \(endings are \.png, \.svg, \.html, \.json\)"):
        save(chart, tmp_path / "chart.gif")
    with pytest.raises(AggflowError, match=r"cannot be written to .*No such file"):
        save(chart, tmp_path / "nowhere" / "chart.json")


@pytest.mark.parametrize("missing", ["altair", "vl_convert"])
def test_what_has_to_be_installed(missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chart = draw(SHAPES["bars"]())
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(AggflowError, match=r"\(pip install 'aggflow\[demo\]'\)"):
        save(chart, tmp_path / "chart.png") if missing == "vl_convert" else draw(SHAPES["bars"]())


def test_importing_charts_does_not_import_altair() -> None:
    program = "import sys, aggflow.charts; print({'altair', 'vl_convert'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
