"""A capability: what one backend can do and how it spells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Capability:
    """One backend's row.

    Attributes
    ----------
    name
        Ibis' name of the backend.
    title
        Its name for people.
    extra
        The extra that installs its driver: of aggflow, or of Ibis where it was not tried; empty where the
        driver is always there.
    tried
        Whether all tests run on the real engine; where not, its queries are compiled and parsed, and no more.
    tried_on
        Which server they run on, where several speak alike; else empty.
    schemes
        How the URLs of its sources begin.
    options
        What is given to its driver beside the URL.
    setup
        The file with what is run once in every session, before anything is asked.
    micros
        How an instant becomes microseconds since the epoch: ``function`` (a function of the
        backend's own), ``instant`` (one that takes times with a zone only), ``cast`` (a timestamp casts to them), ``text`` (times are texts: whole seconds
        by a function, their fraction read), ``seconds`` (a function gives whole seconds since some origin,
        another the microsecond), ``civil`` (integer arithmetic on year, month, day and time
        of day, exact everywhere).
    micros_function
        That function, for ``function``, ``instant``, ``text`` and ``seconds``.
    micros_origin
        Of ``seconds``: what that function gives for the epoch.
    compares_times
        Whether a time column compares with a time literal as times do (and so can use an index or
        prune files); where not, windows are taken by microseconds.
    snapshot
        What makes all statements of one batch read the same rows: ``stage`` copies the window into a
        temporary table first, ``select`` by a CREATE TABLE AS of its own, which keeps collations; ``cache``
        lets the engine keep them; ``none`` leaves it to the comparison of counts.
    hash
        A function that hashes to 64 bits; empty where there is none: distinct values travel then.
    hash_type
        What it gives.
    arrow
        How results arrive: ``ibis`` gives Arrow with the types that it says; ``frame``: the engine gives a
        frame that becomes Arrow; ``rows`` are fetched and typed one by one.
    cursor
        The class of the cursor that leaves ``rows`` at the server until they are fetched, where its driver's
        own takes all of them at once; else empty.
    text_column
        How a column of texts is read so that it compares by code points, where it would compare by a
        collation (``{}`` is the column); else empty.
    json
        The function that takes a text from JSON by a path.
    json_path
        How that path is given: as one text, every name ``quoted`` or ``bracketed``; or as ``parts``, a text
        a name.
    json_python
        The form of a Python function that reads JSON and numbers, where the backend has none; else empty.
    json_type
        The function that names the type of what is at a path, where booleans do not come as ``true``
        and ``false`` by themselves; else empty.
    json_unquote
        The function that makes a text of a JSON value, where the one above gives that; else empty.
    json_valid
        The function that says whether a text is JSON at all; empty where those above do not mind.
    json_length
        The function that gives the length of an array in JSON.
    json_length_of
        Whether it takes a JSON text and a ``path``, or the ``value`` that was found there.
    number_of_text
        How a text becomes a number, or null: ``try_cast``, ``regex`` (a test, then a cast), or a function's
        name.
    reads_files
        What files its URLs name, if they do: a ``database``'s, opened read-only for each piece of work and
        closed after it, so that its owner can write to it in between; or those of ``events``, read anew each
        time.
    session
        The class whose session it runs in, one a process; else empty.
    shown_as
        The dialect in which its statements are shown, where it has none; else empty.
    windows
        Whether it has window functions.
    times
        Whether literal and cast times are as wide as Ibis makes them (``plain``), or have to be told to
        hold ``micros``: nanoseconds end in 2262.
    shifts
        Whether whole numbers are shifted as ``bits``, their sign kept, or have to be divided: ``remainder``.
    remainder
        Whether ``%`` gives a whole number of 64 bits, or a float, which is exact below 2**53 only.
    casts
        Whether a number that does not fit what it is cast to is an error (``checked``), or is ``cut`` to one
        that does.
    number
        The function to which a value in a column of numbers is given that is none, where columns hold values
        of any type: it raises; else empty.
    functions
        What it computes by a function of its own instead of Ibis' way: Ibis' operation, the function, and
        what that takes before the operation's own arguments.
    part_of_text
        The function that gives a part of a text that is cut at a separator, where Ibis' way gives something
        else; ``python`` for one of this package; of ``split_part`` and ``substring_index`` only parts that
        are there.
    python_functions
        Functions of this package that its sessions are given: by which name, and which.
    counts_bytes
        Whether the length of a text is counted in bytes, and has to be counted in Python.
    regex
        The dialect in which it reads regular expressions, where that is not RE2.
    lacks
        The row functions of LINQ that it cannot compute.
    has_nan
        Whether it holds floats that are no number; where not, they are null when they arrive.
    interrupt
        The method of its driver's connection that stops, from another thread, the statement that it
        runs; empty where there is none: it runs to its end then.
    has_infinity
        Whether it holds infinite floats.
    """

    name: str
    title: str
    extra: str
    schemes: tuple[str, ...]
    tried: bool = field(default=True, kw_only=True)
    tried_on: str = field(default="", kw_only=True)
    micros: Literal["function", "instant", "cast", "text", "seconds", "civil"]
    micros_function: str = ""
    micros_origin: int = 0
    options: tuple[tuple[str, str], ...] = ()
    setup: str = ""
    compares_times: bool = True
    snapshot: Literal["stage", "select", "cache", "none"] = "stage"
    hash: str = ""
    hash_type: Literal["uint64", "int64"] = "uint64"
    arrow: Literal["ibis", "frame", "rows"] = "ibis"
    cursor: str = ""
    text_column: str = ""
    json: str = "json_extract_string"
    json_path: Literal["quoted", "bracketed", "parts"] = "quoted"
    json_python: Literal["", "python", "pyarrow"] = ""
    json_type: str = ""
    json_unquote: str = ""
    json_valid: str = "json_valid"
    json_length: str = "json_array_length"
    json_length_of: Literal["path", "value"] = "path"
    number_of_text: str = "try_cast"
    reads_files: Literal["", "database", "events"] = ""
    session: str = ""
    shown_as: str = ""
    windows: bool = True
    times: Literal["plain", "micros"] = "plain"
    shifts: Literal["bits", "remainder"] = "bits"
    remainder: Literal["integer", "float"] = "integer"
    casts: Literal["checked", "cut"] = "checked"
    number: str = ""
    functions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    part_of_text: str = ""
    python_functions: tuple[tuple[str, str], ...] = ()
    counts_bytes: bool = False
    regex: Literal["re2", "python", "pcre", "java", "rust", "posix"] = "re2"
    lacks: frozenset[str] = frozenset()
    has_nan: bool = True
    has_infinity: bool = True
    interrupt: str = ""
