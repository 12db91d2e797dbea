/** Layout of the watch section: the live room beside the cards; on a phone above them. */
import { css } from 'lit';

/** Styles of `watch-section`. */
export const watchStyle = css`
  :host {
    display: grid;
    grid-template-columns: minmax(0, 1fr) 22.5em;
    gap: 18px;
    height: calc(100vh - 44px);
    /* Of the page's column, which is lower while notices are shown. */
    height: calc(100cqh - 44px);
  }
  .view {
    grid-template-rows: auto minmax(0, 1fr);
    gap: 12px;
    min-width: 0;
    min-height: 0;
  }
  .tools {
    justify-content: space-between;
    gap: 8px 16px;
  }
  .tools .row {
    gap: 8px;
  }
  .showing {
    align-items: center;
    gap: 4px 12px;
    flex-basis: 100%;
    padding: 6px 6px;
    padding-inline-start: 20px;
    border-radius: 24px;
    border: 1px solid oklch(0.89 0.075 168 / 0.5);
    background: var(--accent-deep);
  }
  .tight {
    position: absolute;
    inset-block: auto 14px;
    inset-inline: auto 14px;
    padding: 3px;
    border-radius: 16px;
    background: oklch(0.2 0.012 225 / 0.9);
    border: 1px solid var(--line);
  }
  .tight .icon {
    border-radius: 13px;
  }
  .tool[aria-pressed='true'] {
    color: var(--accent);
    background: var(--accent-deep);
    border-color: oklch(0.89 0.075 168 / 0.5);
  }
  .stage {
    position: relative;
    min-height: 0;
  }
  live-view {
    position: absolute;
    inset: 0;
  }
  live-organism {
    position: absolute;
    inset: 14px 14px auto auto;
  }
  live-organism.left {
    inset: 14px auto auto 14px;
  }
  .bar {
    position: absolute;
    left: 50%;
    bottom: 16px;
    translate: -50%;
    gap: 12px;
    width: max-content;
    max-width: calc(100% - 20px);
    padding: 7px 8px;
    padding-inline-start: 20px;
    min-height: 3.6em;
    border-radius: 999px;
    background: oklch(0.24 0.014 225 / 0.96);
    border: 1px solid var(--edge);
    box-shadow: var(--shadow);
  }
  .bar > span:only-child {
    padding-inline-end: 14px;
  }
  .shut {
    grid-row: 1 / -1;
    place-content: center;
    justify-items: center;
    gap: 18px;
    min-height: 16em;
    text-align: center;
  }
  aside {
    display: grid;
    grid-auto-rows: max-content;
    align-content: start;
    gap: 12px;
    overflow-y: auto;
    margin: 0 -6px;
    padding: 0 6px 20px;
  }
  .pause {
    gap: 14px;
    padding: 14px 20px;
    border-radius: var(--radius);
    border: 1px solid oklch(0.86 0.08 80 / 0.45);
    background: oklch(0.86 0.08 80 / 0.09);
    text-align: start;
  }
  .pause svg {
    flex: none;
    width: 2em;
    height: 2em;
    color: var(--warm);
  }
  .pause b {
    display: block;
    font-weight: 500;
    font-size: 1.08em;
  }
  .pause.paused {
    background: oklch(0.86 0.08 80);
    color: oklch(0.2 0.03 80);
  }
  .pause.paused svg,
  .pause.paused small {
    color: oklch(0.28 0.04 80);
  }
  @media (hover: hover) {
    .pause:not(.paused):hover {
      background: oklch(0.86 0.08 80 / 0.16);
    }
  }
  @media (max-width: 1100px) {
    :host {
      grid-template-columns: minmax(0, 1fr);
      height: auto;
    }
    .stage {
      height: min(62vh, 70vw);
    }
    .pause {
      grid-column: 1 / -1;
    }
    aside {
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 20em), 1fr));
      align-items: start;
      overflow: visible;
      margin: 0;
      padding: 0;
    }
  }
  @media (max-width: 1100px) and (max-height: 500px) {
    .stage {
      height: max(10em, calc(100vh - 215px));
    }
  }
  @media (max-width: 560px) {
    .stage {
      display: grid;
      gap: 8px;
      height: auto;
    }
    live-view {
      position: relative;
      height: 44vh;
    }
    /* Below the picture, of which it would leave nothing. */
    live-organism,
    live-organism.left {
      position: static;
    }
    .facts {
      width: 100%;
    }
  }
  @media (max-width: 560px), (max-width: 1100px) and (max-height: 500px) {
    .tight {
      inset-block: 8px auto;
      inset-inline: auto 8px;
      grid-auto-flow: column;
    }
  }
  @media (max-width: 560px) {
    .bar {
      bottom: 4px;
      min-height: 0;
      padding-block: 3px;
      padding-inline-start: 16px;
      gap: 8px;
      text-wrap: balance;
    }
    .bar .quiet {
      padding-inline: 0.6em;
    }
  }
  /* Beside the dish. */
  @media (min-width: 561px) and (max-width: 1100px) and (max-height: 500px) {
    .bar {
      left: 8px;
      bottom: 8px;
      flex-wrap: wrap;
      max-width: min(17em, 33%);
      border-radius: 24px;
      translate: none;
    }
  }
`;
