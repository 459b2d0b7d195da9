"""An endpoint form: the draft of an endpoint; everything to be chosen comes from what it asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from aggflow.engine.stored import Stored
from aggflow.errors import ParseError, Problem, SpecError
from aggflow.notebook.change import Change
from aggflow.notebook.curl_text import curl_of, segment
from aggflow.notebook.draft import filled, given
from aggflow.notebook.endpoint_entries import EndpointEntries
from aggflow.notebook.endpoint_row import (
    SAME,
    choice_row,
    field_row,
    grouping_row,
    name_of,
    parts_of,
)
from aggflow.notebook.html_text import copied
from aggflow.notebook.previewer import Work
from aggflow.notebook.source_columns import columns_of, first_source
from aggflow.notebook.trial_view import shown_trial
from aggflow.notebook.value_list import read_values
from aggflow.spec.asked import asked_of
from aggflow.spec.declaration import plain
from aggflow.spec.endpoint import SUBJECTS, Endpoint, Subject
from aggflow.spec.fit import problems_with


class EndpointForm(EndpointEntries):
    """The draft of an endpoint."""

    kind = "endpoint"
    plural = "endpoints"
    declares = Endpoint

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
