/** Styles shared by the elements of the host's page: cards, buttons, fields, tags. */
import { css, unsafeCSS } from 'lit';
import { controls } from '../style/controls.ts';
import { brand, visuallyHidden } from '../style/fragments.ts';

const shared = css`
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
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 10px 14px;
  }
  .picture {
    display: block;
    width: 100%;
    object-fit: contain;
    border-radius: 12px;
    background: oklch(0.14 0.009 228);
  }
  .visually-hidden {
    ${visuallyHidden}
  }
  form {
    display: grid;
    gap: 18px;
  }
  ul {
    margin-top: 8px;
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
    display: inline-flex;
    align-items: center;
    gap: 0.35em;
    min-height: 1.8em;
    color: var(--accent);
    text-decoration: underline;
    text-decoration-color: oklch(0.89 0.075 168 / 0.4);
    text-underline-offset: 0.25em;
  }
  .icon {
    flex: none;
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
  .empty {
    padding: 34px 20px;
    text-align: center;
    color: var(--ink-soft);
    border: 1px dashed var(--edge);
    border-radius: var(--radius);
  }
  @keyframes appear {
    from {
      opacity: 0;
      transform: translateY(8px);
    }
  }
  .title {
    font-size: 1.25em;
    overflow-wrap: anywhere;
  }
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
  /* A tap selects the whole code, so that the host can copy the code. */
  code {
    font: inherit;
    overflow-wrap: anywhere;
    user-select: all;
    -webkit-user-select: all;
  }
  fieldset,
  legend {
    margin: 0;
    padding: 0;
    border: 0;
    min-width: 0;
  }
  input:not([type='range'], [type='checkbox'], [type='radio']),
  textarea,
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
  .language select:not(:focus-visible) {
    border-color: transparent;
    background-color: transparent;
    color: var(--ink-soft);
  }
  .language select:hover {
    color: var(--ink);
    background-color: var(--raised);
  }
  option {
    background: #14191c;
    color: var(--ink);
  }
  .check {
    gap: 0.75em;
    min-height: 2.75em;
  }
  input[type='checkbox'],
  input[type='radio'] {
    appearance: none;
    flex: none;
    margin: 0;
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
  input:disabled,
  select:disabled {
    opacity: 0.5;
    cursor: default;
  }
  .options label {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 0 14px;
    align-items: start;
    padding: 12px 14px;
    border: 1px solid var(--edge);
    border-radius: 14px;
  }
  .options input {
    width: 1.25em;
    height: 1.25em;
    margin-top: 0.1em;
    border-radius: 50%;
    border: 1.5px solid var(--ink-soft);
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
  }
  label.plain {
    gap: 0.6em;
    color: var(--ink);
  }
  .chip input {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    opacity: 0;
  }
  .chip:has(:focus-visible) {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  table {
    width: 100%;
    border-collapse: collapse;
  }
  th,
  td {
    padding: 3px 0;
    padding-inline-end: 14px;
    border-bottom: 1px solid var(--line);
    font-weight: 400;
    text-align: start;
  }
  /* Align numbers and column titles with the end of their cells. */
  .loads :is(td, th:not(:first-child)) {
    padding-inline: 1.2em 0;
    text-align: end;
    vertical-align: bottom;
  }
  .loads th:first-child {
    width: 40%;
    overflow-wrap: anywhere;
  }
  thead th {
    color: var(--ink-soft);
    font-size: 0.9em;
  }
  .tiles {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, var(--least, 12.5em)), 1fr));
    gap: 16px 18px;
  }
  /* A floating bar with a sentence and buttons. */
  .pill {
    gap: 8px 12px;
    padding: 6px 8px;
    padding-inline-start: 20px;
    background: oklch(0.26 0.015 224 / 0.97);
    border: 1px solid var(--edge);
    border-radius: 26px;
    box-shadow: var(--shadow);
  }
  .lit,
  .chip:has(:checked),
  .tool[aria-pressed='true'],
  .seed[aria-pressed='true'] {
    background: var(--accent-deep);
    border-color: var(--accent-edge);
  }
  /* A bar that is filled from --from to --to. */
  .strip {
    position: relative;
    height: 5px;
    border-radius: 3px;
    background: oklch(0.95 0.01 210 / 0.1);
  }
  .strip i {
    position: absolute;
    inset-block: 0;
    inset-inline: var(--from) calc(100% - var(--to));
    border-radius: 3px;
    background: oklch(0.72 0.075 172);
  }
`;

/**
 * CSS rules with a single declaration, by selector. If a rule in `shared` has the same specificity,
 * the rule here wins.
 */
const RULES = {
  ':host': 'display: block',
  '[hidden]': 'display: none !important',
  '.facts': 'gap: 2px 1.4em',
  '.loads': 'max-width: 44em',
  legend: 'margin-bottom: 8px',
  'label:has([type=checkbox], [type=radio]), [type=checkbox], [type=radio]': 'cursor: pointer',
  'input[aria-invalid=true]': 'border-color: var(--alarm)',
  'input[type=checkbox]:checked::after': 'translate: calc(var(--forward) * 1.25em) 0',
  '.options input:checked': 'border: 0.4em solid var(--accent)',
  '.options label:has(:checked)': 'border-color: var(--accent-edge)',
  '.chip:has(:checked), .tool[aria-pressed=true]': 'color: var(--accent)',
  '.end': 'align-items: end',
  '.centre': 'align-items: center',
  '.relative': 'position: relative',
  '.whole': 'grid-column: 1 / -1',
  '.lined': 'border-top: 1px solid var(--line)',
  '.break': 'overflow-wrap: anywhere',
  '.name': 'font-weight: 500',
  '.part': 'margin: 26px 0 12px',
  '.picture.failed': 'visibility: hidden',
  '.empty p': 'margin-inline: auto',
  '.short input': 'width: 11em',
  '.snug .icon': 'margin: 0 -5px',
  '.fit': 'width: fit-content',
  '.grow': 'flex: 1',
  '.fills': 'flex: 1 1 16em',
  '.line': 'white-space: nowrap',
  '.pixelated': 'image-rendering: pixelated',
  '.square': 'aspect-ratio: 1',
  '.wide': 'max-width: none',
  '.plain.fit': 'white-space: normal',
  '.good': 'color: var(--accent)',
  '.warning': 'color: var(--warm)',
  '.wrong': 'color: var(--alarm)',
} as const;

/**
 * CSS classes that set one distance, such as `gap-8` for `gap: 8px`. Each entry lists the CSS
 * property, then the distances in px.
 */
const DISTANCES = {
  gap: ['gap', 8, 12, 14, 16, 20, 22],
  mt: ['margin-top', 4, 6, 8, 10, 12, 14],
  mb: ['margin-bottom', 10, 12, 14],
  px: ['padding-inline', 6],
  py: ['padding-block', 6, 8, 12],
} as const;

const tokens = [
  ...Object.entries(RULES).map(([selector, declaration]) => `${selector} { ${declaration}; }`),
  ...Object.entries(DISTANCES).flatMap(([name, [property, ...distances]]) =>
    distances.map((px) => `.${name}-${px} { ${property}: ${px}px; }`),
  ),
];

/** Styles shared by all elements of the host's page. An element's own styles can override them. */
export const hostStyle = [controls, shared, unsafeCSS(tokens.join('\n'))];

export const shellStyle = css`
  ${brand}
  :host {
    --card: oklch(0.195 0.011 225);
    --well: oklch(0.155 0.009 228);
    --edge: oklch(0.92 0.02 210 / 0.2);
    --accent-edge: oklch(0.89 0.075 168 / 0.5);
    --foot: 0px;
    position: fixed;
    inset: 0;
    display: grid;
    grid-template: minmax(0, 1fr) auto / minmax(0, 1fr);
    background: var(--bench);
    /* At least 15 px; on large screens, page.css sets a larger font size. */
    font-size: max(15px, 1em);
  }
  .shell {
    grid-template-columns: 15.5em minmax(0, 1fr);
    min-height: 0;
  }
  header {
    display: flex;
    flex-direction: column;
    gap: 18px;
    padding: 22px 14px max(16px, env(safe-area-inset-bottom));
    padding-inline-start: max(14px, var(--safe-start));
    background: oklch(0.165 0.01 227);
    border-inline-end: 1px solid var(--line);
    overflow-y: auto;
  }
  h1 {
    margin-inline-start: 0.95em;
  }
  main {
    container-type: size;
    overflow: auto;
  }
  /* No outline: the page focuses this element only so that screen readers announce the new
     section. */
  main:focus-visible {
    outline: none;
  }
  .page {
    max-width: 78em;
    padding: 30px 34px 80px;
    margin: 0 auto;
  }
  .page[data-section='watch'] {
    max-width: none;
    min-height: 100%;
    padding: 22px 24px;
  }
  .alert {
    padding: 12px 34px;
    background: oklch(0.3 0.05 28);
  }
  .alert > svg {
    flex: none;
    color: var(--alarm);
  }
  .offline {
    position: sticky;
    top: 0;
    z-index: 2;
  }
  .trouble {
    display: none;
    padding: 10px 16px;
    border-bottom: 1px solid var(--line);
  }
  .aside {
    margin: 0;
  }
  .aside li {
    border-bottom: 1px solid var(--line);
  }
  .calm {
    background: var(--card);
  }
  .aside p {
    flex: 1 1 12em;
    max-width: 60em;
  }
  @media (max-width: 860px) {
    :host {
      --foot: calc(4.5em + env(safe-area-inset-bottom));
    }
    .shell {
      grid-template: auto minmax(0, 1fr) / minmax(0, 1fr);
    }
    header {
      flex-direction: row;
      align-items: center;
      justify-content: space-between;
      gap: 12px;
      padding: max(8px, env(safe-area-inset-top)) 14px 8px;
      border-inline-end: 0;
      border-bottom: 1px solid var(--line);
      overflow: visible;
    }
    h1 {
      margin-inline-start: 2px;
    }
    .room {
      min-width: 8em;
      max-width: 55%;
    }
    .trouble {
      display: block;
    }
    host-nav {
      position: fixed;
      z-index: 4;
      inset: auto 0 0;
      background: oklch(0.175 0.01 227);
      border-top: 1px solid var(--line);
    }
    .page,
    .page[data-section='watch'] {
      padding: 18px 14px calc(var(--foot) + 24px);
    }
    .alert {
      padding: 12px 16px;
    }
  }
`;
