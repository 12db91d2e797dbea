/** The numeric settings of a room: texts, ranges, and how to read and change them. */
import { msg, str } from '@lit/localize';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { RoomSettings, SettingsChange } from '../../shared/host/settings.ts';
import { number, plural } from '../elements/text.ts';

interface Scale {
  readonly unit: string;
  /** Range of the slider. */
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** Largest value of the number field, if greater than `max`. */
  readonly most?: number;
}

/** One numeric setting, as a slider and a number field. */
export interface Knob extends Scale {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  read(settings: RoomSettings): number;
  write(value: number, settings: RoomSettings): SettingsChange;
}

export interface KnobGroup {
  readonly name: string;
  readonly about: string;
  readonly knobs: readonly Knob[];
}

type NumberKey = 'tickRate' | 'capacity' | 'maxOrganisms' | 'maxRadius' | 'cooldown';

function roomKnob(key: NumberKey, name: string, about: string, scale: Scale): Knob {
  const read = (settings: RoomSettings): number => settings[key];
  return { id: key, name, about, ...scale, read, write: (value) => ({ [key]: value }) };
}

/** @param scale with the number of shown units for one unit of the setting, if it is not 1 */
function energyKnob(
  key: keyof RoomSettings['energy'],
  name: string,
  about: string,
  { factor = 1, ...scale }: Scale & { readonly factor?: number },
): Knob {
  return {
    id: `energy-${key}`,
    name,
    about,
    ...scale,
    read: ({ energy }) => Number((energy[key] * factor).toFixed(4)),
    write: (value, { energy }) => ({ energy: { ...energy, [key]: value / factor } }),
  };
}

const ENERGY = msg('energy');

export const KNOB_GROUPS: readonly KnobGroup[] = [
  {
    name: msg('The room'),
    about: msg('How fast life runs, and how much of it fits.'),
    knobs: [
      roomKnob('tickRate', msg('Speed'), msg('Slower is calmer, and easier on the machine.'), {
        unit: msg('steps per second'),
        min: 1,
        max: 30,
        most: 60,
        step: 1,
      }),
      roomKnob(
        'maxOrganisms',
        msg('Organisms at once'),
        msg(
          'When the room is full of them, one makes room for each that is planted: first those at rest whose planters have left.',
        ),
        { unit: msg('organisms'), min: 8, max: 512, most: 4_096, step: 8 },
      ),
      roomKnob(
        'capacity',
        msg('Visitors at once'),
        msg('When the room is full, new visitors wait in line and get in automatically.'),
        { unit: msg('visitors'), min: 5, max: 500, most: 5_000, step: 5 },
      ),
    ],
  },
  {
    name: msg('Planting and wounding'),
    about: msg('Visitors have energy. Actions cost energy, and it refills over time.'),
    knobs: [
      energyKnob('newcomer', msg('Starting energy'), msg('What a new visitor has.'), {
        unit: ENERGY,
        min: 0,
        max: 200,
        most: 1e6,
        step: 4,
      }),
      energyKnob('capacity', msg('Maximum energy'), msg('Energy refills up to this value.'), {
        unit: ENERGY,
        min: 10,
        max: 400,
        most: 1e6,
        step: 5,
      }),
      energyKnob('refillPerSecond', msg('Refill'), msg('The more, the busier the room gets.'), {
        unit: msg('energy per second'),
        min: 0,
        max: 30,
        most: 1e6,
        step: 0.5,
      }),
      energyKnob('plant', msg('Cost of a seed'), '', {
        unit: ENERGY,
        min: 0,
        max: 60,
        most: 1e6,
        step: 1,
      }),
      energyKnob(
        'damagePerCell',
        msg('Cost of a wound'),
        msg('A long stroke costs more than a short one.'),
        { unit: msg('energy per 100 cells'), factor: 100, min: 0, max: 10, most: 1e5, step: 0.1 },
      ),
      roomKnob(
        'maxRadius',
        msg('Largest wound'),
        msg('The widest stroke that visitors can choose.'),
        {
          unit: msg('cells'),
          min: DEFAULTS.stroke.minRadius,
          max: DEFAULTS.stroke.maxRadius,
          step: 0.5,
        },
      ),
      roomKnob('cooldown', msg('Wait between seeds'), msg('For each visitor.'), {
        unit: msg('seconds'),
        min: 0,
        max: 60,
        most: 600,
        step: 0.5,
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
  min: 5,
  max: 300,
  most: 3_600,
  step: 5,
  read: ({ attract }) => attract.after,
  write: (after, { attract }) => ({ attract: { ...attract, after } }),
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
    msg(str`A visitor can plant ${first} seed at the start.`),
    msg(str`A visitor can plant ${first} seeds at the start.`),
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
