"""An example: who gives a value of the wrong kind is shown the right line, and the line works."""

from __future__ import annotations

from typing import Any

import pytest

import aggflow as af
from aggflow.errors import SpecError
from aggflow.spec.calculation import Calculation
from aggflow.spec.declaration import read
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.example import EXAMPLES

GOOD: dict[str, dict[str, Any]] = {
    "Field": {"name": "p95", "aggregation": "a", "calculation": "PERCENTILES"},
    "Fixed": {},
    "Aggregation": {"name": "a", "field": "x"},
    "Endpoint": {
        "name": "e",
        "filter": "f",
        "timing": af.Lookback("30d"),
        "fields": [af.Field("flights", "a", Calculation.COUNT)],
    },
    "Filter": {"name": "f", "source": "s", "interval": "1h"},
    "Cube": {"name": "c", "source": "s", "dimensions": ["carrier"], "measures": [af.Aggregation("delay")]},
}
FIELDS = [(kind, name) for kind, examples in EXAMPLES.items() for name in examples]


def _endpoint(**changed: Any) -> Any:
    return Endpoint(**{**GOOD["Endpoint"], **changed})


@pytest.mark.parametrize(
    ("changed", "said", "line"),
    [
        ({"timing": "30d"}, "timing: a timing is needed, not '30d'", 'timing=af.Lookback("30d")'),
        (
            {"groupings": ["carrier"]},
            "a choice for each grouping is needed, not ['carrier']",
            'groupings={"carrier": af.All()',
        ),
        ({"groupings": {"carrier": "all"}}, "groupings.carrier: a choice", 'groupings={"carrier": af.All()'),
        ({"fields": "n"}, "fields: a list of fields is needed", 'fields=[af.Field("flights"'),
        ({"fields": ["n"]}, "fields[0]: fields are needed, not 'n'", 'fields=[af.Field("flights"'),
        ({"grouping_limits": {"carrier": 5}}, "a list of groupings with their limits", '[("carrier", 5)]'),
    ],
)
def test_the_right_line_is_shown(changed: dict[str, Any], said: str, line: str) -> None:
    with pytest.raises(SpecError) as caught:
        _endpoint(**changed)
    assert said in str(caught.value)
    assert line in caught.value.problems[0].hint


@pytest.mark.parametrize("percentile", [95, -1, "95%", None, [0.95], float("nan")])
def test_a_percentile_is_a_number_from_0_to_1(percentile: Any) -> None:
    with pytest.raises(SpecError) as caught:
        af.Field("p95", "a", Calculation.PERCENTILES, percentile=percentile)
    (problem,) = caught.value.problems
    assert problem.path == "percentile"
    assert "0.95" in problem.hint
    if percentile is not None:
        assert problem.message.startswith("a number from 0 to 1 is needed, not ")


def test_one_calculation_is_a_list_as_well() -> None:
    with pytest.raises(SpecError) as caught:
        af.Aggregation("a", field="x", calculations="AVG")  # type: ignore[arg-type]  # on purpose
    (problem,) = caught.value.problems
    assert problem.message == "a list of calculations is needed, not 'AVG'"
    assert problem.hint == 'calculations=["COUNT", "AVG"]'


def test_a_list_of_groupings_is_told_from_choices() -> None:
    with pytest.raises(SpecError, match=r'groupings=\["carrier", "origin"\]'):
        af.Filter("f", "s", "1h", groupings="carrier")  # type: ignore[arg-type]  # on purpose


def test_data_is_answered_as_data() -> None:
    data = {"name": "e", "filter": "f", "timing": {"duration": "30d"}, "fields": []}
    with pytest.raises(SpecError) as caught:
        read(Endpoint, data)
    hint = next(problem.hint for problem in caught.value.problems if problem.path == "timing")
    assert hint.startswith("timing: {kind: lookback, duration: 30d} for one total")


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_every_line_is_right(kind: str, name: str) -> None:
    made = EXAMPLES[kind][name].python.partition(" for one total")[0]
    value = eval(made, {"af": af})  # noqa: S307 - that what is shown works
    assert getattr(getattr(af, kind)(**{**GOOD[kind], name: value}), name)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("mean", "AVG"),
        ("Average", "AVG"),
        ("stdev", "STDDEV"),
        ("variance", "VAR"),
        ("distinct", "APPROX_COUNT_DISTINCT"),
        ("nunique", "APPROX_COUNT_DISTINCT"),
        ("quantile", "PERCENTILES"),
        ("median", "PERCENTILES"),
        ("p95", "PERCENTILES"),
        ("averge", "AVG"),
    ],
)
def test_a_calculation_by_another_name_is_known(given: str, meant: str) -> None:
    with pytest.raises(SpecError) as caught:
        af.Aggregation("a", field="x", calculations=[given])  # type: ignore[list-item]  # on purpose
    (problem,) = caught.value.problems
    assert problem.message == f"there is no calculation {given!r}"
    assert f"did you mean {meant!r}?" in problem.hint


def test_an_unknown_calculation_has_all_named() -> None:
    with pytest.raises(SpecError, match=r"known: APPROX_COUNT_DISTINCT, .*, VAR_POP"):
        af.Field("n", "a", "zzz")  # type: ignore[arg-type]  # on purpose
