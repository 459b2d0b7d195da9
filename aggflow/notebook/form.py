"""A form: the draft of a definition, what is wrong with it, what saving it would do; without a view."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, cast

from aggflow.engine.definition_kind import KindName
from aggflow.engine.stored import Stored
from aggflow.errors import AggflowError, ConflictError, ParseError, Problem, SpecError
from aggflow.figure import with_article
from aggflow.notebook.change import Change, differences
from aggflow.notebook.curl_text import curl_of, segment
from aggflow.notebook.draft import filled, given
from aggflow.notebook.path import steps, written
from aggflow.notebook.previewer import Work
from aggflow.notebook.python_text import python_call, python_cell
from aggflow.notebook.sheet import Sheet, alone
from aggflow.spec.declaration import plain, read
from aggflow.spec.definitions import Definitions
from aggflow.workspace import Workspace

S = TypeVar("S")


@dataclass(frozen=True)
class Checked(Generic[S]):
    """A draft that was looked at.

    Attributes
    ----------
    spec
        What it declares; None where it cannot be read.
    problems
        Everything that keeps it from being saved.
    unnamed
        What it declares under a made-up name, where it lacks one and nothing else is wrong with it; else None.
    """

    spec: S | None
    problems: tuple[Problem, ...]
    unnamed: S | None = None


class Form(Sheet, Generic[S]):
    """The draft of a definition.

    Parameters
    ----------
    ws
        The workspace.
    name
        Of the definition that is opened; None for a new one.

    Raises
    ------
    NotFoundError
        There is none of that name.
    """

    kind: ClassVar[KindName]
    plural: ClassVar[str]
    declares: ClassVar[type[Any]]

    def __init__(self, ws: Workspace, name: str | None = None) -> None:
        self.ws = ws
        self._base: Stored[S] | None = None
        self._checked: Checked[S] | None = None
        super().__init__()
        if name is not None:
            self.open(name)

    # -- what a kind of definition says

    @abstractmethod
    def stored(self) -> Mapping[str, Stored[S]]:
        """What the workspace has of this kind, by name."""

    def named(self, spec: S) -> str:
        """The name of a declaration in :meth:`stored`."""
        return cast("Any", spec).name

    def draft_name(self) -> str:
        """The name that the draft has so far; empty where it has none."""
        return self.get("name") or ""

    @abstractmethod
    def put(self, spec: S) -> Stored[S]:
        """Save a declaration."""

    def first(self) -> str:
        """What has to be done before anything can be declared here; empty where nothing has to."""
        return ""

    def misfits(self, spec: S) -> Iterable[Problem]:  # noqa: ARG002 - for others to say
        """What keeps a declaration, right in itself, from being saved."""
        return ()

    def effects(self, spec: S, before: Stored[S] | None) -> Iterable[Change]:  # noqa: ARG002 - for others to say
        """What saving a declaration would do beside saving it."""
        return ()

    @property
    def has_preview(self) -> bool:
        """Whether there is anything to see of a draft."""
        return type(self).preview is not Form.preview

    def preview(self) -> Work | None:
        """What makes a preview of the draft as it is now; None where it cannot be read."""
        return None

    def seen(self) -> Any:
        """What a preview depends on; None where there is nothing to see yet."""
        return self.sketch()

    def sketch(self) -> S | None:
        """What the draft declares, under a name of its own where it has none yet; None where it cannot be read."""
        return self.checked.unnamed if self.problems else self.checked.spec

    def saved(self) -> str:
        """What can be done now that it is saved, as HTML; empty for nothing to say."""
        return ""

    # -- values

    def values_of(self, spec: S) -> dict[str, Any]:
        """The values of a draft that declares what a declaration does."""
        return filled(self._entries(), plain(spec))

    def plain(self) -> dict[str, Any]:
        """What the draft declares, as plain data; what is not filled in is left out."""
        return given(self._entries(), self._values)

    @alone
    def open(self, name: str) -> None:
        """Open a definition; what was typed before is gone.

        Raises
        ------
        NotFoundError
            There is none of that name.
        """
        self._take(self.stored()[name])

    @alone
    def reset(self) -> None:
        """Begin anew: with what is stored, or with nothing."""
        there = None if self._base is None else self.stored().get(self.named(self._base.spec))
        if there is not None:
            self._take(there)
            return
        self._base, self._values, self._touched = None, self.empty(), set()
        self._notify("")

    def _take(self, stored: Stored[S]) -> None:
        self._base = stored
        self._values = self.values_of(stored.spec)
        self._touched = set()
        self._notify("")

    # -- checks

    def _notify(self, path: str) -> None:
        self._checked = None
        super()._notify(path)

    @property
    @alone
    def checked(self) -> Checked[S]:
        """What the draft declares and what is wrong with it, as of the last change."""
        if self._checked is None:
            self._checked = self._check()
        return self._checked

    def _check(self) -> Checked[S]:
        first = self.first()
        if first:
            return Checked(None, (Problem("", first),))
        try:
            spec: S = read(self.declares, self.plain())
        except SpecError as error:
            return self._unnamed(error.problems)
        except ParseError as error:
            return Checked(None, (Problem("", str(error)),))
        return Checked(spec, tuple(self._misfits(spec)))

    def _unnamed(self, problems: tuple[Problem, ...]) -> Checked[S]:
        """A draft with problems; where a name is all that it lacks, what else would be wrong is told now."""
        if [problem.path for problem in problems] != ["name"] or self.draft_name():
            return Checked(None, problems)
        try:
            spec: S = read(self.declares, {**self.plain(), "name": f"new {self.kind}"})
        except SpecError as error:
            return Checked(None, (*problems, *error.problems))
        misfits = tuple(self._misfits(spec))
        return Checked(None, (*problems, *misfits), None if misfits else spec)

    def _misfits(self, spec: S) -> Iterator[Problem]:
        try:
            yield from self.misfits(spec)
        except SpecError as error:
            yield from error.problems
        except AggflowError as error:
            yield Problem("", error.message, error.hint)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that keeps the draft from being saved."""
        return self.checked.problems

    def place(self, path: str) -> str:
        """The path of the entry, or of the list, beside which a problem of a path is shown; else empty."""
        found = list(steps(path))
        while found:
            here = written(found)
            entry = self._find(here)
            if entry is not None:
                return here
            row = None if not isinstance(found[-1], int) else self._find(written(found[:-1]))
            if row is not None and row.of:
                return f"{here}.{row.of[0].name}"
            found.pop()
        return ""

    def problems_at(self, path: str) -> tuple[Problem, ...]:
        """What is shown beside an entry; of the whole for the empty path."""
        return tuple(problem for problem in self.problems if self.place(problem.path) == path)

    def is_touched(self, path: str) -> bool:
        """Whether something was typed or chosen there; everything of a stored definition was."""
        return self._base is not None or path in self._touched

    @property
    def reason(self) -> str:
        """Why the draft cannot be saved; empty where it can."""
        for problem in self.problems:
            return self.sentence(problem)
        blocking = [change for change in self.changes() if change.level == "error"]
        return blocking[0].text if blocking else ""

    def sentence(self, problem: Problem) -> str:
        """A problem for people, with the label of its entry instead of its path."""
        place = self.place(problem.path)
        entry = self._find(place) if place else None
        numbers = [str(step + 1) for step in steps(place) if isinstance(step, int)]
        label = " ".join([entry.label, *numbers]) if entry else ""
        text = f"{label}: {problem.message}" if label else problem.message
        return f"{text} ({problem.hint})" if problem.hint else text

    def spec(self) -> S:
        """What the draft declares.

        Raises
        ------
        SpecError
            Every problem of it.
        """
        checked = self.checked
        if checked.problems or checked.spec is None:
            raise SpecError(self.title, checked.problems)
        return checked.spec

    # -- saving

    @property
    def base(self) -> Stored[S] | None:
        """The definition that is open, as it was when it was opened or saved last; None for a new one."""
        return self._base

    @property
    def title(self) -> str:
        """What the draft is, for people."""
        name = self.draft_name()
        return f"{self.kind} {name!r}" if name else f"new {self.kind}"

    @property
    def is_dirty(self) -> bool:
        """Whether the draft differs from what is stored."""
        spec = self.checked.spec
        return self._base is None or spec is None or spec != self._base.spec

    def changes(self) -> tuple[Change, ...]:
        """What saving the draft would do; nothing while it cannot be read."""
        spec = self.checked.spec
        if spec is None or self.problems:
            return ()
        return tuple(self._changes(spec))

    def _changes(self, spec: S) -> Iterator[Change]:
        name = self.named(spec)
        before = self.stored().get(name)
        if before is None:
            yield Change(f"adds {self.kind} {name!r}")
        elif before.spec == spec:
            yield Change(f"{self.kind} {name!r} is stored just like this")
        else:
            yield from (Change(text) for text in differences(before.spec, spec))
        yield from self.effects(spec, before)

    def meanwhile(self) -> tuple[str, ...]:
        """What somebody else changed since the definition was opened: a text an attribute; empty for nothing."""
        base = self._base
        spec = self.checked.spec
        name = self.draft_name() if spec is None else self.named(spec)
        there = self.stored().get(name)
        if base is None or self.named(base.spec) != name:
            return () if there is None else (f"there is {with_article(self.kind)} {name!r} already",)
        if there is None:
            return ("it was removed",)
        return differences(base.spec, there.spec)

    @alone
    def save(self, *, over: bool = False) -> Stored[S]:
        """Save the draft.

        Parameters
        ----------
        over
            Put it in the place of what somebody else saved meanwhile.

        Raises
        ------
        SpecError
            Every problem of it.
        ConflictError
            It was changed meanwhile, or its name is taken: what is typed stays; or the change is not allowed.
        """
        spec = self.spec()
        found = self.meanwhile()
        if found and not over:
            raise ConflictError(
                f"{self.title} was changed meanwhile: {'; '.join(found)}",
                hint="look at it; save(over=True) puts yours in its place, reset() takes what is there",
            )
        self.put(spec)
        self._take(self.stored()[self.named(spec)])
        assert self._base is not None  # noqa: S101 - it was just taken
        return self._base

    # -- as text

    def options(self) -> dict[str, Any]:
        """Arguments beside the declaration with which it is saved."""
        return {}

    def as_python(self) -> str:
        """The call that saves the same, as a notebook's cell; ``ws`` is the workspace.

        Raises
        ------
        SpecError
            The draft cannot be saved.
        """
        return python_cell(python_call(f"add_{self.kind}", self.spec(), **self.options()))

    def as_yaml(self) -> str:
        """The definition as YAML, for ``ws.apply``.

        Raises
        ------
        SpecError
            The draft cannot be saved.
        """
        declared: dict[str, Any] = {self.plural: (self.spec(),)}
        return Definitions(**declared).to_yaml()

    def as_curl(self) -> str:
        """The command that saves the same over HTTP; address and token come from the environment.

        Raises
        ------
        SpecError
            The draft cannot be saved.
        """
        spec = self.spec()
        method, route = self.route(spec)
        return curl_of(method, route, plain(spec, defaults=False))

    def route(self, spec: S) -> tuple[str, str]:
        """The method and the path by which it is saved over HTTP."""
        name = self.named(spec)
        if name in self.stored():
            return "PUT", f"/api/v1/{self.plural}/{segment(name)}"
        return "POST", f"/api/v1/{self.plural}"
