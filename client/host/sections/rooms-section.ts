/** All rooms with their state: create, open, close and remove them. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { RoomSummary } from '../../../shared/host/state.ts';
import { LANGUAGES } from '../../../shared/languages.ts';
import { number } from '../../elements/text.ts';
import { HostElement } from '../elements/host-element.ts';
import { hostIcons } from '../icons.ts';
import { locationHash } from '../sections.ts';
import { inLineText, lastCopy, organismsText, paceText, roughSpan, visitorsText } from '../text.ts';
import './room-form.ts';
import { pictureLoaded, sectionHead } from '../elements/templates.ts';

const BUSY = {
  opening: msg('opening …'),
  closing: msg('closing …'),
  undoing: msg('undoing …'),
  restoring: msg('restoring …'),
} as const;

/** Section “Rooms”. */
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
    h3 {
      font-size: 1.25em;
      overflow-wrap: anywhere;
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
      <div class="cards">
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
            <h3>${name}</h3>
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
    const created = await this.host.do('createRoom', {}, detail, () => ({
      text: msg(str`The room “${name}” is open.`),
      action: {
        label: msg('Watch it'),
        run: () => (location.hash = locationHash({ room: name, section: 'watch' })),
      },
    }));
    if (created) await this.endMaking();
  }

  /** Closes the form; the button that opened it has the focus again. */
  private async endMaking(): Promise<void> {
    this.making = false;
    await this.updateComplete;
    this.newRoom?.focus();
  }

  private open(room: string): void {
    void this.host.do('openRoom', { room }, {}, () => msg(str`The room “${room}” is open.`));
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
