"""An answer's JSON: one total is written as each row of a longer answer is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from aggflow.api.answer_json import answer_json
from aggflow.engine.answer import Answer
from aggflow.engine.explanation import Explanation
from aggflow.measures.state import Values
from aggflow.timeline import WindowSet

WHY = Explanation("filter f", list, WindowSet(), WindowSet(), 0, 0, 0, (), None, 0.0, 0.0)


def answer(count: int, **fields: Any) -> Answer:
    columns = {
        name: Values(np.array([value] * count, dtype=kind), None if there else np.zeros(count, dtype=bool))
        for name, (value, kind, there) in fields.items()
    }
    return Answer("e", None, {}, columns, count, WHY, lambda *_: None)


@pytest.mark.parametrize(
    ("value", "kind", "written"),
    [
        (3, "int64", b"3"),
        (-(2**63), "int64", b"-9223372036854775808"),
        (0.1, "float64", b"0.1"),
        (1e16, "float64", b"1e+16"),
        (-0.0, "float64", b"-0.0"),
        (5e-324, "float64", b"5e-324"),
        (Decimal("12.340"), object, b"12.340"),
        ('a "b" 🙂\x00', object, '"a \\"b\\" 🙂\\u0000"'.encode()),
        (True, object, b"true"),
    ],
)
def test_a_total_is_written_as_each_of_several_rows(value: Any, kind: Any, written: bytes) -> None:
    fields = {"n": (value, kind, True), "none": (value, kind, False)}
    row = b'{"fields":{"n":' + written + b',"none":null}}'
    assert answer_json(answer(1, **fields)) == b"[" + row + b"]"
    assert answer_json(answer(2, **fields)) == b"[" + row + b"," + row + b"]"
