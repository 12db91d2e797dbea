import { css } from 'lit';
import { brand, visuallyHidden } from '../../style/fragments.ts';

/** Layout of the visitor's page: a canvas with all other elements floating over it. */
export const roomStyle = css`
  ${brand}
  :host {
    position: fixed;
    inset: 0;
    overflow: hidden;
    user-select: none;
    -webkit-user-select: none;
  }
  canvas {
    touch-action: none;
    cursor: crosshair;
  }
  canvas:is([data-tool='damage'], [data-tool='graft']) {
    cursor: none;
  }
  canvas[data-tool='look'] {
    cursor: grab;
  }
  canvas[data-tool='look']:active {
    cursor: grabbing;
  }
  header {
    inset-block: var(--edge-top) auto;
    inset-inline: var(--edge-start) var(--edge-end);
    gap: 8px;
    align-items: flex-start;
    height: 2.6em;
    z-index: 4;
  }
  .language,
  room-status,
  tool-dock {
    pointer-events: auto;
  }
  /* Dark gradient that keeps the title readable in front of organisms. */
  header::before {
    content: '';
    position: absolute;
    inset-block: calc(-1 * var(--edge-top)) -1.4em;
    inset-inline: calc(-1 * var(--edge-start)) calc(-1 * var(--edge-end));
    z-index: -1;
    background: linear-gradient(oklch(0.13 0.008 230 / 0.85) 55%, transparent);
  }
  h1 {
    margin-top: 0.4em;
    margin-inline: 4px auto;
    white-space: nowrap;
  }
  .about {
    top: calc(100% + 0.9em);
    inset-inline-start: 4px;
    /* On a phone, leave space for the buttons that change the view. */
    max-width: min(26em, 100vw - 190px);
    padding: 6px 12px;
    text-wrap: balance;
  }
  .language {
    position: relative;
    min-width: 2.9em;
    height: 2.8em;
    letter-spacing: 0.04em;
    text-transform: uppercase;
  }
  .language:focus-within {
    color: var(--ink);
  }
  .language select {
    position: absolute;
    inset: -4px 0;
    width: 100%;
    font: inherit;
    text-transform: none;
    opacity: 0;
    cursor: pointer;
  }
  .language select:focus-visible + span {
    outline: 2px solid var(--accent);
    outline-offset: 6px;
    border-radius: 2px;
  }
  .language option {
    color: initial;
    background: initial;
  }
  .foot {
    inset-block: auto var(--edge-bottom);
    inset-inline: var(--edge-start) var(--edge-end);
    justify-content: center;
  }
  tool-dock {
    flex: 0 1 58em;
  }
  .hint {
    bottom: calc(100% + 6px);
    padding: 0.3em 1em;
    border-radius: 1.4em;
    background: oklch(0.17 0.012 225 / 0.8);
    --faintest: 0.72;
    animation: pulse 3.2s ease-in-out infinite;
  }
  .lens {
    inset: 0 auto auto 0;
    z-index: 5;
    width: 120px;
    background: var(--bench);
    box-shadow: 0 0 0 1.5px oklch(0.95 0.01 210 / 0.5), 0 6px 24px oklch(0 0 0 / 0.6);
  }
  /*
   * On a phone, notices are below the buttons that change the view; on other screens, beside the
   * organism card.
   */
  .shared {
    top: calc(var(--edge-top) + max(7em, 108px));
    inset-inline-start: var(--edge-start);
    z-index: 3;
    gap: 6px;
    max-width: min(34em, 100vw - 2 * var(--gap));
  }
  .shared .panel {
    position: relative;
    flex-wrap: wrap;
    gap: 2px 8px;
    min-height: 52px;
    padding-block: 4px;
    padding-inline: 18px 54px;
  }
  .shared span {
    flex: 1 1 12em;
  }
  .close {
    top: 3px;
    inset-inline-end: 6px;
  }
  find-mine,
  .view {
    bottom: var(--edge-bottom);
    inset-inline-start: var(--edge-start);
    z-index: 1;
  }
  .view {
    inset-inline: auto var(--edge-end);
    padding: 4px;
  }
  .view button {
    padding: 0.62em;
    border-radius: 14px;
  }
  .view button[aria-pressed='true'] {
    color: var(--accent);
  }
  room-overview {
    inset-inline-start: var(--edge-start);
    bottom: calc(var(--dock, 10em) + 66px);
    z-index: 1;
  }
  organism-card {
    top: calc(var(--edge-top) + 3.6em);
    inset-inline-end: var(--edge-end);
    max-height: calc(100dvh - var(--edge-top) - 3.6em - var(--edge-bottom));
    --from: translateY(8px);
    animation: fade-in 0.28s ease-out;
    z-index: 2;
  }
  .closed {
    z-index: 3;
    place-content: safe center;
    justify-items: center;
    overflow-y: auto;
    gap: 12px;
    padding: 24px;
    background: oklch(0.12 0.01 230 / 0.8);
  }
  .closed p {
    max-width: 34em;
    font-size: 1.15em;
  }
  .closed h1 {
    margin: 0;
  }
  .line {
    background: oklch(0.12 0.01 230 / 0.94);
  }
  .line .place {
    font-size: 4.2em;
    font-weight: 300;
    letter-spacing: -0.02em;
    line-height: 1;
    color: var(--accent);
    --faintest: 0.72;
    animation: pulse 3.6s ease-in-out infinite;
  }
  .line .aside {
    font-size: 0.95em;
  }
  /* In a window of little height, a notice (.shared) replaces the hint above the dock. */
  @media (max-height: 520px) {
    .foot:has(+ .shared > *) .hint {
      display: none;
    }
  }
  /* Up to this width, the dock is as wide as the window, so put the other controls above it. */
  @media (max-width: 1120px) {
    find-mine,
    .view {
      bottom: calc(var(--dock, 10em) + 8px);
    }
  }
  @media (max-width: 720px) {
    .foot {
      bottom: max(8px, env(safe-area-inset-bottom));
      inset-inline: max(8px, var(--safe-start)) max(8px, var(--safe-end));
    }
    tool-dock {
      flex: 1;
    }
    find-mine {
      inset-block: calc(var(--edge-top) + 3.8em) auto;
      inset-inline-start: 8px;
    }
    .view {
      inset-block: calc(var(--edge-top) + max(3.4em, 54px)) auto;
      inset-inline-end: 8px;
      grid-auto-flow: column;
      gap: 8px;
      padding: 0;
      background: none;
      border: 0;
      box-shadow: none;
    }
    .view button {
      display: grid;
      place-items: center;
      padding: 0;
      border-radius: 50%;
      background: var(--panel);
    }
    room-overview {
      inset-block: calc(var(--edge-top) + max(3.4em, 54px) + 54px) auto;
      inset-inline: auto 8px;
    }
    /* Leave space for the small map beside the notices. */
    .shared {
      max-width: calc(100vw - var(--gap) - min(96px, 26vw) - 24px);
    }
    organism-card {
      inset: auto 8px calc(var(--dock, 12.6em) + 8px);
      max-height: calc(100dvh - var(--dock, 12.6em) - var(--edge-top) - 60px);
    }
  }
  /* On a phone with a short screen, an open card covers the dock. */
  @media (max-width: 720px) and (max-height: 640px) {
    organism-card {
      bottom: max(8px, env(safe-area-inset-bottom));
      max-height: calc(100dvh - var(--edge-top) - 60px - env(safe-area-inset-bottom));
    }
  }
  /* On a phone in landscape, leave as much height as possible for the room. */
  @media (min-width: 400px) and (max-height: 520px) and (orientation: landscape) {
    :host {
      --edge-top: max(8px, env(safe-area-inset-top));
      --edge-end: max(10px, var(--safe-end));
      --edge-bottom: max(8px, env(safe-area-inset-bottom));
      --edge-start: max(10px, var(--safe-start));
    }
    .view,
    find-mine {
      top: calc(var(--edge-top) + max(3.4em, 54px));
      bottom: auto;
    }
    .view {
      grid-auto-flow: row;
      inset-inline-end: var(--edge-end);
    }
    room-overview {
      inset-block: calc(var(--edge-top) + max(3.4em, 54px)) auto;
      inset-inline: auto calc(var(--edge-end) + 62px);
    }
    .shared {
      top: var(--edge-top);
      inset-inline-start: 11em;
      z-index: 5;
      max-width: calc(100vw - 27em);
    }
    organism-card {
      inset-block: calc(var(--edge-top) + 48px) auto;
      inset-inline: var(--edge-start) auto;
      max-height: calc(100dvh - var(--edge-top) - 48px - var(--edge-bottom));
    }
  }
  @media (max-width: 720px), (min-width: 400px) and (max-height: 520px) and (orientation: landscape) {
    .view :is(.keys, .closer, .farther) {
      display: none;
    }
    /*
     * While the visitor chooses an organism to cross with another, hide the buttons that cover the
     * grid.
     */
    @media (min-width: 300px) and (min-height: 300px) {
      :host([crossing]) :is(.view, find-mine) {
        display: none;
      }
      :host([crossing]) organism-card {
        --above: calc(var(--dock, 12.6em) + 8px);
        bottom: var(--above);
        max-height: min(46dvh, 100dvh - var(--above) - var(--edge-top) - 60px);
      }
    }
  }
  @media (min-width: 400px) and (min-height: 300px) and (max-height: 520px) and (orientation: landscape) {
    :host([crossing]) organism-card {
      bottom: auto;
      width: min(21em, 46dvw);
      max-height: calc(100dvh - var(--above) - var(--edge-top) - 48px);
    }
  }
  /* In a tiny window, such as a phone at 200 % zoom, hide the least important elements. */
  @media (max-width: 299px), (max-height: 299px) {
    :host {
      --edge-top: max(6px, env(safe-area-inset-top));
      --edge-bottom: max(6px, env(safe-area-inset-bottom));
    }
    .view {
      top: calc(var(--edge-top) + 48px);
      grid-auto-flow: column;
      max-width: calc(100% - 84px);
      overflow-x: auto;
      scrollbar-width: none;
    }
    find-mine {
      top: calc(var(--edge-top) + 48px);
      max-width: 64px;
    }
    room-overview {
      display: none;
    }
    .shared {
      inset: 6px 6px auto;
      z-index: 5;
      max-width: none;
      max-height: calc(100dvh - 12px);
      overflow-y: auto;
    }
    organism-card {
      z-index: 6;
      inset: auto 6px 6px;
      max-height: calc(100dvh - 12px);
    }
  }
  @media (max-height: 199px) {
    find-mine,
    .view {
      z-index: 5;
      top: var(--edge-top);
    }
    .view {
      inset-inline: 60px auto;
      max-width: 44px;
    }
  }
  @media (max-width: 299px), (max-height: 199px) {
    h1 {
      ${visuallyHidden}
    }
    .language {
      margin-inline-start: auto;
    }
  }
  @media (pointer: coarse) {
    header,
    .language {
      height: 44px;
    }
    .language {
      min-width: 44px;
    }
    /*
     * The select can be smaller than the minimum touch size, because a press on its large label
     * opens it, too.
     */
    .language select {
      min-width: 0 !important;
      min-height: 0 !important;
    }
    h1 {
      align-self: center;
      margin-block: 0;
    }
  }
`;
