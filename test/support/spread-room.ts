/** One stream served twice: by the process that runs the room, and by gateways over a bus. */
import { EventEmitter } from 'node:events';
import type { Bus } from '../../server/cluster/bus/bus.ts';
import { pause, systemClock } from '../../server/platform/clock.ts';
import { openFrames } from '../../server/realtime/gateway/frame-mirrors.ts';
import { GATEWAY_TIMES } from '../../server/realtime/gateway/messages.ts';
import { RemoteRoom, RemoteSession } from '../../server/realtime/gateway/remote-room.ts';
import { RoomAccess } from '../../server/realtime/gateway/room-access.ts';
import type { RoomServer } from '../../server/realtime/room-server.ts';
import type { RoomClient } from '../../server/realtime/sessions/room-client.ts';
import {
  type RemoteViewer,
  RoomBroadcaster,
} from '../../server/realtime/streaming/room-broadcaster.ts';
import { RoomEncoders } from '../../server/realtime/streaming/room-encoders.ts';
import {
  fullViewport,
  type Viewer,
  type Viewport,
} from '../../server/realtime/streaming/viewer-stream.ts';
import { createPlanes, type Planes } from '../../shared/codec/chunks.ts';
import { FrameDecoder } from '../../shared/codec/frame-decoder.ts';
import { FakeClock } from './fake-clock.ts';
import { LocalBus } from './local-bus.ts';

const TICK = 1000 / 15;

/** Loses messages while a test says so. */
export class LossyBus extends LocalBus implements Bus {
  loses: (channel: string, message: Uint8Array) => boolean = () => false;

  override publish(channel: string, message: Uint8Array): void {
    if (!this.loses(channel, message)) super.publish(channel, message);
  }
}

/** Decodes what it is sent, as a page would, and keeps it. */
export class Page implements Viewer {
  writable = true;
  readonly frames: Uint8Array[] = [];
  lost = 0;
  private readonly decoder: FrameDecoder;
  /** How many frames it has drawn. */
  protected drawn = 0;

  constructor(
    size: Planes,
    readonly cast: RoomBroadcaster,
  ) {
    this.decoder = new FrameDecoder(createPlanes(size.width, size.height));
  }

  get planes(): Planes {
    return this.decoder.planes;
  }

  sendFrame(frame: Uint8Array): void {
    this.frames.push(frame);
  }

  /** Undefined while it is sent scaled cells. */
  get holds(): Uint8Array | undefined {
    return this.decoder.holds();
  }

  /** Its connection ends: what it has not drawn yet is lost with it. */
  disconnect(): void {
    this.cast.remove(this);
    this.drawn = this.frames.length;
  }

  /** Draws and acknowledges what has come. */
  draw(now: number): void {
    for (; this.drawn < this.frames.length; this.drawn++) {
      const { header, lost } = this.decoder.decode(this.frames[this.drawn]);
      this.lost += lost.length;
      this.cast.acknowledge(this, header.tick, now);
    }
  }
}

type Gateway = Pick<ReturnType<typeof openFrames>, 'feed' | 'broadcaster'> & { room: RemoteRoom };

/** Encodes a room, as far as gateways know of it: whoever joins sees the whole room. */
class Owner {
  readonly encoders: RoomEncoders;
  private readonly signals: RoomServer['signals'] = new EventEmitter();
  readonly access: RoomAccess;

  /** @param isHere whether the owner may show the room */
  constructor(planes: Planes, tick: number, options: OwnerOptions) {
    this.encoders = new RoomEncoders(planes, tick);
    const { width, height } = planes;
    const welcome = (client: RoomClient): void => {
      client.sendWelcome!(
        'wall',
        { participants: [] } as never,
        { room: { width, height } } as never,
      );
      (client as unknown as RemoteViewer).startStream(fullViewport(planes), {});
    };
    const roomServer = {
      ...{ encoders: this.encoders, signals: this.signals, room: { name: 'garden' } },
      ...{
        tickInProgress: {},
        admission: { join: welcome },
        welcomeAgain: welcome,
        leave: () => {},
      },
    } as unknown as RoomServer;
    const find = (): RoomServer => {
      if (options.isHere()) return roomServer;
      throw new Error('not here');
    };
    this.access = new RoomAccess({ ...options, roomServer, find, defer: queueMicrotask });
  }

  step(tick: number, changed: readonly number[]): void {
    this.encoders.follow(tick, changed);
    this.signals.emit('frames-encoded', this.encoders.advance());
  }
}

type OwnerOptions = Pick<ConstructorParameters<typeof RoomAccess>[0], 'bus' | 'clock' | 'epoch'> & {
  readonly isHere: () => boolean;
};

/** A room and its owner, beside the same room alone. */
export class SpreadRoom {
  readonly clock = new FakeClock();
  tick = 0;
  private readonly aloneEncoders = new RoomEncoders(this.planes, 0);
  readonly alone = new RoomBroadcaster(this.aloneEncoders);
  private epoch = 0;
  /** The latest last. Those before do not know that they are not owners any more. */
  private readonly owners: Owner[] = [];
  /** The first owner's own viewers. */
  readonly own: RoomBroadcaster;
  /** Asked by the owner: whether it may show the room. */
  isHere = (): boolean => true;
  /** Messages are lost, so that gateways may lack something at any time. */
  isLossy = false;
  readonly gateways: Gateway[] = [];

  private constructor(
    readonly planes: Planes,
    readonly bus: Bus,
  ) {
    this.changeOwner();
    this.own = new RoomBroadcaster(this.owners[0].encoders);
  }

  static async open(
    planes: Planes,
    gateways: number,
    bus: Bus = new LocalBus(),
  ): Promise<SpreadRoom> {
    const room = new SpreadRoom(planes, bus);
    for (let i = 0; i < gateways; i++) await room.addGateway(`${i}`);
    return room;
  }

  /** Who viewers of a place connect to: the owner, or a gateway. */
  castOf(place: number): RoomBroadcaster {
    return place === 0 ? this.own : this.gateways[place - 1].broadcaster;
  }

  /**
   * The room goes on with another owner. The one before goes on as well, and is a thousand ticks
   * ahead.
   */
  changeOwner(): void {
    const { bus, clock } = this;
    const options = { bus, clock, epoch: ++this.epoch, isHere: () => this.isHere() };
    this.owners.push(new Owner(this.planes, this.tick, options));
  }

  /** Lets a tick pass. @param change changes the planes; returns the chunks in which it has */
  async step(change: () => Iterable<number> = () => []): Promise<void> {
    await this.settle();
    await this.clock.advance((this.tick + 1) * TICK + 1_000 - this.clock.now());
    this.tick++;
    const now = this.clock.now();
    const changed = [...change()];
    this.aloneEncoders.follow(this.tick, changed);
    this.aloneEncoders.advance();
    this.alone.publish(now);
    const [owner, ...former] = this.owners.toReversed();
    owner.step(this.tick, changed);
    this.own.publish(now);
    for (const one of former) one.step(this.tick + 1_000, changed);
    await this.settle();
  }

  /** Waits until all that is known is everywhere. No time passes but that of the wants' delay. */
  async settle(): Promise<void> {
    for (let round = 0; round < 2; round++) {
      await this.clock.advance(0);
      await this.arrived();
      await this.clock.advance(GATEWAY_TIMES.wants / 2);
      await this.clock.advance(GATEWAY_TIMES.wants / 2);
    }
    await this.arrived();
  }

  /** Waits for something that no message tells. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await pause(systemClock, 1);
  }

  async close(): Promise<void> {
    for (const { room } of this.gateways) room.close();
    for (const { access } of this.owners) access.close();
    await this.bus.close();
  }

  private async arrived(): Promise<void> {
    // Cells are compressed in other threads.
    for (let turn = 0; turn < 5 || !(this.isCurrent || this.isLossy); turn++) {
      if (turn < 100) await new Promise((resolve) => setImmediate(resolve));
      else await pause(systemClock, 1);
    }
  }

  /** Whether all gateways have the cells that their viewers look at. */
  get isCurrent(): boolean {
    return this.gateways.every(({ feed }) => feed.isCurrent);
  }

  private async addGateway(node: string): Promise<void> {
    const { bus, clock } = this;
    let frames: ReturnType<typeof openFrames> | undefined;
    const room: RemoteRoom = new RemoteRoom('garden', {
      ...{ bus, clock, node, whyOver: () => undefined, defer: queueMicrotask },
      openFrames: (...args) => {
        // Before anything is asked of the owner.
        queueMicrotask(() => session.leave());
        frames = openFrames(...args);
        return frames;
      },
    });
    // The first who enters makes the gateway open its frames.
    const nobody = { address: '', writable: false, send: () => {}, entered: () => {} };
    const session = new RemoteSession(1, nobody as unknown as RoomClient, room);
    session.join({ name: '' });
    for (let turn = 0; !frames; turn++) await clock.advance(turn);
    await clock.advance(GATEWAY_TIMES.wants);
    this.gateways.push({ room, ...frames });
  }
}

/** What a viewer looks at. */
export const lookAt = (planes: Planes, part: Partial<Viewport> = {}): Viewport => ({
  ...{ x: 0, y: 0, width: planes.width, height: planes.height, pixels: 4, best: 'full' },
  ...part,
});
