/** The host's page: a door, and behind it the sections. */
import { msg, str } from '@lit/localize';
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import type { ConfirmDialog } from './elements/confirm-dialog.ts';
import './elements/confirm-dialog.ts';
import './elements/host-language.ts';
import './elements/host-login.ts';
import './elements/host-nav.ts';
import './elements/hours-section.ts';
import './elements/film-section.ts';
import './elements/knobs-section.ts';
import './elements/rooms-section.ts';
import type { NoticeLayer } from './elements/notice-layer.ts';
import './elements/notice-layer.ts';
import './elements/saved-section.ts';
import './elements/sign-section.ts';
import './elements/visitors-section.ts';
import './elements/watch-section.ts';
import { HostModel } from './host-model.ts';
import { hostIcons } from './icons.ts';
import { type HostLocation, placeHash, readPlace, SECTIONS } from './sections.ts';
import { shellStyle } from './shell-style.ts';
import { hostStyle } from './style.ts';
import { clock, failure } from './text.ts';

@customElement('vivarium-host')
export class VivariumHost extends LitElement {
  static override styles = [hostStyle, shellStyle];

  private readonly host = new HostModel({
    ask: (question) => this.dialog!.ask(question),
    withdraw: () => this.dialog?.withdraw(),
    say: (said) => this.said.say(said),
  });
  @state() private version = 0;
  @state() private place: HostLocation = readPlace(location.hash);
  @state() private wrong = '';
  @state() private busy = false;
  @query('confirm-dialog') private readonly dialog!: ConfirmDialog | null;
  @query('said-layer') private readonly said!: NoticeLayer;
  @query('main') private readonly main!: HTMLElement;
  private readonly stop = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    const { signal } = this.stop;
    this.host.onChange(() => {
      this.version++;
    });
    window.addEventListener('hashchange', () => this.go(), { signal });
    const seen = (): void => {
      if (!document.hidden) void this.host.refresh();
    };
    document.addEventListener('visibilitychange', seen, { signal });
    const touched = (): void => {
      this.host.api.touched = true;
    };
    for (const name of ['pointerdown', 'keydown', 'wheel'] as const) {
      window.addEventListener(name, touched, { signal, capture: true, passive: true });
    }
    if (this.place.room) this.host.choose(this.place.room);
    void this.host.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop.abort();
    this.host.stop();
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    const { host } = this;
    const name = SECTIONS.find(({ id }) => id === this.place.section)?.name;
    document.title = host.signedIn ? `${name} · ${host.room} · Host` : 'Host · Vivarium';
  }

  override render(): TemplateResult {
    const { host } = this;
    return html`${
      host.signedIn === undefined
        ? nothing
        : host.signedIn
          ? this.desk()
          : html`<main class="door">
                <host-login .wrong=${this.wrong || host.farewell} .busy=${this.busy} @token=${this.signIn}></host-login>
              </main>`
    }<confirm-dialog></confirm-dialog><said-layer></said-layer>`;
  }

  private desk(): TemplateResult {
    const { host, place } = this;
    return html`<div class="desk">
      <header>
        <h1>Vivarium<span>${msg('host')}</span></h1>
        ${this.roomChoice()}
        <host-nav .room=${host.room} .section=${place.section}
          ><host-language></host-language>${this.leave()}</host-nav
        >
        <div class="foot">${this.health()} <host-language></host-language> ${this.leave()}</div>
      </header>
      <main id="main" tabindex="-1">
        ${host.reachable ? nothing : html`<p class="away" role="status">${hostIcons.warning}${failure(undefined)}</p>`}
        <div class="page" data-section=${place.section}>${host.state ? this.section() : nothing}</div>
      </main>
    </div>`;
  }

  private roomChoice(): TemplateResult {
    const { state, room } = this.host;
    return html`<label class="choice"
      ><span class="seen-not">${msg('Room')}</span>
      <select
        data-testid="room"
        @change=${(event: Event) => {
          const { value } = event.target as HTMLSelectElement;
          location.hash = placeHash({ ...this.place, room: value });
        }}
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
    const { now, zone, next, keeping, dim } = state;
    const words = { open: msg('opens'), close: msg('closes'), restart: msg('restarts') } as const;
    return html`<p class="health">
      ${
        !reachable
          ? html`<span class="tag bad">${msg('no answer')}</span>`
          : keeping === false
            ? html`<span class="tag bad">${msg('the disk takes no more')}</span>`
            : dim
              ? html`<span class="tag worry">${msg('outside open hours')}</span>`
              : html`<span class="tag good">${msg('all is well')}</span>`
      }
      <span>${clock(now, zone)}${next ? `, ${words[next.what]} ${clock(next.at, zone)}` : ''}</span>
    </p>`;
  }

  private leave(): TemplateResult {
    return html`<button class="leave" data-testid="leave" @click=${() => this.host.signOut()}>
      ${hostIcons.leave}<span>${msg('Sign out')}</span>
    </button>`;
  }

  private section(): TemplateResult {
    const { host, version } = this;
    switch (this.place.section) {
      case 'watch':
        return html`<watch-section .host=${host} .version=${version}></watch-section>`;
      case 'rooms':
        return html`<rooms-section .host=${host} .version=${version}></rooms-section>`;
      case 'knobs':
        return html`<knobs-section .host=${host} .version=${version}></knobs-section>`;
      case 'visitors':
        return html`<visitors-section .host=${host} .version=${version}></visitors-section>`;
      case 'hours':
        return html`<hours-section .host=${host} .version=${version}></hours-section>`;
      case 'saved':
        return html`<saved-section .host=${host} .version=${version}></saved-section>`;
      case 'film':
        return html`<film-section .host=${host} .version=${version}></film-section>`;
      case 'sign':
        return html`<sign-section .host=${host} .version=${version}></sign-section>`;
    }
  }

  private go(): void {
    const before = this.place.section;
    // Whoever turns elsewhere does not mean to answer.
    this.dialog?.withdraw();
    this.place = readPlace(location.hash);
    if (this.place.room) this.host.choose(this.place.room);
    if (before === this.place.section || !this.main) return;
    this.main.scrollTo(0, 0);
    this.main.focus({ preventScroll: true });
  }

  private async signIn({ detail }: CustomEvent<string>): Promise<void> {
    this.busy = true;
    this.wrong = '';
    try {
      await this.host.signIn(detail);
    } catch (error) {
      this.wrong = failure(error);
    }
    this.busy = false;
  }
}
