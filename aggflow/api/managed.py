"""A managed kind: definitions of one kind, as management reads and writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final

from aggflow.api.failure import Refused, invalid
from aggflow.engine.definition_kind import KindName
from aggflow.engine.stored import Stored
from aggflow.errors import NotFoundError
from aggflow.figure import with_article
from aggflow.quote import quoted
from aggflow.spec.changes import Effect
from aggflow.spec.declaration import plain, read
from aggflow.workspace import Workspace

# What answers carry beside the declaration itself; may be sent back.
_READ_ONLY: Final = ("id", "generation")


@dataclass(frozen=True)
class Change:
    """How a definition is to be changed.

    Attributes
    ----------
    rebuild
        Compute what was built anew.
    dry_run
        Change nothing, only tell the effects.
    """

    rebuild: bool = False
    dry_run: bool = False

    @property
    def options(self) -> dict[str, bool]:
        """Those that are set."""
        return {name: True for name in ("rebuild", "dry_run") if getattr(self, name)}


@dataclass(frozen=True)
class Outcome:
    """What came of adding or changing a definition.

    Attributes
    ----------
    stored
        The definition as it is now; of a dry run, as it would be.
    effects
        What that did, or would do, to other definitions.
    """

    stored: Stored[Any]
    effects: tuple[Effect, ...]


Put = Callable[[Workspace, Any, Change], Stored[Any]]
Accept = Callable[[Workspace, Mapping[str, Any], Stored[Any] | None], Mapping[str, Any]]


def _as_given(_: Workspace, data: Mapping[str, Any], __: Stored[Any] | None) -> Mapping[str, Any]:
    return data


def _as_stored(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return data


@dataclass(frozen=True)
class Managed:
    """Definitions of one kind.

    Attributes
    ----------
    kind, plural
        What one is called, and several, as in paths.
    spec
        The declaration, which is the body of requests.
    all
        Gives those of a workspace, by name.
    put
        Adds or changes one.
    accept
        What a client gave as data of the declaration, beside what is stored if it is a change.
    show
        Data of the declaration as clients may see them.
    beside
        Gives what answers carry beside it.
    changes
        Of ``rebuild`` and ``dry_run``, those that changing one takes.
    """

    kind: KindName
    plural: str
    spec: type[Any]
    all: Callable[[Workspace], Mapping[str, Stored[Any]]]
    put: Put
    accept: Accept = _as_given
    show: Callable[[Mapping[str, Any]], Mapping[str, Any]] = _as_stored
    beside: Callable[[Any], Mapping[str, Any]] = field(default=lambda _: {})
    changes: tuple[str, ...] = ()

    def find(self, ws: Workspace, name: str) -> Stored[Any]:
        """The definition of a name or an id.

        Raises
        ------
        NotFoundError
            There is none.
        """
        known = self.all(ws)
        found = known.get(name) or next((one for one in known.values() if one.id == name), None)
        if found is None:
            raise NotFoundError(self.kind, name, known)
        return found

    def shown(self, stored: Stored[Any]) -> dict[str, Any]:
        """A definition as it is answered."""
        shown = self.show(plain(stored.spec))
        return {"id": stored.id, **shown, **self.beside(stored), "generation": stored.generation}

    def told(self, outcome: Outcome) -> dict[str, Any]:
        """A definition that was added or changed, with what that did to others."""
        return self.shown(outcome.stored) | {"effects": [asdict(effect) for effect in outcome.effects]}

    def add(self, ws: Workspace, data: Mapping[str, Any]) -> Outcome:
        """Add what a client declares.

        Raises
        ------
        Refused
            400: the declaration is wrong; 409: there is one of its name.
        """
        spec = self._read(ws, data, None)
        if spec.name in self.all(ws):
            raise Refused(409, f"there is {with_article(self.kind)} {spec.name!r} already; PUT changes it")
        return self._put(ws, spec, Change())

    def change(self, ws: Workspace, name: str, data: Mapping[str, Any], change: Change) -> Outcome:
        """Put what a client declares in the place of what is there.

        Parameters
        ----------
        ws, name
            Which; by its name or its id.
        data
            The whole declaration; the name may be left out, and cannot be changed.
        change
            How.

        Raises
        ------
        NotFoundError
            There is none.
        Refused
            400: the declaration is wrong; 409: it was changed since the client read it.
        """
        for option in change.options:
            if option not in self.changes:
                raise invalid([(option, f"is not for {self.plural}")])
        stored = self.find(ws, name)
        carried = {"id": stored.id, "generation": stored.generation, **self.beside(stored)}
        rest = {key: value for key, value in data.items() if key not in carried}
        if data.get("generation", stored.generation) != stored.generation:
            raise Refused(
                409, f"the {self.kind} was changed meanwhile: its generation is {stored.generation} now"
            )
        for key, value in carried.items():
            if data.get(key, value) != value:
                raise invalid([(key, f"is {quoted(value)}, and cannot be changed")])
        spec = self._read(ws, {"name": stored.spec.name, **rest}, stored)
        if spec.name != stored.spec.name:
            raise invalid([("name", f"cannot be changed: it is {stored.spec.name!r}")])
        return self._put(ws, spec, change)

    def _read(self, ws: Workspace, data: Mapping[str, Any], stored: Stored[Any] | None) -> Any:
        return read(self.spec, self.accept(ws, data, stored))

    def _put(self, ws: Workspace, spec: Any, change: Change) -> Outcome:
        with named_in_body():
            put = self.put(ws, spec, change)
        if change.dry_run:
            there = self.all(ws)[spec.name]
            return Outcome(replace(put, generation=there.generation), put.effects)
        return Outcome(self.all(ws).get(spec.name, put), put.effects)


@contextmanager
def named_in_body() -> Iterator[None]:
    """Let what a body names and is not there be a mistake of the body, not of the path.

    Raises
    ------
    Refused
        400, with the field.
    """
    try:
        yield
    except NotFoundError as error:
        raise invalid([(error.kind, str(error))], error=error.to_plain()) from None


def arguments(spec: Any, change: Change | None = None) -> dict[str, Any]:
    """A declaration as the arguments of the workspace's method that adds it."""
    given = {one.name: getattr(spec, one.name) for one in fields(spec)}
    return given | ({} if change is None else change.options)
