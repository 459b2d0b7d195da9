"""An event source: the source that widgets ask, and which of its columns play which part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, cast

from pydantic import BeforeValidator, PlainSerializer
from pydantic import Field as PydanticField

from aggflow.errors import Problem, did_you_mean
from aggflow.language import Path, canonical_subject, read_subject, write_subject
from aggflow.quote import quoted
from aggflow.spec.declaration import Declared, declaration
from aggflow.spec.text import Name, PathText

ID_FIELDS: Final = ("session_id", "product_id", "agent_id", "customer_id")
VALUE_FIELDS: Final = ("value", "amount", "price", "quantity", "duration_ms", "score", "rating")
ROLES: Final = ("event_type", *ID_FIELDS, "brand", "catalog")
"""The parts that one column each plays."""

NAME: Final = "default"
"""What the one event source of a workspace is kept under."""


def _by_name(value: Any) -> Any:
    """Columns that are called as the field that they play may be given as a list."""
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in cast("list[Any]", value)):
        return {name: name for name in cast("Sequence[str]", value)}
    return cast("Any", value)


def _listed(values: Mapping[str, str]) -> list[str] | dict[str, str]:
    if all(name == path for name, path in values.items()):
        return list(values)
    return dict(values)


ValuePaths = Annotated[Mapping[str, PathText], BeforeValidator(_by_name), PlainSerializer(_listed)]


@declaration
class EventSource(Declared):
    """The source that widgets ask, and which of its columns play which part.

    Each is a column, a path (``@.payload.type``), or LINQ behind an equals sign; a part that nothing
    plays cannot be asked for.

    Attributes
    ----------
    source
        Name of the source; its time is the time of the events.
    event_type
        What kind of event it is.
    session_id, product_id, agent_id, customer_id
        What the event belongs to.
    brand, catalog
        Ids by which questions are narrowed.
    metadata
        A column of JSON (or a struct), by whose keys questions group.
    values
        Numbers that are summed and averaged: by field (``value``, ``amount``, ``price``, ``quantity``,
        ``duration_ms``, ``score``, ``rating``) the column; a list, where they have the same names.
    """

    source: Name
    event_type: PathText | None = None
    session_id: PathText | None = None
    product_id: PathText | None = None
    agent_id: PathText | None = None
    customer_id: PathText | None = None
    brand: PathText | None = None
    catalog: PathText | None = None
    metadata: PathText | None = None
    values: ValuePaths = PydanticField(default_factory=dict[str, str])

    @property
    def name(self) -> str:
        """What it is kept under: a workspace has one."""
        return NAME

    def problems(self) -> Iterator[Problem]:
        """The values are fields that widgets know, the metadata is a place in the source."""
        for field in self.values:
            if field not in VALUE_FIELDS:
                hint = did_you_mean(field, VALUE_FIELDS)
                yield Problem(f"values.{field}", f"there is no value field {quoted(field)}", hint)
        if self.metadata is not None and not isinstance(read_subject(self.metadata), Path):
            yield Problem("metadata", "a column is needed, or a path", "keys are looked up in it")

    def path(self, part: str) -> str | None:
        """The canonical text of what plays a part: one of `ROLES`, or a value field; None for nothing.

        Examples
        --------
        >>> events = EventSource("events", event_type="@.kind", values={"amount": "revenue"})
        >>> events.path("event_type"), events.path("amount"), events.path("brand")
        ('kind', 'revenue', None)
        """
        text = getattr(self, part) if part in ROLES else self.values.get(part)
        return None if text is None else canonical_subject(text)

    def metadata_path(self, key: str) -> str | None:
        """The canonical path of a key of the metadata; None where there is no metadata.

        Examples
        --------
        >>> EventSource("events", metadata="payload").metadata_path("campaign")
        '@.payload.campaign'
        """
        if self.metadata is None:
            return None
        column = cast("Path", read_subject(self.metadata))
        return write_subject(Path((*column.parts, key)))
