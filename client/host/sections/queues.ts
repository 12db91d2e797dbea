/** Lists of drawings and reports that wait for the host's decisions. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { ReportState } from '../../../shared/host/state.ts';
import { organismName, plural } from '../../elements/text.ts';
import * as ui from '../elements/host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import {
  drawingsText,
  partNames,
  planterName,
  reportedText,
  roughSpan,
  visitorName,
} from '../text.ts';
import { banButton, muteButton } from './watch-lists.ts';

/**
 * How long a row must have been in its position before presses count, in ms. This is about as long
 * as a finger needs to come down.
 */
export const SETTLE_MS = 700;

/**
 * Tracks how long each row of a list has been in its position. A press immediately after rows have
 * moved was probably aimed at another row.
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

/** A button of a row. */
interface RowButton {
  readonly kind: 'plain' | 'solid' | 'danger';
  readonly text: TemplateResult | string;
  /** Accessible name, if it differs from the text. */
  readonly label?: string;
  /** Whether a press decides about the row, so that it does not count before the row has settled. */
  readonly decides: boolean;
  /** Called on a press. If the button decides, the returned promise must not reject. */
  press(): unknown;
}

interface Row {
  readonly id: number;
  readonly name: string;
  /** Pictures and text above the buttons. */
  readonly content: TemplateResult;
  readonly buttons: readonly RowButton[];
}

/**
 * Base class of the lists. When a row vanishes, the next row moves into its position, so a press
 * counts only for a row that was already there when the host aimed. Each row is a focusable `li`.
 */
abstract class QueueElement extends ui.HostElement {
  static override styles = css`
    li {
      display: grid;
      gap: 10px 12px;
      align-items: center;
      padding: 12px 0;
    }
    .drawing {
      grid-template-columns: 5em 5em minmax(0, 1fr);
    }
    .report {
      grid-template-columns: 4.4em minmax(0, 1fr) auto;
    }
    /* For the moment in which its row has just moved. */
    .row button[aria-disabled='true'] {
      opacity: 0.45;
    }
    h3:focus-visible,
    li:focus-visible {
      outline-offset: 4px;
    }
    /* The film is a row of squares, the grown one last. */
    .grown {
      object-fit: cover;
      object-position: right;
    }
  `;

  /** The rows' kind, such as 'drawing'; the row with id 7 then has the test id 'drawing-7'. */
  protected abstract readonly kind: string;
  @query('h3') private readonly heading!: HTMLElement | null;
  private readonly settled = new SettledRows();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** The shown rows, in order. */
  protected shown: readonly Row[] = [];

  /** Returns the rows to show, in order. */
  protected abstract rows(): readonly Row[];

  /** Number of rows of other lists above this list. */
  protected get above(): number {
    return 0;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    this.shown = this.rows();
    this.settled.place(this.shown.map(ui.idOf), this.above);
  }

  protected override updated(): void {
    clearTimeout(this.timer);
    const { rest } = this.settled;
    if (rest > 0) this.timer = setTimeout(() => this.requestUpdate(), Math.ceil(rest));
  }

  protected override roomChanged(): void {
    this.settled.clear();
  }

  /** Renders the list. @param about number of rows, in words */
  protected list(title: string, about: string): TemplateResult {
    const { shown, kind } = this;
    return html`<h3 tabindex="-1" data-testid="${kind}s">${title}</h3>
      <p class="soft" role="status">${about}</p>
      <ul>${repeat(
        shown,
        ui.idOf,
        ({
          id,
          name,
          content,
          buttons,
        }) => html`<li class="lined ${kind}" tabindex="-1" aria-label=${name} data-testid="${kind}-${id}">
          ${content}
          <div class="row whole gap-8">${buttons.map((each) => this.button(id, each))}</div>
        </li>`,
      )}</ul>`;
  }

  /** Name of the call about a row, for `host.isBusy`. */
  protected busyName(id: number): string {
    return `${host.room} ${this.kind} ${id}`;
  }

  private button(id: number, { kind, text, label, decides, press }: RowButton): TemplateResult {
    // Use `aria-disabled` for unsettled rows because, unlike `disabled`, it does not take the focus
    // from a button.
    const isUnsettled = decides && !this.settled.isSettled(id);
    return html`<button
      class="${kind} grow"
      ?disabled=${decides && host.isBusy(this.busyName(id))}
      aria-disabled=${isUnsettled ? 'true' : nothing}
      aria-label=${label ?? nothing}
      @click=${(event: Event) => (decides ? this.decide(id, event, press) : press())}
    >
      ${text}
    </button>`;
  }

  /** Applies a decision about a row, unless the press was probably meant for another row. */
  private async decide(id: number, { timeStamp }: Event, call: () => unknown): Promise<void> {
    if (!this.settled.isSettled(id, timeStamp)) return;
    const { room } = host;
    const place = this.shown.findIndex((row) => row.id === id);
    await call();
    await this.updateComplete;
    if (room !== host.room || this.matches(':focus-within')) return;
    // The focused button has vanished. Focus the next row and not its buttons, because otherwise
    // the next key press would decide about a row that the host has not read.
    const rows = [...this.renderRoot.querySelectorAll('li')];
    (rows[place] ?? rows.at(-1) ?? this.heading)?.focus();
  }
}

/**
 * Lists waiting drawings. Hidden if there are none, unless the room's settings make drawings wait.
 */
@customElement('drawing-queue')
export class DrawingQueue extends QueueElement {
  protected override readonly kind = 'drawing';

  override render(): TemplateResult | typeof nothing {
    const { detail, summary } = host;
    const count = detail?.drawings.length ?? 0;
    const asks = summary?.open === true && summary.settings.drawings === 'ask';
    this.hidden = count === 0 && !asks;
    if (this.hidden) return nothing;
    const about = count === 0 ? msg('No drawing is waiting.') : drawingsText(count);
    return this.list(msg('Drawings to look at'), about);
  }

  protected override rows(): readonly Row[] {
    return (host.detail?.drawings ?? []).map(({ id, by, waited }) => {
      const visitor = visitorName(by);
      const name = msg(str`Drawing by ${visitor}`);
      const parts = { room: host.room, drawing: id };
      const decide = (approve: boolean, done: string) => () =>
        host.do('decideDrawing', { drawing: id, approve }, { done, busy: this.busyName(id) });
      const content = html`${ui.picture(pathOf(FILES.drawing, parts), name, 'square')}
        ${ui.picture(pathOf(FILES.grownDrawing, parts), msg('What it grows into'), 'square grown')}
        <span class="break">${visitor}<small>${roughSpan(waited)}</small></span>`;
      const buttons: readonly RowButton[] = [
        {
          ...{ kind: 'plain', text: msg('Decline'), decides: true },
          label: msg(str`Decline the drawing by ${visitor}`),
          press: decide(false, msg(str`${visitor} will read that the drawing was declined.`)),
        },
        {
          ...{ kind: 'solid', text: msg('Let it grow'), decides: true },
          label: msg(str`Let the drawing by ${visitor} grow`),
          press: decide(true, msg(str`${visitor} can plant the drawing now.`)),
        },
      ];
      return { id, name, content, buttons };
    });
  }
}

/** Number of reports before “Show all”. */
const FIRST = 6;

const reportsText = (n: number): string => plural(n, msg(str`${n} report`), msg(str`${n} reports`));

/**
 * Lists reports. Hidden if there are none. Fires `pick` and `remove` (`detail`: OrganismId).
 */
@customElement('report-queue')
export class ReportQueue extends QueueElement {
  @state() private all = false;
  protected override readonly kind = 'report';

  protected override roomChanged(): void {
    super.roomChanged();
    this.all = false;
  }

  override render(): TemplateResult | typeof nothing {
    const { length } = this.reports;
    this.hidden = length === 0;
    if (this.hidden) return nothing;
    return html`${this.list(msg('Reported by visitors'), reportedText(length))}
      ${ui.showAll(this.shown.length, length, () => (this.all = true))}`;
  }

  private get reports(): readonly ReportState[] {
    return host.detail?.reports ?? [];
  }

  protected override get above(): number {
    return host.detail?.drawings.length ?? 0;
  }

  protected override rows(): readonly Row[] {
    return this.reports.slice(0, this.all ? undefined : FIRST).map((report) => this.row(report));
  }

  private row(report: ReportState): Row {
    const { organism: id, planter, reporters, waited, lives, pictured } = report;
    const name = organismName(report);
    const visitor = host.detail?.visitors.find((each) => each.id === planter.id);
    const path = pathOf(FILES.organism, { room: host.room, organism: id });
    const image = ui.picture(`${path}?tick=${pictured}`, '', 'square pixelated');
    const stays = msg(str`${name} stays. It is listed again only if somebody else reports it.`);
    const done = lives ? stays : '';
    const content = html`${
      lives
        ? html`<button aria-label=${msg(str`Show ${name}, number ${id}`)} @click=${() => this.emit('pick', id)}>${image}</button>`
        : html`<span>${image}</span>`
    }
      <span class="break"
        ><span class="capital">${partNames(report)}</span><small>${planterName(planter)}</small
        ><small class="warning">${reportsText(reporters)}, ${roughSpan(waited)}</small>${
          lives ? nothing : html`<small>${msg('It is gone.')}</small>`
        }</span
      >
      <span class="flex snug">${visitor ? [muteButton(visitor), banButton(visitor)] : nothing}</span>`;
    const leave: RowButton = {
      ...{ kind: 'plain', text: msg('Leave it'), decides: true },
      press: () => host.do('dismissReport', { organism: id }, { done, busy: this.busyName(id) }),
    };
    const remove: RowButton = {
      ...{ kind: 'danger', text: html`${hostIcons.remove}${msg('Remove')}`, decides: false },
      press: () => this.emit('remove', id),
    };
    return { id, name, content, buttons: lives ? [leave, remove] : [leave] };
  }
}
