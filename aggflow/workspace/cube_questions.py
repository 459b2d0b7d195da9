"""Questions to the cubes of a workspace, by the names of dimensions and measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, cast

from aggflow.engine.answer import Answer
from aggflow.engine.cube_question import CubeQuestion, FieldNames, FilterValues, SortTerm
from aggflow.engine.cube_readings import CubeReadings
from aggflow.language import from_ibis, to_jpath
from aggflow.spec.endpoint import Sort
from aggflow.timeline import BEGINNING, Window, parse_instant
from aggflow.workspace.cubes import CubesPart
from aggflow.workspace.foundation import Instant


class CubeQuestionsPart(CubesPart):
    """The part of a workspace that asks cubes."""

    def ask_cube(
        self,
        cube: str,
        fields: FieldNames | None = None,
        dimensions: str | Sequence[str] = (),
        *,
        start: Instant | None = None,
        end: Instant | None = None,
        where: Any = "",
        filters: FilterValues | None = None,
        sort: SortTerm | Sequence[SortTerm] = (),
        limit: int | None = None,
        live: bool = True,
    ) -> Answer:
        """Ask a cube by the names of its dimensions and measures; the cheapest aggregate that covers it answers.

        Parameters
        ----------
        cube
            Its name, or its id.
        fields
            Measures: ``delay:AVG``, ``delay:PERCENTILES:0.95``, a ratio, an aggregation with one calculation,
            :class:`aggflow.Field`; or by the name that the answer uses.  None for all but percentiles.
        dimensions
            Dimensions and levels to group by, each with the levels above it; a level of time
            (``date.month``, ``month``) makes a series.
        start, end
            Events count from the start on and before the end; by default from the first event on, until now.
        where
            A predicate on columns of the source: JPath, LINQ behind ``=``, or an Ibis deferred one.
        filters
            By dimension or level, the value or values to keep: ``{"carrier": ["AA", None]}``.
        sort
            Names of fields and dimensions, ``dt``; ``("delay:AVG", "desc")``.
        limit
            How many rows at most.
        live
            Whether what no aggregate covers may be read from the source; without it, a gap is an error.

        Raises
        ------
        NotFoundError
            There is no such cube.
        QueryError
            A name means nothing, or the question cannot be answered; with every problem.
        SourceError
            The source was needed, and cannot be read.
        """
        found = self._cube_readings.get(cube)
        if not isinstance(where, str):
            with self._declarations.open(found.source) as rows:
                where = to_jpath(from_ibis(where, rows.table))
        question = CubeQuestion(
            [fields] if isinstance(fields, str) else fields,
            [dimensions] if isinstance(dimensions, str) else dimensions,
            filters or {},
            where,
            _terms(sort),
            limit,
        )
        start_us = BEGINNING if start is None else parse_instant(start)
        end_us = self._clock() if end is None else parse_instant(end)
        window = Window.between(start_us, end_us)
        inquiry = question.inquiry(found.cube, found.source, window, live=live)
        return self._serving.inquire(replace(inquiry, plain=self._cube_readings.plain(found, where)))

    @cached_property
    def _cube_readings(self) -> CubeReadings:
        generation = self._catalog.definitions_generation
        return CubeReadings(self._declarations, lambda: generation(self._id))


def _terms(sort: SortTerm | Sequence[SortTerm]) -> Sequence[SortTerm]:
    """The terms of an order; one may be given by itself."""
    if isinstance(sort, str | Sort):
        return [sort]
    pair = isinstance(sort, tuple) and len(sort) == 2 and sort[1] in ("asc", "desc")
    return [cast("SortTerm", sort)] if pair else cast("Sequence[SortTerm]", sort)
