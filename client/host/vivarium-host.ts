/**
 * The host's page: the sign-in form, then the sections of the selected room. Elements show
 * `HostModel` and make calls through it; they never fetch the state themselves. Start with
 * `host-model.ts`, then `elements/host-element.ts`.
 */
import { msg, str } from '@lit/localize';
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { html as staticHtml, unsafeStatic } from 'lit/static-html.js';
import { type Choice, HostElement, select, tag } from './elements/host-element.ts';
import { asideList } from './sections/aside-list.ts';
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
import { host } from './host-model.ts';
import { hostIcons } from './icons.ts';
import {
  type HostLocation,
  healthOf,
  locationHash,
  parseLocation,
  sectionsOf,
} from './sections.ts';
import { shellStyle } from './style.ts';
import { failure } from './text.ts';

/** Root element. The hash of the page's address holds the section and the room. */
@customElement('vivarium-host')
export class VivariumHost extends HostElement {
  static override styles = shellStyle;

  @state() private location: HostLocation = parseLocation(location.hash);
  @query('main') private readonly main!: HTMLElement;
  private readonly stop = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    const { signal } = this.stop;
    window.addEventListener('hashchange', () => this.navigate(), { signal });
    const refresh = (): void => {
      if (!document.hidden) void host.refresh();
    };
    document.addEventListener('visibilitychange', refresh, { signal });
    const touched = (): void => {
      host.api.touched = true;
    };
    for (const name of ['pointerdown', 'keydown', 'wheel'] as const) {
      window.addEventListener(name, touched, { signal, capture: true, passive: true });
    }
    if (this.location.room) host.select(this.location.room);
    void host.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop.abort();
    host.stop();
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const { room } = host;
    if (room === '' || room === this.location.room) return;
    // The model selects another room if the room in the address no longer exists.
    this.location = { ...this.location, room };
    history.replaceState(history.state, '', locationHash(this.location));
  }

  protected override updated(): void {
    const name = sectionsOf(true).find(({ id }) => id === this.shown)?.name;
    document.title = host.signedIn ? `${name} · ${host.room} · Host` : 'Host · Vivarium';
  }

  /** The section in the address, or the first section if this server lacks it. */
  private get shown(): HostLocation['section'] {
    const { state } = host;
    const sections = sectionsOf(!state || state.cluster !== null);
    return sections.find(({ id }) => id === this.location.section)?.id ?? sections[0].id;
  }

  override render(): TemplateResult {
    const login = html`<main class="login"><host-login></host-login></main>`;
    return html`${
      host.signedIn === undefined ? nothing : host.signedIn ? this.shell() : login
    }<confirm-dialog></confirm-dialog><notice-layer></notice-layer>`;
  }

  private shell(): TemplateResult {
    const refused = host.reachable ? host.detailRefused : failure(undefined);
    // This is safe, because a location has one of the ids of `sectionsOf` and an element exists for
    // each id.
    const section = unsafeStatic(`${this.shown}-section`);
    return html`<div class="shell grid">
      <header>
        <h1>Vivarium<span>${msg('host')}</span></h1>
        <label class="room"
          ><span class="visually-hidden">${msg('Room')}</span>
          ${select('room', roomChoices(), host.room, (room) => {
            location.hash = locationHash({ ...this.location, room });
          })}</label
        >
        <host-nav .current=${this.shown}></host-nav>
      </header>
      <main id="main" tabindex="-1">
        ${refused ? html`<p class="offline flex" role="status">${hostIcons.warning}${refused}</p>` : nothing}
        ${trouble()} ${asideList()}
        <div class="page" data-section=${this.shown}>${host.state ? staticHtml`<${section}></${section}>` : nothing}</div>
      </main>
    </div>`;
  }

  private navigate(): void {
    const before = this.location.section;
    // Withdraw an open question, because it belongs to the previous section.
    host.answer(undefined);
    this.location = parseLocation(location.hash);
    if (this.location.room) host.select(this.location.room);
    if (before === this.location.section || !this.main) return;
    this.main.scrollTo(0, 0);
    this.main.focus({ preventScroll: true });
  }
}

const roomChoices = (): Choice<string>[] =>
  (host.state?.rooms ?? []).map(({ name, open }) => ({
    value: name,
    name: open ? name : msg(str`${name} (closed)`),
  }));

/** Shows the server's problem on screens without a sidebar. */
function trouble(): TemplateResult | typeof nothing {
  const { state, reachable } = host;
  if (!state || !reachable) return nothing;
  const { kind, text } = healthOf(state, reachable);
  return kind === 'good' ? nothing : html`<p class="trouble" role="status">${tag(text, kind)}</p>`;
}
