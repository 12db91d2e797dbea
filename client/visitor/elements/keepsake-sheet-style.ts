import { css } from 'lit';

/** Styles of the keepsake sheet. */
export const keepsakeSheetStyle = css`
  dialog {
    /* The picture is 4:5, the film beside it 5:5. */
    --ninth: min((100dvw - 60px) / 9, (100dvh - 236px) / 5, 4.8em);
    width: fit-content;
    max-width: calc(100dvw - 16px);
    max-height: calc(100dvh - 16px);
    padding: 6px 6px 16px;
    padding-inline-start: 20px;
    border: 1px solid var(--line);
    border-radius: 24px;
    background: oklch(0.2 0.012 225);
    box-shadow: var(--shadow);
    user-select: text;
    -webkit-user-select: text;
  }
  dialog::backdrop {
    background: oklch(0.1 0.01 230 / 0.72);
  }
  dialog[open] {
    display: grid;
    grid-template-rows: auto minmax(0, 1fr);
    gap: 4px;
  }
  h2 {
    margin-inline-start: 2px;
    overflow-wrap: anywhere;
  }
  .all {
    padding-inline-end: 14px;
  }
  .two {
    justify-content: center;
    gap: 14px;
  }
  .picture {
    width: calc(4 * var(--ninth));
  }
  .film {
    width: calc(5 * var(--ninth));
  }
  figure {
    display: grid;
    grid-template-rows: 1fr auto;
    gap: 12px;
    justify-items: center;
    align-items: center;
  }
  img,
  .blank {
    display: block;
    width: 100%;
    border-radius: 14px;
    background: oklch(0.15 0.01 220);
    -webkit-touch-callout: default;
  }
  .picture .blank {
    aspect-ratio: 4 / 5;
  }
  .film .blank {
    aspect-ratio: 1;
  }
  .blank {
    display: grid;
    place-items: center;
    animation: pulse 1.6s ease-in-out infinite;
  }
  a.solid {
    text-decoration: none;
  }
  .link {
    flex-wrap: wrap;
    gap: 4px 10px;
    margin-top: 16px;
    padding-top: 12px;
    border-top: 1px solid var(--line);
  }
  .link p {
    flex: 1 1 12em;
    text-wrap: balance;
  }
  .link button {
    flex: none;
  }
  .link .solid {
    background: var(--raised);
    color: inherit;
    text-align: center;
  }
  @media (max-width: 720px) {
    dialog {
      --ninth: min((100dvw - 60px) / 9, max(100dvh - 236px, 45dvh) / 5);
      padding: 4px 4px 12px;
      padding-inline-start: 14px;
      margin-bottom: 8px;
    }
    .all {
      padding-inline-end: 10px;
    }
    .two {
      gap: 10px;
    }
    .solid {
      padding-inline: 0.8em;
    }
    .link p {
      flex-basis: 100%;
    }
  }
  /* Narrow and zoomed: stacked. */
  @media (max-width: 299px) {
    dialog {
      --ninth: min((100dvw - 60px) / 5, 60dvh / 5);
    }
  }
  /* In landscape the text is beside the pictures. */
  @media (min-aspect-ratio: 11/10) and (max-height: 600px) {
    dialog {
      --ninth: min((100dvw - 236px) / 9, max(100dvh - 96px, 80px) / 5);
      margin-bottom: auto;
    }
    dialog[open] {
      grid-template: auto minmax(0, 1fr) / minmax(0, auto) minmax(84px, 12.5em);
      padding: 8px;
    }
    .all {
      display: contents;
    }
    header {
      grid-area: 1 / 2;
    }
    .two {
      grid-area: 1 / 1 / 3;
      align-content: start;
      gap: 10px;
      overflow-y: auto;
      overscroll-behavior: contain;
    }
    .link {
      flex-flow: column;
      align-items: stretch;
      margin: 0;
      padding: 4px 4px 0;
      padding-inline-start: 6px;
      border: 0;
      overflow-y: auto;
      overscroll-behavior: contain;
    }
    .link p {
      flex: none;
      margin-bottom: auto;
    }
    .link button {
      background: var(--raised);
    }
  }
`;
