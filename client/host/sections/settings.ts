/**
 * The table of a room's numeric settings, and how settings are read and changed by their ids.
 * Nothing here calls the server. Start with `KNOBS`.
 */
import { msg, str } from '@lit/localize';
import {
  type RoomSettings,
  roomSettings,
  type SettingsRequest,
} from '../../../shared/host/settings.ts';
import { PAGE_DEFAULTS } from '../../../shared/page-defaults.ts';
import { number, plural } from '../../elements/text.ts';

/** Name of a setting, prefixed with the name of its group, if any: 'energy-plant'. */
export type SettingId =
  | Exclude<keyof RoomSettings, 'energy' | 'attract' | 'paused'>
  | `energy-${keyof RoomSettings['energy']}`
  | `attract-${keyof RoomSettings['attract']}`;

/** A slider, and the number of shown units per unit of the setting. */
export interface Knob {
  readonly slider: readonly [min: number, max: number, step: number];
  readonly unit: string;
  readonly factor?: number;
}

const { minRadius, maxRadius } = PAGE_DEFAULTS.stroke;
const ENERGY = msg('energy');
const SECONDS = msg('seconds');
const SLOWER = msg('times slower');

/** The numeric settings. */
export const KNOBS = {
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
} satisfies Partial<Record<SettingId, Knob>>;

const partsOf = (id: SettingId) => id.split('-') as [group: keyof RoomSettings, part?: string];

function settingOf(id: SettingId, settings: RoomSettings): unknown {
  const [group, part] = partsOf(id);
  return part ? (settings[group] as Record<string, unknown>)[part] : settings[group];
}

const factorOf = (id: SettingId): number => (KNOBS as Record<string, Knob>)[id]?.factor ?? 1;

/** Returns the value that a knob shows. */
export const shownValue = (id: keyof typeof KNOBS, settings: RoomSettings): number =>
  Number(((settingOf(id, settings) as number) * factorOf(id)).toFixed(4));

export const isOn = (id: SettingId, settings: RoomSettings): boolean =>
  [true, 'unattended'].includes(settingOf(id, settings) as boolean | string);

/** Returns the change that makes a knob or switch show a value. */
export function changeTo(id: SettingId, shown: number | boolean): SettingsRequest {
  const [group, part] = partsOf(id);
  const wounds = shown ? 'unattended' : 'own';
  const plain = typeof shown === 'number' ? shown / factorOf(id) : shown;
  const value = id === 'attract-wounds' ? wounds : plain;
  return { [group]: part ? { [part]: value } : value };
}

/** Returns the largest value that can be typed beside a slider. */
export function mostOf(id: SettingId): number {
  const [group, part] = partsOf(id);
  const { [group]: setting } = roomSettings.entries;
  const schema = part && 'entries' in setting ? setting.entries[part as never] : setting;
  const { pipe } = schema as unknown as { pipe: readonly { type: string; requirement?: number }[] };
  const most = pipe.find(({ type }) => type === 'max_value')?.requirement ?? 0;
  return most * factorOf(id);
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
