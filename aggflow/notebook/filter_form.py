"""A filter form: the draft of a filter, checked against the columns of its source as one types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from functools import cached_property
from typing import Any, Final

from aggflow.engine.stored import Stored
from aggflow.errors import AggflowError, Problem
from aggflow.notebook.change import Change
from aggflow.notebook.draft import filled
from aggflow.notebook.entry import Entry, Option, Section
from aggflow.notebook.field_name import field_name, short_word
from aggflow.notebook.previewer import Work
from aggflow.notebook.source_columns import calculations_for
from aggflow.notebook.source_form import SourceForm
from aggflow.notebook.trial_view import shown_trial
from aggflow.notebook.zone_entry import zone_entry
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.calculation import Calculation
from aggflow.spec.declaration import plain
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.field import Field
from aggflow.spec.filter import Filter
from aggflow.spec.rollup import rollup_of
from aggflow.spec.timing import TimeSeries
from aggflow.timeline import Interval

INTERVALS: Final = (
    Option("1m", help="one minute"),
    Option("5m", help="five minutes"),
    Option("15m", help="a quarter of an hour: fits the days of every time zone"),
    Option("1h", help="one hour"),
    Option("1d", help="a day of the time zone"),
    Option("1w", help="a week, from Monday"),
    Option("1mo", help="a calendar month"),
)
_WORDS: Final[Mapping[Calculation, str]] = {
    Calculation.COUNT: "how many events",
    Calculation.SUM: "the sum",
    Calculation.AVG: "the mean of what is there",
    Calculation.MIN: "the least",
    Calculation.MAX: "the greatest",
    Calculation.STDDEV: "the standard deviation of a sample",
    Calculation.STDDEV_POP: "the standard deviation of the population",
    Calculation.VAR: "the variance of a sample",
    Calculation.VAR_POP: "the variance of the population",
    Calculation.FIRST: "the value of the first event",
    Calculation.LAST: "the value of the last event",
    Calculation.PERCENTILES: "any percentile, within 0.5 %",
    Calculation.APPROX_COUNT_DISTINCT: "how many different values, about 1.6 % off",
}
_SOME: Final = "some"
_BUCKETS, _MOST_FIELDS = 120, 4  # of the preview: what fits beside the entries


class FilterForm(SourceForm[Filter]):
    """The draft of a filter."""

    kind = "filter"
    plural = "filters"
    declares = Filter

    def sections(self) -> tuple[Section, ...]:
        """Which events, how fine, by what, and what is computed."""
        return self._sections

    @cached_property
    def _sections(self) -> tuple[Section, ...]:
        what = "JPath such as @.origin == 'JFK', or LINQ behind a = sign; empty for all events"
        return (
            Section(
                "Filter",
                (
                    Entry("name", "Name", placeholder="delays"),
                    Entry("source", "Source", "choice", offer=self._sources),
                    Entry("interval", "Interval", "combo", "1h", offer=lambda _: INTERVALS),
                    zone_entry(help="days and longer follow its calendar"),
                    Entry(
                        "where",
                        "Only events where",
                        "code",
                        placeholder="@.origin != 'LGA'",
                        help=what,
                        offer=self.path_ends,
                    ),
                    Entry("description", "Description", is_wide=True),
                ),
            ),
            Section(
                "Groupings",
                (Entry("groupings", "", "rows", (), of=self._grouping(), row="grouping"),),
                "By what answers can be told apart or narrowed; none gives totals only.",
            ),
            Section(
                "Aggregations",
                (
                    Entry(
                        "aggregations",
                        "",
                        "rows",
                        ({"name": "events", "calculations": ["COUNT"]},),
                        of=self._aggregation(),
                        row="aggregation",
                    ),
                ),
                "What is computed in every bucket: endpoints choose among these.",
            ),
            Section(
                "History",
                (
                    Entry(
                        "rebuild",
                        "Compute history anew",
                        "flag",
                        default=False,
                        is_declared=False,
                        help="Else what is built stays as it was, and the new form holds from now on.",
                        is_wide=True,
                    ),
                ),
                is_open=False,
            ),
        )

    def _grouping(self) -> tuple[Entry, ...]:
        return (
            Entry("path", "Column or path", "combo", offer=self.columns, placeholder="carrier or @.a.b"),
            Entry("alias", "Called in answers", placeholder="as the column"),
        )

    def _aggregation(self) -> tuple[Entry, ...]:
        return (
            Entry("name", "Name", placeholder="delay"),
            Entry(
                "field", "Of column or path", "combo", offer=self.columns, placeholder="none: counts events"
            ),
            Entry("calculations", "Calculations", "choices", ("COUNT",), offer=self._calculations),
            Entry(
                "where", "Only rows where", "code", placeholder="all of the filter's", offer=self.path_ends
            ),
            Entry(
                "kept_by",
                "Keep sketches",
                "choice",
                "all",
                offer=lambda _: (Option("all", "by all groupings"), Option(_SOME, "only by some")),
                help="sketches of fewer groupings take less space",
                is_declared=False,
                is_shown=self._has_sketch,
            ),
            Entry(
                "sketch_groupings",
                "Sketches by",
                "choices",
                (),
                offer=self._grouping_names,
                is_shown=lambda path: self._has_sketch(path) and self._beside(path, "kept_by") == _SOME,
            ),
        )

    # -- what can be chosen

    def _sources(self, _: str) -> list[Option]:
        return [Option(name) for name in self.ws.sources]

    def _calculations(self, path: str) -> list[Option]:
        field = self._beside(path, "field")
        known = calculations_for(self.ws, self.get("source"), field)
        return [Option(one.value, help=_WORDS[one]) for one in known]

    def _grouping_names(self, _: str) -> list[Option]:
        rows: list[dict[str, Any]] = self.get("groupings")
        return [Option(name) for row in rows if (name := row["alias"] or row["path"])]

    def _has_sketch(self, path: str) -> bool:
        chosen = self._beside(path, "calculations") or ()
        return bool(self.get("groupings")) and any(Calculation(one).is_sketch for one in chosen)

    def _beside(self, path: str, name: str) -> Any:
        """A value of the row that a path is in."""
        return self.get(f"{path.rpartition('.')[0]}.{name}")

    # -- the preview

    def seen(self) -> Any:
        """What the preview depends on: not how it is called and described."""
        spec = self.sketch()
        return None if spec is None else replace(spec, name="filter", description="")

    def preview(self) -> Work | None:
        """What it keeps, over its last buckets."""
        spec = self.sketch()
        if spec is None:
            return None
        shown = shown_endpoint(spec)
        return lambda wish: shown_trial(self.ws.try_endpoint(shown, spec, wish), spec.name)

    # -- the definition

    def stored(self) -> Mapping[str, Stored[Filter]]:
        """The filters of the workspace."""
        return self.ws.filters

    def values_of(self, spec: Filter) -> dict[str, Any]:
        """The values of a draft for a filter."""
        data = plain(spec)
        data["groupings"] = [one if isinstance(one, dict) else {"path": one} for one in data["groupings"]]
        for one in data["aggregations"]:
            one["kept_by"] = "all" if one["sketch_groupings"] is None else _SOME
        return filled(self._entries(), data)

    def misfits(self, spec: Filter) -> Iterator[Problem]:
        """What the source cannot serve."""
        try:
            yield from self.ws.misfits(spec)
        except AggflowError as error:
            yield Problem("source", error.message, error.hint)

    def effects(self, spec: Filter, before: Stored[Filter] | None) -> Iterator[Change]:
        """What becomes of states that are built, and of the endpoints that read the filter."""
        if before is None:
            yield Change("nothing is built yet: ws.build makes its states")
            return
        source = self.ws.sources[spec.source].spec
        old = self.ws.sources[before.source].spec if before.source in self.ws.sources else source
        if rollup_of(spec).data_hash(source) == rollup_of(before.spec).data_hash(old):
            yield Change("what is built stays as it is")
        elif self.get("rebuild"):
            yield Change("all states are thrown away: everything is to be built anew", "warning")
        elif before.source != spec.source:
            yield Change("another source: everything is to be built anew", "warning")
        else:
            yield Change("history stays as it was built; the new form holds from the present bucket on")
        for effect in self.ws.effects_of(spec):
            yield Change(str(effect), "error" if effect.blocks else "warning")

    def options(self) -> dict[str, Any]:
        """Whether history is computed anew."""
        return {"rebuild": True} if self.get("rebuild") else {}

    def put(self, spec: Filter) -> Stored[Filter]:
        """Save it."""
        given = {one.name: getattr(spec, one.name) for one in fields(spec)}
        return self.ws.add_filter(**given, **self.options())

    def saved(self) -> str:
        """What to do next."""
        return f"<code>ws.build({self.draft_name()!r})</code> builds its states."

    def route(self, spec: Filter) -> tuple[str, str]:
        """The route of the filters."""
        method, path = super().route(spec)
        return method, f"{path}?rebuild=true" if self.get("rebuild") and method == "PUT" else path


def shown_endpoint(of: Filter) -> Endpoint:
    """An endpoint that shows what a filter keeps: a series of its first calculations, over some buckets."""
    fields: dict[str, Field] = {}
    for aggregation in of.aggregations:
        for calculation in aggregation.calculations:
            for field in _fields(aggregation, calculation):
                name = field.name if field.name not in fields else f"{field.name}_{len(fields)}"
                fields[name] = replace(field, name=name)
    duration = f"{Interval.of(of.interval).seconds_at_most * _BUCKETS}s"
    shown = list(fields.values())[:_MOST_FIELDS]
    return Endpoint(of.name, of.name, TimeSeries(duration, include_incomplete=True), shown)


def _fields(aggregation: Aggregation, calculation: Calculation) -> list[Field]:
    """The fields that show a calculation: of percentiles the middle and the tail, in one panel."""
    if calculation == Calculation.PERCENTILES:
        percentiles = (("p50", 0.5), ("p95", 0.95))
        return [
            Field(field_name(aggregation.name, p), aggregation.name, calculation, q) for p, q in percentiles
        ]
    return [Field(field_name(aggregation.name, short_word(calculation)), aggregation.name, calculation)]
