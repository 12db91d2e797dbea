/** Radio groups whose options are buttons. */
import { html, nothing, type TemplateResult } from 'lit';
import { stepOf } from '../../input/keyboard.ts';

export interface RadioOption<T> {
  readonly value: T;
  readonly testid: string;
  /** Name of an option whose content is not text. */
  readonly label?: string;
  readonly content?: unknown;
  readonly style?: string;
  /** Keyboard shortcuts, as in `aria-keyshortcuts`. */
  readonly keys?: string;
}

interface RadioGroup<T> {
  readonly class: string;
  readonly label: string;
  readonly options: readonly RadioOption<T>[];
  readonly selected: T;
  readonly choose: (value: T) => void;
  /** Content after the options. */
  readonly after?: unknown;
}

/** A radio group; arrow keys move its selection. */
export function radioGroup<T>(group: RadioGroup<T>): TemplateResult {
  const { options, selected, choose } = group;
  return html`<div class=${group.class} role="radiogroup" aria-label=${group.label} @keydown=${walk}>
    ${options.map(
      ({ value, testid, label, content, style, keys }) => html`<button
        class="soft"
        role="radio"
        data-testid=${testid}
        style=${style ?? nothing}
        title=${label ?? nothing}
        aria-label=${label ?? nothing}
        aria-keyshortcuts=${keys ?? nothing}
        aria-checked=${value === selected}
        tabindex=${value === selected ? 0 : -1}
        @click=${() => choose(value)}
      >
        ${content}
      </button>`,
    )}
    ${group.after}
  </div>`;
}

function walk(event: KeyboardEvent): void {
  const step = stepOf(event.key);
  if (!step) return;
  const group = event.currentTarget as HTMLElement;
  const all = [...group.querySelectorAll<HTMLElement>('[role="radio"]')];
  const next = all[(all.indexOf(event.target as HTMLElement) + step + all.length) % all.length];
  next.click();
  next.focus();
  event.preventDefault();
  event.stopPropagation();
}

const button =
  (kind: 'solid' | 'quiet') =>
  (id: string, content: unknown, click: () => void, disabled = false): TemplateResult =>
    html`<button class=${kind} data-testid=${id} ?disabled=${disabled} @click=${click}>${content}</button>`;

/** The main action. */
export const solid = button('solid');
/** Another action. */
export const quiet = button('quiet');
