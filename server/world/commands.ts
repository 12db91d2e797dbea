/** Commands of participants and the host to a room, after schema validation, and their answers. */

import * as v from 'valibot';
import { id as positive, count as whole } from '../../shared/common-schemas.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { SeedSource } from '../../shared/protocol/commands.ts';
import { type Reason, Refusal } from '../../shared/protocol/reasons.ts';
import {
  flashLimit,
  HOUSE,
  type OrganismId,
  type Origin,
  type ParticipantId,
  type ParticipantView,
  type SeedView,
} from '../../shared/vocabulary.ts';
import { samplerVersion } from '../vnca/card.ts';
import { relativesTable } from '../vnca/relatives.ts';
import {
  energySettings,
  lifeSettings,
  liveliness,
  type RoomState,
  reach,
  rulesVersion,
  session,
} from './room-state.ts';

/**
 * A seed as the journal stores it. `spot` holds the latent of a map point and `thrown` that of a
 * throw, as maps and samplers may change. `heir` is what a day of a room begins with.
 */
export type PlantedSeed =
  | SeedSource
  | { readonly from: 'spot' | 'thrown'; readonly latent: readonly number[] }
  | {
      readonly from: 'heir';
      readonly latent: readonly number[];
      readonly origin: Origin;
      readonly kind: string;
      /** They may be dead. */
      readonly parents: readonly OrganismId[];
    };

/** A command, discriminated by `what`. */
export type RoomCommand = { readonly by: ParticipantView } & (
  | { readonly what: 'plant'; readonly x: number; readonly y: number; readonly seed: PlantedSeed }
  | { readonly what: 'damage'; readonly radius: number; readonly points: readonly number[] }
  | {
      readonly what: 'cross';
      readonly a: number;
      readonly b: number;
      /** Share of b, 0…1. */
      readonly mix: number;
      /** Strength of the mutation, 0…1; absent: none. */
      readonly mutation?: number | undefined;
    }
  /** Has a living organism turn into what a seed grows into (rule TRF-1). */
  | { readonly what: 'transform'; readonly organism: OrganismId; readonly seed: PlantedSeed }
  /** Keeps one of the participant's own organisms that departs or has departed (rule DEP-10). */
  | { readonly what: 'renew'; readonly organism: OrganismId }
  /** Gives the participant a seed that was made outside of the room. */
  | {
      readonly what: 'hold';
      readonly latent: readonly number[];
      readonly origin: 'drawing';
      /** The host, or an extension, has approved the drawing. */
      readonly approved?: true;
    }
  /** The host removes an organism. */
  | { readonly what: 'remove'; readonly organism: OrganismId }
  /** The host removes all organisms that own a place in a rectangle. */
  | { readonly what: 'clear'; readonly area: Rect }
  /** The host has an organism depart, within so many seconds, and nobody can renew it. */
  | { readonly what: 'depart'; readonly organism: OrganismId; readonly seconds: number }
  /**
   * The gardener has one of its own organisms depart, or without `organism` the one that has been
   * unattended longest.
   */
  | { readonly what: 'thin'; readonly organism?: OrganismId | undefined }
);

/** Whether a command uses a seed: it plants one, or turns an organism into what it grows into. */
export const usesSeed = <C extends Pick<RoomCommand, 'what'>>(
  command: C,
): command is C & { readonly what: 'plant' | 'transform' } =>
  command.what === 'plant' || command.what === 'transform';

/** The result of one command. */
export interface Answer {
  readonly by: number;
  /** The sender's id of the command. */
  readonly id: number;
  /** Scope within which the ids of repeatable commands are unique. */
  readonly session?: number | undefined;
  readonly what: RoomCommand['what'];
  /** The sender's remaining energy. */
  readonly energy: number;
  readonly refused?: { readonly reason: Reason; readonly detail: string };
  /** The seed that the sender now holds. */
  readonly seed?: SeedView;
  /** Number of organisms removed. */
  readonly removed?: number;
  /** Number of organisms that the stroke did not wound because they are protected. */
  readonly spared?: number;
  /** It continues a stroke of the messages before it. */
  readonly continued?: boolean;
}

/** What a command has done, or why nothing. */
export type Outcome = Pick<Answer, 'seed' | 'removed' | 'spared' | 'continued' | 'refused'>;

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
  /** Set when an undo replays the journal: accepted originally, or undone now. */
  readonly past?: 'accepted' | 'undone';
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

type DoneInSession = NonNullable<RoomState['done']>[number];

const { maxQueued, maxQueuedPerParticipant } = DEFAULTS.room;
/** Commands of a session that are remembered; more than may be unanswered. */
const REMEMBERED = 2 * maxQueuedPerParticipant;

/** The commands that wait for a room's next tick, and those that are done and may be sent again. */
export class CommandQueue {
  private waiting: CommandEvent[] = [];
  /** Number of waiting commands by participant. */
  private readonly queued = new Map<ParticipantId, number>();
  private done = new Map<ParticipantId, DoneInSession>();

  /** @returns false if the command waits already @throws Refusal too-fast, room-busy */
  admits(id: number, by: ParticipantId, session?: number): boolean {
    const isSame = (other: CommandEvent): boolean =>
      other.session === session && other.id === id && other.command.by.id === by;
    if (session !== undefined && this.waiting.some(isSame)) return false;
    const queued = this.queued.get(by) ?? 0;
    if (queued >= maxQueuedPerParticipant && by !== HOUSE.id) throw new Refusal('too-fast');
    if (this.waiting.length >= maxQueued) throw new Refusal('room-busy');
    return true;
  }

  /** Adds a command. Ask `admits` first. */
  add(id: number, command: RoomCommand, session?: number): void {
    const by = command.by.id;
    const ofSession = session !== undefined && { session };
    this.waiting.push({ what: 'command', id, ...ofSession, command });
    this.queued.set(by, (this.queued.get(by) ?? 0) + 1);
  }

  /** Adds a command of the journal. */
  redo(event: CommandEvent): void {
    this.waiting.push(event);
  }

  /** Takes all commands, in the order of their arrival. */
  take(): CommandEvent[] {
    this.queued.clear();
    return this.waiting.splice(0);
  }

  /** Remembers what has been done in a tick, for those who have not left meanwhile. */
  answered(answers: readonly Answer[], isPresent: (by: ParticipantId) => boolean): void {
    for (const { by, id, session, refused, seed } of answers) {
      if (session === undefined || refused || !isPresent(by)) continue;
      const known = this.done.get(by);
      const commands = known?.session === session ? known.commands : [];
      const one = { id, ...(seed && { seed: seed.id }) };
      const latest = [...commands, one].slice(-REMEMBERED);
      this.done.set(by, { participant: by, session, commands: latest });
    }
  }

  /** A command that has been done; undefined if it has not. */
  find(
    by: ParticipantId,
    session: number,
    id: number,
  ): DoneInSession['commands'][number] | undefined {
    const known = this.done.get(by);
    return known?.session === session ? known.commands.find((one) => one.id === id) : undefined;
  }

  /** Forgets what a participant has had done. */
  leave(participant: ParticipantId): void {
    this.done.delete(participant);
  }

  export(): Pick<RoomState, 'done'> {
    return this.done.size > 0 ? { done: [...this.done.values()] } : {};
  }

  restore({ done = [] }: Pick<RoomState, 'done'>): void {
    this.done = new Map(done.map((one) => [one.participant, one]));
  }
}
