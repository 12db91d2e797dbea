/** The settings of a room, which a host can change while rooms are running. */
import * as v from 'valibot';
import { between, drawingMode, gardenerWounds, whole } from '../common-schemas.ts';
import { LANGUAGE_CODES, SOURCE_LANGUAGE } from '../languages.ts';
import { STROKE_LIMITS } from '../limits.ts';

const isUnique = (list: readonly unknown[]): boolean => new Set(list).size === list.length;

const languages = v.pipe(
  v.array(v.picklist(LANGUAGE_CODES)),
  v.minLength(1),
  v.maxLength(LANGUAGE_CODES.length),
  v.check((list) => isUnique(list), 'a language is named twice'),
);

const energy = v.strictObject({
  /** Maximum energy of a participant. */
  capacity: between(1, 1e6),
  /** Initial energy of a participant. */
  newcomer: between(0, 1e6),
  refillPerSecond: between(0, 1e6),
  /** Cost of planting a seed. */
  plant: between(0, 1e6),
  /** Cost of a stroke, for each cell under the stroke. */
  damagePerCell: between(0, 1e3),
  /** Cost of waking an organism. */
  wake: between(0, 1e3),
});

const attract = v.strictObject({
  on: v.boolean(),
  after: whole(5, 3_600),
  wounds: gardenerWounds,
});

/** Gallery indices of creatures. An index that is not in the checkpoint's gallery is ignored. */
const creatures = v.pipe(
  v.array(whole(0, 4_095)),
  v.maxLength(1_024),
  v.check((list) => isUnique(list), 'a creature is listed twice'),
);
const curation = v.strictObject({
  /** Creatures that neither visitors nor the gardener may plant. */
  hidden: creatures,
  /** Creatures offered to visitors before all other creatures, in this order. */
  first: creatures,
  /**
   * Creatures that the gardener plants and grafts. If the list is empty, the gardener uses any
   * suitable creature of the gallery.
   */
  gardener: creatures,
});

const LOGO_PATH = /^(\/host\/api\/logos\/[a-z0-9-]{1,32}\?[0-9a-f]{16})?$/;

/** Creates the schema of a text by the host, with at most `most` characters. */
const words = (most: number) => v.pipe(v.string(), v.trim(), v.maxLength(most));
const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** The Wi-Fi network that phones must join to reach the room. Signs show it as a QR code. */
const wifi = v.strictObject({
  name: v.pipe(
    v.string(),
    v.minLength(1),
    v.check((name) => bytesOf(name) <= 32, 'is too long'),
  ),
  /** Password for WPA2 or WPA3; '' if the network has no password. */
  password: v.pipe(
    v.string(),
    v.check(
      (text) => text === '' || (bytesOf(text) >= 8 && bytesOf(text) <= 64),
      'must be 8 to 64 bytes',
    ),
  ),
  hidden: v.boolean(),
});
export type Wifi = v.InferOutput<typeof wifi>;

/** A room's settings except `energy`, each with its schema and its default. */
const SETTINGS = {
  /** Ticks per second. */
  tickRate: [whole(1, 60), 15],
  /** Maximum number of participants in the room. */
  capacity: [whole(1, 20_000), 200],
  maxOrganisms: [whole(1, 4_096), 256],
  /** Maximum radius of a stroke, in cells. */
  maxRadius: [between(STROKE_LIMITS.minRadius, STROKE_LIMITS.maxRadius), STROKE_LIMITS.maxRadius],
  /** Minimum time between two seeds of one participant, in seconds; 0 for no minimum. */
  cooldown: [between(0, 600), 0],
  /**
   * How long a wounded organism is protected from further wounds, in seconds; 0 for no protection.
   */
  protect: [between(0, 600), 0],
  /** Whether visitors may transform other participants' organisms, not only their own. */
  transformOthers: [v.boolean(), false],
  /** Whether visitors may graft onto other participants' organisms, not only onto their own. */
  graftOthers: [v.boolean(), false],
  /** Number of ticks per step of a growing organism. */
  birth: [whole(1, 10), 3],
  /** Number of ticks per step of a healing organism. */
  healing: [whole(1, 10), 2],
  /**
   * Maximum share of organisms that may look like a relative (a similar creature) at the same time.
   * While nobody is watching the room, no organism begins to look like a relative.
   */
  liveliness: [between(0, 1), 0.1],
  /** Strength of the effect that makes the picture move like water: 1 is normal, 0 is off. */
  water: [between(0, 2), 1],
  /** Lifetime of an organism in a busy room, in seconds; 0 for no limit. */
  lifetime: [whole(0, 86_400), 0],
  /** Whether each day begins with heirs of the previous day's organisms. */
  generations: [v.boolean(), false],
  names: [v.boolean(), true],
  /**
   * The automatic gardener: whether it is on (`on`), for how many seconds visitors must be inactive
   * before it starts (`after`), and whose organisms it may wound (`wounds`).
   */
  attract: [attract, { on: true, after: 60, wounds: 'own' }],
  captions: [v.boolean(), true],
  /** Languages of the room. Captions alternate between these languages. */
  languages: [languages, [SOURCE_LANGUAGE]],
  /** Maximum number of close-ups that walls show per minute; 0 to show none. */
  closeUps: [between(0, 4), 2],
  /** When visitors' drawings become seeds: immediately, after the host's approval, or never. */
  drawings: [drawingMode, 'on'],
  /** Whether visitors can plant seeds from tokens (seeds as text, as printed on keepsakes). */
  tokens: [v.boolean(), true],
  /** Whether programs can plant organisms from latents that they supply. */
  latents: [v.boolean(), true],
  /**
   * Whether visitors are offered the whole gallery, including creatures that look nearly alike and
   * creatures that are not suitable for everybody.
   */
  wholeGallery: [v.boolean(), false],
  curation: [curation, { hidden: [], first: [], gardener: [] }],
  /** Whether people can watch the room with the view-only link. */
  spectators: [v.boolean(), true],
  /** Text about the exhibition, shown on walls, signs and visitors' pages; '' to show none. */
  exhibition: [words(280), ''],
  /** Names of the exhibition's makers and sponsors, shown with the text about the exhibition. */
  credits: [words(140), ''],
  /** Path of the logo, as returned by the call `putLogo`; '' to show no logo. */
  logo: [v.pipe(v.string(), v.regex(LOGO_PATH, 'must be the path of a logo')), ''],
  /** A message to everybody in the room, shown until the host removes it; '' to show none. */
  message: [words(200), ''],
  wifi: [v.nullable(wifi), null],
  /** If true, visitors can only watch. */
  paused: [v.boolean(), false],
} as const satisfies Record<string, readonly [v.GenericSchema, unknown]>;

/** Extracts all schemas (index 0) or all defaults (index 1) from `SETTINGS`. */
const column = (index: 0 | 1) =>
  Object.fromEntries(Object.entries(SETTINGS).map(([name, row]) => [name, row[index]]));
const types = column(0) as { [K in keyof typeof SETTINGS]: (typeof SETTINGS)[K][0] };

export const roomSettings = v.strictObject({ ...types, energy });
export type RoomSettings = v.InferOutput<typeof roomSettings>;

/**
 * Built-in defaults of a room's settings. The server's startup settings and the host can override
 * these defaults.
 */
export const ROOM_DEFAULTS = column(1) as unknown as Omit<RoomSettings, 'energy'>;

/**
 * A room's stored settings: only settings that the host has changed. All other settings come from
 * the server's startup settings.
 */
export const settingsChange = v.partial(roomSettings);

/**
 * A request to change some settings. Absent settings, and absent fields of `energy`, `attract` and
 * `curation`, stay unchanged.
 */
export const settingsRequest = v.strictObject({
  ...settingsChange.entries,
  energy: v.optional(v.partial(energy)),
  attract: v.optional(v.partial(attract)),
  curation: v.optional(v.partial(curation)),
});
export type SettingsRequest = v.InferOutput<typeof settingsRequest>;

/**
 * The settings that a host can save in a file. Omitted are the Wi-Fi network, which contains a
 * password, and settings that are temporary or valid for only one room.
 */
export const settingsFile = v.omit(settingsChange, ['paused', 'message', 'logo', 'wifi']);

const givenOf = (change: object) =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));

/** Applies a change to a room's settings, and returns the new settings. */
export function applyChange(settings: RoomSettings, change: SettingsRequest): RoomSettings {
  const { energy, attract, curation } = change;
  return {
    ...settings,
    ...givenOf(change),
    ...(energy && { energy: { ...settings.energy, ...givenOf(energy) } }),
    ...(attract && { attract: { ...settings.attract, ...givenOf(attract) } }),
    ...(curation && { curation: { ...settings.curation, ...givenOf(curation) } }),
  };
}

/**
 * Returns the new values of the settings that a request changes. Each value is complete, even if
 * the request changes only some of its fields.
 *
 * @param settings all settings of the room after the change
 */
export function storedChange(
  settings: RoomSettings,
  change: SettingsRequest,
): v.InferOutput<typeof settingsChange> {
  const keys = Object.keys(givenOf(change)) as (keyof RoomSettings)[];
  return Object.fromEntries(keys.map((key) => [key, settings[key]]));
}
