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
import { Comings, namesOf } from './comings.ts';
import { type Glass, Greenhouse } from './greenhouse.ts';
import { Guests } from './guests.ts';
import type { Arrival, Attendant, House, Member, RoomFacts, WallFacts } from './member.ts';
import { News } from './news.ts';
import type { Passes } from './passes.ts';
import { Pointers } from './pointers.ts';
import { Reception } from './reception.ts';
import { Roomcast } from './roomcast.ts';
import type { Rules } from './rules.ts';
import { Seats } from './seats.ts';
import type { Stagehand } from './stagehand.ts';
import { Walls } from './walls.ts';
import type { Look } from './watch.ts';
import { Wishes } from './wishes.ts';

type Anew = 'room' | 'names' | 'walls';

export class Lobby {
  private readonly seats: Seats<Member>;
  private readonly walls = new Walls<Member>(DEFAULTS.room.maxWalls);
  private readonly waiting = new Map<Member, Arrival>();
  private readonly cast: Roomcast;
  private readonly greenhouse: Greenhouse;
  private readonly reception: Reception;
  private readonly wishes: Wishes;
  private readonly pointers = new Pointers();
  private paceAt = 0;
  private readonly comings = new Comings();
  private readonly news = new News();
  private readonly guests = new Guests();
  /** What is shown anew after the next tick: to everybody the room, which has become another at once, or who has which name; or walls alone. */
  private anew: Anew | undefined;
  /** That tick is done. */
  private due: Anew | undefined;
  /** Whose names are not shown, as everybody was last told or is about to be. */
  private veiled: string;
  /** The last that was published. */
  private toldTick = 0;
  private lineMoved = false;

  attendant: Attendant | undefined;

  constructor(
    readonly room: Room,
    facts: RoomFacts,
    private readonly pace: () => Pace,
    capacity: number,
    private readonly clock: Clock,
    passes: Passes,
    private readonly ways: House,
    wallFacts: () => WallFacts = () => ({ origin: '', build: '' }),
    glass?: Glass,
  ) {
    this.greenhouse = new Greenhouse(room, glass);
    this.reception = new Reception(room, facts, pace, ways.rules, wallFacts);
    const { grace, maxWaiting } = DEFAULTS.stream;
    this.seats = new Seats({
      capacity,
      grace,
      maxWaiting,
      newToken: (participant) => passes.issue(participant),
      readToken: (token) => passes.read(token),
      // A number names one participant for ever, for it names who planted what.
      first: room.lastParticipant + 1,
      // Who was here when the server ended, and has something in her hand, is given the time to come back.
      expected: { participants: room.holders, until: clock.now() + grace },
    });
    this.wishes = new Wishes({
      ...{ room, rules: ways.rules, clock },
      attendant: () => this.attendant,
      memberOf: (participant) => this.seats.memberOf(participant),
      newNumber: () => this.seats.number(),
    });
    this.cast = new Roomcast(room.ground.planes, room.tick);
    this.veiled = ways.rules.veiled;
  }

  get size(): number {
    return this.seats.size;
  }

  /** Whether anybody sees the room: a wall is enough. */
  get watched(): boolean {
    return this.seats.size + this.walls.size > 0;
  }

  /** Frames that members were not sent because they were behind. */
  get skipped(): number {
    return this.cast.skipped;
  }

  /**
   * Welcomes a member and sends her the first picture; in a full room she waits until there is a place.
   *
   * @throws Refusal room-full, when too many wait already; sent-away
   */
  join(member: Member, arrival: Arrival): void {
    if (this.rules.closed) throw new Refusal('room-closed');
    const owner = arrival.resume === undefined ? undefined : this.seats.ownerOf(arrival.resume);
    if (this.ways.bans.isOut(this.room.name, owner, arrival.address ?? '')) {
      throw new Refusal('sent-away');
    }
    const returns = arrival.resume !== undefined && this.seats.knows(arrival.resume);
    if (this.seats.isFull && (!returns || this.seats.isCrowded)) {
      const ahead = this.seats.wait(member);
      if (ahead === undefined) throw new Refusal('room-full');
      this.waiting.set(member, arrival);
      member.send('waiting', { ahead });
      return;
    }
    this.seat(member, arrival);
  }

  /**
   * Shows a wall everything from now on.
   *
   * @param address what its address is called
   * @param holds [chunks] checks of what it still shows
   * @throws Refusal too-many-walls
   */
  hang(wall: Member, address: string, holds?: ArrayLike<number>): void {
    const gone = this.walls.hang(wall, address);
    if (gone) {
      this.cast.remove(gone);
      gone.dismiss('too-many-walls');
    }
    this.greetWall(wall, holds);
  }

  hasWallAt(address: string): boolean {
    return this.walls.hangsAt(address);
  }

  leave(member: Member): void {
    if (this.walls.takeDown(member)) {
      this.cast.remove(member);
      return;
    }
    if (this.seats.giveUp(member)) {
      this.waiting.delete(member);
      this.lineMoved = true;
      return;
    }
    const gone = this.seats.leave(member, this.clock.now());
    if (!gone) return;
    this.vanish(member, gone);
    this.attendant?.left(gone);
    this.comings.leave(gone.id);
    this.letIn();
  }

  /**
   * A member wants something of the room; the answer comes with the next tick.
   *
   * @throws Refusal
   */
  wish(member: Member, id: number, command: RoomCommand): void {
    this.wishes.wish(member, id, command);
  }

  /**
   * Somebody of the house who acts here.
   *
   * @param plays whether its acts count as somebody playing
   */
  employ(name: string, plays: boolean): Stagehand {
    return this.wishes.employ(name, plays);
  }

  /** Who acts for the host here: nobody, by the number of the house. */
  get house(): Stagehand {
    return this.wishes.house;
  }

  /** Her pointer is shown no longer. */
  hideCursor(participant: ParticipantId): void {
    this.pointers.hide(participant);
  }

  get waitingCount(): number {
    return this.seats.line.length;
  }

  get rules(): Rules {
    return this.ways.rules;
  }

  /** The rules are others now; everybody is told. */
  tellSettings(): void {
    this.tell('settings', this.rules.told);
  }

  /** From now on so many may be there at once; nobody has to go. */
  setCapacity(capacity: number): void {
    this.seats.setCapacity(capacity);
    this.letIn();
  }

  /**
   * Everybody is shown anew after the next tick what has become another: names, where the rules show others than before; else the
   * room.
   */
  showAnew(): void {
    const { veiled } = this.rules;
    if (veiled === this.veiled) this.anew = 'room';
    else if (this.anew !== 'room') this.anew = 'names';
    this.veiled = veiled;
  }

  /** Walls are told anew after the next tick where phones come in. */
  showWalls(): void {
    this.anew ??= 'walls';
  }

  /** Whether one is there. */
  isHere(participant: ParticipantId): boolean {
    return this.seats.memberOf(participant) !== undefined;
  }

  /** Those who are there, as the host sees them. */
  get visitors(): Omit<VisitorState, 'organisms'>[] {
    const { participants } = this.seats;
    const crowds = this.guests.crowds(participants.map(({ id }) => id));
    return participants.map((one) => ({
      ...one,
      muted: this.rules.muted.has(one.id),
      ...this.guests.about(one.id, crowds, this.clock.now()),
    }));
  }

  /** What a participant's address is called; '' where it is not known. */
  addressOf(participant: ParticipantId): string {
    return this.guests.addressOf(participant);
  }

  /** Ends the visits of those whom the host has just sent away. */
  sendAway(): void {
    const { bans } = this.ways;
    for (const [member, { address = '' }] of [...this.waiting]) {
      if (!bans.isOut(this.room.name, undefined, address)) continue;
      this.leave(member);
      member.dismiss('sent-away');
    }
    for (const member of [...this.seats.members]) {
      const { id } = this.seats.of(member)!;
      if (!bans.isOut(this.room.name, id, this.addressOf(id))) continue;
      this.leave(member);
      member.dismiss('sent-away');
    }
  }

  /** Everybody has to go, those who wait too; and the walls, unless they may stay. */
  empty(reason: Reason, keepWalls = false): void {
    const walls = keepWalls ? [] : [...this.walls.members];
    for (const member of [...this.waiting.keys(), ...this.seats.members, ...walls]) {
      this.waiting.delete(member);
      if (!this.seats.giveUp(member)) this.leave(member);
      member.dismiss(reason);
    }
  }

  /** The host changes what acts cost; everybody is told. */
  setEnergy(settings: EnergySettings): void {
    this.room.setEnergy(settings);
    for (const member of this.seats.members) {
      member.send('energy', this.reception.energyOf(this.seats.of(member)!.id));
    }
  }

  /**
   * Everybody sees where an organism of a member's is.
   *
   * @throws Refusal no-such-organism, not-yours
   */
  beacon(member: Member, { id, organism }: Command<'beacon'>): void {
    const { planter } = this.organism(organism);
    const you = this.seats.of(member)!;
    if (!this.rules.mayShow(you.id)) throw new Refusal('muted');
    if (planter.id !== you.id) throw new Refusal('not-yours', `organism ${organism}`);
    this.attendant?.stirred();
    this.tell('beacon', { organism, hue: you.hue });
    member.send('accepted', { id });
  }

  /**
   * Gives a member a living organism's seed as a token.
   *
   * @throws Refusal no-such-organism
   */
  keep(member: Member, { id, organism }: Command<'keep'>): void {
    member.send('accepted', { id, token: this.room.tokenOf(organism) });
  }

  /** A member is called otherwise from now on; everybody is told. @param name cleaned and allowed */
  rename(member: Member, id: number, name: string): ParticipantView | undefined {
    const you = this.seats.rename(member, name);
    if (!you) return undefined;
    this.comings.rename(you);
    member.send('accepted', { id });
    return you;
  }

  /** Shows a member how a seed would grow. She is answered when it has. */
  preview(member: Member, command: Command<'preview'>): Promise<void> {
    const { id } = command;
    const you = this.seats.of(member)!;
    return this.wishes.attend(member, id, async () => {
      const film = await this.greenhouse.preview(you, command);
      member.send('accepted', { id, film: film as Required<Event<'accepted'>>['film'] });
    });
  }

  /** Makes a member's drawing a seed in her hand. */
  draw(member: Member, command: Command<'draw'>): Promise<void> {
    const you = this.seats.of(member)!;
    return this.wishes.attend(member, command.id, async () => {
      this.rules.requireHands(you.id);
      return this.greenhouse.draw(you, command, () => this.seats.of(member)?.id === you.id);
    });
  }

  acknowledge(member: Member, tick: number): void {
    this.seats.confirm(member);
    this.cast.acknowledge(member, tick, this.clock.now());
  }

  resync(member: Member, chunks: readonly number[]): void {
    this.cast.resync(member, chunks);
  }

  look(member: Member, look: Look | undefined): void {
    this.cast.look(member, look, this.clock.now());
  }

  moveCursor(participant: ParticipantId, cursor: Omit<Pointer, 'id'>): void {
    if (!this.rules.mayShow(participant)) return;
    this.attendant?.stirred();
    this.pointers.move(participant, cursor);
  }

  /** Takes in what a tick has brought, and answers what was asked; `show` tells everybody. */
  publish(result: TickResult, now: number): void {
    for (const participant of this.seats.expire(now)) {
      this.room.leave(participant);
      this.guests.leave(participant);
    }
    this.tellPeople();
    this.tellLine();
    for (const answer of result.answers) {
      if (!answer.refused) this.guests.acted(answer.by);
      this.wishes.answer(answer);
    }
    this.gatherNews(result, now);
    this.cast.follow(result.tick, result.changed);
    this.toldTick = result.tick;
    this.due = this.anew;
    this.anew = undefined;
  }

  /** Everybody is greeted anew by the next `show`. */
  get greetsAnew(): boolean {
    return this.due !== undefined;
  }

  /** Sends everybody the news and the cells of the last tick; once for each, before the next is published. */
  show(now: number): void {
    const { due } = this;
    this.due = undefined;
    // Whoever is told who has which name must not hear afterwards of what was before.
    const all = due === 'names';
    this.news.hand(this.everybody(), (member) => all || this.cast.hasTurn(member, this.toldTick));
    if (due === 'names') this.nameAnew();
    this.cast.publish(now);
    if (due === 'room') this.greetAnew();
    if (due) this.greetWalls();
  }

  private gatherNews({ tick, life }: TickResult, now: number): void {
    const add = <N extends EventName>(event: N, message: Event<N>): void =>
      this.news.add(event, this.rules.veil(event, message));
    if (life.length > 0) add('life', { tick, events: [...life] as Event<'life'>['events'] });
    const moved = this.pointers.due(now, this.seats.size);
    if (moved) add('cursors', moved);
    if (now - this.paceAt < DEFAULTS.net.heartbeat) return;
    this.paceAt = now;
    const { awake, size: organisms } = this.room;
    add('pace', { ...this.pace(), awake, organisms });
  }

  private *everybody(): Generator<Member> {
    yield* this.seats.members;
    yield* this.walls.members;
  }

  /** @throws Refusal no-such-organism */
  private organism(id: OrganismId): OrganismView {
    const organism = this.room.viewOf(id);
    if (!organism) throw new Refusal('no-such-organism', `organism ${id}`);
    return organism;
  }

  /** One message does for all: greeting each would tell everybody of everybody, and send all cells again. */
  private nameAnew(): void {
    const names = this.rules.veil('people', namesOf(this.seats.participants, this.room.organisms));
    for (const member of this.seats.members) {
      member.send('people', names);
      const you = this.seats.of(member)!;
      // She herself goes on seeing hers, as after her welcome.
      if (this.rules.hides(you)) member.send('people', { joined: [you], left: [] });
    }
  }

  private greetAnew(): void {
    for (const member of this.seats.members) {
      this.cast.remove(member);
      this.reception.greet(member, this.seats.of(member)!, this.seats);
      this.news.welcome(member);
      this.cast.add(member, this.everything(), this.clock.now());
    }
  }

  /** Walls are few, and write names into the picture, which nothing but their greeting changes. */
  private greetWalls(): void {
    for (const wall of this.walls.members) {
      this.cast.remove(wall);
      this.greetWall(wall);
    }
  }

  private seat(member: Member, { name, resume, holds, seated, address = '' }: Arrival): void {
    const { you, isNew, replaced } = this.seats.take(member, resume, (id) => ({
      id,
      name,
      hue: hueOf(id),
    }));
    if (isNew) this.room.enter(you.id);
    this.guests.enter(you.id, address, this.clock.now());
    if (replaced) {
      this.vanish(replaced, you);
      replaced.dismiss('replaced');
    }
    if (!replaced) this.comings.enter(you);
    this.reception.greet(member, you, this.seats);
    this.news.welcome(member);
    seated(you);
    if (!replaced) this.attendant?.joined(you);
    this.cast.add(member, this.everything(), this.clock.now(), holds);
  }

  private greetWall(wall: Member, holds?: ArrayLike<number>): void {
    this.reception.greetWall(wall, this.seats);
    this.news.welcome(wall);
    this.cast.add(wall, this.everything(), this.clock.now(), holds, 'full');
  }

  /** What one looks at until she says otherwise. */
  private everything(): Look {
    const { width, height } = this.room.ground.planes;
    return { x: 0, y: 0, width, height, pixels: 1, best: 'full' };
  }

  /** Who has come and gone since the last tick, in one message, however many. */
  private tellPeople(): void {
    if (!this.comings.any) return;
    const tell = (member: Member, own?: ParticipantId): void => {
      const news = this.comings.newsFor(own);
      if (news) member.send('people', this.rules.veil('people', news));
      // She herself goes on seeing hers.
      const you = news?.joined.find(({ id }) => id === own);
      if (you && this.rules.hides(you)) member.send('people', { joined: [you], left: [] });
    };
    for (const member of this.seats.members) tell(member, this.seats.of(member)!.id);
    for (const wall of this.walls.members) tell(wall);
    this.comings.clear();
  }

  /** What goes with a member, but for her seat and her hand. */
  private vanish(member: Member, { id }: ParticipantView): void {
    this.cast.remove(member);
    this.pointers.forget(id);
  }

  private letIn(): void {
    let any = false;
    for (let member = this.seats.next(); member; member = this.seats.next()) {
      const arrival = this.waiting.get(member)!;
      this.waiting.delete(member);
      this.seat(member, arrival);
      any = true;
    }
    if (any) this.lineMoved = true;
  }

  /** How many are before each who waits, when that has changed since the last tick. */
  private tellLine(): void {
    if (!this.lineMoved) return;
    this.lineMoved = false;
    this.seats.line.forEach((member, ahead) => {
      member.send('waiting', { ahead });
    });
  }

  private tell<N extends EventName>(event: N, message: Event<N>): void {
    const shown = this.rules.veil(event, message);
    for (const member of this.everybody()) member.send(event, shown);
  }
}
