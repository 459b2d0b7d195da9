"""Row names: what names of a LINQ query mean before its group: columns, and what is selected with a name."""

# Ibis is untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import ibis.expr.datatypes as dt

from aggflow.errors import did_you_mean
from aggflow.language.kind import Columns, OpenColumns
from aggflow.language.mismatch import declared_type
from aggflow.language.predicate import Operand, Path, Predicate
from aggflow.language.query import BUCKET, substituted_predicate
from aggflow.language.reader import Reader
from aggflow.language.syntax import WrongHereError
from aggflow.language.term import Name, Term
from aggflow.quote import quoted


class RowNames:
    """What names mean in the rows of one query.

    Parameters
    ----------
    columns
        The columns of the table, None where they are not known.
    """

    def __init__(self, columns: Columns | None) -> None:
        self._columns = columns
        self._read: set[str] = set()
        self.selects: dict[str, Operand] = {}
        self.reader = Reader(self._name, self._type, declared=self._declared)

    def select(self, name: str, term: Term, at: int) -> None:
        """Give an expression a name."""
        operand = self.reader.operand(term)
        if isinstance(operand, Path) and name == operand.parts[-1] and len(operand.parts) == 1:
            return  # a column under its own name
        if name in self._read or name in self.selects or name == BUCKET:
            raise WrongHereError(
                f"the name {quoted(name)} is used more than once", at, "give it another by as"
            )
        self.selects[name] = operand

    def where(self, tree: Predicate) -> Predicate:
        """A condition in columns of the table."""
        for name, operand in reversed(self.selects.items()):
            tree = substituted_predicate(tree, {Path((name,)): operand})
        return tree

    def _name(self, term: Name) -> Operand:
        if term.parts[0] not in self.selects:
            self._read.add(term.parts[0])
            self._type(Path(term.parts), term)
        elif len(term.parts) > 1:
            raise WrongHereError(f"{term.parts[0]} is computed and has no fields", term.at)
        return Path(term.parts)

    def _type(self, path: Path, term: Name | None = None) -> Any:
        """The type of a path, None where it is not known."""
        name, *rest = path.parts
        if name in self.selects:
            return self._type_of_select(self.selects[name])
        if self._columns is None:
            return None
        if name == BUCKET and BUCKET not in self._columns:
            return dt.timestamp
        at = term.at if term else 0
        if name not in self._columns:
            if isinstance(self._columns, OpenColumns):
                return None
            raise WrongHereError(f"there is no column {quoted(name)}", at, did_you_mean(name, self._columns))
        type_: Any = self._columns[name]
        for part in rest:
            if not type_.is_struct():
                if type_.is_json() or type_.is_string():
                    return dt.string
                raise WrongHereError(f"{name} is {type_} and has no field {quoted(part)}", at)
            if part not in type_.names:
                raise WrongHereError(f"there is no field {quoted(part)}", at, did_you_mean(part, type_.names))
            type_ = type_[part]
        return type_

    def _declared(self, path: Path) -> Any:
        """The declared type of a path, also under a name that was given to it."""
        selected = self.selects.get(path.parts[0])
        if selected is not None:
            return self._declared(selected) if isinstance(selected, Path) else None
        return None if self._columns is None else declared_type(path, self._columns)

    def _type_of_select(self, operand: Operand) -> Any:
        if isinstance(operand, Path):
            return self._type(operand)
        types = {"text": dt.string, "number": dt.int64, "boolean": dt.boolean, "time": dt.timestamp}
        return types.get(self.reader.kind(operand) or "")
