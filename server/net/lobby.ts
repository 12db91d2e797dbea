/** A room as the network sees it: who is in it, its stream, its small talk. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Event, EventName } from '../../shared/protocol/events.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import type { EnergySettings, ParticipantId, ParticipantView } from '../../shared/vocabulary.ts';
import type { Answer } from '../world/commands.ts';
import type { Room, TickResult } from '../world/room.ts';
import type { Pace } from '../world/ticker.ts';
import { cleanName, hueOf } from './names.ts';
import { Roomcast, type Viewer } from './roomcast.ts';

/** One connected participant: what a lobby needs of a connection. */
export interface Member extends Viewer {
  send<N extends EventName>(event: N, message: Event<N>): void;
}

/** Facts of a room that do not change while it is open; they go into each welcome. */
export interface RoomFacts {
  readonly checkpoint: Event<'welcome'>['checkpoint'];
  readonly engine: Event<'welcome'>['engine'];
}

type Cursor = Event<'cursors'>[number];

export class Lobby {
  private readonly members = new Map<Member, ParticipantView>();
  private readonly cast: Roomcast;
  private cursors = new Map<number, Cursor>();
  private cursorsAt = 0;
  private paceAt = 0;
  private nextParticipant = 1;

  constructor(
    readonly room: Room,
    private readonly facts: RoomFacts,
    private readonly pace: () => Pace,
    readonly capacity: number,
  ) {
    this.cast = new Roomcast(room.ground.planes, room.tick);
  }

  get isFull(): boolean {
    return this.members.size >= this.capacity;
  }

  get size(): number {
    return this.members.size;
  }

  /** Welcomes a member and sends her the first keyframe. */
  join(member: Member, name: string | undefined): ParticipantView {
    const id = this.nextParticipant++;
    const you = { id, name: cleanName(name), hue: hueOf(id) };
    this.tell('people', { joined: [you], left: [] });
    this.members.set(member, you);
    this.room.enter(id);
    const { planes } = this.room.ground;
    member.send('welcome', {
      protocol: PROTOCOL_VERSION,
      you,
      room: {
        name: this.room.name,
        width: planes.width,
        height: planes.height,
        tickRate: this.pace().tickRate,
        tick: this.room.tick,
        maxOrganisms: this.room.maxOrganisms,
      },
      ...this.facts,
      energy: this.energyOf(id),
      organisms: this.room.organisms as Event<'welcome'>['organisms'],
      participants: [...this.members.values()],
    });
    this.cast.add(member);
    return you;
  }

  leave(member: Member): void {
    const gone = this.members.get(member);
    if (!gone) return;
    this.members.delete(member);
    this.cast.remove(member);
    this.cursors.delete(gone.id);
    this.room.leave(gone.id);
    this.tell('people', { joined: [], left: [gone.id] });
  }

  /** The host changes what acts cost; everybody is told. */
  setEnergy(settings: EnergySettings): void {
    this.room.setEnergy(settings);
    for (const [member, { id }] of this.members) member.send('energy', this.energyOf(id));
  }

  acknowledge(member: Member, tick: number): void {
    this.cast.acknowledge(member, tick);
  }

  resync(member: Member): void {
    this.cast.resync(member);
  }

  /** Newest wins: only a participant's last cursor is kept until it is passed on. */
  moveCursor(participant: number, cursor: Omit<Cursor, 'id'>): void {
    this.cursors.set(participant, { ...cursor, id: participant });
  }

  /** Tells everybody what a tick has brought. */
  publish(result: TickResult, now: number): void {
    for (const answer of result.answers) this.answer(answer);
    if (result.life.length > 0) {
      this.tell('life', { tick: result.tick, events: [...result.life] as Event<'life'>['events'] });
    }
    this.cast.publish(result.tick, result.changed, now);
    if (now - this.cursorsAt >= DEFAULTS.net.cursorInterval && this.cursors.size > 0) {
      this.tell('cursors', [...this.cursors.values()]);
      this.cursors = new Map();
      this.cursorsAt = now;
    }
    if (now - this.paceAt >= DEFAULTS.net.heartbeat) {
      this.paceAt = now;
      const { awake, organisms } = this.room;
      this.tell('pace', { ...this.pace(), awake, organisms: organisms.length });
    }
  }

  private energyOf(participant: ParticipantId): Event<'energy'> {
    const { newcomer, ...costs } = this.room.energySettings;
    return { ...costs, level: this.room.energyOf(participant) };
  }

  private answer({ by, id, energy, refused, seed }: Answer): void {
    for (const [member, { id: participant }] of this.members) {
      if (participant !== by) continue;
      if (refused) member.send('rejected', { id, energy, ...refused });
      else member.send('accepted', { id, energy, ...(seed && { seed: seed as never }) });
    }
  }

  private tell<N extends EventName>(event: N, message: Event<N>): void {
    for (const member of this.members.keys()) member.send(event, message);
  }
}
