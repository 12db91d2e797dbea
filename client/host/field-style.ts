/** Styles of form fields, switches, radio options and chips on the host's page. */
import { css } from 'lit';

/** Part of `hostStyle`. */
export const fields = css`
  .field {
    display: grid;
    gap: 6px;
    min-width: 0;
    align-content: start;
  }
  .field > span,
  legend {
    color: var(--ink-soft);
    font-size: 0.95em;
  }
  small {
    display: block;
    color: var(--ink-soft);
    font-size: 0.93em;
  }
  /* To be copied, or typed on another machine. */
  code {
    font: inherit;
    overflow-wrap: anywhere;
    user-select: all;
    -webkit-user-select: all;
  }
  fieldset {
    margin: 0;
    padding: 0;
    border: 0;
    min-width: 0;
  }
  legend {
    padding: 0;
    margin-bottom: 8px;
  }
  input:not([type='range'], [type='checkbox'], [type='radio']),
  select {
    font: inherit;
    color: var(--ink);
    min-height: 2.9em;
    width: 100%;
    padding: 0.45em 0.85em;
    background: var(--well);
    border: 1px solid var(--edge);
    border-radius: 12px;
    font-variant-numeric: tabular-nums;
  }
  select {
    appearance: none;
    padding-inline-end: 2.2em;
    background-image: url("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 12 12' fill='none' stroke='%23b6c0c4' stroke-width='1.4' stroke-linecap='round' stroke-linejoin='round'%3E%3Cpath d='m2.500 4.500 3.500 3.500 3.500-3.500'/%3E%3C/svg%3E");
    background-repeat: no-repeat;
    background-position: calc(50% + var(--forward) * (50% - 0.75em)) center;
    background-size: 0.9em;
  }
  option {
    background: #14191c;
    color: var(--ink);
  }
  input[aria-invalid='true'] {
    border-color: var(--alarm);
  }
  .check {
    gap: 0.75em;
    min-height: 2.75em;
    cursor: pointer;
  }
  input[type='checkbox'],
  input[type='radio'] {
    appearance: none;
    flex: none;
    margin: 0;
    cursor: pointer;
  }
  input[type='checkbox'] {
    position: relative;
    width: 2.9em;
    height: 1.65em;
    border-radius: 999px;
    background: oklch(0.95 0.01 210 / 0.16);
    border: 1px solid oklch(0.95 0.01 210 / 0.34);
    transition: background 0.15s;
  }
  input[type='checkbox']::after {
    content: '';
    position: absolute;
    inset-block: 2px;
    inset-inline-start: 2px;
    aspect-ratio: 1;
    border-radius: 50%;
    background: var(--ink);
    transition: translate 0.15s;
  }
  input[type='checkbox']:checked {
    background: oklch(0.5 0.07 172);
    border-color: var(--accent);
  }
  input[type='checkbox']:checked::after {
    translate: calc(var(--forward) * 1.25em) 0;
  }
  input:disabled,
  select:disabled {
    opacity: 0.5;
    cursor: default;
  }
  .switch {
    gap: 20px;
    cursor: pointer;
  }
  .options {
    display: grid;
    gap: 8px;
  }
  .options label {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 0 14px;
    align-items: start;
    padding: 12px 14px;
    border: 1px solid var(--edge);
    border-radius: 14px;
    cursor: pointer;
  }
  .options input {
    width: 1.25em;
    height: 1.25em;
    margin-top: 0.1em;
    border-radius: 50%;
    border: 1.5px solid var(--ink-soft);
  }
  .options input:checked {
    border: 0.4em solid var(--accent);
  }
  .options label:has(:checked) {
    border-color: oklch(0.89 0.075 168 / 0.5);
  }
  .chips {
    gap: 8px;
  }
  .chip {
    position: relative;
    display: inline-flex;
    align-items: center;
    min-height: 2.75em;
    padding: 0.3em 1.1em;
    border: 1px solid var(--edge);
    border-radius: 999px;
    color: var(--ink-soft);
    cursor: pointer;
  }
  .chip input {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    opacity: 0;
    cursor: pointer;
  }
  .chip:has(:checked) {
    color: var(--accent);
    background: var(--accent-deep);
    border-color: oklch(0.89 0.075 168 / 0.5);
  }
  .chip:has(:focus-visible) {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  .fields {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 12.5em), 1fr));
    gap: 16px 18px;
  }
  .wrong {
    color: var(--alarm);
  }
`;
