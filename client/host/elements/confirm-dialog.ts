/** Asks once more before something that is hard to take back. */
import { msg } from '@lit/localize';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { hostStyle } from '../style.ts';
import { dialogStyle } from './dialog-style.ts';

export interface Question {
  readonly title: string;
  readonly text: string;
  /** The word on the button that does it. */
  readonly act: string;
  readonly danger?: boolean;
  /** A word that must be typed first. */
  readonly typed?: string;
}

@customElement('confirm-dialog')
export class ConfirmDialog extends LitElement {
  static override styles = [
    hostStyle,
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

  /** @returns whether the host wants it; closing the dialog in any way is a no */
  async ask(question: Question): Promise<boolean> {
    this.answer(false);
    this.question = question;
    this.typed = '';
    const answered = new Promise<boolean>((resolve) => {
      this.answer = resolve;
    });
    const { answer } = this;
    await this.updateComplete;
    // It may have been withdrawn meanwhile.
    if (answer === this.answer && !this.dialog.open) this.dialog.showModal();
    return answered;
  }

  /** Nobody is to answer any more: that is a no. */
  withdraw(): void {
    this.end(false);
  }

  override render(): TemplateResult {
    const { title = '', text = '', act = '', danger, typed } = this.question ?? {};
    const ready = typed === undefined || this.typed.trim() === typed;
    return html`<dialog aria-labelledby="title" aria-describedby="text" @close=${this.closed}>
      <form @submit=${this.submit}>
        <h2 id="title">${title}</h2>
        <p id="text">${text}</p>
        ${
          typed === undefined
            ? nothing
            : html`<label class="field"
                ><span>${msg(html`Type <b>${typed}</b> to go on`)}</span>
                <input
                  data-testid="confirm-typed"
                  autocomplete="off"
                  autocapitalize="off"
                  spellcheck="false"
                  .value=${this.typed}
                  @input=${(event: InputEvent) => {
                    this.typed = (event.target as HTMLInputElement).value;
                  }}
              /></label>`
        }
        <footer>
          <button type="button" class="plain" @click=${() => this.end(false)}>${msg('Cancel')}</button>
          <button class=${danger ? 'danger now' : 'solid'} data-testid="confirm" ?disabled=${!ready}>
            ${act}
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
    // The event comes late: by now something else may be asked.
    if (!this.dialog.open) this.end(false);
  }

  private end(yes: boolean): void {
    this.answer(yes);
    this.answer = () => {};
    if (this.dialog.open) this.dialog.close();
  }
}
