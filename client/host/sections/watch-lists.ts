/**
 * The lists beside the live room: visitors, bans, organisms, and the drawings and reports that
 * await the host's decision.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { type CallAnswer, FILES, pathOf } from '../../../shared/host/api.ts';
import type { ReportState, RoomDetail, VisitorState } from '../../../shared/host/state.ts';
import type { OrganismId, OrganismView } from '../../../shared/vocabulary.ts';
import { kindName, number, organismName, plural } from '../../elements/text.ts';
import type { RoomModel } from '../../room/room-model.ts';
import * as ui from '../host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import * as texts from '../text.ts';
import { offerUndo } from './saved-section.ts';

/** Lists bans; hidden if there are none. */
@customElement('ban-list')
export class BanList extends ui.HostElement {
  override render(): TemplateResult | typeof nothing {
    const bans = host.state?.bans ?? [];
    this.hidden = bans.length === 0;
    if (this.hidden) return nothing;
    return html`<h3>${msg('Banned')}</h3>
      <ul>${bans.map(({ id: ban, participant, name: given, address, until }) => {
        const name = texts.visitorName({ id: participant, name: given });
        const time =
          until === null ? msg('until you lift it') : msg(str`until ${host.moment(until)}`);
        const lift = () =>
          host.do('liftBan', { ban }, { done: msg(str`${name} can come back in.`) });
        return html`<li class="flex spread gap-12 py-8 lined">
          <span>${name}<small>${address ? msg('everyone at the address, ') : ''}${time}</small></span>
          <button class="link rigid" aria-label=${msg(str`Lift the ban for ${name}`)} @click=${lift}>
            ${msg('Lift ban')}
          </button>
        </li>`;
      })}</ul>`;
  }
}

/**
 * Durations of a ban that the host can choose, in minutes. '' means until the host lifts the ban.
 */
const DURATIONS: readonly ui.Choice<number | ''>[] = [
  { value: 10, name: msg('10 minutes') },
  { value: 60, name: msg('1 hour') },
  { value: 60 * 24, name: msg('1 day') },
  { value: '', name: msg('Until I lift the ban') },
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

/** Asks whether to ban a visitor's device or address, and for how long. */
async function ban(visitor: VisitorState): Promise<void> {
  const { room } = host;
  const name = texts.visitorName(visitor);
  const duration = (minutes: number | '') =>
    html`<input type="radio" name="minutes" value=${minutes} ?checked=${minutes === 60} />`;
  const fields = html`<div class="options grid gap-8" role="radiogroup" aria-label=${msg('Who to ban')}>
      ${ui.option(
        html`<input type="radio" name="address" value="" checked />`,
        msg('This device'),
        msg(
          'This device is disconnected and cannot come back in, even with the code. For ten minutes, new visitors at its address are let in one by one.',
        ),
      )}
      ${ui.option(
        html`<input type="radio" name="address" value="yes" />`,
        msg('Everyone at this address'),
        html`${msg('Nobody can join from this address, including new visitors. Phones on the same Wi-Fi often share one address.')} ${neighboursText(visitor.neighbours)}`,
      )}
    </div>
    ${ui.chips(msg('For how long'), DURATIONS, duration)}`;
  const title = msg(str`Ban ${name}?`);
  const answer = await host.ask({ title, fields, confirm: msg('Ban') });
  if (!answer) return;
  const minutes = Number(answer.get('minutes')) || null;
  const address = answer.get('address') === 'yes';
  const done = ({ id }: CallAnswer<'ban'>) => {
    const run = () => void host.do('liftBan', { ban: id }, { done: msg('The ban is lifted.') });
    return { text: msg(str`${name} is banned.`), action: { label: msg('Lift the ban'), run } };
  };
  await host.do('ban', { room, participant: visitor.id, address, minutes }, { done });
}

function banButton(visitor: VisitorState): TemplateResult {
  const label = msg(str`Ban ${texts.visitorName(visitor)}`);
  return ui.iconButton(label, hostIcons.ban, () => ban(visitor), msg('Ban'));
}

/** Renders a button that mutes or unmutes a visitor of the selected room. */
function muteButton(visitor: VisitorState): TemplateResult {
  const { id, muted } = visitor;
  const { room } = host;
  const name = texts.visitorName(visitor);
  const unmuted = msg(str`${name} can play again.`);
  const mute = (on: boolean): void => {
    const action = { label: msg('Undo'), run: () => mute(false) };
    const done = on ? { text: msg(str`${name} is muted.`), action } : unmuted;
    void host.do('mute', { room, participant: id, muted: on }, { done });
  };
  return ui.iconButton(
    muted ? msg(str`Unmute ${name}`) : msg(str`Mute ${name}`),
    muted ? hostIcons.mute : hostIcons.sound,
    () => mute(!muted),
    muted ? msg('Unmute') : msg('Mute: can watch, but not act'),
  );
}

/** Renders a button that removes all grafts by a visitor, or nothing if there are none. */
function graftsButton(visitor: VisitorState): TemplateResult | typeof nothing {
  if (visitor.grafted === 0) return nothing;
  const { room } = host;
  const name = texts.visitorName(visitor);
  const done = ({ command }: CallAnswer<'removeGrafts'>) =>
    offerUndo(room, msg(str`Removed all grafts of ${name}.`), command);
  const run = () => host.do('removeGrafts', { room, participant: visitor.id }, { done });
  return ui.iconButton(msg(str`Remove all grafts of ${name}`), hostIcons.remove, run);
}

/** Number of visitors listed before the host chooses “Show all”. */
const FIRST_VISITORS = 8;

/** Lists the visitors, with a switch that shows or hides their names. */
@customElement('visitor-list')
export class VisitorList extends ui.HostElement {
  static override styles = css`
    header {
      min-height: 2.75em;
    }
    li {
      grid-template-columns: auto minmax(0, 1fr);
      grid-auto-flow: column;
      gap: 0 10px;
      padding: 5px 0;
    }
    small {
      white-space: normal;
      line-height: 1.3;
    }
    .icon:last-child {
      color: var(--alarm);
    }
  `;

  override render(): TemplateResult {
    const { detail, summary, settings } = host;
    const visitors = detail?.visitors ?? [];
    const shown = this.first(visitors, FIRST_VISITORS);
    // For a busy room, the server sends no list of visitors, so do not say that nobody is here.
    const isEmpty = visitors.length === 0 && !summary?.busy;
    const setNames = (names: boolean): void => {
      const hidden = msg('Names are hidden. Visitors only have a colour.');
      void host.change({ names }, names ? msg('Names are shown.') : hidden);
    };
    return html`<header class="flex spread gap-12">
        <h3>${visitors.length === 0 ? msg('Visitors') : texts.visitorsText(visitors.length)}</h3>
        <label class="check flex small soft"
          >${msg('Names')} ${ui.checkbox(settings?.names ?? true, setNames, { testId: 'names' })}</label
        >
      </header>
      <ul>${repeat(shown, ui.idOf, visitorRow)}</ul>
      ${isEmpty ? html`<p class="soft">${msg('Nobody is here right now.')}</p>` : nothing}
      ${this.showAll(shown.length, visitors.length)}`;
  }
}

function visitorRow(visitor: VisitorState): TemplateResult {
  const { id, hue, muted, stay, acts, table } = visitor;
  const facts = [table, texts.roughSpan(stay), texts.actsText(acts)].filter((one) => one !== null);
  return html`<li class="lined snug grid centre" data-testid="visitor-${id}">
    <i class="who" style="--hue:${hue}"></i>
    <span class="cut line"
      >${texts.visitorName(visitor)}<small
        >${muted ? html`<span class="warning">${msg('muted')}</span>` : facts.join(' · ')}</small
      ></span
    >
    ${graftsButton(visitor)} ${muteButton(visitor)} ${banButton(visitor)}
  </li>`;
}

/** Number of organisms listed before the host chooses “Show all”. */
const FIRST_ORGANISMS = 20;

/**
 * Lists the organisms. Fires `pick` when the host selects an organism, and `remove` when the host
 * wants to remove it. The `detail` of both events is the OrganismId.
 */
@customElement('organism-list')
export class OrganismList extends ui.HostElement {
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
      grid-template-columns: minmax(0, 1fr) auto;
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
  @property({ attribute: false }) picked: OrganismId = 0;
  @state() private open = false;

  override render(): TemplateResult {
    const organisms = [...(this.model?.organisms.values() ?? [])].reverse();
    const shown = this.first(organisms, FIRST_ORGANISMS);
    const toggled = ({ target }: Event) => (this.open = (target as HTMLDetailsElement).open);
    const list = html`<ul>${repeat(shown, ui.idOf, (organism) => this.organism(organism))}</ul>
      ${this.showAll(shown.length, organisms.length)}`;
    return html`<details @toggle=${toggled}>
      <summary class="flex spread"><h3>${texts.organismsText(organisms.length)}</h3></summary>
      ${this.open ? list : nothing}
    </details>`;
  }

  private organism({ id, kind, planter }: OrganismView): TemplateResult {
    const name = kindName(kind);
    return html`<li class="lined grid centre gap-8" aria-current=${id === this.picked ? 'true' : nothing}>
      <button class="pick grid capital" @click=${() => this.emit('pick', id)}>
        ${name}<small>${texts.planterName(planter)}</small>
      </button>
      ${ui.iconButton(msg(str`Remove ${name}, number ${id}`), hostIcons.remove, () => this.emit('remove', id), msg('Remove'))}
    </li>`;
  }
}

/**
 * How long a row must have been in its position before its buttons respond, in ms. An earlier press
 * was probably aimed at the row that was there before.
 */
const SETTLE_MS = 700;

/**
 * Base class of the lists of drawings and reports. When a row vanishes, the next row moves into its
 * position, and ignores presses for `SETTLE_MS`: they were probably meant for the vanished row.
 */
abstract class QueueElement<T extends { readonly id: number }> extends ui.HostElement {
  static override styles = css`
    li {
      gap: 10px 12px;
      padding: 12px 0;
    }
    .drawing {
      grid-template-columns: 5em 5em minmax(0, 1fr);
    }
    .report {
      grid-template-columns: 4.4em minmax(0, 1fr) auto;
    }
    /* The buttons of a row that has just moved do not respond yet. */
    .row button[aria-disabled='true'] {
      opacity: 0.45;
    }
    h3:focus-visible,
    li:focus-visible {
      outline-offset: 4px;
    }
    /* The picture is a strip of square frames. Show only the last frame, the grown creature. */
    .grown {
      object-fit: cover;
      object-position: right;
    }
  `;

  /** What the rows are, such as 'drawing'. Test ids contain this word: 'drawing-7'. */
  protected abstract readonly kind: string;
  @query('h3') private readonly heading!: HTMLElement | null;
  /** Each row's position, and since when the row has been there (in ms), by the row's id. */
  private places: ReadonlyMap<number, { readonly place: number; readonly since: number }> =
    new Map();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** The entries on display, in order. */
  protected shown: readonly T[] = [];

  protected abstract entries(): readonly T[];

  protected abstract row(entry: T): TemplateResult;

  /** Total number of rows in the lists above this list. */
  protected get above(): number {
    return 0;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    this.shown = this.entries();
    const since = performance.now();
    const places = this.shown.map(({ id }, i) => {
      const [known, place] = [this.places.get(id), this.above + i];
      return [id, known?.place === place ? known : { place, since }] as const;
    });
    this.places = new Map(places);
  }

  protected override updated(): void {
    clearTimeout(this.timer);
    const latest = Math.max(...[...this.places.values()].map(({ since }) => since));
    const rest = latest + SETTLE_MS - performance.now();
    if (rest > 0) this.timer = setTimeout(() => this.requestUpdate(), Math.ceil(rest));
  }

  protected override roomChanged(): void {
    // Forget the positions, because rows of another room may have the same ids.
    this.places = new Map();
  }

  /**
   * Returns whether a row has been in its position long enough for its buttons to respond.
   *
   * @param at time of the press, in ms
   */
  private isSettled(id: number, at = performance.now()): boolean {
    return at - (this.places.get(id)?.since ?? at) >= SETTLE_MS;
  }

  /** Renders the list. @param about text below the title, such as “3 drawings” */
  protected list(title: string, about: string): TemplateResult {
    const { shown, kind } = this;
    return html`<h3 tabindex="-1" data-testid="${kind}s">${title}</h3>
      <p class="soft" role="status">${about}</p>
      <ul>${repeat(shown, ui.idOf, (row) => this.row(row))}</ul>`;
  }

  /** Renders a row. @param content pictures and text above the buttons */
  protected item(id: number, name: string, content: TemplateResult, buttons: TemplateResult[]) {
    const { kind } = this;
    return html`<li class="lined grid centre ${kind}" tabindex="-1" aria-label=${name} data-testid="${kind}-${id}">
      ${content}
      <div class="row whole gap-8">${buttons}</div>
    </li>`;
  }

  /** Returns the name under which `host.busy` lists a pending call about a row. */
  protected busyName(id: number): string {
    return `${host.room} ${this.kind} ${id}`;
  }

  /**
   * Renders a button for a decision about a row, such as “Decline”.
   *
   * @param label accessible name, if it differs from the text
   * @param call makes the call for the decision; its promise must not reject
   */
  protected decision(
    id: number,
    [kind, text, label]: readonly [kind: 'plain' | 'solid', text: string, label?: string],
    call: () => Promise<unknown>,
  ): TemplateResult {
    // While the button does not respond yet, use `aria-disabled`: the attribute `disabled` would
    // make the button lose the focus.
    const isUnsettled = !this.isSettled(id);
    return html`<button class="${kind} grow" ?disabled=${host.busy.has(this.busyName(id))}
      aria-disabled=${isUnsettled ? 'true' : nothing} aria-label=${label ?? nothing}
      @click=${(event: Event) => this.decide(id, event, call)}>${text}</button>`;
  }

  /** Makes the call for a decision about a row, unless the row has just moved (see `SETTLE_MS`). */
  private async decide(id: number, { timeStamp }: Event, call: () => unknown): Promise<void> {
    if (!this.isSettled(id, timeStamp)) return;
    const { room } = host;
    const place = this.shown.findIndex((row) => row.id === id);
    await call();
    await this.updateComplete;
    if (room !== host.room || this.matches(':focus-within')) return;
    // The focused button has vanished with its row. Focus the next row, not a button in that row:
    // pressing the key again would decide about a row that the host has not read.
    const rows = [...this.renderRoot.querySelectorAll('li')];
    (rows[place] ?? rows.at(-1) ?? this.heading)?.focus();
  }
}

type Drawing = RoomDetail['drawings'][number];

/**
 * Lists the drawings that await the host's decision. The list is hidden if it is empty, unless the
 * room is set to ask the host about each drawing.
 */
@customElement('drawing-queue')
export class DrawingQueue extends QueueElement<Drawing> {
  protected override readonly kind = 'drawing';

  override render(): TemplateResult | typeof nothing {
    const { detail, summary } = host;
    const count = detail?.drawings.length ?? 0;
    const asks = summary?.open === true && summary.settings.drawings === 'ask';
    this.hidden = count === 0 && !asks;
    if (this.hidden) return nothing;
    const about = count === 0 ? msg('No drawing is waiting.') : texts.drawingsText(count);
    return this.list(msg('Drawings to look at'), about);
  }

  protected override entries() {
    return host.detail?.drawings ?? [];
  }

  protected override row({ id, by, waited }: Drawing): TemplateResult {
    const visitor = texts.visitorName(by);
    const name = msg(str`Drawing by ${visitor}`);
    const parts = { room: host.room, drawing: id };
    const decide = (approve: boolean, done: string) => () =>
      host.do('decideDrawing', { drawing: id, approve }, { done, busy: this.busyName(id) });
    const content = html`${ui.picture(pathOf(FILES.drawing, parts), name, 'square')}
      ${ui.picture(pathOf(FILES.grownDrawing, parts), msg('What it grows into'), 'square grown')}
      <span class="break">${visitor}<small>${texts.roughSpan(waited)}</small></span>`;
    const decline = msg(str`Decline the drawing by ${visitor}`);
    const grow = msg(str`Let the drawing by ${visitor} grow`);
    const declined = msg(str`${visitor} will read that the drawing was declined.`);
    const approved = msg(str`${visitor} can plant the drawing now.`);
    return this.item(id, name, content, [
      this.decision(id, ['plain', msg('Decline'), decline], decide(false, declined)),
      this.decision(id, ['solid', msg('Let it grow'), grow], decide(true, approved)),
    ]);
  }
}

/** Number of reports listed before the host chooses “Show all”. */
const FIRST_REPORTS = 6;

const reportsText = (n: number): string => plural(n, msg(str`${n} report`), msg(str`${n} reports`));

type Report = ReportState & { readonly id: OrganismId };

/**
 * Lists the organisms that visitors have reported; hidden if there are none. Fires `pick` when the
 * host selects an organism, and `remove` when the host wants to remove it. The `detail` of both
 * events is the OrganismId.
 */
@customElement('report-queue')
export class ReportQueue extends QueueElement<Report> {
  protected override readonly kind = 'report';

  override render(): TemplateResult | typeof nothing {
    const { length } = host.detail?.reports ?? [];
    this.hidden = length === 0;
    if (this.hidden) return nothing;
    return html`${this.list(msg('Reported by visitors'), texts.reportedText(length))}
      ${this.showAll(this.shown.length, length)}`;
  }

  protected override get above(): number {
    return host.detail?.drawings.length ?? 0;
  }

  protected override entries(): Report[] {
    const shown = this.first(host.detail?.reports ?? [], FIRST_REPORTS);
    return shown.map((report) => ({ ...report, id: report.organism }));
  }

  protected override row(report: Report): TemplateResult {
    const { id, planter, reporters, waited, lives, pictured } = report;
    const name = organismName(report);
    const visitor = host.detail?.visitors.find((each) => each.id === planter.id);
    const path = pathOf(FILES.organism, { room: host.room, organism: id });
    const image = ui.picture(`${path}?tick=${pictured}`, '', 'square pixelated');
    const stays = msg(
      str`${name} stays. This organism is listed again only if somebody else reports it.`,
    );
    const done = lives ? stays : '';
    const show = () => this.emit('pick', id);
    const content = html`${lives ? html`<button aria-label=${msg(str`Show ${name}, number ${id}`)} @click=${show}>${image}</button>` : html`<span>${image}</span>`}
      <span class="break"
        ><span class="capital">${texts.partNames(report)}</span><small>${texts.planterName(planter)}</small
        ><small class="warning">${reportsText(reporters)}, ${texts.roughSpan(waited)}</small
        >${lives ? nothing : html`<small>${msg('It is gone.')}</small>`}</span
      >
      <span class="flex snug">${visitor ? [muteButton(visitor), banButton(visitor)] : nothing}</span>`;
    const leave = this.decision(id, ['plain', msg('Leave it')], () =>
      host.do('dismissReport', { organism: id }, { done, busy: this.busyName(id) }),
    );
    const remove = html`<button class="danger grow" @click=${() => this.emit('remove', id)}>
      ${hostIcons.remove}${msg('Remove')}
    </button>`;
    return this.item(id, name, content, lives ? [leave, remove] : [leave]);
  }
}
