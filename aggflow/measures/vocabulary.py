"""A vocabulary: the values of one grouping, each with a number that stands for it in memory."""

# Ibis and pyarrow are untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aggflow.errors import SourceTypeError
from aggflow.timeline import format_instant, from_datetime

GroupingValue: TypeAlias = str | bool | int | float | Decimal | None
Codes: TypeAlias = NDArray[np.int32]
_FEW = 8


class Vocabulary:
    """Values of one grouping and their codes, 0 upwards; it only grows, so codes stay valid."""

    def __init__(self) -> None:
        self.values: list[GroupingValue] = []
        # The type belongs to a value: True and 1 are two values.
        self._codes: defaultdict[type, dict[GroupingValue, int]] = defaultdict(dict)
        self._lock = threading.Lock()
        # By how values are compared, as they are or as texts: their codes in order, and their ranks.
        none = np.zeros(0, dtype=np.int32)
        self._ranked: dict[bool, tuple[Codes, Codes]] = {False: (none, none), True: (none, none)}

    def __len__(self) -> int:
        return len(self.values)

    def encode(self, column: pa.Array | pa.ChunkedArray) -> Codes:
        """The codes of a column's values, new ones added; a missing value is a value like others."""
        array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        if not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode(null_encoding="encode")
        values = _answerable_values(array.dictionary)
        # As wide as the code of a missing value needs: indices may have as few as 8 bits.
        indices = array.indices.cast(pa.int32())
        codes = self._known(values)
        if indices.null_count:
            indices = indices.fill_null(len(values))
            codes = np.append(codes, np.int32(self.code_of(None)))
        return codes[indices.to_numpy(zero_copy_only=False)]

    def code_of(self, value: GroupingValue) -> int:
        """The code of one value, added if it is new."""
        return int(self._known([value])[0])

    def decode(self, codes: Codes) -> list[GroupingValue]:
        """The values of codes."""
        values = self.values
        return [values[code] for code in codes.tolist()]

    def to_arrow(self, codes: Codes) -> pa.Array:
        """Codes as a dictionary column that holds only values that occur.

        Its type hangs on the values alone: where all are missing it is Arrow's null, which joins with any.

        Raises
        ------
        SourceTypeError
            The values have no type in common.
        """
        used, indices = np.unique(codes, return_inverse=True)
        values = [self.values[code] for code in used.tolist()]
        # A missing value is a missing index: Parquet takes none inside of a dictionary.
        missing = np.array([value is None for value in values], dtype=bool)
        places = (np.cumsum(~missing) - 1).astype(np.int32)
        there = [value for value in values if value is not None]
        if not there:
            return pa.nulls(len(codes))
        indices = pa.array(places[indices], mask=missing[indices])
        return pa.DictionaryArray.from_arrays(indices, _typed(there))

    def matching(self, wanted: Iterable[GroupingValue]) -> NDArray[np.bool_]:
        """For every code, whether its value is one of those wanted, compared by canonical text."""
        texts = {canonical(value) for value in wanted}
        return np.array([canonical(value) in texts for value in self.values], dtype=bool)

    def ranks(self, *, as_text: bool = False) -> Codes:
        """For every code, the place of its value in ascending order; a missing value comes last.

        Parameters
        ----------
        as_text
            Compare values by their texts, whatever their type.
        """
        known, ranks = self._ranked[as_text]
        count = len(self.values)
        if len(ranks) < count:
            # Live tails add a few values to many, again and again.
            few = (count - len(known)) * _FEW <= len(known)
            order = (
                self._inserted(known, count, as_text=as_text) if few else self._sorted(count, as_text=as_text)
            )
            ranks = np.empty(count, dtype=np.int32)
            ranks[order] = np.arange(count, dtype=np.int32)
            self._ranked[as_text] = (order, ranks)
        return ranks

    def _sorted(self, count: int, *, as_text: bool) -> Codes:
        """The codes up to a count, in the order of their values."""
        values = self.values[:count]
        if not as_text and not all(value is None or isinstance(value, str) for value in values):
            keys = [_sort_key(value) for value in values]
            return np.array(sorted(range(count), key=keys.__getitem__), dtype=np.int32)
        # Texts by themselves compare several times as fast as in tuples.
        texts = [canonical(value) or "" for value in values]
        order = sorted(range(count), key=texts.__getitem__)
        missing = self.missing_code
        if missing in range(count):
            order.remove(missing)
            order.append(missing)
        return np.array(order, dtype=np.int32)

    def _inserted(self, known: Codes, count: int, *, as_text: bool) -> Codes:
        """The codes up to a count, in the order of their values, the first of them being in order already."""
        sort_key = _text_sort_key if as_text else _sort_key

        def key(code: int) -> tuple[Any, ...]:
            return sort_key(self.values[code])

        added = sorted(range(len(known), count), key=key)
        return np.insert(known, [bisect_right(known, key(code), key=key) for code in added], added)

    @property
    def missing_code(self) -> int:
        """The code of a missing value; -1 where there is none."""
        return self._codes[type(None)].get(None, -1)

    def _known(self, values: list[GroupingValue]) -> Codes:
        # Half a million sessions are no rare column: what is done for each of them is done in C.
        kinds = set(map(type, values))
        with self._lock:
            if len(kinds) == 1:
                return self._added(self._codes[kinds.pop()], values)
            parts = [self._added(self._codes[type(value)], [value]) for value in values]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)

    def _added(self, codes: dict[GroupingValue, int], values: list[GroupingValue]) -> Codes:
        """The codes of values of one type, new ones added to its codes."""
        found = list(map(codes.get, values))
        if None in found:
            new = dict.fromkeys(value for value, code in zip(values, found, strict=True) if code is None)
            codes.update(zip(new, range(len(self.values), len(self.values) + len(new)), strict=True))
            self.values += new
            found = list(map(codes.get, values))
        return np.array(found, dtype=np.int32)


def canonical(value: GroupingValue) -> str | None:
    """The text by which a grouping's value is compared with what a question asks for.

    Examples
    --------
    >>> canonical(True), canonical(7), canonical(7.0), canonical("JFK"), canonical(None)
    ('true', '7', '7', 'JFK', None)
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return str(value)


def _answerable_values(dictionary: pa.Array) -> list[GroupingValue]:
    type_ = dictionary.type
    values: list[Any] = dictionary.to_pylist()
    plain = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_boolean)
    return values if any(is_plain(type_) for is_plain in plain) else [_answerable(value) for value in values]


def _answerable(value: object) -> GroupingValue:
    # Times and dates travel as text; what has no number leaves as missing.
    if isinstance(value, datetime):
        return format_instant(from_datetime(value))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int | Decimal):
        return value
    return str(value)


def inferred(values: Sequence[Any]) -> pa.Array:
    """Values as Arrow infers their type; it does so of whole numbers that need all 64 bits, too.

    Raises
    ------
    ArrowInvalid, ArrowTypeError, OverflowError
        They have no type in common.
    """
    try:
        return pa.array(values)
    except OverflowError:
        return pa.array(values, pa.uint64())


def _typed(values: list[GroupingValue]) -> pa.Array:
    """Values, none of them missing, in the type that they have in segments."""
    try:
        found = inferred(values)
        decimal = pa.types.is_decimal(found.type)
        return found.cast(pa.decimal128(38, found.type.scale)) if decimal else found
    except (OverflowError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        kinds = " and ".join(sorted({type(value).__name__ for value in values}))
        raise SourceTypeError(
            f"a grouping's values have no type in common that holds them: they are {kinds}, such as {values[0]!r}",
            hint="group by a text made of it in the source",
        ) from error


def _text_sort_key(value: GroupingValue) -> tuple[bool, str]:
    return (value is None, canonical(value) or "")


def _sort_key(value: GroupingValue) -> tuple[int, float | Decimal, str]:
    if value is None:
        return (3, 0, "")
    if isinstance(value, str):
        return (2, 0, value)
    if isinstance(value, bool):
        return (0, int(value), "")
    return (1, value, "")
