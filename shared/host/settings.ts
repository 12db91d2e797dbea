/** What a host can turn while the rooms live: of each room, and of the whole house. */
import * as v from 'valibot';
import { DEFAULTS } from '../defaults.ts';
import { LANGUAGE_CODES } from '../languages.ts';

const { stroke } = DEFAULTS;

const between = (min: number, max: number) =>
  v.pipe(v.number(), v.finite(), v.minValue(min), v.maxValue(max));
const whole = (min: number, max: number) => v.pipe(between(min, max), v.integer());

const languages = v.pipe(
  v.array(v.picklist(LANGUAGE_CODES)),
  v.minLength(1),
  v.maxLength(LANGUAGE_CODES.length),
  v.check((list) => new Set(list).size === list.length, 'a language is named twice'),
);

const energy = v.strictObject({
  /** Energy that one can hold. */
  capacity: between(1, 1e6),
  /** Energy that one comes with. */
  newcomer: between(0, 1e6),
  /** Refilled each second. */
  refillPerSecond: between(0, 1e6),
  /** What a seed costs. */
  plant: between(0, 1e6),
  /** What a wound costs for each cell that it sweeps. */
  damagePerCell: between(0, 1e3),
});

/** The knobs of a room. */
const knobs = {
  /** Ticks per second. */
  tickRate: whole(1, 60),
  /** Participants that may be there at once. */
  capacity: whole(1, 5_000),
  /** Organisms that may live at once. */
  maxOrganisms: whole(1, 4_096),
  energy,
  /** Largest radius of a stroke, cells. */
  maxRadius: between(stroke.minRadius, stroke.maxRadius),
  /** Seconds between two seeds of one participant; 0: none. */
  cooldown: between(0, 600),
  /** Whether names are shown. */
  names: v.boolean(),
  /** When nobody plays, the gardener does, after so many seconds. */
  attract: v.strictObject({ on: v.boolean(), after: whole(5, 3_600) }),
  /** Whether the wall has captions; they take turns in the room's languages. */
  captions: v.boolean(),
  languages,
  /** Nobody can do anything but look, for now. */
  paused: v.boolean(),
};

export const roomSettings = v.strictObject(knobs);
export type RoomSettings = v.InferOutput<typeof roomSettings>;

/** Some of the knobs; the others stay as they are. */
export const settingsChange = v.partial(roomSettings);
export type SettingsChange = v.InferOutput<typeof settingsChange>;

/** Settings with some knobs turned. */
export function applyChange(settings: RoomSettings, change: SettingsChange): RoomSettings {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  return { ...settings, ...Object.fromEntries(given) };
}

/** A time of the day of the server's clock, `HH:MM`. */
const time = v.pipe(
  v.string(),
  v.regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time is written like 09:30'),
);

const openHours = v.pipe(
  v.strictObject({ from: time, to: time }),
  v.check(({ from, to }) => from < to, 'it closes before it opens'),
);

export const schedule = v.strictObject({
  /** Whether the hours below are kept; else it is always open. */
  on: v.boolean(),
  /** Monday first; null: closed all day. */
  days: v.pipe(v.array(v.nullable(openHours)), v.length(7)),
  /** Outside these hours walls are dim; and phones are told that the house is closed, or may go on. */
  outside: v.picklist(['dim', 'close']),
  /** The server ends, to be started anew by whatever watches over it, at this time of each day; null: never. */
  restart: v.nullable(time),
});
export type Schedule = v.InferOutput<typeof schedule>;

export const ALWAYS_OPEN: Schedule = {
  on: false,
  days: Array.from({ length: 7 }, () => ({ from: '09:00', to: '18:00' })),
  outside: 'dim',
  restart: null,
};
