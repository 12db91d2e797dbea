/** What a visitor wants to be called: never asked for, there for who looks for it. */
import { localized, msg } from '@lit/localize';
import { css, html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { RoomModel } from '../net/room-model.ts';
import { controls } from '../style/controls.ts';
import { owner } from '../style/owner.ts';

/** Says with a `rename` event (`detail`: string) what she wants to be called. */
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
  @state() private changed = false;
  @query('input') private readonly input!: HTMLInputElement;

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
        .value=${you?.name ?? ''}
        @input=${() => {
          this.changed = this.input.value.trim() !== (this.model.you?.name ?? '');
        }}
      />
      ${
        this.changed
          ? html`<button class="solid" type="submit" data-testid="save-name">${msg('OK')}</button>`
          : ''
      }
    </form>`;
  }

  private give(): void {
    if (!this.changed) return;
    this.changed = false;
    this.input.blur();
    const detail = this.input.value;
    this.dispatchEvent(new CustomEvent('rename', { detail, bubbles: true, composed: true }));
  }
}
