/**
 * Lists beside the live room: visitors to mute and ban, bans to lift, organisms to select and
 * remove.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { CallBody } from '../../../shared/host/api.ts';
import type { BanState, VisitorState } from '../../../shared/host/state.ts';
import type { OrganismId, OrganismView } from '../../../shared/vocabulary.ts';
import { icons, kindTile } from '../../elements/icons.ts';
import {
  ageText,
  kindName,
  number,
  organismName,
  plural,
  stateText,
  survivedText,
} from '../../elements/text.ts';
import type { RoomModel } from '../../room/room-model.ts';
import {
  type Choice,
  checkbox,
  chips,
  HostElement,
  iconButton,
  idOf,
  option,
  StyledElement,
  showAll,
} from '../elements/host-element.ts';
import type { HostModel } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { dialogStyle } from '../style.ts';
import {
  actsText,
  organismsText,
  planterName,
  roughSpan,
  visitorName,
  visitorsText,
} from '../text.ts';

/** Lists bans. Hidden if there are none. */
@customElement('ban-list')
export class BanList extends HostElement {
  static override styles = css`
    li {
      padding: 8px 0;
    }
    .link {
      flex: none;
    }
  `;

  override render(): TemplateResult | typeof nothing {
    const { state } = this.host;
    const bans = state?.bans ?? [];
    this.hidden = bans.length === 0;
    if (!state || bans.length === 0) return nothing;
    return html`<h3>${msg('Banned')}</h3>
      <ul>
        ${bans.map((ban) => this.ban(ban))}
      </ul>`;
  }

  private ban(ban: BanState): TemplateResult {
    const name = visitorName({ id: ban.participant, name: ban.name });
    const until =
      ban.until === null ? msg('until you lift it') : msg(str`until ${this.moment(ban.until)}`);
    return html`<li class="flex spread gap-12 lined">
      <span>${name}<small>${ban.address ? msg('everyone at the address, ') : ''}${until}</small></span>
      <button
        class="link"
        aria-label=${msg(str`Lift the ban for ${name}`)}
        @click=${() => this.host.do('liftBan', { ban: ban.id }, {}, msg(str`${name} can come back in.`))}
      >
        ${msg('Lift ban')}
      </button>
    </li>`;
  }
}

/** Durations of a ban, in minutes; null for a ban that lasts until the host lifts it. */
const DURATIONS: readonly Choice<number | null>[] = [
  { value: 10, name: msg('10 minutes') },
  { value: 60, name: msg('1 hour') },
  { value: 60 * 24, name: msg('1 day') },
  { value: null, name: msg('Until I lift the ban') },
];

function neighboursText(n: number): string {
  if (n === 0) return msg('Nobody else has this address right now.');
  return plural(
    n,
    msg(
      str`Careful: ${number(n)} other visitor has the same address, perhaps through your own Wi-Fi.`,
    ),
    msg(
      str`Careful: ${number(n)} other visitors have the same address, perhaps through your own Wi-Fi.`,
    ),
  );
}

/** Asks whether to ban a device or an address, and for how long. */
@customElement('ban-dialog')
export class BanDialog extends HostElement {
  static override styles = dialogStyle;

  @state() private visitor: VisitorState | undefined;
  @query('dialog') private readonly dialog!: HTMLDialogElement | null;

  get isOpen(): boolean {
    return this.dialog?.open ?? false;
  }

  /** Opens the dialog for a visitor of the shown room. */
  async show(visitor: VisitorState): Promise<void> {
    this.visitor = visitor;
    await this.updateComplete;
    this.dialog?.querySelector('form')?.reset();
    this.dialog?.showModal();
  }

  /** Closes the dialog, because in another room the id of the visitor belongs to somebody else. */
  protected override roomChanged(): void {
    this.dialog?.close();
  }

  override render(): TemplateResult {
    const { visitor } = this;
    return html`<dialog aria-labelledby="title">${visitor ? this.form(visitor) : nothing}</dialog>`;
  }

  private form(visitor: VisitorState): TemplateResult {
    const { neighbours } = visitor;
    return html`<form @submit=${this.submit}>
      <h2 id="title">${msg(str`Ban ${visitorName(visitor)}?`)}</h2>
      <div class="options grid gap-8" role="radiogroup" aria-label=${msg('Who to ban')}>
        ${option(
          html`<input type="radio" name="address" value="" checked />`,
          msg('This device'),
          msg(
            'It is disconnected and cannot come back in, even with the code. For ten minutes, new visitors at its address come in one by one.',
          ),
        )}
        ${option(
          html`<input type="radio" name="address" value="yes" />`,
          msg('Everyone at this address'),
          html`${msg('Nobody can join from this address, including new visitors. Phones on the same Wi-Fi often share one address.')} ${neighboursText(neighbours)}`,
        )}
      </div>
      ${chips(
        msg('For how long'),
        DURATIONS,
        (minutes) =>
          html`<input type="radio" name="minutes" value=${minutes ?? ''} ?checked=${minutes === 60} />`,
      )}
      <footer class="wrap">
        <button type="button" class="plain" @click=${() => this.dialog?.close()}>${msg('Cancel')}</button>
        <button class="danger now" data-testid="ban">${msg('Ban')}</button>
      </footer>
    </form>`;
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const { visitor, host, shownRoom: room } = this;
    this.dialog?.close();
    if (!visitor) return;
    const data = new FormData(event.target as HTMLFormElement);
    const minutes = data.get('minutes');
    const ban: CallBody<'ban'> = {
      participant: visitor.id,
      address: data.get('address') === 'yes',
      minutes: minutes ? Number(minutes) : null,
    };
    void host.do('ban', { room }, ban, ({ id }) => ({
      text: msg(str`${visitorName(visitor)} is banned.`),
      action: {
        label: msg('Lift the ban'),
        run: () => void host.do('liftBan', { ban: id }, {}, msg('The ban is lifted.')),
      },
    }));
  }
}

/** Renders a button that mutes or unmutes a visitor of the selected room. */
export function muteButton(host: HostModel, visitor: VisitorState): TemplateResult {
  const { muted } = visitor;
  const name = visitorName(visitor);
  return html`<button
    class="icon"
    title=${muted ? msg('Unmute') : msg('Mute: can watch, but not act')}
    aria-label=${muted ? msg(str`Unmute ${name}`) : msg(str`Mute ${name}`)}
    @click=${() => mute(host, visitor)}
  >
    ${muted ? hostIcons.mute : hostIcons.sound}
  </button>`;
}

function mute(host: HostModel, visitor: VisitorState, room = host.room): void {
  const { id } = visitor;
  const muted = !visitor.muted;
  const name = visitorName(visitor);
  void host.do('mute', { room }, { participant: id, muted }, () =>
    muted
      ? {
          text: msg(str`${name} is muted.`),
          action: { label: msg('Undo'), run: () => mute(host, { ...visitor, muted: true }, room) },
        }
      : msg(str`${name} can play again.`),
  );
}

/** Number of visitors before “Show all”. */
const FIRST_VISITORS = 8;

/** Lists visitors. Includes the switch for names and the dialog for bans. */
@customElement('visitor-list')
export class VisitorList extends HostElement {
  static override styles = css`
    header {
      min-height: 2.75em;
    }
    .names {
      gap: 0.6em;
    }
    li {
      display: grid;
      grid-template-columns: auto minmax(0, 1fr) auto auto;
      align-items: center;
      gap: 0 10px;
      padding: 5px 0;
    }
    .who-name {
      overflow: hidden;
      text-overflow: ellipsis;
      white-space: nowrap;
    }
    small {
      white-space: normal;
      line-height: 1.3;
    }
    .icon {
      margin: 0 -5px;
    }
    .icon:last-child {
      color: var(--alarm);
    }
  `;

  @state() private all = false;
  /** The requested setting until the server confirms or refuses it. */
  @state() private showNames: boolean | undefined;
  @query('ban-dialog') private readonly dialog!: BanDialog;

  protected override roomChanged(): void {
    this.all = false;
    this.showNames = undefined;
  }

  override render(): TemplateResult {
    const { detail, summary } = this.host;
    const visitors = detail?.visitors ?? [];
    const shown = this.all ? visitors : visitors.slice(0, FIRST_VISITORS);
    const names = summary?.settings.names ?? true;
    return html`<header class="flex spread gap-12">
        <h3>${visitors.length === 0 ? msg('Visitors') : visitorsText(visitors.length)}</h3>
        <label class="check names flex small soft"
          >${msg('Names')}
          ${checkbox(this.showNames ?? names, (on) => this.setNames(on), { testId: 'names' })}</label
        >
      </header>
      ${
        visitors.length === 0
          ? // The visitors of a busy room are unknown.
            summary?.busy
            ? nothing
            : html`<p class="soft">${msg('Nobody is here right now.')}</p>`
          : html`<ul>${repeat(shown, idOf, (visitor) => this.visitor(visitor))}</ul>`
      }
      ${showAll(shown.length, visitors.length, () => (this.all = true))}
      <ban-dialog .host=${this.host} .version=${this.version}></ban-dialog>`;
  }

  private visitor(visitor: VisitorState): TemplateResult {
    const { hue, muted, stay, acts } = visitor;
    const name = visitorName(visitor);
    return html`<li class="lined" data-testid="visitor-${visitor.id}">
      <i class="who" style="--hue:${hue}"></i>
      <span class="who-name"
        >${name}<small
          >${muted ? html`<span class="warning">${msg('muted')}</span>` : html`${roughSpan(stay)} · ${actsText(acts)}`}</small
        ></span
      >
      ${muteButton(this.host, visitor)}
      ${iconButton(msg(str`Ban ${name}`), hostIcons.ban, () => this.dialog.show(visitor), msg('Ban'))}
    </li>`;
  }

  private async setNames(names: boolean): Promise<void> {
    this.showNames = names;
    const { room } = this.host;
    await this.host.do('changeSettings', { room }, { names }, () =>
      names ? msg('Names are shown.') : msg('Names are hidden. Visitors only have a colour.'),
    );
    if (room === this.shownRoom) this.showNames = undefined;
  }
}

/** Number of organisms before “Show all”. */
const FIRST_ORGANISMS = 20;

/** Lists organisms. Fires `pick` and `remove` (`detail`: OrganismId). */
@customElement('organism-list')
export class OrganismList extends StyledElement {
  static override styles = css`
    summary::after {
      content: '';
      width: 0.5em;
      height: 0.5em;
      margin: 0 0.3em;
      border: solid var(--ink-soft);
      border-width: 0 1.5px 1.5px 0;
      rotate: 45deg;
      translate: 0 -25%;
    }
    details[open] summary::after {
      rotate: 225deg;
      translate: 0 25%;
    }
    li {
      display: grid;
      grid-template-columns: minmax(0, 1fr) auto;
      align-items: center;
      gap: 8px;
    }
    .pick {
      padding: 6px 0;
      text-align: start;
      border-radius: 8px;
    }
    [aria-current] .pick {
      color: var(--accent);
    }
  `;

  @property({ attribute: false }) model: RoomModel | undefined;
  @property({ attribute: false }) version = 0;
  @property({ attribute: false }) picked: OrganismId = 0;
  @state() private open = false;
  @state() private all = false;

  override render(): TemplateResult {
    const organisms = [...(this.model?.organisms.values() ?? [])].reverse();
    const shown = this.all ? organisms : organisms.slice(0, FIRST_ORGANISMS);
    return html`<details
      @toggle=${(event: Event) => (this.open = (event.target as HTMLDetailsElement).open)}
    >
      <summary class="flex spread"><h3>${organismsText(organisms.length)}</h3></summary>
      ${
        this.open
          ? html`<ul>${repeat(shown, idOf, (organism) => this.organism(organism))}</ul>
              ${showAll(shown.length, organisms.length, () => (this.all = true))}`
          : nothing
      }
    </details>`;
  }

  private organism({ id, kind, planter }: OrganismView): TemplateResult {
    const name = kindName(kind);
    return html`<li class="lined" aria-current=${id === this.picked ? 'true' : nothing}>
      <button class="pick grid capital" @click=${() => this.emit('pick', id)}>
        ${name}<small>${planterName(planter)}</small>
      </button>
      ${iconButton(msg(str`Remove ${name}, number ${id}`), hostIcons.remove, () => this.emit('remove', id), msg('Remove'))}
    </li>`;
  }
}

/** Shows the selected organism. Fires `remove` and `close`. */
@customElement('live-organism')
export class LiveOrganism extends StyledElement {
  static override styles = css`
    .card {
      position: relative;
      width: 19em;
      max-width: 100%;
      padding: 16px;
      background: oklch(0.2 0.012 225 / 0.95);
      box-shadow: var(--shadow);
    }
    header {
      padding-inline-end: 30px;
    }
    .tile {
      flex: none;
      width: 3.4em;
      height: 3.4em;
      clip-path: inset(1.5%);
    }
    .nameless {
      width: 2.4em;
      height: 2.4em;
      margin: 0.5em;
      clip-path: circle();
      background: radial-gradient(circle at 40% 35%, var(--warm), oklch(0.5 0.06 80));
    }
    .details {
      margin: 10px 0 14px;
    }
    .close {
      position: absolute;
      top: 8px;
      inset-inline-end: 8px;
    }
    @media (max-width: 560px) {
      .card {
        width: 100%;
      }
      .details {
        margin: 8px 0 10px;
      }
    }
  `;

  @property({ attribute: false }) model: RoomModel | undefined;
  @property({ attribute: false }) organism!: OrganismView;

  override render(): TemplateResult | typeof nothing {
    const { model, organism } = this;
    if (!model?.checkpoint) return nothing;
    const { kind, planter, born } = organism;
    const seconds = ((model.tick ?? 0) - born) / (model.room?.tickRate ?? 15);
    return html`<section class="card" aria-label=${msg('Organism')} data-testid="organism">
      <header class="flex gap-14">
        ${kindTile(model.checkpoint, kind)}
        <div>
          <h3 class="capital">${organismName(organism)}</h3>
          <p class="soft"><span class="who" style="--hue:${planter.hue}"></span>${planterName(planter)}</p>
        </div>
      </header>
      <p class="details soft">${[ageText(seconds), stateText(organism), survivedText(organism)].filter(Boolean).join(', ')}</p>
      <button class="danger" data-testid="remove" @click=${() => this.emit('remove')}>
        ${hostIcons.remove}${msg('Remove')}
      </button>
      <button class="icon close" aria-label=${msg('Close')} @click=${() => this.emit('close')}>
        ${icons.close}
      </button>
    </section>`;
  }
}
