"""The operation of a workspace: what those who run it need to know: which home it is, what it reads, whether it is ready."""

from __future__ import annotations

from aggflow.backends.connect import split_url
from aggflow.engine.question_log import DAY_US
from aggflow.engine.slow_question import SlowQuestion
from aggflow.timeline import Micros
from aggflow.workspace.foundation import Foundation

# What Ibis calls the backends whose URLs begin otherwise; files have no scheme, and DuckDB reads them.
_BACKENDS = {"": "duckdb", "postgresql": "postgres"}


class OperationPart(Foundation):
    """The part of a workspace that those who run it ask."""

    @property
    def home_id(self) -> str:
        """The id of its home, which it keeps wherever it is moved to."""
        return self._catalog.home_id()

    def now_us(self) -> Micros:
        """What time it is here, in microseconds since the epoch."""
        return self._clock()

    def references(self) -> list[str]:
        """The references of all rollups: ``filter delays``, ``task by client``, ``cube flights/hourly``."""
        return sorted(self._targets.all())

    def backend_of(self, reference: str) -> str:
        """The name of the backend that a rollup is made on.

        Raises
        ------
        NotFoundError
            There is no such rollup.
        """
        return _backend(self._targets.get(reference).source.url)

    def backends(self) -> list[str]:
        """The names of the backends that the sources are on."""
        return sorted({_backend(stored.spec.url) for stored in self._declarations.all("source").values()})

    def slowest_questions(self, *, days: int = 7, most: int = 10) -> list[SlowQuestion]:
        """What took longest to answer lately, the slowest first; what was asked just now as well.

        Parameters
        ----------
        days
            How many days count, today among them.
        most
            How many at most.
        """
        self._questions.flush()
        logged = self._catalog.questions(self._id, self._clock() // DAY_US - days + 1)
        found = sorted(map(SlowQuestion.of, logged), key=lambda one: -one.milliseconds)
        return found[:most]

    def check(self) -> None:
        """Make sure that the catalog and the store can be used just now.

        Raises
        ------
        CatalogError, StoreError
            One of them cannot.
        """
        self._catalog.definitions_generation(self._id)
        self._store.check(is_new=not self._catalog.has_live_files())


def _backend(url: str) -> str:
    """The backend of a source's URL.

    Examples
    --------
    >>> _backend("duckdb:///data/flights.ddb"), _backend("/data/*.parquet"), _backend("postgresql://db/shop")
    ('duckdb', 'duckdb', 'postgres')
    """
    scheme = split_url(url)[0].partition("+")[0]
    return _BACKENDS.get(scheme, scheme)
