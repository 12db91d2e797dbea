import { css } from 'lit';

/**
 * Styles of the drawing pad. The surrounding sheet sets the variables for the available size:
 * `--free-width`, `--free-height`, `--head` and, in landscape, `--side`.
 */
export const drawPadStyle = css`
  :host {
    --cell: max(44px, 3.15em);
    --step: 4px;
    --gap: 8px;
    --columns: 6;
    /* Number of rows of buttons below the pad. */
    --rows: 3;
    --below: calc(var(--rows) * var(--cell) + (var(--rows) - 2) * var(--step) + 2 * var(--gap));
    /* In a tiny window, the pad keeps most of the width, and the content scrolls. */
    --side-length: min(
      var(--free-width),
      max(
        var(--free-height) - var(--head) - 8px - var(--below),
        min(70dvw, var(--free-height) - var(--head) - 56px)
      ),
      60em
    );
    display: grid;
    grid-template: max-content max-content / minmax(0, 1fr);
    justify-items: center;
    align-content: start;
    gap: var(--gap);
    min-height: 0;
    overflow-y: auto;
    overscroll-behavior: contain;
  }
  .pad {
    position: relative;
    width: var(--side-length);
    aspect-ratio: 1;
    border-radius: 22px;
    overflow: hidden;
    background:
      radial-gradient(circle at 50% 45%, oklch(0.36 0.014 215), transparent 75%),
      oklch(0.28 0.012 225);
    box-shadow: inset 0 0 0 1px oklch(0.95 0.01 210 / 0.14);
  }
  :host([ink]) .pad {
    background: oklch(0.1 0.005 230);
  }
  canvas {
    touch-action: none;
    cursor: crosshair;
    border-radius: 22px;
    outline-offset: -4px;
  }
  .pad seed-film {
    inset: 3%;
    --from: scale(0.9);
    animation: fade-in 0.9s ease-out;
  }
  .hint {
    padding: 1em;
  }
  .refusal {
    inset: auto 8px 8px;
    width: fit-content;
    margin: 0 auto;
    padding: 0.5em 1em;
    border-radius: 1.2em;
    background: oklch(0.17 0.012 225 / 0.92);
  }
  .refusal:empty {
    padding: 0;
  }
  .pen {
    width: 18px;
    margin: -9px;
    border: 2px solid var(--accent);
  }
  .pen.down {
    background: oklch(0.89 0.075 168 / 0.6);
  }
  .side {
    display: flex;
    flex-direction: column;
    gap: var(--gap);
    width: min(var(--free-width), max(var(--least, var(--side-length)), 22em));
  }
  /* Layout while the grown creature is shown beside the drawing. */
  :host([grown]) {
    --below: calc(var(--cell) + 3.2em + 3 * var(--gap));
    --side-length: min(
      (var(--free-width) - var(--gap)) / 2,
      max(var(--free-height) - var(--head) - 8px - var(--below), 6em),
      24em
    );
    --least: calc(2 * var(--side-length) + var(--gap));
  }
  .pictures {
    align-items: start;
  }
  .creature:not(:empty) {
    margin-inline-start: var(--gap);
  }
  figcaption {
    width: var(--side-length);
    padding: 0.6em 4px 0;
  }
  .tools {
    grid-template-columns: repeat(var(--columns), minmax(0, 1fr));
    gap: var(--step);
  }
  /* Lay out the buttons of all radio groups in one common grid. */
  .tools [role='radiogroup'] {
    display: contents;
  }
  .tools button,
  .brushes button {
    width: 100%;
    height: var(--cell);
    border-radius: 14px;
  }
  .colours button::before {
    content: '';
    width: 1.95em;
    height: 1.95em;
    border-radius: 50%;
    background: var(--colour);
    box-shadow: inset 0 0 0 1px oklch(1 0 0 / 0.18);
    transition: transform 0.15s;
  }
  .colours button[aria-checked='true']::before {
    transform: scale(0.82);
    outline: 2px solid var(--ink);
    outline-offset: 4px;
  }
  .last {
    gap: var(--gap);
  }
  .last .brushes {
    flex: 1 1 calc(3 * var(--cell) + 2 * var(--step));
    display: grid;
    grid-template-columns: repeat(3, minmax(0, 1fr));
    gap: var(--step);
  }
  .brushes button[aria-checked='true'] {
    background: var(--raised);
  }
  .brushes i {
    width: calc(6px + 90px * var(--size));
    background: var(--colour);
    box-shadow: 0 0 0 1px oklch(1 0 0 / 0.18);
  }
  footer {
    flex: 1 1 9em;
    justify-content: center;
    gap: var(--gap);
  }
  footer button {
    flex: 1 1 6.5em;
    max-width: 16em;
    min-height: var(--cell);
    padding-inline: 0.6em;
    font-size: 1.07em;
    line-height: 1.15;
  }
  /*
   * Without colours, there are fewer buttons. The selector :where adds no specificity, so that the
   * media queries below can override this rule.
   */
  :host(:where([ink])) {
    --columns: 5;
    --rows: 2;
  }
  @media (min-width: 600px) and (max-aspect-ratio: 11/10) {
    :host(:not([ink])) {
      --columns: 12;
      --rows: 2;
      --gap: 10px;
    }
  }
  @media (max-width: 299px) {
    :host {
      --columns: 3;
    }
  }
  @media (min-aspect-ratio: 11/10) {
    :host {
      --columns: 4;
      --gap: 10px;
      --side-length: min(var(--free-height), var(--free-width) - var(--side) - var(--gap), 60em);
      grid-template: minmax(0, 1fr) / auto var(--side);
      overflow: hidden;
    }
    :host([grown]) {
      --side-length: min(
        var(--free-height) - 3.4em,
        (var(--free-width) - var(--side) - 2 * var(--gap)) / 2,
        30em
      );
    }
    .pictures {
      align-self: center;
      max-height: 100%;
      overflow-y: auto;
    }
    .side {
      width: var(--side);
      min-height: calc(var(--side-length) - var(--head) - var(--step));
      max-height: calc(var(--free-height) - var(--head) - var(--step));
      margin-top: calc(var(--head) + var(--step));
      overflow-y: auto;
      overscroll-behavior: contain;
    }
    .last {
      flex: 1 0 auto;
      flex-flow: column;
    }
    .last .brushes,
    footer {
      flex: none;
    }
    footer {
      margin-top: auto;
    }
    footer button {
      flex-basis: 5.5em;
      max-width: none;
    }
    @media (max-height: 359px) {
      :host {
        --gap: 6px;
      }
    }
    @media (max-width: 469px) {
      :host {
        --columns: 3;
      }
    }
    @media (max-width: 299px) {
      :host {
        --columns: 2;
      }
      .last .brushes {
        grid-template-columns: repeat(2, minmax(0, 1fr));
      }
    }
  }
`;
