/** The realtime side of one room: its participants, walls, commands, events and frames. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../shared/protocol/events.ts';
import type { Pointer } from '../../shared/protocol/pointers.ts';
import { type Reason, Refusal } from '../../shared/protocol/reasons.ts';
import type { ParticipantId, ParticipantView } from '../../shared/vocabulary.ts';
import type { GrowthFilm } from '../previews/growth-previews.ts';
import type { Room, TickResult } from '../world/room.ts';
import type { TickTimes } from '../world/tick-times.ts';
import { CommandDispatcher } from './commands/command-dispatcher.ts';
import { type PreviewBackend, SeedPreviewService } from './commands/seed-preview-service.ts';
import { DrawingReview } from './drawings/drawing-review.ts';
import { HostOperations } from './policy/host-operations.ts';
import { Liveliness } from './policy/liveliness.ts';
import { Reports } from './policy/reports.ts';
import type { RoomPolicy } from './policy/room-policy.ts';
import { AffectedOrganisms } from './presence/affected-organisms.ts';
import { Cursors } from './presence/cursors.ts';
import { EventQueue } from './presence/event-queue.ts';
import { Follows } from './presence/follows.ts';
import { PresenceBroadcaster, RefreshRequests } from './presence/presence-broadcaster.ts';
import { VisitStatistics } from './presence/visit-statistics.ts';
import { ParticipantSlots } from './sessions/participant-slots.ts';
import { RoomAdmission } from './sessions/room-admission.ts';
import type { RoomClient, RoomHooks } from './sessions/room-client.ts';
import type { RoomBasis, RoomContext } from './sessions/room-context.ts';
import { RoomWalls } from './sessions/room-walls.ts';
import type { ResumeTokens } from './sessions/signed-tokens.ts';
import { Spectators } from './sessions/spectators.ts';
import { TickInProgress } from './sessions/tick-in-progress.ts';
import { WelcomeBuilder } from './sessions/welcome-builder.ts';
import { RoomBroadcaster, RoomStreams } from './streaming/room-broadcaster.ts';
import { RoomEncoders } from './streaming/room-encoders.ts';
import type { Viewport } from './streaming/viewer-stream.ts';

export interface RoomServerOptions extends RoomBasis {
  /** When the room's ticks were; the server adds those to come. */
  readonly times: TickTimes;
  /** Participants that may be present at once. */
  readonly capacity: number;
  readonly resumeTokens: ResumeTokens;
  readonly previews: PreviewBackend;
}

/** Connects clients to a room, within what the room's policy allows. */
export class RoomServer {
  readonly room: Room;
  /** When its ticks were, by the wall clock. */
  readonly times: TickTimes;
  /** What the host allows in this room. */
  readonly policy: RoomPolicy;
  /** Who is present, and who waits. */
  readonly slots: ParticipantSlots<RoomClient>;
  /** Where participants come in and go out. */
  readonly admission: RoomAdmission;
  readonly walls: RoomWalls;
  /** Who has come by a view-only link. */
  readonly spectators: Spectators;
  /** What the host does to the people in the room. */
  readonly host: HostOperations;
  readonly encoders: RoomEncoders;
  readonly broadcaster: RoomStreams;
  /** Where commands come in. */
  readonly dispatcher: CommandDispatcher;
  /** Drawings that become seeds, and those that wait for the host's yes. */
  readonly drawings: DrawingReview;
  /** What clients are sent again in full after the next tick. */
  readonly refresh: RefreshRequests;
  /** Organisms that visitors have reported. */
  readonly reports: Reports;
  readonly cursors = new Cursors();
  readonly visits = new VisitStatistics();
  /** Begun by the tick loop; ends with `handleTick`. */
  readonly tickInProgress = new TickInProgress();
  /** Who follows whose view. */
  readonly follows: Follows;
  private readonly affected: AffectedOrganisms;
  private readonly liveliness: Liveliness;
  private readonly presence: PresenceBroadcaster;
  private readonly welcomeBuilder: WelcomeBuilder;
  private readonly previews: SeedPreviewService;
  private readonly eventQueue = new EventQueue();
  private lastPaceAt = 0;
  private lastTick = 0;

  /** Called when the events of a tick have been sent, before its frames. */
  onEvents: () => void = () => {};
  /** Told about joins, leaves and commands; may object to them. */
  hooks: RoomHooks | undefined;

  constructor(private readonly options: RoomServerOptions) {
    const { room, policy, capacity, clock, resumeTokens } = options;
    const { grace, back, maxWaiting } = DEFAULTS.stream;
    this.room = room;
    this.times = options.times;
    this.policy = policy;
    this.refresh = new RefreshRequests(policy);
    this.reports = new Reports({ ...options, kept: options.kept.reports });
    this.previews = new SeedPreviewService(room, options.previews);
    this.encoders = new RoomEncoders(room.grid.planes, room.tick);
    this.broadcaster = new RoomStreams(new RoomBroadcaster(this.encoders));
    this.slots = new ParticipantSlots({
      capacity,
      grace,
      maxWaiting,
      tokens: resumeTokens,
      // Organisms name their planter by number, so numbers are never reused.
      first: room.lastParticipant + 1,
      // Participants who were present when the server stopped get time to reconnect.
      expected: {
        participants: room.participantsWithState,
        held: clock.now() + back,
        until: clock.now() + grace,
      },
    });
    this.follows = new Follows(this.slots, this.broadcaster);
    const { slots, visits, broadcaster, cursors, eventQueue, follows, tickInProgress } = this;
    const affected = new AffectedOrganisms({
      room,
      isExpected: (participant) => visits.isKnown(participant),
      personOf: (participant) => {
        const client = slots.memberOf(participant);
        return client && slots.participantOf(client);
      },
      send: (participant, message) => {
        const client = slots.memberOf(participant);
        if (!client || !broadcaster.viewportOf(client)) return false;
        client.send('affected', policy.redactNames('affected', message));
        return true;
      },
    });
    this.affected = affected;
    const context: RoomContext = {
      ...options,
      ...{ slots, visits, affected, broadcaster, cursors, eventQueue, follows, tickInProgress },
      hooks: () => this.hooks,
    };
    const welcomeBuilder = new WelcomeBuilder(context);
    this.welcomeBuilder = welcomeBuilder;
    this.walls = new RoomWalls(context, welcomeBuilder);
    this.spectators = new Spectators(context, welcomeBuilder);
    this.presence = new PresenceBroadcaster(context, () => [
      ...this.walls.members,
      ...this.spectators.members,
    ]);
    this.admission = new RoomAdmission(context, this.presence, welcomeBuilder);
    this.host = new HostOperations(context, this.admission, welcomeBuilder);
    this.drawings = new DrawingReview(context);
    this.liveliness = new Liveliness(room);
    this.dispatcher = new CommandDispatcher(context, this.drawings);
  }

  /** Number of present participants. */
  get size(): number {
    return this.slots.size;
  }

  /** Whether anybody sees the room: a wall is enough, unless it is dimmed. */
  get isWatched(): boolean {
    const walls = this.policy.isDimmed ? 0 : this.walls.size;
    return this.slots.size + this.spectators.size + walls > 0;
  }

  /** Whether a participant draws, chooses or reads something, and has done so lately. */
  get isBusy(): boolean {
    return this.slots.isBusy(this.options.clock.now());
  }

  /** Removes a client: a participant, a wall, a spectator, or one who waits. */
  leave(client: RoomClient): void {
    if (this.walls.remove(client) || this.spectators.remove(client)) return;
    this.admission.leave(client);
  }

  /** Sends everybody the room's public settings. */
  broadcastSettings(): void {
    this.presence.broadcastEvent('settings', this.policy.publicSettings);
  }

  /** Disconnects everybody, including those who wait. */
  disconnectAll(reason: Reason, keepWalls = false): void {
    this.host.disconnectParticipants(reason);
    this.spectators.disconnectAll(reason);
    if (keepWalls) return;
    this.walls.disconnectAll(reason);
    // A room that stops takes no more ticks: those who were to be welcomed are refused.
    this.tickInProgress.end();
  }

  /** Disconnects everybody who is banned by now: participants, those who wait, spectators. */
  disconnectBanned(): void {
    this.host.disconnectBanned();
    this.spectators.disconnectBanned();
  }

  /**
   * Shows everybody where an organism of this participant is.
   *
   * @throws Refusal no-such-organism, not-yours, muted
   */
  beacon(client: RoomClient, { id, organism }: Command<'beacon'>): void {
    const planter = this.room.viewOf(organism)?.planter;
    if (!planter) throw new Refusal('no-such-organism', `organism ${organism}`);
    const you = this.slots.participantOf(client)!;
    if (!this.policy.mayShow(you.id)) throw new Refusal('muted');
    if (planter.id !== you.id) throw new Refusal('not-yours', `organism ${organism}`);
    this.hooks?.active();
    this.presence.broadcastEvent('beacon', { organism, hue: you.hue });
    client.send('accepted', { id });
  }

  /** Asks everybody to look at a place, in cells. Walls go there and stay for a while. */
  spotlight(place: Event<'spotlight'>): void {
    this.presence.broadcastEvent('spotlight', place);
    this.walls.show({ closeUp: place });
  }

  /**
   * Has a participant follow what another one sees.
   *
   * @throws Refusal no-such-participant, follows-you
   */
  follow(client: RoomClient, { id, participant }: Command<'follow'>): void {
    if (participant !== undefined && !this.policy.mayShow(participant)) {
      throw new Refusal('no-such-participant', `participant ${participant}`);
    }
    this.follows.follow(client, participant);
    client.send('accepted', { id });
  }

  /** Reports an organism to the host; the answer comes when the report is stored. */
  report(client: RoomClient, { id, organism }: Command<'report'>): Promise<void> {
    const you = this.slots.participantOf(client)!;
    return this.dispatcher.runAsync(client, id, async () => {
      if (!this.policy.mayShow(you.id)) throw new Refusal('muted');
      await this.reports.add(organism, you.id);
      client.send('accepted', { id });
    });
  }

  /**
   * Sends the seed of a living organism as a token, and the page that grows it at home.
   *
   * @throws Refusal no-such-organism
   */
  keep(client: RoomClient, { id, organism }: Command<'keep'>): void {
    const { keepUrl } = this.options;
    const token = this.room.tokenOf(organism);
    client.send('accepted', { id, token, ...(keepUrl !== undefined && { page: keepUrl }) });
  }

  /**
   * Renames a participant and tells everybody with the next tick.
   *
   * @param name cleaned and checked
   */
  rename(client: RoomClient, id: number, name: string): ParticipantView | undefined {
    const you = this.slots.rename(client, name);
    if (!you) return undefined;
    this.presence.changes.rename(you);
    client.send('accepted', { id });
    return you;
  }

  /** Grows a preview of a seed; the answer comes when it is done. */
  preview(client: RoomClient, command: Command<'preview'>): Promise<void> {
    const { id } = command;
    const you = this.slots.participantOf(client)!;
    // A visitor's page is open, and its drawing pad is one tap away.
    if (this.policy.settings.drawings !== 'off') this.previews.prepareToDraw();
    return this.dispatcher.runAsync(client, id, async () => {
      this.dispatcher.requireSeed(command.seed, you.id);
      const film = await this.previews.preview(you, command, client.address);
      client.send('accepted', { id, film: film as Required<Event<'accepted'>>['film'] });
    });
  }

  /** Turns a drawing into a seed in the participant's inventory, if need be after the host's yes. */
  draw(client: RoomClient, { id: request, pixels }: Command<'draw'>): Promise<void> {
    const by = this.slots.participantOf(client)!;
    return this.dispatcher.runAsync(client, request, async () => {
      if (this.drawings.sentAgain({ by, client, request, pixels })) return;
      this.policy.requireMayAct(by.id);
      this.drawings.requireOn();
      const latent = await this.previews.encode(pixels, client.address);
      await this.drawings.submit({ by, client, request, pixels, latent });
    });
  }

  /** Grows a waiting drawing for the host. @throws Refusal too-fast, room-busy */
  grow(latent: Float32Array): Promise<GrowthFilm> {
    return this.previews.grow(latent);
  }

  /**
   * The client has drawn the frame of a tick, so it also knows its new resume token.
   *
   * @param frames how many it has drawn since the last call
   */
  acknowledge(client: RoomClient, tick: number, frames = 1): void {
    this.slots.confirm(client);
    this.walls.confirm(client, frames);
    this.broadcaster.acknowledge(client, tick, this.options.clock.now());
    const you = this.slots.participantOf(client);
    if (you) this.affected.acknowledge(you.id, tick);
  }

  /** A participant has done something, so they are not idle. */
  touch(client: RoomClient): void {
    this.slots.touch(client, this.options.clock.now());
  }

  /**
   * A participant has opened something in which they draw, choose or read, does something in it, or
   * has closed it. An abandoned page counts as busy for `attract.busyFor` at most.
   */
  setBusy(client: RoomClient, busy: boolean): void {
    const { busyFor } = DEFAULTS.attract;
    this.slots.setBusy(client, busy ? this.options.clock.now() + busyFor : 0);
  }

  /** Sets what a client looks at; undefined while its page is hidden. */
  setViewport(client: RoomClient, viewport: Viewport | undefined): void {
    this.broadcaster.setViewport(client, viewport, this.options.clock.now());
    this.follows.viewChanged(client);
  }

  /** Moves a participant's cursor, unless the participant is muted. */
  moveCursor(participant: ParticipantId, cursor: Omit<Pointer, 'id'>): void {
    if (!this.policy.mayShow(participant)) return;
    this.hooks?.active();
    this.cursors.move(participant, cursor);
  }

  /** Answers the commands of a tick and takes over its changes; `broadcast` sends them later. */
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
      setting: this.policy.settings.liveliness,
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

  /** Sends the events and frames of the last tick. Call it before the next `handleTick`. */
  broadcast(now: number): void {
    const refresh = this.refresh.take();
    // Events may carry earlier names, so all must arrive before the new names.
    const toAll = refresh === 'names';
    this.eventQueue.deliver(
      this.presence.allClients(),
      (client) => toAll || this.broadcaster.hasTurn(client, this.lastTick),
    );
    if (refresh === 'names') this.presence.resendNames();
    this.onEvents();
    this.encoders.advance();
    this.broadcaster.publish(now);
    if (refresh === 'room') this.admission.resendWelcomes();
    if (!refresh) return;
    this.walls.resendWallWelcomes();
    if (refresh !== 'walls') this.spectators.resendWelcomes();
  }

  private queueEvents({ tick, life }: TickResult, now: number): void {
    const add = <N extends EventName>(event: N, message: Event<N>): void =>
      this.eventQueue.add(event, this.policy.redactNames(event, message));
    if (life.length > 0) add('life', { tick, events: [...life] as Event<'life'>['events'] });
    const moved = this.cursors.due(now, this.slots.size);
    if (moved) add('cursors', moved);
    if (now - this.lastPaceAt < DEFAULTS.net.heartbeat) return;
    this.lastPaceAt = now;
    const { awake, size: organisms } = this.room;
    add('pace', { ...this.options.pace(), awake, organisms });
  }
}
