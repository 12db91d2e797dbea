/** The visitors in the room, with buttons to mute and ban them. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { live } from 'lit/directives/live.js';
import { repeat } from 'lit/directives/repeat.js';
import type { VisitorState } from '../../../shared/host/state.ts';
import { HostElement } from '../elements/host-element.ts';
import { iconButton, idOf, isChecked, showAll } from '../elements/templates.ts';
import type { HostModel } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { actsText, roughSpan, visitorName, visitorsText } from '../text.ts';
import type { BanDialog } from './ban-list.ts';
import './ban-list.ts';

/** For a visitor of the selected room. */
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

/** Rows before “Show all”. */
const FIRST = 8;

/** Includes the switch for names and the dialog for bans. */
@customElement('visitor-list')
export class VisitorList extends HostElement {
  static override styles = css`
    header {
      gap: 12px;
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
      border-top: 1px solid var(--line);
    }
    .name {
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
  /** The requested setting while the server has not confirmed or refused it. */
  @state() private showNames: boolean | undefined;
  @query('ban-dialog') private readonly dialog!: BanDialog;

  protected override roomChanged(): void {
    this.all = false;
    this.showNames = undefined;
  }

  override render(): TemplateResult {
    const { detail, summary } = this.host;
    const visitors = detail?.visitors ?? [];
    const shown = this.all ? visitors : visitors.slice(0, FIRST);
    const names = summary?.settings.names ?? true;
    return html`<header class="flex spread">
        <h3>${visitors.length === 0 ? msg('Visitors') : visitorsText(visitors.length)}</h3>
        <label class="check names flex small soft"
          >${msg('Names')}
          <input
            type="checkbox"
            data-testid="names"
            .checked=${live(this.showNames ?? names)}
            @change=${(event: Event) => this.setNames(isChecked(event))}
        /></label>
      </header>
      ${
        visitors.length === 0
          ? // Of a busy room, that is not known.
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
    return html`<li data-testid="visitor-${visitor.id}">
      <i class="who" style="--hue:${hue}"></i>
      <span class="name"
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
