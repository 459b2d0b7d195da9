"""A home: all workspaces of one catalog, as a service opens them, each when a token first asks for it."""

from __future__ import annotations

import hmac
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from aggflow.catalog import Catalog, Mark
from aggflow.catalog.tokens import Token
from aggflow.errors import CatalogError
from aggflow.settings import Settings
from aggflow.store import Resident, SegmentStore
from aggflow.timeline import Micros
from aggflow.workspace.tokens import hash_of
from aggflow.workspace.workspace import Workspace, open_parts

_NOTE_EVERY_US: Final = 60_000_000
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """What a secret gives access to.

    Attributes
    ----------
    token
        The token that it belongs to.
    workspace
        The workspace that the token is for.
    """

    token: Token
    workspace: Workspace


class Home:
    """All workspaces of one catalog; they share its connections, its store and the memory for states.

    Parameters
    ----------
    catalog, store
        What is declared and built in all of them, and its states.
    settings
        Of this process.
    place
        A folder, or the URL of the catalog.
    clock
        Microseconds since the epoch, now.
    """

    def __init__(
        self,
        catalog: Catalog,
        store: SegmentStore,
        settings: Settings,
        place: str,
        clock: Callable[[], Micros] | None = None,
    ) -> None:
        self.settings = settings
        self._catalog = catalog
        self._store = store
        self._place = place
        self._clock = clock or (lambda: time.time_ns() // 1000)
        self._resident = Resident(store, settings.resident_bytes)
        self._opened: dict[str, Workspace] = {}
        self._known: dict[str, Access] = {}
        self._noted: dict[str, Micros] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, home: str | Path | None = None) -> Self:
        """Open a home, made on first use.

        Parameters
        ----------
        home
            A folder, or a catalog's URL; by default ``$AGGFLOW_HOME``, else ``.aggflow``.

        Raises
        ------
        SettingsError, CatalogError, StoreError
            It cannot be opened.

        Examples
        --------
        >>> import tempfile
        >>> with Home.open(tempfile.mkdtemp()) as home:
        ...     secret = home.workspace("shop").create_token("mine", owner="a@b.example", permissions=["admin"])
        ...     print(home.access(secret).workspace.name, home.access("another"))
        shop None
        """
        return cls(*open_parts(home))

    @property
    def place(self) -> str:
        """Where it is: a folder, or the URL of its catalog with the secrets in it."""
        return self._place

    @property
    def default(self) -> Workspace:
        """The workspace that is meant where none is named."""
        return self.workspace(self.settings.workspace)

    @property
    def is_embedded(self) -> bool:
        """Whether its catalog is read within this process, so that a look into it takes microseconds."""
        return self._catalog.url.get_backend_name() == "sqlite"

    def workspace(self, name: str) -> Workspace:
        """A workspace of the home, opened once.

        Raises
        ------
        SpecError
            The name has other characters than lower-case letters and digits.
        """
        with self._lock:
            found = self._opened.get(name)
            if found is None:
                found = self._opened[name] = Workspace(
                    self._catalog, self._store, self.settings, name, self._place, self._clock, self._resident
                )
            return found

    def waiting(self) -> list[Workspace]:
        """The workspaces that ask for a batch or a run of tasks that nobody has begun."""
        asking = {
            workspace_id
            for workspace_id, kind in self._catalog.waiting_dispatches()
            if kind in ("batch", "tasks")
        }
        return [self.workspace(one.name) for one in self._catalog.workspaces() if one.id in asking]

    def workspaces(self) -> list[Workspace]:
        """All workspaces that there are, by name."""
        return [self.workspace(one.name) for one in self._catalog.workspaces()]

    def has_tokens(self) -> bool:
        """Whether anybody may come in: there is a token that is valid, in any workspace."""
        return self._catalog.has_tokens(self._clock())

    def mark(self) -> Mark | None:
        """Names what is committed to the catalog now, so that one request looks for changes once.

        None where the catalog is a server.
        """
        return self._catalog.mark()

    def access(self, secret: str, as_of: Mark | None = None) -> Access | None:
        """What a secret gives access to; None where it is unknown, revoked or has expired.

        At most one look into the catalog: a token that was revoked is refused from then on.

        Parameters
        ----------
        secret
            The token's.
        as_of
            What :meth:`mark` gave when it was shown; None to look now.
        """
        sha256 = hash_of(secret)
        state = self._catalog.token_state(sha256, as_of)
        if (
            state is None
            or not hmac.compare_digest(state.sha256, sha256)
            or not state.is_valid(self._clock())
        ):
            self._known.pop(sha256, None)
            return None
        found = self._known.get(sha256)
        if found is None:
            token = self._catalog.token_by_hash(sha256)
            if token is None:
                return None
            workspace = self.workspace(token.workspace_id.removeprefix("ws_"))
            found = self._known[sha256] = Access(token, workspace)
        return found

    def is_valid(self, token: Token, as_of: Mark | None = None) -> bool:
        """Whether a token that was valid is so still: neither revoked since nor expired.

        Parameters
        ----------
        token
            As it was found.
        as_of
            What :meth:`mark` gave when it was shown; None to look now.
        """
        state = self._catalog.token_state(token.sha256, as_of)
        return state is not None and state.is_valid(self._clock())

    def is_to_be_noted(self, token: Token) -> bool:
        """Whether it is time to note in the catalog that a token is used: once a minute."""
        return self._clock() - self._noted.get(token.id, 0) >= _NOTE_EVERY_US

    def note_use(self, access: Access) -> None:
        """Note that a token is used now; a catalog that takes no note is no reason to refuse its owner."""
        now_us = self._noted[access.token.id] = self._clock()
        try:
            self._catalog.touch_token(access.token.id, now_us)
        except CatalogError as error:
            _LOG.warning("the use of token %s was not noted: %s", access.token.id, error)

    def close(self) -> None:
        """Close all workspaces and the catalog."""
        for workspace in self._opened.values():
            workspace.close()
        self._catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
