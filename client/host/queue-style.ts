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
  h3:focus-visible {
    outline-offset: 4px;
  }
`;
