"""A capability: what one backend can do and how it spells it, a row a backend.

Every difference between backends that the rest of the package must know stands in this table; no
other module asks for a backend's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aggflow.errors import UnsupportedError, did_you_mean


@dataclass(frozen=True)
class Capability:
    """One backend's row.

    Attributes
    ----------
    name
        Ibis' name of the backend.
    extra
        The extra of aggflow that installs its driver.
    micros
        How an instant becomes microseconds since the epoch: ``function`` (a function of the
        backend's own), ``cast`` (a timestamp casts to them), ``text`` (times are texts: whole seconds
        by a function, their fraction read), ``civil`` (integer arithmetic on year, month, day and time
        of day, exact everywhere).
    micros_function
        That function, for ``function`` and ``text``.
    compares_times
        Whether a time column compares with a time literal as times do (and so can use an index or
        prune files); where not, windows are taken by microseconds.
    snapshot
        What makes all statements of one batch read the same rows: ``stage`` copies the window into a
        temporary table first; ``none`` leaves it to the comparison of counts.
    hash
        A function that hashes 64 bits; empty where there is none: distinct values travel then.
    arrow
        Whether results arrive as Arrow with the types that Ibis says; where not, rows are fetched and
        typed one by one.
    json
        The function that takes a text from JSON by a path.
    json_type
        The function that names the type of what is at a path, where booleans do not come as ``true``
        and ``false`` by themselves; else empty.
    json_valid
        The function that says whether a text is JSON at all.
    json_length
        The function that gives the length of an array in JSON.
    number_of_text
        How a text becomes a number, or null: ``try_cast``, or ``regex`` (a test, then a cast).
    opens_files
        Whether the URL names a file, opened read-only for each piece of work and closed after it, so
        that its owner can write to it in between.
    remainder
        Whether ``%`` gives a whole number of 64 bits, or a float, which is exact below 2**53 only.
    has_nan
        Whether it holds floats that are no number; where not, they are null when they arrive.
    interrupt
        The method of its driver's connection that stops, from another thread, the statement that it
        runs; empty where there is none: it runs to its end then.
    """

    name: str
    extra: str
    micros: Literal["function", "cast", "text", "civil"]
    micros_function: str = ""
    compares_times: bool = True
    snapshot: Literal["stage", "none"] = "stage"
    hash: str = ""
    arrow: bool = True
    json: str = "json_extract_string"
    json_type: str = ""
    json_valid: str = "json_valid"
    json_length: str = "json_array_length"
    number_of_text: Literal["try_cast", "regex"] = "try_cast"
    opens_files: bool = False
    remainder: Literal["integer", "float"] = "integer"
    has_nan: bool = True
    interrupt: str = ""


CAPABILITIES = {
    row.name: row
    for row in (
        Capability(
            name="duckdb",
            interrupt="interrupt",
            extra="duckdb",
            micros="function",
            micros_function="epoch_us",
            hash="hash",
            opens_files=True,
        ),
        Capability(
            name="sqlite",
            interrupt="interrupt",
            extra="sqlite",
            micros="text",
            micros_function="strftime",
            # Ibis writes a literal with a blank between date and time, where data may hold a T:
            # compared as texts, rows of the first day would be lost.
            compares_times=False,
            arrow=False,
            json="json_extract_scalar",
            json_type="json_type",
            number_of_text="regex",
            opens_files=True,
            remainder="float",
            has_nan=False,
        ),
    )
}


def capability(name: str) -> Capability:
    """The row of a backend.

    Raises
    ------
    UnsupportedError
        There is none.

    Examples
    --------
    >>> capability("duckdb").micros_function
    'epoch_us'
    """
    if name not in CAPABILITIES:
        raise UnsupportedError(
            f"sources on {name!r} are not supported", hint=did_you_mean(name, CAPABILITIES)
        )
    return CAPABILITIES[name]
