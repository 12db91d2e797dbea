/** The buttons for what a panel offers to do. */
import { html, type TemplateResult } from 'lit';

const button =
  (kind: 'solid' | 'quiet') =>
  (id: string, content: unknown, click: () => void, disabled = false): TemplateResult =>
    html`<button class=${kind} data-testid=${id} ?disabled=${disabled} @click=${click}>${content}</button>`;

/** The main action. */
export const solid = button('solid');
/** Another action. */
export const quiet = button('quiet');
