/** External events that change a room, as its journal stores them. */
import * as v from 'valibot';
import { id as positive, count as whole } from '../../shared/common-schemas.ts';
import { flashLimit } from '../../shared/vocabulary.ts';
import { samplerVersion } from '../vnca/card.ts';
import { relativesTable } from '../vnca/relatives.ts';
import type { RoomCommand } from './commands.ts';
import {
  energySettings,
  lifeSettings,
  liveliness,
  reach,
  rulesVersion,
  session,
} from './room-state.ts';

const command = v.looseObject({
  what: v.picklist([
    'plant',
    'damage',
    'cross',
    'hold',
    'remove',
    'clear',
    'depart',
    'thin',
    'renew',
    'transform',
  ]),
  by: v.strictObject({ id: whole, name: v.string(), hue: v.number() }),
});

/** Schema of an event in a journal. Replaying a room's events reproduces the room. */
export const roomEvent = v.variant('what', [
  v.strictObject({
    what: v.literal('command'),
    id: whole,
    /** Of a command that may arrive twice: what its id is unique in. */
    session: v.optional(session),
    command: v.pipe(
      command,
      v.transform((valid) => valid as unknown as RoomCommand),
    ),
  }),
  /** A participant entered. `at` is a tick, here and below. */
  v.strictObject({
    what: v.literal('enter'),
    participant: positive,
    at: whole,
    /** Initial energy; absent: a newcomer's. */
    granted: v.optional(v.pipe(v.number(), v.minValue(0))),
    /** Equal for all participants of one network address, without naming the address. */
    source: v.optional(positive),
  }),
  v.strictObject({ what: v.literal('leave'), participant: positive, at: whole }),
  /** Changes the energy settings and the tick rate. */
  v.strictObject({
    what: v.literal('energy'),
    settings: energySettings,
    tickRate: v.number(),
    at: whole,
  }),
  /** Changes how many organisms may live at once. */
  v.strictObject({ what: v.literal('limit'), maxOrganisms: positive }),
  /** Limits the flashes per second. */
  v.strictObject({ what: v.literal('flashes'), limit: flashLimit }),
  /** Changes how long a wounded organism is protected (rule DMG-3). */
  v.strictObject({ what: v.literal('protect'), seconds: v.pipe(v.number(), v.minValue(0)) }),
  /** Changes the rules' version or the numbers of the checkpoint's card. See `RoomRules`. */
  v.strictObject({
    what: v.literal('rules'),
    rules: rulesVersion,
    closing: v.optional(reach),
    relatives: v.optional(relativesTable),
    sampler: v.optional(samplerVersion),
  }),
  /** Changes how often organisms step (rules PAC-1 and PAC-2). */
  v.strictObject({ what: v.literal('life'), settings: lifeSettings }),
  /** Changes which share of the organisms may express at once (rules IDL-1 and IDL-3). */
  v.strictObject({ what: v.literal('liveliness'), share: liveliness }),
  /** The engine was out of memory for the organisms planted in this tick. */
  v.strictObject({ what: v.literal('no-memory') }),
]);

type StoredEvent = v.InferOutput<typeof roomEvent>;
/** An event that waits for the next tick. */
export type CommandEvent = Extract<StoredEvent, { what: 'command' }> & {
  /** Set when an undo replays the journal: accepted originally, or withdrawn by the undo. */
  readonly past?: 'accepted' | 'withdrawn';
};
/** An event that takes effect immediately. */
export type OuterEvent = Exclude<StoredEvent, { what: 'command' }>;
/** An event, discriminated by `what`. */
export type RoomEvent = CommandEvent | OuterEvent;

/** Replaces −0 by 0, as codecs do not preserve it and a replay must see the same numbers. */
export function plainNumbers<T>(value: T): T {
  if (typeof value === 'number') return (value + 0) as T;
  if (Array.isArray(value)) return value.map(plainNumbers) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, plainNumbers(inner)]),
  ) as T;
}
