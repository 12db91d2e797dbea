/**
 * Base classes of the elements and dialogs on the visitor's page, and templates for radio groups
 * and buttons.
 */
import { localized, msg } from '@lit/localize';
import {
  type CSSResultGroup,
  type CSSResultOrNative,
  css,
  html,
  LitElement,
  nothing,
  type TemplateResult,
} from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { icons } from '../../elements/icons.ts';
import { stepOf } from '../../input/keyboard.ts';
import { controls } from '../../style/controls.ts';
import { roundButton } from '../../style/fragments.ts';
import type { RoomSession } from '../room-session.ts';

const block = css`
  :host {
    display: block;
  }
  :host([hidden]) {
    display: none;
  }
  .close {
    ${roundButton}
  }
`;

/**
 * Base class of all elements on the visitor's page. Adds common styles, and renders the element
 * again when the page's language changes.
 */
@localized()
export class VisitorElement extends LitElement {
  protected static override finalizeStyles(own: CSSResultGroup = []): CSSResultOrNative[] {
    return LitElement.finalizeStyles([controls, block, own]);
  }

  private readonly endings: (() => void)[] = [];

  /** Registers functions to call when the element is removed from the page. */
  protected untilGone(...endings: (() => void)[]): void {
    this.endings.push(...endings);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const end of this.endings.splice(0)) end();
  }
}

/** Base class of elements that show data of the visitor's session. */
export abstract class PageElement extends VisitorElement {
  /**
   * The visitor's session. Lit cannot detect changes of its data, so render the element whenever
   * its parent element is rendered.
   */
  @property({ attribute: false, hasChanged: () => true }) session!: RoomSession;
}

/**
 * Base class of panels. While a panel is on the page, it is registered as open in `session.panels`.
 */
export abstract class PanelElement extends PageElement {
  protected abstract close(): void;

  override connectedCallback(): void {
    super.connectedCallback();
    this.untilGone(this.session.panels.open(() => this.close()));
  }
}

/** Fires an event at an element. The event reaches all ancestors, even across shadow trees. */
export function fire<T>(element: HTMLElement, name: string, detail?: T): void {
  element.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
}

const sheetStyle = css`
  dialog {
    width: min(27em, calc(100vw - 16px));
    max-width: none;
    max-height: calc(100dvh - 16px);
    padding: 10px 8px 8px;
    color: var(--ink);
    overflow: hidden;
  }
  dialog[open] {
    display: grid;
    grid-template-rows: auto minmax(0, 1fr);
  }
  dialog::backdrop {
    background: oklch(0.1 0.01 230 / 0.62);
  }
  header {
    gap: 8px;
    padding-inline-start: 14px;
  }
  h2 {
    font-size: 1.22em;
    font-weight: 500;
    line-height: 1.2;
  }
`;

/** A dialog with a title and a close button. It also closes when the visitor clicks outside it. */
export abstract class SheetElement extends PageElement {
  protected static override finalizeStyles(own: CSSResultGroup = []): CSSResultOrNative[] {
    return PageElement.finalizeStyles([sheetStyle, own]);
  }

  @query('dialog') protected readonly dialog!: HTMLDialogElement;
  /** Whether the dialog is open. */
  @state() protected isOpen = false;

  async open(): Promise<void> {
    this.isOpen = true;
    await this.updateComplete;
    this.show();
  }

  /** Renders the dialog around its content. @param kind CSS class of the dialog */
  protected frame(id: string, title: string, content: unknown, kind = ''): TemplateResult {
    return html`<dialog
      class="panel ${kind}"
      aria-labelledby="title"
      data-testid=${id}
      @close=${this.closed}
      @click=${this.clicked}
    >
      <header class="flex spread shrinks">
        <h2 id="title" class="shrinks">${title}</h2>
        ${closeButton(() => this.close(), '', 'sheet-close')}
      </header>
      ${content}
    </dialog>`;
  }

  protected show(): void {
    this.dialog.showModal();
    const { panels } = this.session;
    const remove = panels.open(() => this.close());
    panels.modals++;
    const end = (): void => {
      panels.modals--;
      remove();
    };
    this.dialog.addEventListener('close', end, { once: true });
  }

  protected close(): void {
    this.dialog.close();
  }

  /** Called after the dialog was closed. */
  protected closed(): void {
    this.isOpen = false;
  }

  /**
   * Closes the dialog if the click was outside it. The backdrop belongs to the dialog, so compare
   * the click's position with the dialog's rectangle.
   */
  private clicked({ target, clientX: x, clientY: y }: MouseEvent): void {
    if (target !== this.dialog) return;
    const { left, right, top, bottom } = this.dialog.getBoundingClientRect();
    if (x < left || x > right || y < top || y > bottom) this.close();
  }
}

interface RadioGroup<T> {
  readonly class: string;
  readonly label: string;
  readonly options: readonly {
    readonly value: T;
    readonly testid: string;
    /** Accessible name of an option whose content is not text. */
    readonly label?: string;
    readonly content?: unknown;
    readonly style?: string;
    /** Keyboard shortcuts, as in `aria-keyshortcuts`. */
    readonly keys?: string;
  }[];
  readonly selected: T;
  readonly choose: (value: T) => void;
  readonly after?: unknown;
}

/** Renders a radio group whose selection can be moved with the arrow keys. */
export function radioGroup<T>(group: RadioGroup<T>): TemplateResult {
  const { options, selected, choose } = group;
  return html`<div class=${group.class} role="radiogroup" aria-label=${group.label} @keydown=${walk}>
    ${options.map(
      ({ value, testid, label, content, style, keys }) => html`<button
        class="soft middle"
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

/** Renders the button of a main action. */
export const solid = button('solid');
/** Renders the button of a secondary action. */
export const quiet = button('quiet');

interface ButtonState {
  readonly id?: string;
  readonly pressed?: boolean | undefined;
  readonly disabled?: boolean;
  /** Whether the button opens a dialog. */
  readonly opens?: boolean;
}

/**
 * Renders a button whose content is not text, such as an icon.
 *
 * @param kind CSS classes of the button
 * @param label accessible name and tooltip of the button
 */
export const labelled = (
  kind: string,
  [label, content]: readonly [label: string, content: unknown],
  click: (event: Event) => void,
  { id, pressed, disabled = false, opens = false }: ButtonState = {},
): TemplateResult => html`<button
  class=${kind}
  title=${label}
  aria-label=${label}
  aria-pressed=${pressed ?? nothing}
  aria-haspopup=${opens ? 'dialog' : nothing}
  data-testid=${id ?? nothing}
  ?disabled=${disabled}
  @click=${click}
>${content}</button>`;

/** Renders the button that closes a panel: an icon with a cross. */
export const closeButton = (click: () => void, kind = '', id?: string): TemplateResult =>
  html`<button class="close ${kind}" aria-label=${msg('Close')} data-testid=${id ?? nothing} @click=${click}>${icons.close}</button>`;
