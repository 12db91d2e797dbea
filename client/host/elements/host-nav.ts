/** Navigation between sections: a sidebar or, on a phone, a bar at the bottom with a menu. */
import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { choose, languageSelect } from '../../locale/locale.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { locationHash, type Section, sectionsOf } from '../sections.ts';
import { drawingsText, reportedText } from '../text.ts';
import { HostElement, StyledElement } from './host-element.ts';

/** Links to all sections. The HTML slot is at the end of the menu on a phone. */
@customElement('host-nav')
export class HostNav extends HostElement {
  static override styles = css`
    nav {
      display: grid;
      gap: 2px;
    }
    a,
    .more {
      position: relative;
      gap: 0.85em;
      min-height: 2.95em;
      padding: 0 0.95em;
      border-radius: 14px;
      text-decoration: none;
      -webkit-tap-highlight-color: transparent;
    }
    a[aria-current] {
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
    .more,
    .rest {
      display: none;
    }
    @media (hover: hover) {
      a[aria-current]:hover {
        color: var(--accent);
        background: oklch(0.36 0.045 175 / 0.8);
      }
    }
    @media (max-width: 860px) {
      nav {
        grid-template-columns: repeat(5, 1fr);
        padding: 5px 6px calc(5px + env(safe-area-inset-bottom));
      }
      a,
      .more {
        flex-direction: column;
        justify-content: center;
        gap: 3px;
        min-height: 3.9em;
        padding: 0;
        font-size: 0.86em;
      }
      a.secondary {
        display: none;
      }
      .badge {
        position: absolute;
        top: 2px;
        inset-inline-start: calc(50% + 1em);
        font-size: 0.9em;
      }
      .more {
        display: flex;
        width: 100%;
      }
      .more[aria-expanded='true'] {
        color: var(--accent);
      }
      .more.here {
        color: var(--accent);
        background: oklch(0.36 0.045 175 / 0.55);
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
      .rest.open {
        display: grid;
      }
      .rest a {
        flex-direction: row;
        justify-content: start;
        gap: 0.9em;
        min-height: 3.2em;
        padding: 0 0.9em;
        font-size: 1em;
      }
    }
  `;

  /** Id of the section that is shown. */
  @property() current: Section['id'] = 'watch';
  @state() private open = false;
  @query('.more') private readonly more!: HTMLButtonElement;

  override render(): TemplateResult {
    const sections = sectionsOf(host.state?.cluster != null);
    const rest = sections.filter(({ primary }) => !primary);
    const here = rest.some(({ id }) => id === this.current);
    return html`<nav aria-label=${msg('Sections')} @keydown=${this.closeOnEscape}>
      ${sections.map((section) => this.link(section, section.primary ? '' : 'secondary'))}
      <button
        class="more raise flex soft ${here ? 'here' : ''}"
        aria-expanded=${this.open}
        aria-controls="rest"
        @click=${() => (this.open = !this.open)}
      >
        ${hostIcons.more}<span>${msg('More')}</span>
      </button>
      <div id="rest" class="rest ${this.open ? 'open' : ''}">
        ${rest.map((section) => this.link(section, ''))}
        <slot></slot>
      </div>
    </nav>`;
  }

  private link({ id, name }: Section, kind: string): TemplateResult {
    return html`<a
      class="raise flex soft ${kind}"
      href=${locationHash({ room: host.room, section: id })}
      data-testid="to-${id}"
      aria-current=${id === this.current ? 'page' : nothing}
      @click=${() => (this.open = false)}
      >${hostIcons[id]}<span>${name}</span>${id === 'watch' ? this.badge() : nothing}</a
    >`;
  }

  private badge(): TemplateResult | typeof nothing {
    const { drawingsWaiting = 0, reported = 0 } = host.summary ?? {};
    if (drawingsWaiting + reported === 0) return nothing;
    const drawings = drawingsWaiting > 0 ? [drawingsText(drawingsWaiting)] : [];
    const texts = [...drawings, ...(reported > 0 ? [reportedText(reported)] : [])];
    return html`<b class="badge" role="img" aria-label=${texts.join(', ')}>${drawingsWaiting + reported}</b>`;
  }

  private closeOnEscape(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !this.open) return;
    this.open = false;
    this.more.focus();
  }
}

/** Selects a language and reloads the page in it. */
@customElement('host-language')
export class HostLanguage extends StyledElement {
  static override styles = css`
    select:not(:focus-visible) {
      border-color: transparent;
      background-color: transparent;
    }
    select {
      color: var(--ink-soft);
      cursor: pointer;
    }
    @media (hover: hover) {
      select:hover {
        color: var(--ink);
        background-color: var(--raised);
      }
    }
  `;

  override render(): TemplateResult {
    return languageSelect(this.choose);
  }

  private async choose(event: Event): Promise<void> {
    await choose(event);
    location.reload();
  }
}
