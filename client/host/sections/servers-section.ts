/**
 * Lists the servers that share the rooms with their load, and moves a server's rooms to the others.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { ClusterState, ServerState } from '../../../shared/host/state.ts';
import { number } from '../../elements/text.ts';
import { HostElement, sectionHead } from '../elements/host-element.ts';
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

/** A room that a server runs, or whose viewers it serves. */
interface Row {
  readonly room: string;
  readonly run: ServerState['rooms'][number] | undefined;
  readonly viewers: number;
}

function rowsOf({ rooms, viewers }: ServerState): Row[] {
  const names = new Set([...rooms.map(({ name }) => name), ...viewers.map(({ room }) => room)]);
  return [...names].sort().map((room) => {
    const { connections = 0 } = viewers.find((one) => one.room === room) ?? {};
    return { room, run: rooms.find(({ name }) => name === room), viewers: connections };
  });
}

/** Section “Servers”; shown only in a cluster. */
@customElement('servers-section')
export class ServersSection extends HostElement {
  static override styles = css`
    .facts {
      margin-top: 4px;
    }
    table {
      width: 100%;
      max-width: 44em;
      border-collapse: collapse;
    }
    th,
    td {
      padding: 0.45em 0;
      padding-inline-start: 1.2em;
      border-top: 1px solid var(--line);
      font-weight: 400;
      text-align: end;
      white-space: nowrap;
    }
    thead th {
      border-top: 0;
      color: var(--ink-soft);
      font-size: 0.9em;
      vertical-align: bottom;
      white-space: normal;
    }
    th:first-child {
      width: 40%;
      padding-inline-start: 0;
      text-align: start;
      overflow-wrap: anywhere;
      white-space: normal;
    }
  `;

  override render(): TemplateResult | typeof nothing {
    const { cluster } = this.host.state ?? {};
    if (!cluster) return nothing;
    const lead = msg(
      'They share the rooms: each room runs on one of them, whichever server its visitors use.',
    );
    return html`${sectionHead(msg('Servers'), lead)}
      <div class="grid gap-14">
        ${
          cluster.current
            ? nothing
            : html`<p class="warning" role="status">${msg('Valkey does not answer. This is what the servers last reported.')}</p>`
        }
        ${repeat(
          cluster.servers,
          ({ name }) => name,
          (server) => this.server(server, cluster),
        )}
      </div>`;
  }

  private server(server: ServerState, { own }: ClusterState): TemplateResult {
    const { name, role, version, since, draining, tick, latency, followed } = server;
    const { now = 0 } = this.host.state ?? {};
    const rows = rowsOf(server);
    return html`<article class="card grid gap-14" data-testid="server" aria-label=${name}>
      <div>
        <div class="row">
          <h3 class="title" dir="ltr">${name}</h3>
          ${draining ? html`<span class="tag warning">${msg('drained')}</span>` : nothing}
          ${name === own ? html`<span class="tag good">${msg('answers this page')}</span>` : nothing}
        </div>
        <p class="facts wrap soft number">
          <span>${ROLES[role]}</span>
          <span>${msg(str`version ${version}`)}</span>
          <span>${msg(str`running for ${roughSpan(now - since)}`)}</span>
          ${tick === null || server.rooms.length === 0 ? nothing : html`<span>${msg(str`a step takes ${milliseconds(tick)}`)}</span>`}
          ${latency === null ? nothing : html`<span>${msg(str`a message takes ${milliseconds(latency)}`)}</span>`}
        </p>
      </div>
      ${rows.length === 0 ? nothing : this.table(rows, role !== 'gateway')}
      ${
        draining || followed.length === 0
          ? nothing
          : html`<p class="soft" data-testid="followed">${msg(str`Follows, ready to take over: ${followed.join(', ')}`)}</p>`
      }
      ${role === 'gateway' ? nothing : this.drained(server)}
    </article>`;
  }

  /** Renders the table of a server's rooms. @param runs whether the server may run rooms */
  private table(rows: readonly Row[], runs: boolean): TemplateResult {
    const cell = (value: number | undefined): TemplateResult =>
      html`<td>${value === undefined ? '–' : number(value)}</td>`;
    const ofOwners = runs
      ? html`<th scope="col">${msg('Cells awake')}</th>
          <th scope="col">${msg('Lease')}</th>`
      : nothing;
    return html`<table class="number">
      <thead>
        <tr>
          <th scope="col">${msg('Room')}</th>
          ${ofOwners}
          <th scope="col">${msg('Viewers')}</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ room, run, viewers }) =>
            html`<tr>
              <th scope="row">${room}</th>
              ${runs ? html`${cell(run?.awake)} ${cell(run?.epoch)}` : nothing} ${cell(viewers)}
            </tr>`,
        )}
      </tbody>
    </table>`;
  }

  private drained({ name: server, draining, rooms, leaving }: ServerState): TemplateResult {
    if (!draining) {
      return html`<div class="row">
        <button class="plain" data-testid="drain" @click=${() => this.drain(server)}>${msg('Drain')}</button>
      </div>`;
    }
    const kept = rooms.filter((room) => room.kept).map(({ name }) => name);
    const text =
      kept.length > 0
        ? msg(str`No other server has these yet: ${kept.join(', ')}. They run here until one does.`)
        : rooms.length + leaving.length > 0
          ? msg('It is giving its rooms to other servers.')
          : msg('It runs no room and takes none. It can be stopped.');
    return html`<div class="row spread">
      <p class=${kept.length > 0 ? 'warning' : ''} role="status" data-testid="drained">${text}</p>
      <button class="plain" data-testid="undrain" @click=${() => this.takeAgain(server)}>
        ${hostIcons.undo}${msg('Take rooms again')}
      </button>
    </div>`;
  }

  private async drain(server: string): Promise<void> {
    const yes = await this.host.feedback.ask({
      title: msg(str`Drain “${server}”?`),
      text: msg(
        'Its rooms are saved and move to other servers. It takes none until you allow that again. Visitors stay; the picture may freeze for a second.',
      ),
      confirm: msg('Drain'),
    });
    if (yes) await this.host.do('drain', { server }, {});
  }

  private async takeAgain(server: string): Promise<void> {
    await this.host.do('stopDraining', { server }, {}, msg(str`“${server}” takes rooms again.`));
  }
}
