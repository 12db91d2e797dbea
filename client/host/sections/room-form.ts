/** The form for a new room. */
import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { CallBody } from '../../../shared/host/api.ts';
import type { CheckpointState } from '../../../shared/host/state.ts';
import type { LanguageCode } from '../../../shared/languages.ts';
import { number } from '../../elements/text.ts';
import { StyledElement } from '../elements/styled-element.ts';
import { field, inputValue, languageChips } from '../elements/templates.ts';
import { addressName } from '../sections.ts';
import { REASON_TEXTS } from '../text.ts';

/** Room sizes for common screens, in cells. */
const SIZES = [
  { id: 'small', name: msg('Small'), width: 160, height: 96, about: msg('for a small screen') },
  { id: 'wide', name: msg('Wide'), width: 256, height: 144, about: msg('for a TV or projector') },
  { id: 'square', name: msg('Square'), width: 256, height: 256, about: msg('for many visitors') },
  { id: 'tall', name: msg('Tall'), width: 144, height: 256, about: msg('for a portrait screen') },
  { id: 'own', name: msg('Custom'), width: 0, height: 0, about: '' },
] as const;

/** Fires `create` (`detail`: body of the call `createRoom`) or `cancel`. */
@customElement('room-form')
export class RoomForm extends StyledElement {
  static override styles = css`
    form {
      gap: 22px;
    }
    .sizes {
      grid-template-columns: repeat(auto-fit, minmax(7.4em, 1fr));
      gap: 8px;
    }
    .size {
      display: grid;
      justify-items: center;
      align-content: end;
      gap: 2px;
      min-height: 7em;
      padding: 12px 8px;
      border-radius: 14px;
      text-align: center;
    }
    .size i {
      border: 1.5px solid currentColor;
      border-radius: 4px;
      margin: auto;
    }
    .own {
      width: 34px;
      height: 26px;
      border-style: dashed;
    }
    .size small {
      font-size: 0.86em;
      color: inherit;
    }
    .note {
      margin-top: 8px;
    }
  `;

  @property({ attribute: false }) checkpoints: readonly CheckpointState[] = [];
  /** Names of the existing rooms. */
  @property({ attribute: false }) taken: readonly string[] = [];
  @state() private name = '';
  @state() private size = 'wide';
  @query('[name=name]') private readonly nameField!: HTMLInputElement;

  /** The button that has opened the form is gone. */
  protected override firstUpdated(): void {
    this.nameField.focus();
  }

  override render(): TemplateResult {
    const address = addressName(this.name);
    const size = SIZES.find(({ id }) => id === this.size);
    const taken = this.taken.includes(address);
    return html`<form @submit=${this.submit} aria-label=${msg('New room')}>
      <h3>${msg('New room')}</h3>
      ${field(
        msg('Name'),
        html`<input
          name="name"
          data-testid="room-name"
          required
          maxlength="60"
          placeholder=${msg('for example: Blue Hall')}
          autocomplete="off"
          .value=${this.name}
          aria-invalid=${taken}
          aria-describedby="address"
          @input=${(event: InputEvent) => (this.name = inputValue(event))}
        />`,
        html`<small id="address" class=${taken ? 'wrong' : ''}>${
          taken
            ? REASON_TEXTS['room-exists']
            : address
              ? msg(html`Visitors find it at <b>/r/${address}</b>`)
              : msg('Letters and digits. The name becomes part of the address.')
        }</small>`,
      )}
      <fieldset>
        <legend>${msg('Size')}</legend>
        <div class="sizes grid">
          ${SIZES.map(
            ({ id, name, width, height }) => html`<label class="chip size">
              <input
                type="radio"
                name="size"
                value=${id}
                .checked=${id === this.size}
                @change=${() => (this.size = id)}
              />
              ${
                width > 0
                  ? html`<i style="width:${width / 6}px;height:${height / 6}px"></i>`
                  : html`<i class="own"></i>`
              }
              <span>${name}</span>
              ${width > 0 ? html`<small class="number">${number(width)} × ${number(height)}</small>` : nothing}
            </label>`,
          )}
        </div>
        ${
          this.size === 'own'
            ? html`<div class="fields note">
                ${this.number('width', msg('Width in cells'), 256, [32, 1_024])}
                ${this.number('height', msg('Height in cells'), 256, [32, 1_024])}
              </div>`
            : html`<small class="note">${size?.about}</small>`
        }
      </fieldset>
      <div class="fields">
        ${field(
          msg('What grows here'),
          html`<select name="checkpoint">
            ${this.checkpoints
              .filter(({ replaced }) => !replaced)
              .map(({ name, title }) => html`<option value=${name}>${title}</option>`)}
          </select>`,
        )}
        ${this.number('capacity', msg('Visitors at once'), DEFAULTS.room.capacity, [1, 5_000])}
        ${this.number('tickRate', msg('Steps per second'), DEFAULTS.room.tickRate, [1, 60])}
      </div>
      ${languageChips(
        msg('Languages of the captions on the wall'),
        (code) =>
          html`<input type="checkbox" name="language" value=${code} ?checked=${code === 'en'} />`,
      )}
      <div class="row">
        <button class="solid" data-testid="make-room" ?disabled=${!address || taken}>${msg('Create room')}</button>
        <button type="button" class="quiet" @click=${() => this.emit('cancel')}>
          ${msg('Cancel')}
        </button>
      </div>
    </form>`;
  }

  private number(
    name: string,
    label: string,
    value: number,
    [min, max]: readonly [min: number, max: number],
  ): TemplateResult {
    return field(
      label,
      html`<input type="number" name=${name} value=${value} min=${min} max=${max} step="1" required inputmode="numeric" />`,
    );
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const size = SIZES.find(({ id }) => id === this.size);
    const own = size?.id === 'own';
    const languages = data.getAll('language') as LanguageCode[];
    const detail: CallBody<'createRoom'> = {
      name: addressName(this.name),
      width: own ? Number(data.get('width')) : (size?.width ?? 256),
      height: own ? Number(data.get('height')) : (size?.height ?? 256),
      checkpoint: String(data.get('checkpoint')),
      settings: {
        capacity: Number(data.get('capacity')),
        tickRate: Number(data.get('tickRate')),
        languages: languages.length > 0 ? languages : ['en'],
      },
    };
    this.emit('create', detail);
  }
}
