/** Lists stored data that were damaged and set aside, and puts them back. */
import { msg, str } from '@lit/localize';
import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { AsideState } from '../../../shared/host/state.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';

/** Renders the entries of all rooms; nothing if there are none. */
export function asideList(): TemplateResult | typeof nothing {
  const { aside = [], rooms = [] } = host.state ?? {};
  // Hide the entries of a room that is being restored, because they are about to change.
  const restoring = rooms.filter(({ busy }) => busy === 'restoring').map(({ name }) => name);
  const shown = aside.filter(({ room }) => room === null || !restoring.includes(room));
  if (shown.length === 0) return nothing;
  return html`<ul class="aside">${repeat(shown, ({ id }) => id, row)}</ul>`;
}

function row(entry: AsideState): TemplateResult {
  const { id, at, what, why } = entry;
  const isCalm = what === 'replaced';
  // Only an entry that holds a whole room can be put back.
  const isWhole = isCalm || what === 'room';
  const isBusy = host.isBusy(`aside ${id}`);
  return html`<li class="row ${isCalm ? 'calm' : ''}" data-testid="aside">
    ${isCalm ? nothing : hostIcons.warning}
    <p role="status" title=${why}>${textOf(entry)} <small>${host.moment(at)}</small></p>
    ${
      isWhole
        ? html`<button class="plain" data-testid="put-back" ?disabled=${isBusy} @click=${() => putBack(entry)}>
            ${hostIcons.undo}${msg('Put back')}
          </button>`
        : nothing
    }
    <button class="plain" data-testid="dismiss" ?disabled=${isBusy} @click=${() => dismiss(entry, isWhole)}>
      ${msg('Keep as it is')}
    </button>
  </li>`;
}

function putBack({ id: aside, room }: AsideState): void {
  const ask = {
    title: msg(str`Put the data of “${room ?? ''}” back?`),
    text: msg(
      'The room becomes what those data hold. What it has now is set aside first, so that you can put that back.',
    ),
    confirm: msg('Put back'),
  };
  const done = msg('The data are put back.');
  void host.do('putBack', { aside }, { ask, done, busy: `aside ${aside}` });
}

function dismiss({ id: aside, room }: AsideState, isWhole: boolean): void {
  const ask = {
    title:
      room === null
        ? msg('Keep the server’s data as they are?')
        : msg(str`Keep “${room}” as it is?`),
    text: isWhole
      ? msg(
          'The data that were set aside stay in the data folder, but can no longer be put back on this page.',
        )
      : msg('This message disappears. The damaged data stay in the data folder.'),
    confirm: msg('Keep as it is'),
  };
  void host.do('dismissAside', { aside }, { ask, busy: `aside ${aside}` });
}

function textOf({ what, room, tick }: AsideState): string {
  if (what === 'file') {
    return msg(
      'The stored data were damaged. What could be read was kept; the damaged file is in the data folder.',
    );
  }
  if (room === null) return msg('Some of the server’s records were damaged and are set aside.');
  if (what === 'records') {
    return msg(str`Some records of “${room}” were damaged and are set aside. The room goes on.`);
  }
  if (what === 'replaced') {
    return msg(str`You put data of “${room}” back. What the room had before is set aside.`);
  }
  return tick === null
    ? msg(str`“${room}” was damaged and starts empty. Its data are set aside.`)
    : msg(str`“${room}” was damaged and is as it was when last saved. Its data are set aside.`);
}
