"""A kind: what sort of values a field holds, as far as states care."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

KindName = Literal["rows", "integer", "decimal", "float", "text", "boolean"]


@dataclass(frozen=True)
class Kind:
    """What sort of values a field holds.

    Attributes
    ----------
    name
        ``rows`` for no field at all; ``text`` stands for all that is neither number nor truth value.
    scale
        Digits behind the point, of decimals.

    Examples
    --------
    >>> str(Kind("decimal", 2)), Kind.parse("decimal(2)") == Kind("decimal", 2)
    ('decimal(2)', True)
    """

    name: KindName
    scale: int = 0

    @property
    def is_number(self) -> bool:
        """Whether numeric calculations take it."""
        return self.name in ("integer", "decimal", "float")

    @property
    def is_exact(self) -> bool:
        """Whether its sums are exact: kept as whole numbers, decimals by their unscaled value."""
        return self.name in ("integer", "decimal")

    def __str__(self) -> str:
        return f"decimal({self.scale})" if self.name == "decimal" else self.name

    @classmethod
    def parse(cls, text: str) -> Kind:
        """The kind of a text that ``str`` gave.

        Raises
        ------
        ValueError
            No kind has this text.
        """
        name, _, rest = text.partition("(")
        kind = cls(cast("KindName", name), int(rest.rstrip(")")) if rest else 0)
        if name not in get_args(KindName) or str(kind) != text:
            raise ValueError(f"{text!r} is no kind")
        return kind


ROWS = Kind("rows")
INTEGER = Kind("integer")
FLOAT = Kind("float")
TEXT = Kind("text")
BOOLEAN = Kind("boolean")
