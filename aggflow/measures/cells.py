"""Cells: the states of many cells as columns, in memory and as the rows of a segment.

A cell is a bucket and one value of each grouping.  States of one rollup may be kept at several
*grains* (sets of groupings); each grain has cells of its own, the first has all groupings.
"""

# Ibis and pyarrow are untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from aggflow.errors import SegmentDamagedError
from aggflow.measures.kind import ROWS as ROW_KIND
from aggflow.measures.kind import Kind
from aggflow.measures.registry import MEASURES, SKETCH_MEASURES, StateKey, state_keys
from aggflow.measures.state import Array, Column, Int64s, Sketch, State
from aggflow.measures.vocabulary import Codes, Vocabulary
from aggflow.spec.rollup import Rollup

BUCKET, GRAIN, ROWS = "bucket", "grain", "rows"
_SKETCHES = {measure.name for measure in SKETCH_MEASURES}


@dataclass(frozen=True)
class Layout:
    """Where the states of a rollup stand: its grains, and the kind of every state's field.

    Attributes
    ----------
    grains
        Groupings' paths of each grain; the first has all of the rollup's.
    keys
        The states of each grain.
    kinds
        The kind of each state's field.
    hash
        Name of the hash of distinct states; empty if there are none.
    """

    grains: tuple[tuple[str, ...], ...]
    keys: tuple[tuple[StateKey, ...], ...]
    kinds: Mapping[StateKey, Kind]
    hash: str = ""

    @classmethod
    def of(cls, rollup: Rollup, kinds: Mapping[StateKey, Kind], hash_name: str = "") -> Layout:
        """The layout of a rollup."""
        keys = state_keys(rollup)
        coarser = sorted({key.groupings for key in keys} - {rollup.groupings})
        grains = (rollup.groupings, *coarser)
        by_grain = tuple(tuple(key for key in keys if key.groupings == grain) for grain in grains)
        return cls(grains, by_grain, {key: kinds[key] for key in keys}, hash_name)

    def grain_of(self, key: StateKey) -> int:
        """The number of the grain that keeps a state."""
        return self.grains.index(key.groupings)

    def only(self, keys: Iterable[StateKey]) -> Layout:
        """The layout with only some of the states; its grains stay."""
        wanted = set(keys)
        by_grain = tuple(tuple(key for key in grain if key in wanted) for grain in self.keys)
        kinds = {key: kind for key, kind in self.kinds.items() if key in wanted}
        return Layout(self.grains, by_grain, kinds, self.hash)

    def to_text(self) -> str:
        """What a segment says about itself, as JSON."""
        kinds = {f"{self.grain_of(key)} {key.text}": str(kind) for key, kind in self.kinds.items()}
        return json.dumps({"kinds": kinds, "hash": self.hash}, sort_keys=True)

    @classmethod
    def from_text(cls, rollup: Rollup, text: str) -> Layout:
        """The layout of a rollup whose :meth:`to_text` is known.

        Raises
        ------
        SegmentDamagedError
            It is no such text, or that of another rollup.
        """
        bare = cls.of(rollup, dict.fromkeys(state_keys(rollup), ROW_KIND))
        names = {key: f"{bare.grain_of(key)} {key.text}" for key in bare.kinds}
        try:
            said: Any = json.loads(text)
            kinds = {key: Kind.parse(said["kinds"][name]) for key, name in names.items()}
            layout = cls(bare.grains, bare.keys, kinds, said["hash"])
        except (ValueError, KeyError, TypeError, AttributeError):
            layout = None
        if layout is None or layout.to_text() != text:
            raise SegmentDamagedError(
                "what is noted of a rollup's states cannot be read, or is another rollup's",
                hint="aggflow doctor --fix builds it again",
            )
        return layout


@dataclass(frozen=True)
class Cells:
    """States of many cells of one grain.

    Attributes
    ----------
    buckets
        The start of every cell's bucket in whole seconds since the epoch.
    codes
        By grouping path, the code of every cell's value.
    rows
        How many source rows each cell sums up.
    states
        By state key, its columns.
    """

    buckets: Int64s
    codes: Mapping[str, Codes]
    rows: Int64s
    states: Mapping[StateKey, State]

    def __len__(self) -> int:
        return len(self.buckets)

    def take(self, rows: Array) -> Cells:
        """Some cells, in the order of their numbers (or a mask)."""
        index = np.flatnonzero(rows) if rows.dtype == bool else rows
        return self._map(lambda column: column[index])

    def slice(self, start: int, stop: int) -> Cells:
        """A run of cells, without copies."""
        run = slice(start, stop)
        return self._map(lambda column: column[run])

    def only(self, keys: Iterable[StateKey]) -> Cells:
        """The same cells with only some of their states."""
        return Cells(self.buckets, self.codes, self.rows, {key: self.states[key] for key in keys})

    def _map(self, pick: Callable[[Any], Any]) -> Cells:
        return Cells(
            pick(self.buckets),
            {path: pick(codes) for path, codes in self.codes.items()},
            pick(self.rows),
            {
                key: {name: pick(column) for name, column in state.items()}
                for key, state in self.states.items()
            },
        )

    @classmethod
    def concat(cls, parts: Sequence[Cells]) -> Cells:
        """The cells of several parts of one grain, one behind the other."""
        if len(parts) == 1:
            return parts[0]
        first = parts[0]
        return cls(
            np.concatenate([part.buckets for part in parts]),
            {path: np.concatenate([part.codes[path] for part in parts]) for path in first.codes},
            np.concatenate([part.rows for part in parts]),
            {
                key: {name: _concat([part.states[key][name] for part in parts]) for name in state}
                for key, state in first.states.items()
            },
        )

    @property
    def bytes(self) -> int:
        """Bytes that the columns hold."""
        columns: list[Column] = [self.buckets, self.rows, *self.codes.values()]
        columns += [column for state in self.states.values() for column in state.values()]
        return sum(
            column.offsets.nbytes + column.keys.nbytes + column.counts.nbytes
            if isinstance(column, Sketch)
            else column.nbytes
            for column in columns
        )


def neutral_state(key: StateKey, kind: Kind, count: int) -> State:
    """The states of cells in which nothing was counted."""
    columns = MEASURES[key.measure].columns(kind)
    if key.measure in _SKETCHES:
        keys, counts = (np.zeros(0, dtype=column.type.to_pandas_dtype()) for column in columns)
        return {"sketch": Sketch(np.zeros(count + 1, dtype=np.int64), keys, counts)}
    return {
        column.name: np.full(
            count, column.neutral, dtype=object if column.neutral is None else column.type.to_pandas_dtype()
        )
        for column in columns
    }


def empty_cells(layout: Layout, grain: int) -> Cells:
    """No cells, with all columns of a grain."""
    none = np.zeros(0, dtype=np.int64)
    codes = {path: none.astype(np.int32) for path in layout.grains[grain]}
    states = {key: _state_from({}, key, layout.kinds[key], 0) for key in layout.keys[grain]}
    return Cells(none, codes, none, states)


def to_segment(layout: Layout, grains: Sequence[Cells], vocabularies: Mapping[str, Vocabulary]) -> pa.Table:
    """The rows of a segment: the cells of all grains, by bucket, then grain, then groupings.

    Returns
    -------
    pyarrow.Table
        One row a cell of each grain: ``bucket`` (int64 seconds), ``grain`` (int8, only where there
        are several), one dictionary column a grouping, ``rows``, then the states' columns, sketches
        as lists.  Groupings and states that a grain lacks are null.
    """
    tables = [_grain_table(layout, i, cells, vocabularies) for i, cells in enumerate(grains)]
    table = tables[0]
    if len(tables) > 1:
        table = pa.concat_tables(tables, promote_options="permissive").unify_dictionaries()
        order = np.lexsort((table[GRAIN].to_numpy(), table[BUCKET].to_numpy()))
        table = table.take(pa.array(order))
    return table.replace_schema_metadata({b"aggflow": layout.to_text().encode()})


def from_segment(
    layout: Layout, table: pa.Table, vocabularies: Mapping[str, Vocabulary], name: str
) -> list[Cells]:
    """The cells of every grain of a segment; the inverse of :func:`to_segment`.

    Raises
    ------
    SegmentDamagedError
        The segment holds other states than the catalog says.
    """
    if (table.schema.metadata or {}).get(b"aggflow") != layout.to_text().encode():
        raise SegmentDamagedError(
            f"segment {name} holds other states than its rollup", hint="aggflow doctor --fix builds it again"
        )
    if len(layout.grains) == 1:
        return [_grain_cells(layout, 0, table, vocabularies)]
    grain = table[GRAIN].to_numpy()
    return [
        _grain_cells(layout, i, table.filter(pa.array(grain == i)), vocabularies)
        for i in range(len(layout.grains))
    ]


def _grain_table(
    layout: Layout, grain: int, cells: Cells, vocabularies: Mapping[str, Vocabulary]
) -> pa.Table:
    columns: dict[str, Any] = {BUCKET: cells.buckets}
    if len(layout.grains) > 1:
        columns[GRAIN] = np.full(len(cells), grain, dtype=np.int8)
    for path in layout.grains[grain]:
        columns[f"by {path}"] = vocabularies[path].to_arrow(cells.codes[path])
    columns[ROWS] = cells.rows
    for key in layout.keys[grain]:
        state = cells.states[key]
        for column in MEASURES[key.measure].columns(layout.kinds[key]):
            name = f"{key.text}.{column.name}"
            if key.measure in _SKETCHES:
                sketch = state["sketch"]
                items = pa.array(getattr(sketch, column.name)).cast(column.type)
                columns[name] = pa.LargeListArray.from_arrays(pa.array(sketch.offsets), items)  # type: ignore[union-attr]
            else:
                columns[name] = pa.array(state[column.name], type=column.type, from_pandas=False)
    return pa.table(columns)


def _grain_cells(
    layout: Layout, grain: int, table: pa.Table, vocabularies: Mapping[str, Vocabulary]
) -> Cells:
    codes = {path: vocabularies[path].encode(table[f"by {path}"]) for path in layout.grains[grain]}
    states = {
        key: _state_from(
            {column: table[f"{key.text}.{column}"] for column in _parts(key, layout.kinds[key])},
            key,
            layout.kinds[key],
            table.num_rows,
        )
        for key in layout.keys[grain]
    }
    return Cells(table[BUCKET].to_numpy(), codes, table[ROWS].to_numpy(), states)


def _parts(key: StateKey, kind: Kind) -> list[str]:
    return [column.name for column in MEASURES[key.measure].columns(kind)]


def _state_from(columns: Mapping[str, pa.ChunkedArray], key: StateKey, kind: Kind, cells: int) -> State:
    described = MEASURES[key.measure].columns(kind)
    if key.measure not in _SKETCHES:
        return {
            c.name: _numbers(columns[c.name], c.type, c.neutral) if columns else _no_numbers(c.type)
            for c in described
        }
    if not columns:
        empty = [np.zeros(0, dtype=c.type.to_pandas_dtype()) for c in described]
        return {"sketch": Sketch(np.zeros(cells + 1, dtype=np.int64), empty[0], empty[1])}
    lists = [columns[c.name].combine_chunks() for c in described]
    offsets = lists[0].offsets.to_numpy()
    keys, counts = (part.values.to_numpy()[offsets[0] : offsets[-1]] for part in lists)
    return {"sketch": Sketch(offsets - offsets[0], keys, _narrow(counts))}


def _narrow(counts: Array) -> Array:
    # Counts below 2**31 take half the memory; sums of them are made in 64 bits all the same.
    small = counts.dtype == np.int64 and (len(counts) == 0 or counts.max() < 1 << 31)
    return counts.astype(np.int32) if small else counts


def _no_numbers(type_: pa.DataType) -> Array:
    return np.zeros(0, dtype=object if _is_object(type_) else type_.to_pandas_dtype())


def _numbers(column: pa.ChunkedArray, type_: pa.DataType, neutral: Any) -> Array:
    if column.null_count and neutral is not None:
        column = column.fill_null(pa.scalar(neutral, type_))
    if _is_object(type_):
        return np.array(column.to_pylist(), dtype=object)
    return column.to_numpy()


def _is_object(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_boolean(type_)


def _concat(columns: Sequence[Column]) -> Column:
    sketches = [column for column in columns if isinstance(column, Sketch)]
    return (
        Sketch.concat(sketches)
        if sketches
        else np.concatenate([c for c in columns if not isinstance(c, Sketch)])
    )
