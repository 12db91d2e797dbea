/**
 * Publishes the frames of a room that runs here, for gateways that have viewers of the room. It
 * does nothing while no gateway has viewers, and never sends anything to pages.
 */
import { promisify } from 'node:util';
import { constants, deflate } from 'node:zlib';
import type { Bus, Subscription } from '../../cluster/bus/bus.ts';
import type { Clock } from '../../platform/clock.ts';
import { getOrAdd } from '../../platform/collections.ts';
import { keyOf } from './frame-feed.ts';
import {
  BASELINE,
  busNames,
  ROUND,
  type Round,
  type RoundName,
  TICK_END,
  WANTS,
  type Wants,
} from './frame-messages.ts';
import type { EncoderChannel, RoomEncoders } from './room-encoders.ts';

/** Gateways that receive a room's frames. */
const GATEWAYS = {
  /** If a gateway has sent no message for this long, in ms, it counts as gone. */
  silence: 3_500,
  /** Maximum number of gateways with viewers of one room. */
  maxGateways: 256,
} as const;

const compress = promisify(deflate);

/**
 * Creates a channel user that represents all viewers of the channel on one gateway. It ignores new
 * sources, because gateways are informed of them by messages.
 */
const createUser = () => ({
  mayReceive: false,
  lists: [] as readonly (readonly number[])[],
  /** Id of the gateway's last request for a baseline. */
  ask: 0,
  useSource: () => {},
});

interface Gateway {
  /**
   * For each channel key, the channel and its user. Includes unused channels, which are kept for a
   * while.
   */
  readonly users: Map<
    string,
    { readonly user: ReturnType<typeof createUser>; readonly channel: EncoderChannel }
  >;
  /** When the gateway's last message arrived, in ms. */
  heardAt: number;
}

export class FramePublisher {
  private readonly gateways = new Map<string, Gateway>();
  private readonly names: ReturnType<typeof busNames>;
  /**
   * Resolves once messages from gateways can arrive; resolves to undefined if the bus is closed.
   */
  readonly opened: Promise<Subscription | undefined>;
  private isClosed = false;

  /** After creation, call `publish` after each `encoders.advance()`. */
  constructor(
    private readonly options: {
      readonly encoders: RoomEncoders;
      readonly bus: Bus;
      /** Id of the room. */
      readonly room: string;
      /** Epoch of the room's lease. Gateways use it to ignore messages of earlier leaders. */
      readonly epoch: number;
      /** Returns whether this process may show the room now. */
      readonly isHere: () => boolean;
      readonly clock: Clock;
    },
  ) {
    this.names = busNames(options.room);
    const { bus } = options;
    this.opened = bus
      .subscribe(this.names.wants, (bytes) => this.take(bytes))
      .catch(() => undefined);
  }

  /** Announces to gateways that the room runs here. */
  announce(): void {
    this.endTick([]);
  }

  /** Publishes the rounds that the encoders of these channels have just made. */
  publish(channels: readonly EncoderChannel[]): void {
    this.forgetSilent();
    if (this.gateways.size === 0) return;
    const { bus, epoch } = this.options;
    const remote = new Set<EncoderChannel>();
    for (const { users } of this.gateways.values())
      for (const { channel } of users.values()) remote.add(channel);
    const rounds: RoundName[] = [];
    for (const channel of channels) {
      const { tier, scale, generation, encoder } = channel;
      const name = { tier, scale, generation, round: encoder.round };
      rounds.push(name);
      if (!remote.has(channel)) continue;
      const deltas = [...encoder.changed].map((chunk): Round['deltas'][number] => [
        chunk,
        encoder.version(chunk),
        encoder.delta(chunk)!,
      ]);
      bus.publish(this.names.channel(channel), ROUND.encode({ epoch, ...name, deltas }));
    }
    this.endTick(rounds);
  }

  close(): void {
    this.isClosed = true;
    void this.opened.then((subscription) => subscription?.close());
    for (const id of this.gateways.keys()) this.forget(id);
  }

  private take(bytes: Uint8Array): void {
    if (this.isClosed || !this.options.isHere()) return;
    const wants = WANTS.decode(bytes);
    // Ignore an invalid message, because a gateway of another release may send another version
    // while the cluster is being updated.
    if (!wants) return;
    const isFull = this.gateways.size >= GATEWAYS.maxGateways && !this.gateways.has(wants.gateway);
    if (!isFull) this.update(wants);
  }

  private update({ gateway: id, wants }: Wants): void {
    const { encoders, clock } = this.options;
    const gateway = getOrAdd(this.gateways, id, () => ({ users: new Map(), heardAt: 0 }));
    gateway.heardAt = clock.now();
    const gone = new Set(gateway.users.keys());
    for (const want of wants) {
      const { ask, chunks, isUsed, mayReceive } = want;
      const key = keyOf(want);
      gone.delete(key);
      const known = gateway.users.get(key);
      if (!isUsed) {
        if (known) encoders.leave(want, known.user);
        continue;
      }
      const user = known?.user ?? createUser();
      const channel = encoders.use(want, user);
      gateway.users.set(key, { user, channel });
      Object.assign(user, { mayReceive, lists: [chunks] });
      if (ask === user.ask) continue;
      user.ask = ask;
      void this.sendBaseline(id, channel, ask);
    }
    for (const key of gone) {
      const { user, channel } = gateway.users.get(key)!;
      gateway.users.delete(key);
      encoders.leave(channel, user);
    }
    if (wants.length === 0) this.gateways.delete(id);
  }

  private async sendBaseline(
    gateway: string,
    { tier, scale, generation, encoder }: EncoderChannel,
    ask: number,
  ): Promise<void> {
    const { bus, epoch, encoders, isHere } = this.options;
    const { tick } = encoders;
    const { round } = encoder;
    // Compress in another thread, because compressing all cells of a large room takes longer than a
    // tick.
    const cells = await compress(encoder.copy(), { level: constants.Z_BEST_SPEED });
    if (this.isClosed || !isHere()) return;
    const name = { tier, scale, generation, round };
    bus.publish(this.names.to(gateway), BASELINE.encode({ ...name, epoch, tick, ask, cells }));
  }

  private endTick(rounds: readonly RoundName[]): void {
    const { bus, epoch, encoders } = this.options;
    bus.publish(this.names.tick, TICK_END.encode({ epoch, tick: encoders.tick, rounds }));
  }

  private forgetSilent(): void {
    const now = this.options.clock.now();
    for (const [id, { heardAt }] of this.gateways)
      if (now - heardAt > GATEWAYS.silence) this.forget(id);
  }

  private forget(id: string): void {
    for (const { user, channel } of this.gateways.get(id)?.users.values() ?? []) {
      this.options.encoders.leave(channel, user);
    }
    this.gateways.delete(id);
  }
}
