/** The settings of the selected room. Every change applies at the next tick, without a restart. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import { live } from 'lit/directives/live.js';
import type { RoomSettings, SettingsRequest } from '../../../shared/host/settings.ts';
import type { HostState, RoomSummary } from '../../../shared/host/state.ts';
import { LANGUAGE_CODES, type LanguageCode } from '../../../shared/languages.ts';
import {
  checkbox,
  HostElement,
  languageChips,
  radioChips,
  sectionHead,
} from '../elements/host-element.ts';
import '../elements/host-knob.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import {
  changeTo,
  DRAWING_MODES,
  energyStory,
  GARDENER_ROWS,
  HEIRS,
  KNOBS,
  mostOf,
  SETTING_CARDS,
  type SettingId,
  type SettingRow,
  shownValue,
} from './setting-cards.ts';
import { farewellCard, reseedCard } from './undo-cards.ts';

/** How long “applied” is shown, in ms. */
const APPLIED_MS = 2_500;

/** Compares all settings except pausing, which this section does not contain. */
function isDefault(settings: RoomSettings, defaults: RoomSettings): boolean {
  const keys = Object.keys(defaults) as (keyof RoomSettings)[];
  return keys.every(
    (key) => key === 'paused' || JSON.stringify(settings[key]) === JSON.stringify(defaults[key]),
  );
}

@customElement('knobs-section')
export class KnobsSection extends HostElement {
  static override styles = css`
    .story {
      margin-top: 12px;
      padding: 12px 16px;
      border-radius: 12px;
      background: oklch(0.36 0.045 175 / 0.35);
      max-width: none;
    }
    .switch,
    .choice {
      padding: 12px 0;
    }
    .switch:first-of-type {
      border-top: 0;
    }
    .choice p {
      margin-top: 8px;
    }
  `;

  /** The last changed setting. */
  @state() private changed: { readonly id: SettingId; readonly isDone: boolean } | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  protected override roomChanged(): void {
    this.changed = undefined;
  }

  protected override section({ name }: RoomSummary, { roomDefaults }: HostState): TemplateResult {
    const settings = host.settings!;
    const reset = html`<button class="plain" @click=${this.resetAll}>${hostIcons.undo}${msg('Reset all')}</button>`;
    const lead = msg('Changes apply at once, for everyone in the room. Nothing restarts.');
    const action = isDefault(settings, roomDefaults) ? nothing : reset;
    // The rows are keyed by room. If the host selects another room while dragging a slider, the
    // slider therefore still changes the room for which it was rendered.
    const row = (each: SettingRow) => this.row(name, each, settings, roomDefaults);
    return html`${sectionHead(msg(str`Settings of “${name}”`), lead, action)}
    ${keyed(
      name,
      html`<div class="grid gap-14">
        ${SETTING_CARDS.map(
          (card) => html`<section class="card" aria-label=${card.name}>
            <h3>${card.name}</h3>
            <p class="soft mt-4 mb-10">${card.about}</p>
            ${card.rows.map(row)}
            ${
              card.rows.some(([id]) => id === 'energy-plant')
                ? html`<p class="story" data-testid="story">${energyStory(settings)}</p>`
                : nothing
            }
          </section>`,
        )}
        ${farewellCard(row(HEIRS))} ${reseedCard()}
      </div>`,
    )}`;
  }

  private row(
    room: string,
    row: SettingRow,
    settings: RoomSettings,
    defaults: RoomSettings,
  ): TemplateResult {
    const [id, name, about] = row;
    const apply = (change: SettingsRequest): unknown => this.apply(room, id, change);
    if (id === 'languages') return languageRow(name, settings.languages, apply);
    const status = this.statusOf(id);
    if (id === 'drawings') return drawingsRow(name, settings.drawings, status, apply);
    const knob = KNOBS[id];
    if (knob) {
      return html`<host-knob
        data-testid="knob-${id}"
        .name=${name}
        .about=${about}
        .unit=${knob.unit}
        .slider=${knob.slider}
        .most=${mostOf(id)}
        .value=${live(shownValue<number>(id, settings))}
        .default=${shownValue<number>(id, defaults)}
        .status=${status}
        @knob-change=${({ detail }: CustomEvent<number>) => apply(changeTo(id, detail))}
      ></host-knob>`;
    }
    const hasMore = id === 'attract-on' && settings.attract.on;
    return html`<label class="switch flex spread gap-20 lined" data-testid="knob-${id}">
        <span><span class="name">${name}</span> <span class="soft" aria-live="polite">${status}</span><small>${about}</small></span>
        ${checkbox(shownValue(id, settings), (on) => apply(changeTo(id, on)))}
      </label>
      ${hasMore ? GARDENER_ROWS.map((more) => this.row(room, more, settings, defaults)) : nothing}`;
  }

  private statusOf(id: SettingId): string {
    if (this.changed?.id !== id) return '';
    return this.changed.isDone ? msg('applied') : msg('applying …');
  }

  private async apply(room: string, id: SettingId, change: SettingsRequest): Promise<void> {
    const isShown = room === host.room;
    if (isShown) {
      clearTimeout(this.timer);
      this.changed = { id, isDone: false };
    }
    const settings = await host.change(change, '', room);
    if (!isShown || room !== host.room || this.changed?.id !== id) return;
    this.changed = settings && { id, isDone: true };
    this.timer = setTimeout(() => (this.changed = undefined), APPLIED_MS);
  }

  private async resetAll(): Promise<void> {
    const { room, summary, state } = host;
    if (!summary || !state) return;
    const { paused: _current, ...before } = summary.settings;
    const { paused: _default, ...defaults } = state.roomDefaults;
    const undo = { label: msg('Undo'), run: () => void host.change(before, '', room) };
    await host.change(defaults, { text: msg('All settings are reset.'), action: undo });
  }
}

type Apply = (change: SettingsRequest) => unknown;

function drawingsRow(
  name: string,
  selected: RoomSettings['drawings'],
  status: string,
  apply: Apply,
): TemplateResult {
  const about = DRAWING_MODES.find(({ value }) => value === selected)?.about;
  return html`<div class="choice" data-testid="knob-drawings">
    ${radioChips(name, DRAWING_MODES, selected, (drawings) => apply({ drawings }))}
    <p class="small soft" aria-live="polite">${status} ${about}</p>
  </div>`;
}

function languageRow(
  name: string,
  selected: RoomSettings['languages'],
  apply: Apply,
): TemplateResult {
  const choice = (code: LanguageCode): TemplateResult => {
    const isSelected = selected.includes(code);
    const toggle = (): void => {
      const chosen = (each: LanguageCode): boolean =>
        each === code ? !isSelected : selected.includes(each);
      apply({ languages: LANGUAGE_CODES.filter(chosen) });
    };
    const isOnly = isSelected && selected.length === 1;
    return html`<input type="checkbox" .checked=${live(isSelected)} ?disabled=${isOnly} @change=${toggle} />`;
  };
  return html`<div class="choice lined">${languageChips(name, choice)}</div>`;
}
