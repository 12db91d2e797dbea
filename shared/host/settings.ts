/** Settings that a host can change while rooms are running: per room, and for the whole server. */
import * as v from 'valibot';
import { between, drawingMode, gardenerWounds, whole } from '../common-schemas.ts';
import { LANGUAGE_CODES } from '../languages.ts';
import { PAGE_DEFAULTS } from '../page-defaults.ts';

const { stroke } = PAGE_DEFAULTS;

const languages = v.pipe(
  v.array(v.picklist(LANGUAGE_CODES)),
  v.minLength(1),
  v.maxLength(LANGUAGE_CODES.length),
  v.check((list) => new Set(list).size === list.length, 'a language is named twice'),
);

export type DrawingMode = v.InferOutput<typeof drawingMode>;

const energy = v.strictObject({
  /** Maximum energy of a participant. */
  capacity: between(1, 1e6),
  /** Initial energy of a participant. */
  newcomer: between(0, 1e6),
  /** Energy refilled per second. */
  refillPerSecond: between(0, 1e6),
  /** Cost of a seed. */
  plant: between(0, 1e6),
  /** Cost of a stroke per swept cell. */
  damagePerCell: between(0, 1e3),
  /** Cost of waking an organism. */
  wake: between(0, 1e3),
});

const attract = v.strictObject({
  on: v.boolean(),
  after: whole(5, 3_600),
  wounds: gardenerWounds,
});

/** The settings of a room. */
const knobs = {
  /** Ticks per second. */
  tickRate: whole(1, 60),
  /** Participants that may be in the room at once. */
  capacity: whole(1, 20_000),
  /** Organisms that may live at once. */
  maxOrganisms: whole(1, 4_096),
  energy,
  /** Largest radius of a stroke, cells. */
  maxRadius: between(stroke.minRadius, stroke.maxRadius),
  /** Seconds between two seeds of one participant; 0 for none. */
  cooldown: between(0, 600),
  /** Seconds after a wound in which nobody can wound the same organism again; 0 for none. */
  protect: between(0, 600),
  /** Whether visitors may turn others' organisms into something else; their own they always may. */
  transformOthers: v.boolean(),
  /** Ticks between two steps of an organism that grows. */
  birth: whole(1, 10),
  /** Ticks between two steps of one that heals. */
  healing: whole(1, 10),
  /** Share of the organisms that may express a relative at once, while somebody watches. */
  liveliness: between(0, 1),
  /** Seconds after which organisms depart from a busy room; 0: they stay for ever. */
  lifetime: whole(0, 86_400),
  /** Whether a day begins with heirs of those that lived before it. */
  generations: v.boolean(),
  /** Whether names are shown. */
  names: v.boolean(),
  /** The automatic gardener, and the idle seconds before it starts. */
  attract,
  /** Whether walls have captions, shown in the room's languages in turn. */
  captions: v.boolean(),
  languages,
  /** Whether drawings become seeds: at once, after the host's yes, or not. */
  drawings: drawingMode,
  /** Whether seeds can be planted from a keepsake's text, the token. */
  tokens: v.boolean(),
  /** Whether programs can plant latents of their own. */
  latents: v.boolean(),
  /**
   * Whether visitors are offered the whole gallery, including what does not suit everybody and what
   * looks much like another.
   */
  wholeGallery: v.boolean(),
  /** Whether the view-only link opens the room. */
  spectators: v.boolean(),
  /** While paused, visitors can only watch. */
  paused: v.boolean(),
};

export const roomSettings = v.strictObject(knobs);
export type RoomSettings = v.InferOutput<typeof roomSettings>;

/** The stored settings: those that the host has changed; others come from the server's start. */
export const settingsChange = v.partial(roomSettings);

/** A partial change, also of energy and gardener; other settings stay as they are. */
export const settingsRequest = v.strictObject({
  ...settingsChange.entries,
  energy: v.optional(v.partial(energy)),
  attract: v.optional(v.partial(attract)),
});
export type SettingsRequest = v.InferOutput<typeof settingsRequest>;

const givenOf = (change: object) =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));

/** Applies a change to settings. */
export function applyChange(settings: RoomSettings, change: SettingsRequest): RoomSettings {
  const { energy, attract } = change;
  return {
    ...settings,
    ...givenOf(change),
    ...(energy && { energy: { ...settings.energy, ...givenOf(energy) } }),
    ...(attract && { attract: { ...settings.attract, ...givenOf(attract) } }),
  };
}

/** The form in which a change is stored: each changed setting as a whole. @param settings with the change */
export function storedChange(
  settings: RoomSettings,
  change: SettingsRequest,
): v.InferOutput<typeof settingsChange> {
  const keys = Object.keys(givenOf(change)) as (keyof RoomSettings)[];
  return Object.fromEntries(keys.map((key) => [key, settings[key]]));
}

/** A time of day by the server's clock, `HH:MM`. */
const time = v.pipe(
  v.string(),
  v.regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time is written like 09:30'),
);

/** Whether a day's hours end on the next day; equal times are 24 hours. */
export const closesNextDay = (hours: { readonly from: string; readonly to: string }): boolean =>
  hours.to <= hours.from;

export const schedule = v.strictObject({
  /** Whether the hours below apply; otherwise the room is always open. */
  on: v.boolean(),
  /** Monday first; null for a day that is closed. */
  days: v.pipe(v.array(v.nullable(v.strictObject({ from: time, to: time }))), v.length(7)),
  /** Outside these hours walls are dimmed, and phones either continue or see that it is closed. */
  outside: v.picklist(['dim', 'close']),
  /** Whether the day of each room ends at closing time. */
  farewell: v.boolean(),
  /** Time of day at which the process ends, for a supervisor to restart; null for never. */
  restart: v.nullable(time),
});
export type Schedule = v.InferOutput<typeof schedule>;

export const ALWAYS_OPEN: Schedule = {
  on: false,
  days: Array.from({ length: 7 }, () => ({ from: '09:00', to: '18:00' })),
  outside: 'dim',
  farewell: false,
  restart: null,
};
