"""Endpoint entries: what is asked of an endpoint, and what can be chosen, which comes from what it asks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from aggflow.engine.stored import Stored
from aggflow.notebook.endpoint_row import (
    ASKS,
    CHOICES,
    DIRECTIONS,
    DURATIONS,
    FILLS,
    INCOMPLETE,
    KINDS,
    SAME,
    measure_text,
    parts_of,
)
from aggflow.notebook.entry import Entry, Option, Section
from aggflow.notebook.form import Form
from aggflow.spec.askable import Askable
from aggflow.spec.asked import asked_of
from aggflow.spec.calculation import Calculation
from aggflow.spec.endpoint import SUBJECTS, Endpoint, Subject
from aggflow.spec.fit import AskedOf


class EndpointEntries(Form[Endpoint]):
    """The entries of an endpoint's form."""

    def sections(self) -> tuple[Section, ...]:
        """What is asked of what, over which time, told apart by what, in which order."""
        return self._sections

    @cached_property
    def _sections(self) -> tuple[Section, ...]:
        return (
            Section(
                "Endpoint",
                (
                    Entry("name", "Name", placeholder="worst"),
                    Entry(
                        "asks",
                        "Asks",
                        "choice",
                        "filter",
                        offer=lambda _: [Option(kind, text) for kind, text in ASKS.items()],
                        is_declared=False,
                        is_shown=lambda _: self.get("asks") != "filter" or self._has_others,
                    ),
                    *(self._subject(kind) for kind in SUBJECTS),
                    Entry("description", "Description", is_wide=True),
                ),
            ),
            Section("Time", self._timing()),
            Section(
                "Fields",
                (Entry("fields", "", "rows", (), of=self._field(), row="field"),),
                "What answers hold: aggregations of the filter, what the task selects, measures of the cube.",
            ),
            Section(
                "Groupings",
                (Entry("groupings", "", "rows", (), of=self._grouping(), row="grouping", titled_by="name"),),
                "What answers do with each grouping of the filter, key of the task, dimension of the cube.",
            ),
            Section("Order and limits", self._order()),
        )

    def _subject(self, kind: Subject) -> Entry:
        return Entry(
            kind,
            kind.capitalize(),
            "choice",
            offer=lambda _: [Option(one) for one in self._all(kind)],
            is_shown=lambda _: self.get("asks") == kind,
        )

    def _all(self, kind: Subject) -> Mapping[str, Stored[Any]]:
        kinds: dict[Subject, Mapping[str, Stored[Any]]] = {
            "filter": self.ws.filters,
            "task": self.ws.tasks,
            "cube": self.ws.cubes,
        }
        return kinds[kind]

    @property
    def _has_others(self) -> bool:
        """Whether there is anything but filters to ask."""
        return bool(self.ws.tasks or self.ws.cubes)

    def _timing(self) -> tuple[Entry, ...]:
        def is_series(_: str) -> bool:
            return self.get("timing.kind") == "time_series"

        return (
            Entry("timing.kind", "Answers with", "choice", "time_series", offer=lambda _: KINDS),
            Entry("timing.duration", "Of the last", "combo", "30d", offer=lambda _: DURATIONS),
            Entry(
                "timing.interval",
                "A point each",
                "combo",
                offer=self._intervals,
                placeholder="the bucket of what is asked",
                is_shown=is_series,
            ),
            Entry("timing.offset", "Ending before now by", "combo", "0s", offer=lambda _: DURATIONS),
            Entry(
                "timing.fill",
                "Where nothing happened",
                "choice",
                "none",
                offer=lambda _: FILLS,
                is_shown=is_series,
            ),
            Entry("timing.include_incomplete", "With the bucket still filling", "flag", default=False),
        )

    def _field(self) -> tuple[Entry, ...]:
        def has_own(path: str) -> bool:
            return self._may_have_own(path) and bool(self._beside(path, "own"))

        return (
            Entry("measure", "Of", "choice", offer=self._measures, is_declared=False),
            Entry(
                "percentile",
                "Percentile",
                default="0.95",
                help="0 to 1",
                is_shown=lambda path: self._calculation(path) == Calculation.PERCENTILES.value,
            ),
            Entry("name", "Name in answers", placeholder="p95"),
            Entry(
                "own",
                "A time of its own",
                "flag",
                default=False,
                is_declared=False,
                is_shown=self._may_have_own,
            ),
            Entry("duration", "Of the last", "combo", offer=lambda _: DURATIONS, is_shown=has_own),
            Entry("offset", "Ending before now by", "combo", offer=lambda _: DURATIONS, is_shown=has_own),
            Entry(
                "include_incomplete",
                "The bucket that is still filling",
                "choice",
                SAME,
                offer=lambda _: INCOMPLETE,
                is_shown=has_own,
            ),
        )

    def _grouping(self) -> tuple[Entry, ...]:
        def has_values(path: str) -> bool:
            return self._beside(path, "choice") == "fixed"

        return (
            Entry("choice", "Answers", "choice", "aggregate", offer=lambda _: CHOICES),
            Entry(
                "values", "Values", placeholder="JFK, EWR", help="with commas between", is_shown=has_values
            ),
            Entry(
                "returned",
                "Told apart in answers",
                "flag",
                default=True,
                is_shown=lambda path: self._beside(path, "choice") in ("fixed", "query_time"),
            ),
        )

    def _order(self) -> tuple[Entry, ...]:
        by = (
            Entry("by", "By", "choice", offer=self._sortable),
            Entry("direction", "Direction", "choice", "desc", offer=lambda _: DIRECTIONS),
        )
        limited = (
            Entry(
                "grouping", "Grouping", "choice", offer=lambda _: [Option(one) for one in self._returned()]
            ),
            Entry("limit", "The first", default="10"),
        )
        return (
            Entry("sort", "Sorted", "rows", (), of=by, row="order"),
            Entry("grouping_limits", "Limits of groupings", "rows", (), of=limited, row="limit"),
            Entry("limit", "Rows at most", placeholder="1000 of a total, all of a series"),
        )

    # -- what can be chosen

    @property
    def of(self) -> AskedOf | None:
        """What is asked, where it is there."""
        kind: Subject = self.get("asks")
        stored = self._all(kind).get(self.get(kind))
        return None if stored is None else asked_of(stored.spec)

    def _measures(self, path: str) -> list[Option]:
        of = self.of
        if of is None:
            return []
        if not isinstance(of, Askable):
            pairs = [(one.name, calculation) for one in of.aggregations for calculation in one.calculations]
            return [Option(measure_text(name, calculation.value)) for name, calculation in pairs]
        # What a task selects has one calculation, which need not be said; a stored endpoint may say it.
        says = of.kind == "cube"
        offered = [measure_text(one.aggregation, one.calculation if says else None) for one in of.offers]
        own = self.get(path) if path and not says else None
        return list(map(Option, dict.fromkeys([*offered, *([own] if own else [])])))

    def _intervals(self, _: str) -> list[Option]:
        of = self.of
        wider = ("1h", "1d", "1w", "1mo")
        return [Option(one) for one in dict.fromkeys((*(() if of is None else (of.interval,)), *wider))]

    def _returned(self) -> list[str]:
        rows: list[dict[str, Any]] = self.get("groupings")
        told = {"fixed", "query_time"}
        return [
            row["name"]
            for row in rows
            if row["choice"] == "all" or (row["choice"] in told and row["returned"])
        ]

    def _sortable(self, _: str) -> list[Option]:
        names = [row["name"] for row in self.get("fields") if row["name"]]
        time = ["dt"] if self.get("timing.kind") == "time_series" else []
        return [Option(one, "time" if one == "dt" else "") for one in (*names, *self._returned(), *time)]

    def _may_have_own(self, _: str) -> bool:
        return self.get("timing.kind") == "lookback"

    def _beside(self, path: str, name: str) -> Any:
        """A value of the row that a path is in."""
        return self.get(f"{path.rpartition('.')[0]}.{name}")

    def _calculation(self, path: str) -> str:
        return parts_of(self._beside(path, "measure"))[1]
