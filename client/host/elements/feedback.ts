/**
 * Feedback on the host's page: a dialog that asks before some actions, and short notices at the
 * bottom, for which the rest of the page makes room.
 */
import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, query } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import { repeat } from 'lit/directives/repeat.js';
import { icons } from '../../elements/icons.ts';
import { type HostModel, host, type Question } from '../host-model.ts';
import { field, HostElement, iconButton, idOf, inputValue } from './host-element.ts';

/** Shows the model's open question. Closing the dialog counts as no. */
@customElement('confirm-dialog')
export class ConfirmDialog extends HostElement {
  static override styles = css`
    dialog {
      width: min(29em, calc(100vw - 32px));
      padding: 26px 26px 20px;
      color: var(--ink);
      background: oklch(0.22 0.012 225);
      border: 1px solid var(--edge);
      border-radius: 22px;
      box-shadow: var(--shadow);
    }
    dialog::backdrop {
      background: oklch(0.08 0.01 230 / 0.72);
    }
    dialog[open] {
      animation: appear 0.16s ease-out;
    }
    h2 {
      font-size: 1.35em;
    }
    footer {
      justify-content: end;
      gap: 10px;
      margin-top: 6px;
    }
    b {
      font-weight: 600;
      user-select: all;
    }
  `;

  private question: Question | undefined;
  private typed = '';
  @query('dialog') private readonly dialog!: HTMLDialogElement;

  override render(): TemplateResult {
    const { question } = host;
    if (question !== this.question) this.typed = '';
    this.question = question;
    return html`<dialog aria-labelledby="title" aria-describedby=${question?.text ? 'text' : nothing} @close=${this.closed}>
      ${question ? keyed(question, this.form(question)) : nothing}
    </dialog>`;
  }

  protected override updated(): void {
    const { dialog, question } = this;
    if (question && !dialog.open) dialog.showModal();
    else if (!question && dialog.open) dialog.close();
  }

  private form({ title, text, fields, confirm, harmless, typed }: Question): TemplateResult {
    const isReady = typed === undefined || this.typed.trim() === typed;
    const type = (event: InputEvent): void => {
      this.typed = inputValue(event);
      this.requestUpdate();
    };
    return html`<form class="gap-16" @submit=${this.submit}>
      <h2 id="title" class="break">${title}</h2>
      ${text ? html`<p id="text">${text}</p>` : nothing} ${fields}
      ${
        typed === undefined
          ? nothing
          : field(
              msg(html`Type <b>${typed}</b> to confirm`),
              html`<input data-testid="confirm-typed" autocomplete="off" autocapitalize="off" spellcheck="false" @input=${type} />`,
            )
      }
      <footer class="wrap">
        <button type="button" class="plain" @click=${() => host.answer(undefined)}>${msg('Cancel')}</button>
        <button class=${harmless ? 'solid' : 'danger now'} data-testid="confirm" ?disabled=${!isReady}>${confirm}</button>
      </footer>
    </form>`;
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    host.answer(new FormData(event.target as HTMLFormElement));
  }

  private closed(): void {
    // The event is asynchronous, so the dialog may already show the next question.
    if (!this.dialog.open) host.answer(undefined);
  }
}

@customElement('notice-layer')
export class NoticeLayer extends HostElement {
  static override styles = css`
    section {
      margin: 0 auto var(--foot);
    }
    section:has(.pill) {
      padding: 10px 12px;
    }
    .pill {
      max-width: 44em;
      animation: appear 0.2s ease-out;
    }
    .wrong {
      color: var(--ink);
      border-color: oklch(0.76 0.13 28 / 0.6);
    }
  `;

  override render(): TemplateResult {
    return html`<section class="grid gap-8 fit" aria-live="polite" aria-label=${msg('Notifications')}>
      ${repeat(host.notices, idOf, (notice) => this.notice(notice))}
    </section>`;
  }

  private notice({ id, text, wrong, action }: HostModel['notices'][number]): TemplateResult {
    const run = (): void => {
      host.dismiss(id);
      action?.run();
    };
    return html`<div class="flex pill ${wrong ? 'wrong' : ''}" data-testid="notice">
      <p class="py-6">${text}</p>
      ${action ? html`<button class="link" @click=${run}>${action.label}</button>` : nothing}
      ${iconButton(msg('Close this message'), icons.close, () => host.dismiss(id))}
    </div>`;
  }
}
