/** What a visitor wants to be called: never asked for, there for who looks for it. */
import { localized, msg } from '@lit/localize';
import { css, html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { live } from 'lit/directives/live.js';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { ParticipantView } from '../../../shared/vocabulary.ts';
import type { RoomModel } from '../../net/room-model.ts';
import { controls } from '../../style/controls.ts';
import { owner } from '../../style/owner.ts';

/** Detail of the event `rename`: what she wants to be called, and whom to tell when that cannot be. */
export interface Rename {
  readonly name: string;
  readonly refused: () => void;
}

@localized()
@customElement('name-field')
export class NameField extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: block;
      }
      form {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      i {
        flex: none;
        width: 0.7em;
        height: 0.7em;
        border-radius: 50%;
        background: oklch(${owner} var(--hue));
      }
      input {
        flex: 1;
        min-width: 0;
        min-height: 2.9em;
        padding: 0 0.8em;
        /* Smaller letters would make phones zoom in. */
        font: inherit;
        font-size: max(16px, 1em);
        color: var(--ink);
        background: oklch(0.14 0.01 225);
        border: 1px solid var(--line);
        border-radius: 12px;
        user-select: text;
        -webkit-user-select: text;
      }
      input::placeholder {
        color: var(--ink-soft);
        opacity: 1;
      }
      button {
        flex: none;
        min-height: 2.9em;
      }
    `,
  ];

  @property({ attribute: false }) model!: RoomModel;
  @property({ attribute: false }) version = 0;
  /** What she has written: on its way to the server once she has `given` it, and gone when that has said who she is. */
  @state() private written: string | undefined;
  @state() private given = false;
  private you: ParticipantView | undefined;
  @query('input') private readonly input!: HTMLInputElement;

  protected override willUpdate(): void {
    const { you } = this.model;
    if (you !== this.you && this.given) this.forget();
    this.you = you;
  }

  override render(): TemplateResult {
    const { you } = this.model;
    return html`<form
      @submit=${(event: SubmitEvent) => {
        event.preventDefault();
        this.give();
      }}
    >
      <i style="--hue:${you?.hue ?? 0}"></i>
      <input
        data-testid="name"
        maxlength=${DEFAULTS.net.maxNameLength}
        autocomplete="off"
        autocapitalize="words"
        spellcheck="false"
        enterkeyhint="done"
        aria-label=${msg('Your name')}
        placeholder=${msg('Your name, if you like')}
        .value=${live(this.written ?? you?.name ?? '')}
        @input=${() => {
          this.written = this.input.value;
          this.given = false;
        }}
      />
      ${
        this.isNew
          ? html`<button class="solid" type="submit" data-testid="save-name">${msg('OK')}</button>`
          : ''
      }
    </form>`;
  }

  /** Whether what she has written can be given. */
  private get isNew(): boolean {
    const { written, given, model } = this;
    return written !== undefined && !given && written.trim() !== (model.you?.name ?? '');
  }

  private give(): void {
    const { written: name } = this;
    if (name === undefined || !this.isNew) return;
    this.given = true;
    this.input.blur();
    const refused = (): void => {
      // What she has written since is still hers to give.
      if (this.given && this.written === name) this.forget();
    };
    const detail: Rename = { name, refused };
    this.dispatchEvent(new CustomEvent('rename', { detail, bubbles: true, composed: true }));
  }

  private forget(): void {
    this.written = undefined;
    this.given = false;
  }
}
