/**
 * What this page knows of the room: its planes, organisms, people and pace. Fed with the server's messages, it says
 * back (through `send`) only what the protocol asks of a client: that frames were received, or that step was lost.
 */
import * as v from 'valibot';
import { decodeFrame, type Inflate } from '../../shared/codec/decode.ts';
import { FrameError } from '../../shared/codec/frame.ts';
import { createPlanes, type Planes } from '../../shared/codec/planes.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { Command, CommandName } from '../../shared/protocol/commands.ts';
import { EVENTS, type Event, isEventName } from '../../shared/protocol/events.ts';
import type {
  LifeEvent,
  OrganismId,
  OrganismView,
  ParticipantId,
  ParticipantView,
  Phase,
} from '../../shared/vocabulary.ts';
import { Listeners } from './listeners.ts';

export type ConnectionState = 'connecting' | 'live' | 'reconnecting' | 'closed';

export type Send = <N extends CommandName>(name: N, payload: Command<N>) => void;

/** An organism to whom something happened, as it is now (or, when it died, as it last was). */
export interface LifeChange {
  readonly event: LifeEvent;
  readonly organism: OrganismView;
}

interface RoomEvents {
  welcome: Event<'welcome'>;
  /** The planes show a new tick. */
  picture: { readonly changed: readonly Rect[]; readonly keyframe: boolean };
  life: LifeChange;
  people: undefined;
  cursors: Event<'cursors'>;
  accepted: Event<'accepted'>;
  rejected: Event<'rejected'>;
  pace: Event<'pace'>;
  /** What she has, or what acts cost, is anew. */
  energy: Event<'energy'>;
  notice: Event<'notice'>;
  connection: ConnectionState;
}

const PHASES: Partial<Record<LifeEvent['what'], Phase>> = {
  grown: 'awake',
  awake: 'awake',
  asleep: 'asleep',
  died: 'dead',
};

function after(organism: OrganismView, event: LifeEvent): OrganismView {
  if (event.what === 'divided') return { ...organism, stage: event.stage };
  if (event.what === 'wounded') return { ...organism, wounds: organism.wounds + 1 };
  const phase = PHASES[event.what];
  if (!phase) return organism;
  return { ...organism, phase, stage: event.what === 'grown' ? organism.side : organism.stage };
}

export class RoomModel {
  connection: ConnectionState = 'connecting';
  planes: Planes | undefined;
  /** The tick that the planes show; undefined until the keyframe of this connection has come. */
  tick: number | undefined;
  you: ParticipantView | undefined;
  room: Event<'welcome'>['room'] | undefined;
  checkpoint: Event<'welcome'>['checkpoint'] | undefined;
  engine: Event<'welcome'>['engine'] | undefined;
  pace: Event<'pace'> | undefined;
  /** What acts cost, and what she had when the server last said so. */
  energy: Event<'energy'> | undefined;
  readonly organisms = new Map<OrganismId, OrganismView>();
  readonly participants = new Map<ParticipantId, ParticipantView>();

  private readonly listeners = new Listeners<RoomEvents>();
  private awaitsKeyframe = true;

  constructor(
    private readonly send: Send,
    private readonly inflate: Inflate,
  ) {}

  readonly on = this.listeners.on.bind(this.listeners) as Listeners<RoomEvents>['on'];

  /** Takes in one message as it came off the wire; what does not fit its schema is left out. */
  receive(name: string, payload: unknown): void {
    if (!isEventName(name)) return;
    const parsed = v.safeParse(EVENTS[name], payload);
    if (!parsed.success) {
      if (name === 'frame') this.resync();
      return;
    }
    const handle = this.handlers[name] as (event: unknown) => void;
    handle(parsed.output);
  }

  setConnection(connection: ConnectionState): void {
    if (connection === this.connection) return;
    this.connection = connection;
    if (connection !== 'live') this.awaitsKeyframe = true;
    this.listeners.emit('connection', connection);
  }

  private readonly handlers: { [N in keyof typeof EVENTS]: (event: Event<N>) => void } = {
    welcome: (event) => this.welcome(event),
    frame: (bytes) => this.frame(bytes),
    life: ({ events }) => {
      for (const event of events) this.live(event);
    },
    people: ({ joined, left }) => {
      for (const participant of joined) this.participants.set(participant.id, participant);
      for (const id of left) this.participants.delete(id);
      this.listeners.emit('people', undefined);
    },
    cursors: (event) => this.listeners.emit('cursors', event),
    accepted: (event) => {
      this.spent(event.energy);
      this.listeners.emit('accepted', event);
    },
    rejected: (event) => {
      this.spent(event.energy);
      this.listeners.emit('rejected', event);
    },
    energy: (event) => this.charge(event),
    notice: (event) => this.listeners.emit('notice', event),
    pace: (event) => {
      this.pace = event;
      this.listeners.emit('pace', event);
    },
  };

  private welcome(event: Event<'welcome'>): void {
    const { room, you, checkpoint, engine } = event;
    Object.assign(this, { room, you, checkpoint, engine });
    // The last picture stays while a connection is made anew: the keyframe will replace it.
    if (this.planes?.width !== room.width || this.planes.height !== room.height) {
      this.planes = createPlanes(room.width, room.height);
    }
    this.tick = undefined;
    this.awaitsKeyframe = true;
    this.organisms.clear();
    for (const organism of event.organisms) this.organisms.set(organism.id, organism);
    this.participants.clear();
    for (const participant of event.participants)
      this.participants.set(participant.id, participant);
    this.participants.set(you.id, you);
    this.listeners.emit('welcome', event);
    this.listeners.emit('people', undefined);
    this.charge(event.energy);
  }

  private charge(energy: Event<'energy'>): void {
    this.energy = energy;
    this.listeners.emit('energy', energy);
  }

  private spent(level: number | undefined): void {
    if (level !== undefined && this.energy) this.charge({ ...this.energy, level });
  }

  private frame(bytes: Uint8Array): void {
    if (!this.planes) return;
    try {
      const { header, changed } = decodeFrame(this.planes, this.tick, bytes, this.inflate);
      this.tick = header.tick;
      if (header.kind === 'keyframe') this.awaitsKeyframe = false;
      this.send('received', { tick: header.tick });
      this.setConnection('live');
      this.listeners.emit('picture', { changed, keyframe: header.kind === 'keyframe' });
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.resync();
    }
  }

  /** Asks for a keyframe, once: what arrives until it comes cannot be read anyway. */
  private resync(): void {
    if (this.awaitsKeyframe) return;
    this.awaitsKeyframe = true;
    this.tick = undefined;
    this.send('resync', {});
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
