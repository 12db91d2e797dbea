/**
 * Defines how a room handles each message from a client that has joined: which rate limit applies,
 * who may send the message, and what the room does. The schemas are in shared/protocol/commands.ts.
 *
 * `LocalSession` is a connection's session in a room of this server. `RemoteSession`, in
 * gateway/remote-room.ts, is for rooms of other servers.
 */
import * as v from 'valibot';
import { COMMANDS, type Command, type CommandName } from '../../../shared/protocol/commands.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import { packGenomes } from '../../../shared/protocol/genomes.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantView } from '../../../shared/vocabulary.ts';
import type { RoomCommand } from '../../world/commands.ts';
import type { Allowance, Rate } from '../limits/connection-limits.ts';
import type { RoomServer } from '../room-server.ts';
import type { Entry, RoomClient } from '../sessions/room-client.ts';
import { SEATS } from '../sessions/seats.ts';

/**
 * Messages about the people at a touch table. The code calls each person a ring: see
 * sessions/table-rings.ts.
 */
const RING_MESSAGES = ['enter', 'ring', 'forget'] as const;
export type RingMessage = (typeof RING_MESSAGES)[number];
export const isRingMessage = (name: CommandName): name is RingMessage =>
  RING_MESSAGES.includes(name as RingMessage);

export type MessageName = Exclude<CommandName, 'join' | RingMessage>;

interface Sender {
  readonly server: RoomServer;
  readonly client: RoomClient;
}

interface SendingParticipant extends Sender {
  readonly you: ParticipantView;
  /**
   * Session id from the page's `join` message, if any. Command ids are unique only within a
   * session, so a command is identified by both ids.
   */
  readonly session: number | undefined;
}

interface ClientMessage<N extends MessageName> {
  /** Rate limit for this kind of message, in addition to `messagesPerSecond`. */
  readonly rate?: Rate;
  /** Whether pages send this message without an action of the visitor. */
  readonly isAutomatic?: true;
  /** Handles a message that participants and watchers may send. */
  readonly watch?: (from: Sender, message: Command<N>) => void;
  /** Handles a message that only participants may send. @throws Refusal */
  readonly act?: (from: SendingParticipant, message: Command<N>) => void;
}

/** Creates the `CLIENT_MESSAGES` entry of a command that the room executes in the next tick. */
const queued = <
  N extends 'plant' | 'graft' | 'ungraft' | 'damage' | 'cross' | 'renew' | 'transform',
>(
  what: N,
): ClientMessage<N> => ({
  rate: 'commandsPerSecond',
  act: ({ server, client, you, session }, { id, ...rest }) => {
    const command = { what, by: you, ...rest } as unknown as RoomCommand;
    server.dispatcher.dispatch(client, id, command, session);
  },
});

const CLIENT_MESSAGES: { readonly [N in MessageName]: ClientMessage<N> } = {
  received: {
    isAutomatic: true,
    watch: ({ server, client }, { tick }) => server.acknowledge(client, tick),
  },
  resync: {
    rate: 'resyncsPerSecond',
    isAutomatic: true,
    watch: ({ server, client }, { chunks }) => server.broadcaster.resync(client, chunks),
  },
  genomes: {
    rate: 'cursorsPerSecond',
    isAutomatic: true,
    watch: ({ server: { room }, client }, { organisms }) => {
      const genomes = organisms.flatMap((id) => {
        const found = room.genomesOf(id);
        return found ? [{ id, ...packGenomes(found) }] : [];
      });
      client.send('genomes', { genomes });
    },
  },
  look: {
    rate: 'cursorsPerSecond',
    watch: ({ server: { broadcaster, clock, follows }, client }, look) => {
      broadcaster.setViewport(client, look.hidden ? undefined : look, clock.now());
      follows.viewChanged(client);
    },
  },
  cursor: {
    rate: 'cursorsPerSecond',
    act: ({ server, you }, cursor) => {
      if (!server.policy.mayShow(you.id)) return;
      server.hooks?.active();
      server.cursors.move(you.id, cursor);
    },
  },
  busy: {
    rate: 'cursorsPerSecond',
    // The busy state ends after a while, because a visitor may leave a panel open and walk away.
    act: ({ server: { seats, clock }, client }, { busy }) =>
      seats.setBusy(client, busy ? clock.now() + SEATS.busy : 0),
  },
  plant: queued('plant'),
  graft: queued('graft'),
  ungraft: queued('ungraft'),
  damage: queued('damage'),
  cross: queued('cross'),
  renew: queued('renew'),
  transform: queued('transform'),
  keep: {
    rate: 'commandsPerSecond',
    act: ({ server: { room, keepUrl }, client }, { id, organism }) => {
      const token = room.tokenOf(organism);
      client.send('accepted', { id, token, ...(keepUrl !== undefined && { page: keepUrl }) });
    },
  },
  follow: {
    rate: 'commandsPerSecond',
    act: ({ server: { policy, follows }, client }, { id, participant }) => {
      if (participant !== undefined && !policy.mayShow(participant)) {
        throw new Refusal('no-such-participant', `participant ${participant}`);
      }
      follows.follow(client, participant);
      client.send('accepted', { id });
    },
  },
  beacon: {
    rate: 'beaconsPerSecond',
    act: ({ server, client, you }, { id, organism }) => {
      const planter = server.room.viewOf(organism)?.planter;
      if (!planter) throw new Refusal('no-such-organism', `organism ${organism}`);
      if (!server.policy.mayShow(you.id)) throw new Refusal('muted');
      if (planter.id !== you.id) throw new Refusal('not-yours', `organism ${organism}`);
      server.hooks?.active();
      server.presence.broadcastEvent('beacon', { organism, hue: you.hue });
      client.send('accepted', { id });
    },
  },
  name: {
    rate: 'namesPerSecond',
    // Other clients receive the new name when the next tick is sent.
    act: ({ server: { seats, presence }, client }, { id, name }) => {
      presence.changes.rename(seats.rename(client, name)!);
      client.send('accepted', { id });
    },
  },
  report: {
    rate: 'reportsPerSecond',
    // Accept the report only after it has been stored.
    act: ({ server, client, you }, { id, organism }) =>
      void server.dispatcher.runAsync(client, id, async () => {
        if (!server.policy.mayShow(you.id)) throw new Refusal('muted');
        await server.reports.add(organism, you.id);
        client.send('accepted', { id });
      }),
  },
  preview: {
    rate: 'previewsPerSecond',
    act: ({ server, client, you }, { id, seed }) => {
      const { previews, dispatcher, policy } = server;
      // The visitor may draw next, so start the thread that refines drawings.
      if (policy.settings.drawings !== 'off') previews.backend.prepareToDraw?.();
      void dispatcher.runAsync(client, id, async () => {
        dispatcher.requireSeed(seed, you.id);
        const film = await previews.preview(you.id, seed, client.address);
        client.send('accepted', { id, film: film as Required<Event<'accepted'>>['film'] });
      });
    },
  },
  draw: {
    rate: 'drawingsPerSecond',
    // Only a refusal is sent now. If the drawing is accepted, its seed is sent later.
    act: ({ server, client, you: by }, { id: request, pixels }) =>
      void server.dispatcher.runAsync(client, request, async () => {
        const { drawings, policy, previews } = server;
        if (drawings.sentAgain({ by, client, request, pixels })) return;
        policy.requireMayAct(by.id);
        drawings.requireOn();
        const latent = await previews.encode(pixels, client.address);
        await drawings.submit({ by, client, request, pixels, latent });
      }),
  },
};

/** The session of one connection in one room. */
export interface RoomSession {
  /** Whether the client has joined the room or is waiting to join. */
  readonly isOpen: boolean;
  /**
   * Asks to join the room.
   *
   * @throws Refusal if the join is refused immediately. A later refusal is sent to the client
   */
  join(entry: Entry): void;
  /**
   * Executes a validated message of the client.
   *
   * @throws Refusal if the message is refused immediately. A later refusal is sent to the client
   */
  handle<N extends MessageName>(name: N, message: Command<N>): void;
  /** Ends the session, because the connection has ended. */
  leave(): void;
}

/** Finds the rooms that clients want to join. */
export interface RoomDirectory {
  /** Creates a session in a room. @throws Refusal `no-such-room`, `room-closed`, `elsewhere` */
  open(room: string, client: RoomClient): RoomSession;
  /**
   * Returns whether a pass (the secret in the URL of a wall's or table's page) belongs to a
   * reserved seat of this room.
   */
  acceptsPass(room: string, pass: string): boolean;
}

export class LocalSession implements RoomSession {
  /** Server of the room that the client has joined; undefined before and after. */
  private server: RoomServer | undefined;
  /** Whether the client is a wall or a spectator, and therefore not a participant. */
  private onlyWatches = false;
  private session: number | undefined;
  /** Whether the request to join is waiting for a hook's decision or for the end of a tick. */
  private isJoining = false;
  private hasLeft = false;

  /**
   * @param find returns the room's server, or throws Refusal `no-such-room`, `room-closed` or
   *   `elsewhere`
   */
  constructor(
    private readonly find: () => RoomServer,
    private readonly client: RoomClient,
  ) {}

  get isOpen(): boolean {
    return this.server !== undefined || this.isJoining;
  }

  join(entry: Entry): void {
    const server = this.find();
    const { tickInProgress, hooks } = server;
    const approval = entry.as === undefined ? hooks?.join(entry.name) : undefined;
    if (!approval && !tickInProgress.ended) {
      this.enter(server, entry);
      return;
    }
    this.isJoining = true;
    this.enterLater(server, entry, approval)
      .finally(() => {
        this.isJoining = false;
      })
      .catch((error: unknown) => {
        if (!(error instanceof Refusal)) throw error;
        if (!this.hasLeft) this.client.refuse(error);
      });
  }

  handle<N extends MessageName>(name: N, message: Command<N>): void {
    const { server, client, session } = this;
    const you = server?.seats.participantOf(client);
    if (!server || !(you || this.onlyWatches)) throw new Refusal('not-joined');
    const { isAutomatic, watch, act } = CLIENT_MESSAGES[name];
    if (!isAutomatic) server.seats.touch(client, server.clock.now());
    watch?.({ server, client }, message);
    if (!act) return;
    if (!you) throw new Refusal('only-watches', name);
    act({ server, client, you, session }, message);
  }

  /** Sends the client the state of the room again, in case earlier messages were lost. */
  renew(): void {
    const { server, client } = this;
    const tick = server?.tickInProgress.ended;
    if (tick) void tick.then(() => this.renew());
    else server?.welcomeAgain(client);
  }

  leave(): void {
    this.hasLeft = true;
    this.server?.leave(this.client);
    this.server = undefined;
    this.onlyWatches = false;
  }

  /**
   * Waits for `approval`, if given, and until no tick is in progress. Then joins the room.
   *
   * @throws Refusal
   */
  private async enterLater(
    { tickInProgress }: RoomServer,
    entry: Entry,
    approval: Promise<void> | undefined,
  ): Promise<void> {
    await approval;
    while (tickInProgress.ended) await tickInProgress.ended;
    // The room may have been closed in the meantime, so find it again.
    if (!this.hasLeft) this.enter(this.find(), entry);
  }

  /**
   * Adds the client as a participant, a spectator, or a wall or table, depending on `entry.as`.
   *
   * @throws Refusal if the client is not admitted
   */
  private enter(server: RoomServer, entry: Entry): void {
    const { client } = this;
    if (entry.as === undefined) server.admission.join(client, entry);
    else if (entry.as === 'spectator') server.spectators.add(client, entry);
    else server.walls.add(client, entry);
    // If the connection was lost during the welcome message, `leave` was called while `this.server`
    // was still undefined.
    if (this.hasLeft) {
      server.leave(client);
      return;
    }
    this.onlyWatches = entry.as !== undefined;
    this.server = server;
    this.session = entry.session;
    client.entered();
  }
}

/**
 * Validates a message from an untrusted sender.
 *
 * @throws Refusal `bad-message`; its detail names the invalid field
 */
export function parseCommand<N extends CommandName>(name: N, message: unknown): Command<N> {
  const parsed = v.safeParse(COMMANDS[name], message, { abortEarly: true });
  if (parsed.success) return parsed.output as Command<N>;
  const [issue] = parsed.issues;
  throw new Refusal('bad-message', `${v.getDotPath(issue) ?? name}: ${issue.message}`);
}

/**
 * Reads the id of a message whose other fields may be invalid.
 *
 * @returns undefined if the message has no valid id
 */
export function readId(message: unknown): number | undefined {
  const id = (message as { id?: unknown } | null)?.id;
  return Number.isSafeInteger(id) && (id as number) >= 0 ? (id as number) : undefined;
}

/**
 * Charges a valid message to the sender's rate limits. For `damage` and `graft`, also charges the
 * number of the stroke's points to `strokePointsPerSecond`.
 *
 * @throws Refusal `too-fast`
 */
export function chargeCommand(allowance: Allowance, name: MessageName, message: unknown): void {
  const { rate } = CLIENT_MESSAGES[name];
  if (rate) allowance.charge(rate);
  if (name === 'damage' || name === 'graft') {
    allowance.charge('strokePointsPerSecond', (message as Command<typeof name>).points.length / 2);
  }
}
