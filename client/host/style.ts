/** Styles that the elements of the host's page share: cards, buttons, tags, dialogs. */
import { css } from 'lit';
import { controls } from '../style/controls.ts';
import { visuallyHidden } from '../style/fragments.ts';
import { fields } from './field-style.ts';

const shared = css`
  :host {
    display: block;
  }
  [hidden] {
    display: none !important;
  }
  h2 {
    font-size: 1.65em;
    font-weight: 400;
    letter-spacing: -0.005em;
    line-height: 1.2;
  }
  h3 {
    font-size: 1.08em;
    font-weight: 500;
    line-height: 1.3;
  }
  p {
    max-width: 62ch;
    text-wrap: pretty;
  }
  .lead {
    margin-top: 0.45em;
    color: var(--ink-soft);
  }
  .head {
    align-items: end;
    gap: 14px 24px;
    margin-bottom: 22px;
  }
  .card {
    background: var(--card);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    padding: 20px 22px;
  }
  .cards {
    display: grid;
    gap: 14px;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 10px 14px;
  }
  .facts {
    gap: 2px 1.4em;
    max-width: none;
  }
  .part {
    margin: 26px 0 12px;
  }
  .picture {
    display: block;
    width: 100%;
    object-fit: contain;
    border-radius: 12px;
    background: oklch(0.14 0.009 228);
  }
  .picture.failed {
    visibility: hidden;
  }
  .visually-hidden {
    ${visuallyHidden}
  }
  form {
    display: grid;
    gap: 18px;
  }
  ul {
    list-style: none;
    margin: 8px 0 0;
    padding: 0;
  }
  summary {
    min-height: 2em;
    cursor: pointer;
  }
  button,
  .button {
    min-height: 2.75em;
    text-decoration: none;
  }
  .solid,
  .plain,
  .danger {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.6em;
    padding: 0.5em 1.2em;
    border-radius: 999px;
    white-space: nowrap;
  }
  .plain {
    color: var(--ink);
    border: 1px solid var(--edge);
  }
  .danger {
    color: var(--alarm);
    border: 1px solid oklch(0.76 0.13 28 / 0.4);
  }
  .danger.now {
    background: oklch(0.76 0.13 28);
    color: oklch(0.17 0.03 28);
    border-color: transparent;
    font-weight: 500;
  }
  .solid svg,
  .plain svg,
  .danger svg {
    width: 1.3em;
    height: 1.3em;
    margin-inline-start: -0.2em;
  }
  .link {
    min-height: 1.8em;
    color: var(--accent);
    text-decoration: underline;
    text-decoration-color: oklch(0.89 0.075 168 / 0.4);
    text-underline-offset: 0.25em;
  }
  .icon {
    display: inline-grid;
    place-content: center;
    width: 2.75em;
    border-radius: 50%;
    color: var(--ink-soft);
  }
  @media (hover: hover) {
    .plain:hover:not(:disabled),
    .icon:hover:not(:disabled) {
      background: var(--raised);
      color: var(--ink);
    }
    .danger:hover:not(:disabled) {
      background: oklch(0.76 0.13 28 / 0.12);
    }
    .danger.now:hover:not(:disabled) {
      background: oklch(0.82 0.11 28);
    }
    .link:hover {
      text-decoration-color: currentColor;
    }
  }
  .tag {
    display: inline-flex;
    align-items: center;
    gap: 0.5em;
    padding: 0.22em 0.75em;
    border-radius: 999px;
    border: 1px solid var(--line);
    font-size: 0.9em;
    color: var(--ink-soft);
    white-space: nowrap;
  }
  .tag::before {
    content: '';
    width: 0.5em;
    height: 0.5em;
    border-radius: 50%;
    background: currentColor;
  }
  .tag.good {
    color: var(--accent);
  }
  .warning {
    color: var(--warm);
  }
  .empty {
    padding: 34px 20px;
    text-align: center;
    color: var(--ink-soft);
    border: 1px dashed var(--edge);
    border-radius: var(--radius);
  }
  .empty p {
    margin-inline: auto;
  }
  @keyframes appear {
    from {
      opacity: 0;
      transform: translateY(8px);
    }
  }
`;

/** Every element of the host's page uses these styles, before its own. */
export const hostStyle = [controls, shared, fields];

/** Styles of modal dialogs, after `hostStyle`. */
export const dialogStyle = css`
  dialog {
    width: min(29em, calc(100vw - 32px));
    padding: 26px 26px 20px;
    color: var(--ink);
    background: oklch(0.22 0.012 225);
    border: 1px solid var(--edge);
    border-radius: 22px;
    box-shadow: var(--shadow);
  }
  dialog::backdrop {
    background: oklch(0.08 0.01 230 / 0.72);
  }
  dialog[open] {
    animation: appear 0.16s ease-out;
  }
  h2 {
    font-size: 1.35em;
    overflow-wrap: anywhere;
  }
  form {
    gap: 16px;
  }
  footer {
    justify-content: end;
    gap: 10px;
    margin-top: 6px;
  }
`;
