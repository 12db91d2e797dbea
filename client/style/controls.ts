/**
 * Styles that all panels and controls share. Most sizes are in em, so that they scale with the
 * screen.
 */
import { css } from 'lit';
import { calm, owner } from './fragments.ts';

export const controls = css`
  * {
    box-sizing: border-box;
  }
  h1,
  h2,
  h3,
  p,
  dl,
  dd,
  ul,
  figure {
    margin: 0;
  }
  ul {
    padding: 0;
    list-style: none;
  }
  /*
   * Classes for layout. The selector :where gives them a specificity of zero, so that every other
   * rule overrides them.
   */
  :where(.flex) {
    display: flex;
    align-items: center;
  }
  :where(.spread) {
    justify-content: space-between;
  }
  :where(.wrap) {
    display: flex;
    flex-wrap: wrap;
  }
  :where(.grid, .middle) {
    display: grid;
  }
  :where(.middle) {
    place-items: center;
  }
  :where(.scroll) {
    overflow-y: auto;
    overscroll-behavior: contain;
  }
  :where(.over) {
    position: absolute;
  }
  :where(.rigid) {
    flex: none;
  }
  :where(.shrinks) {
    min-width: 0;
  }
  :where(.centred) {
    text-align: center;
    text-wrap: balance;
  }
  :where(.cut) {
    overflow: hidden;
    text-overflow: ellipsis;
  }
  :where(.round) {
    border-radius: 50%;
    aspect-ratio: 1;
  }
  :where(.tile, seed-film, organism-portrait) {
    aspect-ratio: 1;
  }
  :where(.ghost) {
    pointer-events: none;
  }
  .fill {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
  }
  .soft {
    color: var(--ink-soft);
  }
  .small {
    font-size: 0.93em;
  }
  .number {
    font-variant-numeric: tabular-nums;
  }
  .capital::first-letter {
    text-transform: uppercase;
  }
  /* A dot in a participant's colour, in front of the participant's name. */
  .who {
    flex: none;
    width: 0.7em;
    height: 0.7em;
    border-radius: 50%;
    background: oklch(${owner} var(--hue));
  }
  p > .who {
    display: inline-block;
    width: 0.6em;
    height: 0.6em;
    margin-inline-end: 0.45em;
  }
  .panel {
    background: var(--panel);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    box-shadow: var(--shadow);
  }
  button {
    font: inherit;
    color: inherit;
    background: none;
    border: 0;
    padding: 0;
    cursor: pointer;
    touch-action: manipulation;
    -webkit-tap-highlight-color: transparent;
  }
  button:disabled {
    opacity: 0.45;
    cursor: default;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  /* A canvas may fill the window, so draw its focus outline inside the canvas. */
  canvas:focus-visible {
    outline-width: 3px;
    outline-offset: -3px;
  }
  svg {
    display: block;
    flex: none;
    width: var(--icon, 1.55em);
    height: var(--icon, 1.55em);
    fill: none;
    stroke: currentColor;
    stroke-width: 1.5;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  /* Icons that point in the direction of reading. They are mirrored in right-to-left languages. */
  .along {
    transform: scaleX(var(--forward));
  }
  /* Letter spacing would break the connections between Arabic letters. */
  :dir(rtl) {
    letter-spacing: 0 !important;
  }
  .solid {
    background: var(--accent-deep);
    color: var(--accent);
    border-radius: 999px;
    padding: 0.55em 1.1em;
  }
  .quiet {
    color: var(--ink-soft);
    border-radius: 999px;
    padding: 0.55em 1em;
  }
  @media (hover: hover) {
    .solid:hover:not(:disabled) {
      background: oklch(0.42 0.05 175);
    }
    .quiet:hover,
    .bright:hover {
      color: var(--ink);
    }
    .raise:hover {
      color: var(--ink);
      background: var(--raised);
    }
  }
  .picks :is([aria-checked='true'], [aria-pressed='true']) {
    background: var(--raised);
    color: var(--ink);
  }
  .seed[aria-pressed='true'] {
    background: var(--accent-deep);
    box-shadow: inset 0 0 0 1.5px var(--accent);
  }
  input[type='range'] {
    appearance: none;
    width: 100%;
    height: 2.2em;
    margin: 0;
    background: none;
    cursor: pointer;
    touch-action: none;
    border-radius: 999px;
  }
  input[type='range']::-webkit-slider-runnable-track {
    height: 3px;
    border-radius: 2px;
    background: oklch(0.95 0.01 210 / 0.2);
  }
  input[type='range']::-moz-range-track {
    height: 3px;
    border-radius: 2px;
    background: oklch(0.95 0.01 210 / 0.2);
  }
  input[type='range']::-webkit-slider-thumb {
    appearance: none;
    width: 1.3em;
    height: 1.3em;
    margin-top: calc(1.5px - 0.65em);
    border-radius: 50%;
    background: var(--ink);
    box-shadow: 0 1px 6px oklch(0 0 0 / 0.5);
  }
  input[type='range']::-moz-range-thumb {
    width: 1.3em;
    height: 1.3em;
    border: 0;
    border-radius: 50%;
    background: var(--ink);
  }
  /*
   * Fades an element in. If --from is set to a CSS transform, the element starts with this
   * transform and moves to its normal position.
   */
  @keyframes fade-in {
    from {
      opacity: 0;
      transform: var(--from, none);
    }
  }
  @keyframes pulse {
    50% {
      opacity: var(--faintest, 0.5);
    }
  }
  /* Touch screens need larger controls. */
  @media (pointer: coarse) {
    button,
    select,
    input[type='range'] {
      min-width: 44px !important;
      min-height: 44px !important;
    }
    a.solid {
      display: inline-grid;
      align-content: center;
      min-height: 44px;
    }
  }
  ${calm}
  /*
   * Forced colours (high-contrast mode) hide backgrounds, so mark states by outlines. Pictures keep
   * their own colours.
   */
  @media (forced-colors: active) {
    [aria-pressed='true'],
    [aria-checked='true'] {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
    :focus-visible {
      outline: 3px solid CanvasText;
      outline-offset: 1px;
    }
    .tile,
    .nameless,
    .dot,
    .who,
    i {
      forced-color-adjust: none;
    }
    input[type='range'] {
      appearance: auto;
    }
  }
`;
