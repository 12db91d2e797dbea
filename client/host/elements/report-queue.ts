/** The organisms that visitors have reported, with what the host can do about each. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { ReportState, VisitorState } from '../../../shared/host/state.ts';
import type { OrganismId } from '../../../shared/vocabulary.ts';
import { organismName } from '../../elements/organism-text.ts';
import { plural } from '../../elements/text.ts';
import { hostIcons } from '../icons.ts';
import { queue } from '../queue-style.ts';
import { planterName, reportedText, roughSpan, visitorName } from '../text.ts';
import type { BanDialog } from './ban-dialog.ts';
import './ban-dialog.ts';
import { HostElement } from './host-element.ts';
import { muteButton } from './mute-button.ts';
import { iconButton, pictureLoaded, showAll } from './templates.ts';

/** Rows before “Show all”. */
const FIRST = 6;

const reportsText = (n: number): string => plural(n, msg(str`${n} report`), msg(str`${n} reports`));

/**
 * Hidden while nothing is reported. Fires `pick` and `remove` (`detail`: OrganismId).
 */
@customElement('report-queue')
export class ReportQueue extends HostElement {
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
  /** Organisms that the host has dismissed, until the server has answered. */
  @state() private dismissed: ReadonlySet<OrganismId> = new Set();
  @query('h3') private readonly heading!: HTMLElement | null;
  @query('ban-dialog') private readonly dialog!: BanDialog;

  protected override roomChanged(): void {
    this.all = false;
    this.dismissed = new Set();
  }

  override render(): TemplateResult | typeof nothing {
    const reports = this.host.detail?.reports ?? [];
    this.hidden = reports.length === 0;
    if (this.hidden) return nothing;
    const shown = this.all ? reports : reports.slice(0, FIRST);
    return html`<h3 tabindex="-1" data-testid="reports">${msg('Reported by visitors')}</h3>
      <p class="soft" role="status">${reportedText(reports.length)}</p>
      <ul>${repeat(
        shown,
        ({ organism }) => organism,
        (report) => this.report(report),
      )}</ul>
      ${showAll(shown.length, reports.length, () => (this.all = true))}
      <ban-dialog .host=${this.host} .version=${this.version}></ban-dialog>`;
  }

  private report(report: ReportState): TemplateResult {
    const { organism, planter, reporters, waited } = report;
    const parts = { room: this.shownRoom, organism };
    const name = organismName(report);
    const visitor = this.host.detail?.visitors.find(({ id }) => id === planter.id);
    const isDismissed = this.dismissed.has(organism);
    // With each report, the picture is fetched again.
    const picture = `${pathOf(FILES.organism, parts)}?reports=${reporters}`;
    return html`<li data-testid="report-${organism}">
      <button class="show" aria-label=${msg(str`Show ${name}, number ${organism}`)} @click=${() => this.emit('pick', organism)}>
        <img class="picture" src=${picture} alt="" @load=${pictureLoaded} @error=${pictureLoaded} />
      </button>
      <span class="from"
        ><span class="capital">${name}</span><small>${planterName(planter)}</small
        ><small class="warning">${reportsText(reporters)}, ${roughSpan(waited)}</small></span
      >
      <span class="planter flex">${visitor ? this.planterActions(visitor) : nothing}</span>
      <div class="row">
        <button class="plain" ?disabled=${isDismissed} @click=${() => this.dismiss(organism, name)}>
          ${msg('Leave it')}
        </button>
        <button class="danger" @click=${() => this.emit('remove', organism)}>
          ${hostIcons.remove}${msg('Remove')}
        </button>
      </div>
    </li>`;
  }

  private planterActions(visitor: VisitorState): TemplateResult {
    const name = visitorName(visitor);
    return html`${muteButton(this.host, visitor)}
    ${iconButton(msg(str`Ban ${name}`), hostIcons.ban, () => this.dialog.show(visitor), msg('Ban'))}`;
  }

  private async dismiss(organism: OrganismId, name: string): Promise<void> {
    const { shownRoom: room } = this;
    this.dismissed = new Set([...this.dismissed, organism]);
    await this.host.do('dismissReport', { room }, { organism }, () =>
      msg(str`${name} stays. It is listed again only if somebody else reports it.`),
    );
    this.dismissed = new Set([...this.dismissed].filter((each) => each !== organism));
    await this.updateComplete;
    // The button that had the focus is gone; the next report is what the host wants to see.
    const next = this.renderRoot.querySelector<HTMLElement>('li .plain') ?? this.heading;
    if (room === this.shownRoom && !this.matches(':focus-within')) next?.focus();
  }
}
