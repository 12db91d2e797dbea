/**
 * The commands and other events of a room, the answers to commands, and the queue of commands.
 * `command-handlers.ts` executes commands. Start at `RoomCommand`.
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

/** Commands that wait for the next tick. */
export const QUEUE_LIMITS = {
  /** Maximum number of all participants' commands that wait for the next tick. */
  maxQueued: 2_000,
  /** Maximum number of one participant's commands that wait for the next tick. */
  maxQueuedPerParticipant: 32,
} as const;

/**
 * A seed as the journal stores it. `spot` contains the latent of a map point, and `thrown` the
 * latent of a throw, because maps and samplers may change later. `heir` is one of the seeds with
 * which a room's day begins.
 */
export type PlantedSeed =
  | SeedSource
  | { readonly from: 'spot' | 'thrown'; readonly latent: readonly number[] }
  | {
      readonly from: 'heir';
      readonly latent: readonly number[];
      readonly origin: Origin;
      readonly kind: string;
      /** The parents, which may be dead. */
      readonly parents: readonly OrganismId[];
    };

/** The parameters of a command that pages send, without the id that its sender has chosen. */
type Sent<N extends CommandName> = Omit<Command<N>, 'id'>;
/** A command that uses a seed. The journal stores other seeds than pages send. */
type Planted<N extends 'plant' | 'transform'> = Omit<Sent<N>, 'seed'> & {
  readonly seed: PlantedSeed;
};

interface Parameters {
  plant: Planted<'plant'>;
  damage: { readonly radius: number; readonly points: readonly number[] };
  /** Grafts the genome of a seed onto organisms (rule GRA-1). */
  graft: Parameters['damage'] & {
    readonly seed: PlantedSeed;
    /** Whether the sender may graft onto the organisms of other participants, too. */
    readonly others?: boolean | undefined;
  };
  ungraft: Sent<'ungraft'>;
  /** The host removes all grafts of a participant. */
  removeGrafts: { readonly painter: ParticipantId };
  cross: Sent<'cross'>;
  transform: Planted<'transform'>;
  renew: Sent<'renew'>;
  /** Gives a participant a seed that was made outside the room. */
  hold: {
    readonly latent: readonly number[];
    readonly origin: 'drawing';
    /** Present if the host or an extension has approved the drawing that the seed was made from. */
    readonly approved?: true;
  };
  /** The host removes an organism. */
  remove: { readonly organism: OrganismId };
  /** The host removes all organisms that own a cell in a rectangle. */
  clear: { readonly area: Rect };
  /** Somebody in the hall is near a point (rule IDL-7). The radius is in cells. */
  sense: { readonly x: number; readonly y: number; readonly radius: number };
  /** The host lets an organism depart, so that it is gone after `seconds`. Nobody can renew it. */
  depart: { readonly organism: OrganismId; readonly seconds: number };
  /**
   * The gardener lets one of its own or an unattended organism depart. Without `organism`, the
   * organism departs that has been unattended longest.
   */
  thin: { readonly organism?: OrganismId | undefined };
}

export type CommandType = keyof Parameters;

/** A command, discriminated by `what`. */
export type RoomCommand<W extends CommandType = CommandType> = {
  readonly [K in W]: { readonly what: K; readonly by: ParticipantView } & Parameters[K];
}[W];

/** Returns whether a command uses up a seed, either to plant it or to transform an organism. */
export const usesSeed = <C extends Pick<RoomCommand, 'what'>>(
  command: C,
): command is C & { readonly what: 'plant' | 'transform' } =>
  command.what === 'plant' || command.what === 'transform';

/** Returns whether a command is a stroke, or a part of one. */
export const isStroke = (command: RoomCommand): command is RoomCommand<'damage' | 'graft'> =>
  command.what === 'damage' || command.what === 'graft';

/** The result of one command. */
export interface Answer {
  readonly by: number;
  /** Id of the command, chosen by its sender. */
  readonly id: number;
  /** Session of the sender. Within it, ids of commands that may be repeated are unique. */
  readonly session?: number | undefined;
  readonly what: RoomCommand['what'];
  /** The sender's remaining energy. */
  readonly energy: number;
  readonly refused?: { readonly reason: Reason; readonly detail: string };
  /** The seed that the command has given to the sender. */
  readonly seed?: SeedView;
  /** Number of organisms removed. */
  readonly removed?: number;
  /** Number of organisms under the stroke that were not wounded because they are protected. */
  readonly spared?: number;
  /** Whether the stroke continues a stroke from earlier messages. */
  readonly continued?: boolean;
}

/** A tick, and the nominal number of ticks per second. */
export interface RoomTime {
  readonly tick: number;
  readonly tickRate: number;
}

/** The tick in which a command runs, and the index of its answer among the answers of the tick. */
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
     * Session within which the command's id is unique; absent if the command cannot arrive twice.
     */
    session: v.optional(session),
    command: v.pipe(
      command,
      v.transform((valid) => valid as unknown as RoomCommand),
    ),
  }),
  /** A participant has entered. In this and all other events, `at` is a tick. */
  v.strictObject({
    what: v.literal('enter'),
    participant: positive,
    at: whole,
    /** Initial energy. If absent, a newcomer's energy. */
    granted: v.optional(v.pipe(v.number(), v.minValue(0))),
    /**
     * A number shared by all participants of one network address; it does not reveal the address.
     */
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
  /** Changes the maximum number of living organisms. */
  v.strictObject({ what: v.literal('limit'), maxOrganisms: positive }),
  /** Changes the maximum number of flashes per second. */
  v.strictObject({ what: v.literal('flashes'), limit: flashLimit }),
  /** Changes how long a wounded organism is protected (rule DMG-3). */
  v.strictObject({ what: v.literal('protect'), seconds: v.pipe(v.number(), v.minValue(0)) }),
  /**
   * Changes the version of the rules, or the numbers from the checkpoint's card. See `RoomRules`.
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
   * Changes the share of organisms that may express a relative at the same time (rules IDL-1 and
   * IDL-3).
   */
  v.strictObject({ what: v.literal('liveliness'), share: liveliness }),
  /** The engine had no memory left for the organisms planted in this tick. */
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
       * Present while an undo replays the journal: whether the command was accepted originally and
       * is repeated, or is now being undone.
       */
      readonly past?: 'accepted' | 'undone';
    }
  : Extract<StoredEvent, { what: W }>;

/** An event that is not a command. */
export type ImmediateEvent = RoomEvent<Exclude<EventType, 'command'>>;

/**
 * Replaces −0 with 0. Codecs do not preserve −0, but a replay must compute with the same numbers.
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
 * Number of executed commands that are remembered per session. A page has at most this many
 * commands unanswered: see `MAX_PENDING` in `client/room/connection.ts`.
 */
const REMEMBERED = 2 * QUEUE_LIMITS.maxQueuedPerParticipant;

/**
 * The commands that are waiting for a room's next tick, and executed commands that may arrive a
 * second time.
 */
export class CommandQueue {
  private waiting: RoomEvent<'command'>[] = [];
  private done = new Map<ParticipantId, DoneInSession>();

  /**
   * Returns whether a command may be added; false if it is already waiting.
   *
   * @throws Refusal too-fast, room-busy
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

  /** Remembers the commands executed in a tick whose senders are still present. */
  answered(answers: readonly Answer[], present: ReadonlySet<ParticipantId>): void {
    for (const { by, id, session, refused, seed } of answers) {
      if (session === undefined || refused || !present.has(by)) continue;
      const known = this.done.get(by);
      const commands = known?.session === session ? known.commands : [];
      const latest = [...commands, defined({ id, seed: seed?.id })].slice(-REMEMBERED);
      this.done.set(by, { participant: by, session, commands: latest });
    }
  }

  /** Returns a remembered command that was executed; undefined if there is none. */
  find(
    by: ParticipantId,
    session: number,
    id: number,
  ): DoneInSession['commands'][number] | undefined {
    const known = this.done.get(by);
    return known?.session === session ? known.commands.find((one) => one.id === id) : undefined;
  }

  /** Forgets a participant's executed commands. */
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
