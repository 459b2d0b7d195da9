"""The flows, by the names that deployments know them by: ``aggflow.flows.build_cube`` and its like.

Installed, their files lie here; in a checkout, in the folder ``flows`` beside the package.
"""

from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2] / "flows"
if (_CHECKOUT / "backfill.py").is_file():
    __path__.append(str(_CHECKOUT))
