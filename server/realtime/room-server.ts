/**
 * Connects clients with one room in real time. `RoomServer` creates the parts, such as seats,
 * presence and streaming, and updates the parts after each tick. Start reading at `handleTick`.
 */
import { EventEmitter } from 'node:events';
import type { VisitorState } from '../../shared/host/state.ts';
import type { Event, EventName } from '../../shared/protocol/events.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { EnergySettings, ParticipantId } from '../../shared/vocabulary.ts';
import { skyAt } from '../platform/clock.ts';
import type { TickResult } from '../world/room.ts';
import type { TickTimes } from '../world/tick-times.ts';
import { CommandDispatcher } from './commands/command-dispatcher.ts';
import { type PreviewBackend, SeedPreviews } from './commands/seed-previews.ts';
import { DrawingReview } from './drawings/drawing-review.ts';
import { Hall } from './policy/hall-sensors.ts';
import { Liveliness } from './policy/liveliness.ts';
import { MAX_MUTED, Reports } from './policy/moderation.ts';
import { AffectedOrganisms } from './presence/affected-organisms.ts';
import { Cursors, EventQueue } from './presence/events-and-cursors.ts';
import { Follows } from './presence/follows.ts';
import { Presence, RefreshRequests } from './presence/presence.ts';
import { Visits } from './presence/visits.ts';
import { RoomAdmission, WelcomeBuilder } from './sessions/room-admission.ts';
import type { RoomClient, RoomHooks } from './sessions/room-client.ts';
import { type RoomBasis, type RoomContext, TickInProgress } from './sessions/room-context.ts';
import { SEATS, Seats } from './sessions/seats.ts';
import type { ResumeTokens } from './sessions/signed-tokens.ts';
import { RoomWalls } from './sessions/walls.ts';
import { Spectators } from './sessions/watchers.ts';
import { hasTurn } from './streaming/crowds.ts';
import { RoomBroadcaster } from './streaming/room-broadcaster.ts';
import { type EncoderChannel, RoomEncoders } from './streaming/room-encoders.ts';

/** Interval of messages about the room's pace and load, in ms. */
const PACE_INTERVAL = 1_000;

interface RoomServerOptions extends RoomBasis {
  /** Times of the room's past ticks. */
  readonly times: TickTimes;
  /** Maximum number of present participants. */
  readonly capacity: number;
  readonly resumeTokens: ResumeTokens;
  readonly previews: PreviewBackend;
}

export class RoomServer {
  readonly room = this.options.room;
  readonly clock = this.options.clock;
  readonly times = this.options.times;
  readonly keepUrl = this.options.keepUrl;
  readonly policy = this.options.policy;
  readonly seats = new Seats<RoomClient>({
    capacity: this.options.capacity,
    ...{ grace: SEATS.grace, maxWaiting: SEATS.maxWaiting },
    tokens: this.options.resumeTokens,
    // Organisms store the participant id of their planter, so an id must never be reused.
    first: this.room.lastParticipant + 1,
    // Reserve the seats of participants who were present before a restart, so that they can
    // reconnect.
    expected: {
      participants: this.room.participantsWithState,
      held: this.clock.now() + SEATS.back,
      until: this.clock.now() + SEATS.grace,
    },
  });
  readonly encoders = new RoomEncoders(this.room.grid.planes, this.room.tick);
  readonly broadcaster = new RoomBroadcaster(this.encoders);
  readonly follows = new Follows(this.seats, this.broadcaster);
  readonly cursors = new Cursors();
  readonly visits = new Visits();
  /** Whether a tick is in progress. The tick loop begins each tick; `handleTick` ends it. */
  readonly tickInProgress = new TickInProgress();
  readonly previews = new SeedPreviews(this.room, this.options.previews);
  /** Requests to resend the whole room, or everybody's names, to clients after the next tick. */
  readonly refresh = new RefreshRequests(this.policy);
  readonly reports = new Reports({ ...this.options, kept: this.options.kept.reports });
  private readonly affected = new AffectedOrganisms(
    this.room,
    this.visits,
    this.seats,
    (participant, message) => {
      const client = this.seats.memberOf(participant);
      if (!client || !this.broadcaster.viewportOf(client)) return false;
      client.send('affected', this.policy.redactNames('affected', message));
      return true;
    },
  );
  private readonly liveliness = new Liveliness(this.room);
  private readonly eventQueue = new EventQueue();
  private readonly context: RoomContext = {
    ...this.options,
    ...{ seats: this.seats, visits: this.visits, affected: this.affected, follows: this.follows },
    ...{ broadcaster: this.broadcaster, cursors: this.cursors, eventQueue: this.eventQueue },
    ...{ tickInProgress: this.tickInProgress, hooks: () => this.hooks },
  };
  private readonly welcomeBuilder = new WelcomeBuilder(this.context);
  readonly walls = new RoomWalls(this.context, this.welcomeBuilder);
  readonly spectators = new Spectators(this.context, this.welcomeBuilder);
  readonly presence = new Presence(this.context, [this.walls, this.spectators]);
  readonly admission = new RoomAdmission(this.context, this.presence, this.welcomeBuilder);
  readonly drawings = new DrawingReview(this.context);
  readonly dispatcher = new CommandDispatcher(this.context, this.drawings);
  /** The people whom sensors detect in the hall where the room is shown. */
  readonly hall = new Hall(this.room, (place) => {
    // If the room is too busy to accept the command, ignore the sensor's report.
    this.dispatcher.hostActor.act({ what: 'sense', ...place }).catch(() => {});
  });
  /**
   * `events-sent`: emitted after a tick's events are sent and before its frames are sent.
   * `frames-encoded`: emitted after frames of a tick are encoded. `channels`: the channels (tiers
   * and scales) that have been encoded.
   */
  readonly signals = new EventEmitter<{
    'events-sent': [];
    'frames-encoded': [channels: readonly EncoderChannel[]];
  }>();
  /** Hooks of the extensions, which may refuse joins and commands; undefined without extensions. */
  hooks: RoomHooks | undefined;
  private lastPaceAt = 0;
  private lastTick = 0;

  constructor(private readonly options: RoomServerOptions) {}

  /**
   * Whether a participant, a spectator or a wall is connected. Dimmed walls (outside the opening
   * hours) do not count.
   */
  get isWatched(): boolean {
    const walls = this.policy.isDimmed ? 0 : this.walls.size;
    return this.seats.size + this.spectators.size + walls > 0;
  }

  /**
   * Whether any participant is busy on their page (drawing, choosing or reading), or recently was.
   */
  get isBusy(): boolean {
    return this.seats.isBusy(this.clock.now());
  }

  /** Present participants for the host's page, with details of their visits. */
  get visitors(): Omit<VisitorState, 'organisms' | 'grafted'>[] {
    const { visits, policy, seats } = this;
    const { participants } = seats;
    const tables = this.options.wallSeats.of(this.room.name);
    const counts = visits.participantsByAddress(participants.map(({ id }) => id));
    return participants.map((participant) => ({
      ...participant,
      muted: policy.muted.has(participant.id),
      table: tables.find(({ id }) => id === seats.tableOf(participant.id))?.name ?? null,
      ...visits.summaryOf(participant.id, counts, this.clock.now()),
    }));
  }

  /**
   * Returns the name, device and network address that identify a present participant in a ban;
   * undefined if the participant is not present.
   */
  banTarget(participant: ParticipantId) {
    const found = this.seats.participants.find(({ id }) => id === participant);
    if (!found) return undefined;
    const device = this.options.newcomers.deviceOfParticipant(participant);
    // Do not ban the network address of a person at a touch table, because the next person at the
    // table has the same address.
    const isRing = this.seats.tableOf(participant) !== undefined;
    const address = isRing ? '' : this.visits.addressOf(participant);
    return { participant, name: found.name, device, address };
  }

  /**
   * Mutes a participant, who can then only watch. If `isMuted` is false, lifts the mute.
   *
   * @throws Refusal `elsewhere` if the change cannot be stored
   */
  async mute(participant: ParticipantId, isMuted: boolean): Promise<void> {
    const { keep } = this.options;
    const { muted } = this.policy;
    if (isMuted) {
      muted.add(participant);
      this.cursors.hide(participant);
      this.follows.release(participant);
      await keep('mutes', participant, { id: participant });
    } else {
      muted.delete(participant);
      await keep('mutes', participant);
    }
    const oldest = [...muted].find((id) => !this.seats.memberOf(id));
    if (muted.size > MAX_MUTED && oldest !== undefined) await this.mute(oldest, false);
  }

  /** Changes the energy costs of commands, and sends the new costs to all participants. */
  setEnergy(settings: EnergySettings): void {
    this.room.setEnergy(settings);
    for (const client of this.seats.members) {
      client.send('energy', this.welcomeBuilder.energyOf(this.seats.participantOf(client)!.id));
    }
  }

  /** Removes a client of any kind, including clients in the queue. */
  leave(client: RoomClient): void {
    if (this.walls.remove(client) || this.spectators.remove(client)) return;
    this.admission.leave(client);
  }

  /**
   * Sends a client a new welcome message. Call if earlier messages to the client may have been
   * lost.
   */
  welcomeAgain(client: RoomClient): void {
    for (const one of [this.walls, this.spectators, this.admission]) one.welcomeAgain(client);
  }

  broadcastSettings(): void {
    this.presence.broadcastEvent('settings', this.policy.publicSettings);
  }

  /**
   * Disconnects all clients, including clients in the queue. If `keepWalls` is true, walls stay
   * connected.
   */
  disconnectAll(reason: Reason, keepWalls = false): void {
    this.admission.disconnectAll(reason);
    this.spectators.disconnectAll(reason);
    if (keepWalls) return;
    this.walls.disconnectAll(reason);
    // The room stops, so the tick in progress may never end. End the tick here, to refuse the joins
    // that wait for its end.
    this.tickInProgress.end();
  }

  /** Disconnects all banned participants, clients in the queue and spectators. */
  disconnectBanned(): void {
    this.admission.disconnectBanned();
    this.spectators.disconnectBanned();
  }

  /**
   * Directs everybody's attention to a position in the room, given in cells. Walls show a close-up
   * of this position for a while.
   */
  spotlight(place: Event<'spotlight'>): void {
    this.presence.broadcastEvent('spotlight', place);
    this.walls.show({ closeUp: place });
  }

  /**
   * Records that a client has drawn the frame of a tick. The client has then also received its new
   * resume token, which was sent before the frame.
   *
   * @param frames number of frames that the client has drawn since the last call
   */
  acknowledge(client: RoomClient, tick: number, frames = 1): void {
    this.seats.confirm(client);
    this.walls.confirm(client, frames);
    this.broadcaster.acknowledge(client, tick, this.clock.now());
  }

  /**
   * Updates all parts of the room server after a tick, and answers the tick's commands. Does not
   * send the tick's events and frames (see `broadcast`).
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
    const setting = this.policy.settings.liveliness * this.hall.crowding(now);
    this.liveliness.update(setting, this.isWatched, this.options.pace().slow, now);
    this.affected.follow(result, now);
    this.affected.sendDue(now);
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
    // Queued events may contain outdated names. If names are sent again below, first send the
    // queued events to all clients, so that the current names arrive last.
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
