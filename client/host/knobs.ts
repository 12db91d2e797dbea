/** The knobs of a room that are numbers: what each is called, how far it turns, and what it means in words. Pure. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { RoomSettings, SettingsChange } from '../../shared/host/settings.ts';

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
    name: 'The room',
    about: 'How fast life goes, and how much of it there may be.',
    knobs: [
      {
        id: 'tickRate',
        name: 'Pace of life',
        about: 'Slower is calmer and easier for the machine.',
        unit: 'steps a second',
        min: 1,
        max: 30,
        most: 60,
        step: 1,
        read: ({ tickRate }) => tickRate,
        write: (tickRate) => ({ tickRate }),
      },
      {
        id: 'maxOrganisms',
        name: 'Organisms at once',
        about: 'When the room is full of them, visitors wait until one has died.',
        unit: 'organisms',
        min: 8,
        max: 512,
        most: 4_096,
        step: 8,
        read: ({ maxOrganisms }) => maxOrganisms,
        write: (maxOrganisms) => ({ maxOrganisms }),
      },
      {
        id: 'capacity',
        name: 'Visitors at once',
        about: 'Whoever comes when it is full waits in a line and is let in by itself.',
        unit: 'visitors',
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
    name: 'Planting and wounding',
    about: 'Each visitor has energy. Acts cost some, and it comes back by itself.',
    knobs: [
      energyKnob('newcomer', {
        name: 'Energy to begin with',
        about: 'What somebody has who has just come in.',
        unit: 'energy',
        min: 0,
        max: 200,
        most: 1e6,
        step: 4,
      }),
      energyKnob('capacity', {
        name: 'Most energy',
        about: 'It gathers up to here while somebody only looks.',
        unit: 'energy',
        min: 10,
        max: 400,
        most: 1e6,
        step: 5,
      }),
      energyKnob('refillPerSecond', {
        name: 'Comes back',
        about: 'The more, the busier the room.',
        unit: 'energy a second',
        min: 0,
        max: 30,
        most: 1e6,
        step: 0.5,
      }),
      energyKnob('plant', {
        name: 'A seed costs',
        about: '',
        unit: 'energy',
        min: 0,
        max: 60,
        most: 1e6,
        step: 1,
      }),
      energyKnob(
        'damagePerCell',
        {
          name: 'A wound costs',
          about: 'A long stroke costs more than a short one.',
          unit: 'energy per 100 cells',
          min: 0,
          max: 10,
          most: 1e5,
          step: 0.1,
        },
        100,
      ),
      {
        id: 'maxRadius',
        name: 'Widest wound',
        about: 'How wide a stroke visitors can choose.',
        unit: 'cells',
        min: DEFAULTS.stroke.minRadius,
        max: DEFAULTS.stroke.maxRadius,
        step: 0.5,
        read: ({ maxRadius }) => maxRadius,
        write: (maxRadius) => ({ maxRadius }),
      },
      {
        id: 'cooldown',
        name: 'Wait between two seeds',
        about: 'For each visitor.',
        unit: 'seconds',
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

/** What the numbers come to for a visitor, in a sentence. */
export function energyStory({ energy, cooldown }: RoomSettings): string {
  const { newcomer, plant, refillPerSecond, capacity } = energy;
  if (plant === 0) {
    return cooldown > 0
      ? `A visitor can plant a seed every ${cooldown} seconds, as many as they like.`
      : 'A visitor can plant as many seeds as they like.';
  }
  if (plant > capacity) return 'Nobody can plant: a seed costs more energy than anyone can have.';
  const first = Math.floor(Math.min(newcomer, capacity) / plant);
  const wait = Math.max(
    cooldown,
    refillPerSecond > 0 ? plant / refillPerSecond : Number.POSITIVE_INFINITY,
  );
  const begins =
    first === 0
      ? 'A visitor waits a little before the first seed'
      : `A visitor can plant ${first} ${first === 1 ? 'seed' : 'seeds'} at the start`;
  if (!Number.isFinite(wait)) return `${begins}, and none after that.`;
  const seconds = wait < 10 ? Number(wait.toFixed(1)) : Math.round(wait);
  return `${begins}, then one every ${seconds === 1 ? 'second' : `${seconds} seconds`}.`;
}
