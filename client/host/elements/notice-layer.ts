/**
 * Short notices at the bottom of the page about what was done or failed, some with an action. The
 * rest of the page makes room for them: they cover nothing.
 */
import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { icons } from '../../elements/icons.ts';
import { StyledElement } from './styled-element.ts';
import { idOf } from './templates.ts';

/** How long a notice is shown, ms. */
const SHOWN_MS = 5_000;
/** The same for errors and for notices with an action. */
const SHOWN_LONG_MS = 14_000;
const MAX_SHOWN = 3;

/** What was done or what went wrong. */
export interface Notice {
  readonly text: string;
  readonly wrong?: boolean;
  /** A button to undo or continue. */
  readonly action?: { readonly label: string; readonly run: () => void };
}

type Shown = Notice & { readonly id: number };

/** Shows up to three notices. */
@customElement('notice-layer')
export class NoticeLayer extends StyledElement {
  static override styles = css`
    section {
      display: grid;
      gap: 8px;
      width: fit-content;
      margin: 0 auto var(--foot);
    }
    section:has(div) {
      padding: 10px 12px;
    }
    div {
      gap: 14px;
      max-width: 44em;
      padding: 5px 8px;
      padding-inline-start: 20px;
      border-radius: 26px;
      background: oklch(0.27 0.016 222);
      border: 1px solid var(--edge);
      animation: appear 0.2s ease-out;
    }
    .wrong {
      color: var(--ink);
      border-color: oklch(0.76 0.13 28 / 0.6);
    }
    p {
      padding: 6px 0;
    }
    .icon {
      flex: none;
    }
  `;

  @state() private all: readonly Shown[] = [];
  private nextId = 1;

  /** Shows a notice for a few seconds, in place of an earlier one with the same text. */
  show(notice: Notice): void {
    const id = this.nextId++;
    const others = this.all.filter(({ text }) => text !== notice.text);
    this.all = [...others, { ...notice, id }].slice(-MAX_SHOWN);
    setTimeout(() => this.dismiss(id), notice.wrong || notice.action ? SHOWN_LONG_MS : SHOWN_MS);
  }

  override render(): TemplateResult {
    return html`<section aria-live="polite" aria-label=${msg('Notifications')}>
      ${repeat(this.all, idOf, (notice) => this.notice(notice))}
    </section>`;
  }

  private notice({ id, text, wrong, action }: Shown): TemplateResult {
    const run = (): void => {
      this.dismiss(id);
      action?.run();
    };
    return html`<div class="flex ${wrong ? 'wrong' : ''}" data-testid="notice">
      <p>${text}</p>
      ${action ? html`<button class="link" @click=${run}>${action.label}</button>` : nothing}
      <button class="icon" aria-label=${msg('Close this message')} @click=${() => this.dismiss(id)}>${icons.close}</button>
    </div>`;
  }

  private dismiss(id: number): void {
    this.all = this.all.filter((notice) => notice.id !== id);
  }
}
