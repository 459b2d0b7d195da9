"""Home: which catalog this is, told by an id that it keeps wherever it is moved to."""

from __future__ import annotations

from contextlib import suppress
from uuid import uuid4

import sqlalchemy as sa

from aggflow.catalog.database import Database
from aggflow.catalog.tables import home
from aggflow.errors import ConflictError


class Home(Database):
    """The part of a catalog that knows which one it is."""

    def home_id(self) -> str:
        """The id of this catalog, made on first use."""
        if not (rows := self._read(sa.select(home.c.id))):
            # Another process may make it at this moment.
            with suppress(ConflictError), self._write() as connection:
                connection.execute(home.insert().values(number=1, id=str(uuid4())))
            rows = self._read(sa.select(home.c.id))
        return rows[0][0]
