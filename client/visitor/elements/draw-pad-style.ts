import { css } from 'lit';

export const drawPadStyle = css`
  :host {
    display: grid;
    grid-template-rows: minmax(0, 1fr) auto auto auto;
    gap: 10px;
    min-height: 0;
  }
  .room {
    display: grid;
    place-items: center;
    min-height: 0;
    container-type: size;
  }
  .pad {
    position: relative;
    width: min(100cqw, 100cqh, 34em);
    aspect-ratio: 1;
    border-radius: 22px;
    overflow: hidden;
    background:
      radial-gradient(circle at 50% 45%, oklch(0.36 0.014 215), transparent 75%),
      oklch(0.28 0.012 225);
    box-shadow: inset 0 0 0 1px oklch(0.95 0.01 210 / 0.14);
  }
  .inks {
    background: oklch(0.1 0.005 230);
  }
  canvas {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    touch-action: none;
    cursor: crosshair;
    border-radius: 22px;
    outline-offset: -4px;
    transition: opacity 0.9s, filter 0.9s;
  }
  .grown canvas {
    opacity: 0;
    filter: blur(14px);
    pointer-events: none;
  }
  .pad seed-film {
    position: absolute;
    inset: 3%;
    animation: come 0.9s ease-out;
  }
  .hint {
    position: absolute;
    inset: 0;
    margin: 0;
    display: grid;
    place-items: center;
    color: var(--ink-soft);
    pointer-events: none;
  }
  .pen {
    position: absolute;
    width: 18px;
    height: 18px;
    margin: -9px;
    border: 2px solid var(--accent);
    border-radius: 50%;
    pointer-events: none;
  }
  .pen.down {
    background: oklch(0.89 0.075 168 / 0.6);
  }
  .says {
    min-height: 1.45em;
    margin: 0;
    text-align: center;
    color: var(--ink-soft);
    text-wrap: balance;
  }
  .tools {
    display: grid;
    gap: 8px;
    justify-items: center;
    transition: opacity 0.4s;
  }
  .tools[inert] {
    opacity: 0;
  }
  .colours {
    display: flex;
    justify-content: space-between;
    width: min(100%, 31em);
  }
  .colours button {
    position: relative;
    flex: 1 1 0;
    max-width: 3.2em;
    aspect-ratio: 0.82;
    border-radius: 12px;
  }
  .colours button::before {
    content: '';
    position: absolute;
    inset: 0;
    margin: auto;
    width: 1.75em;
    height: 1.75em;
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
  .brushes,
  .brushes > div {
    display: flex;
    align-items: center;
    gap: 4px;
  }
  .brushes {
    gap: 10px;
  }
  .brushes button {
    display: grid;
    place-items: center;
    width: 3.3em;
    height: 3.3em;
    border-radius: 15px;
    color: var(--ink-soft);
  }
  .brushes button[aria-checked='true'] {
    background: var(--raised);
  }
  .brushes i {
    width: calc(6px + 90px * var(--size));
    height: calc(6px + 90px * var(--size));
    border-radius: 50%;
    background: var(--colour);
    box-shadow: 0 0 0 1px oklch(1 0 0 / 0.18);
  }
  footer {
    display: flex;
    justify-content: center;
    gap: 10px;
    padding-bottom: 4px;
  }
  footer button {
    min-height: 3em;
    min-width: 9.5em;
    font-size: 1.07em;
  }
  @keyframes come {
    from {
      opacity: 0;
      transform: scale(0.9);
    }
  }
  @media (prefers-reduced-motion: reduce) {
    canvas,
    .tools,
    .colours button::before {
      transition: none;
    }
    .pad seed-film {
      animation: none;
    }
  }
`;
