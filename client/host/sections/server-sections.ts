/**
 * Sections about the whole server: “Servers”, the servers of a cluster; and “Access tokens”, which
 * let programs make the same calls as the host's page.
 */
import { msg, str } from '@lit/localize';
import { html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { API, type CallAnswer, OPENAPI } from '../../../shared/host/api.ts';
import { ROLES, type Role } from '../../../shared/host/roles.ts';
import type { AccessTokenState, ServerState } from '../../../shared/host/state.ts';
import { number } from '../../elements/text.ts';
import * as ui from '../host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import * as texts from '../text.ts';

const SERVER_ROLES: Readonly<Record<ServerState['role'], string>> = {
  owner: msg('runs rooms'),
  gateway: msg('connects visitors'),
  both: msg('runs rooms, connects visitors'),
};

const milliseconds = (time: number): string =>
  msg(str`${number(time < 10 ? Math.round(10 * time) / 10 : Math.round(time))} ms`);

/** Section “Servers”; shown only in a cluster. */
@customElement('servers-section')
export class ServersSection extends ui.HostElement {
  override render(): TemplateResult | typeof nothing {
    const { cluster } = host.state ?? {};
    if (!cluster) return nothing;
    const lead = msg(
      'The servers share the rooms: each room runs on one server, whichever server its visitors use.',
    );
    const stale = html`<p class="warning" role="status">${msg('Valkey does not answer. This page shows what the servers last reported.')}</p>`;
    return html`${ui.sectionHead(msg('Servers'), lead)}
      <div class="grid gap-14">
        ${cluster.current ? nothing : stale}
        ${cluster.servers.map((server) => serverCard(server, server.name === cluster.own))}
      </div>`;
  }
}

function serverCard(server: ServerState, isOwn: boolean): TemplateResult {
  const { name, role, version, since, draining, tick, latency, rooms, followed } = server;
  const { now = 0 } = host.state ?? {};
  const standby = html`<p class="soft" data-testid="followed">${msg(str`This server keeps a running copy of these rooms, ready to take over: ${followed.join(', ')}`)}</p>`;
  return html`<article class="card grid gap-14" data-testid="server" aria-label=${name}>
    <div>
      <div class="row">
        <h3 class="title" dir="ltr">${name}</h3>
        ${draining ? ui.tag(msg('drained'), 'warning') : nothing}
        ${isOwn ? ui.tag(msg('answers this page'), 'good') : nothing}
      </div>
      ${ui.facts(
        SERVER_ROLES[role],
        msg(str`version ${version}`),
        msg(str`running for ${texts.roughSpan(now - since)}`),
        tick !== null && rooms.length > 0 && msg(str`a step takes ${milliseconds(tick)}`),
        latency !== null && msg(str`a message takes ${milliseconds(latency)}`),
      )}
    </div>
    ${roomTable(server)}
    ${draining || followed.length === 0 ? nothing : standby}
    ${role === 'gateway' ? nothing : drainRow(server)}
  </article>`;
}

/**
 * Renders a table of the rooms that a server runs, and of other rooms to which it connects pages.
 */
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
  const row = (name: string) =>
    html`<tr>
      <th scope="row">${name}</th>
      ${cells(name).map((value) => html`<td>${value === undefined ? '–' : number(value)}</td>`)}
    </tr>`;
  return html`<table class="number loads">
    <thead><tr>${titles.map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
    <tbody>${[...names].sort().map(row)}</tbody>
  </table>`;
}

/**
 * Renders a button that starts draining a server. While the server drains, renders the progress
 * instead.
 */
function drainRow({ name: server, draining, rooms, leaving }: ServerState): TemplateResult {
  if (!draining) {
    const ask = {
      title: msg(str`Drain “${server}”?`),
      text: msg(
        'The rooms of this server are saved and move to other servers. The server takes no new rooms until you choose “Take rooms again”. Visitors stay connected, but the picture may freeze for a second.',
      ),
      confirm: msg('Drain'),
      harmless: true,
    };
    const drain = () => host.do('drain', { server }, { ask });
    return html`<div class="row"><button class="plain" data-testid="drain" @click=${drain}>${msg('Drain')}</button></div>`;
  }
  const kept = rooms.filter((room) => room.kept).map(({ name }) => name);
  const text =
    kept.length > 0
      ? msg(
          str`No other server has taken over these rooms yet: ${kept.join(', ')}. The rooms run here until another server takes them over.`,
        )
      : rooms.length + leaving.length > 0
        ? msg('This server is moving its rooms to other servers.')
        : msg('This server runs no rooms and takes no new rooms. You can stop the server.');
  const done = msg(str`“${server}” takes rooms again.`);
  return html`<div class="row spread">
    <p class=${kept.length > 0 ? 'warning' : ''} role="status" data-testid="drained">${text}</p>
    <button class="plain" data-testid="undrain" @click=${() => host.do('stopDraining', { server }, { done })}>
      ${hostIcons.undo}${msg('Take rooms again')}
    </button>
  </div>`;
}

/** The name of each role of an access token, and a description of what the role allows. */
const ROLE_TEXTS: Readonly<Record<Role, readonly [name: string, about: string]>> = {
  observer: [
    msg('Observer'),
    msg('Can read the state of the server and its rooms, statistics and pictures.'),
  ],
  operator: [msg('Operator'), msg('Can also pause rooms and control the show.')],
  host: [msg('Host'), msg('Can do everything that this page can do.')],
};

/**
 * Creates, lists and revokes access tokens. A new token is shown until the host leaves the section.
 */
@customElement('access-section')
export class AccessSection extends ui.HostElement<readonly AccessTokenState[]> {
  protected override readonly reloadInterval = 5_000;

  @state() private wanted: Role = 'observer';
  @state() private made: CallAnswer<'makeToken'> | undefined;

  protected override load() {
    return host.api.call('tokens', {});
  }

  protected override section(): TemplateResult {
    const { loaded: tokens, made, wanted } = this;
    const roles = ui.choicesOf(ROLES, (each) => ROLE_TEXTS[each][0]);
    const choose = (role: string) => (this.wanted = role as Role);
    const document = html`<a href=${API + OPENAPI} target="_blank">OpenAPI</a>`;
    const lead = msg(
      html`With a token, a program such as a show controller can make the same calls as this page. Documentation of the calls: ${document}.`,
    );
    return html`${ui.sectionHead(msg('Access tokens'), lead)}
      <div class="grid gap-14">
        <form class="card grid gap-12" @submit=${this.submit}><div class="row end gap-12">
          ${ui.nameField(msg('Name of the program'), 'token-name', msg('for example: Lights'))}
          ${ui.field(msg('Role'), ui.select('token-role', roles, wanted, choose))}
          <button class="solid" data-testid="make-token">${hostIcons.plus}${msg('Make token')}</button>
        </div><p class="soft">${ROLE_TEXTS[wanted][1]}</p></form>
        <div role="status">${made ? madeCard(made) : nothing}</div>
        ${tokens?.map((token) => this.card(token))}
        ${tokens?.length === 0 ? html`<div class="empty"><p>${msg('No program has a token.')}</p></div>` : nothing}
      </div>`;
  }

  private readonly submit = ui.submitName(async (name) => {
    const { wanted: role } = this;
    const made = await host.do('makeToken', { name, role });
    if (made) this.made = made;
    // Creating a token empties the form, so reset the role too.
    this.wanted = 'observer';
    void this.reload();
    return made;
  });

  private card({ id, name, role, made }: AccessTokenState): TemplateResult {
    return html`<article class="card wrap spread gap-12" data-testid="access-${id}" aria-label=${name}>
      <div>
        <h3 class="title">${name}</h3>
        ${ui.facts(ROLE_TEXTS[role][0], msg(str`made: ${host.moment(made)}`))}
      </div>
      <button class="danger" data-testid="revoke-token" @click=${() => this.revoke(id, name)}>${hostIcons.remove}${msg('Revoke')}</button>
    </article>`;
  }

  private async revoke(token: number, name: string): Promise<void> {
    const ask = {
      title: msg(str`Revoke the token of “${name}”?`),
      text: msg('The program will lose its access to all servers.'),
      confirm: msg('Revoke'),
    };
    await host.do('revokeToken', { token }, { ask, done: msg(str`Revoked: ${name}.`) });
    if (this.made?.id === token) this.made = undefined;
    void this.reload();
  }
}

function madeCard({ name, token }: CallAnswer<'makeToken'>): TemplateResult {
  return html`<div class="card field wide">
    <span>${msg(str`Token for “${name}”. Copy the token now: it is not shown again.`)}</span>
    <code dir="ltr" data-testid="access-token">${token}</code>
  </div>`;
}
