"""A style: how builders look, in the colours of JupyterLab's theme; narrow ones stand in one column."""

from __future__ import annotations

from typing import Final

# Where there is no JupyterLab, as on a page of Voila, the values behind the commas hold.
STYLE: Final = """
<style>
.agf-builder {
  --agf-text: var(--jp-ui-font-color1, #212121); --agf-muted: var(--jp-ui-font-color2, #616161);
  --agf-line: var(--jp-border-color2, #e0e0e0); --agf-ground: var(--jp-layout-color1, #fff);
  --agf-raised: var(--jp-layout-color2, #f6f7f9); --agf-brand: var(--jp-brand-color1, #1976d2);
  --agf-error: var(--jp-error-color1, #c62828); --agf-warn: var(--jp-warn-color0, #b35300);
  --agf-good: var(--jp-success-color0, #2e7d32);
  --agf-mono: var(--jp-code-font-family, ui-monospace, Menlo, Consolas, monospace);
  container-type: inline-size; width: 100%; color: var(--agf-text); font-size: 13px; line-height: 1.4;
  overflow: visible; padding: 2px; box-sizing: border-box;
}
[data-jp-theme-light="false"] .agf-builder { color-scheme: dark; --agf-error: #ff8a80; --agf-warn: #ffb74d; --agf-good: #81c784; }
.agf-builder .widget-html, .agf-builder .widget-html-content { width: auto; margin: 0; height: auto;
  font-size: inherit; line-height: inherit; overflow: visible; min-width: 0; }
.agf-builder .widget-html-content { padding: 0; white-space: normal; color: inherit; }
.agf-builder .widget-box, .agf-builder .jupyter-widgets { box-sizing: border-box; min-width: 0; }
.agf-builder .agf-head .agf-title { font-size: 18px; font-weight: 600; letter-spacing: -.01em; }
.agf-builder .agf-chip { display: inline-block; font-size: 11px; font-weight: 500; border-radius: 99px;
  padding: 1px 9px; margin-left: 10px; border: 1px solid currentColor; color: var(--agf-muted); vertical-align: 2px; }
.agf-builder .agf-chip.good { color: var(--agf-good); } .agf-builder .agf-chip.new { color: var(--agf-brand); }
.agf-builder .agf-chip.warn { color: var(--agf-warn); }
.agf-builder .agf-body { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 6fr); gap: 14px;
  align-items: start; margin-top: 10px; overflow: visible; }
@container (max-width: 760px) { .agf-builder .agf-body { grid-template-columns: minmax(0, 1fr); } }
.agf-builder .agf-column { gap: 12px; overflow: visible; }
.agf-builder .agf-card { border: 1px solid var(--agf-line); border-radius: 8px; padding: 11px 13px 13px;
  background: var(--agf-ground); overflow: visible; gap: 8px; }
.agf-builder h3.agf-section { margin: 0; font-size: 12.5px; font-weight: 600; color: var(--agf-text); }
.agf-builder .agf-help { color: var(--agf-muted); font-size: 11.5px; }
.agf-builder .agf-fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(150px, 100%), 1fr));
  gap: 8px 12px; overflow: visible; align-items: start; }
.agf-builder .agf-field { overflow: visible; } .agf-builder .agf-wide { grid-column: 1 / -1; }
.agf-builder .agf-control.widget-inline-hbox { display: flex; flex-direction: column; align-items: stretch;
  width: auto; height: auto; margin: 0; overflow: visible; }
.agf-builder .agf-control > .widget-label, .agf-builder .agf-label { width: auto; max-width: none;
  text-align: left; padding: 0 0 2px; height: auto; line-height: 1.4; font-size: 11.5px; font-weight: 500;
  color: var(--agf-muted); overflow: visible; white-space: normal; }
.agf-builder .agf-control input, .agf-builder .agf-control textarea, .agf-builder .agf-control select {
  width: 100%; min-width: 0; box-sizing: border-box; border-radius: 5px; font-size: 13px;
  border: 1px solid var(--jp-border-color1, #bdbdbd); background-color: var(--jp-layout-color0, #fff);
  color: var(--agf-text); padding: 4px 8px; height: 30px; flex: none; }
.agf-builder .agf-control select { padding: 0 4px; appearance: auto; background-image: none; }
.agf-builder .agf-control textarea { height: auto; min-height: 30px; resize: vertical; }
.agf-builder .agf-code-field textarea, .agf-builder .agf-code-field input { font-family: var(--agf-mono); font-size: 12.5px; }
.agf-builder .agf-control :is(input, textarea, select):focus { border-color: var(--agf-brand);
  box-shadow: 0 0 0 1px var(--agf-brand); }
.agf-builder .agf-invalid :is(input, textarea, select) { border-color: var(--agf-error); box-shadow: inset 3px 0 0 var(--agf-error); }
.agf-builder .widget-checkbox.agf-control { flex-direction: row; }
.agf-builder .widget-checkbox.agf-control label, .agf-builder .agf-control .widget-label-basic { display: flex;
  align-items: center; gap: 7px; width: auto; font-size: 13px; color: var(--agf-text); height: auto; min-height: 26px;
  white-space: normal; line-height: 1.25; }
.agf-builder .widget-checkbox.agf-control input { width: 15px; height: 15px; margin: 0; padding: 0; accent-color: var(--agf-brand); }
.agf-builder .agf-field:not(.agf-wide) > .widget-checkbox.agf-control { padding-top: 18px; }
.agf-builder .agf-message { font-size: 12px; margin-top: 3px; overflow-wrap: anywhere; }
.agf-builder .agf-message.error { color: var(--agf-error); } .agf-builder .agf-message.warning { color: var(--agf-warn); }
.agf-builder .agf-message.note { color: var(--agf-muted); font-size: 11.5px; }
.agf-builder .agf-message pre { font-family: var(--agf-mono); font-size: 12px; margin: 2px 0 0; padding: 0;
  background: none; color: inherit; white-space: pre; overflow-x: auto; line-height: 1.35; }
.agf-builder .agf-chips { display: flex; flex-flow: row wrap; gap: 5px; overflow: visible; }
.agf-builder .agf-code-field + .agf-chips { margin-top: 4px; }
.agf-builder .agf-chips .widget-toggle-button, .agf-builder .agf-button { width: auto; height: 26px; line-height: 24px;
  margin: 0; padding: 0 10px; border-radius: 99px; font-size: 11.5px; border: 1px solid var(--agf-line);
  background: var(--agf-ground); color: var(--agf-text); box-shadow: none; flex: none; }
.agf-builder .agf-chips .widget-toggle-button.mod-active { background: var(--agf-brand); border-color: var(--agf-brand);
  color: #fff; font-weight: 500; }
[data-jp-theme-light="false"] .agf-builder .agf-chips .widget-toggle-button.mod-active { color: #10131a; }
.agf-builder .agf-chips .widget-toggle-button.mod-active::before { content: "✓ "; }
.agf-builder .agf-button { border-radius: 5px; } .agf-builder .agf-button:hover:enabled { background: var(--agf-raised); }
.agf-builder .agf-button.primary { height: 32px; line-height: 30px; padding: 0 22px; font-size: 13px; font-weight: 600;
  background: var(--agf-brand); border-color: var(--agf-brand); color: #fff; }
[data-jp-theme-light="false"] .agf-builder .agf-button.primary { color: #10131a; }
.agf-builder .agf-button.primary:hover:enabled { background: var(--agf-brand); filter: brightness(1.1); }
.agf-builder .agf-button:disabled { opacity: .45; cursor: not-allowed; }
.agf-builder .agf-button.quiet { border-color: transparent; color: var(--agf-muted); padding: 0 7px; background: none; }
.agf-builder :is(button):focus-visible { outline: 2px solid var(--agf-brand); outline-offset: 2px; }
.agf-builder .agf-row { display: flex; flex-flow: row nowrap; gap: 6px; border-left: 3px solid var(--agf-line);
  padding: 2px 0 4px 11px; overflow: visible; align-items: flex-start; }
.agf-builder .agf-row + .agf-row { margin-top: 3px; } .agf-builder .agf-row > .agf-fields { flex: 1 1 auto; }
.agf-builder .agf-row .agf-fields { grid-template-columns: repeat(auto-fill, minmax(min(118px, 100%), 1fr)); }
.agf-builder .agf-titled > .agf-row > .agf-fields { grid-template-columns: repeat(auto-fill, minmax(min(136px, 100%), 1fr)); }
.agf-builder .agf-titled > .agf-row { border-left: 0; padding-left: 0; }
.agf-builder .agf-tools { flex: none; padding-top: 19px; }
.agf-builder .agf-rows { gap: 6px; overflow: visible; }
.agf-builder .agf-bar { gap: 9px; align-items: center; flex-wrap: wrap; overflow: visible; }
.agf-builder .agf-preview { min-height: 150px; overflow-x: auto; overflow-y: hidden; margin: -6px 0 0 -12px; }
.agf-builder .agf-preview.agf-waiting { opacity: .4; transition: opacity .2s .35s; }
.agf-builder .agf-preview .jp-OutputArea-output, .agf-builder .agf-preview .output_area { padding: 0; overflow: auto; }
.agf-builder .agf-preview .jp-OutputArea-prompt { display: none; }
.agf-builder .agf-changes { margin: 0; padding: 0; list-style: none; font-size: 12.5px; }
.agf-builder .agf-changes li { padding: 2px 0 2px 20px; position: relative; overflow-wrap: anywhere; }
.agf-builder .agf-changes li::before { position: absolute; left: 2px; content: "·"; font-weight: 700; }
.agf-builder .agf-changes li.warning::before { content: "▲"; font-size: 9px; top: 5px; color: var(--agf-warn); }
.agf-builder .agf-changes li.error::before { content: "✕"; color: var(--agf-error); }
.agf-builder .agf-text { position: relative; }
.agf-builder .agf-text pre { margin: 0; padding: 10px 74px 10px 12px; border-radius: 6px; background: var(--agf-raised);
  color: var(--agf-text); font-family: var(--agf-mono); font-size: 12px; line-height: 1.45; overflow: auto; max-height: 320px;
  white-space: pre; }
.agf-builder .agf-text button { position: absolute; top: 6px; right: 6px; height: 24px; border-radius: 5px; font-size: 11.5px;
  border: 1px solid var(--agf-line); background: var(--agf-ground); color: var(--agf-text); cursor: pointer; padding: 0 10px; }
.agf-builder .agf-tabs { gap: 2px; } .agf-builder .agf-tabs .widget-toggle-buttons { margin: 0; }
.agf-builder .agf-tabs .widget-toggle-buttons > .widget-label { display: none; }
.agf-builder .agf-tabs .widget-toggle-button { width: auto; height: 25px; line-height: 23px; margin: 0 4px 0 0; padding: 0 11px;
  border-radius: 5px; border: 1px solid transparent; background: none; color: var(--agf-muted); box-shadow: none; font-size: 12px; }
.agf-builder .agf-tabs .widget-toggle-button.mod-active { background: var(--agf-raised); color: var(--agf-text); font-weight: 600;
  border-color: var(--agf-line); }
.agf-builder .agf-notice { border-left: 4px solid var(--agf-brand); padding: 6px 12px; overflow-wrap: anywhere; }
.agf-builder .agf-notice pre { font-family: var(--agf-mono); font-size: 12px; background: none; color: inherit; padding: 0; margin: 4px 0 0; }
.agf-builder .widget-accordion { margin: 0; overflow: visible; }
.agf-builder .widget-accordion .jupyter-widget-Collapse, .agf-builder .widget-accordion .jupyter-widget-Collapse-header,
.agf-builder .widget-accordion .jupyter-widget-Collapse-contents { background: var(--agf-ground); border-color: var(--agf-line); color: var(--agf-text); }
.agf-builder .widget-accordion .jupyter-widget-Collapse { border: 1px solid var(--agf-line); border-radius: 8px; overflow: hidden; }
.agf-builder .widget-accordion .jupyter-widget-Collapse-header { border: 0; font-size: 12.5px; font-weight: 600; padding: 9px 12px; }
.agf-builder .widget-accordion .jupyter-widget-Collapse-contents { border: 0; padding: 4px 13px 11px; }
</style>
"""
