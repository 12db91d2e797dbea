/** CSS declarations that several rules share; each goes into the braces of a rule. */
import { css } from 'lit';

/** Hides text from sight, but not from screen readers. */
export const visuallyHidden = css`
  position: absolute;
  width: 1px;
  height: 1px;
  margin: 0;
  overflow: hidden;
  clip-path: inset(50%);
`;

/** The heading of a page: the product, and behind a line the room or the page. */
export const brand = css`
  h1 {
    font-size: 1.05em;
    font-weight: 500;
    letter-spacing: 0.02em;
  }
  h1 span {
    margin-inline-start: 0.7em;
    padding-inline-start: 0.75em;
    border-inline-start: 1px solid oklch(0.95 0.01 210 / 0.22);
    unicode-bidi: isolate;
    font-weight: 400;
    color: var(--ink-soft);
  }
`;

/** A round button that holds only an icon. */
export const roundButton = css`
  flex: none;
  display: grid;
  place-items: center;
  width: 44px;
  height: 44px;
  border-radius: 50%;
  color: var(--ink-soft);
`;

/** A field for text. */
export const textField = css`
  input {
    flex: 1;
    min-width: 0;
    font: inherit;
    /* Phones zoom into fields with less than 16 px. */
    font-size: max(16px, 1em);
    color: var(--ink);
  }
  input::placeholder {
    color: var(--ink-soft);
    opacity: 1;
  }
`;

/** A list of terms and their values, in two columns. */
export const facts = css`
  dl {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 5px 18px;
  }
  dt {
    color: var(--ink-soft);
  }
`;
