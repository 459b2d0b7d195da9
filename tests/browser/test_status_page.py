"""The status page in a browser: as wide as a desk and as narrow as a phone, light and dark, and kept fresh."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from headless import CHROMIUM
from lab import PATIENCE_MS
from running import running

import aggflow as af

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium"),
]
Aggregation: Any = af.Aggregation
Field: Any = af.Field


@dataclass(frozen=True)
class Site:
    """A service that runs, and the secret for it."""

    url: str
    token: str
    home: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("site") / "home"
    with af.open(home) as ws:
        declare(ws)
        token = ws.create_token("me", owner="a@b.example", permissions=["admin"])
    with running(home, home) as service:
        yield Site(service.url, token, home)


def declare(ws: af.Workspace) -> None:
    rng = random.Random(5)
    now_ms = time.time() * 1000
    ws.add_source("clicks", "embedded://", time="at", description="What visitors do.")
    ws.add_events(
        "clicks",
        [
            {
                "at": round(now_ms - rng.random() ** 1.5 * 86_400_000),
                "page": rng.choice(["/", "/pricing", "/docs", "/a/very/long/address/of/a/page/indeed"]),
                "ms": round(rng.lognormvariate(4, 1), 1),
            }
            for _ in range(5000)
        ],
    )
    measured = [Aggregation("ms", "@.ms", ["COUNT", "AVG", "PERCENTILES"])]
    grouped = [af.Grouping("@.page", "page")]
    ws.add_filter("pages", source="clicks", interval="5m", groupings=grouped, aggregations=measured)
    ws.add_filter("later", source="clicks", interval="1h", groupings=grouped, aggregations=measured)
    views, p95 = Field("views", "ms", "COUNT"), Field("p95", "ms", "PERCENTILES", 0.95)
    every = {"page": af.All()}
    ws.add_endpoint("total", filter="pages", timing=af.Lookback("12h"), fields=[views, p95])
    ws.add_endpoint("by page", filter="pages", timing=af.Lookback("12h"), fields=[views], groupings=every)
    series = af.TimeSeries("12h", interval="30m")
    ws.add_endpoint("over time", filter="pages", timing=series, fields=[views], groupings=every)
    ws.add_endpoint("speed", filter="pages", timing=series, fields=[p95], description="How long " * 20)
    ws.add_endpoint("not built", filter="later", timing=af.Lookback("12h"), fields=[views])
    ws.build("pages", progress=False)
    ws.add_cube("clicks", source="clicks", dimensions=[af.Dimension("page", "@.page")], measures=measured)
    ws.build_cube("clicks", progress=False)
    ws.add_schedule("clicks", "0 25 06 ? * *")
    ws.linq("from clicks group by page select avg(ms) as a")


class Looked:
    """A page that is open, with all that it asked for and all that it complained of."""

    def __init__(self, chromium: Any, site: Site, width: int = 1280, scheme: str = "light") -> None:
        self.site = site
        self.context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            permissions=["clipboard-read", "clipboard-write"],
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on(
            "console", lambda told: self.complaints.append(told.text) if told.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def enter(self) -> None:
        self.page.goto(self.site.url)
        self.page.fill("#token", self.site.token)
        self.page.click("button")
        self.page.wait_for_selector("#rollups .rollup")

    def see_all(self) -> None:
        """Scroll to the end, so that every picture is loaded."""
        self.page.evaluate(
            "async () => { for (let y = 0; y < document.body.scrollHeight; y += 300) {"
            " scrollTo(0, y); await new Promise((done) => setTimeout(done, 50)); } }"
        )
        self.wait("[...document.images].every((image) => image.complete)")

    def wait(self, truth: str) -> None:
        """Wait until something is true; Playwright's own way is what the page's policy forbids."""
        for _ in range(600):
            if self.page.evaluate(truth):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(truth)


@pytest.fixture
def looked(chromium: Any, site: Site) -> Iterator[Looked]:
    looked = Looked(chromium, site)
    yield looked
    looked.context.close()
    assert looked.complaints == []
    assert [url for url in looked.asked if not url.startswith(site.url)] == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_of_it_is_seen(chromium: Any, site: Site, width: int, scheme: str, tmp_path: Path) -> None:
    looked = Looked(chromium, site, width, scheme)
    page = looked.page
    looked.enter()
    looked.see_all()
    drawn = page.evaluate(
        "[...document.querySelectorAll('.preview img')].map((image) => [image.naturalWidth, image.width, image.currentSrc])"
    )
    assert len(drawn) == 3
    for natural, shown, address in drawn:
        assert natural > 200
        assert 0.8 * natural <= shown <= natural
        assert ("theme=dark" in address) == (scheme == "dark")
    # Nothing has to be scrolled sideways but what says so.
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cells = page.evaluate(
        "[...document.querySelectorAll('#schedules td, #questions td')].map((cell) => ["
        " cell.dataset.name ?? '', getComputedStyle(cell, '::before').content, cell.getBoundingClientRect().right])"
    )
    assert len(cells) > 5
    for name, before, right in cells:
        assert right <= width  # none is cut
        assert before == (f'"{name}"' if name and width < 640 else "none")
    assert page.locator("rect.events").count() == 2
    assert page.evaluate("getComputedStyle(document.querySelector('rect.events')).fill") in (
        "rgb(66, 105, 208)",
        "rgb(111, 147, 245)",
    )
    assert page.locator(".figures dd").count() == 2
    assert page.inner_text("#preview-" + card(page, "not built")) == "nothing of filter 'later' is built yet"
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 17, 24)"
    assert dark == (scheme == "dark")
    page.screenshot(path=tmp_path / f"{scheme}-{width}.png", full_page=True)
    looked.context.close()
    assert looked.complaints == []
    assert [url for url in looked.asked if not url.startswith(site.url)] == []


def card(page: Any, name: str) -> str:
    """The id of an endpoint's card."""
    found: str = page.locator("article.card", has=page.locator(f"h3:text-is('{name}')")).get_attribute("id")
    return found


def test_a_command_is_copied(looked: Looked) -> None:
    looked.enter()
    page = looked.page
    endpoint = card(page, "total")
    button = f"[data-copy='curl-{endpoint}']"
    # It says so for a moment only.
    page.locator(button).evaluate(
        "button => { window.said = []; new MutationObserver(() => window.said.push(button.textContent))"
        ".observe(button, {childList: true, characterData: true, subtree: true}); }"
    )
    page.click(button)
    looked.wait("window.said.includes('Copied')")
    copied: str = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.inner_text(f"#curl-{endpoint}")
    assert f"{looked.site.url}/api/v1/data/{endpoint}" in copied


def test_what_is_built_meanwhile_is_shown_without_a_reload(looked: Looked) -> None:
    looked.enter()
    page = looked.page
    page.evaluate("window.stays = true")
    endpoint = card(page, "not built")
    later = page.locator("#rollups .rollup", has=page.locator("h3:text-is('later')"))
    assert "nothing is built yet" in later.inner_text()
    headers = {"Authorization": f"Bearer {looked.site.token}"}
    answer = httpx.post(f"{looked.site.url}/api/v1/builds", json={"name": "later"}, headers=headers)
    assert answer.status_code == 202
    page.wait_for_selector(f"#preview-{endpoint} .figures")
    later.filter(has_text="built until").wait_for()
    assert page.evaluate("window.stays") is True


def test_who_signs_out_is_out(looked: Looked) -> None:
    looked.enter()
    page = looked.page
    page.reload()
    page.wait_for_selector("#rollups .rollup")
    page.click("text=Sign out")
    page.wait_for_selector("#token")
    page.goto(looked.site.url)
    assert page.locator("#token").count() == 1
    assert looked.context.cookies() == []


def test_a_wrong_token_is_said_to_be(chromium: Any, site: Site, tmp_path: Path) -> None:
    looked = Looked(chromium, site, 390)
    page = looked.page
    page.goto(site.url)
    page.fill("#token", "wrong")
    page.click("button")
    assert "the token is not valid" in page.inner_text("[role=alert]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=tmp_path / "sign-in.png")
    looked.context.close()


def test_the_description_of_routes_opens_as_well(looked: Looked) -> None:
    looked.enter()
    looked.page.click("nav >> text=API")
    looked.page.wait_for_selector("#operations-tag-management")
