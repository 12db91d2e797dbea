/**
 * Feedback on the host's page: a dialog to confirm actions that are hard to undo, and short notices
 * at the bottom, for which the rest of the page makes room.
 */
import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { icons } from '../../elements/icons.ts';
import type { Notice, Question } from '../host-model.ts';
import { dialogStyle } from '../style.ts';
import { field, idOf, inputValue, StyledElement } from './host-element.ts';

/** Shows one question at a time. A new question cancels the previous one. */
@customElement('confirm-dialog')
export class ConfirmDialog extends StyledElement {
  static override styles = [
    dialogStyle,
    css`
      b {
        font-weight: 600;
        user-select: all;
      }
    `,
  ];

  @state() private question: Question | undefined;
  @state() private typed = '';
  @query('dialog') private readonly dialog!: HTMLDialogElement;
  private answer: (yes: boolean) => void = () => {};

  /**
   * Asks a question. Resolves to true if the host confirms; closing the dialog in any other way
   * counts as no.
   */
  async ask(question: Question): Promise<boolean> {
    this.answer(false);
    this.question = question;
    this.typed = '';
    const answered = new Promise<boolean>((resolve) => (this.answer = resolve));
    const { answer } = this;
    await this.updateComplete;
    // Open the dialog only if the question has not been withdrawn or replaced in the meantime.
    if (answer === this.answer && !this.dialog.open) this.dialog.showModal();
    return answered;
  }

  /** Closes the dialog; the pending question resolves to false. */
  withdraw(): void {
    this.end(false);
  }

  override render(): TemplateResult {
    const { title = '', text = '', confirm = '', danger, typed } = this.question ?? {};
    const ready = typed === undefined || this.typed.trim() === typed;
    return html`<dialog aria-labelledby="title" aria-describedby="text" @close=${this.closed}>
      <form @submit=${this.submit}>
        <h2 id="title">${title}</h2>
        <p id="text">${text}</p>
        ${
          typed === undefined
            ? nothing
            : field(
                msg(html`Type <b>${typed}</b> to confirm`),
                html`<input
                  data-testid="confirm-typed"
                  autocomplete="off"
                  autocapitalize="off"
                  spellcheck="false"
                  .value=${this.typed}
                  @input=${(event: InputEvent) => (this.typed = inputValue(event))}
                />`,
              )
        }
        <footer class="wrap">
          <button type="button" class="plain" @click=${() => this.end(false)}>${msg('Cancel')}</button>
          <button class=${danger ? 'danger now' : 'solid'} data-testid="confirm" ?disabled=${!ready}>
            ${confirm}
          </button>
        </footer>
      </form>
    </dialog>`;
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    this.end(true);
  }

  private closed(): void {
    // The event is asynchronous, so the dialog may already show the next question. If so, do not
    // end that question.
    if (!this.dialog.open) this.end(false);
  }

  private end(yes: boolean): void {
    this.answer(yes);
    this.answer = () => {};
    if (this.dialog.open) this.dialog.close();
  }
}

/** How long a notice is shown, in ms. */
const SHOWN_MS = 5_000;
/** How long an error, or a notice with an action, is shown, in ms. */
const SHOWN_LONG_MS = 14_000;
const MAX_SHOWN = 3;

type Shown = Notice & { readonly id: number };

/** Shows up to `MAX_SHOWN` notices. */
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

  /** Shows a notice for a few seconds. It replaces an earlier notice with the same text. */
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
