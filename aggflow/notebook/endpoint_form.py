"""An endpoint form: the draft of an endpoint; everything to be chosen comes from what it asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cached_property
from typing import Any

from aggflow.engine.stored import Stored
from aggflow.errors import ParseError, Problem, SpecError
from aggflow.notebook.change import Change
from aggflow.notebook.curl_text import curl_of, segment
from aggflow.notebook.draft import filled, given
from aggflow.notebook.endpoint_row import (
    ASKS,
    CHOICES,
    DIRECTIONS,
    DURATIONS,
    FILLS,
    INCOMPLETE,
    KINDS,
    SAME,
    choice_row,
    field_row,
    grouping_row,
    measure_text,
    name_of,
    parts_of,
)
from aggflow.notebook.entry import Entry, Option, Section
from aggflow.notebook.form import Form
from aggflow.notebook.html_text import copied
from aggflow.notebook.previewer import Work
from aggflow.notebook.source_columns import columns_of, first_source
from aggflow.notebook.trial_view import shown_trial
from aggflow.notebook.value_list import read_values
from aggflow.spec.askable import Askable
from aggflow.spec.asked import asked_of
from aggflow.spec.calculation import Calculation
from aggflow.spec.declaration import plain
from aggflow.spec.endpoint import SUBJECTS, Endpoint, Subject
from aggflow.spec.fit import AskedOf, problems_with


class EndpointForm(Form[Endpoint]):
    """The draft of an endpoint."""

    kind = "endpoint"
    plural = "endpoints"
    declares = Endpoint

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

    # -- values that follow others

    def followed(self, path: str) -> None:
        """Names are proposed, and groupings are those of what is asked."""
        if path in ("asks", *SUBJECTS):
            self._take_asked()
        elif path == "timing.kind":
            # What is customary: a total counts what is there so far, a series ends with what is whole.
            self._values["timing"]["include_incomplete"] = self.get("timing.kind") == "lookback"
        elif path.startswith("fields"):
            self._name_fields()

    def _take_asked(self) -> None:
        of = self.of
        if of is None:
            return
        known = {row["name"]: row for row in self._values["groupings"]}
        self._values["groupings"] = [known.get(one.name) or grouping_row(one.name) for one in of.groupings]
        offered = [option.value for option in self._measures("")]
        for row in self._values["fields"]:
            if row["measure"] not in offered:
                row["measure"] = offered[0] if offered else ""
        self._name_fields()

    def _name_fields(self) -> None:
        rows: list[dict[str, Any]] = self._values["fields"]
        offered = self._measures("")
        for row in rows:
            if not row["measure"] and offered:
                row["measure"] = offered[0].value
            if row["name"] == row.get("proposed", ""):
                others = [other["name"] for other in rows if other is not row]
                row["name"] = row["proposed"] = name_of(row, others)

    # -- the definition

    def stored(self) -> Mapping[str, Stored[Endpoint]]:
        """The endpoints of the workspace."""
        return self.ws.endpoints

    def first(self) -> str:
        """An endpoint needs a filter, a task or a cube, and that a source."""
        first = first_source(self.ws)
        if first or self.ws.filters or self._has_others:
            return first
        return (
            "This workspace has no filter yet, which says what is computed of the events. Make one first, "
            "then look again:\naf.FilterBuilder(ws)"
        )

    def empty(self) -> dict[str, Any]:
        """A new draft asks the only filter, where there is one, how many events there were; else a task or a cube."""
        self._values = super().empty()
        kinds: list[Subject] = [kind for kind in SUBJECTS if self._all(kind)]
        kind: Subject = kinds[0] if kinds else "filter"
        there = list(self._all(kind))
        self._values |= {"asks": kind, kind: there[0] if len(there) == 1 else ""}
        self._values["fields"] = [field_row()]
        self._take_asked()
        return self._values

    def values_of(self, spec: Endpoint) -> dict[str, Any]:
        """The values of a draft for an endpoint."""
        data = plain(spec)
        kind, asked = spec.subject
        stored = self._all(kind).get(asked)
        of = None if stored is None else asked_of(stored.spec)
        names = [] if of is None else [str(one.name) for one in of.groupings]
        paths = {} if of is None else {one.path: str(one.name) for one in of.groupings}
        chosen = {paths.get(name, name): choice for name, choice in data["groupings"].items()}
        data["groupings"] = [
            grouping_row(name) | choice_row(chosen.get(name, {}))
            for name in dict.fromkeys([*names, *map(str, chosen)])
        ]
        data["grouping_limits"] = [
            {"grouping": pair[0], "limit": pair[1]} for pair in data["grouping_limits"]
        ]
        data["fields"] = [field_row(one) for one in data["fields"]]
        values = filled(self._entries(), data | {"asks": kind})
        for row, kept in zip(values["groupings"], data["groupings"], strict=True):
            row["name"] = kept["name"]
        return values

    def plain(self) -> dict[str, Any]:
        """What the draft declares; what is left as it is by default is left out.

        Raises
        ------
        SpecError
            Values cannot be read.
        """
        data = given(self._entries(), self._values)
        rows: list[dict[str, Any]] = self._values["fields"]
        for row, one in zip(rows, data["fields"], strict=True):
            aggregation, calculation = parts_of(row["measure"])
            if aggregation:
                one["aggregation"] = aggregation
            if calculation:
                one["calculation"] = calculation
            own = one.pop("include_incomplete", SAME)
            if own != SAME:
                one["include_incomplete"] = own == "yes"
        data["groupings"] = self._choices()
        return data

    def _choices(self) -> dict[str, Any]:
        """The choice of every grouping that is not merged, by its name."""
        found: dict[str, Any] = {}
        for i, row in enumerate(self._values["groupings"]):
            kind = row["choice"]
            if kind == "aggregate":
                continue
            choice: dict[str, Any] = {"kind": kind}
            found[row["name"]] = choice
            if kind != "all":
                choice["returned"] = row["returned"]
            if kind == "fixed":
                choice["values"] = self._values_in(f"groupings[{i}].values", row)
        return found

    def _values_in(self, path: str, row: Mapping[str, Any]) -> list[Any]:
        try:
            return read_values(row["values"], self._type_of(row["name"]))
        except ParseError as error:
            raise SpecError(self.title, [Problem(path, str(error))]) from None

    def _type_of(self, grouping: str) -> Any:
        of = self.of
        if of is None:
            return None
        path = next((one.path for one in of.groupings if one.name == grouping), grouping)
        return columns_of(self.ws, of.source).get(path.removeprefix("@."))

    def place(self, path: str) -> str:
        """The entry of a path; choices and timings are told by what they are, and named by groupings."""
        for tag in ("lookback", "time_series"):
            path = path.replace(f"timing.{tag}.", "timing.")
        if path.startswith("groupings."):
            name = path.removeprefix("groupings.")
            for i, row in enumerate(self.get("groupings")):
                if name == row["name"] or name.startswith(f"{row['name']}."):
                    return f"groupings[{i}].{'values' if name.endswith('values') else 'choice'}"
        for part in ("aggregation", "calculation"):
            path = path.replace(f"].{part}", "].measure")
        return super().place(path)

    def misfits(self, spec: Endpoint) -> Iterator[Problem]:
        """What there is not in what it asks."""
        of = self.of
        if of is None:
            kind, name = spec.subject
            yield Problem(kind, f"there is no {kind} {name!r}")
            return
        yield from problems_with(spec, of)

    def put(self, spec: Endpoint) -> Stored[Endpoint]:
        """Save it."""
        return self.ws.add_endpoint(**{one.name: getattr(spec, one.name) for one in fields(spec)})

    def effects(self, spec: Endpoint, before: Stored[Endpoint] | None) -> Iterator[Change]:
        """Who asks it gets other answers at once."""
        if before is not None and before.spec != spec:
            yield Change("whoever asks it gets these answers at once; nothing has to be built", "warning")

    def saved(self) -> str:
        """How it is asked from anywhere."""
        base = self.base
        if base is None:
            return ""
        asked = [row["name"] for row in self.get("groupings") if row["choice"] == "query_time"]
        body = {"groupingFilters": {name: ["…"] for name in asked}} if asked else {}
        command = curl_of("POST", f"/api/v1/data/{segment(base.id)}", body)
        return f"It answers at once, over HTTP as well:{copied(command)}"

    # -- the preview

    def preview(self) -> Work | None:
        """What it would answer of the newest events."""
        spec = self.sketch()
        if spec is None:
            return None
        return lambda wish: shown_trial(self.ws.try_endpoint(spec, wish=wish), spec.name)
