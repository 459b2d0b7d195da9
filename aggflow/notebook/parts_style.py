"""A style of parts: how the times of a schedule, what could be typed, and builds look; beside the style of forms."""

from __future__ import annotations

from typing import Final

PARTS_STYLE: Final = """
<style>
.agf-builder .agf-sentence { font-size: 15px; font-weight: 600; overflow-wrap: anywhere; }
.agf-builder .agf-line { overflow: hidden; }
.agf-builder .agf-line .jp-OutputArea-output { padding: 0; overflow: auto; }
.agf-builder .agf-line .jp-OutputArea-prompt { display: none; }
.agf-builder table.agf-times, .agf-builder table.agf-ended { border-collapse: collapse; font-size: 12.5px;
  font-variant-numeric: tabular-nums; margin: 0; }
.agf-builder table.agf-times :is(td, tr), .agf-builder table.agf-ended :is(td, th, tr) { background: none; border: 0;
  text-align: left; vertical-align: top; color: inherit; max-width: none; white-space: normal; }
.agf-builder table.agf-times td { padding: 2px 18px 2px 0; }
.agf-builder .agf-soon, .agf-builder table.agf-times .agf-note { color: var(--agf-muted); }
.agf-builder table.agf-times .agf-note { color: var(--agf-warn); }
.agf-builder table.agf-ended { width: 100%; }
.agf-builder table.agf-ended th { font-weight: 500; font-size: 11.5px; color: var(--agf-muted); padding: 0 10px 4px 0; }
.agf-builder table.agf-ended td { padding: 6px 10px 6px 0; border-top: 1px solid var(--agf-line); }
.agf-builder table.agf-ended :is(td, th).agf-number { text-align: right; }
.agf-builder table.agf-ended td.done { color: var(--agf-good); white-space: nowrap; }
.agf-builder table.agf-ended td.error { color: var(--agf-error); white-space: nowrap; }
.agf-builder table.agf-ended td.cancelled { color: var(--agf-muted); white-space: nowrap; }
.agf-builder .agf-query .agf-code-field textarea { min-height: 62px; }
.agf-builder .agf-button.agf-suggestion { font-family: var(--agf-mono); height: 24px; line-height: 22px; padding: 0 8px; }
.agf-builder .agf-suggestion.of-column, .agf-builder .agf-suggestion.of-table { border-color: var(--agf-brand); }
.agf-builder .agf-suggestion.of-keyword { font-weight: 600; }
.agf-builder .agf-builds { gap: 12px; overflow: visible; }
.agf-builder .agf-build { gap: 14px; align-items: center; overflow: visible; }
.agf-builder .agf-build .agf-build-text { flex: 1 1 auto; }
.agf-builder .agf-build-text .widget-html-content { width: 100%; }
.agf-builder .agf-build-head { display: flex; gap: 6px; align-items: baseline; }
.agf-builder .agf-percent { margin-left: auto; font-variant-numeric: tabular-nums; font-weight: 600; }
.agf-builder .agf-ground { height: 7px; border-radius: 99px; background: var(--agf-raised); margin: 4px 0 3px; overflow: hidden;
  border: 1px solid var(--agf-line); box-sizing: border-box; }
.agf-builder .agf-done { height: 100%; background: var(--agf-brand); border-radius: 99px; transition: width .4s ease-out; }
.agf-builder .agf-ground.unknown .agf-done { width: 30% !important; animation: agf-to-and-fro 1.6s ease-in-out infinite alternate; }
@keyframes agf-to-and-fro { from { margin-left: 0; } to { margin-left: 70%; } }
@media (prefers-reduced-motion: reduce) { .agf-builder .agf-done { animation: none !important; transition: none; } }
</style>
"""
