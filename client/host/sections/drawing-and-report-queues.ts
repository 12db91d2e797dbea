/** The drawings and reports that await the host's decision, beside the live room. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, query } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { ReportState, RoomDetail } from '../../../shared/host/state.ts';
import type { OrganismId } from '../../../shared/vocabulary.ts';
import { organismName, plural } from '../../elements/text.ts';
import * as ui from '../host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import * as texts from '../text.ts';
import { banButton, muteButton } from './visitor-list.ts';

/**
 * How long a row must have been in its position before its buttons respond, in ms. An earlier press
 * was probably meant for the previous row in this position.
 */
const SETTLE_MS = 700;

/**
 * Base class of the lists of drawings and reports. When a row vanishes, the next row moves into its
 * position. For `SETTLE_MS` ms, the moved row ignores presses, which were probably meant for the
 * vanished row.
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

  /** Kind of the rows, such as 'drawing'. Test ids begin with the kind: 'drawing-7'. */
  protected abstract readonly kind: string;
  @query('h3') private readonly heading!: HTMLElement | null;
  /**
   * For each row id, the row's position, and the time at which the row came to this position, in
   * ms.
   */
  private places: ReadonlyMap<number, { readonly place: number; readonly since: number }> =
    new Map();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** The entries on display, in order. */
  protected shown: readonly T[] = [];

  protected abstract entries(): readonly T[];

  protected abstract row(entry: T): TemplateResult;

  /**
   * Number of rows in the lists above this one. If such a row vanishes, this list's rows move too.
   */
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

  /** Returns the name by which `host.busy` marks a call about a row as in progress. */
  protected busyName(id: number): string {
    return `${host.room} ${this.kind} ${id}`;
  }

  /**
   * Renders a button for a decision about a row, such as “Decline”.
   *
   * @param label accessible name, if it differs from the text
   * @param call carries out the decision; its promise must not reject
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

  /**
   * Carries out the host's decision about a row, unless the row has just moved (see `SETTLE_MS`).
   */
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
 * Lists the drawings that await the host's decision. If there are none, the list is hidden, unless
 * the room is open and its drawings need the host's approval.
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
    const grow = msg(str`Let it grow: the drawing by ${visitor}`);
    const declined = msg(str`${visitor} will be notified that the drawing was declined.`);
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
