"""An endpoint row: a field or a grouping of an endpoint as a row of its form, and what can be chosen in it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, count
from typing import Any, Final

from aggflow.notebook.entry import Option
from aggflow.notebook.field_name import field_name, short_word
from aggflow.notebook.value_list import write_values
from aggflow.spec.calculation import Calculation
from aggflow.spec.endpoint import Subject

ASKS: Final[Mapping[Subject, str]] = {
    "filter": "a filter",
    "task": "a task",
    "cube": "a cube",
}
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
_CALCULATIONS: Final = frozenset(calculation.value for calculation in Calculation)


def measure_text(aggregation: str, calculation: str | None) -> str:
    """What a field is of, as it is chosen; without a calculation where none has to be said."""
    return aggregation if calculation is None else f"{aggregation}{SEPARATOR}{calculation}"


def parts_of(measure: str | None) -> tuple[str, str]:
    """The aggregation and the calculation of what a field is of; empty where there is none.

    Examples
    --------
    >>> parts_of("delay · AVG"), parts_of("on time"), parts_of("a · b")
    (('delay', 'AVG'), ('on time', ''), ('a · b', ''))
    """
    text = str(measure or "")
    aggregation, _, calculation = text.rpartition(SEPARATOR)
    return (aggregation, calculation) if aggregation and calculation in _CALCULATIONS else (text, "")


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
        "measure": measure_text(data["aggregation"], data["calculation"]),
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
    aggregation, calculation = parts_of(row["measure"])
    if not aggregation:
        return ""
    word = short_word(Calculation(calculation), str(row["percentile"])) if calculation else ""
    name = field_name(aggregation, word)
    numbers = (f"{name}_{number}" for number in count(2))
    return next(one for one in chain([name], numbers) if one not in taken)
