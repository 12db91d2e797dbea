/** Asks for confirmation before actions that are hard to undo. */
import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { dialogStyle } from '../style.ts';
import { StyledElement } from './styled-element.ts';
import { field, inputValue } from './templates.ts';

/** What a confirmation dialog shows. */
export interface Question {
  readonly title: string;
  readonly text: string;
  /** Label of the button that confirms. */
  readonly confirm: string;
  readonly danger?: boolean;
  /** What the host must type before they can confirm. */
  readonly typed?: string;
}

/** One question at a time: a new one cancels the previous one. */
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

  /** Resolves to whether the host confirms; closing the dialog in any way counts as no. */
  async ask(question: Question): Promise<boolean> {
    this.answer(false);
    this.question = question;
    this.typed = '';
    const answered = new Promise<boolean>((resolve) => (this.answer = resolve));
    const { answer } = this;
    await this.updateComplete;
    // The question may have been withdrawn or replaced in the meantime.
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
    // The event is asynchronous: the dialog may show the next question by now.
    if (!this.dialog.open) this.end(false);
  }

  private end(yes: boolean): void {
    this.answer(yes);
    this.answer = () => {};
    if (this.dialog.open) this.dialog.close();
  }
}
