/**
 * Lists the servers that share the rooms with their load, and moves a server's rooms to the others.
 */
import { msg, str } from '@lit/localize';
import { html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { ServerState } from '../../../shared/host/state.ts';
import { number } from '../../elements/text.ts';
import { facts, HostElement, sectionHead, tag } from '../elements/host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { roughSpan } from '../text.ts';

const ROLES: Readonly<Record<ServerState['role'], string>> = {
  owner: msg('runs rooms'),
  gateway: msg('connects visitors'),
  both: msg('runs rooms, connects visitors'),
};

/** Formats milliseconds: '12 ms'. */
const milliseconds = (time: number): string =>
  msg(str`${number(time < 10 ? Math.round(10 * time) / 10 : Math.round(time))} ms`);

/** Section “Servers”; shown only in a cluster. */
@customElement('servers-section')
export class ServersSection extends HostElement {
  override render(): TemplateResult | typeof nothing {
    const { cluster } = host.state ?? {};
    if (!cluster) return nothing;
    const lead = msg(
      'They share the rooms: each room runs on one of them, wherever its visitors come in.',
    );
    return html`${sectionHead(msg('Servers'), lead)}
      <div class="grid gap-14">
        ${
          cluster.current
            ? nothing
            : html`<p class="warning" role="status">${msg('Valkey does not answer. This is what the servers said last.')}</p>`
        }
        ${repeat(
          cluster.servers,
          ({ name }) => name,
          (server) => serverCard(server, server.name === cluster.own),
        )}
      </div>`;
  }
}

function serverCard(server: ServerState, isOwn: boolean): TemplateResult {
  const { name, role, version, since, draining, tick, latency, rooms, followed } = server;
  const { now = 0 } = host.state ?? {};
  return html`<article class="card grid gap-14" data-testid="server" aria-label=${name}>
    <div>
      <div class="row">
        <h3 class="title" dir="ltr">${name}</h3>
        ${draining ? tag(msg('drained'), 'warning') : nothing}
        ${isOwn ? tag(msg('answers this page'), 'good') : nothing}
      </div>
      ${facts(
        ROLES[role],
        msg(str`version ${version}`),
        msg(str`running for ${roughSpan(now - since)}`),
        tick !== null && rooms.length > 0 && msg(str`a step takes ${milliseconds(tick)}`),
        latency !== null && msg(str`a message takes ${milliseconds(latency)}`),
      )}
    </div>
    ${roomTable(server)}
    ${
      draining || followed.length === 0
        ? nothing
        : html`<p class="soft" data-testid="followed">${msg(str`Follows, ready to take over: ${followed.join(', ')}`)}</p>`
    }
    ${role === 'gateway' ? nothing : drainRow(server)}
  </article>`;
}

/** Renders a table of the rooms that a server runs, or whose viewers it serves. */
function roomTable({ role, rooms, viewers }: ServerState): TemplateResult | typeof nothing {
  const names = new Set([...rooms.map(({ name }) => name), ...viewers.map(({ room }) => room)]);
  if (names.size === 0) return nothing;
  const runs = role !== 'gateway';
  const titles = runs
    ? [msg('Room'), msg('Cells awake'), msg('Lease'), msg('Viewers')]
    : [msg('Room'), msg('Viewers')];
  const cells = (room: string): (number | undefined)[] => {
    const { awake, epoch } = rooms.find(({ name }) => name === room) ?? {};
    const { connections = 0 } = viewers.find((each) => each.room === room) ?? {};
    return runs ? [awake, epoch, connections] : [connections];
  };
  return html`<table class="number loads">
    <thead>
      <tr>${titles.map((title) => html`<th scope="col">${title}</th>`)}</tr>
    </thead>
    <tbody>
      ${[...names].sort().map(
        (name) => html`<tr>
          <th scope="row">${name}</th>
          ${cells(name).map((value) => html`<td>${value === undefined ? '–' : number(value)}</td>`)}
        </tr>`,
      )}
    </tbody>
  </table>`;
}

/** Renders the button that drains a server or, while the server drains, how far it is. */
function drainRow({ name: server, draining, rooms, leaving }: ServerState): TemplateResult {
  if (!draining) {
    const ask = {
      title: msg(str`Drain “${server}”?`),
      text: msg(
        'Its rooms are saved and go to other servers, and it takes none until you allow that again. Visitors stay; the picture may stand still for a second.',
      ),
      confirm: msg('Drain'),
      harmless: true,
    };
    return html`<div class="row">
      <button class="plain" data-testid="drain" @click=${() => host.do('drain', { server }, { ask })}>${msg('Drain')}</button>
    </div>`;
  }
  const kept = rooms.filter((room) => room.kept).map(({ name }) => name);
  const text =
    kept.length > 0
      ? msg(str`No other server has taken: ${kept.join(', ')}. It runs here until one does.`)
      : rooms.length + leaving.length > 0
        ? msg('It is giving its rooms to other servers.')
        : msg('It runs no room and takes none. It can be stopped.');
  const done = msg(str`“${server}” takes rooms again.`);
  return html`<div class="row spread">
    <p class=${kept.length > 0 ? 'warning' : ''} role="status" data-testid="drained">${text}</p>
    <button class="plain" data-testid="undrain" @click=${() => host.do('stopDraining', { server }, { done })}>
      ${hostIcons.undo}${msg('Take rooms again')}
    </button>
  </div>`;
}
