"""An endpoint row: a field or a grouping of an endpoint as a row of its form, and what can be chosen in it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, count
from typing import Any, Final

from aggflow.notebook.entry import Option
from aggflow.notebook.field_name import field_name, short_word
from aggflow.notebook.value_list import write_values
from aggflow.spec.calculation import Calculation

DURATIONS: Final = tuple(map(Option, ("1h", "1d", "7d", "30d", "90d", "365d")))
KINDS: Final = (
    Option("time_series", "a series over time"),
    Option("lookback", "one total"),
)
CHOICES: Final = (
    Option("aggregate", "merge all values"),
    Option("all", "return all values"),
    Option("fixed", "only these values"),
    Option("query_time", "values of the question", help="whoever asks names the values"),
)
FILLS: Final = (
    Option("none", "nothing", help="buckets without events have no row"),
    Option("null", "null"),
    Option("zero", "zero"),
)
DIRECTIONS: Final = (Option("desc", "largest first"), Option("asc", "smallest first"))
SAME: Final = "same"
INCOMPLETE: Final = (
    Option(SAME, "as the endpoint"),
    Option("yes", "counts"),
    Option("no", "does not count"),
)
SEPARATOR: Final = " · "


def grouping_row(name: str) -> dict[str, Any]:
    """The values of a grouping's row: all of its values are merged."""
    return {"name": name, "choice": "aggregate", "values": "", "returned": True}


def field_row(data: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The values of a field's row; a new one's name is proposed."""
    if data is None:
        return {
            "measure": "",
            "percentile": "0.95",
            "name": "",
            "own": False,
            "duration": "",
            "offset": "",
            "include_incomplete": SAME,
        }
    own = data["include_incomplete"]
    times = (data["duration"], data["offset"], own)
    return {
        **data,
        "measure": f"{data['aggregation']}{SEPARATOR}{data['calculation']}",
        "percentile": "0.95" if data["percentile"] is None else data["percentile"],
        "own": any(time is not None for time in times),
        "include_incomplete": SAME if own is None else "yes" if own else "no",
    }


def choice_row(choice: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a grouping's row for a choice, as plain data; none is that all values are merged."""
    row: dict[str, Any] = {"choice": choice.get("kind", "aggregate")}
    if "returned" in choice:
        row["returned"] = choice["returned"]
    if "values" in choice:
        row["values"] = write_values(choice["values"])
    return row


def name_of(row: Mapping[str, Any], taken: list[str]) -> str:
    """A name for a field that no other has."""
    aggregation, _, calculation = str(row["measure"] or "").rpartition(SEPARATOR)
    if not aggregation:
        return ""
    name = field_name(aggregation, short_word(Calculation(calculation), str(row["percentile"])))
    numbers = (f"{name}_{number}" for number in count(2))
    return next(one for one in chain([name], numbers) if one not in taken)
