import { css } from 'lit';

/** A question over the page. */
export const dialogStyle = css`
  dialog {
    width: min(29em, calc(100vw - 32px));
    padding: 26px 26px 20px;
    color: var(--ink);
    background: oklch(0.22 0.012 225);
    border: 1px solid var(--edge);
    border-radius: 22px;
    box-shadow: var(--shadow);
  }
  dialog::backdrop {
    background: oklch(0.08 0.01 230 / 0.72);
  }
  dialog[open] {
    animation: come 0.16s ease-out;
  }
  h2 {
    font-size: 1.35em;
    overflow-wrap: anywhere;
  }
  form {
    display: grid;
    gap: 16px;
  }
  footer {
    display: flex;
    flex-wrap: wrap;
    justify-content: end;
    gap: 10px;
    margin-top: 6px;
  }
  @keyframes come {
    from {
      opacity: 0;
      transform: translateY(8px);
    }
  }
  @media (prefers-reduced-motion: reduce) {
    dialog[open] {
      animation: none;
    }
  }
`;
