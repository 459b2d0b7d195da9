"""A token command: what makes a first token, typed on the machine of the service."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aggflow.secret import without_password
from aggflow.settings import Settings

_COMMAND: Final = "aggflow token create me --owner me@example.com --permission admin"
_WORKSPACE: Final = Settings.model_fields["workspace"].default


@dataclass(frozen=True)
class TokenCommand:
    """How a token is made that the service takes.

    Attributes
    ----------
    text
        The command.
    note
        What has to be filled in; empty where nothing has.
    """

    text: str
    note: str

    @classmethod
    def of(cls, place: str, workspace: str) -> TokenCommand:
        """The command for a home: who may see it may know where that is.

        Parameters
        ----------
        place
            A folder, or the URL of a catalog, whose secrets are hidden.
        workspace
            The one that the service takes where none is named.

        Examples
        --------
        >>> TokenCommand.of("/data/my shop", "self").text
        "aggflow token create me --owner me@example.com --permission admin --home '/data/my shop'"
        >>> TokenCommand.of("postgresql://me:secret@db/shop", "eu").text.partition("admin ")[2]
        "--home 'postgresql://me:***@db/shop' --workspace eu"
        """
        home = without_password(place) if "://" in place else str(Path(place).absolute())
        named = "" if workspace == _WORKSPACE else f" --workspace {workspace}"
        hidden = "://" in place and home != place
        note = "With the secret of the URL in place of ***." if hidden else ""
        return cls(f"{_COMMAND} --home {shlex.quote(home)}{named}", note)

    @classmethod
    def from_elsewhere(cls) -> TokenCommand:
        """The command for who may not know where the home is."""
        return cls(f"{_COMMAND} --home HOME", "On the machine of the service, HOME being what it serves.")
