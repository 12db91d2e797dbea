/** The section about access tokens, with which programs make the host's calls. */
import { msg, str } from '@lit/localize';
import { html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { API, type CallAnswer, OPENAPI } from '../../../shared/host/api.ts';
import { ROLES, type Role } from '../../../shared/host/roles.ts';
import type { AccessTokenState } from '../../../shared/host/state.ts';
import * as ui from '../elements/host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';

/** Of each role: its name, and what it may do. */
const ROLE_TEXTS: Readonly<Record<Role, readonly [name: string, about: string]>> = {
  observer: [msg('Observer'), msg('Reads figures and pictures.')],
  operator: [msg('Operator'), msg('Also pauses rooms and runs the show.')],
  host: [msg('Host'), msg('May do everything that this page can.')],
};

/** Makes, lists and revokes tokens. A new token is shown until the section is left. */
@customElement('access-section')
export class AccessSection extends ui.HostElement {
  protected override readonly reloadInterval = 5_000;

  @state() private tokens: readonly AccessTokenState[] | undefined;
  @state() private wanted: Role = 'observer';
  @state() private made: CallAnswer<'makeToken'> | undefined;

  protected override async load(): Promise<void> {
    this.tokens = await host.api.call('tokens', {}).catch(() => this.tokens);
  }

  protected override section(): TemplateResult {
    const { tokens, made, wanted } = this;
    const roles = ui.choicesOf(ROLES, (each) => ROLE_TEXTS[each][0]);
    const document = html`<a href=${API + OPENAPI} target="_blank">OpenAPI</a>`;
    return html`${ui.sectionHead(
      msg('Access tokens'),
      msg(
        html`With a token, a program such as a show controller makes the calls of this page. For its author: ${document}.`,
      ),
    )}
      <div class="grid gap-14">
        <form class="card grid gap-12" @submit=${this.submit}><div class="row end gap-12">
          <label class="field fills"
            ><span>${msg('Name of the program')}</span
            ><input name="name" data-testid="token-name" required maxlength="80" autocomplete="off" placeholder=${msg('for example: Lights')} />
          </label>
          ${ui.field(
            msg('Role'),
            ui.select('token-role', roles, wanted, (role) => (this.wanted = role as Role)),
          )}
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
    // The emptied form has this role again.
    this.wanted = 'observer';
    void this.load();
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
      text: msg('The program can then do nothing any more, on any server.'),
      confirm: msg('Revoke'),
    };
    await host.do('revokeToken', { token }, { ask, done: msg(str`Revoked: ${name}.`) });
    if (this.made?.id === token) this.made = undefined;
    void this.load();
  }
}

function madeCard({ name, token }: CallAnswer<'makeToken'>): TemplateResult {
  return html`<div class="card field wide">
    <span>${msg(str`Token for “${name}”. Copy it now: it is not shown again.`)}</span>
    <code dir="ltr" data-testid="access-token">${token}</code>
  </div>`;
}
