/** The settings of the selected room. Every change applies at the next tick, without a restart. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import { live } from 'lit/directives/live.js';
import type { RoomSettings, SettingsChange } from '../../../shared/host/settings.ts';
import { LANGUAGE_CODES, LANGUAGES } from '../../../shared/languages.ts';
import { hostIcons } from '../icons.ts';
import { energyStory, GARDENER_KNOB, KNOB_GROUPS, type Knob } from '../knobs.ts';
import { HostElement } from './host-element.ts';
import './host-knob.ts';
import './reseed-card.ts';
import { isChecked, sectionHead } from './templates.ts';

/** How long “applied” is shown, ms. */
const APPLIED_MS = 2_500;

interface Toggle {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  readonly on: boolean;
  write(on: boolean): SettingsChange;
}

/** Compares everything but pausing, which is not among the settings of this section. */
function isDefault(settings: RoomSettings, defaults: RoomSettings): boolean {
  const keys = Object.keys(defaults) as (keyof RoomSettings)[];
  return keys.every(
    (key) => key === 'paused' || JSON.stringify(settings[key]) === JSON.stringify(defaults[key]),
  );
}

/** Section “Settings”. */
@customElement('knobs-section')
export class KnobsSection extends HostElement {
  static override styles = css`
    .card > h3 + p {
      margin: 4px 0 10px;
    }
    .story {
      margin-top: 12px;
      padding: 12px 16px;
      border-radius: 12px;
      background: oklch(0.36 0.045 175 / 0.35);
      max-width: none;
    }
    .switch {
      padding: 12px 0;
      border-top: 1px solid var(--line);
    }
    .switch:first-of-type {
      border-top: 0;
    }
    .name {
      font-weight: 500;
    }
    .languages {
      padding: 14px 0 2px;
      border-top: 1px solid var(--line);
    }
  `;

  /** The setting that was changed last. */
  @state() private changed:
    | { readonly id: string; readonly status: 'pending' | 'done' }
    | undefined;
  /** Changes that the server has not confirmed yet, by the id of the setting. */
  private readonly pending = new Map<string, SettingsChange>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  protected override roomChanged(): void {
    this.pending.clear();
    this.changed = undefined;
  }

  override render(): TemplateResult | typeof nothing {
    const { summary, state: all } = this.host;
    if (!summary || !all) return nothing;
    const { name } = summary;
    const settings: RoomSettings = Object.assign({}, summary.settings, ...this.pending.values());
    const defaults = all.roomDefaults;
    const reset = html`<button class="plain" @click=${this.resetAll}>${hostIcons.undo}${msg('Reset all')}</button>`;
    return html`${sectionHead(
      msg(str`Settings of “${name}”`),
      msg('Changes apply at once, for everyone in the room. Nothing restarts.'),
      isDefault(settings, defaults) ? nothing : reset,
    )}
    ${keyed(name, this.cards(name, settings, defaults))}`;
  }

  /**
   * Keyed by room, so that a slider that is being dragged when another room is selected still
   * changes the room it belongs to.
   */
  private cards(room: string, settings: RoomSettings, defaults: RoomSettings): TemplateResult {
    const { attract, captions, names, languages } = settings;
    const knob = (each: Knob): TemplateResult => html`<host-knob
      .knob=${each}
      .value=${live(each.read(settings))}
      .default=${each.read(defaults)}
      .status=${this.statusOf(each.id)}
      @knob-change=${({ detail }: CustomEvent<number>) => this.apply(room, each.id, each.write(detail, settings))}
    ></host-knob>`;
    const gardener: Toggle = {
      id: 'attract',
      name: msg('Gardener when nobody plays'),
      about: msg('Plants and crosses by itself, and stops when a visitor starts.'),
      on: attract.on,
      write: (on) => ({ attract: { ...attract, on } }),
    };
    const nameToggle: Toggle = {
      id: 'names',
      name: msg('Visitors’ names'),
      about: msg('Off: visitors only have a colour.'),
      on: names,
      write: (on) => ({ names: on }),
    };
    const captionToggle: Toggle = {
      id: 'captions',
      name: msg('Captions on the wall'),
      about: msg('One short sentence, in each of these languages in turn.'),
      on: captions,
      write: (on) => ({ captions: on }),
    };
    return html`<div class="cards">
      ${KNOB_GROUPS.map(
        (group, i) => html`<section class="card" aria-label=${group.name}>
          <h3>${group.name}</h3>
          <p class="soft">${group.about}</p>
          ${group.knobs.map(knob)}
          ${i === 1 ? html`<p class="story" data-testid="story">${energyStory(settings)}</p>` : nothing}
        </section>`,
      )}
      <section class="card" aria-label=${msg('Wall and text')}>
        <h3>${msg('Wall and text')}</h3>
        <p class="soft">${msg('What the room does when nobody plays, and what text it shows.')}</p>
        ${this.toggle(room, gardener)} ${attract.on ? knob(GARDENER_KNOB) : nothing}
        ${this.toggle(room, nameToggle)} ${this.toggle(room, captionToggle)}
        ${this.languages(room, languages)}
      </section>
      <reseed-card class="card" .host=${this.host} .version=${this.version}></reseed-card>
    </div>`;
  }

  private toggle(room: string, { id, name, about, on, write }: Toggle): TemplateResult {
    const status = { pending: msg('applying …'), done: msg('applied'), '': '' }[this.statusOf(id)];
    return html`<label class="switch" data-testid="knob-${id}">
      <span><span class="name">${name}</span> <span class="soft" aria-live="polite">${status}</span><small>${about}</small></span>
      <input
        type="checkbox"
        .checked=${live(on)}
        @change=${(event: Event) => this.apply(room, id, write(isChecked(event)))}
      />
    </label>`;
  }

  private languages(room: string, selected: RoomSettings['languages']): TemplateResult {
    return html`<div class="languages"><fieldset>
      <legend>${msg('Languages')}</legend>
      <div class="chips">
        ${LANGUAGE_CODES.map((code) => {
          const isSelected = selected.includes(code);
          const toggle = (event: Event): void => {
            const on = isChecked(event);
            const languages = LANGUAGE_CODES.filter((each) =>
              each === code ? on : selected.includes(each),
            );
            void this.apply(room, 'languages', { languages });
          };
          return html`<label class="chip"
            ><input
              type="checkbox"
              .checked=${live(isSelected)}
              ?disabled=${isSelected && selected.length === 1}
              @change=${toggle}
            /><span lang=${code}>${LANGUAGES[code].name}</span></label
          >`;
        })}
      </div>
    </fieldset></div>`;
  }

  private statusOf(id: string): '' | 'pending' | 'done' {
    return this.changed?.id === id ? this.changed.status : '';
  }

  private async apply(room: string, id: string, change: SettingsChange): Promise<void> {
    const isShown = room === this.shownRoom;
    if (isShown) {
      clearTimeout(this.timer);
      this.changed = { id, status: 'pending' };
      this.pending.set(id, change);
    }
    const settings = await this.host.do('changeSettings', { room }, change);
    if (this.pending.get(id) === change) this.pending.delete(id);
    this.requestUpdate();
    if (!isShown || room !== this.shownRoom || this.changed?.id !== id) return;
    this.changed = settings ? { id, status: 'done' } : undefined;
    this.timer = setTimeout(() => (this.changed = undefined), APPLIED_MS);
  }

  private async resetAll(): Promise<void> {
    const { summary, state: all } = this.host;
    if (!summary || !all) return;
    const { paused: _current, ...before } = summary.settings;
    const { paused: _default, ...defaults } = all.roomDefaults;
    const parts = { room: summary.name };
    await this.host.do('changeSettings', parts, defaults, () => ({
      text: msg('All settings are reset.'),
      action: { label: msg('Undo'), run: () => void this.host.do('changeSettings', parts, before) },
    }));
  }
}
