"""The page: what a browser shows of the service's address; nothing of it is fetched from elsewhere."""

from __future__ import annotations

import os
from html import escape
from string import Template

from aggflow import __version__

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>aggflow</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  main { max-width: 40rem; margin: 12vh auto; padding: 0 1.5rem; }
  h1 { margin: 0; font-size: 2rem; }
  p { margin: .25rem 0 1.5rem; opacity: .7; }
  a { display: block; padding: .75rem 1rem; margin: .5rem 0; border: 1px solid #8885; border-radius: .5rem;
      color: inherit; text-decoration: none; }
  a:hover { border-color: currentColor; }
  small { display: block; opacity: .7; }
</style>
<main>
  <h1>aggflow</h1>
  <p>Answers from states, in milliseconds. Version $version.</p>
  <a href="docs">API<small>every route, to read and to try</small></a>
  <a href="readyz">Ready?<small>the catalog, the store, Prefect</small></a>
  $prefect
</main>
</html>
""")


def page() -> str:
    """The page, as HTML."""
    api = os.environ.get("PREFECT_API_URL", "")
    link = ""
    if api.startswith(("http://", "https://")) and "@" not in api:
        ui = escape(api.removesuffix("/api"), quote=True)
        link = f'<a href="{ui}">Prefect<small>schedules, runs, progress</small></a>'
    return _PAGE.substitute(version=escape(__version__), prefect=link)
