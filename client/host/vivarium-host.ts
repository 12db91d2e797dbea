/**
 * The host's page: the sign-in form, then the sections of the selected room. Elements show
 * `HostModel` and make calls through it; they never fetch the state themselves. Start with
 * `host-model.ts`, then `elements/host-element.ts`.
 */
import { msg, str } from '@lit/localize';
import { html, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { html as staticHtml, unsafeStatic } from 'lit/static-html.js';
import type { ConfirmDialog, NoticeLayer } from './elements/feedback.ts';
import { inputValue, StyledElement } from './elements/host-element.ts';
import './sections/aside-list.ts';
import './elements/feedback.ts';
import './elements/host-nav.ts';
import './elements/host-login.ts';
import './sections/hours-section.ts';
import './sections/film-section.ts';
import './sections/knobs-section.ts';
import './sections/rooms-section.ts';
import './sections/saved-section.ts';
import './sections/servers-section.ts';
import './sections/sign-section.ts';
import './sections/visitors-section.ts';
import './sections/walls-section.ts';
import './sections/watch-section.ts';
import { HostModel } from './host-model.ts';
import { hostIcons } from './icons.ts';
import {
  type HostLocation,
  healthOf,
  locationHash,
  parseLocation,
  sectionsOf,
} from './sections.ts';
import { shellStyle } from './style.ts';
import { clock, failure, moment } from './text.ts';

/** Root element. The hash of the page's address holds the section and the room. */
@customElement('vivarium-host')
export class VivariumHost extends StyledElement {
  static override styles = shellStyle;

  private readonly host = new HostModel({
    ask: (question) => this.dialog!.ask(question),
    withdraw: () => this.dialog?.withdraw(),
    show: (notice) => this.notices.show(notice),
  });
  @state() private version = 0;
  @state() private location: HostLocation = parseLocation(location.hash);
  @query('confirm-dialog') private readonly dialog!: ConfirmDialog | null;
  @query('notice-layer') private readonly notices!: NoticeLayer;
  @query('main') private readonly main!: HTMLElement;
  private readonly stop = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    const { signal } = this.stop;
    this.host.onChange(() => {
      this.version++;
      this.followRoom();
    });
    window.addEventListener('hashchange', () => this.navigate(), { signal });
    const refresh = (): void => {
      if (!document.hidden) void this.host.refresh();
    };
    document.addEventListener('visibilitychange', refresh, { signal });
    const touched = (): void => {
      this.host.api.touched = true;
    };
    for (const name of ['pointerdown', 'keydown', 'wheel'] as const) {
      window.addEventListener(name, touched, { signal, capture: true, passive: true });
    }
    if (this.location.room) this.host.select(this.location.room);
    void this.host.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop.abort();
    this.host.stop();
  }

  protected override updated(): void {
    const { host } = this;
    const name = sectionsOf(true).find(({ id }) => id === this.shown)?.name;
    document.title = host.signedIn ? `${name} · ${host.room} · Host` : 'Host · Vivarium';
  }

  /** The section in the address, or the first section if this server lacks it. */
  private get shown(): HostLocation['section'] {
    const { state } = this.host;
    const sections = sectionsOf(!state || state.cluster !== null);
    return sections.find(({ id }) => id === this.location.section)?.id ?? sections[0].id;
  }

  override render(): TemplateResult {
    const { host } = this;
    return html`${
      host.signedIn === undefined
        ? nothing
        : host.signedIn
          ? this.shell()
          : html`<main class="login">
                <host-login .host=${host} .version=${this.version}></host-login>
              </main>`
    }<confirm-dialog></confirm-dialog><notice-layer></notice-layer>`;
  }

  private shell(): TemplateResult {
    const { host } = this;
    const refused = host.reachable ? host.detailRefused : failure(undefined);
    return html`<div class="shell grid">
      <header>
        <h1>Vivarium<span>${msg('host')}</span></h1>
        ${this.roomSelect()}
        <host-nav .host=${host} .version=${this.version} .current=${this.shown}>
          <host-language></host-language>${this.signOutButton()}
        </host-nav>
        <div class="foot grid">${this.health()} <host-language></host-language> ${this.signOutButton()}</div>
      </header>
      <main id="main" tabindex="-1">
        ${refused ? html`<p class="offline flex" role="status">${hostIcons.warning}${refused}</p>` : nothing}
        ${this.trouble()}
        <aside-list .host=${host} .version=${this.version}></aside-list>
        <div class="page" data-section=${this.shown}>${host.state ? this.section() : nothing}</div>
      </main>
    </div>`;
  }

  private roomSelect(): TemplateResult {
    const { state, room } = this.host;
    return html`<label class="room"
      ><span class="visually-hidden">${msg('Room')}</span>
      <select
        data-testid="room"
        @change=${(event: Event) => (location.hash = locationHash({ ...this.location, room: inputValue(event) }))}
      >
        ${state?.rooms.map(
          ({ name, open }) =>
            html`<option value=${name} .selected=${name === room}>${open ? name : msg(str`${name} (closed)`)}</option>`,
        )}
      </select></label
    >`;
  }

  private health(): TemplateResult | typeof nothing {
    const { state, reachable } = this.host;
    if (!state) return nothing;
    const { now, zone, next } = state;
    const { kind, text } = healthOf(state, reachable);
    const verbs = { open: msg('opens'), close: msg('closes'), restart: msg('restarts') } as const;
    return html`<p class="health grid small soft number">
      <span class="tag ${kind}">${text}</span>
      <span>${clock(now, zone)}${next ? `, ${verbs[next.what]} ${moment(next.at, now, zone)}` : ''}</span>
    </p>`;
  }

  /** Shows the server's problem on screens without a sidebar. */
  private trouble(): TemplateResult | typeof nothing {
    const { state, reachable } = this.host;
    if (!state || !reachable) return nothing;
    const { kind, text } = healthOf(state, reachable);
    return kind === 'good'
      ? nothing
      : html`<p class="trouble" role="status"><span class="tag ${kind}">${text}</span></p>`;
  }

  private signOutButton(): TemplateResult {
    return html`<button class="sign-out raise flex soft" data-testid="leave" @click=${() => this.host.signOut()}>
      ${hostIcons.leave}<span>${msg('Sign out')}</span>
    </button>`;
  }

  private section(): TemplateResult {
    const { host, version } = this;
    // This is safe, because a location has one of the ids of `sectionsOf` and an element exists for
    // each id.
    const tag = unsafeStatic(`${this.shown}-section`);
    return staticHtml`<${tag} .host=${host} .version=${version}></${tag}>`;
  }

  /**
   * Updates the address to the model's room, because the model selects another room if the room in
   * the address no longer exists.
   */
  private followRoom(): void {
    const { room } = this.host;
    if (room === '' || room === this.location.room) return;
    this.location = { ...this.location, room };
    history.replaceState(history.state, '', locationHash(this.location));
  }

  private navigate(): void {
    const before = this.location.section;
    // Withdraw an open question, because it belongs to the previous section.
    this.dialog?.withdraw();
    this.location = parseLocation(location.hash);
    if (this.location.room) this.host.select(this.location.room);
    if (before === this.location.section || !this.main) return;
    this.main.scrollTo(0, 0);
    this.main.focus({ preventScroll: true });
  }
}
