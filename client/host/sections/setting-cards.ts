/**
 * The table of a room's settings: what the page says about each of them, and how it changes them.
 * Nothing here calls the server. Start with `SETTING_CARDS`.
 */
import { msg, str } from '@lit/localize';
import {
  type RoomSettings,
  roomSettings,
  type SettingsRequest,
} from '../../../shared/host/settings.ts';
import { PAGE_DEFAULTS } from '../../../shared/page-defaults.ts';
import { number, plural } from '../../elements/text.ts';
import type { Choice } from '../elements/host-element.ts';

/** Name of a setting, prefixed with the name of its group, if any: 'energy-plant'. */
export type SettingId =
  | Exclude<keyof RoomSettings, 'energy' | 'attract' | 'paused'>
  | `energy-${keyof RoomSettings['energy']}`
  | `attract-${keyof RoomSettings['attract']}`;

/** A setting with its name and an explanation. */
export type SettingRow = readonly [id: SettingId, name: string, about: string];

/** A slider, and the number of shown units per unit of the setting. */
interface Knob {
  readonly slider: readonly [min: number, max: number, step: number];
  readonly unit: string;
  readonly factor?: number;
}

const { minRadius, maxRadius } = PAGE_DEFAULTS.stroke;
const ENERGY = msg('energy');
const SECONDS = msg('seconds');
const SLOWER = msg('times slower');

/** The numeric settings. */
export const KNOBS: Readonly<Partial<Record<SettingId, Knob>>> = {
  tickRate: { slider: [1, 30, 1], unit: msg('steps per second') },
  maxOrganisms: { slider: [8, 512, 8], unit: msg('organisms') },
  capacity: { slider: [5, 500, 5], unit: msg('visitors') },
  birth: { slider: [1, 6, 1], unit: SLOWER },
  healing: { slider: [1, 6, 1], unit: SLOWER },
  liveliness: { slider: [0, 50, 1], unit: msg('percent of them at once'), factor: 100 },
  lifetime: { slider: [0, 1_800, 30], unit: SECONDS },
  'energy-newcomer': { slider: [0, 200, 4], unit: ENERGY },
  'energy-capacity': { slider: [10, 400, 5], unit: ENERGY },
  'energy-refillPerSecond': { slider: [0, 30, 0.5], unit: msg('energy per second') },
  'energy-plant': { slider: [0, 60, 1], unit: ENERGY },
  'energy-damagePerCell': { slider: [0, 10, 0.1], unit: msg('energy per 100 cells'), factor: 100 },
  'energy-wake': { slider: [0, 10, 0.5], unit: ENERGY },
  maxRadius: { slider: [minRadius, maxRadius, 0.5], unit: msg('cells') },
  protect: { slider: [0, 60, 1], unit: SECONDS },
  cooldown: { slider: [0, 60, 0.5], unit: SECONDS },
  'attract-after': { slider: [5, 300, 5], unit: SECONDS },
};

/** Follows the gardener's switch while the gardener is on. */
export const GARDENER_ROWS: readonly SettingRow[] = [
  ['attract-after', msg('Starts after'), msg('Time without any visitor’s action.')],
  [
    'attract-wounds',
    msg('Gardener wounds what others have left'),
    msg(
      'Also organisms at rest whose planter has been away for ten minutes. They heal. Off: only its own.',
    ),
  ],
];

/** The card with `energyStory` is the one with the settings of energy. */
export const SETTING_CARDS: readonly {
  readonly name: string;
  readonly about: string;
  readonly rows: readonly SettingRow[];
}[] = [
  {
    name: msg('The room'),
    about: msg('How fast life runs, and how much of it fits.'),
    rows: [
      ['tickRate', msg('Speed'), msg('Slower is calmer, and easier on the machine.')],
      [
        'maxOrganisms',
        msg('Organisms at once'),
        msg(
          'When the room is full of them, one makes room for each that is planted: first those at rest whose planters have left.',
        ),
      ],
      [
        'capacity',
        msg('Visitors at once'),
        msg('When the room is full, new visitors wait in line and get in automatically.'),
      ],
    ],
  },
  {
    name: msg('Life'),
    about: msg('How organisms grow, heal, rest and leave.'),
    rows: [
      [
        'birth',
        msg('Birth'),
        msg('How slowly organisms grow. At 1 they grow as fast as the room runs.'),
      ],
      [
        'healing',
        msg('Healing'),
        msg('How slowly wounds heal. At 1 they heal as fast as the room runs.'),
      ],
      [
        'liveliness',
        msg('Liveliness'),
        msg(
          'While somebody watches, organisms at rest wink, or look like a relative for a moment. At 0 none does.',
        ),
      ],
      [
        'lifetime',
        msg('Lifetime'),
        msg(
          'While the room is more than half full, resting organisms that are older leave one by one. Their planters can keep them. 0: they stay.',
        ),
      ],
    ],
  },
  {
    name: msg('Planting and wounding'),
    about: msg('Visitors have energy. Actions cost energy, and it refills over time.'),
    rows: [
      ['energy-newcomer', msg('Starting energy'), msg('What a new visitor has.')],
      ['energy-capacity', msg('Maximum energy'), msg('Energy refills up to this value.')],
      ['energy-refillPerSecond', msg('Refill'), msg('The more, the busier the room gets.')],
      ['energy-plant', msg('Cost of a seed'), ''],
      [
        'energy-damagePerCell',
        msg('Cost of a wound'),
        msg('A long stroke costs more than a short one.'),
      ],
      ['energy-wake', msg('Cost of waking'), msg('For each resting organism that a stroke wakes.')],
      ['maxRadius', msg('Largest wound'), msg('The widest stroke that visitors can choose.')],
      [
        'protect',
        msg('Protection after a wound'),
        msg('For this long, nobody can wound the same organism again. 0 turns it off.'),
      ],
      ['cooldown', msg('Wait between seeds'), msg('For each visitor.')],
    ],
  },
  {
    name: msg('Wall and text'),
    about: msg('What the room does when nobody plays, and what text it shows.'),
    rows: [
      [
        'attract-on',
        msg('Gardener when nobody plays'),
        msg('Plants, crosses and wounds by itself, and stops when a visitor starts.'),
      ],
      ['names', msg('Visitors’ names'), msg('Off: visitors only have a colour.')],
      [
        'spectators',
        msg('View-only link'),
        msg('Off: the link stops working, and anyone using it is disconnected.'),
      ],
      [
        'captions',
        msg('Captions on the wall'),
        msg('One short sentence, in each of these languages in turn.'),
      ],
      ['languages', msg('Languages'), ''],
    ],
  },
  {
    name: msg('What visitors plant'),
    about: msg('For an exhibition where everybody sees what anybody draws.'),
    rows: [
      ['drawings', msg('Drawings'), ''],
      [
        'wholeGallery',
        msg('Whole gallery'),
        msg('Also what does not suit everybody, and the many that look alike.'),
      ],
      [
        'tokens',
        msg('Keepsakes'),
        msg('Visitors can plant an organism again from its link, also from another room.'),
      ],
      [
        'latents',
        msg('Seeds from programs'),
        msg('Programs of visitors can plant whatever they like.'),
      ],
      [
        'transformOthers',
        msg('Turning others’ organisms'),
        msg(
          'Visitors can turn what others have planted into what their seed grows into. Their own they always can.',
        ),
      ],
    ],
  },
];

/** Is on the card that ends the day. */
export const HEIRS: SettingRow = [
  'generations',
  msg('The next day begins with the heirs'),
  msg(
    'What has lived long, survived wounds and had children is bred from: up to six heirs grow when the day is over.',
  ),
];

export const DRAWING_MODES: readonly (Choice<RoomSettings['drawings']> & {
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

const pathOf = (id: SettingId) => id.split('-') as [group: keyof RoomSettings, part?: string];

/** Returns what a knob shows, or whether a switch is on. */
export function shownValue<T extends number | boolean>(id: SettingId, settings: RoomSettings): T {
  const [group, part] = pathOf(id);
  const value = part ? (settings[group] as Record<string, unknown>)[part] : settings[group];
  if (typeof value === 'number') {
    return Number((value * (KNOBS[id]?.factor ?? 1)).toFixed(4)) as T;
  }
  return (value === true || value === 'unattended') as T;
}

/** Returns the change that makes a knob or switch show a value. */
export function changeTo(id: SettingId, shown: number | boolean): SettingsRequest {
  const [group, part] = pathOf(id);
  const wounds = shown ? 'unattended' : 'own';
  const value =
    typeof shown === 'number'
      ? shown / (KNOBS[id]?.factor ?? 1)
      : id === 'attract-wounds'
        ? wounds
        : shown;
  return { [group]: part ? { [part]: value } : value };
}

/** Returns the largest value that can be typed beside a slider. */
export function mostOf(id: SettingId): number {
  const [group, part] = pathOf(id);
  const { [group]: setting } = roomSettings.entries;
  const schema = part && 'entries' in setting ? setting.entries[part as never] : setting;
  const { pipe } = schema as unknown as { pipe: readonly { type: string; requirement?: number }[] };
  const most = pipe.find(({ type }) => type === 'max_value')?.requirement ?? 0;
  return most * (KNOBS[id]?.factor ?? 1);
}

/** Explains in one or two sentences what the energy settings mean for a visitor. */
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
    msg(str`After that, one every ${number(seconds)} second.`),
    msg(str`After that, one every ${number(seconds)} seconds.`),
  );
}
