/**
 * The lists of visitors and bans beside the live room, with buttons to mute and ban visitors and to
 * remove their grafts.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { CallAnswer } from '../../../shared/host/api.ts';
import type { VisitorState } from '../../../shared/host/state.ts';
import { number, plural } from '../../elements/text.ts';
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
  if (n === 0) return msg('No other visitor has this network address right now.');
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

/** Asks whether to ban a visitor's device or network address, and for how long. */
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
          'This device is disconnected and cannot join again, even by scanning the code. For ten minutes, new visitors at the device’s network address are let in one by one.',
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

export function banButton(visitor: VisitorState): TemplateResult {
  const label = msg(str`Ban ${texts.visitorName(visitor)}`);
  return ui.iconButton(label, hostIcons.ban, () => ban(visitor), msg('Ban'));
}

/** Renders a button that mutes or unmutes a visitor of the selected room. */
export function muteButton(visitor: VisitorState): TemplateResult {
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
    offerUndo(room, msg(str`Removed all grafts that ${name} made.`), command);
  const run = () => host.do('removeGrafts', { room, participant: visitor.id }, { done });
  return ui.iconButton(msg(str`Remove all grafts that ${name} made`), hostIcons.remove, run);
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
    // During an operation on the room, such as an undo (see `busy`), the server sends no list of
    // visitors. The missing list does not mean that nobody is here.
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
