"""A served app: the app of a process that does nothing but answer."""

from __future__ import annotations

import gc

from fastapi import FastAPI

from aggflow.api.app import create_app


def served_app() -> FastAPI:
    """The app of ``$AGGFLOW_HOME``, as `aggflow serve` runs it."""
    app = create_app()
    # What is there now stays: looking through it for garbage, again and again, would hold up answers.
    gc.collect()
    gc.freeze()
    return app
