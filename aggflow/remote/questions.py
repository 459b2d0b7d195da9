"""Questions to a remote workspace: the same as to one of this process, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aggflow import charts
from aggflow.engine.answer import Answer
from aggflow.engine.answer_data import answer_of
from aggflow.engine.widget_answer import WidgetAnswer
from aggflow.measures.vocabulary import GroupingValue
from aggflow.remote.link import Instant, Link, written
from aggflow.spec.declaration import plain, read
from aggflow.spec.field import Field
from aggflow.spec.widget import WidgetQuery
from aggflow.timeline import parse_instant


class QuestionsPart(Link):
    """The part of a remote workspace that answers."""

    def query(
        self,
        endpoint: str,
        *,
        end: Instant | None = None,
        grouping_filters: Mapping[str, Sequence[GroupingValue]] | None = None,
        live: bool = True,
    ) -> Answer:
        """Ask a saved question; as :meth:`aggflow.Workspace.query`."""
        filters = None if grouping_filters is None else {k: list(v) for k, v in grouping_filters.items()}
        return self._ask("endpoint", endpoint=endpoint, end=end, grouping_filters=filters, live=live)

    def linq(
        self,
        text: str,
        *,
        start: Instant | None = None,
        end: Instant | None = None,
        time_zone: str = "UTC",
        live: bool = True,
    ) -> Answer:
        """Ask a question in LINQ; as :meth:`aggflow.Workspace.linq`."""
        return self._ask("linq", linq=text, start=start, end=end, time_zone=time_zone, live=live)

    def ask_cube(
        self,
        cube: str,
        fields: Sequence[str | Field] | Mapping[str, str] | None = None,
        dimensions: str | Sequence[str] = (),
        *,
        start: Instant | None = None,
        end: Instant | None = None,
        where: str = "",
        filters: Mapping[str, Any] | None = None,
        sort: Any = (),
        limit: int | None = None,
        live: bool = True,
    ) -> Answer:
        """Ask a cube by the names of its dimensions and measures; as :meth:`aggflow.Workspace.ask_cube`."""
        return self._ask(
            "cube",
            cube=cube,
            fields=_fields(fields),
            dimensions=[dimensions] if isinstance(dimensions, str) else list(dimensions),
            start=start,
            end=end,
            where=where,
            filters=filters,
            sort=_terms(sort),
            limit=limit,
            live=live,
        )

    def ask_task(
        self, task: str, *, start: Instant | None = None, end: Instant | None = None, live: bool = True
    ) -> Answer:
        """What a task's query gives; as :meth:`aggflow.Workspace.ask_task`."""
        return self._ask("task", task=task, start=start, end=end, live=live)

    def _ask(self, kind: str, **question: Any) -> Answer:
        body = {
            name: written(value) if name in ("start", "end") else value
            for name, value in question.items()
            if value is not None
        }
        return answer_of(self._connection.post("questions", kind, body=body | {"explain": True}), charts.draw)

    def aggregate(
        self,
        query: WidgetQuery,
        *,
        brand: str | None = None,
        catalog: str | None = None,
        now: Instant | None = None,
    ) -> WidgetAnswer:
        """Ask the event source; as :meth:`aggflow.Workspace.aggregate`."""
        given = {"brand": brand, "catalog": catalog, "now": written(now)}
        body = {"query": _widget(query)} | {k: v for k, v in given.items() if v is not None}
        found = self._connection.post("questions", "widget", body=body)
        return WidgetAnswer(
            read(WidgetQuery, found["query"]),
            answer_of(found["answer"], charts.draw),
            parse_instant(found["generated_at"]),
            found["cache_hit"],
        )


def _widget(query: WidgetQuery) -> dict[str, Any]:
    # The widget API takes no null for what is left out, but for the types of event.
    return {name: value for name, value in plain(query).items() if value is not None}


def _fields(fields: Sequence[str | Field] | Mapping[str, str] | None) -> Any:
    if fields is None or isinstance(fields, Mapping):
        return fields
    return [one if isinstance(one, str) else plain(one) for one in fields]


def _terms(sort: Any) -> list[Any]:
    if isinstance(sort, str):
        return [sort]
    if isinstance(sort, tuple) and len(sort) == 2 and sort[1] in ("asc", "desc"):
        return [list(sort)]
    return [
        term
        if isinstance(term, str)
        else list(term)
        if isinstance(term, tuple)
        else [term.by, term.direction]
        for term in sort
    ]
