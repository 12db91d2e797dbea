/** A room as the network sees it: who is in it, its stream, its small talk. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { VisitorState } from '../../shared/host/state.ts';
import { hueOf } from '../../shared/hues.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../shared/protocol/events.ts';
import type { Pointer } from '../../shared/protocol/pointers.ts';
import { type Reason, Refusal } from '../../shared/protocol/reasons.ts';
import type {
  EnergySettings,
  OrganismId,
  OrganismView,
  ParticipantId,
  ParticipantView,
} from '../../shared/vocabulary.ts';
import type { Clock } from '../platform/clock.ts';
import type { RoomCommand } from '../world/commands.ts';
import type { Room, TickResult } from '../world/room.ts';
import type { Pace } from '../world/ticker.ts';
import { CommandDispatcher } from './commands/command-dispatcher.ts';
import { type PreviewBackend, SeedPreviewService } from './commands/seed-preview-service.ts';
import type { SystemActor } from './commands/system-actor.ts';
import type { RoomPolicy } from './policy/room-policy.ts';
import { Cursors } from './presence/cursors.ts';
import { EventQueue } from './presence/event-queue.ts';
import { allNames, PresenceChanges } from './presence/presence-changes.ts';
import { VisitStatistics } from './presence/visit-statistics.ts';
import type { NewcomerEnergy } from './sessions/newcomer-energy.ts';
import { ParticipantSlots } from './sessions/participant-slots.ts';
import type { ResumeTokens } from './sessions/resume-tokens.ts';
import type {
  JoinRequest,
  RoomAccess,
  RoomClient,
  RoomHooks,
  RoomInfo,
  WallInfo,
} from './sessions/room-client.ts';
import { WallSlots } from './sessions/wall-slots.ts';
import { WelcomeBuilder } from './sessions/welcome-builder.ts';
import { RoomBroadcaster } from './streaming/room-broadcaster.ts';
import type { Viewport } from './streaming/viewer-stream.ts';

type Anew = 'room' | 'names' | 'walls';

export class RoomServer {
  private readonly slots: ParticipantSlots<RoomClient>;
  private readonly walls = new WallSlots<RoomClient>(DEFAULTS.room.maxWalls);
  private readonly waiting = new Map<RoomClient, JoinRequest>();
  private readonly broadcaster: RoomBroadcaster;
  private readonly previews: SeedPreviewService;
  private readonly welcomeBuilder: WelcomeBuilder;
  private readonly dispatcher: CommandDispatcher;
  private readonly pointers = new Cursors();
  private paceAt = 0;
  private readonly presenceChanges = new PresenceChanges();
  private readonly eventQueue = new EventQueue();
  private readonly visits = new VisitStatistics();
  /** What is shown anew after the next tick: to everybody the room, which has become another at once, or who has which name; or walls alone. */
  private requestedRefresh: Anew | undefined;
  /** That tick is done. */
  private pendingRefresh: Anew | undefined;
  /** Whose names are not shown, as everybody was last told or is about to be. */
  private hiddenNamesKey: string;
  /** The last that was published. */
  private lastTick = 0;
  private queueChanged = false;

  hooks: RoomHooks | undefined;

  constructor(
    readonly room: Room,
    facts: RoomInfo,
    private readonly pace: () => Pace,
    capacity: number,
    private readonly clock: Clock,
    resumeTokens: ResumeTokens,
    private readonly newcomers: NewcomerEnergy,
    private readonly ways: RoomAccess,
    wallFacts: () => WallInfo = () => ({ origin: '', build: '' }),
    glass?: PreviewBackend,
  ) {
    this.previews = new SeedPreviewService(room, glass);
    this.welcomeBuilder = new WelcomeBuilder(room, facts, pace, ways.policy, wallFacts);
    const { grace, maxWaiting } = DEFAULTS.stream;
    this.slots = new ParticipantSlots({
      capacity,
      grace,
      maxWaiting,
      newToken: (participant) => resumeTokens.issue(participant),
      readToken: (token) => resumeTokens.read(token),
      // A number names one participant for ever, for it names who planted what.
      first: room.lastParticipant + 1,
      // Who was here when the server ended is given the time to come back.
      expected: { participants: room.participantsWithState, until: clock.now() + grace },
    });
    this.dispatcher = new CommandDispatcher({
      ...{ room, policy: ways.policy, clock },
      hooks: () => this.hooks,
      clientOf: (participant) => this.slots.memberOf(participant),
      newNumber: () => this.slots.newNumber(),
    });
    this.broadcaster = new RoomBroadcaster(room.grid.planes, room.tick);
    this.hiddenNamesKey = ways.policy.hiddenNamesKey;
  }

  get size(): number {
    return this.slots.size;
  }

  /** Whether anybody sees the room: a wall is enough. */
  get isWatched(): boolean {
    return this.slots.size + this.walls.size > 0;
  }

  /** Frames that members were not sent because they were behind. */
  get skippedFrames(): number {
    return this.broadcaster.skippedFrames;
  }

  /**
   * Welcomes a member and sends her the first picture; in a full room she waits until there is a place.
   *
   * @throws Refusal room-full, when too many wait already; sent-away
   */
  join(client: RoomClient, request: JoinRequest): void {
    if (this.policy.isClosed) throw new Refusal('room-closed');
    const owner =
      request.resumeToken === undefined ? undefined : this.slots.ownerOf(request.resumeToken);
    if (this.ways.bans.isBanned(this.room.name, owner, request.address ?? '')) {
      throw new Refusal('sent-away');
    }
    const returns =
      request.resumeToken !== undefined && this.slots.holdsSlotFor(request.resumeToken);
    if (this.slots.isFull && (!returns || this.slots.isCrowded)) {
      const ahead = this.slots.enqueue(client);
      if (ahead === undefined) throw new Refusal('room-full');
      this.waiting.set(client, request);
      client.send('waiting', { ahead });
      return;
    }
    this.seatParticipant(client, request);
  }

  /**
   * Shows a wall everything from now on.
   *
   * @param address what its address is called
   * @param holds [chunks] checks of what it still shows
   * @throws Refusal too-many-walls
   */
  addWall(wall: RoomClient, address: string, holds?: ArrayLike<number>): void {
    const gone = this.walls.add(wall, address);
    if (gone) {
      this.broadcaster.remove(gone);
      gone.disconnect('too-many-walls');
    }
    this.welcomeWall(wall, holds);
  }

  hasWallAt(address: string): boolean {
    return this.walls.hasWallAt(address);
  }

  leave(client: RoomClient): void {
    if (this.walls.remove(client)) {
      this.broadcaster.remove(client);
      return;
    }
    if (this.slots.leaveQueue(client)) {
      this.waiting.delete(client);
      this.queueChanged = true;
      return;
    }
    const gone = this.slots.leave(client, this.clock.now());
    if (!gone) return;
    this.removeViewer(client, gone);
    this.hooks?.left(gone);
    this.presenceChanges.leave(gone.id);
    this.admitWaiting();
  }

  /**
   * A member wants something of the room; the answer comes with the next tick.
   *
   * @throws Refusal
   */
  dispatch(client: RoomClient, id: number, command: RoomCommand): void {
    this.dispatcher.dispatch(client, id, command);
  }

  /**
   * Somebody of the house who acts here.
   *
   * @param plays whether its acts count as somebody playing
   */
  createSystemActor(name: string, plays: boolean): SystemActor {
    return this.dispatcher.createSystemActor(name, plays);
  }

  /** Who acts for the host here: nobody, by the number of the house. */
  get hostActor(): SystemActor {
    return this.dispatcher.hostActor;
  }

  /** Her pointer is shown no longer. */
  hideCursor(participant: ParticipantId): void {
    this.pointers.hide(participant);
  }

  get waitingCount(): number {
    return this.slots.queued.length;
  }

  get policy(): RoomPolicy {
    return this.ways.policy;
  }

  /** The rules are others now; everybody is told. */
  broadcastSettings(): void {
    this.broadcastEvent('settings', this.policy.publicSettings);
  }

  /** From now on so many may be there at once; nobody has to go. */
  setCapacity(capacity: number): void {
    this.slots.setCapacity(capacity);
    this.admitWaiting();
  }

  /**
   * Everybody is shown anew after the next tick what has become another: names, where the rules show others than before; else the
   * room.
   */
  requestRefresh(): void {
    const { hiddenNamesKey: veiled } = this.policy;
    if (veiled === this.hiddenNamesKey) this.requestedRefresh = 'room';
    else if (this.requestedRefresh !== 'room') this.requestedRefresh = 'names';
    this.hiddenNamesKey = veiled;
  }

  /** Walls are told anew after the next tick where phones come in. */
  requestWallRefresh(): void {
    this.requestedRefresh ??= 'walls';
  }

  /** Whether one is there. */
  isPresent(participant: ParticipantId): boolean {
    return this.slots.memberOf(participant) !== undefined;
  }

  /** Those who are there, as the host sees them. */
  get visitors(): Omit<VisitorState, 'organisms'>[] {
    const { participants } = this.slots;
    const crowds = this.visits.participantsByAddress(participants.map(({ id }) => id));
    return participants.map((one) => ({
      ...one,
      muted: this.policy.muted.has(one.id),
      ...this.visits.summaryOf(one.id, crowds, this.clock.now()),
    }));
  }

  /** What a participant's address is called; '' where it is not known. */
  addressOf(participant: ParticipantId): string {
    return this.visits.addressOf(participant);
  }

  /** Ends the visits of those whom the host has just sent away. */
  disconnectBanned(): void {
    const { bans } = this.ways;
    for (const [client, { address = '' }] of [...this.waiting]) {
      if (!bans.isBanned(this.room.name, undefined, address)) continue;
      this.leave(client);
      client.disconnect('sent-away');
    }
    for (const member of [...this.slots.members]) {
      const { id } = this.slots.participantOf(member)!;
      if (!bans.isBanned(this.room.name, id, this.addressOf(id))) continue;
      this.leave(member);
      member.disconnect('sent-away');
    }
  }

  /** Everybody has to go, those who wait too; and the walls, unless they may stay. */
  disconnectAll(reason: Reason, keepWalls = false): void {
    const walls = keepWalls ? [] : [...this.walls.members];
    for (const client of [...this.waiting.keys(), ...this.slots.members, ...walls]) {
      this.waiting.delete(client);
      if (!this.slots.leaveQueue(client)) this.leave(client);
      client.disconnect(reason);
    }
  }

  /** The host changes what acts cost; everybody is told. */
  setEnergy(settings: EnergySettings): void {
    this.room.setEnergy(settings);
    for (const client of this.slots.members) {
      client.send('energy', this.welcomeBuilder.energyOf(this.slots.participantOf(client)!.id));
    }
  }

  /**
   * Everybody sees where an organism of a member's is.
   *
   * @throws Refusal no-such-organism, not-yours
   */
  beacon(client: RoomClient, { id, organism }: Command<'beacon'>): void {
    const { planter } = this.requireOrganism(organism);
    const you = this.slots.participantOf(client)!;
    if (!this.policy.mayShow(you.id)) throw new Refusal('muted');
    if (planter.id !== you.id) throw new Refusal('not-yours', `organism ${organism}`);
    this.hooks?.active();
    this.broadcastEvent('beacon', { organism, hue: you.hue });
    client.send('accepted', { id });
  }

  /**
   * Gives a member a living organism's seed as a token.
   *
   * @throws Refusal no-such-organism
   */
  keep(client: RoomClient, { id, organism }: Command<'keep'>): void {
    client.send('accepted', { id, token: this.room.tokenOf(organism) });
  }

  /** A member is called otherwise from now on; everybody is told. @param name cleaned and allowed */
  rename(client: RoomClient, id: number, name: string): ParticipantView | undefined {
    const you = this.slots.rename(client, name);
    if (!you) return undefined;
    this.presenceChanges.rename(you);
    client.send('accepted', { id });
    return you;
  }

  /** Shows a member how a seed would grow. She is answered when it has. */
  preview(client: RoomClient, command: Command<'preview'>): Promise<void> {
    const { id } = command;
    const you = this.slots.participantOf(client)!;
    return this.dispatcher.runAsync(client, id, async () => {
      const film = await this.previews.preview(you, command);
      client.send('accepted', { id, film: film as Required<Event<'accepted'>>['film'] });
    });
  }

  /** Makes a member's drawing a seed in her hand. */
  draw(client: RoomClient, command: Command<'draw'>): Promise<void> {
    const you = this.slots.participantOf(client)!;
    return this.dispatcher.runAsync(client, command.id, async () => {
      this.policy.requireMayAct(you.id);
      return this.previews.draw(
        you,
        command,
        () => this.slots.participantOf(client)?.id === you.id,
      );
    });
  }

  acknowledge(client: RoomClient, tick: number): void {
    this.slots.confirm(client);
    this.broadcaster.acknowledge(client, tick, this.clock.now());
  }

  resync(client: RoomClient, chunks: readonly number[]): void {
    this.broadcaster.resync(client, chunks);
  }

  setViewport(client: RoomClient, look: Viewport | undefined): void {
    this.broadcaster.setViewport(client, look, this.clock.now());
  }

  moveCursor(participant: ParticipantId, cursor: Omit<Pointer, 'id'>): void {
    if (!this.policy.mayShow(participant)) return;
    this.hooks?.active();
    this.pointers.move(participant, cursor);
  }

  /** Takes in what a tick has brought, and answers what was asked; `show` tells everybody. */
  handleTick(result: TickResult, now: number): void {
    for (const participant of this.slots.expire(now)) {
      this.newcomers.leave(participant);
      this.room.leave(participant);
      this.visits.leave(participant);
    }
    this.sendPresenceChanges();
    this.sendQueuePositions();
    for (const answer of result.answers) {
      if (!answer.refused) this.visits.countCommand(answer.by);
      this.dispatcher.answer(answer);
    }
    this.queueEvents(result, now);
    this.broadcaster.follow(result.tick, result.changed);
    this.lastTick = result.tick;
    this.pendingRefresh = this.requestedRefresh;
    this.requestedRefresh = undefined;
  }

  /** Everybody is greeted anew by the next `show`. */
  get hasPendingRefresh(): boolean {
    return this.pendingRefresh !== undefined;
  }

  /** Sends everybody the news and the cells of the last tick; once for each, before the next is published. */
  broadcast(now: number): void {
    const { pendingRefresh: due } = this;
    this.pendingRefresh = undefined;
    // Whoever is told who has which name must not hear afterwards of what was before.
    const all = due === 'names';
    this.eventQueue.deliver(
      this.allClients(),
      (client) => all || this.broadcaster.hasTurn(client, this.lastTick),
    );
    if (due === 'names') this.resendNames();
    this.broadcaster.publish(now);
    if (due === 'room') this.resendWelcomes();
    if (due) this.resendWallWelcomes();
  }

  private queueEvents({ tick, life }: TickResult, now: number): void {
    const add = <N extends EventName>(event: N, message: Event<N>): void =>
      this.eventQueue.add(event, this.policy.redactNames(event, message));
    if (life.length > 0) add('life', { tick, events: [...life] as Event<'life'>['events'] });
    const moved = this.pointers.due(now, this.slots.size);
    if (moved) add('cursors', moved);
    if (now - this.paceAt < DEFAULTS.net.heartbeat) return;
    this.paceAt = now;
    const { awake, size: organisms } = this.room;
    add('pace', { ...this.pace(), awake, organisms });
  }

  private *allClients(): Generator<RoomClient> {
    yield* this.slots.members;
    yield* this.walls.members;
  }

  /** @throws Refusal no-such-organism */
  private requireOrganism(id: OrganismId): OrganismView {
    const organism = this.room.viewOf(id);
    if (!organism) throw new Refusal('no-such-organism', `organism ${id}`);
    return organism;
  }

  /** One message does for all: greeting each would tell everybody of everybody, and send all cells again. */
  private resendNames(): void {
    const names = this.policy.redactNames(
      'people',
      allNames(this.slots.participants, this.room.organisms),
    );
    for (const client of this.slots.members) {
      client.send('people', names);
      const you = this.slots.participantOf(client)!;
      // She herself goes on seeing hers, as after her welcome.
      if (this.policy.isNameHidden(you)) client.send('people', { joined: [you], left: [] });
    }
  }

  private resendWelcomes(): void {
    for (const client of this.slots.members) {
      this.broadcaster.remove(client);
      this.welcomeBuilder.sendWelcome(client, this.slots.participantOf(client)!, this.slots);
      this.eventQueue.startFor(client);
      this.broadcaster.add(client, this.wholeRoom(), this.clock.now());
    }
  }

  /** Walls are few, and write names into the picture, which nothing but their greeting changes. */
  private resendWallWelcomes(): void {
    for (const wall of this.walls.members) {
      this.broadcaster.remove(wall);
      this.welcomeWall(wall);
    }
  }

  private seatParticipant(
    client: RoomClient,
    {
      name,
      resumeToken: resume,
      heldChecksums: holds,
      onSeated: seated,
      deviceMark: mark,
      address = '',
    }: JoinRequest,
  ): void {
    const { you, isNew, replaced } = this.slots.claim(client, resume, (id) => ({
      id,
      name,
      hue: hueOf(id),
    }));
    const granted = this.newcomers.arrive(you.id, isNew, { mark, address });
    if (isNew) this.room.enter(you.id, granted.energy);
    this.visits.enter(you.id, address, this.clock.now());
    if (replaced) {
      this.removeViewer(replaced, you);
      replaced.disconnect('replaced');
    }
    if (!replaced) this.presenceChanges.enter(you);
    this.welcomeBuilder.sendWelcome(client, you, this.slots, granted.mark);
    this.eventQueue.startFor(client);
    seated(you);
    if (!replaced) this.hooks?.joined(you);
    this.broadcaster.add(client, this.wholeRoom(), this.clock.now(), holds);
  }

  private welcomeWall(wall: RoomClient, holds?: ArrayLike<number>): void {
    this.welcomeBuilder.sendWallWelcome(wall, this.slots);
    this.eventQueue.startFor(wall);
    this.broadcaster.add(wall, this.wholeRoom(), this.clock.now(), holds, 'full');
  }

  /** What one looks at until she says otherwise. */
  private wholeRoom(): Viewport {
    const { width, height } = this.room.grid.planes;
    return { x: 0, y: 0, width, height, pixels: 1, best: 'full' };
  }

  /** Who has come and gone since the last tick, in one message, however many. */
  private sendPresenceChanges(): void {
    if (!this.presenceChanges.hasChanges) return;
    const tell = (client: RoomClient, own?: ParticipantId): void => {
      const news = this.presenceChanges.changesFor(own);
      if (news) client.send('people', this.policy.redactNames('people', news));
      // She herself goes on seeing hers.
      const you = news?.joined.find(({ id }) => id === own);
      if (you && this.policy.isNameHidden(you)) client.send('people', { joined: [you], left: [] });
    };
    for (const member of this.slots.members) tell(member, this.slots.participantOf(member)!.id);
    for (const wall of this.walls.members) tell(wall);
    this.presenceChanges.clear();
  }

  /** What goes with a member, but for her seat and her hand. */
  private removeViewer(client: RoomClient, { id }: ParticipantView): void {
    this.broadcaster.remove(client);
    this.pointers.forget(id);
  }

  private admitWaiting(): void {
    let any = false;
    for (let client = this.slots.dequeue(); client; client = this.slots.dequeue()) {
      const request = this.waiting.get(client)!;
      this.waiting.delete(client);
      this.seatParticipant(client, request);
      any = true;
    }
    if (any) this.queueChanged = true;
  }

  /** How many are before each who waits, when that has changed since the last tick. */
  private sendQueuePositions(): void {
    if (!this.queueChanged) return;
    this.queueChanged = false;
    this.slots.queued.forEach((client, ahead) => {
      client.send('waiting', { ahead });
    });
  }

  private broadcastEvent<N extends EventName>(event: N, message: Event<N>): void {
    const shown = this.policy.redactNames(event, message);
    for (const client of this.allClients()) client.send(event, shown);
  }
}
