import { css } from 'lit';
import { brand, visuallyHidden } from '../../style/fragments.ts';

/** Layout of the visitor's page: everything floats over the canvas. */
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
    outline-offset: -3px;
    cursor: crosshair;
  }
  canvas[data-tool='damage'] {
    cursor: none;
  }
  canvas[data-tool='look'] {
    cursor: grab;
  }
  canvas[data-tool='look']:active {
    cursor: grabbing;
  }
  header {
    position: absolute;
    inset-block: var(--edge-top) auto;
    inset-inline: var(--edge-start) var(--edge-end);
    display: flex;
    gap: 8px;
    align-items: flex-start;
    height: 2.6em;
    z-index: 4;
    pointer-events: none;
  }
  language-switch,
  room-status {
    flex: none;
  }
  language-switch,
  room-status,
  tool-dock,
  find-mine,
  organism-card {
    pointer-events: auto;
  }
  /* Keeps the title readable above organisms. */
  header::before {
    content: '';
    position: absolute;
    inset-block: calc(-1 * var(--edge-top)) -1.4em;
    inset-inline: calc(-1 * var(--edge-start)) calc(-1 * var(--edge-end));
    z-index: -1;
    background: linear-gradient(oklch(0.13 0.008 230 / 0.85) 55%, transparent);
  }
  h1 {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    margin-top: 0.4em;
    margin-inline: 4px auto;
    white-space: nowrap;
  }
  .foot {
    position: absolute;
    inset-block: auto var(--edge-bottom);
    inset-inline: var(--edge-start) var(--edge-end);
    display: flex;
    justify-content: center;
    pointer-events: none;
  }
  tool-dock {
    flex: 0 1 58em;
    min-width: 0;
  }
  .hint {
    position: absolute;
    bottom: calc(100% + 4.2em);
    padding: 0.3em 1em;
    border-radius: 999px;
    color: var(--ink);
    background: oklch(0.17 0.012 225 / 0.8);
    letter-spacing: 0.01em;
    --faintest: 0.72;
    animation: pulse 3.2s ease-in-out infinite;
  }
  find-mine {
    position: absolute;
    bottom: var(--edge-bottom);
    inset-inline-start: var(--edge-start);
    z-index: 1;
  }
  .view {
    position: absolute;
    bottom: var(--edge-bottom);
    inset-inline-end: var(--edge-end);
    padding: 4px;
    z-index: 1;
  }
  .view button {
    padding: 0.62em;
    border-radius: 14px;
  }
  .view button[aria-pressed='true'] {
    color: var(--accent);
  }
  organism-card {
    position: absolute;
    top: calc(var(--edge-top) + 3.6em);
    inset-inline-end: var(--edge-end);
    max-height: calc(100dvh - var(--edge-top) - 3.6em - var(--edge-bottom));
    --from: translateY(8px);
    animation: fade-in 0.28s ease-out;
    z-index: 2;
  }
  .closed {
    position: absolute;
    inset: 0;
    z-index: 3;
    place-content: safe center;
    justify-items: center;
    overflow-y: auto;
    gap: 12px;
    padding: 24px;
    text-align: center;
    background: oklch(0.12 0.01 230 / 0.8);
  }
  .closed p {
    max-width: 34em;
    text-wrap: balance;
    font-size: 1.15em;
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
  /* The dock takes the full width: the controls beside it move above it. */
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
    organism-card {
      inset: auto 8px calc(var(--dock, 12.6em) + 8px);
      max-height: calc(100dvh - var(--dock, 12.6em) - var(--edge-top) - 60px);
    }
  }
  /* A low phone has no room for both: the card covers the dock until it is closed. */
  @media (max-width: 720px) and (max-height: 640px) {
    organism-card {
      bottom: max(8px, env(safe-area-inset-bottom));
      max-height: calc(100dvh - var(--edge-top) - 60px - env(safe-area-inset-bottom));
    }
  }
  /* A phone in landscape: keep the remaining height for the room. */
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
    .hint {
      bottom: calc(100% + 0.6em);
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
  }
  /* A phone at 200 % zoom: hide the room's name and scroll sideways what does not fit. */
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
    language-switch {
      margin-inline-start: auto;
    }
  }
  @media (pointer: coarse) {
    header {
      height: 44px;
    }
    h1 {
      align-self: center;
      margin-block: 0;
    }
  }
`;
