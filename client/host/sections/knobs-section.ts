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
  type Choice,
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
  energyStory,
  isOn,
  KNOBS,
  mostOf,
  type SettingId,
  shownValue,
} from './settings.ts';
import { farewellCard, reseedCard } from './undo-cards.ts';

const DRAWING_MODES: readonly (Choice<RoomSettings['drawings']> & {
  readonly about: string;
})[] = [
  {
    ...{ value: 'on', name: msg('at once') },
    about: msg('Whatever visitors draw can be planted at once.'),
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
    }
    .switch:first-of-type {
      border-top: 0;
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
    // The cards are keyed by room. If the host selects another room while dragging a slider, the
    // slider therefore still changes the room for which it was rendered.
    const cards = this.cards(name, settings, roomDefaults);
    return html`${sectionHead(msg(str`Settings of “${name}”`), lead, action)} ${keyed(name, cards)}`;
  }

  private cards(room: string, settings: RoomSettings, defaults: RoomSettings): TemplateResult {
    const { attract, drawings, languages } = settings;
    const apply = (id: SettingId) => (change: SettingsRequest) => this.apply(room, id, change);
    const knob = (id: keyof typeof KNOBS, name: string, about: string): TemplateResult =>
      html`<host-knob
        data-testid="knob-${id}"
        .name=${name}
        .about=${about}
        .knob=${KNOBS[id]}
        .most=${mostOf(id)}
        .value=${live(shownValue(id, settings))}
        .default=${shownValue(id, defaults)}
        .status=${this.statusOf(id)}
        @knob-change=${({ detail }: CustomEvent<number>) => apply(id)(changeTo(id, detail))}
      ></host-knob>`;
    const toggle = (id: SettingId, name: string, about: string): TemplateResult =>
      html`<label class="switch flex spread gap-20 py-12 lined" data-testid="knob-${id}">
        <span><span class="name">${name}</span> <span class="soft" aria-live="polite">${this.statusOf(id)}</span><small>${about}</small></span>
        ${checkbox(isOn(id, settings), (on) => apply(id)(changeTo(id, on)))}
      </label>`;
    const card = (name: string, about: string, rows: TemplateResult): TemplateResult =>
      html`<section class="card" aria-label=${name}>
        <h3>${name}</h3>
        <p class="soft mt-4 mb-10">${about}</p>
        ${rows}
      </section>`;
    return html`<div class="grid gap-14">
      ${card(
        msg('The room'),
        msg('How fast life runs, and how much of it fits.'),
        html`${knob('tickRate', msg('Speed'), msg('Slower is calmer, and easier on the machine.'))}
          ${knob('maxOrganisms', msg('Organisms at once'), msg('When the room is full of them, one makes room for each that is planted: first those at rest whose planters have left.'))}
          ${knob('capacity', msg('Visitors at once'), msg('When the room is full, new visitors wait in line and get in automatically.'))}`,
      )}
      ${card(
        msg('Life'),
        msg('How organisms grow, heal, rest and leave.'),
        html`${knob('birth', msg('Birth'), msg('How slowly organisms grow. At 1 they grow as fast as the room runs.'))}
          ${knob('healing', msg('Healing'), msg('How slowly wounds heal. At 1 they heal as fast as the room runs.'))}
          ${knob('liveliness', msg('Liveliness'), msg('While somebody watches, organisms at rest wink, or look like a relative for a moment. At 0 none does.'))}
          ${knob('lifetime', msg('Lifetime'), msg('While the room is more than half full, resting organisms that are older leave one by one. Their planters can keep them. 0: they stay.'))}`,
      )}
      ${card(
        msg('Planting and wounding'),
        msg('Visitors have energy. Actions cost energy, and it refills over time.'),
        html`${knob('energy-newcomer', msg('Starting energy'), msg('What a new visitor has.'))}
          ${knob('energy-capacity', msg('Maximum energy'), msg('Energy refills up to this value.'))}
          ${knob('energy-refillPerSecond', msg('Refill'), msg('The more, the busier the room gets.'))}
          ${knob('energy-plant', msg('Cost of a seed'), '')}
          ${knob('energy-damagePerCell', msg('Cost of a wound'), msg('A long stroke costs more than a short one.'))}
          ${knob('energy-wake', msg('Cost of waking'), msg('For each resting organism that a stroke wakes.'))}
          ${knob('maxRadius', msg('Largest wound'), msg('The widest stroke that visitors can choose.'))}
          ${knob('protect', msg('Protection after a wound'), msg('For this long, nobody can wound the same organism again. 0 turns it off.'))}
          ${knob('cooldown', msg('Wait between seeds'), msg('For each visitor.'))}
          <p class="story wide" data-testid="story">${energyStory(settings)}</p>`,
      )}
      ${card(
        msg('Wall and text'),
        msg('What the room does when nobody plays, and what text it shows.'),
        html`${toggle('attract-on', msg('Gardener when nobody plays'), msg('Plants, crosses and wounds by itself, and stops when a visitor starts.'))}
          ${attract.on ? [knob('attract-after', msg('Starts after'), msg('Time without any visitor’s action.')), toggle('attract-wounds', msg('Gardener wounds what others have left'), msg('Also organisms at rest whose planter has been away for ten minutes. They heal. Off: only its own.'))] : nothing}
          ${toggle('names', msg('Visitors’ names'), msg('Off: visitors only have a colour.'))}
          ${toggle('spectators', msg('View-only link'), msg('Off: the link stops working, and anyone using it is disconnected.'))}
          ${toggle('captions', msg('Captions on the wall'), msg('One short sentence, in each of these languages in turn.'))}
          ${languageRow(languages, apply('languages'))}`,
      )}
      ${card(
        msg('What visitors plant'),
        msg('For an exhibition where everybody sees what anybody draws.'),
        html`${drawingsRow(drawings, this.statusOf('drawings'), apply('drawings'))}
          ${toggle('wholeGallery', msg('Whole gallery'), msg('Also what does not suit everybody, and the many that look alike.'))}
          ${toggle('tokens', msg('Keepsakes'), msg('Visitors can plant an organism again from its link, also from another room.'))}
          ${toggle('latents', msg('Seeds from programs'), msg('Programs of visitors can plant whatever they like.'))}
          ${toggle('transformOthers', msg('Turning others’ organisms'), msg('Visitors can turn what others have planted into what their seed grows into. Their own they always can.'))}`,
      )}
      ${farewellCard(toggle('generations', msg('The next day begins with the heirs'), msg('What has lived long, survived wounds and had children is bred from: up to six heirs grow when the day is over.')))}
      ${reseedCard()}
    </div>`;
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
  selected: RoomSettings['drawings'],
  status: string,
  apply: Apply,
): TemplateResult {
  const about = DRAWING_MODES.find(({ value }) => value === selected)?.about;
  return html`<div class="py-12" data-testid="knob-drawings">
    ${radioChips(msg('Drawings'), DRAWING_MODES, selected, (drawings) => apply({ drawings }))}
    <p class="small soft mt-8" aria-live="polite">${status} ${about}</p>
  </div>`;
}

function languageRow(selected: RoomSettings['languages'], apply: Apply): TemplateResult {
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
  return html`<div class="py-12 lined">${languageChips(msg('Languages'), choice)}</div>`;
}
