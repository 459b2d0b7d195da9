from __future__ import annotations

import json
from typing import Any

from aggflow.charts.fires import draw_fires
from aggflow.language import Cron
from aggflow.spec.fire import next_fires
from aggflow.timeline import Zone, parse_instant

BERLIN = Zone.of("Europe/Berlin")


def drawn(
    expression: str, now: str, *, count: int = 10, zone: Zone = BERLIN, **options: Any
) -> dict[str, Any]:
    now_us = parse_instant(now)
    fires = next_fires(Cron.of(expression), zone, now_us, count) if count else ()
    return draw_fires(fires, zone, now_us, **options).to_dict()


def rows(spec: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The rows of all layers that have a key."""
    found = [row for values in spec.get("datasets", {}).values() for row in values]
    text = json.dumps(spec)
    assert "datasets" in spec or '"values"' in text
    return [row for row in found if key in row]


def test_a_dot_a_time_on_the_clock_of_the_zone() -> None:
    spec = drawn("0 25 6 ? * *", "2026-11-25T22:00Z")
    dots = rows(spec, "when")
    assert len(dots) == 10
    assert [dot["next"] for dot in dots] == [True] + [False] * 9
    # 06:25 in Berlin, as the clock shows it, whatever zone the browser has.
    assert dots[0]["t"] == parse_instant("2026-11-26T06:25:00Z") // 1000
    assert dots[0]["utc"] == "2026-11-26T05:25:00Z"
    assert '"type": "utc"' in json.dumps(spec)


def test_a_change_of_clocks_is_a_rule_with_a_sentence() -> None:
    spec = drawn("0 30 2 ? * *", "2026-03-25T10:00Z")
    assert {row["text"] for row in rows(spec, "text")} == {"now", "clocks go forward 1 h"}
    assert "daylight saving" in json.dumps(spec)
    assert {row["text"] for row in rows(drawn("0 30 2 ? * *", "2026-06-25T10:00Z"), "text")} == {"now"}


def test_weekends_are_shaded_on_lines_of_days_only() -> None:
    assert len(rows(drawn("0 0 6 ? * *", "2026-11-25T22:00Z"), "to")) >= 2
    assert rows(drawn("0 0/15 * * * *", "2026-11-25T22:00Z"), "to") == []
    assert rows(drawn("0 0 3 L * *", "2026-11-25T22:00Z"), "to") == []


def test_themes_have_their_grounds_and_nothing_to_show_is_said() -> None:
    light, dark = (drawn("0 0 6 ? * *", "2026-11-25T22:00Z", theme=theme) for theme in ("light", "dark"))
    assert light["config"]["background"] != dark["config"]["background"]
    assert "no times to show" in json.dumps(drawn("0 0 6 ? * *", "2026-11-25T22:00Z", count=0))
