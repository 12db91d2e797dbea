/**
 * Admits participants to a room, welcomes them, and removes them. If the room is full, a client
 * gets a position in the queue instead of a seat. Start reading at `RoomAdmission.join`.
 */
import { hueOf } from '../../../shared/hues.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import { PROTOCOL_VERSION, type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import { skyAt } from '../../platform/clock.ts';
import { viewOfSeed } from '../../world/planting.ts';
import type { Applicant } from '../policy/bans.ts';
import type { Presence } from '../presence/presence.ts';
import { fullViewport } from '../streaming/viewer-stream.ts';
import {
  type CommonWelcome,
  type Entry,
  type PersonalWelcome,
  type RoomClient,
  welcomeOf,
} from './room-client.ts';
import type { RoomContext } from './room-context.ts';
import { SEATS } from './seats.ts';

/** Builds and sends the welcome messages of a room. */
export class WelcomeBuilder {
  /**
   * Cached fields that all welcome messages between two ticks share. `hiddenNamesKey` identifies
   * the set of names that are hidden in these fields.
   */
  private made: { readonly common: CommonWelcome; readonly hiddenNamesKey: string } | undefined;

  constructor(private readonly context: RoomContext) {}

  /**
   * Drops the cached fields of welcome messages, because the list of participants in them may be
   * outdated after the tick.
   */
  endTick(): void {
    this.made = undefined;
  }

  /**
   * Sends a participant a welcome message and the settings of the room.
   *
   * @param you the participant, who must already have a seat
   * @param mark a new device mark; undefined if the device already has a valid mark
   */
  sendWelcome(client: RoomClient, you: ParticipantView, mark?: string): void {
    const { room, seats } = this.context;
    this.send(client, 'welcome', {
      ...this.facts(),
      you,
      resume: seats.tokenOf(client)!,
      ...(mark !== undefined && { mark }),
      energy: this.energyOf(you.id),
      hand: room.seedsOf(you.id).map(viewOfSeed) as Event<'welcome'>['hand'],
    });
  }

  /** Sends a wall or a spectator the welcome message and the room's settings. */
  sendWallWelcome(wall: RoomClient): void {
    this.send(wall, 'wall', { ...this.facts(), ...this.context.wallInfo() });
  }

  /** Returns the energy level of a participant and the costs of commands. */
  energyOf(participant: ParticipantId): Event<'energy'> {
    const { room } = this.context;
    const { newcomer, ...costs } = room.energySettings;
    return { ...costs, level: room.energyOf(participant) };
  }

  private send<N extends 'welcome' | 'wall'>(
    client: RoomClient,
    event: N,
    personal: PersonalWelcome<N>,
  ): void {
    const common = this.common();
    if (client.sendWelcome) client.sendWelcome(event, common, personal);
    else client.send(event, welcomeOf(common, personal));
    client.send('settings', this.context.policy.publicSettings);
    this.context.eventQueue.startFor(client);
  }

  private facts() {
    const { room, pace, date } = this.context;
    const { name, tick, maxOrganisms, flashLimit, grid } = room;
    const { width, height } = grid.planes;
    return {
      protocol: PROTOCOL_VERSION,
      room: {
        ...{ name, width, height, tickRate: pace().tickRate, tick, maxOrganisms, flashLimit },
        sky: skyAt(date()),
      },
    };
  }

  /**
   * Returns the fields that all welcome messages share, from the cache if possible. The cached list
   * of participants may lack newcomers of this tick; all clients are notified of them after the
   * tick.
   */
  private common(): CommonWelcome {
    const { room, info, seats, policy } = this.context;
    const { hiddenNamesKey } = policy;
    if (this.made?.hiddenNamesKey === hiddenNamesKey) return this.made.common;
    const all: CommonWelcome = {
      ...info,
      organisms: room.organisms as Event<'welcome'>['organisms'],
      participants: seats.participants,
    };
    const common = policy.redactNames('wall', all as Event<'wall'>);
    this.made = { common, hiddenNamesKey };
    return common;
  }
}

/**
 * Returns the network address by which a client may be banned; '' for a person at a touch table,
 * because the next person at the table has the same address.
 */
const bannable = ({ ring, address }: RoomClient): string => (ring === undefined ? address : '');

export class RoomAdmission {
  /**
   * The join requests of clients in the queue. A request's `resume` is the token of the client's
   * position in the queue.
   */
  private readonly waiting = new Map<RoomClient, Entry>();

  constructor(
    private readonly context: RoomContext,
    private readonly presence: Presence,
    private readonly welcomeBuilder: WelcomeBuilder,
  ) {}

  /**
   * Gives a client a seat or, if the room is full, a position in the queue. A client with a
   * reserved seat is admitted even if the room is full, unless the number of present participants
   * is already twice the capacity.
   *
   * @throws Refusal `room-closed`; `sent-away` if the client is banned; `too-many-joins`;
   *   `room-full` if the queue is full, too; `no-such-table` or `table-blocked` if the client is a
   *   person at a touch table
   */
  join(client: RoomClient, entry: Entry): void {
    const { policy, bans, seats, room, date } = this.context;
    if (policy.isClosed) throw new Refusal('room-closed');
    const table = this.tableOf(entry);
    const { resume: token } = entry;
    const { address } = client;
    const applicant = this.applicantOf(client, entry);
    if (bans.isBanned(room.name, applicant)) throw new Refusal('sent-away');
    const isKnown = applicant.device !== undefined || applicant.participant !== undefined;
    if (!isKnown && !bans.admitsUnmarked(address)) throw new Refusal('too-many-joins');
    const returns = token !== undefined && seats.holdsSeatFor(token);
    if (table === undefined && seats.isFull && (!returns || seats.isCrowded)) {
      const queued = seats.enqueue(client, { token, address, date: date() });
      if (queued.dropped === client) throw new Refusal('room-full');
      if (queued.dropped) {
        this.waiting.delete(queued.dropped);
        queued.dropped.disconnect('room-full');
      }
      this.wait(client, { ...entry, resume: queued.token });
      this.presence.markQueueChanged();
      return;
    }
    this.seatParticipant(client, entry, table);
  }

  /** Disconnects all rings (people) of a touch table. @param table id of the table's seat */
  dismissTable(table: number, reason: Reason): void {
    for (const client of this.context.seats.ringsOf(table)) {
      this.leave(client);
      client.disconnect(reason);
    }
  }

  /**
   * Removes a client from the room or the queue. A participant's seat stays reserved for a while.
   */
  leave(client: RoomClient): void {
    if (this.context.seats.leaveQueue(client)) {
      this.waiting.delete(client);
      this.presence.markQueueChanged();
      return;
    }
    this.giveUpSeat(client, false);
    this.admitWaiting();
  }

  /**
   * Admits clients from the queue. If clients still wait, makes participants give up their seats:
   * participants who have been idle for long, or whose network address has more than its share of
   * seats.
   */
  shareOut(now: number): void {
    const { seats } = this.context;
    this.admitWaiting();
    for (let i = 0; i < SEATS.maxYielding; i++) {
      const client = seats.yielding(now);
      if (!client) return;
      this.giveUpSeat(client, true);
      client.disconnect('gave-way');
      this.admitWaiting();
    }
  }

  /** Changes the maximum number of present participants. A lower number makes nobody leave. */
  setCapacity(capacity: number): void {
    this.context.seats.capacity = capacity;
    this.admitWaiting();
  }

  /**
   * Forgets the participants whose reserved seats have expired.
   *
   * @returns ids of these participants
   */
  expire(now: number): ParticipantId[] {
    const { seats, newcomers, room, visits, affected } = this.context;
    const expired = seats.expire(now);
    for (const participant of expired) {
      newcomers.leave(participant);
      room.leave(participant);
      visits.leave(participant);
    }
    affected.forget(expired);
    // After a restart, seats are kept free for earlier participants for a while. This time may just
    // have ended, so admit clients from the queue.
    this.admitWaiting();
    return expired;
  }

  /** Sends each participant a new welcome message and the cells of the whole room. */
  resendWelcomes(): void {
    const { seats, broadcaster } = this.context;
    for (const client of seats.members) {
      broadcaster.remove(client);
      this.welcomeAgain(client);
    }
  }

  /** Sends a new welcome message to a participant, or sends a client in the queue its position. */
  welcomeAgain(client: RoomClient): void {
    const { seats, affected, follows } = this.context;
    const entry = this.waiting.get(client);
    if (entry) this.wait(client, entry);
    const you = seats.participantOf(client);
    if (!you) return;
    // After a new welcome message, the page follows nobody, so make the client stop following here,
    // too.
    follows.forget(client, you.id);
    this.welcomeBuilder.sendWelcome(client, you);
    affected.returned(you.id);
    this.startStream(client);
  }

  /** Disconnects all participants and clients in the queue who have been banned. */
  disconnectBanned(): void {
    const { room, bans, seats, newcomers } = this.context;
    const applicants = [...this.waiting].map(
      ([client, entry]) => [client, this.applicantOf(client, entry)] as const,
    );
    const present = [...seats.members].map((client) => {
      const { id: participant } = seats.participantOf(client)!;
      const device = newcomers.deviceOfParticipant(participant);
      return [client, { participant, device, address: bannable(client) }] as const;
    });
    for (const [client, applicant] of [...applicants, ...present]) {
      if (!bans.isBanned(room.name, applicant)) continue;
      // Limit how fast newcomers may join from the client's network address. If another server
      // issued the ban, this limit does not apply on this server yet.
      bans.slow(applicant.address);
      this.leave(client);
      client.disconnect('sent-away');
    }
  }

  /**
   * Disconnects all clients in the queue, then all participants. In this order, no client in the
   * queue gets a seat that becomes free.
   */
  disconnectAll(reason: Reason): void {
    const { seats } = this.context;
    for (const client of [...this.waiting.keys(), ...seats.members]) {
      this.waiting.delete(client);
      if (!seats.leaveQueue(client)) this.leave(client);
      client.disconnect(reason);
    }
  }

  /**
   * If a client joins as a ring (person at a touch table), returns the id of the table's seat;
   * otherwise undefined.
   *
   * @throws Refusal `no-such-table`, `table-blocked`
   */
  private tableOf({ ring, pass = '' }: Entry): number | undefined {
    if (ring === undefined) return undefined;
    const { wallSeats, room } = this.context;
    const seat = wallSeats.find(room.name, pass);
    if (!seat?.table) throw new Refusal('no-such-table');
    if (seat.blocked) throw new Refusal('table-blocked');
    return seat.id;
  }

  /** Returns the properties of a client that are compared with the bans. */
  private applicantOf(client: RoomClient, { resume, mark }: Entry): Applicant {
    const { seats, newcomers } = this.context;
    const participant = resume === undefined ? undefined : seats.ownerOf(resume);
    return { participant, device: newcomers.deviceIdOf(mark), address: bannable(client) };
  }

  /**
   * Sends a client its position in the queue, and a token with which it can return to this position
   * after a lost connection.
   */
  private wait(client: RoomClient, entry: Entry): void {
    this.waiting.set(client, entry);
    const ahead = this.context.seats.queued.indexOf(client);
    this.presence.sendQueuePosition(client, ahead, entry.resume);
  }

  private seatParticipant(
    client: RoomClient,
    { name, resume, holds, notice, mark }: Entry,
    table?: number,
  ): void {
    const { presence } = this;
    const { address } = client;
    const { seats, newcomers, room, visits, affected, hooks, clock } = this.context;
    const { you, isNew, replaced } = seats.claim(client, {
      ...{ token: resume, address, table, now: clock.now() },
      newcomer: (id) => ({ id, name, hue: hueOf(id) }),
    });
    const granted = newcomers.arrive(you.id, isNew, { mark, address });
    visits.enter(you.id, address, clock.now());
    if (isNew) room.enter(you.id, granted.energy, visits.sourceOf(you.id));
    if (replaced) {
      this.removeViewer(replaced, you);
      replaced.disconnect('replaced');
    } else presence.changes.enter(you);
    this.welcomeBuilder.sendWelcome(client, you, granted.mark);
    // If the connection broke while the welcome message was sent, the client has already left the
    // room.
    if (!seats.participantOf(client)) return;
    affected.returned(you.id);
    if (notice) client.send('notice', { notice });
    if (!replaced) hooks()?.joined(you);
    this.startStream(client, holds);
  }

  private giveUpSeat(client: RoomClient, yielded: boolean): void {
    const { seats, clock, hooks } = this.context;
    const you = seats.leave(client, clock.now(), yielded);
    if (!you) return;
    this.removeViewer(client, you);
    hooks()?.left(you);
    this.presence.changes.leave(you.id);
  }

  /** Starts sending frames, which cover the whole room until the client sends its viewport. */
  private startStream(client: RoomClient, holds?: Uint8Array): void {
    const { room, broadcaster, clock } = this.context;
    if (client.ring !== undefined) return;
    broadcaster.add(client, fullViewport(room.grid.planes), clock.now(), { holds });
  }

  /**
   * Ends a client's stream of frames and removes its cursor. Makes the client stop following
   * others, and others stop following the client. The client keeps its seat.
   */
  private removeViewer(client: RoomClient, { id }: ParticipantView): void {
    this.context.broadcaster.remove(client);
    this.context.cursors.forget(id);
    this.context.follows.forget(client, id);
  }

  private admitWaiting(): void {
    const { seats, tickInProgress } = this.context;
    if (tickInProgress.ended) return;
    for (let client = seats.dequeue(); client; client = seats.dequeue()) {
      const entry = this.waiting.get(client)!;
      this.waiting.delete(client);
      this.seatParticipant(client, entry);
      this.presence.markQueueChanged();
    }
  }
}
