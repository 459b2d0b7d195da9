"""A schedule: when a cube is built, as a cron expression."""

from __future__ import annotations

from collections import deque
from itertools import takewhile
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator

from aggflow.errors import ParseError, Problem
from aggflow.language import Cron
from aggflow.quote import quoted
from aggflow.spec.declaration import Declared, ProblemsError, as_validator_error, declaration, digest, plain
from aggflow.spec.text import Name, ZoneText
from aggflow.timeline import Micros, Zone


def _cron(value: Any) -> str:
    if not isinstance(value, str | Cron):
        raise ParseError(f"a text is needed, not {quoted(value)}", text=str(value), position=0)
    return Cron.of(value).text


def _named_zone(name: str) -> str:
    # Who keeps time for schedules knows zones by their names alone.
    zone = Zone.of(name)
    if zone.is_fixed and not zone.is_utc:
        raise ProblemsError(
            [Problem("", f"{name} is an offset, no time zone", "name one, such as Europe/Berlin, or UTC")]
        )
    return name


_MINUTE_US: Final = 60_000_000
_DAY_US: Final = 24 * 60 * _MINUTE_US
_BACK_US: Final = (_MINUTE_US, 60 * _MINUTE_US, _DAY_US, 31 * _DAY_US, 366 * _DAY_US)
CronText = Annotated[str, BeforeValidator(as_validator_error(_cron))]


@declaration
class Schedule(Declared):
    """When a cube is built.

    Attributes
    ----------
    cube
        Name of the cube.
    time_expression
        Six fields, seconds first: ``0 25 06 ? * *`` is every day at 06:25.
    timezone
        The zone of its clock: an IANA name.
    full_build
        Whether everything is built anew each time, or what is missing.
    created_by
        Who made it, for people.
    """

    cube: Name
    time_expression: CronText
    timezone: Annotated[ZoneText, AfterValidator(_named_zone)] = "UTC"
    full_build: bool = True
    created_by: str = ""

    @property
    def name(self) -> str:
        """What it is kept under: schedules of one meaning have one name, whoever made them."""
        return digest({name: value for name, value in plain(self).items() if name != "created_by"})

    @property
    def cron(self) -> Cron:
        """Its expression."""
        return Cron.of(self.time_expression)

    @property
    def zone(self) -> Zone:
        """The zone of its clock."""
        return Zone.of(self.timezone)

    @property
    def sentence(self) -> str:
        """When it builds, in plain English: ``every day at 06:25:00 UTC``."""
        return self.cron.sentence(self.zone)

    def latest_fire(self, after_us: Micros, until_us: Micros) -> Micros | None:
        """The last instant after one and up to another at which it fires; None where it does not.

        Examples
        --------
        >>> hour = 3_600_000_000
        >>> Schedule("flights", "0 0 * * * *").latest_fire(0, 10**15) == 10**15 // hour * hour
        True
        """
        # Looked for from the end on, further and further back: an old schedule fires often.
        for back in (*_BACK_US, until_us):
            since_us = max(after_us, until_us - back)
            fires = takewhile(lambda us: us <= until_us, self.cron.fires(max(since_us, 0), self.zone))
            latest = deque(fires, maxlen=1)
            if latest:
                return latest[0]
            if since_us <= after_us:
                return None
        return None

    def next_fires(self, after_us: Micros, count: int = 5) -> tuple[Micros, ...]:
        """The first instants after another at which it fires, rising."""
        return self.cron.next_fires(after_us, self.zone, count=count)
