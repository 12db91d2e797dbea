/**
 * Section “Settings”: the settings of the selected room. A change takes effect at the next tick.
 * The host can save the settings as a file and load the file into any room.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import { live } from 'lit/directives/live.js';
import * as v from 'valibot';
import {
  type RoomSettings,
  roomSettings,
  type SettingsRequest,
  settingsFile,
} from '../../../shared/host/room-settings.ts';
import type { HostState, RoomSummary } from '../../../shared/host/state.ts';
import { LANGUAGE_CODES, type LanguageCode } from '../../../shared/languages.ts';
import { STROKE_LIMITS } from '../../../shared/limits.ts';
import { number, plural } from '../../elements/text.ts';
import * as ui from '../host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { locationHash } from '../navigation.ts';
import { farewellCard, reseedCard } from './saved-section.ts';

/** Names of settings that are changed in other sections. */
type Elsewhere = 'paused' | 'curation' | 'wifi' | 'exhibition' | 'credits' | 'logo' | 'message';

function offered(settings: RoomSettings): Omit<RoomSettings, Elsewhere> {
  const { paused: _, curation: __, wifi, exhibition, credits, logo, message, ...rest } = settings;
  return rest;
}

/**
 * Name of a setting. A setting that belongs to a group has the group's name as a prefix:
 * 'energy-plant'.
 */
export type SettingId =
  | Exclude<keyof RoomSettings, 'energy' | 'attract' | Elsewhere>
  | `energy-${keyof RoomSettings['energy']}`
  | `attract-${keyof RoomSettings['attract']}`;

/** A slider for a setting. The slider shows the setting's value multiplied by `factor`. */
type Knob = readonly [min: number, max: number, step: number, unit: string, factor?: number];

const { minRadius, maxRadius } = STROKE_LIMITS;
const ENERGY = msg('energy');
const SECONDS = msg('seconds');
const SLOWER = msg('times slower');

/** The numeric settings and their sliders. */
export const KNOBS = {
  tickRate: [1, 30, 1, msg('steps per second')],
  maxOrganisms: [8, 512, 8, msg('organisms')],
  capacity: [5, 500, 5, msg('visitors')],
  birth: [1, 6, 1, SLOWER],
  healing: [1, 6, 1, SLOWER],
  liveliness: [0, 50, 1, msg('percent of them at once'), 100],
  water: [0, 200, 5, msg('percent of the usual'), 100],
  lifetime: [0, 1_800, 30, SECONDS],
  'energy-newcomer': [0, 200, 4, ENERGY],
  'energy-capacity': [10, 400, 5, ENERGY],
  'energy-refillPerSecond': [0, 30, 0.5, msg('energy per second')],
  'energy-plant': [0, 60, 1, ENERGY],
  'energy-damagePerCell': [0, 10, 0.1, msg('energy per 100 cells'), 100],
  'energy-wake': [0, 10, 0.5, ENERGY],
  maxRadius: [minRadius, maxRadius, 0.5, msg('cells')],
  protect: [0, 60, 1, SECONDS],
  cooldown: [0, 60, 0.5, SECONDS],
  closeUps: [0, 4, 0.5, msg('per minute')],
  'attract-after': [5, 300, 5, SECONDS],
} satisfies Partial<Record<SettingId, Knob>>;

type KnobId = keyof typeof KNOBS;

const partsOf = (id: SettingId) => id.split('-') as [group: keyof RoomSettings, part?: string];

function settingOf(id: SettingId, settings: RoomSettings): unknown {
  const [group, part] = partsOf(id);
  return part ? (settings[group] as Record<string, unknown>)[part] : settings[group];
}

const factorOf = (id: SettingId): number => (KNOBS as Record<string, Knob>)[id]?.[4] ?? 1;

/** Returns the value that a slider shows for a setting. */
export const shownValue = (id: KnobId, settings: RoomSettings): number =>
  Number(((settingOf(id, settings) as number) * factorOf(id)).toFixed(4));

export const isOn = (id: SettingId, settings: RoomSettings): boolean =>
  [true, 'unattended'].includes(settingOf(id, settings) as boolean | string);

/**
 * Returns the request that changes a setting so that its slider or switch shows the value `shown`.
 */
export function changeTo(id: SettingId, shown: number | boolean): SettingsRequest {
  const [group, part] = partsOf(id);
  const wounds = shown ? 'unattended' : 'own';
  const plain = typeof shown === 'number' ? shown / factorOf(id) : shown;
  const value = id === 'attract-wounds' ? wounds : plain;
  return { [group]: part ? { [part]: value } : value };
}

/**
 * Returns the maximum that the server allows for a setting, in the slider's unit. The slider may
 * end below this maximum, but the number field accepts all values up to it.
 */
export function mostOf(id: SettingId): number {
  const [group, part] = partsOf(id);
  const { [group]: setting } = roomSettings.entries;
  const schema = part && 'entries' in setting ? setting.entries[part as never] : setting;
  const { pipe } = schema as unknown as { pipe: readonly { type: string; requirement?: number }[] };
  const most = pipe.find(({ type }) => type === 'max_value')?.requirement ?? 0;
  return most * factorOf(id);
}

/**
 * Explains how many seeds a visitor can plant, and how often, under the settings `energy` and
 * `cooldown`.
 */
export function energyStory({ energy, cooldown }: RoomSettings): string {
  const { newcomer, plant, refillPerSecond, capacity } = energy;
  if (plant === 0 && cooldown === 0) return msg('Visitors can plant as many seeds as they like.');
  if (plant > capacity) {
    return msg('Nobody can plant: a seed costs more energy than anyone can have.');
  }
  const refill = refillPerSecond > 0 ? plant / refillPerSecond : Number.POSITIVE_INFINITY;
  const wait = Math.max(cooldown, plant === 0 ? 0 : refill);
  const first = plant === 0 ? 1 : Math.floor(Math.min(newcomer, capacity) / plant);
  return `${firstSeeds(first)} ${laterSeeds(wait)}`;
}

function firstSeeds(first: number): string {
  if (first === 0) return msg('Visitors wait a little before their first seed.');
  return plural(
    first,
    msg(str`A visitor can plant ${number(first)} seed at the start.`),
    msg(str`A visitor can plant ${number(first)} seeds at the start.`),
  );
}

function laterSeeds(wait: number): string {
  if (!Number.isFinite(wait)) return msg('After that, none.');
  const seconds = wait < 10 ? Number(wait.toFixed(1)) : Math.round(wait);
  return plural(
    seconds,
    msg(str`After that, each visitor can plant one seed every ${number(seconds)} second.`),
    msg(str`After that, each visitor can plant one seed every ${number(seconds)} seconds.`),
  );
}

/** How long after the last key press a slider's value is sent, in ms. */
const KEY_DELAY_MS = 350;

const DRAWING_MODES: readonly (ui.Choice<RoomSettings['drawings']> & {
  readonly about: string;
})[] = [
  {
    ...{ value: 'on', name: msg('immediately') },
    about: msg('Visitors can plant their drawings immediately.'),
  },
  {
    ...{ value: 'ask', name: msg('ask first') },
    about: msg('Drawings wait under “Watch” until you approve them. Keepsakes need no approval.'),
  },
  {
    ...{ value: 'off', name: msg('off') },
    about: msg('Visitors do not see the drawing pad.'),
  },
];

/** How long the text “applied” is shown after a change of a setting, in ms. */
const APPLIED_MS = 2_500;

@customElement('knobs-section')
export class KnobsSection extends ui.HostElement {
  static override styles = css`
    .knob {
      grid-template: 'words slide field unit' auto 'words slide state state' auto / minmax(0, 15em) minmax(
          0,
          1fr
        ) 5.6em 7.4em;
      gap: 0 12px;
      padding: 11px 0;
    }
    .knob small {
      line-height: 1.35;
    }
    .slide {
      margin: 0 12px;
    }
    .default {
      inset-inline-start: calc(0.65em + var(--at) * (100% - 1.3em));
      top: calc(50% + 0.55em);
      width: 1px;
      height: 0.5em;
      background: var(--ink-soft);
    }
    .unit {
      line-height: 1.25;
    }
    .state {
      min-height: 1.7em;
      font-size: 0.9em;
    }
    .state svg {
      width: 1.15em;
      height: 1.15em;
    }
    input[type='range']::-webkit-slider-runnable-track {
      background: linear-gradient(
        calc(var(--forward) * 90deg),
        oklch(0.72 0.075 172) calc(var(--share) * 100%),
        oklch(0.95 0.01 210 / 0.2) 0
      );
    }
    @media (max-width: 760px) {
      .knob {
        grid-template:
          'words words' auto
          'slide field' auto
          'state unit' auto / minmax(0, 1fr) 5.6em;
        gap: 2px 16px;
      }
      .slide {
        margin: 0;
      }
      .unit {
        text-align: end;
        margin-inline-start: -6em;
      }
    }
    .story {
      margin-top: 12px;
      padding: 12px 16px;
      border-radius: 12px;
      background: oklch(0.36 0.045 175 / 0.35);
    }
    :is(.switch, .knob):first-of-type {
      border-top: 0;
    }
  `;

  /**
   * Values of the sliders that the host is moving. A moving slider shows the value in `drafts`
   * instead of the room's setting, so that other hosts' changes do not move the slider.
   */
  private readonly drafts = new Map<
    KnobId,
    { value: number; timer: ReturnType<typeof setTimeout> }
  >();
  /** The setting that this host changed last, and whether the server has applied that change. */
  @state() private changed: { readonly id: SettingId; readonly isDone: boolean } | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  protected override roomChanged(): void {
    this.changed = undefined;
    // No value is lost: each draft's timer still sends the value to the previous room.
    this.drafts.clear();
  }

  protected override section({ name }: RoomSummary, { roomDefaults }: HostState): TemplateResult {
    const settings = host.settings!;
    const isDefault = JSON.stringify(offered(settings)) === JSON.stringify(offered(roomDefaults));
    const reset = html`<button class="plain" @click=${this.resetAll}>${hostIcons.undo}${msg('Reset all')}</button>`;
    const lead = msg('Changes apply immediately, for everyone in the room. Nothing restarts.');
    const action = html`<div class="row">${isDefault ? nothing : reset} ${fileButtons(name, settings)}</div>`;
    // Create new elements for each room. Otherwise, if the host switched rooms while dragging a
    // slider, the slider would change the new room.
    return html`${ui.sectionHead(msg(str`Settings of “${name}”`), lead, action)}
      ${keyed(name, this.cards(name, settings))}`;
  }

  private cards(room: string, settings: RoomSettings): TemplateResult {
    const knob = (id: KnobId, name: string, about: string): TemplateResult =>
      this.knob(room, id, name, about);
    const toggle = (id: SettingId, name: string, about: string): TemplateResult =>
      html`<label class="switch flex spread gap-20 py-12 lined" data-testid="knob-${id}">
        <span><span class="name">${name}</span> <span class="soft" aria-live="polite">${this.statusOf(id)}</span><small>${about}</small></span>
        ${ui.checkbox(isOn(id, settings), (on) => this.apply(room, id, changeTo(id, on)))}
      </label>`;
    const card = (name: string, about: string, rows: TemplateResult): TemplateResult =>
      html`<section class="card" aria-label=${name}>
        <h3>${name}</h3>
        <p class="soft mt-4 mb-10">${about}</p>
        ${rows}
      </section>`;
    const running = html`${knob('tickRate', msg('Speed'), msg('A slower room is calmer, and easier on the machine.'))}
      ${knob('maxOrganisms', msg('Organisms at once'), msg('When the room is full of organisms, one dissolves for each new seed. Resting organisms whose planters have left dissolve first.'))}
      ${knob('capacity', msg('Visitors at once'), msg('When the room is full of visitors, new visitors wait in line and get in automatically.'))}`;
    const life = html`${knob('birth', msg('Birth'), msg('How slowly organisms grow: at 1 as fast as the room’s speed allows, at 2 half as fast, and so on.'))}
      ${knob('healing', msg('Healing'), msg('How slowly wounds heal: at 1 as fast as the room’s speed allows, at 2 half as fast, and so on.'))}
      ${knob('liveliness', msg('Liveliness'), msg('While somebody watches, some resting organisms briefly take on the look of a similar creature. 0 turns this off.'))}
      ${knob('water', msg('Moving water'), msg('How strongly the picture sways, as if under slowly moving water. 0 turns this off.'))}
      ${knob('lifetime', msg('Lifetime'), msg('While the room is more than half full, resting (unchanging) organisms older than this age dissolve one by one. Visitors can keep the organisms that they planted. 0 turns this off.'))}`;
    const acting = html`${knob('energy-newcomer', msg('Starting energy'), msg('The energy that a new visitor starts with.'))}
      ${knob('energy-capacity', msg('Maximum energy'), msg('Energy refills up to this value.'))}
      ${knob('energy-refillPerSecond', msg('Refill'), msg('The faster energy refills, the busier the room gets.'))}
      ${knob('energy-plant', msg('Cost of a seed'), '')}
      ${knob('energy-damagePerCell', msg('Cost of a wound'), msg('A long stroke costs more than a short one.'))}
      ${knob('energy-wake', msg('Cost of waking'), msg('A stroke costs this much extra for each resting organism that it wakes.'))}
      ${knob('maxRadius', msg('Largest wound'), msg('The widest stroke that visitors can choose.'))}
      ${knob('protect', msg('Protection after a wound'), msg('How long a wounded organism cannot be wounded again. 0 turns the protection off.'))}
      ${knob('cooldown', msg('Wait between seeds'), msg('For each visitor.'))}
      <p class="story wide" data-testid="story">${energyStory(settings)}</p>`;
    const wall = html`${toggle('attract-on', msg('Gardener when nobody plays'), msg('The gardener plants, crosses and wounds organisms, and stops when a visitor starts to play.'))}
      ${settings.attract.on ? [knob('attract-after', msg('Starts after'), msg('Time without any action by visitors before the gardener starts.')), toggle('attract-wounds', msg('The gardener may wound abandoned organisms'), msg('If on, the gardener also wounds resting organisms whose planter has been away for ten minutes. The wounds heal. If off, the gardener wounds only its own organisms.'))] : nothing}
      ${toggle('names', msg('Visitors’ names'), msg('If off, each visitor is shown only by a colour, without a name.'))}
      ${toggle('spectators', msg('View-only link'), msg('If off, the view-only link stops working, and everybody who watches through it is disconnected.'))}
      ${toggle('captions', msg('Captions on the wall'), msg('The wall shows one short sentence, in each of these languages in turn.'))}
      ${this.languageRow(room, settings.languages)}
      ${knob('closeUps', msg('Close-ups on the wall'), msg('How often the wall shows a close-up of what happens to one creature. 0 turns close-ups off.'))}`;
    const planting = html`${this.drawingsRow(room, settings.drawings)}
      <a class="button plain fit" href=${locationHash({ room, section: 'gallery' })}>${hostIcons.gallery}${msg('Choose seeds in the gallery')}</a>
      ${toggle('wholeGallery', msg('Whole gallery'), msg('The gallery then also offers seeds unsuitable for some visitors, such as children, and many seeds that look alike.'))}
      ${toggle('tokens', msg('Keepsakes'), msg('Visitors can plant an organism again from its link, even an organism from another room.'))}
      ${toggle('latents', msg('Seeds from programs'), msg('Programs that connect as visitors can plant any seeds.'))}
      ${toggle('transformOthers', msg('Transforming others’ organisms'), msg('Visitors can transform other people’s organisms into creatures of their choice. They can always transform their own organisms.'))}
      ${toggle('graftOthers', msg('Grafting onto others’ organisms'), msg('Visitors can graft parts onto other people’s organisms, and these people can remove the parts. Visitors can always graft onto their own organisms.'))}`;
    return html`<div class="grid gap-14">
      ${card(msg('The room'), msg('How fast the room runs, and how many organisms live in it.'), running)}
      ${card(msg('Life'), msg('How organisms grow, heal, rest and leave.'), life)}
      ${card(msg('Planting and wounding'), msg('Visitors have energy. Actions cost energy, and it refills over time.'), acting)}
      ${card(msg('Wall and text'), msg('What the room does when nobody plays, and what text the wall shows.'), wall)}
      ${card(msg('What visitors plant'), msg('Everybody sees what anybody plants. You decide what is allowed.'), planting)}
      ${farewellCard(toggle('generations', msg('The next day begins with children of today’s organisms'), msg('When the day is over, up to six heirs grow: children of organisms that lived long, survived wounds and had children.')))}
      ${reseedCard()}
    </div>`;
  }

  /**
   * Renders a setting: a slider, a number field that accepts values beyond the slider's end, the
   * unit, and whether a change has been applied.
   */
  private knob(room: string, id: KnobId, name: string, about: string): TemplateResult {
    const [min, max, step, unit] = KNOBS[id];
    const most = mostOf(id);
    const current = shownValue(id, host.settings!);
    const normal = shownValue(id, host.state!.roomDefaults);
    const value = this.drafts.get(id)?.value ?? current;
    const share = (n: number): number => Math.max(0, Math.min(1, (n - min) / (max - min)));
    const send = (next: number): void => {
      clearTimeout(this.drafts.get(id)?.timer);
      this.drafts.delete(id);
      this.requestUpdate();
      if (Math.abs(next - current) >= 1e-9) void this.apply(room, id, changeTo(id, next));
    };
    const slide = (event: Event, delay: number): void => {
      const next = Number(ui.inputValue(event));
      clearTimeout(this.drafts.get(id)?.timer);
      this.drafts.set(id, { value: next, timer: setTimeout(() => send(next), delay) });
      this.requestUpdate();
    };
    const enter = ({ target }: Event): void => {
      const field = target as HTMLInputElement;
      const typed = field.valueAsNumber;
      if (!Number.isFinite(typed)) field.value = String(current);
      else send(Math.max(Math.min(min, current), Math.min(most, typed)));
    };
    const status = this.statusOf(id);
    const reset = html`<button class="link" @click=${() => send(normal)} aria-label=${msg(str`${name}: reset to ${normal}`)}>
      ${hostIcons.undo}${msg(str`reset to ${normal}`)}
    </button>`;
    const isNormal = Math.abs(current - normal) < 1e-6;
    return html`<div class="knob grid centre lined" data-testid="knob-${id}">
      <div style="grid-area: words">
        <label class="name" for="slider-${id}">${name}</label>
        <small id="about-${id}" ?hidden=${!about}>${about}</small>
      </div>
      <div class="slide relative" style="grid-area: slide; --share:${share(value)};--at:${share(normal)}">
        <input id="slider-${id}" type="range" min=${min} max=${max} step=${step}
          aria-describedby=${about ? `about-${id}` : nothing} aria-valuetext="${value} ${unit}"
          .value=${String(value)} @input=${(event: Event) => slide(event, KEY_DELAY_MS)}
          @change=${(event: Event) => slide(event, 0)} />
        <i class="default over ghost" aria-hidden="true"></i>
      </div>
      <input type="number" style="grid-area: field" min=${min} max=${most} step=${step}
        aria-label="${name}, ${unit}" inputmode="decimal" .value=${String(value)} @change=${enter} />
      <span class="unit small soft" style="grid-area: unit">${unit}</span>
      <span class="state flex soft ${status && this.changed?.isDone ? 'good' : ''}" style="grid-area: state" aria-live="polite">${status || (isNormal ? msg('default') : reset)}</span>
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
    const before = offered(summary.settings);
    const action = { label: msg('Undo'), run: () => void host.change(before, '', room) };
    const text = msg('All settings are reset.');
    await host.change(offered(state.roomDefaults), { text, action });
  }

  private drawingsRow(room: string, selected: RoomSettings['drawings']): TemplateResult {
    const about = DRAWING_MODES.find(({ value }) => value === selected)?.about;
    const change = (drawings: RoomSettings['drawings']) =>
      this.apply(room, 'drawings', { drawings });
    return html`<div class="py-12" data-testid="knob-drawings">
      ${ui.radioChips(msg('Drawings'), DRAWING_MODES, selected, change)}
      <p class="small soft mt-8" aria-live="polite">${this.statusOf('drawings')} ${about}</p>
    </div>`;
  }

  private languageRow(room: string, selected: RoomSettings['languages']): TemplateResult {
    const choice = (code: LanguageCode): TemplateResult => {
      const isSelected = selected.includes(code);
      const isOnly = isSelected && selected.length === 1;
      const toggle = () => {
        const languages = LANGUAGE_CODES.filter(
          (each) => selected.includes(each) !== (each === code),
        );
        return this.apply(room, 'languages', { languages });
      };
      return html`<input type="checkbox" .checked=${live(isSelected)} ?disabled=${isOnly} @change=${toggle} />`;
    };
    return html`<div class="py-12 lined">${ui.languageChips(msg('Languages'), choice)}</div>`;
  }
}

/** Maximum size of a settings file, in bytes. */
const MAX_BYTES = 65_536;

/** Renders a link that saves the settings as a file, and a button that loads such a file. */
function fileButtons(room: string, all: RoomSettings): TemplateResult {
  // Leave out the settings that are not part of the file format.
  const settings = v.parse(v.object(settingsFile.entries), all);
  const data = encodeURIComponent(`${JSON.stringify(settings, null, 1)}\n`);
  const load = (file: File) => loadFile(file, room, settings);
  return html`<a class="button plain" data-testid="save-settings" href="data:application/json,${data}" download="${room}-settings.json">
      ${hostIcons.save}${msg('Save as file')}</a>
    ${ui.fileButton('load-settings', msg('Load from file'), '.json,application/json', load)}`;
}

async function loadFile(file: File, room: string, before: SettingsRequest): Promise<void> {
  const content = file.size > MAX_BYTES ? '' : await file.text();
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), settingsFile), content);
  if (!parsed.success) {
    const text = msg(
      str`“${file.name}” does not contain the settings of a room. Nothing has changed.`,
    );
    host.show({ text, wrong: true });
    return;
  }
  const action = { label: msg('Undo'), run: () => void host.change(before, '', room) };
  const text = msg(str`The settings of “${file.name}” apply now.`);
  await host.change(parsed.output, { text, action }, room);
}
