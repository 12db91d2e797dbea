/**
 * Lists beside the live room: visitors to mute and ban, bans to lift, organisms to select and
 * remove.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { CallAnswer } from '../../../shared/host/api.ts';
import type { VisitorState } from '../../../shared/host/state.ts';
import type { OrganismId, OrganismView } from '../../../shared/vocabulary.ts';
import { kindName, number, plural } from '../../elements/text.ts';
import type { RoomModel } from '../../room/room-model.ts';
import * as ui from '../elements/host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import {
  actsText,
  organismsText,
  planterName,
  roughSpan,
  visitorName,
  visitorsText,
} from '../text.ts';
import { offerUndo } from './saved-section.ts';

/** Lists bans. Hidden if there are none. */
@customElement('ban-list')
export class BanList extends ui.HostElement {
  override render(): TemplateResult | typeof nothing {
    const bans = host.state?.bans ?? [];
    this.hidden = bans.length === 0;
    if (this.hidden) return nothing;
    return html`<h3>${msg('Banned')}</h3>
      <ul>${bans.map(({ id, participant, name: given, address, until }) => {
        const name = visitorName({ id: participant, name: given });
        const time =
          until === null ? msg('until you lift it') : msg(str`until ${host.moment(until)}`);
        return html`<li class="flex spread gap-12 py-8 lined">
          <span>${name}<small>${address ? msg('everyone at the address, ') : ''}${time}</small></span>
          <button
            class="link rigid"
            aria-label=${msg(str`Lift the ban for ${name}`)}
            @click=${() => host.do('liftBan', { ban: id }, { done: msg(str`${name} can come back in.`) })}
          >
            ${msg('Lift ban')}
          </button>
        </li>`;
      })}</ul>`;
  }
}

/** Durations of a ban, in minutes; '' for a ban that lasts until the host lifts it. */
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
  const name = visitorName(visitor);
  const fields = html`<div class="options grid gap-8" role="radiogroup" aria-label=${msg('Who to ban')}>
      ${ui.option(
        html`<input type="radio" name="address" value="" checked />`,
        msg('This device'),
        msg(
          'It is disconnected and cannot come back in, even with the code. For ten minutes, new visitors at its address come in one by one.',
        ),
      )}
      ${ui.option(
        html`<input type="radio" name="address" value="yes" />`,
        msg('Everyone at this address'),
        html`${msg('Nobody can join from this address, including new visitors. Phones on the same Wi-Fi often share one address.')} ${neighboursText(visitor.neighbours)}`,
      )}
    </div>
    ${ui.chips(
      msg('For how long'),
      DURATIONS,
      (minutes) =>
        html`<input type="radio" name="minutes" value=${minutes} ?checked=${minutes === 60} />`,
    )}`;
  const title = msg(str`Ban ${name}?`);
  const answer = await host.ask({ title, fields, confirm: msg('Ban') });
  if (!answer) return;
  const minutes = Number(answer.get('minutes')) || null;
  const address = answer.get('address') === 'yes';
  await host.do(
    'ban',
    { room, participant: visitor.id, address, minutes },
    {
      done: (made) => {
        const lifted = { done: msg('The ban is lifted.') };
        const run = () => void host.do('liftBan', { ban: made.id }, lifted);
        return { text: msg(str`${name} is banned.`), action: { label: msg('Lift the ban'), run } };
      },
    },
  );
}

export function banButton(visitor: VisitorState): TemplateResult {
  const label = msg(str`Ban ${visitorName(visitor)}`);
  return ui.iconButton(label, hostIcons.ban, () => ban(visitor), msg('Ban'));
}

/** Renders a button that mutes or unmutes a visitor of the selected room. */
export function muteButton(visitor: VisitorState): TemplateResult {
  const { id, muted } = visitor;
  const { room } = host;
  const name = visitorName(visitor);
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

/** Renders a button that removes all grafts of a visitor; nothing if the visitor has made none. */
function graftsButton(visitor: VisitorState): TemplateResult | typeof nothing {
  if (visitor.grafted === 0) return nothing;
  const { room } = host;
  const name = visitorName(visitor);
  const done = ({ command }: CallAnswer<'removeGrafts'>) =>
    offerUndo(room, msg(str`Removed all grafts of ${name}.`), command);
  const run = () => host.do('removeGrafts', { room, participant: visitor.id }, { done });
  return ui.iconButton(msg(str`Remove all grafts of ${name}`), hostIcons.remove, run);
}

/** Number of visitors before “Show all”. */
const FIRST_VISITORS = 8;

/** Lists visitors, with the switch for names. */
@customElement('visitor-list')
export class VisitorList extends ui.HostElement {
  static override styles = css`
    header {
      min-height: 2.75em;
    }
    li {
      display: grid;
      grid-template-columns: auto minmax(0, 1fr);
      grid-auto-flow: column;
      align-items: center;
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

  @state() private all = false;

  protected override roomChanged(): void {
    this.all = false;
  }

  override render(): TemplateResult {
    const { detail, summary, settings } = host;
    const visitors = detail?.visitors ?? [];
    const shown = visitors.slice(0, this.all ? undefined : FIRST_VISITORS);
    const setNames = (names: boolean): unknown =>
      host.change(
        { names },
        names ? msg('Names are shown.') : msg('Names are hidden. Visitors only have a colour.'),
      );
    return html`<header class="flex spread gap-12">
        <h3>${visitors.length === 0 ? msg('Visitors') : visitorsText(visitors.length)}</h3>
        <label class="check flex small soft"
          >${msg('Names')} ${ui.checkbox(settings?.names ?? true, setNames, { testId: 'names' })}</label
        >
      </header>
      ${
        visitors.length > 0
          ? html`<ul>${repeat(shown, ui.idOf, visitorRow)}</ul>`
          : // The visitors of a busy room are unknown.
            summary?.busy
            ? nothing
            : html`<p class="soft">${msg('Nobody is here right now.')}</p>`
      }
      ${ui.showAll(shown.length, visitors.length, () => (this.all = true))}`;
  }
}

function visitorRow(visitor: VisitorState): TemplateResult {
  const { id, hue, muted, stay, acts, table } = visitor;
  return html`<li class="lined snug" data-testid="visitor-${id}">
    <i class="who" style="--hue:${hue}"></i>
    <span class="cut line"
      >${visitorName(visitor)}<small
        >${muted ? html`<span class="warning">${msg('muted')}</span>` : html`${table === null ? nothing : `${table} · `}${roughSpan(stay)} · ${actsText(acts)}`}</small
      ></span
    >
    ${graftsButton(visitor)} ${muteButton(visitor)} ${banButton(visitor)}
  </li>`;
}

/** Number of organisms before “Show all”. */
const FIRST_ORGANISMS = 20;

/** Lists organisms. Fires `pick` and `remove` (`detail`: OrganismId). */
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
  @property({ attribute: false }) picked: OrganismId = 0;
  @state() private open = false;
  @state() private all = false;

  override render(): TemplateResult {
    const organisms = [...(this.model?.organisms.values() ?? [])].reverse();
    const shown = organisms.slice(0, this.all ? undefined : FIRST_ORGANISMS);
    return html`<details
      @toggle=${(event: Event) => (this.open = (event.target as HTMLDetailsElement).open)}
    >
      <summary class="flex spread"><h3>${organismsText(organisms.length)}</h3></summary>
      ${
        this.open
          ? html`<ul>${repeat(shown, ui.idOf, (organism) => this.organism(organism))}</ul>
              ${ui.showAll(shown.length, organisms.length, () => (this.all = true))}`
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
      ${ui.iconButton(msg(str`Remove ${name}, number ${id}`), hostIcons.remove, () => this.emit('remove', id), msg('Remove'))}
    </li>`;
  }
}
