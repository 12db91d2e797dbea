/** The knobs of a room that are numbers: what each is called, how far it turns, and what it means in words. Pure. */
import { msg, str } from '@lit/localize';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { RoomSettings, SettingsChange } from '../../shared/host/settings.ts';
import { number, plural } from '../elements/text.ts';

export interface Knob {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  readonly unit: string;
  /** How far the slider goes. */
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** How far the number field goes, where that is farther. */
  readonly most?: number;
  read(settings: RoomSettings): number;
  write(value: number, settings: RoomSettings): SettingsChange;
}

export interface KnobGroup {
  readonly name: string;
  readonly about: string;
  readonly knobs: readonly Knob[];
}

type EnergyKey = keyof RoomSettings['energy'];

/** @param factor shown units for one unit of the setting */
function energyKnob(
  key: EnergyKey,
  texts: Pick<Knob, 'name' | 'about' | 'unit' | 'min' | 'max' | 'step'> & {
    readonly most?: number;
  },
  factor = 1,
): Knob {
  return {
    id: `energy-${key}`,
    ...texts,
    read: ({ energy }) => Number((energy[key] * factor).toFixed(4)),
    write: (value, { energy }) => ({ energy: { ...energy, [key]: value / factor } }),
  };
}

export const KNOB_GROUPS: readonly KnobGroup[] = [
  {
    name: msg('The room'),
    about: msg('How fast life goes, and how much of it there may be.'),
    knobs: [
      {
        id: 'tickRate',
        name: msg('Pace of life'),
        about: msg('Slower is calmer and easier for the machine.'),
        unit: msg('steps a second'),
        min: 1,
        max: 30,
        most: 60,
        step: 1,
        read: ({ tickRate }) => tickRate,
        write: (tickRate) => ({ tickRate }),
      },
      {
        id: 'maxOrganisms',
        name: msg('Organisms at once'),
        about: msg(
          'When the room is full of them, one makes room for each that is planted: first those at rest whose planters have left.',
        ),
        unit: msg('organisms'),
        min: 8,
        max: 512,
        most: 4_096,
        step: 8,
        read: ({ maxOrganisms }) => maxOrganisms,
        write: (maxOrganisms) => ({ maxOrganisms }),
      },
      {
        id: 'capacity',
        name: msg('Visitors at once'),
        about: msg('Whoever comes when it is full waits in a line and is let in by itself.'),
        unit: msg('visitors'),
        min: 5,
        max: 500,
        most: 5_000,
        step: 5,
        read: ({ capacity }) => capacity,
        write: (capacity) => ({ capacity }),
      },
    ],
  },
  {
    name: msg('Planting and wounding'),
    about: msg('Each visitor has energy. Acts cost some, and it comes back by itself.'),
    knobs: [
      energyKnob('newcomer', {
        name: msg('Energy to begin with'),
        about: msg('What somebody has who has just come in.'),
        unit: msg('energy'),
        min: 0,
        max: 200,
        most: 1e6,
        step: 4,
      }),
      energyKnob('capacity', {
        name: msg('Most energy'),
        about: msg('It gathers up to here while somebody only looks.'),
        unit: msg('energy'),
        min: 10,
        max: 400,
        most: 1e6,
        step: 5,
      }),
      energyKnob('refillPerSecond', {
        name: msg('Comes back'),
        about: msg('The more, the busier the room.'),
        unit: msg('energy a second'),
        min: 0,
        max: 30,
        most: 1e6,
        step: 0.5,
      }),
      energyKnob('plant', {
        name: msg('A seed costs'),
        about: '',
        unit: msg('energy'),
        min: 0,
        max: 60,
        most: 1e6,
        step: 1,
      }),
      energyKnob(
        'damagePerCell',
        {
          name: msg('A wound costs'),
          about: msg('A long stroke costs more than a short one.'),
          unit: msg('energy per 100 cells'),
          min: 0,
          max: 10,
          most: 1e5,
          step: 0.1,
        },
        100,
      ),
      {
        id: 'maxRadius',
        name: msg('Widest wound'),
        about: msg('How wide a stroke visitors can choose.'),
        unit: msg('cells'),
        min: DEFAULTS.stroke.minRadius,
        max: DEFAULTS.stroke.maxRadius,
        step: 0.5,
        read: ({ maxRadius }) => maxRadius,
        write: (maxRadius) => ({ maxRadius }),
      },
      {
        id: 'cooldown',
        name: msg('Wait between two seeds'),
        about: msg('For each visitor.'),
        unit: msg('seconds'),
        min: 0,
        max: 60,
        most: 600,
        step: 0.5,
        read: ({ cooldown }) => cooldown,
        write: (cooldown) => ({ cooldown }),
      },
    ],
  },
];

/** What the numbers come to for a visitor, in a sentence or two. */
export function energyStory({ energy, cooldown }: RoomSettings): string {
  const { newcomer, plant, refillPerSecond, capacity } = energy;
  if (plant === 0 && cooldown === 0) return msg('A visitor can plant as many seeds as they like.');
  if (plant > capacity) {
    return msg('Nobody can plant: a seed costs more energy than anyone can have.');
  }
  const refill = refillPerSecond > 0 ? plant / refillPerSecond : Number.POSITIVE_INFINITY;
  const wait = Math.max(cooldown, plant === 0 ? 0 : refill);
  const first = plant === 0 ? 1 : Math.floor(Math.min(newcomer, capacity) / plant);
  return [firstSeeds(first), laterSeeds(wait)].join(' ');
}

function firstSeeds(first: number): string {
  if (first === 0) return msg('A visitor waits a little before the first seed.');
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
    msg(str`After that, one each ${number(seconds)} second.`),
    msg(str`After that, one each ${number(seconds)} seconds.`),
  );
}
