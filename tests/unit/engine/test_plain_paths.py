"""Plain paths: whose values are held as the source has them, found as soon as the source tells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from shop import Shop

from aggflow.backends.source_rows import SourceRows
from aggflow.engine.plain_paths import PlainPaths
from aggflow.errors import SourceUnavailableError


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    made.source()
    yield made
    made.close()


class Source:
    """A source that is away at first, and a clock."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.is_away = False
        self.opened = 0
        self.seconds = 0.0

    @contextmanager
    def _opened(self) -> Iterator[SourceRows]:
        self.opened += 1
        if self.is_away:
            raise SourceUnavailableError("it is away")
        with self.shop.ws._declarations.open(self.shop.ws.sources["events"].spec) as rows:
            yield rows

    def open(self) -> AbstractContextManager[SourceRows]:
        return self._opened()

    def paths(self, where: str) -> PlainPaths:
        return PlainPaths(where, self.open, lambda: self.seconds)


def test_texts_and_whole_numbers_are_and_floating_ones_and_times_are_not(shop: Shop) -> None:
    where = "@.team == 'a' && @.points > 3 && @.value > 0.5 && @.arrived > '2025-01-01'"
    assert Source(shop).paths(where).get() == {"team", "points"}


def test_a_source_is_asked_once_and_not_at_all_without_conditions(shop: Shop) -> None:
    source = Source(shop)
    assert source.paths("").get() == frozenset()
    assert source.opened == 0
    of = source.paths("@.team == 'a'")
    assert of.get() == of.get() == {"team"}
    assert source.opened == 1


def test_one_that_is_away_is_asked_again_after_a_while(shop: Shop) -> None:
    source = Source(shop)
    source.is_away = True
    of = source.paths("@.team == 'a'")
    assert of.get() == of.get() == frozenset()
    assert source.opened == 1
    source.is_away = False
    source.seconds = 11.0
    assert of.get() == {"team"}
