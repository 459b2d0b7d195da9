"""A builder: a form as widgets: entries, a preview, what saving would do, and the same as code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import ipywidgets as widgets

from aggflow.charts.panel import specification
from aggflow.charts.renderer import bundle
from aggflow.errors import AggflowError, ConflictError, Problem
from aggflow.notebook.entry import Section
from aggflow.notebook.entry_view import EntryView
from aggflow.notebook.form import Form
from aggflow.notebook.html_text import change_list, copied, heading, message, note, notice, title
from aggflow.notebook.previewer import Previewer, Shown
from aggflow.notebook.style import STYLE

_TEXTS: Final = ("Python", "YAML", "curl")
_WAITING: Final = "agf-waiting"


class Builder(widgets.VBox):
    """A form as widgets.

    Parameters
    ----------
    form
        What is built.
    make_previewer
        Makes the previewer, given what shows a preview; by default one with threads of its own.
    """

    def __init__(
        self, form: Form[Any], make_previewer: Callable[[Callable[[Shown], None]], Previewer] = Previewer
    ) -> None:
        self.form = form
        self.fields: dict[str, EntryView] = {}
        self.previewer = make_previewer(self._show)
        self._seen: Any = None
        self._saved = ""
        self._make_parts()
        super().__init__([widgets.HTML(STYLE), self.head, self.notice, self.body])
        self.add_class("agf-builder")
        form.observe(self._follow)
        self._follow("")

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {self.form.title}"

    # -- parts

    def _make_parts(self) -> None:
        self.head = widgets.HTML()
        self.head.add_class("agf-head")
        self.notice_text = widgets.HTML()
        self.look_again = self._button("Look again", self.form.touch)
        self.notice = widgets.VBox([self.notice_text, widgets.HBox([self.look_again])])
        left = widgets.VBox([*map(self._card, self.form.sections())])
        right = widgets.VBox(
            [*self._preview_cards(), *self.extra_cards(), self._save_card(), self._text_card()]
        )
        for column in (left, right):
            column.add_class("agf-column")
        self.body = widgets.Box([left, right])
        self.body.add_class("agf-body")

    def extra_cards(self) -> list[Any]:
        """Further parts beside the preview."""
        return []

    def refreshed(self) -> None:
        """Let further parts follow a change."""

    def _card(self, section: Section) -> Any:
        fields = {entry.name: EntryView(self.form, entry.name) for entry in section.entries}
        self.fields |= fields
        grid = widgets.Box(list(fields.values()))
        grid.add_class("agf-fields")
        if section.is_open:
            return framed(widgets.HTML(heading(section.title, section.help)), grid)
        parts = [widgets.HTML(note(section.help)), grid] if section.help else [grid]
        return widgets.Accordion([widgets.VBox(parts)], titles=(section.title,), selected_index=None)

    def _save_card(self) -> Any:
        self.save = self._button("Save", self._save, "primary")
        self.over = self._button("Put mine in its place", lambda: self._save(over=True))
        self.back = self._button("Take what is there", self._take_back)
        self.changes = widgets.HTML()
        self.reason = widgets.HTML()
        bar = widgets.HBox([self.save, self.over, self.back])
        bar.add_class("agf-bar")
        return framed(widgets.HTML(heading("Saving does this")), self.changes, bar, self.reason)

    def _preview_cards(self) -> list[Any]:
        self.chart = widgets.Output()
        self.chart.add_class("agf-preview")
        self.said = widgets.HTML()
        self.exact = self._button("Read every event", self._ask_exactly)
        bar = widgets.HBox([self.said, self.exact])
        bar.add_class("agf-bar")
        self.preview = framed(widgets.HTML(heading("Preview")), self.chart, bar)
        return [self.preview] if self.form.has_preview else []

    def _text_card(self) -> Any:
        self.tabs = widgets.ToggleButtons(options=_TEXTS, description="")
        self.tabs.observe(lambda _: self._show_text(), "value")
        self.text = widgets.HTML()
        tabs = widgets.HBox([self.tabs])
        tabs.add_class("agf-tabs")
        return framed(widgets.HTML(heading("The same as code")), tabs, self.text)

    def _button(self, text: str, do: Callable[[], None], kind: str = "") -> Any:
        button = widgets.Button(description=text)
        button.add_class("agf-button")
        if kind:
            button.add_class(kind)
        button.on_click(lambda _: do())
        return button

    # -- what follows a change

    def _follow(self, path: str) -> None:
        first = self.form.first()
        _put(self.notice_text, notice(first) if first else "")
        _display(self.notice, bool(first))
        _display(self.body, not first)
        for field in self.fields.values():
            field.refresh()
        if path:
            self._saved = ""
        if not first and self.form.has_preview:
            self._ask()
        self._show_state()
        self._show_text()
        self.refreshed()

    def _show_state(self) -> None:
        form = self.form
        reason, changes = form.reason, form.changes()
        chip = (
            ("new", "new")
            if form.base is None
            else ("changed", "warn")
            if form.is_dirty
            else ("saved", "good")
        )
        _put(self.head, title(form.title, *chip))
        self.save.disabled = bool(reason)
        _display(self.over, False)
        _display(self.back, False)
        _put(self.reason, self._saved or (_cannot(reason) if reason else ""))
        _put(self.changes, change_list(changes))
        _display(self.changes, bool(changes))

    def _show_text(self) -> None:
        make = {"Python": self.form.as_python, "YAML": self.form.as_yaml, "curl": self.form.as_curl}
        if self.form.problems:
            _put(self.text, note("It can be copied as soon as it can be saved."))
            return
        _put(self.text, copied(make[str(self.tabs.value)]()))

    # -- saving

    def _save(self, *, over: bool = False) -> None:
        try:
            stored = self.form.save(over=over)
        except ConflictError as error:
            # Either somebody else saved, which can be gone over, or the change is not allowed.
            _put(self.reason, message([Problem("", error.message)]))
            meanwhile = bool(self.form.meanwhile())
            _display(self.over, meanwhile)
            _display(self.back, meanwhile and self.form.base is not None)
            return
        except AggflowError as error:
            _put(self.reason, message([Problem("", error.message, error.hint)]))
            return
        told = "".join(note(str(effect)) for effect in stored.effects)
        self._saved = (
            f'<div class="agf-message note" role="status"><b>✓ Saved.</b> {self.form.saved()}</div>{told}'
        )
        self._show_state()

    def _take_back(self) -> None:
        self.form.reset()

    # -- the preview

    def _ask(self) -> None:
        seen = self.form.seen()
        if seen is None:
            self._seen = None
            self.previewer.say(
                Shown(text="A preview is shown as soon as the form can be read.", state="none")
            )
        elif self._seen is None or seen != self._seen:
            self._seen = seen
            work = self.form.preview()
            if work is not None:
                self.previewer.ask(work)

    def _ask_exactly(self) -> None:
        work = self.form.preview()
        if work is not None:
            self.previewer.ask(work, exact=True, delay=0)

    def _show(self, shown: Shown) -> None:
        """Show a preview; called from any thread.

        The last one stays while another is waited for, and is seen to be the last one.
        """
        if shown.state == "waiting":
            self.chart.add_class(_WAITING)
        if shown.state == "failed":
            _put(self.said, message([Problem("", shown.text)], "warning"))
        elif shown.state != "waiting" or shown.text:
            _put(self.said, note(shown.text))
        if shown.chart is not None:
            data = bundle(specification(shown.chart))
            self.chart.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)
        elif shown.state in ("none", "failed"):
            self.chart.outputs = ()
        if shown.state != "waiting":
            self.chart.remove_class(_WAITING)
        _display(self.exact, shown.state == "done" and not shown.exact)

    def close(self) -> None:
        """Make no more previews, and take the widgets away."""
        # One whose definition is not there ends before it has a previewer.
        if "previewer" in vars(self):
            self.previewer.close()
        super().close()


def framed(*parts: Any) -> Any:
    """Parts as one card."""
    card = widgets.VBox(list(parts))
    card.add_class("agf-card")
    return card


def _cannot(reason: str) -> str:
    first = reason.partition("\n")[0]
    return note(f"Cannot be saved yet. {first}")


def _put(widget: Any, text: str) -> None:
    if widget.value != text:
        widget.value = text


def _display(widget: Any, is_shown: bool) -> None:  # noqa: FBT001 - a value
    display = None if is_shown else "none"
    if widget.layout.display != display:
        widget.layout.display = display
