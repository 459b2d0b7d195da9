"""The errors of aggflow: one tree, each with its data, a sentence and a hint.

    AggflowError
      SettingsError            a setting is unknown, of the wrong type or out of range
      SpecError                a definition is wrong: every problem of it, each with its path
      ParseError               a text (JPath, interval, cron, LINQ) is wrong: place and caret
      NotFoundError            a name that does not exist, with the nearest that does
      ConflictError            a change that would break what depends on it, or a name taken
      QueryError               a question that cannot be answered as it was asked
        NotCoveredError        no states cover the window, and live reading was not wanted
        TotalOverflowError     an exact total is larger than 64 bits
      SourceError              a source cannot be used as it was declared
        SourceUnavailableError the database or file cannot be reached just now      (retry helps)
        SourceMissingError     the table, file or column is not there
        SourceTypeError        a column has a type that cannot play its part
        SourceQueryError       the database refused or failed a statement
        UnsupportedError       the backend lacks what the definition needs
      BuildError               a build stopped; what was committed before it stays
        LeaseLostError         another build took over the window                  (retry helps)
        SourceChangedError     the source kept changing while a batch was read     (retry helps)
        CancelledError         the build was cancelled
      StoreError               segments cannot be read or written
        SegmentMissingError    a segment that the catalog names is not there
        SegmentDamagedError    a segment does not match its checksum
        StoreFullError         no space left to write a segment                    (retry helps)
        StoreReadOnlyError     the folder cannot be written
        StoreUnavailableError  the object store cannot be reached just now         (retry helps)
      CatalogError             the catalog cannot be used
        CatalogBusyError       the catalog is locked by another process            (retry helps)
        CatalogUnavailableError the catalog's server cannot be reached just now    (retry helps)
        CatalogDamagedError    the catalog's file is not a catalog, or is damaged
        CatalogReadOnlyError   the catalog cannot be written
        CatalogVersionError    the catalog was written by a newer aggflow
      OrchestrationError       flows cannot be registered or run by Prefect
        PrefectUnavailableError the Prefect server cannot be reached just now      (retry helps)
        PrefectVersionError    Prefect is not installed, or not of a version that fits
        HomeInUseError         another `aggflow up` runs on this home
        PortTakenError         another process listens where a server should
      ServiceError             a service elsewhere cannot be asked, or refuses it
        ServiceUnavailableError it cannot be reached, or not answer, just now  (retry helps)

Every error pickles (Prefect moves them between processes), says who must act
(``who``) and whether trying again can help (``retryable``).  ``str(error)`` is the
sentence, followed by the hint where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, cast

from aggflow.problem import LONGEST_PATH as LONGEST_PATH  # noqa: PLC0414 - all that tells errors reads it here
from aggflow.problem import MOST_PROBLEMS
from aggflow.problem import Problem as Problem  # noqa: PLC0414 - all that tells errors reads it here
from aggflow.quote import line_around, quoted
from aggflow.secret import without_password as without_password  # noqa: PLC0414 - all that tells errors reads it here
from aggflow.suggestion import did_you_mean as did_you_mean  # noqa: PLC0414 - all that tells errors reads it here
from aggflow.suggestion import nearest as nearest  # noqa: PLC0414 - all that tells errors reads it here

Who = Literal["user", "operator", "aggflow"]


class AggflowError(Exception):
    """The root of the tree.

    Parameters
    ----------
    message
        One sentence: what is wrong, and where.
    hint
        What to do about it, or empty.
    """

    who: ClassVar[Who] = "user"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # The data of an error is its attributes: rebuilt without calling __init__,
        # so that subclasses are free in what they take.
        return (_restore, (type(self), self.args, self.__dict__.copy()))

    def to_plain(self) -> dict[str, Any]:
        """Its class and its data, ready for JSON; :func:`error_of` makes it again elsewhere.

        Examples
        --------
        >>> QueryError("it ends before it begins").to_plain()
        {'class': 'QueryError', 'message': 'it ends before it begins', 'hint': ''}
        """
        data = {name: value for name, value in self.__dict__.items() if not name.startswith("_")}
        return {"class": type(self).__name__, **{name: _plain(value) for name, value in data.items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, Problem):
        return {"path": value.path, "message": value.message, "hint": value.hint}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in cast("Sequence[Any]", value)]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def error_of(plain: Mapping[str, Any]) -> AggflowError:
    """The error that :meth:`AggflowError.to_plain` described, in another process.

    Parameters
    ----------
    plain
        Its class, and its data; of a class that is not known here, an :class:`AggflowError`.

    Examples
    --------
    >>> error_of(NotFoundError("filter", "delay", ["delays"]).to_plain())
    NotFoundError("there is no filter 'delay'")
    """
    kinds = {kind.__name__: kind for kind in _kinds(AggflowError)}
    kind = kinds.get(str(plain.get("class")), AggflowError)
    data = {name: _from_plain(name, value) for name, value in plain.items() if name != "class"}
    data = {"message": "", "hint": "", **data}
    return _restore(kind, (data["message"],), data)


def _kinds(kind: type[AggflowError]) -> Iterator[type[AggflowError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _from_plain(name: str, value: Any) -> Any:
    if not isinstance(value, list):
        return value
    items = cast("list[Any]", value)
    return tuple(Problem(**one) for one in items) if name == "problems" else tuple(items)


def _restore(cls: type[AggflowError], args: tuple[Any, ...], data: dict[str, Any]) -> AggflowError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(data)
    return error


class SettingsError(AggflowError):
    """A setting is unknown, of the wrong type or out of range."""

    who = "operator"


class SpecError(AggflowError):
    """A definition is wrong; carries every problem of it, up to a hundred.

    Parameters
    ----------
    what
        The definition, for a sentence: ``filter 'delays'``.
    problems
        All that is wrong, at least one.
    """

    def __init__(self, what: str, problems: Sequence[Problem]) -> None:
        self.what = what
        self.problems = tuple(problems[:MOST_PROBLEMS])
        if len(self.problems) == 1:
            message = f"{what}: {self.problems[0]}"
        else:
            lines = "".join(f"\n  - {problem}" for problem in self.problems)
            more = "more than " if len(problems) > MOST_PROBLEMS else ""
            message = f"{what} has {more}{len(self.problems)} problems:{lines}"
        super().__init__(message)


class ParseError(AggflowError):
    """A text is wrong; carries the place, drawn with a caret.

    Parameters
    ----------
    message
        What is wrong, one sentence without a full stop.
    text
        The whole text.
    position
        Offset of the first wrong character, 0 to ``len(text)``.
    expected
        What could stand there, in words.
    hint
        What to do, or empty.
    """

    def __init__(
        self,
        message: str,
        *,
        text: str,
        position: int,
        expected: Sequence[str] = (),
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.text = text
        self.position = max(0, min(position, len(text)))
        self.expected = tuple(expected)

    @property
    def line(self) -> int:
        """Line of the place, from 1."""
        return self.text.count("\n", 0, self.position) + 1

    @property
    def column(self) -> int:
        """Column of the place, from 1."""
        return self.position - (self.text.rfind("\n", 0, self.position) + 1) + 1

    def __str__(self) -> str:
        line = self.text.split("\n")[self.line - 1] if self.text else ""
        shown, before = line_around(line, self.column - 1)
        lines = [f"{self.message}, at line {self.line}, column {self.column}"]
        lines += [f"    {shown}", "    " + " " * before + "^"]
        if self.expected:
            lines.append("expected: " + ", ".join(self.expected))
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


class NotFoundError(AggflowError):
    """A name that does not exist.

    Parameters
    ----------
    kind
        What was looked for: ``source``, ``filter``, ``column`` ...
    name
        The name that was given.
    known
        The names that exist; None where they are too many to be told, or no names.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str] | None = None) -> None:
        self.kind = kind
        self.name = name
        self.known = () if known is None else tuple(known)
        hint = "" if known is None else did_you_mean(name, self.known)
        super().__init__(f"there is no {kind} {quoted(name)}", hint=hint)


class ConflictError(AggflowError):
    """A change that would break what depends on it, or a name that is taken."""


class QueryError(AggflowError):
    """A question that cannot be answered as it was asked."""


class NotCoveredError(QueryError):
    """No states cover the window, and live reading was not wanted."""


class TotalOverflowError(QueryError):
    """An exact total is larger than a 64-bit integer."""


class SourceError(AggflowError):
    """A source cannot be used as it was declared."""


class SourceUnavailableError(SourceError):
    """The database or file cannot be reached just now."""

    who = "operator"
    retryable = True


class SourceMissingError(SourceError):
    """The table, file or column of a source is not there."""


class SourceTypeError(SourceError):
    """A column has a type that cannot play its part."""


class SourceQueryError(SourceError):
    """The database refused or failed a statement."""


class UnsupportedError(SourceError):
    """The backend lacks what a definition needs."""


class BuildError(AggflowError):
    """A build stopped; what was committed before it stays."""

    who = "operator"


class LeaseLostError(BuildError):
    """Another build took over the window while this one was working."""

    retryable = True


class SourceChangedError(BuildError):
    """The source kept changing while a batch was read: its counts disagree."""

    retryable = True


class CancelledError(BuildError):
    """The build was cancelled."""

    who = "user"


class StoreError(AggflowError):
    """Segments cannot be read or written."""

    who = "operator"


class SegmentMissingError(StoreError):
    """A segment that the catalog names is not there."""


class SegmentDamagedError(StoreError):
    """A segment does not match its checksum, or cannot be read."""


class StoreFullError(StoreError):
    """No space is left to write a segment."""

    retryable = True


class StoreReadOnlyError(StoreError):
    """The folder of the segments cannot be written."""


class StoreUnavailableError(StoreError):
    """The object store cannot be reached just now."""

    retryable = True


class CatalogError(AggflowError):
    """The catalog cannot be used."""

    who = "operator"


class CatalogBusyError(CatalogError):
    """The catalog is locked by another process."""

    retryable = True


class CatalogUnavailableError(CatalogError):
    """The catalog's server cannot be reached just now."""

    retryable = True


class CatalogDamagedError(CatalogError):
    """The catalog's file is not a catalog, or is damaged."""


class CatalogReadOnlyError(CatalogError):
    """The catalog cannot be written."""


class CatalogVersionError(CatalogError):
    """The catalog was written by a newer aggflow."""


class OrchestrationError(AggflowError):
    """Flows cannot be registered with Prefect, or not be run by it."""

    who = "operator"


class PrefectUnavailableError(OrchestrationError):
    """The Prefect server cannot be reached just now."""

    retryable = True


class PrefectVersionError(OrchestrationError):
    """Prefect is not installed, or it is of a version that does not fit, here or on its server."""


class HomeInUseError(OrchestrationError):
    """Another ``aggflow up`` runs on this home."""

    who = "user"


class PortTakenError(OrchestrationError):
    """Another process listens on the port where a server should."""

    who = "user"


class ServiceError(AggflowError):
    """A service elsewhere cannot be asked, or refuses: its address or the token is wrong."""


class ServiceUnavailableError(ServiceError):
    """The service cannot be reached just now, or asks to come again later."""

    who = "operator"
    retryable = True
