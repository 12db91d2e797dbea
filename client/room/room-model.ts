/**
 * The client's model of the room: cells, organisms, participants and pace. The server's messages
 * update the model.
 */
import * as v from 'valibot';
import { chunkCount, createPlanes, type Planes } from '../../shared/codec/chunks.ts';
import { FrameError, type FrameHeader } from '../../shared/codec/frame.ts';
import { FrameDecoder } from '../../shared/codec/frame-decoder.ts';
import { MAX_SEEDS_IN_HAND } from '../../shared/limits.ts';
import type { Command, CommandName } from '../../shared/protocol/commands.ts';
import { EVENTS, type Event, isEventName } from '../../shared/protocol/events.ts';
import { type Pointer, unpackPointer } from '../../shared/protocol/pointers.ts';
import type {
  LifeEvent,
  OrganismId,
  OrganismView,
  ParticipantId,
  ParticipantView,
  Phase,
  SeedView,
} from '../../shared/vocabulary.ts';
import { Listeners } from '../state/browser-store.ts';

export type ConnectionState = 'connecting' | 'waiting' | 'live' | 'reconnecting' | 'closed';

export type Send = <N extends CommandName>(name: N, payload: Command<N>) => void;

/** A request for a chunk is repeated after this many frames if no correct chunk has arrived. */
const PATIENCE = 30;

/**
 * A life event, and the state of the organism after it. After a death: the last state of the
 * organism.
 */
export interface LifeChange {
  readonly event: LifeEvent;
  readonly organism: OrganismView;
}

type EventName = keyof typeof EVENTS;

/** Messages that the model converts before it passes them to listeners. */
type Digested = 'frame' | 'life' | 'people' | 'cursors';

/** The events that listeners receive. Some are messages of the server, passed on unchanged. */
export type RoomEvents = { [N in Exclude<EventName, Digested>]: Event<N> } & {
  /**
   * The server's answer to an accepted join: `welcome` for a participant, `wall` for a wall or a
   * spectator.
   */
  opened: Event<'welcome'> | Event<'wall'>;
  /** Emitted after a frame has updated `planes` (the state of all cells) to a new tick. */
  picture: Pick<ReturnType<FrameDecoder['decode']>, 'changed' | 'replaced'>;
  life: LifeChange;
  /** Emitted when participants join, leave or change their names. */
  people: undefined;
  cursors: readonly Pointer[];
  /**
   * Emitted when the participant's own seeds (drawn or crossed) have changed. Contains all own
   * seeds.
   */
  seeds: readonly SeedView[];
  connection: ConnectionState;
};

const PHASES: Partial<Record<LifeEvent['what'], Phase>> = {
  grown: 'awake',
  awake: 'awake',
  asleep: 'asleep',
  departing: 'departing',
  died: 'dead',
};

function after(organism: OrganismView, event: LifeEvent): OrganismView {
  if (event.what === 'divided') return { ...organism, stage: event.stage };
  if (event.what === 'wounded') return { ...organism, wounds: event.wounds, hurt: true };
  if (event.what === 'transformed') {
    const { kind, origin, parents } = event;
    const was = [...(organism.was ?? []), organism.kind];
    return { ...organism, kind, origin, parents, was, parts: undefined };
  }
  if (event.what === 'grafted') return { ...organism, parts: event.parts };
  if (event.what === 'healed') return { ...organism, healed: event.healed, hurt: false };
  const phase = event.what === 'renewed' ? event.phase : PHASES[event.what];
  if (!phase) return organism;
  const parts = event.what === 'asleep' ? (event.parts ?? organism.parts) : organism.parts;
  const stage = event.what === 'grown' ? organism.side : organism.stage;
  return { ...organism, phase, stage, ...(parts && { parts }) };
}

/** Holds what this client knows about the room, and notifies listeners of changes. */
export class RoomModel {
  connection: ConnectionState = 'connecting';
  planes: Planes | undefined;
  /** The tick that `planes` shows; undefined before this connection's first frame. */
  tick: number | undefined;
  /**
   * Tier and scale of the last frame. Each cell in the frame stands for `scale`×`scale` cells of
   * the room.
   */
  quality: Omit<FrameHeader, 'tick'> | undefined;
  /**
   * Number of visitors ahead in the queue of a full room; undefined if the visitor is not in a
   * queue.
   */
  ahead: number | undefined;
  you: ParticipantView | undefined;
  room: Event<'welcome'>['room'] | undefined;
  checkpoint: Event<'welcome'>['checkpoint'] | undefined;
  pace: Event<'pace'> | undefined;
  /** The costs of actions and the participant's energy, from the server's messages. */
  energy: Event<'energy'> | undefined;
  /** The participant's own seeds (drawn or crossed), oldest first. */
  seeds: readonly SeedView[] = [];
  /** Settings from the host; undefined until received. */
  settings: Event<'settings'> | undefined;
  readonly organisms = new Map<OrganismId, OrganismView>();
  readonly participants = new Map<ParticipantId, ParticipantView>();

  private readonly listeners = new Listeners<RoomEvents>();
  private decoder: FrameDecoder | undefined;
  /** Requested chunks, each with the number of frames since the request. */
  private readonly asked = new Map<number, number>();

  constructor(private readonly send: Send) {}

  /**
   * Returns checksums of all chunks in `planes`; undefined if there are no chunks yet. The server
   * needs the checksums after a join, to decide which chunks to send.
   */
  holds(): Uint8Array<ArrayBuffer> | undefined {
    return this.decoder?.holds();
  }

  readonly on = this.listeners.on.bind(this.listeners) as Listeners<RoomEvents>['on'];

  /** Handles one message from the server. Ignores a message that does not match its schema. */
  receive(name: string, payload: unknown): void {
    if (!isEventName(name)) return;
    const parsed = v.safeParse(EVENTS[name], payload);
    if (!parsed.success) return;
    const handle = this.handlers[name] as ((event: unknown) => void) | undefined;
    if (handle) handle(parsed.output);
    else this.listeners.emit(name as keyof RoomEvents, parsed.output as never);
  }

  /** Requests the genomes of organisms. The server answers with a `genomes` message. */
  askGenomes(organisms: OrganismId[]): void {
    this.send('genomes', { organisms });
  }

  setConnection(connection: ConnectionState): void {
    if (connection === this.connection) return;
    this.connection = connection;
    this.listeners.emit('connection', connection);
  }

  /** Handlers of messages that change the model. Listeners receive all other messages unchanged. */
  private readonly handlers: { [N in EventName]?: (event: Event<N>) => void } = {
    welcome: (event) => this.welcome(event),
    wall: (event) => {
      this.open(event);
      this.listeners.emit('wall', event);
      this.listeners.emit('opened', event);
      this.listeners.emit('people', undefined);
    },
    frame: (bytes) => this.frame(bytes),
    waiting: (event) => {
      this.ahead = event.ahead;
      this.setConnection('waiting');
      this.listeners.emit('waiting', event);
    },
    life: ({ tick, events }) => {
      // Skip events that the answer to the join already includes.
      if (this.room && tick <= this.room.tick) return;
      for (const event of events) this.live(event);
    },
    people: ({ joined, left }) => {
      for (const participant of joined) {
        this.participants.set(participant.id, participant);
        if (participant.id === this.you?.id) this.you = participant;
      }
      this.signOrganisms();
      for (const id of left) this.participants.delete(id);
      this.listeners.emit('people', undefined);
    },
    cursors: (packed) => this.listeners.emit('cursors', packed.map(unpackPointer)),
    accepted: (event) => {
      this.spent(event.energy);
      const { seed } = event;
      // If a command was sent twice, the server answers twice. Add the seed only once.
      const isNew = seed && !this.seeds.some(({ id }) => id === seed.id);
      if (isNew) this.hold([...this.seeds, seed]);
      this.listeners.emit('accepted', event);
    },
    rejected: (event) => {
      this.spent(event.energy);
      this.listeners.emit('rejected', event);
    },
    energy: (event) => this.keep('energy', event),
    settings: (event) => this.keep('settings', event),
    pace: (event) => {
      // If the server sends nothing for a while, the connection is marked as lost. This message
      // shows that it works, so mark it as live again, unless no frame has arrived yet.
      if (this.tick !== undefined) this.setConnection('live');
      this.keep('pace', event);
    },
  };

  private welcome(event: Event<'welcome'>): void {
    const { you } = event;
    this.you = you;
    this.open(event);
    this.participants.set(you.id, you);
    this.listeners.emit('welcome', event);
    this.listeners.emit('opened', event);
    this.listeners.emit('people', undefined);
    this.hold(event.hand);
    this.keep('energy', event.energy);
  }

  private hold(seeds: readonly SeedView[]): void {
    this.seeds = seeds.slice(-MAX_SEEDS_IN_HAND);
    this.listeners.emit('seeds', this.seeds);
  }

  private open(event: Event<'welcome'> | Event<'wall'>): void {
    const { room, checkpoint, organisms, participants } = event;
    Object.assign(this, { room, checkpoint });
    // After a reconnection, keep the known cells, because the server sends only changes. Create new
    // planes only if there are none, or if the room has another size.
    if (this.planes?.width !== room.width || this.planes.height !== room.height) {
      this.planes = createPlanes(room.width, room.height);
    }
    this.decoder = new FrameDecoder(this.planes);
    this.asked.clear();
    this.tick = undefined;
    this.ahead = undefined;
    this.organisms.clear();
    for (const organism of organisms) this.organisms.set(organism.id, organism);
    this.participants.clear();
    for (const participant of participants) this.participants.set(participant.id, participant);
    this.signOrganisms();
  }

  /** Updates the names of planters and grafters, because participants may change their names. */
  private signOrganisms(): void {
    const current = (person: ParticipantView): ParticipantView =>
      this.participants.get(person.id) ?? person;
    for (const organism of this.organisms.values()) {
      const parts = organism.parts?.map(({ by, ...part }) =>
        by ? { ...part, by: current(by) } : part,
      );
      this.organisms.set(organism.id, { ...organism, planter: current(organism.planter), parts });
    }
  }

  /** Stores the latest message, and passes it to the listeners. */
  private keep<N extends 'energy' | 'pace' | 'settings'>(name: N, event: RoomEvents[N]): void {
    Object.assign(this, { [name]: event });
    this.listeners.emit(name, event);
  }

  private spent(level: number | undefined): void {
    if (level !== undefined && this.energy) this.keep('energy', { ...this.energy, level });
  }

  private frame(bytes: Uint8Array): void {
    if (!this.decoder) return;
    try {
      const { header, changed, replaced: anew, lost } = this.decoder.decode(bytes);
      const { tick, ...quality } = header;
      if (quality.scale !== this.quality?.scale) this.asked.clear();
      this.tick = tick;
      this.quality = quality;
      this.send('received', { tick });
      this.ask(lost);
      this.setConnection('live');
      this.listeners.emit('picture', { changed, replaced: anew });
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      const scale = this.quality?.scale ?? 1;
      const [width, height] = [this.planes!.width, this.planes!.height].map((n) =>
        Math.ceil(n / scale),
      );
      this.ask(Array.from({ length: chunkCount({ width, height }) }, (_, chunk) => chunk));
    }
  }

  /**
   * Requests chunks that could not be decoded. Repeats a request only after `PATIENCE` frames, to
   * give the server time to answer.
   *
   * @param lost indices of the chunks of the last frame that could not be decoded
   */
  private ask(lost: readonly number[]): void {
    for (const [chunk, frames] of this.asked) {
      if (lost.includes(chunk) && frames < PATIENCE) this.asked.set(chunk, frames + 1);
      else this.asked.delete(chunk);
    }
    const chunks = lost.filter((chunk) => !this.asked.has(chunk));
    for (const chunk of chunks) this.asked.set(chunk, 0);
    if (chunks.length > 0) this.send('resync', { chunks });
  }

  private live(event: LifeEvent): void {
    if (event.what === 'born') {
      this.organisms.set(event.organism.id, event.organism);
      this.listeners.emit('life', { event, organism: event.organism });
      return;
    }
    const known = this.organisms.get(event.id);
    if (!known) return;
    const organism = after(known, event);
    if (event.what === 'died') this.organisms.delete(event.id);
    else this.organisms.set(event.id, organism);
    this.listeners.emit('life', { event, organism });
  }
}

/**
 * Finds an organism's parents, children, siblings and number of descendants among the living
 * organisms.
 *
 * @param organisms the living organisms, oldest first
 */
export function kinOf(organism: OrganismView, organisms: ReadonlyMap<OrganismId, OrganismView>) {
  const { id, parents } = organism;
  const all = [...organisms.values()];
  const of = [...parents].sort().join();
  // Parents usually stand before their children in `all`, so one pass would find all descendants.
  // But a transformed organism has new parents, which may stand after it. So repeat the pass until
  // it finds no more descendants.
  const line = new Set([id]);
  for (let size = 0; size < line.size; ) {
    size = line.size;
    for (const other of all) {
      if (other.parents.some((parent) => line.has(parent))) line.add(other.id);
    }
  }
  return {
    /** The parents, in the order of `organism.parents`; undefined for each dead parent. */
    parents: parents.map((parent) => organisms.get(parent)),
    children: all.filter((other) => other.id !== id && other.parents.includes(id)),
    /** The other organisms that have the same two parents. */
    siblings: all.filter((other) => {
      return of !== '' && other.id !== id && [...other.parents].sort().join() === of;
    }),
    /** Number of all descendants, children included. */
    descendants: line.size - 1,
  };
}
