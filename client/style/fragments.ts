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
    margin: 0;
  }
  dt {
    color: var(--ink-soft);
  }
  dd {
    margin: 0;
  }
`;
