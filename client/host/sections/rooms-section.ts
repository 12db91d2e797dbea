/** Section “Rooms”: makes, opens, closes and removes rooms. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import { ROOM_DEFAULTS } from '../../../shared/host/room-settings.ts';
import type { HostState, RoomSummary } from '../../../shared/host/state.ts';
import { LANGUAGES, type LanguageCode, SOURCE_LANGUAGE } from '../../../shared/languages.ts';
import { number } from '../../elements/text.ts';
import * as ui from '../host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { addressName, locationHash } from '../navigation.ts';
import * as texts from '../text.ts';

/** Room sizes for common screens, in cells. */
const SIZES = [
  { id: 'small', name: msg('Small'), width: 160, height: 96, about: msg('for a small screen') },
  { id: 'wide', name: msg('Wide'), width: 256, height: 144, about: msg('for a TV or projector') },
  { id: 'square', name: msg('Square'), width: 256, height: 256, about: msg('for many visitors') },
  { id: 'tall', name: msg('Tall'), width: 144, height: 256, about: msg('for a portrait screen') },
  { id: 'own', name: msg('Custom'), width: 0, height: 0, about: '' },
] as const;

const numberField = (name: string, label: string, value: number, [min, max]: number[]) =>
  html`<label class="field"><span>${label}</span>
    <input type="number" name=${name} value=${value} min=${min} max=${max} step="1" required inputmode="numeric" /></label>`;

const BUSY = {
  opening: msg('opening …'),
  closing: msg('closing …'),
  undoing: msg('undoing …'),
  restoring: msg('restoring …'),
} as const;

/**
 * Prefix of the value of a menu option that stands for a folder of the checkpoint library (trained
 * models). The folder's name follows.
 */
const LIBRARY = 'library:';

@customElement('rooms-section')
export class RoomsSection extends ui.HostElement {
  static override styles = css`
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
    .size .own {
      border-style: dashed;
    }
    .size small {
      font-size: 0.86em;
      color: inherit;
    }
    .room {
      grid-template-columns: 8.5em minmax(0, 1fr);
      gap: 18px 22px;
      padding: 16px;
    }
    .picture {
      aspect-ratio: 4 / 3;
      border: 1px solid var(--line);
    }
    .closed .picture {
      opacity: 0.4;
      filter: saturate(0.3);
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
  @state() private isMaking = false;
  /** The name typed for the new room, and the chosen size. */
  @state() private name = '';
  @state() private size: (typeof SIZES)[number] = SIZES[1];

  override render(): TemplateResult | typeof nothing {
    const { state: all } = host;
    if (!all) return nothing;
    const { engine, version, now, since } = all;
    const add = html`<button class="solid" data-testid="new-room" @click=${this.make}>
      ${hostIcons.plus}${msg('New room')}
    </button>`;
    const lead = msg('Each room is a separate world, with its own address, wall and visitors.');
    return html`${ui.sectionHead(msg('Rooms'), lead, this.isMaking ? nothing : add)}
      <div class="grid gap-14">
        ${this.isMaking ? this.form(all) : nothing}
        ${all.rooms.map((room) => roomCard(room, all))}
      </div>
      <p class="server small soft number">
        Vivarium ${version} · ${engine.name}, ${engine.device} · ${msg(str`running for ${texts.roughSpan(now - since)}`)}
      </p>`;
  }

  private make(): void {
    this.isMaking = true;
    this.name = '';
    this.size = SIZES[1];
    void this.focusOn('[name=name]');
  }

  private endMaking(): Promise<void> {
    this.isMaking = false;
    return this.focusOn('[data-testid=new-room]');
  }

  /** Focuses an element after the next update, because the update removes the pressed button. */
  private async focusOn(selector: string): Promise<void> {
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>(selector)?.focus();
  }

  private form({ rooms, checkpoints, library }: HostState): TemplateResult {
    const { size } = this;
    const address = addressName(this.name);
    const isTaken = rooms.some(({ name }) => name === address);
    const note = address
      ? msg(html`Visitors find the room at <b>/r/${address}</b>`)
      : msg('Use letters and digits. The name becomes part of the address.');
    const kinds = checkpoints
      .filter(({ replaced }) => !replaced)
      .map(({ name, title }) => html`<option value=${name}>${title}</option>`);
    const more = library.map(
      (folder) => html`<option value="${LIBRARY}${folder}">${folder}</option>`,
    );
    const added = html`<optgroup label=${msg('From the library')}>${more}</optgroup>`;
    const language = (code: LanguageCode): TemplateResult =>
      html`<input type="checkbox" name="language" value=${code} ?checked=${code === 'en'} />`;
    const ownSize = html`<div class="tiles mt-8">
      ${numberField('width', msg('Width in cells'), 256, [32, 1_024])}
      ${numberField('height', msg('Height in cells'), 256, [32, 1_024])}
    </div>`;
    const preset = html`<small class="mt-8">${size.about}</small>
      <input type="hidden" name="width" value=${size.width} />
      <input type="hidden" name="height" value=${size.height} />`;
    return html`<form class="card gap-22" @submit=${this.submit} aria-label=${msg('New room')}>
      <h3>${msg('New room')}</h3>
      <label class="field"><span>${msg('Name')}</span>
        <input name="name" data-testid="room-name" required maxlength="60" autocomplete="off"
          placeholder=${msg('for example: Blue Hall')} aria-invalid=${isTaken} aria-describedby="address"
          @input=${(event: InputEvent) => (this.name = ui.inputValue(event))} />
        <small id="address" class=${isTaken ? 'wrong' : ''}>${isTaken ? texts.REASON_TEXTS['room-exists'] : note}</small></label>
      <fieldset>
        <legend>${msg('Size')}</legend>
        <div class="tiles gap-8" style="--least:7.4em">${SIZES.map((each) => this.sizeChip(each))}</div>
        ${size.id === 'own' ? ownSize : preset}
      </fieldset>
      <div class="tiles">
        ${ui.field(msg('What grows here'), html`<select name="checkpoint">${kinds}${more.length > 0 ? added : nothing}</select>`)}
        ${numberField('capacity', msg('Visitors at once'), ROOM_DEFAULTS.capacity, [1, 20_000])}
        ${numberField('tickRate', msg('Steps per second'), ROOM_DEFAULTS.tickRate, [1, 60])}
      </div>
      ${ui.languageChips(msg('Languages of the captions on the wall'), language)}
      <div class="row">
        <button class="solid" data-testid="make-room" ?disabled=${!address || isTaken}>${msg('Create room')}</button>
        <button type="button" class="quiet" @click=${this.endMaking}>${msg('Cancel')}</button>
      </div>
    </form>`;
  }

  private sizeChip(size: (typeof SIZES)[number]): TemplateResult {
    const { id, name, width, height } = size;
    const isOwn = id === 'own';
    const [w, h] = isOwn ? [34, 26] : [width / 6, height / 6];
    return html`<label class="chip size">
      <input type="radio" name="size" value=${id} .checked=${size === this.size} @change=${() => (this.size = size)} />
      <i class=${isOwn ? 'own' : ''} style="width:${w}px;height:${h}px"></i>
      <span>${name}</span>
      ${isOwn ? nothing : html`<small class="number">${number(width)} × ${number(height)}</small>`}
    </label>`;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const numberOf = (name: string): number => Number(data.get(name));
    const chosen = data.getAll('language') as LanguageCode[];
    const languages: LanguageCode[] = chosen.length > 0 ? chosen : [SOURCE_LANGUAGE];
    const name = addressName(this.name);
    const [capacity, tickRate] = ['capacity', 'tickRate'].map(numberOf);
    const watch = (): void => {
      location.hash = locationHash({ room: name, section: 'watch' });
    };
    const done = {
      text: msg(str`The room “${name}” is open.`),
      action: { label: msg('Watch it'), run: watch },
    };
    let checkpoint = String(data.get('checkpoint'));
    if (checkpoint.startsWith(LIBRARY)) {
      const folder = checkpoint.slice(LIBRARY.length);
      const added = await host.do('addCheckpoint', { folder });
      if (!added) return;
      ({ checkpoint } = added);
    }
    const [width, height] = ['width', 'height'].map(numberOf);
    const room = { name, width, height, checkpoint, settings: { capacity, tickRate, languages } };
    const created = await host.do('createRoom', room, { done });
    if (created) await this.endMaking();
  }
}

function roomCard(room: RoomSummary, { checkpoints, now }: HostState): TemplateResult {
  const { name, width, height, open, settings, busy, pace, organisms, waiting } = room;
  const species = checkpoints.find((each) => each.name === room.checkpoint);
  const areSeveral = checkpoints.filter(({ replaced }) => !replaced).length > 1;
  // Drawing the picture takes the server some time. Change the picture's URL, which makes the
  // browser load the picture again, only every 15 s.
  const at = open ? Math.floor(now / 15_000) : 'closed';
  const openness = open ? ui.tag(msg('open'), 'good') : ui.tag(msg('closed'));
  const button = (kind: string, label: unknown, click: () => void): TemplateResult =>
    html`<button class=${kind} ?disabled=${busy !== null} @click=${click}>${label}</button>`;
  const remove = html`${hostIcons.remove}${msg('Remove')}`;
  const buttons = open
    ? html`<a class="button plain" href=${locationHash({ room: name, section: 'watch' })}>${hostIcons.watch}${msg('Watch')}</a>
        <a class="button plain" href="/wall/${name}" target="_blank">${hostIcons.open}${msg('Open the wall')}</a>
        ${button('plain', msg('Close'), () => closeRoom(room))}`
    : html`${button('solid', msg('Open'), () => openRoom(name))}
        ${room.fixed ? nothing : button('danger', remove, () => removeRoom(room))}`;
  return html`<article class="card room grid centre ${open ? '' : 'closed'}" data-testid="room-${name}" aria-label=${msg(str`Room ${name}`)}>
    ${ui.picture(`${pathOf(FILES.picture, { room: name })}?at=${at}`)}
    <div class="about">
      <div>
        <div class="row">
          <h3 class="title">${name}</h3>
          ${busy ? ui.tag(BUSY[busy], 'warning') : openness}
          ${settings.paused && open ? ui.tag(msg('paused'), 'warning') : nothing}
        </div>
        ${ui.facts(
          msg(html`<b>${room.participants}</b> of ${settings.capacity} visitors`),
          waiting > 0 && texts.inLineText(waiting),
          organisms !== null && texts.organismsText(organisms),
          open && ui.paceFact(pace),
          `${number(width)} × ${number(height)}`,
          species !== undefined && (areSeveral || species.replaced) && species.title,
          settings.languages.map((each) => LANGUAGES[each].name).join(', '),
        )}
      </div>
      <div class="row acts">${buttons}</div>
    </div>
  </article>`;
}

const openRoom = (room: string): unknown =>
  host.do('openRoom', { room }, { done: msg(str`The room “${room}” is open.`) });

function closeRoom({ name: room, participants }: RoomSummary): void {
  const kept = msg(
    'Nobody can join until you open the room again. Everything in the room is saved as it is.',
  );
  const out =
    participants > 0 ? msg(str`This disconnects ${texts.visitorsText(participants)}.`) : '';
  const ask = {
    title: msg(str`Close “${room}”?`),
    text: `${kept} ${out}`,
    confirm: msg('Close room'),
    harmless: true,
  };
  const done = {
    text: msg(str`The room “${room}” is closed.`),
    action: { label: msg('Reopen'), run: () => void openRoom(room) },
  };
  void host.do('closeRoom', { room }, { ask, done });
}

function removeRoom({ name: room, organisms }: RoomSummary): void {
  const inside =
    organisms === null
      ? msg('Everything in the room and all its saved states are removed.')
      : msg(
          str`Everything in the room (${texts.organismsText(organisms)}) and all its saved states are removed.`,
        );
  const ask = {
    title: msg(str`Remove “${room}” permanently?`),
    text: `${inside} ${texts.lastCopy(host.state)}`,
    confirm: msg('Remove room'),
    typed: room,
  };
  const done = msg(str`The room “${room}” is removed.`);
  void host.do('removeRoom', { room, confirm: room }, { ask, done });
}
