/**
 * The host's page: the sign-in form, the sections about the selected room, a dialog that asks for
 * confirmation, and short notices. All elements show the state of `HostModel`.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import { repeat } from 'lit/directives/repeat.js';
import { html as staticHtml, unsafeStatic } from 'lit/static-html.js';
import type { AsideState } from '../../shared/host/state.ts';
import { icons } from '../elements/icons.ts';
import * as ui from './host-element.ts';
import { type HostModel, host, type Question } from './host-model.ts';
import { hostIcons } from './icons.ts';
import {
  type HostLocation,
  healthOf,
  languageMenu,
  locationHash,
  parseLocation,
  sectionsOf,
} from './navigation.ts';
import { shellStyle } from './style.ts';
import { failure } from './text.ts';
import './sections/exhibition-sections.ts';
import './sections/film-section.ts';
import './sections/gallery-section.ts';
import './sections/hours-section.ts';
import './sections/settings-section.ts';
import './sections/rooms-section.ts';
import './sections/server-sections.ts';
import './sections/saved-section.ts';
import './sections/visit-statistics-section.ts';
import './sections/watch-section.ts';

/** Root element of the page. The hash in the page's address names the selected room and section. */
@customElement('vivarium-host')
export class VivariumHost extends ui.HostElement {
  static override styles = shellStyle;

  @state() private location: HostLocation = parseLocation(location.hash);
  @query('main') private readonly main!: HTMLElement;

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('hashchange', () => this.navigate());
    const refresh = (): unknown => document.hidden || host.refresh();
    document.addEventListener('visibilitychange', refresh);
    for (const name of ['pointerdown', 'keydown', 'wheel'] as const) {
      const options = { capture: true, passive: true };
      window.addEventListener(name, () => (host.api.touched = true), options);
    }
    if (this.location.room) host.select(this.location.room);
    void host.start();
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const { room } = host;
    if (room === '' || room === this.location.room) return;
    // The model has selected another room, for example because the room in the page's address no
    // longer exists. Put the selected room into the page's address.
    this.location = { ...this.location, room };
    history.replaceState(history.state, '', locationHash(this.location));
  }

  protected override updated(): void {
    const name = sectionsOf(true).find(({ id }) => id === this.shown)?.name;
    document.title = host.signedIn ? `${name} · ${host.room} · Host` : 'Host · Vivarium';
  }

  /**
   * The section named in the page's address, or the first section if this server lacks that
   * section.
   */
  private get shown(): HostLocation['section'] {
    const { state } = host;
    const sections = sectionsOf(!state || state.cluster !== null);
    return sections.find(({ id }) => id === this.location.section)?.id ?? sections[0].id;
  }

  override render(): TemplateResult {
    const login = html`<main><host-login></host-login></main>`;
    const page = host.signedIn ? this.shell() : host.signedIn === false ? login : nothing;
    return html`${page}<confirm-dialog></confirm-dialog><notice-layer></notice-layer>`;
  }

  private shell(): TemplateResult {
    const refused = host.reachable ? host.detailRefused : failure(undefined);
    // `unsafeStatic` is safe here, because `this.shown` is always an id in `SECTIONS`.
    const section = unsafeStatic(`${this.shown}-section`);
    const rooms = (host.state?.rooms ?? []).map(({ name, open }) => ({
      value: name,
      name: open ? name : msg(str`${name} (closed)`),
    }));
    const choose = (room: string): void => {
      location.hash = locationHash({ ...this.location, room });
    };
    return html`<div class="shell grid">
      <header>
        <h1>Vivarium<wbr /><span>${msg('host')}</span></h1>
        <label class="room"
          ><span class="visually-hidden">${msg('Room')}</span>
          ${ui.select('room', rooms, host.room, choose)}</label
        >
        <host-nav .current=${this.shown}></host-nav>
      </header>
      <main id="main" tabindex="-1">
        ${refused ? html`<p class="offline alert flex gap-14 wide" role="status">${hostIcons.warning}${refused}</p>` : nothing}
        ${trouble()} ${asideList()}
        <div class="page" data-section=${this.shown}>${host.state ? staticHtml`<${section}></${section}>` : nothing}</div>
      </main>
    </div>`;
  }

  private navigate(): void {
    const before = this.location.section;
    // Cancel an open question, because it belongs to the previous section.
    host.answer(undefined);
    this.location = parseLocation(location.hash);
    if (this.location.room) host.select(this.location.room);
    if (before === this.location.section || !this.main) return;
    this.main.scrollTo(0, 0);
    this.main.focus({ preventScroll: true });
  }
}

/** Renders the server's most serious problem, if any. Shown only on screens without a sidebar. */
function trouble(): TemplateResult | typeof nothing {
  const { state, reachable } = host;
  if (!state || !reachable) return nothing;
  const { kind, text } = healthOf(state, reachable);
  return kind === 'good'
    ? nothing
    : html`<p class="trouble" role="status">${ui.tag(text, kind)}</p>`;
}

/**
 * Lists the data that the server has set aside: damaged data, and data that the host replaced.
 * Renders nothing if there is no such data.
 */
function asideList(): TemplateResult | typeof nothing {
  const { aside = [], rooms = [] } = host.state ?? {};
  // Leave out entries of rooms that are being restored, because these entries are about to change.
  const restoring = rooms.filter(({ busy }) => busy === 'restoring').map(({ name }) => name);
  const shown = aside.filter(({ room }) => room === null || !restoring.includes(room));
  if (shown.length === 0) return nothing;
  return html`<ul class="aside">${repeat(shown, ({ id }) => id, asideRow)}</ul>`;
}

function asideRow(entry: AsideState): TemplateResult {
  const { id, at, what, why } = entry;
  const isCalm = what === 'replaced';
  // Only whole rooms can be put back (restored from the data that were set aside), so the other
  // entries have no button “Put back”.
  const isWhole = isCalm || what === 'room';
  const isBusy = host.busy.has(`aside ${id}`);
  const button = (id: string, text: unknown, click: () => void): TemplateResult =>
    html`<button class="plain" data-testid=${id} ?disabled=${isBusy} @click=${click}>${text}</button>`;
  const undo = html`${hostIcons.undo}${msg('Put back')}`;
  return html`<li class="alert row ${isCalm ? 'calm' : ''}" data-testid="aside">
    ${isCalm ? nothing : hostIcons.warning}
    <p role="status" title=${why}>${asideText(entry)} <small>${host.moment(at)}</small></p>
    ${isWhole ? button('put-back', undo, () => putBack(entry)) : nothing}
    ${button('dismiss', msg('Keep as it is'), () => dismissAside(entry, isWhole))}
  </li>`;
}

function putBack({ id: aside, room }: AsideState): void {
  const ask = {
    title: msg(str`Put back the set-aside data of “${room ?? ''}”?`),
    text: msg(
      'The room returns to the state in the set-aside data. The room’s current data are set aside first, so you can put them back.',
    ),
    confirm: msg('Put back'),
  };
  const done = msg('The data are put back.');
  void host.do('putBack', { aside }, { ask, done, busy: `aside ${aside}` });
}

function dismissAside({ id: aside, room }: AsideState, isWhole: boolean): void {
  const ask = {
    title: room ? msg(str`Keep “${room}” as it is?`) : msg('Keep the server’s data as they are?'),
    text: isWhole
      ? msg(
          'The data that were set aside stay in the data folder, but you can no longer put them back on this page.',
        )
      : msg('This message will disappear. The damaged data stay in the data folder.'),
    confirm: msg('Keep as it is'),
  };
  void host.do('dismissAside', { aside }, { ask, busy: `aside ${aside}` });
}

function asideText({ what, room, tick }: AsideState): string {
  if (what === 'file') {
    return msg(
      'The stored data were damaged. The server kept everything that it could read; the damaged file is in the data folder.',
    );
  }
  if (room === null) return msg('Some of the server’s records were damaged and are set aside.');
  if (what === 'records') {
    return msg(
      str`Some records of “${room}” were damaged and are set aside. The room keeps running.`,
    );
  }
  if (what === 'replaced') {
    return msg(
      str`Data of “${room}” that had been set aside are in use again. The room’s previous data are now set aside instead.`,
    );
  }
  return tick === null
    ? msg(str`“${room}” was damaged and starts empty. The damaged data are set aside.`)
    : msg(
        str`“${room}” was damaged and has returned to its last saved state. The damaged data are set aside.`,
      );
}

@customElement('host-login')
export class HostLogin extends ui.HostElement {
  static override styles = css`
    :host {
      display: grid;
      place-items: center;
      min-height: 100%;
      padding: 24px;
      background: radial-gradient(ellipse 60% 50% at 50% 42%, oklch(0.2 0.018 200), var(--bench));
    }
    form {
      width: min(25em, 100%);
    }
    .mark {
      width: 4.2em;
      height: 4.2em;
      margin-bottom: 4px;
      stroke-width: 0.8;
      color: oklch(0.72 0.04 175);
    }
    h1 {
      font-size: 1.9em;
      font-weight: 300;
      letter-spacing: -0.01em;
    }
    input {
      font-size: 1.1em;
    }
    .language {
      width: fit-content;
      margin-inline-start: -0.8em;
    }
    .solid {
      min-height: 3.1em;
    }
    @media (max-height: 480px) {
      :host {
        padding-block: 12px;
      }
      form {
        gap: 12px;
      }
      .mark {
        display: none;
      }
    }
  `;

  /** Explains why the last attempt to sign in failed; '' if it has not failed. */
  @state() private failed = '';
  @state() private busy = false;
  @state() private shown = false;

  override render(): TemplateResult {
    const wrong = this.failed || host.signOutReason;
    return html`<form @submit=${this.submit}>
      <div>
        <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
          <circle cx="12" cy="12" r="10" />
          <circle cx="12" cy="12" r="8.8" opacity="0.4" />
          <g fill="currentColor" stroke="none">
            <circle cx="10" cy="11.2" r="2.6" fill="var(--accent)" />
            <circle cx="14.7" cy="13.9" r="1.3" />
            <circle cx="13.6" cy="8.3" r="0.7" opacity="0.7" />
          </g>
        </svg>
        <h1>${msg('Host’s page')}</h1>
        <p class="lead">${msg('Rooms, settings and statistics.')}</p>
      </div>
      <input type="text" name="username" value="host" autocomplete="username" hidden />
      <label class="field"><span>${msg('Host token')}</span>
        <input name="token" data-testid="token" type=${this.shown ? 'text' : 'password'} required
          autocomplete="current-password" autocapitalize="off" autocorrect="off" spellcheck="false"
          aria-invalid=${wrong !== ''} aria-describedby="wrong" /></label>
      <label class="check flex">
        ${ui.checkbox(this.shown, (on) => (this.shown = on))}
        <span>${msg('Show token')}</span>
      </label>
      <p id="wrong" class="wrong" role="alert" data-testid="wrong">${wrong || nothing}</p>
      <button class="solid" ?disabled=${this.busy}>${this.busy ? msg('One moment …') : msg('Sign in')}</button>
      <details class="soft">
        <summary>${msg('Where do I find the token?')}</summary>
        <p>${msg('The token was shown when Vivarium first started: in the terminal, or in the log of the service or container. If the token is lost, whoever runs the machine can make a new token: see “When something hangs” in server/deploy/HOSTING.md.')}</p>
      </details>
      ${languageMenu()}
    </form>`;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const token = String(new FormData(event.target as HTMLFormElement).get('token')).trim();
    this.busy = true;
    this.failed = '';
    this.failed = await host.signIn(token).then(() => '', failure);
    this.busy = false;
  }
}

/** Shows the model's open question in a dialog. Closing the dialog cancels the question. */
@customElement('confirm-dialog')
export class ConfirmDialog extends ui.HostElement {
  static override styles = css`
    dialog {
      width: min(29em, calc(100vw - 32px));
      padding: 26px 26px 20px;
      color: var(--ink);
      background: oklch(0.22 0.012 225);
      border: 1px solid var(--edge);
      border-radius: 22px;
      box-shadow: var(--shadow);
    }
    dialog::backdrop {
      background: oklch(0.08 0.01 230 / 0.72);
    }
    dialog[open] {
      animation: appear 0.16s ease-out;
    }
    h2 {
      font-size: 1.35em;
    }
    footer {
      justify-content: end;
      gap: 10px;
      margin-top: 6px;
    }
    b {
      font-weight: 600;
      user-select: all;
    }
  `;

  private question: Question | undefined;
  private typed = '';
  @query('dialog') private readonly dialog!: HTMLDialogElement;

  override render(): TemplateResult {
    const { question } = host;
    if (question !== this.question) this.typed = '';
    this.question = question;
    return html`<dialog aria-labelledby="title" aria-describedby=${question?.text ? 'text' : nothing} @close=${this.closed}>
      ${question ? keyed(question, this.form(question)) : nothing}
    </dialog>`;
  }

  protected override updated(): void {
    const { dialog, question } = this;
    if (question && !dialog.open) dialog.showModal();
    else if (!question && dialog.open) dialog.close();
  }

  private form({ title, text, fields, confirm, harmless, typed }: Question): TemplateResult {
    const isReady = typed === undefined || this.typed.trim() === typed;
    const input = html`<input data-testid="confirm-typed" autocomplete="off" autocapitalize="off" spellcheck="false" @input=${this.type} />`;
    return html`<form class="gap-16" @submit=${this.submit}>
      <h2 id="title" class="break">${title}</h2>
      ${text ? html`<p id="text">${text}</p>` : nothing} ${fields}
      ${typed === undefined ? nothing : ui.field(msg(html`Type <b>${typed}</b> to confirm`), input)}
      <footer class="wrap">
        <button type="button" class="plain" @click=${() => host.answer(undefined)}>${msg('Cancel')}</button>
        <button class=${harmless ? 'solid' : 'danger now'} data-testid="confirm" ?disabled=${!isReady}>${confirm}</button>
      </footer>
    </form>`;
  }

  private type(event: InputEvent): void {
    this.typed = ui.inputValue(event);
    this.requestUpdate();
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    host.answer(new FormData(event.target as HTMLFormElement));
  }

  private closed(): void {
    // The event `close` arrives late. The dialog may already show the next question; do not cancel
    // the next question.
    if (!this.dialog.open) host.answer(undefined);
  }
}

/** Shows the model's notices at the bottom of the page, after all other content. */
@customElement('notice-layer')
export class NoticeLayer extends ui.HostElement {
  static override styles = css`
    section {
      margin: 0 auto var(--foot);
    }
    section:has(.pill) {
      padding: 10px 12px;
    }
    .pill {
      max-width: 44em;
      animation: appear 0.2s ease-out;
    }
    .wrong {
      color: var(--ink);
      border-color: oklch(0.76 0.13 28 / 0.6);
    }
  `;

  override render(): TemplateResult {
    return html`<section class="grid gap-8 fit" aria-live="polite" aria-label=${msg('Notifications')}>
      ${repeat(host.notices, ui.idOf, (notice) => this.notice(notice))}
    </section>`;
  }

  private notice({ id, text, wrong, action }: HostModel['notices'][number]): TemplateResult {
    const run = (): void => {
      host.dismiss(id);
      action?.run();
    };
    return html`<div class="flex pill ${wrong ? 'wrong' : ''}" data-testid="notice">
      <p class="py-6">${text}</p>
      ${action ? html`<button class="link" @click=${run}>${action.label}</button>` : nothing}
      ${ui.iconButton(msg('Close this message'), icons.close, () => host.dismiss(id))}
    </div>`;
  }
}
