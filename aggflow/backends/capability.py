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
    schemes
        How the URLs of its sources begin.
    options
        What is given to its driver beside the URL.
    setup
        The file with what is run once in every session, before anything is asked.
    micros
        How an instant becomes microseconds since the epoch: ``function`` (a function of the
        backend's own), ``cast`` (a timestamp casts to them), ``text`` (times are texts: whole seconds
        by a function, their fraction read), ``seconds`` (a function gives whole seconds since some origin,
        another the microsecond), ``civil`` (integer arithmetic on year, month, day and time
        of day, exact everywhere).
    micros_function
        That function, for ``function``, ``text`` and ``seconds``.
    micros_origin
        Of ``seconds``: what that function gives for the epoch.
    compares_times
        Whether a time column compares with a time literal as times do (and so can use an index or
        prune files); where not, windows are taken by microseconds.
    snapshot
        What makes all statements of one batch read the same rows: ``stage`` copies the window into a
        temporary table first, ``select`` by a CREATE TABLE AS of its own, which keeps collations; ``none``
        leaves it to the comparison of counts.
    hash
        A function that hashes to 64 bits; empty where there is none: distinct values travel then.
    hash_type
        What it gives.
    arrow
        Whether results arrive as Arrow with the types that Ibis says; where not, rows are fetched and
        typed one by one.
    text_column
        How a column of texts is read so that it compares by code points, where it would compare by a
        collation (``{}`` is the column); else empty.
    json
        The function that takes a text from JSON by a path.
    json_path
        How that path is given: as one text, every name ``quoted``; or as ``parts``, a text a name.
    json_type
        The function that names the type of what is at a path, where booleans do not come as ``true``
        and ``false`` by themselves; else empty.
    json_unquote
        The function that makes a text of a JSON value, where the one above gives that; else empty.
    json_valid
        The function that says whether a text is JSON at all; empty where those above do not mind.
    json_length
        The function that gives the length of an array in JSON.
    number_of_text
        How a text becomes a number, or null: ``try_cast``, ``regex`` (a test, then a cast), or a function's
        name.
    opens_files
        Whether the URL names a file, opened read-only for each piece of work and closed after it, so
        that its owner can write to it in between.
    shifts
        Whether whole numbers are shifted as ``bits``, their sign kept, or have to be divided: ``remainder``.
    remainder
        Whether ``%`` gives a whole number of 64 bits, or a float, which is exact below 2**53 only.
    has_nan
        Whether it holds floats that are no number; where not, they are null when they arrive.
    interrupt
        The method of its driver's connection that stops, from another thread, the statement that it
        runs; empty where there is none: it runs to its end then.
    has_infinity
        Whether it holds infinite floats.
    """

    name: str
    extra: str
    schemes: tuple[str, ...]
    micros: Literal["function", "cast", "text", "seconds", "civil"]
    micros_function: str = ""
    micros_origin: int = 0
    options: tuple[tuple[str, str], ...] = ()
    setup: str = ""
    compares_times: bool = True
    snapshot: Literal["stage", "select", "none"] = "stage"
    hash: str = ""
    hash_type: Literal["uint64", "int64"] = "uint64"
    arrow: bool = True
    text_column: str = ""
    json: str = "json_extract_string"
    json_path: Literal["quoted", "parts"] = "quoted"
    json_type: str = ""
    json_unquote: str = ""
    json_valid: str = "json_valid"
    json_length: str = "json_array_length"
    number_of_text: str = "try_cast"
    opens_files: bool = False
    shifts: Literal["bits", "remainder"] = "bits"
    remainder: Literal["integer", "float"] = "integer"
    has_nan: bool = True
    has_infinity: bool = True
    interrupt: str = ""


CAPABILITIES = {
    row.name: row
    for row in (
        Capability(
            name="duckdb",
            interrupt="interrupt",
            extra="duckdb",
            schemes=("duckdb",),
            micros="function",
            micros_function="epoch_us",
            hash="hash",
            opens_files=True,
        ),
        Capability(
            name="sqlite",
            interrupt="interrupt",
            extra="sqlite",
            schemes=("sqlite",),
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
        Capability(
            name="postgres",
            interrupt="cancel",
            extra="postgres",
            schemes=("postgresql", "postgres"),
            setup="postgres.sql",
            micros="function",
            micros_function="pg_temp.aggflow_micros",
            hash="pg_temp.aggflow_hash",
            hash_type="int64",
            snapshot="select",
            text_column='{} COLLATE "C"',
            json="pg_temp.aggflow_json",
            json_path="parts",
            json_valid="",
            json_length="pg_temp.aggflow_json_length",
            number_of_text="pg_temp.aggflow_number",
        ),
        Capability(
            name="mysql",
            extra="mysql",
            schemes=("mysql", "mariadb"),
            options=(("charset", "utf8mb4"),),
            setup="mysql.sql",
            micros="seconds",
            micros_function="to_seconds",
            micros_origin=62_167_219_200,  # of the year 0
            snapshot="select",
            # Of the session's collation, which the setup chooses.
            text_column="CAST({} AS CHAR)",
            # By way of pandas, as Ibis does it, integers beside a null would become floats.
            arrow=False,
            json="json_extract",
            json_unquote="json_unquote",
            json_length="json_length",
            number_of_text="regex",
            shifts="remainder",
            has_nan=False,
            has_infinity=False,
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


def capability_of_scheme(scheme: str) -> Capability:
    """The row of the backend whose URLs begin so.

    Raises
    ------
    UnsupportedError
        There is none.

    Examples
    --------
    >>> capability_of_scheme("postgresql").name
    'postgres'
    """
    schemes = {known: row for row in CAPABILITIES.values() for known in row.schemes}
    if scheme not in schemes:
        raise UnsupportedError(f"sources on {scheme!r} are not supported", hint=did_you_mean(scheme, schemes))
    return schemes[scheme]
