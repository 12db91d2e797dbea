import { css } from 'lit';
import { brand } from '../style/fragments.ts';
import { owner } from '../style/owner.ts';

/** Beside the dish on a wide wall, below it on a tall one. Sizes are shares of the wall's size. */
export const overlayStyle = css`
  ${brand}
  :host {
    --column: min(17cqw, 27cqh);
    --edge: 3cqmin;
    position: absolute;
    inset-inline-start: var(--edge);
    top: var(--edge);
    bottom: var(--edge);
    width: var(--column);
    display: flex;
    flex-direction: column;
    font-size: 1.72cqmin;
    line-height: 1.4;
    color: var(--ink);
    cursor: none;
    isolation: isolate;
  }
  h1 {
    margin: 0;
    font-size: 1.32em;
  }
  .people {
    margin-top: 2.2em;
    min-height: 0;
    overflow: hidden;
  }
  .people p {
    margin: 0 0 0.5em;
    color: var(--ink-soft);
  }
  ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  li {
    display: flex;
    align-items: baseline;
    gap: 0.6em;
    padding: 0.12em 0;
    animation: come 1.2s ease-out;
  }
  li span {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  li.more {
    color: var(--ink-soft);
  }
  i {
    flex: none;
    width: 0.62em;
    height: 0.62em;
    border-radius: 50%;
    background: oklch(${owner} var(--hue));
    box-shadow: 0 0 0.9em oklch(${owner} var(--hue) / 0.55);
  }
  .guests {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5em;
    padding-top: 0.5em;
  }
  .words {
    flex: 1;
    display: grid;
    align-items: end;
    min-height: 9.2em;
    padding-bottom: 1.6em;
  }
  .words p {
    grid-area: 1 / 1;
    margin: 0;
    font-size: 1.62em;
    font-weight: 300;
    line-height: 1.24;
    letter-spacing: -0.005em;
    text-wrap: balance;
    opacity: 0;
    animation: speak var(--turn) ease-in-out both;
  }
  .words p.stays {
    opacity: 1;
    animation: come 1.2s ease-out;
  }
  time {
    display: block;
    margin-top: 0.2em;
    font-size: 1.5em;
    font-variant-numeric: tabular-nums;
  }
  figure {
    margin: 0;
    transition: opacity 2s;
  }
  :host([data-away]) figure {
    opacity: 0.25;
  }
  .code {
    display: block;
    width: 100%;
    aspect-ratio: 1;
    border-radius: 3.2%;
    background: oklch(0.945 0.012 165);
    fill: oklch(0.17 0.015 225);
    shape-rendering: crispEdges;
  }
  :host([data-attract]) .code {
    animation: beckon 6s ease-in-out infinite;
  }
  figure p {
    margin: 0;
  }
  figcaption {
    container-type: inline-size;
    margin-top: 0.75em;
    color: var(--ink-soft);
    overflow-wrap: anywhere;
    font-variant-numeric: tabular-nums;
  }
  bdi {
    display: block;
    font-size: clamp(0.7em, 100cqi / (0.58 * var(--longest)), 1.02em);
  }
  figcaption span {
    display: inline-block;
  }
  @container (aspect-ratio < 1) {
    :host {
      --band: 24cqw;
      top: auto;
      inset-inline-end: var(--edge);
      width: auto;
      height: var(--band);
      display: grid;
      grid-template: auto 1fr auto / var(--band) 1fr;
      column-gap: 3.2cqw;
    }
    figure {
      grid-area: 1 / 1 / -1 / 2;
      width: var(--band);
    }
    .code {
      width: calc(var(--band) - 2.4em);
    }
    h1 {
      grid-area: 1 / 2;
    }
    .people {
      display: flex;
      gap: 1em;
      grid-area: 3 / 2;
      margin: 0;
    }
    .people ul {
      display: flex;
      gap: 1em;
    }
    .words {
      grid-area: 2 / 2;
      min-height: 0;
      padding: 0;
      align-items: center;
    }
  }
  /* Over the dish: smaller, within its rim, and readable on whatever lives there. */
  :host(:is([over], [close])) {
    text-shadow: 0 0 0.2em var(--bench), 0 0 0.5em var(--bench), 0 0 1em var(--bench);
  }
  :host(:is([over], [close]))::before {
    content: '';
    position: absolute;
    z-index: -1;
    inset: -8cqmin calc(-1 * var(--edge)) calc(-1 * var(--edge));
    --shade: oklch(0.13 0.008 230 / 0.8);
    background: linear-gradient(transparent, var(--shade) 40%);
  }
  :host([over]) {
    --edge: 5cqmin;
  }
  @container (aspect-ratio >= 1) {
    :host([over]) {
      --column: min(11cqw, 17cqh);
    }
    /* All of the wall. */
    :host(:is([over], [close]))::before {
      inset: calc(-1 * var(--edge));
      inset-inline-end: calc(var(--column) + var(--edge) - 100cqw);
      --names: 0%;
      --code: 0%;
      background:
        radial-gradient(calc(var(--column) + 24em) 34cqh at var(--code) 100%, var(--shade) 30%, transparent),
        radial-gradient(calc(var(--column) * 2) 40cqh at var(--names) 0%, var(--shade), transparent);
    }
    :host(:is([over], [close]):dir(rtl))::before {
      --names: 100%;
      --code: 100%;
    }
    :host([over]) .words {
      position: absolute;
      inset-inline-start: calc(var(--column) + 1.6em);
      bottom: 0;
      width: 20em;
      padding-bottom: 0.2em;
    }
    :host([over]) figure {
      margin-top: auto;
    }
    /* The code on the other side, where it hides less. */
    :host([over][aside]) {
      --other: calc(100cqw - 2 * var(--edge) - var(--column));
    }
    :host([over][aside]) figure {
      position: absolute;
      inset-inline-start: var(--other);
      bottom: 0;
      width: var(--column);
    }
    :host([over][aside]) .words {
      inset-inline-start: calc(var(--other) - 21.6em);
      text-align: end;
    }
    :host([over][aside])::before {
      --code: 100%;
    }
    :host([over][aside]:dir(rtl))::before {
      --code: 0%;
    }
  }
  @keyframes come {
    from {
      opacity: 0;
    }
  }
  @keyframes speak {
    0%,
    100% {
      opacity: 0;
    }
    12%,
    90% {
      opacity: 1;
    }
  }
  @keyframes beckon {
    50% {
      box-shadow: 0 0 3.4em oklch(0.89 0.075 168 / 0.34);
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .words p,
    .words p.stays,
    li {
      opacity: 1;
      animation: none;
    }
    :host([data-attract]) .code {
      animation: none;
    }
  }
`;
