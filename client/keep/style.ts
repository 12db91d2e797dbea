import { css } from 'lit';
import { controls } from '../style/controls.ts';

/** Styles of the page of keepsakes. */
export const style = [
  controls,
  css`
    .all {
      position: absolute;
      inset: 0;
      display: grid;
      grid-template-rows: 1fr auto;
      container-type: inline-size;
      box-sizing: border-box;
      padding-block: var(--edge-top) var(--edge-bottom);
      padding-inline: var(--edge-start) var(--edge-end);
      background: radial-gradient(circle at 50% 38%, #2a3032, #191e20 55%, #0b0d0f 100%);
    }
    section {
      display: grid;
      align-content: center;
      justify-items: center;
      gap: 1.6em;
    }
    figure {
      /* What lies around the body is only its glow. */
      width: min(100cqw, 58dvh, 40em);
      aspect-ratio: 1;
      margin: -4% 0;
    }
    figure.bare {
      display: grid;
      place-items: center;
      position: relative;
      width: min(40cqw, 26dvh, 15em);
      margin: 0;
      border: 1px solid oklch(0.92 0.02 210 / 0.22);
      border-radius: 50%;
      background: oklch(0.15 0.01 220 / 0.6);
    }
    /* A seed. */
    figure.bare::after {
      content: '';
      position: absolute;
      width: 5%;
      aspect-ratio: 1;
      border-radius: 50%;
      background: var(--accent);
    }
    canvas {
      display: block;
      width: 100%;
      height: 100%;
    }
    .words {
      display: grid;
      justify-items: center;
      gap: 0.8em;
      max-width: 34em;
      text-align: center;
    }
    h1 {
      font-size: 2em;
      font-weight: 500;
      line-height: 1.15;
      overflow-wrap: anywhere;
    }
    p {
      text-wrap: balance;
    }
    .actions {
      justify-content: center;
      gap: 8px;
      margin-top: 0.6em;
    }
    .solid {
      display: inline-grid;
      place-content: center;
      min-height: 44px;
      box-sizing: border-box;
      text-decoration: none;
      cursor: pointer;
    }
    label {
      position: relative;
    }
    input {
      position: absolute;
      inset: 0;
      width: 100%;
      opacity: 0;
      cursor: pointer;
    }
    label:focus-within {
      outline: 2px solid var(--accent);
      outline-offset: 2px;
    }
    footer {
      display: flex;
      align-items: center;
      justify-content: space-between;
      padding-top: 12px;
    }
    select {
      min-height: 44px;
      padding: 0 0.6em;
      border: 0;
      border-radius: 999px;
      background: none;
      color: inherit;
      font: inherit;
    }
    option {
      color: initial;
      background: initial;
    }
    @media (min-aspect-ratio: 11/10) and (max-height: 600px) {
      section {
        grid-template-columns: auto minmax(0, 24em);
        align-items: center;
        justify-content: center;
        gap: 2em;
      }
      figure {
        width: min(74dvh, 46cqw);
      }
      .words {
        justify-items: start;
        text-align: start;
      }
      .actions {
        justify-content: start;
      }
    }
  `,
];
