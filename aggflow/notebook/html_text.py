"""An HTML text: what builders say beside their controls, with everything of users escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from aggflow.errors import Problem
from aggflow.notebook.change import Change

_SIGNS: Final = {"error": "✕ Error", "warning": "▲ Warning", "note": ""}
# Where the page is not served securely there is no clipboard: then the text is selected and copied as by hand.
_COPY: Final = (
    "const t=this.parentElement.querySelector('pre'),b=this,done=()=>{b.textContent='Copied';"
    "setTimeout(()=>b.textContent='Copy',1500)},hand=()=>{const r=document.createRange();"
    "r.selectNodeContents(t);const s=getSelection();s.removeAllRanges();s.addRange(r);"
    "if(document.execCommand('copy'))done()};"
    "navigator.clipboard?navigator.clipboard.writeText(t.textContent).then(done,hand):hand()"
)


def message(problems: Iterable[Problem], level: str = "error") -> str:
    """Problems as they stand beside an entry: in words, not only in colour; empty for none."""
    parts = [_problem(problem, level) for problem in problems]
    return "".join(parts)


def _problem(problem: Problem, level: str) -> str:
    sign = f"<b>{_SIGNS[level]}:</b> " if _SIGNS[level] else ""
    first, *rest = problem.message.split("\n")
    # The caret of a text that cannot be read stands under its letter; what is said below it may be broken.
    caret = "\n".join(line for line in rest if line.startswith(" "))
    below = "".join(f"<div>{escape(line)}</div>" for line in rest if not line.startswith(" "))
    drawn = (f"<pre>{escape(caret)}</pre>" if caret else "") + below
    hint = f" — {escape(problem.hint)}" if problem.hint else ""
    return f'<div class="agf-message {level}" role="status">{sign}{escape(first)}{hint}{drawn}</div>'


def note(text: str) -> str:
    """A sentence that explains; empty for none."""
    return f'<div class="agf-message note">{escape(text)}</div>' if text else ""


def heading(title: str, help_text: str = "") -> str:
    """The head of a section."""
    more = f'<div class="agf-help">{escape(help_text)}</div>' if help_text else ""
    return f'<h3 class="agf-section">{escape(title)}</h3>{more}'


def title(text: str, chip: str, kind: str) -> str:
    """The head of a builder: what is open, and whether it is saved."""
    return f'<span class="agf-title">{escape(text)}</span><span class="agf-chip {kind}">{escape(chip)}</span>'


def change_list(changes: Sequence[Change]) -> str:
    """What saving would do, as a list."""
    words = {"note": "", "warning": "Warning: ", "error": "Not allowed: "}
    items = "".join(
        f'<li class="{change.level}">{words[change.level]}{escape(change.text)}</li>' for change in changes
    )
    return f'<ul class="agf-changes">{items}</ul>'


def copied(text: str) -> str:
    """A text to be copied, with the button that does."""
    return (
        f'<div class="agf-text"><pre tabindex="0">{escape(text)}</pre>'
        f'<button type="button" onclick="{escape(_COPY)}">Copy</button></div>'
    )


def notice(text: str) -> str:
    """What has to be known before anything else; lines behind the first are code."""
    first, _, rest = text.partition("\n")
    code = f"<pre>{escape(rest)}</pre>" if rest else ""
    return f'<div class="agf-notice" role="status">{escape(first)}{code}</div>'
