/** The organisms that visitors have reported, with what the host can do about each. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { ReportState, VisitorState } from '../../../shared/host/state.ts';
import { organismName, plural } from '../../elements/text.ts';
import { hostIcons } from '../icons.ts';
import { queue } from '../queue-style.ts';
import { planterName, reportedText, roughSpan, visitorName } from '../text.ts';
import type { BanDialog } from './ban-dialog.ts';
import './ban-dialog.ts';
import { muteButton } from './mute-button.ts';
import { QueueElement } from './queue-element.ts';
import { iconButton, pictureLoaded, showAll } from './templates.ts';

/** Rows before “Show all”. */
const FIRST = 6;

const reportsText = (n: number): string => plural(n, msg(str`${n} report`), msg(str`${n} reports`));

/**
 * Hidden while nothing is reported, unless the question about a ban is open. Fires `pick` and `remove` (`detail`: OrganismId).
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
    return html`<li tabindex="-1" aria-label=${name} data-testid="report-${organism}">
      ${
        lives
          ? html`<button class="show" aria-label=${msg(str`Show ${name}, number ${organism}`)} @click=${() => this.emit('pick', organism)}>
              ${picture}
            </button>`
          : html`<span class="show">${picture}</span>`
      }
      <span class="from"
        ><span class="capital">${name}</span><small>${planterName(planter)}</small
        ><small class="warning">${reportsText(reporters)}, ${roughSpan(waited)}</small>${
          lives ? nothing : html`<small>${msg('It is gone.')}</small>`
        }</span
      >
      <span class="planter flex">${visitor ? this.planterActions(visitor) : nothing}</span>
      <div class="row">
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
