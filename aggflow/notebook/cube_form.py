"""A cube form: the draft of a cube: its dimensions and measures, and the aggregates that speed it up."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from aggflow.engine.stored import Stored
from aggflow.errors import AggflowError, Problem
from aggflow.notebook.change import Change
from aggflow.notebook.curl_text import segment
from aggflow.notebook.draft import filled
from aggflow.notebook.entry import Entry, Option, Section
from aggflow.notebook.level_text import level_text, levels_of
from aggflow.notebook.previewer import Work
from aggflow.notebook.source_columns import calculations_for
from aggflow.notebook.source_form import SourceForm
from aggflow.notebook.trial_view import shown_trial
from aggflow.notebook.zone_entry import zone_entry
from aggflow.spec.calculation import Calculation
from aggflow.spec.cube import Cube
from aggflow.spec.declaration import plain
from aggflow.spec.dimension import Dimension
from aggflow.spec.project import DEFAULT_PROJECT

_COLUMN, _LEVELS, _TIME = "column", "levels", "time"
_DIMENSIONS: Final = (
    Option(_COLUMN, "one column"),
    Option(_LEVELS, "levels of columns"),
    Option(_TIME, "levels of time"),
)
_TIMES: Final = (
    Option("year, month, day", help="a year's months, a month's days"),
    Option("year, quarter, month", help="calendar parts"),
    Option("week, day", help="weeks begin on Monday"),
    Option("day, hour", help="days and their hours"),
)
_VALUE, _RATIO = "value", "ratio"
_MEASURES: Final = (
    Option(_VALUE, "of events"),
    Option(_RATIO, "a ratio", "both are merged, then divided"),
)
_PERCENTILES: Final = ":PERCENTILES"
_SOME: Final = "some"
_SKETCHES: Final = (Option("all", "by all dimensions"), Option(_SOME, "only by some"))
_BY_DEFAULT, _OWN = "all", "own"
_AGGREGATES: Final = (
    Option(_BY_DEFAULT, "one of all dimensions", "by the hour, or finer where a level of time needs it"),
    Option(_OWN, "those listed here"),
)


class CubeForm(SourceForm[Cube]):
    """The draft of a cube.

    Dimensions and measures are asked for by what they are made of; levels as a text, ``country,
    town: @.city``.
    """

    kind = "cube"
    plural = "cubes"
    declares = Cube

    def sections(self) -> tuple[Section, ...]:
        """Of which events, by what, what is computed, and what is kept."""
        return (
            Section(
                "Cube",
                (
                    Entry("name", "Name", placeholder="flights"),
                    Entry("source", "Source", "choice", offer=self._sources),
                    Entry("project", "Project", "choice", DEFAULT_PROJECT, offer=self._projects),
                    zone_entry(help="days follow it"),
                    Entry(
                        "where",
                        "Only events where",
                        "code",
                        placeholder="@.origin != 'LGA'",
                        offer=self.path_ends,
                    ),
                    Entry("description", "Description", is_wide=True),
                ),
            ),
            Section(
                "Dimensions",
                (Entry("dimensions", "", "rows", (), of=self._dimension(), row="dimension"),),
                "By what events are told apart.",
            ),
            Section(
                "Measures",
                (
                    Entry(
                        "measures",
                        "",
                        "rows",
                        ({"name": "events", "calculations": ["COUNT"]},),
                        of=self._measure(),
                        row="measure",
                    ),
                ),
                "What is computed; all of it can be asked for by any dimension.",
            ),
            Section(
                "Aggregates",
                (
                    Entry(
                        "kept",
                        "Kept are",
                        "choice",
                        _BY_DEFAULT,
                        offer=lambda _: _AGGREGATES,
                        is_declared=False,
                        is_wide=True,
                    ),
                    Entry(
                        "aggregates",
                        "",
                        "rows",
                        (),
                        of=self._aggregate(),
                        row="aggregate",
                        is_shown=lambda _: self.get("kept") == _OWN,
                    ),
                ),
                "What is built to answer fast; the cheapest that covers a question answers it.",
            ),
            Section(
                "What the preview asks",
                (
                    Entry("shown", "Measure", "choice", offer=self._shown, is_declared=False),
                    Entry("by", "By", "choice", offer=self._by, is_declared=False),
                ),
            ),
        )

    def _dimension(self) -> tuple[Entry, ...]:
        def of(*kinds: str) -> Any:
            return lambda path: self._beside(path, "made_of") in kinds

        return (
            Entry("name", "Name", "combo", offer=self.columns, placeholder="carrier"),
            Entry("made_of", "Made of", "choice", _COLUMN, offer=lambda _: _DIMENSIONS, is_declared=False),
            Entry(
                "path",
                "Column or path",
                "combo",
                offer=self.columns,
                placeholder="as its name",
                is_shown=of(_COLUMN),
            ),
            Entry(
                "levels",
                "Levels, coarsest first",
                "combo",
                offer=lambda path: _TIMES if of(_TIME)(path) else (),
                placeholder="country, city",
                is_shown=of(_LEVELS, _TIME),
                is_declared=False,
            ),
            Entry("description", "Description", is_shown=self._is_described),
        )

    def _measure(self) -> tuple[Entry, ...]:
        def of(kind: str) -> Any:
            return lambda path: self._beside(path, "made_of") == kind

        def has_sketch(path: str) -> bool:
            chosen = self._beside(path, "calculations") or ()
            return of(_VALUE)(path) and any(Calculation(one).is_sketch for one in chosen)

        return (
            Entry("name", "Name", placeholder="delay"),
            Entry("made_of", "Is", "choice", _VALUE, offer=lambda _: _MEASURES, is_declared=False),
            Entry(
                "field",
                "Of column or path",
                "combo",
                offer=self.columns,
                placeholder="none: counts events",
                is_shown=of(_VALUE),
            ),
            Entry(
                "calculations",
                "Calculations",
                "choices",
                ("COUNT",),
                offer=self._calculations,
                is_shown=of(_VALUE),
            ),
            Entry(
                "where",
                "Only rows where",
                "code",
                placeholder="all of the cube's",
                offer=self.path_ends,
                is_shown=of(_VALUE),
            ),
            Entry(
                "kept_by",
                "Keep sketches",
                "choice",
                "all",
                offer=lambda _: _SKETCHES,
                is_declared=False,
                is_shown=has_sketch,
            ),
            Entry(
                "sketch_groupings",
                "Sketches by",
                "choices",
                (),
                offer=self._dimension_names,
                is_shown=lambda path: has_sketch(path) and self._beside(path, "kept_by") == _SOME,
            ),
            Entry(
                "numerator",
                "Divide",
                "combo",
                offer=self._parts,
                placeholder="delay:SUM",
                is_shown=of(_RATIO),
            ),
            Entry(
                "denominator",
                "By",
                "combo",
                offer=self._parts,
                placeholder="distance:SUM",
                is_shown=of(_RATIO),
            ),
            Entry("description", "Description", is_shown=self._is_described),
        )

    def _aggregate(self) -> tuple[Entry, ...]:
        return (
            Entry("name", "Name", placeholder="hourly"),
            Entry("interval", "Interval", "combo", "1h", offer=lambda _: _INTERVALS),
            Entry("dimensions", "Dimensions", "choices", (), offer=self._dimension_names),
            Entry("measures", "Measures, none for all", "choices", (), offer=self._measure_names),
        )

    # -- what can be chosen

    def _sources(self, _: str) -> list[Option]:
        return [Option(name) for name in self.ws.sources]

    def _projects(self, _: str) -> list[Option]:
        return [Option(name) for name in self.ws.projects]

    def _calculations(self, path: str) -> list[Option]:
        known = calculations_for(self.ws, self.get("source"), self._beside(path, "field"))
        return [Option(one.value) for one in known]

    def _dimension_names(self, _: str) -> list[Option]:
        return [Option(row["name"]) for row in self.get("dimensions") if row["name"]]

    def _measure_names(self, _: str) -> list[Option]:
        return [Option(row["name"]) for row in self.get("measures") if row["name"]]

    def _parts(self, _: str) -> list[Option]:
        """What can be divided: a calculation of a measure."""
        rows = [row for row in self.get("measures") if row["made_of"] == _VALUE and row["name"]]
        return [Option(f"{row['name']}:{one}") for row in rows for one in row["calculations"]]

    def _shown(self, _: str) -> list[Option]:
        """What can be asked: a calculation of a measure, or a ratio."""
        ratios = [row["name"] for row in self.get("measures") if row["made_of"] == _RATIO and row["name"]]
        parts = [
            f"{one.value}:0.95" if one.value.endswith(_PERCENTILES) else one.value for one in self._parts("")
        ]
        return [Option("", "the first"), *map(Option, [*parts, *ratios])]

    def _by(self, _: str) -> list[Option]:
        names = [row["name"] for row in self.get("dimensions") if row["name"]]
        return [Option("", "the first dimension" if names else "nothing"), *map(Option, names)]

    def _is_described(self, path: str) -> bool:
        """Whether a row has a description; one that has none is seldom given one."""
        return bool(self._beside(path, "description"))

    def _beside(self, path: str, name: str) -> Any:
        """A value of the row that a path is in."""
        return self.get(f"{path.rpartition('.')[0]}.{name}")

    # -- the definition

    def stored(self) -> Mapping[str, Stored[Cube]]:
        """The cubes of the workspace."""
        return self.ws.cubes

    def plain(self) -> dict[str, Any]:
        """What the draft declares: dimensions with their levels, measures by what they are."""
        data = super().plain()
        for declared, row in zip(data["dimensions"], self.get("dimensions"), strict=True):
            if row["made_of"] != _COLUMN:
                declared["levels"] = levels_of(row["levels"], is_time=row["made_of"] == _TIME)
        for declared, row in zip(data["measures"], self.get("measures"), strict=True):
            if row["made_of"] == _RATIO:
                # Without them it would be read as what is computed.
                declared |= {"numerator": row["numerator"], "denominator": row["denominator"]}
        for aggregate in data.get("aggregates", ()):
            if not aggregate["measures"]:
                del aggregate["measures"]
        return data

    def values_of(self, spec: Cube) -> dict[str, Any]:
        """The values of a draft for a cube."""
        data = plain(spec)
        data["dimensions"] = [_dimension_row(one) for one in spec.dimensions]
        for row in data["measures"]:
            row["made_of"] = _RATIO if "numerator" in row else _VALUE
            row["kept_by"] = _SOME if row.get("sketch_groupings") is not None else "all"
        data["kept"] = _BY_DEFAULT if spec.aggregates is None else _OWN
        return filled(self._entries(), data)

    def misfits(self, spec: Cube) -> Iterator[Problem]:
        """What the source, or the workspace, cannot serve."""
        try:
            yield from self.ws.misfits_of_cube(spec)
        except AggflowError as error:
            yield Problem("source", error.message, error.hint)

    def effects(self, spec: Cube, before: Stored[Cube] | None) -> Iterator[Change]:  # noqa: ARG002 - the workspace knows what was before
        """What becomes of its aggregates."""
        for effect in self.ws.effects_of_cube(spec):
            loses = "anew" in effect.what or "dropped" in effect.what or effect.kind == "endpoint"
            yield Change(str(effect), "error" if effect.blocks else "warning" if loses else "note")

    # -- the preview

    def asked(self, spec: Cube) -> tuple[str, tuple[str, ...]]:
        """The measure and the dimensions that the preview asks for."""
        shown, by = ([option.value for option in offer("")] for offer in (self._shown, self._by))
        first = spec.dimensions[0].name if spec.dimensions else ""
        dimension = (self.get("by") if self.get("by") in by else "") or first
        measure = (self.get("shown") if self.get("shown") in shown else "") or shown[1]
        return measure, (dimension,) if dimension else ()

    def seen(self) -> Any:
        """What the preview depends on."""
        spec = self.sketch()
        return None if spec is None else (spec, self.asked(spec))

    def preview(self) -> Work | None:
        """A measure by a dimension, of the largest groups or the newest buckets."""
        spec = self.sketch()
        if spec is None:
            return None
        measure, dimensions = self.asked(spec)
        title = f"{spec.name}, {measure}"
        return lambda wish: shown_trial(self.ws.try_cube(spec, [measure], dimensions, wish), title)

    def put(self, spec: Cube) -> Stored[Cube]:
        """Save it."""
        return self.ws.add_cube(**{one.name: getattr(spec, one.name) for one in dataclasses.fields(spec)})

    def saved(self) -> str:
        """What to do next."""
        name = escape(repr(self.draft_name()))
        return (
            f"<code>ws.build_cube({name})</code> builds its aggregates; <code>af.ScheduleBuilder(ws)</code> "
            "lets that be done at times."
        )

    def route(self, spec: Cube) -> tuple[str, str]:
        """The route of the cubes of a project: of the one that it is in."""
        there = self.ws.cubes.get(spec.name)
        project = self.ws.projects[spec.project].id if there is None else there.project_id
        place = f"/api/v1/projects/{segment(project)}/cubes"
        return ("POST", place) if there is None else ("PUT", f"{place}/{segment(spec.name)}")


def _dimension_row(dimension: Dimension) -> dict[str, Any]:
    kind = _TIME if dimension.is_time else _LEVELS if dimension.levels else _COLUMN
    given = {"name": dimension.name, "path": dimension.path, "description": dimension.description}
    return given | {"made_of": kind, "levels": level_text(dimension.levels)}


_INTERVALS: Final = (
    Option("15m", help="a quarter of an hour: fits the days of every time zone"),
    Option("1h", help="one hour"),
    Option("1d", help="a day of the time zone"),
    Option("1mo", help="a calendar month"),
)
