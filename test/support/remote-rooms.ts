/** A room that servers of a bus share, without sockets: an owner, and connections of others. */

import type { Bus } from '../../server/cluster/bus/bus.ts';
import type { MessageName } from '../../server/realtime/commands/client-messages.ts';
import { FrameMirrors } from '../../server/realtime/gateway/frame-mirrors.ts';
import { RemoteRoom, RemoteSession } from '../../server/realtime/gateway/remote-room.ts';
import { RoomAccess } from '../../server/realtime/gateway/room-access.ts';
import { Bans } from '../../server/realtime/policy/bans.ts';
import { RoomPolicy } from '../../server/realtime/policy/room-policy.ts';
import { WallSeats } from '../../server/realtime/policy/wall-seats.ts';
import { RoomServer } from '../../server/realtime/room-server.ts';
import { NewcomerEnergy } from '../../server/realtime/sessions/newcomer-energy.ts';
import type { Entry, RoomClient } from '../../server/realtime/sessions/room-client.ts';
import { DeviceMarks, ResumeTokens } from '../../server/realtime/sessions/signed-tokens.ts';
import type { RoomBroadcaster } from '../../server/realtime/streaming/room-broadcaster.ts';
import type { Viewer } from '../../server/realtime/streaming/viewer-stream.ts';
import { DEFAULT_ENERGY } from '../../server/world/energy.ts';
import type { Room } from '../../server/world/room.ts';
import { TickTimes } from '../../server/world/tick-times.ts';
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../shared/protocol/events.ts';
import { type Reason, Refusal } from '../../shared/protocol/reasons.ts';
import type { FakeClock } from './fake-clock.ts';
import { HandRoom } from './rooms.ts';

const SECRET = new Uint8Array(32);
/** A touch table that each owner knows. */
export const TABLE = { as: 'table', pass: 'table' } as const;
const TABLE_SEAT = { id: 1, room: 'test', name: 'Table', pass: TABLE.pass, table: true };

interface Heard {
  readonly name: EventName | 'refused' | 'disconnected';
  readonly message: unknown;
}

/** All that is under way arrives. */
export async function arrived(clock: FakeClock): Promise<void> {
  for (let i = 0; i < 8; i++) await clock.advance(0);
}

/** Lets time pass, ms, until all that is sent meanwhile has arrived. */
export async function pass(clock: FakeClock, time: number): Promise<void> {
  await clock.advance(time);
  await arrived(clock);
}

/** What a page would hear. */
export class Listener implements RoomClient {
  readonly heard: Heard[] = [];
  readonly writable = true;

  constructor(readonly address: string) {}

  send(name: EventName, message: unknown): void {
    this.heard.push({ name, message });
  }

  sendFrame(): void {}

  disconnect(reason: Reason): void {
    this.heard.push({ name: 'disconnected', message: reason });
  }

  entered(): void {}

  refuse({ reason }: Refusal, id?: number): void {
    this.heard.push({ name: 'refused', message: id === undefined ? { reason } : { reason, id } });
  }

  all<N extends EventName>(name: N): Event<N>[] {
    return this.heard.filter((one) => one.name === name).map(({ message }) => message as Event<N>);
  }

  get welcome(): Event<'welcome'> | undefined {
    return this.all('welcome').at(-1);
  }
}

/** A server that owns the room for a time. */
export class Owner {
  readonly server: RoomServer;
  access: RoomAccess | undefined;
  isHere = true;

  private constructor(
    readonly hand: HandRoom,
    readonly clock: FakeClock,
  ) {
    const { tickRate, maxOrganisms, capacity } = ROOM_DEFAULTS;
    const settings = { ...ROOM_DEFAULTS, tickRate, maxOrganisms, capacity };
    this.server = new RoomServer({
      ...{ room: hand.room, clock, capacity: 8, previews: {} as never },
      ...{ times: new TickTimes(), date: () => clock.now() },
      ...{ kept: { mutes: [], drawings: [], reports: [] }, keep: async () => {} },
      policy: new RoomPolicy({ ...settings, energy: DEFAULT_ENERGY }),
      bans: new Bans({ secret: SECRET, date: () => 0, clock }),
      maxSpectators: 200,
      wallSeats: new WallSeats(() => 0, [{ ...TABLE_SEAT, seen: false, lost: null }]),
      info: { checkpoint: {} as never, engine: {} as never },
      pace: () => ({ tickRate, actual: tickRate, slow: false }),
      resumeTokens: new ResumeTokens(SECRET, 'test'),
      newcomers: new NewcomerEnergy(hand.room, new DeviceMarks(SECRET), clock),
      wallInfo: () => ({ origin: '', build: '' }),
    });
  }

  static async start(
    bus: Bus,
    {
      clock,
      epoch = 1,
      hand = new HandRoom(),
      isHere = true,
    }: { clock: FakeClock; epoch?: number; hand?: HandRoom; isHere?: boolean },
  ): Promise<Owner> {
    const owner = new Owner(hand, clock);
    owner.isHere = isHere;
    owner.access = new RoomAccess({
      ...{ roomServer: owner.server, bus, epoch, clock },
      find: () => {
        if (owner.isHere) return owner.server;
        throw new Refusal('elsewhere');
      },
      defer: queueMicrotask,
    });
    await arrived(clock);
    return owner;
  }

  get room(): Room {
    return this.hand.room;
  }

  /** One tick, until everybody has heard of it. */
  async tick(): Promise<void> {
    this.server.handleTick(this.hand.tick(), this.clock.now());
    this.server.broadcast(this.clock.now());
    await arrived(this.clock);
  }
}

/** What a server has asked of the frames that it makes for its viewers. */
export interface OpenedFrames {
  readonly size: { readonly width: number; readonly height: number };
  readonly added: { readonly viewer: Viewer; readonly held: Uint8Array | undefined }[];
  readonly resynced: { readonly viewer: Viewer; readonly chunks: readonly number[] }[];
  isClosed: boolean;
}

/** A server with connections to the room. */
export class Gateway {
  readonly room: RemoteRoom;
  /** The frames that were opened, the latest last. */
  readonly opened: OpenedFrames[] = [];
  /** Why the room runs nowhere, as far as the server knows. */
  over: Reason | undefined;
  private connections = 0;

  constructor(
    bus: Bus,
    readonly clock: FakeClock,
    node: string,
  ) {
    this.room = new RemoteRoom('test', {
      ...{ bus, clock, node, defer: queueMicrotask },
      whyOver: () => this.over,
      openFrames: (size) => {
        const opened: OpenedFrames = { size, added: [], resynced: [], isClosed: false };
        this.opened.push(opened);
        const broadcaster: Partial<RoomBroadcaster> = {
          add: (viewer, _viewport, _now, { holds } = {}) => {
            opened.added.push({ viewer, held: holds });
          },
          remove: () => {},
          setViewport: () => {},
          acknowledge: () => {},
          publish: () => {},
          resync: (viewer, chunks) => {
            opened.resynced.push({ viewer, chunks });
          },
          close: () => {
            opened.isClosed = true;
          },
        };
        const feed = new FrameMirrors(size, clock, () => {});
        return { size, feed, broadcaster: broadcaster as RoomBroadcaster };
      },
    });
  }

  join(name: string, entry: Partial<Entry> = {}): Connection {
    const connection = new Connection(++this.connections, this, name);
    connection.session.join({ name, session: this.connections, ...entry });
    return connection;
  }

  /** Joins, until the room has answered. */
  async enter(name: string, entry: Partial<Entry> = {}): Promise<Connection> {
    const connection = this.join(name, entry);
    await arrived(this.clock);
    return connection;
  }
}

export class Connection extends Listener {
  readonly session: RemoteSession;

  constructor(
    number: number,
    private readonly gateway: Gateway,
    name: string,
  ) {
    super(name);
    this.session = new RemoteSession(number, this, gateway.room);
  }

  say<N extends MessageName>(name: N, message: Command<N>): void {
    this.session.handle(name, message);
  }

  /** Sends a message, until the room has heard it. */
  async says<N extends MessageName>(name: N, message: Command<N>): Promise<void> {
    this.say(name, message);
    await arrived(this.gateway.clock);
  }

  /** Leaves, until the room has heard it. */
  async leaves(): Promise<void> {
    this.session.leave();
    await arrived(this.gateway.clock);
  }
}
