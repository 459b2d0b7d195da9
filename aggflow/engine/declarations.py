"""Declarations: what is declared in a workspace, kept in the catalog, its rollups kept in step."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

import ibis.expr.types as ir

from aggflow.backends.connect import session
from aggflow.backends.source_rows import SourceRows
from aggflow.catalog import Definition
from aggflow.catalog import Rollup as StoredRollup
from aggflow.engine.check import problems_at_source
from aggflow.engine.definition_kind import KindName
from aggflow.engine.edge_of_change import edge_of_change
from aggflow.engine.removal import Dispatch, Removal
from aggflow.engine.stored import Stored
from aggflow.errors import ConflictError, SpecError
from aggflow.spec.asked import asked_of
from aggflow.spec.changes import Effect, carried, effects
from aggflow.spec.cube import Cube
from aggflow.spec.declaration import digest, plain
from aggflow.spec.definitions import Definitions
from aggflow.spec.endpoint import Endpoint, Subject
from aggflow.spec.filter import Filter
from aggflow.spec.fit import problems_with
from aggflow.spec.rollup import Rollup, rollup_of
from aggflow.spec.rollups import rollups_of
from aggflow.spec.source import Source
from aggflow.spec.task import Task


class Declarations(Removal):
    """What is declared in a workspace: read, looked at, added, changed and removed."""

    def put_source(self, spec: Source, table: ir.Table | None = None) -> Stored[Source]:
        """Add a source, or replace the one of its name; states of other rows are void.

        Parameters
        ----------
        spec
            The source.
        table
            A table of this Python session that stands for it, where it has no URL.
        """
        old = self.find("source", spec.name)
        if old is not None:
            self._check_events(old.spec, spec)
        with session(self._located(spec), None if spec.url else table, self._memory) as opened:
            SourceRows(opened)
        stored = self._put("source", spec, spec.data())
        if table is not None and not spec.url:
            self._tables[spec.name] = table
        else:
            self._tables.pop(spec.name, None)
        # A table of this session may be another one under the same name.
        return Stored(stored.id, spec, tuple(self._void(spec, always=old is not None and not spec.url)))

    def _check_events(self, old: Source, new: Source) -> None:
        """Refuse to change what events that were sent were read by, or to lose them from sight."""
        same = (old.url, old.time) == (new.url, new.time)
        if old.is_embedded and not same and not self.event_folder(old).is_empty:
            what = "time" if new.is_embedded else "url"
            raise ConflictError(
                f"source {old.name!r} has events, so its {what} cannot be changed",
                hint="remove it first, with its events, or add another one",
            )

    def _void(self, source: Source, *, always: bool) -> Iterator[Effect]:
        """Void the states of other rows: seen by the hash, so that what was cut off is made up for."""
        for kind, owner, rollups in self._owners():
            made = [(name, rollup) for name, rollup in rollups.items() if rollup.source == source.name]
            void = [self._void_rollup(owner, name, rollup, source, always=always) for name, rollup in made]
            if any(void):
                what = "its source has other rows now: it is to be built anew"
                yield Effect(owner.name, what, kind=kind)

    def _void_rollup(
        self, owner: Stored[Any], name: str, rollup: Rollup, source: Source, *, always: bool
    ) -> bool:
        stored = self.rollup(owner, name)
        data_hash = rollup.data_hash(source)
        if not always and self._catalog.versions(stored.id)[-1].data_hash == data_hash:
            return False
        self._catalog.reset_versions(stored.id, rollup.to_plain(), data_hash, self._clock())
        return True

    def put_filter(
        self,
        spec: Filter,
        *,
        rebuild: bool = False,
        dry_run: bool = False,
        replaced: Collection[str] = (),
    ) -> Stored[Filter]:
        """Add a filter, or change the one of its name.

        Parameters
        ----------
        spec
            The filter.
        rebuild
            Compute history anew from the source, instead of keeping it as it was.
        dry_run
            Change nothing; the effects say what would happen.
        replaced
            Names of endpoints that are replaced together with it, and may lose anything.

        Raises
        ------
        SpecError
            It does not fit its source.
        ConflictError
            The change would take an endpoint's last valid field.
        """
        source = self.get("source", spec.source).spec
        with self.open(source) as rows:
            problems = problems_at_source(spec, rows)
        if problems:
            raise SpecError(f"filter {spec.name!r}", problems)
        old = self.find("filter", spec.name)
        if dry_run:
            happened = () if old is None else self.effects(old.spec, spec)
            return Stored(old.id if old else "", spec, happened)
        happened = () if old is None else self.check_change(old.spec, spec, replaced)
        if old is not None:
            self.carry(old.spec, spec)
        rollup = rollup_of(spec)
        stored = self._put("filter", spec, rollup.to_plain())
        self._put_rollup(stored, rollup, rollup.data_hash(source), rebuild=rebuild)
        return Stored(stored.id, spec, happened)

    def effects(
        self, old: Filter | Task | Cube, new: Filter | Task | Cube, replaced: Collection[str] = ()
    ) -> tuple[Effect, ...]:
        """What a change of a filter, a task or a cube does to the endpoints that ask it."""
        asking = [endpoint for endpoint in self.asking(*_subject(old)) if endpoint.name not in replaced]
        return effects(asked_of(old), asked_of(new), asking) if asking else ()

    def check_together(self, found: Definitions) -> None:
        """Refuse sources, filters and cubes that could not be changed now, all of them seen before any is.

        Raises
        ------
        ConflictError
            Events were sent to a source, or an endpoint needs what it would lose.
        """
        for source in found.sources:
            if (there := self.find("source", source.name)) is not None:
                self._check_events(there.spec, source)
        for spec in (*found.filters, *found.cubes):
            if (there := self.find(*_subject(spec))) is not None:
                self.check_change(there.spec, spec, found.endpoint_names)

    def check_change(
        self, old: Filter | Task | Cube, new: Filter | Task | Cube, replaced: Collection[str] = ()
    ) -> tuple[Effect, ...]:
        """What a change does to endpoints, but for those of some names, which are replaced together with it.

        Raises
        ------
        ConflictError
            It would take from one what it cannot do without.
        """
        happened = self.effects(old, new, replaced)
        blocking = [str(effect) for effect in happened if effect.blocks]
        if blocking:
            raise ConflictError("; ".join(blocking), hint="change or remove the endpoint first")
        return happened

    def carry(self, old: Filter | Task | Cube, new: Filter | Task | Cube) -> None:
        """Let endpoints mean what they meant: saved before what they ask is, they fit both forms of it."""
        kind, name = _subject(old)
        for endpoint in self.asking(kind, name):
            same = carried(endpoint, asked_of(old), asked_of(new))
            same = replace(same, **{kind: new.name})
            if same != endpoint:
                self._put("endpoint", same, {})

    def _put_rollup(self, owner: Definition, rollup: Rollup, data_hash: str, *, rebuild: bool) -> None:
        catalog, now_us = self._catalog, self._clock()
        plain_spec = rollup.to_plain()
        stored = catalog.rollup_of(owner.id)
        if stored is None:
            catalog.create_rollup(
                self._workspace_id, owner.kind, owner.id, owner.name, rollup.source, plain_spec, data_hash
            )
            return
        last = catalog.versions(stored.id)[-1]
        # With nothing built there is no history to keep; of another source there is none.
        nothing_kept = stored.source != rollup.source or not catalog.coverage(stored.id).rows
        if rebuild or (nothing_kept and last.data_hash != data_hash):
            catalog.reset_versions(stored.id, plain_spec, data_hash, now_us, source=rollup.source)
        elif last.data_hash != data_hash:
            edge = edge_of_change(catalog.versions(stored.id), rollup, now_us)
            catalog.add_version(stored.id, plain_spec, data_hash, edge, now_us)

    def put_owner(
        self,
        kind: KindName,
        spec: Any,
        *,
        rebuild: bool = False,
        dispatch: Dispatch | None = None,
    ) -> Stored[Any]:
        """Add a definition with rollups, or replace the one of its name.

        A rollup whose data would change is to be built anew; one that is no more is dropped.

        Parameters
        ----------
        kind
            ``task`` or ``cube``: what they had before is not kept when they change.
        spec
            The definition, known to fit its source.
        rebuild
            Build all of it anew.
        dispatch
            What orchestration is told of it.
        """
        rollups = rollups_of(spec)
        data = {name: rollup.to_plain() for name, rollup in rollups.items()}
        stored = self._put(kind, spec, data, dispatch)
        there = {rollup.name: rollup for rollup in self._catalog.rollups_of(stored.id)}
        for name in there.keys() - rollups.keys():
            self._catalog.drop_rollup(there[name].id, self._clock())
        for name, rollup in rollups.items():
            source = self.get("source", rollup.source).spec
            self._put_owned(stored, name, rollup, rollup.data_hash(source), there.get(name), rebuild=rebuild)
        return Stored(stored.id, spec)

    def _put_owned(
        self,
        owner: Definition,
        name: str,
        rollup: Rollup,
        data_hash: str,
        stored: StoredRollup | None,
        *,
        rebuild: bool,
    ) -> None:
        plain_spec = rollup.to_plain()
        if stored is None:
            self._catalog.create_rollup(
                self._workspace_id, owner.kind, owner.id, name, rollup.source, plain_spec, data_hash
            )
        elif rebuild or self._catalog.versions(stored.id)[-1].data_hash != data_hash:
            self._catalog.reset_versions(
                stored.id, plain_spec, data_hash, self._clock(), source=rollup.source
            )

    def put(self, kind: KindName, spec: Any, dispatch: Dispatch | None = None) -> Stored[Any]:
        """Add a definition that has no rollups, known to be right, or replace the one of its name."""
        return Stored(self._put(kind, spec, {}, dispatch).id, spec)

    def put_endpoint(self, spec: Endpoint) -> Stored[Endpoint]:
        """Add an endpoint, or replace the one of its name.

        Raises
        ------
        SpecError
            It does not fit what it asks.
        ConflictError
            What it asks is removed at this moment.
        """
        self.check_endpoint(spec)
        asked, _ = self.asked(spec)
        return Stored(self._put("endpoint", spec, {}, needs=asked.id).id, spec)

    def check_endpoint(self, spec: Endpoint) -> None:
        """Refuse an endpoint that does not fit what it asks, as that was declared last.

        Raises
        ------
        SpecError
            It does not fit.
        """
        problems = problems_with(spec, self.to_be_asked(spec))
        if problems:
            raise SpecError(f"endpoint {spec.name!r}", problems)

    def _put(
        self,
        kind: KindName,
        spec: Any,
        data: Any,
        dispatch: Dispatch | None = None,
        *,
        needs: str | None = None,
    ) -> Definition:
        whole = plain(spec)
        return self._catalog.put_definition(
            self._workspace_id,
            kind,
            spec.name,
            whole,
            digest(data),
            digest(whole),
            self._clock(),
            dispatch=dispatch,
            needs=needs,
        )


def _subject(spec: Filter | Task | Cube) -> tuple[Subject, str]:
    kinds: dict[type[Any], Subject] = {Filter: "filter", Task: "task", Cube: "cube"}
    return kinds[type(spec)], spec.name
