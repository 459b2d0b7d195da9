from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aggflow.engine.columns import Columns
from aggflow.engine.output import computed, divided
from aggflow.engine.question import Question
from aggflow.language import Arithmetic, Literal, Named, Path
from aggflow.measures.state import Values

INTS, FLOATS = np.array([6, 0, 7, 5, -1]), np.array([1.5, 2.0, 0.0, 3.0, 8.0])
MASK = np.array([True, True, True, False, True])


@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        (Values(INTS), Values(FLOATS), [4.0, 0.0, None, 5 / 3, -0.125]),
        (Values(FLOATS), Values(INTS), [0.25, None, 0.0, 0.6, -8.0]),
        (Values(INTS, MASK), Values(FLOATS), [4.0, 0.0, None, None, -0.125]),
        (Values(FLOATS), Values(INTS, MASK), [0.25, None, 0.0, None, -8.0]),
        (Values(INTS[:0]), Values(INTS[:0]), []),
    ],
)
def test_fields_are_divided_as_the_database_divides_them(
    above: Values, below: Values, expected: list[Any]
) -> None:
    found = divided(above, below)
    assert found is not None
    assert found.to_list() == expected
    columns = Columns(None, {}, {"a": above, "b": below}, len(above.data))
    ratio = Arithmetic("/", Path(("a",)), Path(("b",)))
    # Times one: no more a field divided by a field.
    outputs = (Named("fast", ratio), Named("by database", Arithmetic("*", ratio, Literal(1))))
    both = computed(columns, Question((), outputs=outputs), {}).fields
    assert both["fast"].to_list() == both["by database"].to_list() == expected


def test_what_is_no_number_of_the_machine_is_left_to_the_database() -> None:
    assert divided(Values(np.array([None, "x"], dtype=object)), Values(INTS[:2])) is None
    assert divided(Values(INTS[:2]), Values(np.array([True, False]))) is None
