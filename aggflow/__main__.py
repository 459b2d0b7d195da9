"""``python -m aggflow`` is the command ``aggflow``."""

from __future__ import annotations

from aggflow.cli import app

if __name__ == "__main__":
    app(prog_name="aggflow")
