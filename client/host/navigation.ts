/**
 * The sections of the host's page, their addresses, and the navigation between them: a sidebar, or
 * on a phone a bar at the bottom with a menu.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { HostState } from '../../shared/host/state.ts';
import { LITTLE_DISK_SPACE } from '../../shared/limits.ts';
import { number } from '../elements/text.ts';
import { choose, languageSelect } from '../locale/locale.ts';
import { HostElement, tag } from './host-element.ts';
import { host } from './host-model.ts';
import { hostIcons } from './icons.ts';
import { bytes, clock, drawingsText, reportedText } from './text.ts';

/**
 * The sections of the host's page, in the order of the navigation. On a phone, each section marked
 * `primary` has a button in the bottom bar; the other sections are in a menu.
 */
const SECTIONS = [
  { id: 'watch', name: msg('Watch'), primary: true },
  { id: 'rooms', name: msg('Rooms'), primary: true },
  { id: 'knobs', name: msg('Settings'), primary: true },
  { id: 'visitors', name: msg('Visitors'), primary: true },
  { id: 'gallery', name: msg('Gallery') },
  { id: 'hours', name: msg('Hours') },
  { id: 'saved', name: msg('Saved states') },
  { id: 'film', name: msg('Film of the day') },
  { id: 'exhibition', name: msg('Exhibition') },
  { id: 'walls', name: msg('Walls') },
  { id: 'sign', name: msg('Sign') },
  { id: 'access', name: msg('Access tokens') },
  { id: 'servers', name: msg('Servers') },
] as const;

export type Section = (typeof SECTIONS)[number];

/** Returns the sections of the page. The section “Servers” is included only in a cluster. */
export const sectionsOf = (isCluster: boolean): readonly Section[] =>
  SECTIONS.filter(({ id }) => isCluster || id !== 'servers');

export interface HostLocation {
  readonly room: string;
  readonly section: Section['id'];
}

/**
 * Parses a location hash, such as '#/garden/watch'. An invalid room becomes '', and an invalid
 * section becomes 'watch'.
 */
export function parseLocation(hash: string): HostLocation {
  const [room = '', id] = hash.replace(/^#\/?/, '').split('/');
  const section = sectionsOf(true).find((each) => each.id === id)?.id ?? 'watch';
  return { room: /^[a-z0-9-]{1,32}$/.test(room) ? room : '', section };
}

/** Returns the location hash for a room and a section, such as '#/garden/watch'. */
export const locationHash = ({ room, section }: HostLocation): string => `#/${room}/${section}`;

/** ASCII spellings of letters, such as ø, that Unicode normalization cannot decompose. */
const SPELT: Readonly<Record<string, string>> = {
  ...{ ß: 'ss', æ: 'ae', œ: 'oe', þ: 'th' },
  ...{ ø: 'o', ł: 'l', đ: 'd', ð: 'd', ħ: 'h', ŧ: 't', ı: 'i' },
};

/** Converts a room's name to the form used in URLs: 'Café 2!' becomes 'cafe-2'. */
export function addressName(text: string): string {
  return text
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^ -~]/g, (letter) => SPELT[letter] ?? letter)
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 32);
}

/**
 * Describes the most serious of the server's current problems, or says that everything is fine.
 *
 * @param reachable whether the server answers
 */
export function healthOf(
  state: Pick<HostState, 'keeping' | 'clockSetBack' | 'aside' | 'machine' | 'dim' | 'rooms'>,
  reachable: boolean,
) {
  const { keeping, clockSetBack, aside, machine, dim, rooms } = state;
  const isDamaged = aside.some(({ what }) => what !== 'replaced');
  const isFilling = (machine.diskFree ?? Infinity) < LITTLE_DISK_SPACE;
  const problems = [
    [!reachable, 'wrong', msg('no connection')],
    [keeping === false, 'wrong', msg('cannot save to disk')],
    [isDamaged, 'wrong', msg('data were damaged')],
    [clockSetBack, 'wrong', msg('the clock was set back')],
    [isFilling, 'warning', msg('the disk is almost full')],
    [dim, 'warning', msg('outside opening hours')],
    [rooms.some(({ walls }) => walls.lost > 0), 'wrong', msg('a wall is lost')],
  ] as const;
  const [, kind, text] = problems.find(([is]) => is) ?? [true, 'good', msg('everything is fine')];
  return { kind, text };
}

/**
 * The navigation: links to all sections, a summary of the server's health, a language menu and
 * “Sign out”.
 */
@customElement('host-nav')
export class HostNav extends HostElement {
  static override styles = css`
    :host,
    nav,
    .rest {
      display: flex;
      flex-direction: column;
      flex: 1;
      gap: 2px;
    }
    .item {
      position: relative;
      gap: 0.85em;
      min-height: 2.95em;
      padding: 0 0.95em;
      border-radius: 14px;
      text-align: start;
      text-decoration: none;
      -webkit-tap-highlight-color: transparent;
    }
    .item:is([aria-current], .here) {
      color: var(--accent);
      background: oklch(0.36 0.045 175 / 0.55);
    }
    .badge {
      min-width: 1.7em;
      padding: 0 0.4em;
      border-radius: 999px;
      background: var(--accent);
      color: oklch(0.2 0.03 175);
      font-weight: 600;
      line-height: 1.7;
      text-align: center;
    }
    .more {
      display: none;
    }
    .health {
      justify-items: start;
      gap: 8px;
      margin-top: auto;
      padding: 16px 0.95em 4px;
    }
    .leave {
      min-height: 2.75em;
      margin-top: 4px;
    }
    @media (hover: hover) {
      .item[aria-current]:hover {
        color: var(--accent);
        background: oklch(0.36 0.045 175 / 0.8);
      }
    }
    @media (min-width: 861px) and (max-height: 960px) {
      .item {
        min-height: 2.5em;
      }
    }
    @media (max-width: 860px) {
      nav {
        display: grid;
        grid-template-columns: repeat(5, 1fr);
        padding: 5px 6px calc(5px + env(safe-area-inset-bottom));
      }
      nav > .item {
        display: flex;
        flex-direction: column;
        justify-content: center;
        gap: 3px;
        min-height: 3.9em;
        padding: 0;
        font-size: 0.86em;
      }
      .badge {
        position: absolute;
        top: 2px;
        inset-inline-start: calc(50% + 1em);
        font-size: 0.9em;
      }
      .more[aria-expanded='true'] {
        color: var(--accent);
      }
      .rest {
        position: absolute;
        inset: auto 8px calc(100% + 8px);
        padding: 8px;
        background: oklch(0.24 0.014 225);
        border: 1px solid var(--edge);
        border-radius: var(--radius);
        box-shadow: var(--shadow);
      }
      .rest:not(.open) {
        display: none;
      }
      .rest.open {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(14em, 1fr));
        max-height: calc(100dvh - 6.5em);
        overflow-y: auto;
      }
      .health {
        grid-column: 1 / -1;
        padding-top: 8px;
      }
    }
  `;

  @property() current: Section['id'] = 'watch';
  @state() private open = false;
  @query('.more') private readonly more!: HTMLButtonElement;

  override render(): TemplateResult {
    const sections = sectionsOf(host.state?.cluster != null);
    const rest = sections.filter((section) => !('primary' in section));
    const isHere = rest.some(({ id }) => id === this.current);
    return html`<nav aria-label=${msg('Sections')} @keydown=${this.closeOnEscape}>
      ${sections.filter((section) => 'primary' in section).map((section) => this.link(section))}
      <button class="item more raise flex soft ${isHere ? 'here' : ''}" aria-expanded=${this.open}
        aria-controls="rest" @click=${() => (this.open = !this.open)}>
        ${hostIcons.more}<span>${msg('More')}</span>
      </button>
      <div id="rest" class="rest ${this.open ? 'open' : ''}">
        ${rest.map((section) => this.link(section))} ${health()}
        ${languageMenu()}
        <button class="item leave raise flex soft" data-testid="leave" @click=${() => host.signOut()}>
          ${hostIcons.leave}<span>${msg('Sign out')}</span>
        </button>
      </div>
    </nav>`;
  }

  private link({ id, name }: Section): TemplateResult {
    const path = locationHash({ room: host.room, section: id });
    return html`<a class="item raise flex soft" href=${path} data-testid="to-${id}"
      aria-current=${id === this.current ? 'page' : nothing} @click=${() => (this.open = false)}
      >${hostIcons[id]}<span>${name}</span>${id === 'watch' ? badge() : nothing}</a
    >`;
  }

  private closeOnEscape(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !this.open) return;
    this.open = false;
    this.more.focus();
  }
}

/**
 * Renders the number of drawings and reports that await the host's decision, or nothing if there
 * are none.
 */
function badge(): TemplateResult | typeof nothing {
  const { drawingsWaiting = 0, reported = 0 } = host.summary ?? {};
  const drawings = drawingsWaiting > 0 && drawingsText(drawingsWaiting);
  const texts = [drawings, reported > 0 && reportedText(reported)].filter(Boolean);
  if (texts.length === 0) return nothing;
  return html`<b class="badge" role="img" aria-label=${texts.join(', ')}>${drawingsWaiting + reported}</b>`;
}

function health(): TemplateResult | typeof nothing {
  const { state, reachable } = host;
  if (!state) return nothing;
  const { now, zone, next, machine, hasAlerts } = state;
  const { diskFree, load, memoryFree } = machine;
  const percent = number(Math.round(100 * load));
  const test = () =>
    host.do('testAlert', {}, { done: msg('The test alert has arrived.'), busy: 'test' });
  const alert = html`<button class="link" data-testid="test-alert" ?disabled=${host.busy.has('test')} @click=${test}>${msg('Send a test alert')}</button>`;
  const { kind, text } = healthOf(state, reachable);
  const verbs = { open: msg('opens'), close: msg('closes'), restart: msg('restarts') } as const;
  return html`<p class="health grid small soft number">
    ${tag(text, kind)}
    <span>${clock(now, zone)}${next ? `, ${verbs[next.what]} ${host.moment(next.at)}` : ''}</span>
    <span class="facts wrap" data-testid="machine" data-fleeting>
      ${diskFree === null ? nothing : html`<span>${msg(str`Disk: ${bytes(diskFree)} free`)}</span>`}
      <span>${msg(str`Memory: ${bytes(memoryFree)} free`)}</span>
      <span>${msg(str`Load: ${percent} %`)}</span>
    </span>
    ${hasAlerts ? alert : nothing}
  </p>`;
}

/** Renders a language menu. Choosing a language reloads the page in that language. */
export function languageMenu(): TemplateResult {
  const change = async (event: Event): Promise<void> => {
    await choose(event);
    location.reload();
  };
  return html`<div class="language">${languageSelect(change)}</div>`;
}
