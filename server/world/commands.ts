/**
 * The commands and other events of a room, the answers to commands, and the queue of commands.
 * `command-handlers.ts` executes commands.
 */

import * as v from 'valibot';
import { id as positive, count as whole } from '../../shared/common-schemas.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { Command, CommandName, SeedSource } from '../../shared/protocol/commands.ts';
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
import { defined } from '../platform/collections.ts';
import { samplerVersion } from '../vnca/card.ts';
import { relativesTable } from '../vnca/relatives.ts';
import {
  actor,
  energySettings,
  lifeSettings,
  liveliness,
  type RoomState,
  reach,
  rulesVersion,
  session,
} from './room-state.ts';

export const QUEUE_LIMITS = {
  /** Maximum number of waiting commands from all participants together. */
  maxQueued: 2_000,
  /** Maximum number of waiting commands from one participant. */
  maxQueuedPerParticipant: 32,
} as const;

/**
 * A seed as the journal stores it. `spot`: from a point of the latent map. `thrown`: from a throw
 * of the dice on a visitor's page. For these two, the journal stores the latent, because the map or
 * the sampler may change later. `heir`: bred from organisms of the previous day, and planted when a
 * room's day begins.
 */
export type PlantedSeed =
  | SeedSource
  | { readonly from: 'spot' | 'thrown'; readonly latent: readonly number[] }
  | {
      readonly from: 'heir';
      readonly latent: readonly number[];
      readonly origin: Origin;
      readonly kind: string;
      /** Ids of the parents, which may be dead. */
      readonly parents: readonly OrganismId[];
    };

/** Parameters of a command that visitors' pages send, without the command's id. */
type Sent<N extends CommandName> = Omit<Command<N>, 'id'>;
/** Parameters of a command that uses a seed, with the seed as the journal stores it. */
type Planted<N extends 'plant' | 'transform'> = Omit<Sent<N>, 'seed'> & {
  readonly seed: PlantedSeed;
};

interface Parameters {
  plant: Planted<'plant'>;
  damage: { readonly radius: number; readonly points: readonly number[] };
  /** Grafts the genome of a seed onto organisms (rule GRA-1). */
  graft: Parameters['damage'] & {
    readonly seed: PlantedSeed;
    /** Whether the sender may also graft onto the organisms of other participants. */
    readonly others?: boolean | undefined;
  };
  ungraft: Sent<'ungraft'>;
  /** Removes all grafts that a participant has painted. Sent by the host. */
  removeGrafts: { readonly painter: ParticipantId };
  cross: Sent<'cross'>;
  transform: Planted<'transform'>;
  renew: Sent<'renew'>;
  /** Gives a participant a seed that was made outside the room. */
  hold: {
    readonly latent: readonly number[];
    readonly origin: 'drawing';
    /**
     * Present if the host or an extension has approved the drawing from which the seed was made.
     */
    readonly approved?: true;
  };
  /** Removes an organism. Sent by the host. */
  remove: { readonly organism: OrganismId };
  /** Removes all organisms that own a cell in a rectangle. Sent by the host. */
  clear: { readonly area: Rect };
  /**
   * Reports that somebody in the hall is near a position on the grid (rule IDL-7). Units: cells.
   */
  sense: { readonly x: number; readonly y: number; readonly radius: number };
  /**
   * Makes an organism depart for good: after `seconds`, the organism is gone, and nobody can renew
   * it. Sent by the host.
   */
  depart: { readonly organism: OrganismId; readonly seconds: number };
  /**
   * Makes an organism depart. The organism must be unattended or belong to the sender. If
   * `organism` is absent, the unattended organism whose planter has been absent longest departs.
   * Sent by the gardener.
   */
  thin: { readonly organism?: OrganismId | undefined };
}

export type CommandType = keyof Parameters;

export type RoomCommand<W extends CommandType = CommandType> = {
  readonly [K in W]: { readonly what: K; readonly by: ParticipantView } & Parameters[K];
}[W];

/** Returns whether a command plants a seed, or transforms an organism into a seed's creature. */
export const usesSeed = <C extends Pick<RoomCommand, 'what'>>(
  command: C,
): command is C & { readonly what: 'plant' | 'transform' } =>
  command.what === 'plant' || command.what === 'transform';

/**
 * Returns whether a command is a stroke, or one of the messages into which a long stroke is split.
 */
export const isStroke = (command: RoomCommand): command is RoomCommand<'damage' | 'graft'> =>
  command.what === 'damage' || command.what === 'graft';

export interface Answer {
  readonly by: number;
  /** Id of the command, chosen by its sender. */
  readonly id: number;
  /** Session of the sender. The command's id is unique within this session. */
  readonly session?: number | undefined;
  readonly what: RoomCommand['what'];
  readonly energy: number;
  readonly refused?: { readonly reason: Reason; readonly detail: string };
  /** The seed that the sender has received. */
  readonly seed?: SeedView;
  /** Number of organisms that the command has removed. */
  readonly removed?: number;
  /** Number of organisms under the stroke that were not wounded because they were protected. */
  readonly spared?: number;
  /** Whether this message continues a stroke that earlier messages began. */
  readonly continued?: boolean;
}

/** A tick, and the nominal number of ticks per second. */
export interface RoomTime {
  readonly tick: number;
  readonly tickRate: number;
}

/** The tick in which a command runs, and the index of the command's answer in this tick. */
export interface CommandTurn extends RoomTime {
  readonly answer: number;
}

/** The effect of a command, or the reason for its refusal. */
export type Outcome = Pick<Answer, 'seed' | 'removed' | 'spared' | 'continued' | 'refused'>;

const TYPES = [
  'plant',
  'damage',
  'graft',
  'ungraft',
  'removeGrafts',
  'cross',
  'hold',
  'remove',
  'clear',
  'sense',
  'depart',
  'thin',
  'renew',
  'transform',
] as const satisfies CommandType[];

const command = v.looseObject({ what: v.picklist(TYPES), by: actor });

/** Schema of an event in a journal. Replaying a room's events reproduces the room. */
export const roomEvent = v.variant('what', [
  v.strictObject({
    what: v.literal('command'),
    id: whole,
    /**
     * Session within which the command's id is unique. Absent if the command cannot arrive twice.
     */
    session: v.optional(session),
    command: v.pipe(
      command,
      v.transform((valid) => valid as unknown as RoomCommand),
    ),
  }),
  /** A participant has entered. In all events, `at` is the tick of the event. */
  v.strictObject({
    what: v.literal('enter'),
    participant: positive,
    at: whole,
    /** Initial energy; if absent, the energy of a newcomer. */
    granted: v.optional(v.pipe(v.number(), v.minValue(0))),
    /**
     * A number that all participants with the same network address share. The number does not
     * reveal the address.
     */
    source: v.optional(positive),
  }),
  v.strictObject({ what: v.literal('leave'), participant: positive, at: whole }),
  v.strictObject({
    what: v.literal('energy'),
    settings: energySettings,
    tickRate: v.number(),
    at: whole,
  }),
  v.strictObject({ what: v.literal('limit'), maxOrganisms: positive }),
  v.strictObject({ what: v.literal('flashes'), limit: flashLimit }),
  /** Changes how long a wounded organism is protected (rule DMG-3). */
  v.strictObject({ what: v.literal('protect'), seconds: v.pipe(v.number(), v.minValue(0)) }),
  /**
   * Changes the version of the world's rules, or the rule parameters, which come from the
   * checkpoint's card.
   */
  v.strictObject({
    what: v.literal('rules'),
    rules: rulesVersion,
    closing: v.optional(reach),
    relatives: v.optional(relativesTable),
    sampler: v.optional(samplerVersion),
  }),
  /** Changes how often organisms step (rules PAC-1 and PAC-2). */
  v.strictObject({ what: v.literal('life'), settings: lifeSettings }),
  /**
   * Changes the liveliness: the maximum share of organisms that may look like a relative (a similar
   * creature) at the same time. See rules IDL-1 and IDL-3.
   */
  v.strictObject({ what: v.literal('liveliness'), share: liveliness }),
  /** The engine ran out of memory for the organisms planted in this tick. */
  v.strictObject({ what: v.literal('no-memory') }),
]);

type StoredEvent = v.InferOutput<typeof roomEvent>;

type EventType = StoredEvent['what'];

/**
 * An event, discriminated by `what`. Commands wait for the next tick; all other events apply
 * immediately.
 */
export type RoomEvent<W extends EventType = EventType> = W extends 'command'
  ? Extract<StoredEvent, { what: W }> & {
      /**
       * Present only while an undo replays the journal. 'accepted': the command was accepted when
       * it was first executed, and is executed again. 'undone': the command is undone, so it is not
       * executed.
       */
      readonly past?: 'accepted' | 'undone';
    }
  : Extract<StoredEvent, { what: W }>;

export type ImmediateEvent = RoomEvent<Exclude<EventType, 'command'>>;

/**
 * Replaces −0 with 0 in a value and in all inner values. The journal's codecs turn −0 into 0, so a
 * replay would otherwise compute with another number.
 */
export function plainNumbers<T>(value: T): T {
  if (typeof value === 'number') return (value + 0) as T;
  if (Array.isArray(value)) return value.map(plainNumbers) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, plainNumbers(inner)]),
  ) as T;
}

type DoneInSession = NonNullable<RoomState['done']>[number];

/**
 * Number of the latest executed commands that are remembered per session. Visitors' pages resend no
 * older commands (see `MAX_PENDING` in `client/room/connection.ts`).
 */
const REMEMBERED = 2 * QUEUE_LIMITS.maxQueuedPerParticipant;

/**
 * The commands waiting for a room's next tick, and the latest executed commands, which may arrive a
 * second time.
 */
export class CommandQueue {
  private waiting: RoomEvent<'command'>[] = [];
  private done = new Map<ParticipantId, DoneInSession>();

  /**
   * Returns whether a command may be added to the queue: false if the queue already contains the
   * command.
   *
   * @throws Refusal 'too-fast' if too many commands of the sender are in the queue; 'room-busy' if
   *   the queue is full
   */
  admits(id: number, by: ParticipantId, session?: number): boolean {
    const isSame = (other: RoomEvent<'command'>): boolean =>
      other.session === session && other.id === id && other.command.by.id === by;
    if (session !== undefined && this.waiting.some(isSame)) return false;
    const queued = this.waiting.filter(({ command }) => command.by.id === by).length;
    if (queued >= QUEUE_LIMITS.maxQueuedPerParticipant && by !== HOUSE.id)
      throw new Refusal('too-fast');
    if (this.waiting.length >= QUEUE_LIMITS.maxQueued) throw new Refusal('room-busy');
    return true;
  }

  /** Adds a command. Call `admits` first, unless the command comes from the journal. */
  add(event: RoomEvent<'command'>): void {
    this.waiting.push(event);
  }

  /** Removes and returns all commands, in order of arrival. */
  take(): RoomEvent<'command'>[] {
    return this.waiting.splice(0);
  }

  /**
   * Remembers the commands executed in a tick. Commands without a session are not remembered, nor
   * are commands of senders who have left.
   */
  answered(answers: readonly Answer[], present: ReadonlySet<ParticipantId>): void {
    for (const { by, id, session, refused, seed } of answers) {
      if (session === undefined || refused || !present.has(by)) continue;
      const known = this.done.get(by);
      const commands = known?.session === session ? known.commands : [];
      const latest = [...commands, defined({ id, seed: seed?.id })].slice(-REMEMBERED);
      this.done.set(by, { participant: by, session, commands: latest });
    }
  }

  /** Finds a remembered command. Returns undefined if the command is not remembered. */
  find(
    by: ParticipantId,
    session: number,
    id: number,
  ): DoneInSession['commands'][number] | undefined {
    const known = this.done.get(by);
    return known?.session === session ? known.commands.find((one) => one.id === id) : undefined;
  }

  /** Forgets the executed commands of a participant. */
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
