/** Lists of drawings and reports that wait for the host's decisions. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { DrawingState, ReportState, VisitorState } from '../../../shared/host/state.ts';
import { organismName, plural } from '../../elements/text.ts';
import { HostElement, iconButton, idOf, pictureLoaded, showAll } from '../elements/host-element.ts';
import { hostIcons } from '../icons.ts';
import { drawingsText, planterName, reportedText, roughSpan, visitorName } from '../text.ts';
import { type BanDialog, muteButton } from './watch-lists.ts';

/**
 * How long a row must have been in its position before presses count, in ms. This is about as long
 * as a finger needs to come down.
 */
export const SETTLE_MS = 700;

/**
 * Knows how long each row of a list has been in its position. A press immediately after rows have
 * moved was aimed at another row.
 */
export class SettledRows {
  private rows: ReadonlyMap<number, { readonly place: number; readonly since: number }> = new Map();

  /** @param now returns ms on the clock of events' time stamps */
  constructor(private readonly now = () => performance.now()) {}

  /**
   * Records the positions of rows. Call it before each rendering.
   *
   * @param ids of the rows, in order
   * @param above number of rows in lists above this one, which shift its rows
   */
  place(ids: readonly number[], above = 0): void {
    const since = this.now();
    const rows = ids.map((id, i) => {
      const known = this.rows.get(id);
      const place = above + i;
      return [id, known?.place === place ? known : { place, since }] as const;
    });
    this.rows = new Map(rows);
  }

  /** Forgets all rows, because rows of another room may have the same ids. */
  clear(): void {
    this.rows = new Map();
  }

  /** Whether a row has been in its position for long enough. @param at time of the press, in ms */
  isSettled(id: number, at = this.now()): boolean {
    const row = this.rows.get(id);
    return row !== undefined && at - row.since >= SETTLE_MS;
  }

  /** How long it takes until all rows have settled, in ms; negative if they have. */
  get rest(): number {
    const latest = Math.max(...[...this.rows.values()].map(({ since }) => since));
    return latest + SETTLE_MS - this.now();
  }
}

/**
 * Base class of the lists. When a row vanishes, the next row moves into its position, so a press
 * counts only for a row that was already there when the host aimed. Each row is a focusable `li`.
 */
export abstract class QueueElement extends HostElement {
  /** Ids of rows whose decision the server has not answered yet. */
  @state() private decided: ReadonlySet<number> = new Set();
  @query('h3') private readonly heading!: HTMLElement | null;
  private readonly settled = new SettledRows();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Ids of the shown rows, in order. */
  protected abstract get ids(): readonly number[];

  /** Number of rows of other lists above this list. */
  protected get above(): number {
    return 0;
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    this.settled.place(this.ids, this.above);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  protected override updated(): void {
    clearTimeout(this.timer);
    const { rest } = this.settled;
    if (rest > 0) this.timer = setTimeout(() => this.requestUpdate(), Math.ceil(rest));
  }

  protected override roomChanged(): void {
    this.decided = new Set();
    this.settled.clear();
  }

  protected isDecided(id: number): boolean {
    return this.decided.has(id);
  }

  /**
   * Returns `aria-disabled` for a row's buttons while presses on them do not count. Unlike
   * `disabled`, it lets them keep the focus.
   */
  protected unsettled(id: number): 'true' | typeof nothing {
    return this.settled.isSettled(id) ? nothing : 'true';
  }

  /**
   * Applies the host's decision about a row, unless the press was probably meant for another row.
   *
   * @param call sends the decision to the server; must not reject
   */
  protected async decide(
    id: number,
    { timeStamp }: Event,
    call: (room: string) => Promise<unknown>,
  ): Promise<void> {
    if (!this.settled.isSettled(id, timeStamp)) return;
    const { shownRoom: room } = this;
    const place = this.ids.indexOf(id);
    this.decided = new Set([...this.decided, id]);
    await call(room);
    this.decided = new Set([...this.decided].filter((each) => each !== id));
    await this.updateComplete;
    if (room !== this.shownRoom || this.matches(':focus-within')) return;
    // The focused button has vanished. Focus the next row and not its buttons, because otherwise
    // the next key press would decide about a row that the host has not read.
    const rows = [...this.renderRoot.querySelectorAll('li')];
    (rows[place] ?? rows.at(-1) ?? this.heading)?.focus();
  }
}

const queue = css`
  li {
    display: grid;
    align-items: center;
    padding: 12px 0;
  }
  .row button {
    flex: 1;
  }
  /* For the moment in which its row has just moved. */
  .row button[aria-disabled='true'] {
    opacity: 0.45;
  }
  h3:focus-visible,
  li:focus-visible {
    outline-offset: 4px;
  }
`;

/**
 * Lists waiting drawings. Hidden if there are none, unless the room's settings make drawings wait.
 */
@customElement('drawing-queue')
export class DrawingQueue extends QueueElement {
  static override styles = css`
    ${queue}
    li {
      grid-template-columns: 5em 5em minmax(0, 1fr);
      gap: 10px 12px;
    }
    img {
      aspect-ratio: 1;
    }
    /* The film is a row of squares, the grown one last. */
    .grown {
      object-fit: cover;
      object-position: right;
    }
  `;

  protected override get ids(): readonly number[] {
    return (this.host.detail?.drawings ?? []).map(idOf);
  }

  override render(): TemplateResult | typeof nothing {
    const { detail, summary } = this.host;
    const drawings = detail?.drawings ?? [];
    const asks = summary?.open === true && summary.settings.drawings === 'ask';
    this.hidden = drawings.length === 0 && !asks;
    if (this.hidden) return nothing;
    return html`<h3 tabindex="-1" data-testid="drawings">${msg('Drawings to look at')}</h3>
      <p class="soft" role="status">
        ${drawings.length === 0 ? msg('No drawing is waiting.') : drawingsText(drawings.length)}
      </p>
      <ul>${repeat(drawings, idOf, (drawing) => this.drawing(drawing))}</ul>`;
  }

  private drawing(drawing: DrawingState): TemplateResult {
    const { id, by, waited } = drawing;
    const name = visitorName(by);
    const parts = { room: this.shownRoom, drawing: id };
    const isDecided = this.isDecided(id);
    const picture = (file: string, kind: string, alt: string): TemplateResult =>
      html`<img class="picture ${kind}" src=${pathOf(file, parts)} alt=${alt} @load=${pictureLoaded} @error=${pictureLoaded} />`;
    const drawingName = msg(str`Drawing by ${name}`);
    return html`<li class="lined" tabindex="-1" aria-label=${drawingName} data-testid="drawing-${id}">
      ${picture(FILES.drawing, 'drawn', drawingName)}
      ${picture(FILES.grownDrawing, 'grown', msg('What it grows into'))}
      <span class="break">${name}<small>${roughSpan(waited)}</small></span>
      <div class="row whole gap-8">
        <button
          class="plain"
          ?disabled=${isDecided}
          aria-disabled=${this.unsettled(id)}
          aria-label=${msg(str`Decline the drawing by ${name}`)}
          @click=${(press: Event) => this.decideDrawing(press, drawing, false)}
        >
          ${msg('Decline')}
        </button>
        <button
          class="solid"
          ?disabled=${isDecided}
          aria-disabled=${this.unsettled(id)}
          aria-label=${msg(str`Let the drawing by ${name} grow`)}
          @click=${(press: Event) => this.decideDrawing(press, drawing, true)}
        >
          ${msg('Let it grow')}
        </button>
      </div>
    </li>`;
  }

  private decideDrawing(press: Event, { id, by }: DrawingState, approve: boolean): Promise<void> {
    const name = visitorName(by);
    return this.decide(id, press, (room) =>
      this.host.do('decideDrawing', { room, drawing: id }, { approve }, () =>
        approve
          ? msg(str`${name} can plant the drawing now.`)
          : msg(str`${name} will read that the drawing was declined.`),
      ),
    );
  }
}

/** Number of reports before “Show all”. */
const FIRST = 6;

const reportsText = (n: number): string => plural(n, msg(str`${n} report`), msg(str`${n} reports`));

/**
 * Lists reports. Hidden if there are none, unless the dialog about a ban is open. Fires `pick` and
 * `remove` (`detail`: OrganismId).
 */
@customElement('report-queue')
export class ReportQueue extends QueueElement {
  static override styles = css`
    ${queue}
    li {
      grid-template-columns: 4.4em minmax(0, 1fr) auto;
      gap: 8px 12px;
    }
    .show {
      width: 4.4em;
      height: 4.4em;
      border-radius: 12px;
    }
    img {
      aspect-ratio: 1;
      image-rendering: pixelated;
    }
    .planter .icon {
      margin: 0 -5px;
    }
  `;

  @state() private all = false;
  @query('ban-dialog') private readonly dialog!: BanDialog;

  protected override roomChanged(): void {
    super.roomChanged();
    this.all = false;
  }

  private get shown(): readonly ReportState[] {
    const reports = this.host.detail?.reports ?? [];
    return this.all ? reports : reports.slice(0, FIRST);
  }

  protected override get ids(): readonly number[] {
    return this.shown.map(({ organism }) => organism);
  }

  protected override get above(): number {
    return this.host.detail?.drawings.length ?? 0;
  }

  override render(): TemplateResult {
    const reports = this.host.detail?.reports ?? [];
    this.hidden = reports.length === 0 && !this.dialog?.isOpen;
    return html`${reports.length === 0 ? nothing : this.list(reports)}
      <ban-dialog .host=${this.host} .version=${this.version}></ban-dialog>`;
  }

  private list(reports: readonly ReportState[]): TemplateResult {
    const { shown } = this;
    return html`<h3 tabindex="-1" data-testid="reports">${msg('Reported by visitors')}</h3>
      <p class="soft" role="status">${reportedText(reports.length)}</p>
      <ul>${repeat(
        shown,
        ({ organism }) => organism,
        (report) => this.report(report),
      )}</ul>
      ${showAll(shown.length, reports.length, () => (this.all = true))}`;
  }

  private report(report: ReportState): TemplateResult {
    const { organism, planter, reporters, waited, lives, pictured } = report;
    const parts = { room: this.shownRoom, organism };
    const name = organismName(report);
    const visitor = this.host.detail?.visitors.find(({ id }) => id === planter.id);
    const isDismissed = this.isDecided(organism);
    const src = `${pathOf(FILES.organism, parts)}?tick=${pictured}`;
    const picture = html`<img class="picture" src=${src} alt="" @load=${pictureLoaded} @error=${pictureLoaded} />`;
    return html`<li class="lined" tabindex="-1" aria-label=${name} data-testid="report-${organism}">
      ${
        lives
          ? html`<button class="show" aria-label=${msg(str`Show ${name}, number ${organism}`)} @click=${() => this.emit('pick', organism)}>
              ${picture}
            </button>`
          : html`<span class="show">${picture}</span>`
      }
      <span class="break"
        ><span class="capital">${name}</span><small>${planterName(planter)}</small
        ><small class="warning">${reportsText(reporters)}, ${roughSpan(waited)}</small>${
          lives ? nothing : html`<small>${msg('It is gone.')}</small>`
        }</span
      >
      <span class="planter flex">${visitor ? this.planterActions(visitor) : nothing}</span>
      <div class="row whole gap-8">
        <button
          class="plain"
          ?disabled=${isDismissed}
          aria-disabled=${this.unsettled(organism)}
          @click=${(press: Event) => this.dismiss(press, report, name)}
        >
          ${msg('Leave it')}
        </button>
        ${
          lives
            ? html`<button class="danger" @click=${() => this.emit('remove', organism)}>
                ${hostIcons.remove}${msg('Remove')}
              </button>`
            : nothing
        }
      </div>
    </li>`;
  }

  private planterActions(visitor: VisitorState): TemplateResult {
    const name = visitorName(visitor);
    return html`${muteButton(this.host, visitor)}
    ${iconButton(msg(str`Ban ${name}`), hostIcons.ban, () => this.dialog.show(visitor), msg('Ban'))}`;
  }

  private dismiss(press: Event, { organism, lives }: ReportState, name: string): Promise<void> {
    return this.decide(organism, press, (room) =>
      this.host.do('dismissReport', { room }, { organism }, () =>
        lives ? msg(str`${name} stays. It is listed again only if somebody else reports it.`) : '',
      ),
    );
  }
}
