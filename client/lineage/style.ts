import { css } from 'lit';
import { controls } from '../style/controls.ts';
import { facts, roundButton, visuallyHidden } from '../style/fragments.ts';

/** Styles of the page of family trees. */
export const style = [
  controls,
  css`
    ${facts}
    .all {
      position: absolute;
      inset: 0;
      background: radial-gradient(circle at 50% 45%, #1b2123, #12171a 60%, #0b0d0f 100%);
    }
    canvas.tree {
      touch-action: none;
      cursor: grab;
    }
    canvas.tree:active {
      cursor: grabbing;
    }
    .head {
      position: absolute;
      top: var(--edge-top);
      inset-inline: var(--edge-start) var(--edge-end);
      display: flex;
      align-items: flex-start;
      justify-content: space-between;
      gap: 12px;
      pointer-events: none;
    }
    /* Texts stay legible over the tree. */
    .head::before {
      content: '';
      position: absolute;
      inset-block: calc(-1 * var(--edge-top)) -1em;
      inset-inline: calc(-1 * var(--edge-start)) calc(-1 * var(--edge-end));
      background: linear-gradient(#12171a 55%, transparent);
    }
    .head > * {
      position: relative;
      pointer-events: auto;
    }
    .title {
      min-width: 0;
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
    .foot {
      position: absolute;
      bottom: var(--edge-bottom);
      inset-inline: var(--edge-start) var(--edge-end);
      display: flex;
      align-items: flex-end;
      justify-content: space-between;
      gap: 10px;
      pointer-events: none;
    }
    .foot > * {
      pointer-events: auto;
    }
    .view {
      display: flex;
      padding: 3px;
      border-radius: 999px;
    }
    .view button,
    .close {
      ${roundButton}
    }
    .links {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: 4px;
    }
    .links > * {
      min-height: 44px;
      display: inline-grid;
      align-content: center;
      text-decoration: none;
      white-space: nowrap;
    }
    .quiet {
      background: oklch(0.2 0.012 225 / 0.72);
    }
    select {
      padding: 0 0.8em;
      border: 0;
      border-radius: 999px;
      background: oklch(0.2 0.012 225 / 0.72);
      color: inherit;
      font: inherit;
    }
    option {
      color: initial;
      background: initial;
    }
    .middle {
      position: absolute;
      inset: 0;
      align-content: center;
      gap: 1em;
      padding: var(--gap);
      text-align: center;
    }
    .middle p {
      max-width: 30em;
      text-wrap: balance;
    }
    .card {
      position: absolute;
      inset-inline-end: var(--edge-end);
      top: calc(var(--edge-top) + 4.6em);
      width: min(22em, calc(100% - var(--edge-start) - var(--edge-end)));
      max-height: calc(100% - var(--edge-top) - var(--edge-bottom) - 9em);
      padding: 16px;
      background: oklch(0.2 0.012 225);
      scrollbar-width: thin;
    }
    .card header {
      display: flex;
      align-items: center;
      gap: 14px;
      padding-inline-end: 34px;
    }
    .card header > div {
      min-width: 0;
      overflow-wrap: anywhere;
    }
    .card header canvas {
      flex: none;
      width: 5em;
      height: 5em;
      margin: -0.3em;
    }
    h2 {
      font-size: 1.22em;
      font-weight: 500;
      line-height: 1.2;
    }
    h3 {
      margin-top: 12px;
      font-size: 0.93em;
      font-weight: 400;
      color: var(--ink-soft);
    }
    dl {
      margin-top: 12px;
      padding-top: 12px;
      border-top: 1px solid var(--line);
    }
    .close {
      position: absolute;
      top: 4px;
      inset-inline-end: 4px;
    }
    .kin {
      display: flex;
      flex-wrap: wrap;
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
      display: flex;
      flex-wrap: wrap;
      gap: 6px;
      margin-top: 14px;
    }
    .card footer a {
      display: inline-grid;
      align-content: center;
      min-height: 44px;
      text-decoration: none;
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
