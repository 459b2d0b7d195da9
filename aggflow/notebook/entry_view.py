"""An entry view: the control of one entry of a form, with its label, and what is wrong beside it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from html import escape
from typing import Any, Final

import ipywidgets as widgets

from aggflow.notebook.entry import Entry, Option
from aggflow.notebook.form import Form
from aggflow.notebook.html_text import message, note

_LETTERS: Final = 58


class EntryView(widgets.VBox):
    """The control of one entry.

    Parameters
    ----------
    form
        The form.
    path
        Where the entry's value stands in it.
    """

    def __init__(self, form: Form[Any], path: str) -> None:
        self.form = form
        self.path = path
        self.entry = form.entry(path)
        self.control: Any = _CONTROLS[self.entry.kind](self)
        self.message = widgets.HTML()
        super().__init__([*self.control.parts, self.message])
        self.add_class("agf-field")
        if self.entry.is_wide or self.entry.kind in ("code", "choices", "rows"):
            self.add_class("agf-wide")
        self.refresh()

    def put(self, value: Any) -> None:
        """What was typed or chosen."""
        self.form.set(self.path, value)

    def refresh(self) -> None:
        """Show what the form holds now."""
        shown = self.entry.shows(self.path)
        display = None if shown else "none"
        if self.layout.display != display:
            self.layout.display = display
        if not shown:
            return
        options = self.entry.options(self.path)
        self.control.show(self.form.get(self.path), options)
        self._tell(options)

    def _tell(self, options: Sequence[Option]) -> None:
        problems = self.form.problems_at(self.path) if self.form.is_touched(self.path) else ()
        text = message(problems) or note(self._help(options))
        if self.message.value != text:
            self.message.value = text
        classes = self.control.widget._dom_classes  # noqa: SLF001 - it has no other way to be asked
        if ("agf-invalid" in classes) != bool(problems):
            change = self.control.widget.add_class if problems else self.control.widget.remove_class
            change("agf-invalid")

    def _help(self, options: Sequence[Option]) -> str:
        """What is known of the chosen value, and of the entry."""
        if self.entry.kind not in ("combo", "choice"):
            return self.entry.help
        value = self.form.get(self.path)
        chosen = next((option.help for option in options if option.value == value), "")
        return chosen or self.entry.help


class _Control:
    """What one types or chooses with: shows a value, and tells the view of another one."""

    def __init__(self, view: EntryView) -> None:
        self.view = view
        self.widget: Any = self.made(view.entry)
        self.widget.add_class("agf-control")
        self.parts: list[Any] = [self.widget]
        self.shows_in = 0
        self.widget.observe(self._tell, "value")

    def _tell(self, change: Any) -> None:
        # Options that are replaced choose the first of them by themselves: nobody did, unless on another thread.
        if self.shows_in != threading.get_ident():
            self.view.put(change.new)

    def made(self, entry: Entry) -> Any:
        return widgets.Text(description=entry.label, placeholder=entry.placeholder)

    def show(self, value: Any, options: Sequence[Option]) -> None:  # noqa: ARG002 - others have them
        if self.widget.value != value:
            self.widget.value = value


class _Code(_Control):
    """A text, with a button for each way in which it could go on."""

    def __init__(self, view: EntryView) -> None:
        super().__init__(view)
        self.ends = widgets.Box()
        self.ends.add_class("agf-chips")
        self._shown: tuple[Option, ...] = ()
        if view.entry.offer is not None:
            self.parts.append(self.ends)

    def made(self, entry: Entry) -> Any:
        made = widgets.Textarea(description=entry.label, placeholder=entry.placeholder, rows=1)
        made.add_class("agf-code-field")
        return made

    def show(self, value: Any, options: Sequence[Option]) -> None:
        super().show(value, options)
        # About so many letters stand in a line.
        rows = min(12, sum(1 + len(line) // _LETTERS for line in value.split("\n")))
        if self.widget.rows != rows:
            self.widget.rows = rows
        offered = tuple(options)
        if offered != self._shown:
            self._shown = offered
            self.ends.children = tuple(map(self._end, offered))

    def _end(self, option: Option) -> Any:
        button = widgets.Button(description=option.shown, tooltip=option.help or option.shown)
        button.add_class("agf-button")
        button.on_click(lambda _: self._take(option))
        return button

    def _take(self, option: Option) -> None:
        self.widget.value = option.value


class _Combo(_Control):
    def made(self, entry: Entry) -> Any:
        return widgets.Combobox(description=entry.label, placeholder=entry.placeholder, ensure_option=False)

    def show(self, value: Any, options: Sequence[Option]) -> None:
        offered = tuple(str(option.value) for option in options)
        if self.widget.options != offered:
            self.widget.options = offered
        super().show(value, options)


class _Choice(_Control):
    def made(self, entry: Entry) -> Any:
        return widgets.Dropdown(description=entry.label)

    def show(self, value: Any, options: Sequence[Option]) -> None:
        offered = [(option.shown, option.value) for option in options]
        if all(known != value for _, known in offered):
            # What is declared and cannot be chosen any more is shown all the same.
            offered.insert(0, (f"{value} (not there)" if value else "choose …", value))
        if self.widget.options != tuple(offered):
            self.shows_in = threading.get_ident()
            try:
                self.widget.options = tuple(offered)
                self.widget.value = value
            finally:
                self.shows_in = 0
        super().show(value, options)


class _Flag(_Control):
    def made(self, entry: Entry) -> Any:
        return widgets.Checkbox(description=entry.label, indent=False)


class _Choices(_Control):
    """A button an option, pressed where it is chosen."""

    def __init__(self, view: EntryView) -> None:
        self.view = view
        self.widget = widgets.Box()
        self.widget.add_class("agf-chips")
        self.buttons: dict[Any, Any] = {}
        self._shown: tuple[Option, ...] | None = None
        label = widgets.HTML(f'<div class="agf-label">{escape(view.entry.label)}</div>')
        self.parts = [label, self.widget]

    def show(self, value: Any, options: Sequence[Option]) -> None:
        known = [option.value for option in options]
        offered = (*options, *(Option(one, f"{one} (not there)") for one in value if one not in known))
        if offered != self._shown:
            self._shown = offered
            self.buttons = {option.value: self._button(option, option.value in value) for option in offered}
            self.widget.children = tuple(self.buttons.values())
        for one, button in self.buttons.items():
            if button.value != (one in value):
                button.value = one in value

    def _button(self, option: Option, is_chosen: bool) -> Any:  # noqa: FBT001 - a value
        button = widgets.ToggleButton(
            value=is_chosen, description=option.shown, tooltip=option.help or option.shown
        )
        button.observe(lambda change: self._put(option.value, change.new), "value")
        return button

    def _put(self, value: Any, is_chosen: bool) -> None:  # noqa: FBT001 - a value
        with self.view.form.lock:
            chosen = set(self.view.form.get(self.view.path))
            chosen = chosen | {value} if is_chosen else chosen - {value}
            self.view.put([one for one in self.buttons if one in chosen])


class _Rows(_Control):
    """A list of groups of entries, with buttons that add, remove and move."""

    def __init__(self, view: EntryView) -> None:
        self.view = view
        self.widget = widgets.VBox()
        self.widget.add_class("agf-rows")
        if view.entry.titled_by:
            self.widget.add_class("agf-titled")
        self.adder = widgets.Button(description=f"Add {view.entry.row}", icon="plus")
        self.adder.add_class("agf-button")
        self.adder.on_click(lambda _: view.form.add(view.path))
        self.rows: list[RowView] = []
        entry = view.entry
        label = [widgets.HTML(f'<div class="agf-label">{escape(entry.label)}</div>')] if entry.label else []
        self.parts = [*label, self.widget, *([] if entry.titled_by else [widgets.HBox([self.adder])])]

    def show(self, value: Any, options: Sequence[Option]) -> None:  # noqa: ARG002 - entries have options of their own
        count = len(value)
        if len(self.rows) != count:
            del self.rows[count:]
            self.rows += [RowView(self.view, i) for i in range(len(self.rows), count)]
            self.widget.children = tuple(self.rows)
        for row in self.rows:
            row.refresh()


class RowView(widgets.VBox):
    """One row of a list: its entries, and what can be done with it.

    Parameters
    ----------
    of
        The view of the list.
    index
        Its place in it.
    """

    def __init__(self, of: EntryView, index: int) -> None:
        form, path, entry = of.form, of.path, of.entry
        self.fields = {one.name: EntryView(form, f"{path}[{index}].{one.name}") for one in entry.of}
        self.of, self.index = of, index
        what = f"{entry.row} {index + 1}"
        self.remover = _quiet("Remove", f"Remove {what}", lambda: form.drop(path, index))
        self.mover = _quiet("↑", f"Move {what} up", lambda: form.move(path, index, -1))
        self.mover.layout.display = None if index else "none"
        grid = widgets.Box(list(self.fields.values()))
        grid.add_class("agf-fields")
        tools = widgets.HBox([self.mover, self.remover])
        tools.add_class("agf-tools")
        super().__init__([grid] if entry.titled_by else [grid, tools])
        self.add_class("agf-row")

    def refresh(self) -> None:
        """Show what the form holds now."""
        entry = self.of.entry
        if entry.titled_by:
            # What a row is about is the label of its first entry.
            named = self.of.form.get(f"{self.of.path}[{self.index}].{entry.titled_by}")
            first = self.fields[entry.of[0].name].control.widget
            if first.description != named:
                first.description = named
        for field in self.fields.values():
            field.refresh()


def _quiet(text: str, tooltip: str, do: Any) -> Any:
    button = widgets.Button(description=text, tooltip=tooltip)
    button.add_class("agf-button")
    button.add_class("quiet")
    button.on_click(lambda _: do())
    return button


_CONTROLS: dict[str, type[_Control]] = {
    "text": _Control,
    "code": _Code,
    "combo": _Combo,
    "choice": _Choice,
    "choices": _Choices,
    "flag": _Flag,
    "rows": _Rows,
}
