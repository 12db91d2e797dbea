/** One stream served twice: by the process that runs the room, and by gateways over a bus. */
import type { Bus } from '../../server/cluster/bus/bus.ts';
import { pause, systemClock } from '../../server/platform/clock.ts';
import { FramePublisher } from '../../server/realtime/streaming/frame-publisher.ts';
import { REMOTE_FRAMES, RemoteFrames } from '../../server/realtime/streaming/remote-frames.ts';
import { RoomBroadcaster } from '../../server/realtime/streaming/room-broadcaster.ts';
import { RoomEncoders } from '../../server/realtime/streaming/room-encoders.ts';
import type { Viewer, Viewport } from '../../server/realtime/streaming/viewer-stream.ts';
import { createPlanes, type Planes } from '../../shared/codec/chunks.ts';
import { FrameDecoder } from '../../shared/codec/frame-decoder.ts';
import { FakeClock } from './fake-clock.ts';
import { LocalBus } from './local-bus.ts';

const TICK = 1000 / 15;

/** Loses messages while a test says so. */
export class LossyBus extends LocalBus implements Bus {
  loses: (channel: string) => boolean = () => false;
  messages = 0;
  bytes = 0;

  override publish(channel: string, message: Uint8Array): void {
    if (this.loses(channel)) return;
    this.messages++;
    this.bytes += message.length;
    super.publish(channel, message);
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

interface Gateway {
  readonly feed: RemoteFrames;
  readonly cast: RoomBroadcaster;
}

/** A room and its owner, beside the same room alone. */
export class SpreadRoom {
  readonly clock = new FakeClock();
  tick = 0;
  private readonly aloneEncoders: RoomEncoders;
  readonly alone: RoomBroadcaster;
  private encoders: RoomEncoders;
  /** Of owners that do not know that they are not any more. */
  private readonly former: { encoders: RoomEncoders; publisher: FramePublisher }[] = [];
  /** The owner's own viewers. */
  readonly own: RoomBroadcaster;
  private publisher: FramePublisher | undefined;
  private epoch = 0;
  /** Asked by the owner: whether it may show the room. */
  isHere = (): boolean => true;
  /** Messages are lost, so that gateways may lack something at any time. */
  isLossy = false;
  readonly gateways: Gateway[] = [];

  private constructor(
    readonly planes: Planes,
    readonly bus: Bus,
  ) {
    this.aloneEncoders = new RoomEncoders(planes, 0);
    this.alone = new RoomBroadcaster(this.aloneEncoders);
    this.encoders = new RoomEncoders(planes, 0);
    this.own = new RoomBroadcaster(this.encoders);
  }

  static async open(
    planes: Planes,
    gateways: number,
    bus: Bus = new LocalBus(),
  ): Promise<SpreadRoom> {
    const room = new SpreadRoom(planes, bus);
    await room.publish();
    for (let i = 0; i < gateways; i++) await room.addGateway();
    return room;
  }

  /** Who viewers of a place connect to: the owner, or a gateway. */
  castOf(place: number): RoomBroadcaster {
    return place === 0 ? this.own : this.gateways[place - 1].cast;
  }

  /**
   * The room goes on with another owner. The one before goes on as well, and is a thousand ticks
   * ahead.
   */
  async changeOwner(): Promise<void> {
    this.former.push({ encoders: this.encoders, publisher: this.publisher! });
    this.encoders = new RoomEncoders(this.planes, this.tick);
    await this.publish();
  }

  /** Lets a tick pass. @param change changes the planes; returns the chunks in which it has */
  async step(change: () => Iterable<number> = () => []): Promise<void> {
    await this.settle();
    await this.clock.advance((this.tick + 1) * TICK + 1_000 - this.clock.now());
    this.tick++;
    const now = this.clock.now();
    const changed = [...change()];
    for (const [encoders, cast] of [
      [this.aloneEncoders, this.alone],
      [this.encoders, this.own],
    ] as const) {
      encoders.follow(this.tick, changed);
      const advanced = encoders.advance();
      if (encoders === this.encoders) this.publisher?.publish(advanced);
      cast.publish(now);
    }
    for (const { encoders, publisher } of this.former) {
      encoders.follow(this.tick + 1_000, changed);
      publisher.publish(encoders.advance());
    }
    await this.settle();
  }

  /** Waits until all that is known is everywhere. No time passes but that of the wants' delay. */
  async settle(): Promise<void> {
    for (let round = 0; round < 2; round++) {
      await this.arrived();
      await this.clock.advance(REMOTE_FRAMES.wantsDelay / 2);
      await this.clock.advance(REMOTE_FRAMES.wantsDelay / 2);
    }
    await this.arrived();
  }

  /** Waits for something that no message tells. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await pause(systemClock, 1);
  }

  async close(): Promise<void> {
    for (const { feed } of this.gateways) feed.close();
    this.publisher?.close();
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

  private async publish(): Promise<void> {
    const { encoders, bus, clock } = this;
    const epoch = ++this.epoch;
    this.publisher = new FramePublisher({
      ...{ encoders, bus, room: 'garden', epoch, clock },
      isHere: () => this.isHere(),
    });
    await this.publisher.opened;
    this.publisher.announce();
  }

  private async addGateway(): Promise<void> {
    const { bus, clock, planes: size } = this;
    const feed = new RemoteFrames({
      ...{ bus, clock, size, room: 'garden' },
      onTick: (now) => cast.publish(now),
    });
    const cast = new RoomBroadcaster(feed);
    this.gateways.push({ feed, cast });
  }
}

/** What a viewer looks at. */
export const lookAt = (planes: Planes, part: Partial<Viewport> = {}): Viewport => ({
  ...{ x: 0, y: 0, width: planes.width, height: planes.height, pixels: 4, best: 'full' },
  ...part,
});
