"""A curl command: how to ask an endpoint from a terminal."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from aggflow.timeline import Micros, format_instant


def curl(
    base: str, endpoint_id: str, end_us: Micros | None, grouping_filters: Mapping[str, Sequence[Any]]
) -> str:
    r"""A command that asks an endpoint.

    Parameters
    ----------
    base
        Of the service.
    endpoint_id
        The endpoint.
    end_us
        The end of the question; None for now.
    grouping_filters
        The values of its Query Time groupings.

    Examples
    --------
    >>> print(curl("http://127.0.0.1:8787/", "e1", None, {"origin": ["O'Hare"]}))
    curl http://127.0.0.1:8787/api/v1/data/e1 \
      -H "x-api-token: $AGGFLOW_TOKEN" \
      -d '{"groupingFilters": {"origin": ["O'"'"'Hare"]}}'
    """
    body: dict[str, Any] = {} if end_us is None else {"end": format_instant(end_us)}
    if grouping_filters:
        body["groupingFilters"] = {name: list(values) for name, values in grouping_filters.items()}
    url = shlex.quote(f"{base.rstrip('/')}/api/v1/data/{endpoint_id}")
    data = shlex.quote(json.dumps(body, ensure_ascii=False))
    return f'curl {url} \\\n  -H "x-api-token: $AGGFLOW_TOKEN" \\\n  -d {data}'
