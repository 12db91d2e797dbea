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
    inset: var(--edge-top) var(--edge-right) auto var(--edge-left);
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
    inset: calc(-1 * var(--edge-top)) calc(-1 * var(--edge-right)) -1.4em calc(-1 * var(--edge-left));
    z-index: -1;
    background: linear-gradient(oklch(0.13 0.008 230 / 0.85) 55%, transparent);
  }
  h1 {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    margin: 0.4em auto 0 4px;
    white-space: nowrap;
  }
  .foot {
    position: absolute;
    inset: auto var(--edge-right) var(--edge-bottom) var(--edge-left);
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
    inset: auto auto var(--edge-bottom) var(--edge-left);
    z-index: 1;
  }
  .view {
    position: absolute;
    inset: auto var(--edge-right) var(--edge-bottom) auto;
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
  room-overview {
    position: absolute;
    left: var(--edge-left);
    bottom: calc(var(--dock, 10em) + 66px);
    z-index: 1;
  }
  organism-card {
    position: absolute;
    inset: calc(var(--edge-top) + 3.6em) var(--edge-right) auto auto;
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
      inset: auto max(8px, env(safe-area-inset-right)) max(8px, env(safe-area-inset-bottom))
        max(8px, env(safe-area-inset-left));
    }
    tool-dock {
      flex: 1;
    }
    find-mine {
      inset: calc(var(--edge-top) + 3.8em) auto auto 8px;
    }
    .view {
      inset: calc(var(--edge-top) + max(3.4em, 54px)) 8px auto auto;
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
      inset: calc(var(--edge-top) + max(3.4em, 54px) + 54px) 8px auto auto;
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
      --edge-right: max(10px, env(safe-area-inset-right));
      --edge-bottom: max(8px, env(safe-area-inset-bottom));
      --edge-left: max(10px, env(safe-area-inset-left));
    }
    .view,
    find-mine {
      top: calc(var(--edge-top) + max(3.4em, 54px));
      bottom: auto;
    }
    .view {
      grid-auto-flow: row;
      right: var(--edge-right);
    }
    room-overview {
      inset: calc(var(--edge-top) + max(3.4em, 54px)) calc(var(--edge-right) + 62px) auto auto;
    }
    .hint {
      bottom: calc(100% + 0.6em);
    }
    organism-card {
      inset: calc(var(--edge-top) + 48px) auto auto var(--edge-left);
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
    room-overview {
      display: none;
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
      left: 60px;
      right: auto;
      max-width: 44px;
    }
  }
  @media (max-width: 299px), (max-height: 199px) {
    h1 {
      ${visuallyHidden}
    }
    language-switch {
      margin-left: auto;
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
