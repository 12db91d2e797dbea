/** The numeric settings of a room: texts, ranges, and how to read and change them. */
import { msg, str } from '@lit/localize';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { RoomSettings, SettingsRequest } from '../../shared/host/settings.ts';
import { number, plural } from '../elements/text.ts';

/** One numeric setting, as a slider and a number field. */
export interface Knob {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  readonly unit: string;
  /** Least and greatest value of the slider, its step, and the number field's greatest value. */
  readonly range: readonly [min: number, max: number, step: number, most: number];
  read(settings: RoomSettings): number;
  write(value: number): SettingsRequest;
}

export interface KnobGroup {
  readonly name: string;
  readonly about: string;
  /** Whether `energyStory` belongs to it. */
  readonly hasStory?: true;
  readonly knobs: readonly Knob[];
}

type Energy = RoomSettings['energy'];
type RoomKey =
  | 'tickRate'
  | 'capacity'
  | 'maxOrganisms'
  | 'maxRadius'
  | 'cooldown'
  | 'protect'
  | 'birth'
  | 'healing'
  | 'liveliness'
  | 'lifetime';
type Texts = Pick<Knob, 'name' | 'about' | 'unit'>;

/** @param factor number of shown units for one unit of the setting */
function roomKnob(id: RoomKey, range: Knob['range'], texts: Texts, factor = 1): Knob {
  const read = (settings: RoomSettings): number => Number((settings[id] * factor).toFixed(4));
  return { id, range, ...texts, read, write: (value) => ({ [id]: value / factor }) };
}

/** @param factor as for `roomKnob` */
function energyKnob(key: keyof Energy, range: Knob['range'], texts: Texts, factor = 1): Knob {
  return {
    ...texts,
    ...{ id: `energy-${key}`, range },
    read: ({ energy }) => Number((energy[key] * factor).toFixed(4)),
    write: (value) => ({ energy: { [key]: value / factor } }),
  };
}

const ENERGY = msg('energy');
const { minRadius, maxRadius } = DEFAULTS.stroke;

export const KNOB_GROUPS: readonly KnobGroup[] = [
  {
    name: msg('The room'),
    about: msg('How fast life runs, and how much of it fits.'),
    knobs: [
      roomKnob('tickRate', [1, 30, 1, 60], {
        name: msg('Speed'),
        about: msg('Slower is calmer, and easier on the machine.'),
        unit: msg('steps per second'),
      }),
      roomKnob('maxOrganisms', [8, 512, 8, 4_096], {
        name: msg('Organisms at once'),
        about: msg(
          'When the room is full of them, one makes room for each that is planted: first those at rest whose planters have left.',
        ),
        unit: msg('organisms'),
      }),
      roomKnob('capacity', [5, 500, 5, 20_000], {
        name: msg('Visitors at once'),
        about: msg('When the room is full, new visitors wait in line and get in automatically.'),
        unit: msg('visitors'),
      }),
    ],
  },
  {
    name: msg('Life'),
    about: msg('How organisms grow, heal, rest and leave.'),
    knobs: [
      roomKnob('birth', [1, 6, 1, 10], {
        name: msg('Birth'),
        about: msg('How slowly organisms grow. At 1 they grow as fast as the room runs.'),
        unit: msg('times slower'),
      }),
      roomKnob('healing', [1, 6, 1, 10], {
        name: msg('Healing'),
        about: msg('How slowly wounds heal. At 1 they heal as fast as the room runs.'),
        unit: msg('times slower'),
      }),
      roomKnob(
        'liveliness',
        [0, 50, 1, 100],
        {
          name: msg('Liveliness'),
          about: msg(
            'While somebody watches, organisms at rest wink, or look like a relative for a moment. At 0 none does.',
          ),
          unit: msg('percent of them at once'),
        },
        100,
      ),
      roomKnob('lifetime', [0, 1_800, 30, 86_400], {
        name: msg('Lifetime'),
        about: msg(
          'While the room is more than half full, resting organisms that are older leave one by one. Their planters can keep them. 0: they stay.',
        ),
        unit: msg('seconds'),
      }),
    ],
  },
  {
    name: msg('Planting and wounding'),
    hasStory: true,
    about: msg('Visitors have energy. Actions cost energy, and it refills over time.'),
    knobs: [
      energyKnob('newcomer', [0, 200, 4, 1e6], {
        name: msg('Starting energy'),
        about: msg('What a new visitor has.'),
        unit: ENERGY,
      }),
      energyKnob('capacity', [10, 400, 5, 1e6], {
        name: msg('Maximum energy'),
        about: msg('Energy refills up to this value.'),
        unit: ENERGY,
      }),
      energyKnob('refillPerSecond', [0, 30, 0.5, 1e6], {
        name: msg('Refill'),
        about: msg('The more, the busier the room gets.'),
        unit: msg('energy per second'),
      }),
      energyKnob('plant', [0, 60, 1, 1e6], {
        name: msg('Cost of a seed'),
        about: '',
        unit: ENERGY,
      }),
      energyKnob(
        'damagePerCell',
        [0, 10, 0.1, 1e5],
        {
          name: msg('Cost of a wound'),
          about: msg('A long stroke costs more than a short one.'),
          unit: msg('energy per 100 cells'),
        },
        100,
      ),
      energyKnob('wake', [0, 10, 0.5, 1e3], {
        name: msg('Cost of waking'),
        about: msg('For each resting organism that a stroke wakes.'),
        unit: ENERGY,
      }),
      roomKnob('maxRadius', [minRadius, maxRadius, 0.5, maxRadius], {
        name: msg('Largest wound'),
        about: msg('The widest stroke that visitors can choose.'),
        unit: msg('cells'),
      }),
      roomKnob('protect', [0, 60, 1, 600], {
        name: msg('Protection after a wound'),
        about: msg('For this long, nobody can wound the same organism again. 0 turns it off.'),
        unit: msg('seconds'),
      }),
      roomKnob('cooldown', [0, 60, 0.5, 600], {
        name: msg('Wait between seeds'),
        about: msg('For each visitor.'),
        unit: msg('seconds'),
      }),
    ],
  },
];

/** Idle time after which the automatic gardener starts. */
export const GARDENER_KNOB: Knob = {
  id: 'attract-after',
  name: msg('Starts after'),
  about: msg('Time without any visitor’s action.'),
  unit: msg('seconds'),
  range: [5, 300, 5, 3_600],
  read: ({ attract }) => attract.after,
  write: (after) => ({ attract: { after } }),
};

/** What the energy settings mean for a visitor, in one or two sentences. */
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
