/**
 * The realtime side of one room. It creates the room's parts, which callers then use directly, and
 * passes each tick to them. Clients' messages are handled in commands/client-messages.ts. Start at
 * `handleTick`.
 */
import { EventEmitter } from 'node:events';
import type { Event, EventName } from '../../shared/protocol/events.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import { type Clock, skyAt } from '../platform/clock.ts';
import type { Room, TickResult } from '../world/room.ts';
import type { TickTimes } from '../world/tick-times.ts';
import { CommandDispatcher } from './commands/command-dispatcher.ts';
import { type PreviewBackend, SeedPreviews } from './commands/seed-previews.ts';
import { DrawingReview } from './drawings/drawing-review.ts';
import { HostOperations } from './policy/host-operations.ts';
import { Hall, Liveliness } from './policy/liveliness.ts';
import { Reports } from './policy/reports.ts';
import type { RoomPolicy } from './policy/room-policy.ts';
import { AffectedOrganisms } from './presence/affected-organisms.ts';
import { Cursors, EventQueue, hasTurn } from './presence/events-and-cursors.ts';
import { Follows } from './presence/follows.ts';
import { Presence, RefreshRequests } from './presence/presence.ts';
import { Visits } from './presence/visits.ts';
import { RoomAdmission } from './sessions/room-admission.ts';
import type { RoomClient, RoomHooks } from './sessions/room-client.ts';
import { type RoomBasis, type RoomContext, TickInProgress } from './sessions/room-context.ts';
import { RoomWalls } from './sessions/room-walls.ts';
import { SEATS, Seats } from './sessions/seats.ts';
import type { ResumeTokens } from './sessions/signed-tokens.ts';
import { Spectators } from './sessions/watchers.ts';
import { WelcomeBuilder } from './sessions/welcome-builder.ts';
import { RoomBroadcaster } from './streaming/room-broadcaster.ts';
import { type EncoderChannel, RoomEncoders } from './streaming/room-encoders.ts';

/** Interval of the room's pace messages, in ms. */
const PACE_INTERVAL = 1_000;

interface RoomServerOptions extends RoomBasis {
  /** When the room's past ticks took place. The server adds each new tick. */
  readonly times: TickTimes;
  /** Maximum number of present participants. */
  readonly capacity: number;
  readonly resumeTokens: ResumeTokens;
  readonly previews: PreviewBackend;
}

/** Connects clients to a room, as far as the room's policy allows. */
export class RoomServer {
  readonly room: Room;
  readonly clock: Clock;
  /** When the room's ticks took place, by the wall clock. */
  readonly times: TickTimes;
  readonly keepUrl: string | undefined;
  /** The host's rules for this room. */
  readonly policy: RoomPolicy;
  /** Present participants, and the queue. */
  readonly seats: Seats<RoomClient>;
  /** Lets participants in and out. */
  readonly admission: RoomAdmission;
  readonly walls: RoomWalls;
  /** Visitors who have a view-only link. */
  readonly spectators: Spectators;
  /** The host's operations on the people in the room. */
  readonly host: HostOperations;
  readonly encoders: RoomEncoders;
  readonly broadcaster: RoomBroadcaster;
  readonly dispatcher: CommandDispatcher;
  readonly previews: SeedPreviews;
  /** Reviews drawings before they become seeds. */
  readonly drawings: DrawingReview;
  /** What sensors perceive in the hall where the room is shown. */
  readonly hall: Hall;
  /** Requests to send the whole room, or all names, to clients again after the next tick. */
  readonly refresh: RefreshRequests;
  /** Organisms that visitors have reported. */
  readonly reports: Reports;
  readonly cursors = new Cursors();
  readonly visits = new Visits();
  /** Whether a tick is in progress. The tick loop begins a tick, and `handleTick` ends it. */
  readonly tickInProgress = new TickInProgress();
  /** Participants who follow another participant's view. */
  readonly follows: Follows;
  readonly presence: Presence;
  /**
   * `events-sent`: the events of a tick have been sent, but its frames have not. `frames-encoded`:
   * the frames of these channels have been encoded.
   */
  readonly signals = new EventEmitter<{
    'events-sent': [];
    'frames-encoded': [channels: readonly EncoderChannel[]];
  }>();
  private readonly affected: AffectedOrganisms;
  private readonly liveliness: Liveliness;
  private readonly welcomeBuilder: WelcomeBuilder;
  private readonly eventQueue = new EventQueue();
  private lastPaceAt = 0;
  private lastTick = 0;

  /** Observes joins, departures and commands, and may refuse joins and commands. */
  hooks: RoomHooks | undefined;

  constructor(private readonly options: RoomServerOptions) {
    const { room, policy, capacity, clock, resumeTokens } = options;
    const { grace, back, maxWaiting } = SEATS;
    this.room = room;
    this.clock = clock;
    this.times = options.times;
    this.keepUrl = options.keepUrl;
    this.policy = policy;
    this.refresh = new RefreshRequests(policy);
    this.reports = new Reports({ ...options, kept: options.kept.reports });
    this.previews = new SeedPreviews(room, options.previews);
    this.encoders = new RoomEncoders(room.grid.planes, room.tick);
    this.broadcaster = new RoomBroadcaster(this.encoders);
    this.seats = new Seats({
      capacity,
      grace,
      maxWaiting,
      tokens: resumeTokens,
      // Start after the last id that has been used: organisms name their planters by id, so ids of
      // participants must never be reused.
      first: room.lastParticipant + 1,
      // Reserve seats for participants who were present when the server stopped, so that they have
      // time to reconnect.
      expected: {
        participants: room.participantsWithState,
        held: clock.now() + back,
        until: clock.now() + grace,
      },
    });
    this.follows = new Follows(this.seats, this.broadcaster);
    const { seats, visits, broadcaster, cursors, eventQueue, follows, tickInProgress } = this;
    const affected = new AffectedOrganisms({
      room,
      isExpected: (participant) => visits.isKnown(participant),
      personOf: (participant) => {
        const client = seats.memberOf(participant);
        return client && seats.participantOf(client);
      },
      send: (participant, message) => {
        const client = seats.memberOf(participant);
        if (!client || !broadcaster.viewportOf(client)) return false;
        client.send('affected', policy.redactNames('affected', message));
        return true;
      },
    });
    this.affected = affected;
    const context: RoomContext = {
      ...options,
      ...{ seats, visits, affected, broadcaster, cursors, eventQueue, follows, tickInProgress },
      hooks: () => this.hooks,
    };
    const welcomeBuilder = new WelcomeBuilder(context);
    this.welcomeBuilder = welcomeBuilder;
    this.walls = new RoomWalls(context, welcomeBuilder);
    this.spectators = new Spectators(context, welcomeBuilder);
    this.presence = new Presence(context, [this.walls, this.spectators]);
    this.admission = new RoomAdmission(context, this.presence, welcomeBuilder);
    this.host = new HostOperations(context, welcomeBuilder);
    this.drawings = new DrawingReview(context);
    this.liveliness = new Liveliness(room);
    this.dispatcher = new CommandDispatcher(context, this.drawings);
    this.hall = new Hall(room, (place) => {
      // A room that is too busy ignores who is near.
      this.dispatcher.hostActor.act({ what: 'sense', ...place }).catch(() => {});
    });
  }

  /** Whether anybody can see the room. A single wall is enough, unless the room is dimmed. */
  get isWatched(): boolean {
    const walls = this.policy.isDimmed ? 0 : this.walls.size;
    return this.seats.size + this.spectators.size + walls > 0;
  }

  /** Whether any participant has recently been drawing, choosing or reading something. */
  get isBusy(): boolean {
    return this.seats.isBusy(this.clock.now());
  }

  /**
   * Removes a client, which may be a participant, a wall, a spectator, or a client in the queue.
   */
  leave(client: RoomClient): void {
    if (this.walls.remove(client) || this.spectators.remove(client)) return;
    this.admission.leave(client);
  }

  broadcastSettings(): void {
    this.presence.broadcastEvent('settings', this.policy.publicSettings);
  }

  /** Disconnects all clients, including clients in the queue. */
  disconnectAll(reason: Reason, keepWalls = false): void {
    this.admission.disconnectAll(reason);
    this.spectators.disconnectAll(reason);
    if (keepWalls) return;
    this.walls.disconnectAll(reason);
    // The room will not tick again, so end the last tick. This refuses the joins that wait for its
    // end.
    this.tickInProgress.end();
  }

  /** Disconnects all participants, clients in the queue and spectators who have been banned. */
  disconnectBanned(): void {
    this.admission.disconnectBanned();
    this.spectators.disconnectBanned();
  }

  /**
   * Directs everybody to a position, in cells. For a while, walls show a close-up of this position.
   */
  spotlight(place: Event<'spotlight'>): void {
    this.presence.broadcastEvent('spotlight', place);
    this.walls.show({ closeUp: place });
  }

  /**
   * Records that a client has drawn the frame of a tick, which shows that it has its new resume
   * token.
   *
   * @param frames number of frames drawn since the last call
   */
  acknowledge(client: RoomClient, tick: number, frames = 1): void {
    this.seats.confirm(client);
    this.walls.confirm(client, frames);
    this.broadcaster.acknowledge(client, tick, this.clock.now());
    const you = this.seats.participantOf(client);
    if (you) this.affected.acknowledge(you.id, tick);
  }

  /**
   * Answers the commands of a tick and processes its changes. `broadcast` sends the changes later.
   */
  handleTick(result: TickResult, now: number): void {
    this.times.add({ tick: result.tick, at: this.options.date() });
    const gone = this.admission.expire(now);
    this.presence.sendPresenceChanges();
    this.welcomeBuilder.endTick();
    this.presence.sendQueuePositions();
    this.follows.sendNews();
    for (const answer of result.answers) {
      if (!answer.refused && !answer.continued) this.visits.countCommand(answer.by);
      this.drawings.answered(answer);
      this.dispatcher.answer(answer);
    }
    this.drawings.endTick(now, gone);
    this.reports.follow(result.life);
    this.liveliness.update({
      setting: this.policy.settings.liveliness * this.hall.crowding(now),
      ...{ isWatched: this.isWatched, isSlow: this.options.pace().slow, now },
    });
    this.affected.follow(result, now);
    this.affected.send(result.tick, now);
    this.queueEvents(result, now);
    this.encoders.follow(result.tick, result.changed);
    this.lastTick = result.tick;
    this.refresh.endTick();
    this.tickInProgress.end();
    this.admission.shareOut(now);
  }

  /** Sends the events and frames of the last tick. Call before the next `handleTick`. */
  broadcast(now: number): void {
    const refresh = this.refresh.take();
    // The events may contain earlier names, so deliver them to all clients before the new names.
    const toAll = refresh === 'names';
    this.eventQueue.deliver(
      this.presence.allClients(),
      (client) => toAll || hasTurn(client, this.broadcaster, this.lastTick),
    );
    if (refresh === 'names') this.presence.resendNames();
    this.signals.emit('events-sent');
    this.signals.emit('frames-encoded', this.encoders.advance());
    this.broadcaster.publish(now);
    if (refresh === 'room') this.admission.resendWelcomes();
    if (!refresh) return;
    this.walls.resendWelcomes();
    if (refresh !== 'walls') this.spectators.resendWelcomes();
  }

  private queueEvents({ tick, life }: TickResult, now: number): void {
    const add = <N extends EventName>(event: N, message: Event<N>): void =>
      this.eventQueue.add(event, this.policy.redactNames(event, message));
    if (life.length > 0) add('life', { tick, events: [...life] as Event<'life'>['events'] });
    const moved = this.cursors.due(now, this.seats.size);
    if (moved) add('cursors', moved);
    if (now - this.lastPaceAt < PACE_INTERVAL) return;
    this.lastPaceAt = now;
    const { awake, size: organisms } = this.room;
    add('pace', { ...this.options.pace(), awake, organisms, sky: skyAt(this.options.date()) });
  }
}
