/** Styles of what waits for the host's decision. */
import { css } from 'lit';

export const queue = css`
  li {
    display: grid;
    align-items: center;
    padding: 12px 0;
    border-top: 1px solid var(--line);
  }
  .from {
    overflow-wrap: anywhere;
  }
  .row {
    grid-column: 1 / -1;
    gap: 8px;
  }
  .row button {
    flex: 1;
  }
  /* For the moment in which its row has just moved. */
  .row button[aria-disabled='true'] {
    opacity: 0.45;
  }
  h3:focus-visible,
  li:focus-visible {
    outline-offset: 4px;
  }
`;
