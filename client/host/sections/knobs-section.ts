/** The settings of the selected room. Every change applies at the next tick, without a restart. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import { live } from 'lit/directives/live.js';
import {
  applyChange,
  type DrawingMode,
  type RoomSettings,
  type SettingsRequest,
} from '../../../shared/host/room-settings.ts';
import type { HostState, RoomSummary } from '../../../shared/host/state.ts';
import { LANGUAGE_CODES, type LanguageCode } from '../../../shared/languages.ts';
import {
  type Choice,
  checkbox,
  HostElement,
  languageChips,
  radioChips,
  sectionHead,
} from '../elements/host-element.ts';
import { energyStory, GARDENER_KNOB, KNOB_GROUPS, type Knob } from '../elements/host-knob.ts';
import { hostIcons } from '../icons.ts';
import './undo-cards.ts';

const DRAWING_MODES: readonly (Choice<DrawingMode> & { readonly about: string })[] = [
  {
    ...{ value: 'on', name: msg('immediately') },
    about: msg('Visitors can plant their drawings immediately.'),
  },
  {
    ...{ value: 'ask', name: msg('ask first') },
    about: msg('Drawings wait under “Watch” until you let them grow. Keepsakes do not wait.'),
  },
  {
    ...{ value: 'off', name: msg('off') },
    about: msg('Visitors do not see the drawing pad.'),
  },
];

/** How long “applied” is shown, in ms. */
const APPLIED_MS = 2_500;

const TOGGLES = {
  wholeGallery: {
    name: msg('Whole gallery'),
    about: msg('Adds seeds that do not suit everybody, and many that look alike.'),
  },
  transformOthers: {
    name: msg('Turning others’ organisms'),
    about: msg(
      'Visitors can turn other people’s organisms into what their own seed grows into. They can always turn their own.',
    ),
  },
  tokens: {
    name: msg('Keepsakes'),
    about: msg('Visitors can plant an organism again from its link, even one from another room.'),
  },
  latents: {
    name: msg('Seeds from programs'),
    about: msg('Visitors’ programs can plant whatever they like.'),
  },
  attract: {
    name: msg('Gardener when nobody plays'),
    about: msg('Plants, crosses and wounds by itself, and stops when a visitor starts.'),
  },
  wounds: {
    name: msg('Gardener wounds what others have left'),
    about: msg(
      'It also wounds resting organisms whose planter has been away for ten minutes. They heal. Off: only its own.',
    ),
  },
  names: { name: msg('Visitors’ names'), about: msg('Off: visitors only have a colour.') },
  spectators: {
    name: msg('View-only link'),
    about: msg('Off: the link stops working, and anyone using it is disconnected.'),
  },
  generations: {
    name: msg('The next day begins with heirs'),
    about: msg(
      'When the day is over, up to six heirs grow: children of organisms that lived long, survived wounds and had children.',
    ),
  },
  captions: {
    name: msg('Captions on the wall'),
    about: msg('One short sentence, in each of these languages in turn.'),
  },
} as const;

/** Compares all settings except pausing, which this section does not contain. */
function isDefault(settings: RoomSettings, defaults: RoomSettings): boolean {
  const keys = Object.keys(defaults) as (keyof RoomSettings)[];
  return keys.every(
    (key) => key === 'paused' || JSON.stringify(settings[key]) === JSON.stringify(defaults[key]),
  );
}

function isOn(id: keyof typeof TOGGLES, { attract, ...settings }: RoomSettings): boolean {
  if (id === 'wounds') return attract.wounds === 'unattended';
  return id === 'attract' ? attract.on : settings[id];
}

/** Returns the change that turns a toggle on or off. */
function switched(id: keyof typeof TOGGLES, on: boolean): SettingsRequest {
  if (id === 'wounds') return { attract: { wounds: on ? 'unattended' : 'own' } };
  return { [id]: id === 'attract' ? { on } : on };
}

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
    }
    .switch:first-of-type {
      border-top: 0;
    }
    .drawings {
      padding: 6px 0 14px;
    }
    .drawings p {
      margin-top: 8px;
      font-size: 0.93em;
    }
    .languages {
      padding: 14px 0 2px;
    }
  `;

  /** The last changed setting. */
  @state() private changed:
    | { readonly id: string; readonly status: 'pending' | 'done' }
    | undefined;
  /** Changes that the server has not confirmed yet, by the id of the setting. */
  private readonly pending = new Map<string, SettingsRequest>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  protected override roomChanged(): void {
    this.pending.clear();
    this.changed = undefined;
  }

  protected override section(summary: RoomSummary, all: HostState): TemplateResult {
    const { name } = summary;
    const settings = [...this.pending.values()].reduce(applyChange, summary.settings);
    const defaults = all.roomDefaults;
    const reset = html`<button class="plain" @click=${this.resetAll}>${hostIcons.undo}${msg('Reset all')}</button>`;
    const lead = msg('Changes apply immediately, for everyone in the room. Nothing restarts.');
    const action = isDefault(settings, defaults) ? nothing : reset;
    return html`${sectionHead(msg(str`Settings of “${name}”`), lead, action)}
    ${keyed(name, this.cards(name, settings, defaults))}`;
  }

  /**
   * Renders the cards of a room. They are keyed by room. If the host selects another room while
   * dragging a slider, the slider therefore still changes the room for which it was rendered.
   */
  private cards(room: string, settings: RoomSettings, defaults: RoomSettings): TemplateResult {
    const knob = (each: Knob): TemplateResult => html`<host-knob
      .knob=${each}
      .value=${live(each.read(settings))}
      .default=${each.read(defaults)}
      .status=${this.statusOf(each.id)}
      @knob-change=${({ detail }: CustomEvent<number>) => this.apply(room, each.id, each.write(detail))}
    ></host-knob>`;
    return html`<div class="grid gap-14">
      ${KNOB_GROUPS.map(
        (group) => html`<section class="card" aria-label=${group.name}>
          <h3>${group.name}</h3>
          <p class="soft">${group.about}</p>
          ${group.knobs.map(knob)}
          ${group.hasStory ? html`<p class="story" data-testid="story">${energyStory(settings)}</p>` : nothing}
        </section>`,
      )}
      <section class="card" aria-label=${msg('Wall and text')}>
        <h3>${msg('Wall and text')}</h3>
        <p class="soft">${msg('What the room does when nobody plays, and what text it shows.')}</p>
        ${this.toggle(room, settings, 'attract')} ${settings.attract.on ? [knob(GARDENER_KNOB), this.toggle(room, settings, 'wounds')] : nothing}
        ${this.toggle(room, settings, 'names')} ${this.toggle(room, settings, 'spectators')}
        ${this.toggle(room, settings, 'captions')}
        ${this.languages(room, settings.languages)}
      </section>
      <section class="card" aria-label=${msg('What visitors plant')}>
        <h3>${msg('What visitors plant')}</h3>
        <p class="soft">${msg('Everybody sees what anybody plants. You decide what is allowed.')}</p>
        ${this.drawings(room, settings.drawings)}
        ${this.toggle(room, settings, 'wholeGallery')} ${this.toggle(room, settings, 'tokens')}
        ${this.toggle(room, settings, 'latents')} ${this.toggle(room, settings, 'transformOthers')}
      </section>
      <farewell-card class="card" .host=${this.host} .version=${this.version}>${this.toggle(room, settings, 'generations')}</farewell-card>
      <reseed-card class="card" .host=${this.host} .version=${this.version}></reseed-card>
    </div>`;
  }

  private toggle(room: string, settings: RoomSettings, id: keyof typeof TOGGLES): TemplateResult {
    const { name, about } = TOGGLES[id];
    return html`<label class="switch flex spread gap-20 lined" data-testid="knob-${id}">
      <span><span class="name">${name}</span> <span class="soft" aria-live="polite">${this.statusText(id)}</span><small>${about}</small></span>
      ${checkbox(isOn(id, settings), (on) => this.apply(room, id, switched(id, on)))}
    </label>`;
  }

  private drawings(room: string, selected: DrawingMode): TemplateResult {
    const select = (drawings: DrawingMode) => this.apply(room, 'drawings', { drawings });
    const about = DRAWING_MODES.find(({ value }) => value === selected)?.about;
    return html`<div class="drawings" data-testid="knob-drawings">
      ${radioChips(msg('Drawings'), DRAWING_MODES, selected, select)}
      <p class="soft" aria-live="polite">${this.statusText('drawings')} ${about}</p>
    </div>`;
  }

  private languages(room: string, selected: RoomSettings['languages']): TemplateResult {
    const choice = (code: LanguageCode): TemplateResult => {
      const isSelected = selected.includes(code);
      const toggle = (): void => {
        const chosen = (each: LanguageCode): boolean =>
          each === code ? !isSelected : selected.includes(each);
        void this.apply(room, 'languages', { languages: LANGUAGE_CODES.filter(chosen) });
      };
      const isOnly = isSelected && selected.length === 1;
      return html`<input type="checkbox" .checked=${live(isSelected)} ?disabled=${isOnly} @change=${toggle} />`;
    };
    return html`<div class="languages lined">${languageChips(msg('Languages'), choice)}</div>`;
  }

  private statusOf(id: string): '' | 'pending' | 'done' {
    return this.changed?.id === id ? this.changed.status : '';
  }

  private statusText(id: string): string {
    return { pending: msg('applying …'), done: msg('applied'), '': '' }[this.statusOf(id)];
  }

  private async apply(room: string, id: string, change: SettingsRequest): Promise<void> {
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
    await this.host.do('changeSettings', parts, defaults, {
      text: msg('All settings are reset.'),
      action: { label: msg('Undo'), run: () => void this.host.do('changeSettings', parts, before) },
    });
  }
}
