/** The field for the visitor's name. A name is optional: nothing on the page asks for it. */
import { msg } from '@lit/localize';
import { css, html, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { live } from 'lit/directives/live.js';
import { PAGE_DEFAULTS } from '../../../shared/page-defaults.ts';
import type { ParticipantView } from '../../../shared/vocabulary.ts';
import { textField } from '../../style/fragments.ts';
import { fire, PageElement } from './sheet-element.ts';

/** Detail of the `rename` event: the wanted name, and a callback for when it is refused. */
export interface Rename {
  readonly name: string;
  readonly refused: () => void;
}

/** Fires `rename` (`detail`: Rename) when the visitor submits a new name. */
@customElement('name-field')
export class NameField extends PageElement {
  static override styles = css`
    ${textField}
    form {
      gap: 8px;
    }
    input {
      min-height: 2.9em;
      padding: 0 0.8em;
      background: oklch(0.14 0.01 225);
      border: 1px solid var(--line);
      border-radius: 12px;
      user-select: text;
      -webkit-user-select: text;
    }
    button {
      flex: none;
      min-height: 2.9em;
    }
  `;

  /** The text typed, until the server confirms it; `submitted` while it waits for the answer. */
  @state() private draft: string | undefined;
  @state() private submitted = false;
  private you: ParticipantView | undefined;
  @query('input') private readonly input!: HTMLInputElement;

  protected override willUpdate(): void {
    const { you } = this.session.model;
    if (you !== this.you && this.submitted) this.reset();
    this.you = you;
  }

  override render(): TemplateResult {
    const { you } = this.session.model;
    return html`<form
      class="flex"
      @submit=${(event: SubmitEvent) => {
        event.preventDefault();
        this.submit();
      }}
    >
      <i class="who" style="--hue:${you?.hue ?? 0}"></i>
      <input
        data-testid="name"
        maxlength=${PAGE_DEFAULTS.net.maxNameLength}
        autocomplete="off"
        autocapitalize="words"
        spellcheck="false"
        enterkeyhint="done"
        aria-label=${msg('Your name')}
        placeholder=${msg('Your name, if you like')}
        .value=${live(this.draft ?? you?.name ?? '')}
        @input=${() => {
          this.draft = this.input.value;
          this.submitted = false;
        }}
      />
      ${
        this.isNew
          ? html`<button class="solid" type="submit" data-testid="save-name">${msg('OK')}</button>`
          : ''
      }
    </form>`;
  }

  /** Whether the text typed is a change that can be submitted. */
  private get isNew(): boolean {
    const { draft, submitted } = this;
    return (
      draft !== undefined && !submitted && draft.trim() !== (this.session.model.you?.name ?? '')
    );
  }

  private submit(): void {
    const { draft: name } = this;
    if (name === undefined || !this.isNew) return;
    this.submitted = true;
    this.input.blur();
    const refused = (): void => {
      // Keep a text that the visitor has typed since.
      if (this.submitted && this.draft === name) this.reset();
    };
    fire<Rename>(this, 'rename', { name, refused });
  }

  private reset(): void {
    this.draft = undefined;
    this.submitted = false;
  }
}
