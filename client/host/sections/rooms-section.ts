/** Lists all rooms with their state; creates, opens, closes and removes them. */

import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { type CallBody, FILES, pathOf } from '../../../shared/host/api.ts';
import { ROOM_DEFAULTS } from '../../../shared/host/room-settings.ts';
import type { CheckpointState, RoomSummary } from '../../../shared/host/state.ts';
import { LANGUAGES, type LanguageCode } from '../../../shared/languages.ts';
import { number } from '../../elements/text.ts';
import {
  field,
  HostElement,
  inputValue,
  languageChips,
  pictureLoaded,
  StyledElement,
  sectionHead,
} from '../elements/host-element.ts';
import { hostIcons } from '../icons.ts';
import { addressName, locationHash } from '../sections.ts';
import {
  inLineText,
  lastCopy,
  organismsText,
  paceText,
  REASON_TEXTS,
  roughSpan,
  visitorsText,
} from '../text.ts';

/** Room sizes for common screens, in cells. */
const SIZES = [
  { id: 'small', name: msg('Small'), width: 160, height: 96, about: msg('for a small screen') },
  { id: 'wide', name: msg('Wide'), width: 256, height: 144, about: msg('for a TV or projector') },
  { id: 'square', name: msg('Square'), width: 256, height: 256, about: msg('for many visitors') },
  { id: 'tall', name: msg('Tall'), width: 144, height: 256, about: msg('for a portrait screen') },
  { id: 'own', name: msg('Custom'), width: 0, height: 0, about: '' },
] as const;

/** Form for a new room. Fires `create` (`detail`: body of the call `createRoom`) or `cancel`. */
@customElement('room-form')
export class RoomForm extends StyledElement {
  static override styles = css`
    .sizes {
      grid-template-columns: repeat(auto-fit, minmax(7.4em, 1fr));
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

  /** Focuses the first field, because the button that opened the form has vanished. */
  protected override firstUpdated(): void {
    this.nameField.focus();
  }

  override render(): TemplateResult {
    const address = addressName(this.name);
    const size = SIZES.find(({ id }) => id === this.size);
    const taken = this.taken.includes(address);
    return html`<form class="gap-22" @submit=${this.submit} aria-label=${msg('New room')}>
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
        <div class="sizes grid gap-8">
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
        ${this.number('capacity', msg('Visitors at once'), ROOM_DEFAULTS.capacity, [1, 20_000])}
        ${this.number('tickRate', msg('Steps per second'), ROOM_DEFAULTS.tickRate, [1, 60])}
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

const BUSY = {
  opening: msg('opening …'),
  closing: msg('closing …'),
  undoing: msg('undoing …'),
  restoring: msg('restoring …'),
} as const;

@customElement('rooms-section')
export class RoomsSection extends HostElement {
  static override styles = css`
    .room {
      grid-template-columns: 8.5em minmax(0, 1fr);
      gap: 18px 22px;
      padding: 16px;
      align-items: center;
    }
    .picture {
      height: auto;
      aspect-ratio: 4 / 3;
      border: 1px solid var(--line);
    }
    .closed .picture {
      opacity: 0.4;
      filter: saturate(0.3);
    }
    .facts {
      margin-top: 6px;
    }
    .facts b {
      font-weight: 500;
      color: var(--ink);
    }
    .server {
      margin: 22px 4px 0;
    }
    .acts {
      margin-top: 12px;
    }
    @media (max-width: 560px) {
      .room {
        grid-template-columns: 4.8em minmax(0, 1fr);
        align-items: start;
        gap: 14px 16px;
      }
      .acts {
        grid-column: 1 / -1;
        margin: 0;
      }
      .about {
        display: contents;
      }
    }
  `;

  /** Whether the form for a new room is open. */
  @state() private making = false;
  @query('[data-testid=new-room]') private readonly newRoom!: HTMLElement | null;

  override render(): TemplateResult {
    const { rooms = [], checkpoints = [] } = this.host.state ?? {};
    const add = html`<button class="solid" data-testid="new-room" @click=${() => (this.making = true)}>
      ${hostIcons.plus}${msg('New room')}
    </button>`;
    const lead = msg('Each room is a separate world, with its own address, wall and visitors.');
    return html`${sectionHead(msg('Rooms'), lead, this.making ? nothing : add)}
      <div class="grid gap-14">
        ${
          this.making
            ? html`<room-form
                class="card"
                .checkpoints=${checkpoints}
                .taken=${rooms.map(({ name }) => name)}
                @create=${this.create}
                @cancel=${this.endMaking}
              ></room-form>`
            : nothing
        }
        ${rooms.map((room) => this.room(room))}
      </div>
      ${this.about()}`;
  }

  private about(): TemplateResult | typeof nothing {
    const { state: all } = this.host;
    if (!all) return nothing;
    const { engine, version, now, since } = all;
    return html`<p class="server small soft number">
      Vivarium ${version} · ${engine.name}, ${engine.device} · ${msg(str`running for ${roughSpan(now - since)}`)}
    </p>`;
  }

  private room(room: RoomSummary): TemplateResult {
    const { name, width, height, open, settings, busy, pace } = room;
    const { checkpoints = [], now = 0 } = this.host.state ?? {};
    const species = checkpoints.find((each) => each.name === room.checkpoint);
    const several = checkpoints.filter(({ replaced }) => !replaced).length > 1;
    // Drawing a picture costs the server time, so load a new one only every 15 s.
    const at = open ? Math.floor(now / 15_000) : 'closed';
    const picture = `${pathOf(FILES.picture, { room: name })}?at=${at}`;
    return html`<article class="card room grid ${open ? '' : 'closed'}" data-testid="room-${name}" aria-label=${msg(str`Room ${name}`)}>
      <img class="picture" src=${picture} alt="" width=${width} height=${height} @error=${pictureLoaded} @load=${pictureLoaded} />
      <div class="about">
        <div>
          <div class="row">
            <h3 class="title">${name}</h3>
            ${
              busy
                ? html`<span class="tag warning">${BUSY[busy]}</span>`
                : open
                  ? html`<span class="tag good">${msg('open')}</span>`
                  : html`<span class="tag">${msg('closed')}</span>`
            }
            ${settings.paused && open ? html`<span class="tag warning">${msg('paused')}</span>` : nothing}
          </div>
          <p class="facts wrap soft number">
            <span>${msg(html`<b>${room.participants}</b> of ${settings.capacity} visitors`)}</span>
            ${room.waiting > 0 ? html`<span>${inLineText(room.waiting)}</span>` : nothing}
            ${room.organisms === null ? nothing : html`<span>${organismsText(room.organisms)}</span>`}
            ${open ? html`<span class=${pace.slow ? 'warning' : ''}>${paceText(pace)}</span>` : nothing}
            <span>${number(width)} × ${number(height)}</span>
            ${species && (several || species.replaced) ? html`<span>${species.title}</span>` : nothing}
            <span>${settings.languages.map((each) => LANGUAGES[each].name).join(', ')}</span>
          </p>
        </div>
        <div class="row acts">
          ${
            open
              ? html`<a class="button plain" href=${locationHash({ room: name, section: 'watch' })}>${hostIcons.watch}${msg('Watch')}</a>
                  <a class="button plain" href="/wall/${name}" target="_blank">${hostIcons.open}${msg('Open the wall')}</a>
                  <button class="plain" ?disabled=${busy !== null} @click=${() => this.close(room)}>${msg('Close')}</button>`
              : html`<button class="solid" ?disabled=${busy !== null} @click=${() => this.open(name)}>${msg('Open')}</button>
                  ${
                    room.fixed
                      ? nothing
                      : html`<button class="danger" ?disabled=${busy !== null} @click=${() => this.removeRoom(room)}>
                          ${hostIcons.remove}${msg('Remove')}
                        </button>`
                  }`
          }
        </div>
      </div>
    </article>`;
  }

  private async create({ detail }: CustomEvent): Promise<void> {
    const { name } = detail;
    const created = await this.host.do('createRoom', {}, detail, {
      text: msg(str`The room “${name}” is open.`),
      action: {
        label: msg('Watch it'),
        run: () => (location.hash = locationHash({ room: name, section: 'watch' })),
      },
    });
    if (created) await this.endMaking();
  }

  /** Closes the form and returns the focus to the button that opened it. */
  private async endMaking(): Promise<void> {
    this.making = false;
    await this.updateComplete;
    this.newRoom?.focus();
  }

  private open(room: string): void {
    void this.host.do('openRoom', { room }, {}, msg(str`The room “${room}” is open.`));
  }

  private async close({ name, participants }: RoomSummary): Promise<void> {
    const kept = msg(
      'Nobody can join until you open it again. Everything in it is saved as it is.',
    );
    const out = participants > 0 ? msg(str`This disconnects ${visitorsText(participants)}.`) : '';
    const yes = await this.host.feedback.ask({
      title: msg(str`Close “${name}”?`),
      text: `${kept} ${out}`,
      confirm: msg('Close room'),
    });
    if (!yes) return;
    await this.host.do('closeRoom', { room: name }, {}, () => ({
      text: msg(str`The room “${name}” is closed.`),
      action: { label: msg('Reopen'), run: () => this.open(name) },
    }));
  }

  private async removeRoom({ name, organisms }: RoomSummary): Promise<void> {
    const inside =
      organisms === null
        ? msg('Everything in it and all its saved states are removed.')
        : msg(
            str`Everything in it (${organismsText(organisms)}) and all its saved states are removed.`,
          );
    const yes = await this.host.feedback.ask({
      title: msg(str`Remove “${name}” permanently?`),
      text: `${inside} ${lastCopy(this.host.state)}`,
      confirm: msg('Remove room'),
      danger: true,
      typed: name,
    });
    if (!yes) return;
    await this.host.do('removeRoom', { room: name }, { confirm: name }, () =>
      msg(str`The room “${name}” is removed.`),
    );
  }
}
