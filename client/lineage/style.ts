import { css } from 'lit';
import { controls } from '../style/controls.ts';
import { facts, plainSelect, roundButton, visuallyHidden } from '../style/fragments.ts';

/** Styles of the family-tree page and of its card, which describes the selected organism. */
export const style = [
  controls,
  css`
    ${facts}
    .all {
      background: radial-gradient(circle at 50% 45%, #1b2123, #12171a 60%, #0b0d0f 100%);
    }
    canvas.tree {
      touch-action: none;
      cursor: grab;
    }
    canvas.tree:active {
      cursor: grabbing;
    }
    .head,
    .foot {
      inset-inline: var(--edge-start) var(--edge-end);
    }
    .head {
      top: var(--edge-top);
      align-items: flex-start;
      gap: 12px;
    }
    .foot {
      bottom: var(--edge-bottom);
      align-items: flex-end;
      gap: 10px;
    }
    /* Darken the tree behind the heading, so that the text stays readable. */
    .head::before {
      content: '';
      position: absolute;
      inset-block: calc(-1 * var(--edge-top)) -1em;
      inset-inline: calc(-1 * var(--edge-start)) calc(-1 * var(--edge-end));
      background: linear-gradient(#12171a 55%, transparent);
    }
    .head > *,
    .foot > * {
      position: relative;
      pointer-events: auto;
    }
    .title {
      pointer-events: none;
    }
    h1 {
      font-size: 1.5em;
      font-weight: 500;
      line-height: 1.2;
      overflow-wrap: anywhere;
    }
    .title p {
      margin-top: 0.15em;
    }
    .view {
      padding: 3px;
      border-radius: 999px;
    }
    .view button,
    .close {
      ${roundButton}
    }
    .links {
      gap: 4px;
      white-space: nowrap;
    }
    .links > *,
    .card footer a {
      display: inline-grid;
      align-content: center;
      min-height: 44px;
      text-decoration: none;
    }
    ${plainSelect}
    .quiet,
    select {
      background: oklch(0.2 0.012 225 / 0.72);
    }
    .middle {
      align-content: center;
      gap: 1em;
      padding: var(--gap);
    }
    .middle p {
      max-width: 30em;
    }
    .card {
      inset-inline-end: var(--edge-end);
      top: calc(var(--edge-top) + 4.6em);
      width: min(22em, calc(100% - var(--edge-start) - var(--edge-end)));
      max-height: calc(100% - var(--edge-top) - var(--edge-bottom) - 9em);
      padding: 16px;
      background: oklch(0.2 0.012 225);
      scrollbar-width: thin;
    }
    .card header {
      gap: 14px;
      padding-inline-end: 34px;
    }
    .card header > div {
      overflow-wrap: anywhere;
    }
    .card header canvas {
      width: 5em;
      margin: -0.3em;
    }
    h3 {
      margin-top: 12px;
      font-weight: 400;
    }
    dl {
      margin-top: 12px;
      padding-top: 12px;
      border-top: 1px solid var(--line);
    }
    .close {
      top: 4px;
      inset-inline-end: 4px;
    }
    .kin {
      gap: 6px;
      margin-top: 4px;
    }
    .kin button {
      min-height: 44px;
      padding: 0 0.9em;
      border-radius: 999px;
      background: var(--raised);
    }
    .card footer {
      gap: 6px;
      margin-top: 14px;
    }
    .away {
      ${visuallyHidden}
    }
    @media (max-width: 400px), (max-width: 600px) and (min-height: 400px) {
      .view {
        flex-direction: column-reverse;
      }
      .card {
        top: auto;
        bottom: var(--edge-bottom);
        inset-inline: var(--edge-start) var(--edge-end);
        width: auto;
        max-height: 58%;
      }
      h1 {
        font-size: 1.25em;
      }
    }
    @media (max-height: 399px) {
      .card {
        top: var(--edge-top);
        bottom: var(--edge-bottom);
        max-height: none;
      }
    }
  `,
];
