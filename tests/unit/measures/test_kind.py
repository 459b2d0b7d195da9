from __future__ import annotations

import pytest

from aggflow.measures.kind import BOOLEAN, FLOAT, INTEGER, ROWS, TEXT, Kind


@pytest.mark.parametrize(
    "kind", [ROWS, INTEGER, FLOAT, TEXT, BOOLEAN, Kind("decimal", 0), Kind("decimal", 38)]
)
def test_a_kind_is_what_its_text_says(kind: Kind) -> None:
    assert Kind.parse(str(kind)) == kind


@pytest.mark.parametrize(
    "text", ["", "decimal", "decimal()", "decimal(x)", "decimal(2", "integer(3)", "number", "Float"]
)
def test_other_texts_are_no_kind(text: str) -> None:
    with pytest.raises(ValueError, match=r"kind|int\(\)"):
        Kind.parse(text)


def test_numbers_and_exact_numbers() -> None:
    assert [k.name for k in (ROWS, INTEGER, FLOAT, TEXT, BOOLEAN, Kind("decimal", 1)) if k.is_number] == [
        "integer",
        "float",
        "decimal",
    ]
    assert INTEGER.is_exact
    assert Kind("decimal", 1).is_exact
    assert not FLOAT.is_exact
