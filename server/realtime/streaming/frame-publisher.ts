/** Publishes the frames of a room that runs here, for the gateways that have viewers of it. */
import { promisify } from 'node:util';
import { constants, deflate, inflate } from 'node:zlib';
import { FrameError } from '../../../shared/codec/frame.ts';
import { FrameMirror } from '../../../shared/codec/frame-source.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Bus, Subscription } from '../../cluster/bus/bus.ts';
import type { Clock } from '../../platform/clock.ts';
import { getOrAdd } from '../../platform/collections.ts';
import { type ChannelName, type ChannelTier, type ChannelUser, keyOf } from './frame-feed.ts';
import {
  type Baseline,
  busNames,
  type Round,
  type RoundName,
  readWants,
  type Want,
  type Wants,
  writeBaseline,
  writeRound,
  writeTickEnd,
} from './frame-messages.ts';
import type { EncoderChannel, RoomEncoders } from './room-encoders.ts';

const compress = promisify(deflate);

const { silence, maxGateways } = DEFAULTS.cluster.frames;

/** The viewers of a channel on one gateway. */
class RemoteUser implements ChannelUser {
  mayReceive = false;
  lists: readonly (readonly number[])[] = [];
  /** The last baseline that it has asked for. */
  ask = 0;

  useSource(): void {
    // It is told by messages.
  }
}

interface Gateway {
  /** By channel; those with viewers, and those that are only kept for a while. */
  readonly users: Map<string, { readonly user: RemoteUser; readonly channel: EncoderChannel }>;
  /** ms */
  heardAt: number;
}

export interface FramePublisherOptions {
  readonly encoders: RoomEncoders;
  readonly bus: Bus;
  /** Id of the room. */
  readonly room: string;
  /** Of the room's lease: gateways ignore what an earlier owner still sends. */
  readonly epoch: number;
  /** Whether the room may be shown here now. */
  readonly isHere: () => boolean;
  readonly clock: Clock;
}

/** Does nothing while no gateway has viewers. */
export class FramePublisher {
  private readonly gateways = new Map<string, Gateway>();
  private readonly names: ReturnType<typeof busNames>;
  private subscription: Subscription | undefined;
  private isClosed = false;

  private constructor(private readonly options: FramePublisherOptions) {
    this.names = busNames(options.room);
  }

  /** Publishes after each `encoders.advance()`. */
  static async open(options: FramePublisherOptions): Promise<FramePublisher> {
    const publisher = new FramePublisher(options);
    const { bus, encoders } = options;
    publisher.subscription = await bus.subscribe(publisher.names.wants, (message) => {
      publisher.take(message);
    });
    encoders.onAdvanced = (channels) => publisher.publish(channels);
    return publisher;
  }

  /** Gateways with viewers. */
  get size(): number {
    return this.gateways.size;
  }

  /** Tells gateways that the room runs here. */
  announce(): void {
    this.endTick([]);
  }

  close(): void {
    this.isClosed = true;
    this.subscription?.close();
    this.options.encoders.onAdvanced = () => {};
    for (const id of this.gateways.keys()) this.forget(id);
  }

  private take(message: Uint8Array): void {
    if (this.isClosed || !this.options.isHere()) return;
    let wants: Wants;
    try {
      wants = readWants(message);
    } catch (error) {
      // Of another version, as while servers are updated.
      if (error instanceof FrameError) return;
      throw error;
    }
    const isFull = this.gateways.size >= maxGateways && !this.gateways.has(wants.gateway);
    if (!isFull) this.update(wants);
  }

  private update({ gateway: id, wants }: Wants): void {
    const { encoders, clock } = this.options;
    const gateway = getOrAdd(this.gateways, id, () => ({ users: new Map(), heardAt: 0 }));
    gateway.heardAt = clock.now();
    const gone = new Set(gateway.users.keys());
    for (const want of wants) {
      gone.delete(keyOf(want));
      const { isUsed, mayReceive, chunks, ask } = want;
      const known = gateway.users.get(keyOf(want));
      if (!isUsed) {
        if (known) encoders.leave(want, known.user);
        continue;
      }
      const user = known?.user ?? new RemoteUser();
      const channel = encoders.use(want, user);
      gateway.users.set(keyOf(want), { user, channel });
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
    // In another thread, as all cells of a large room take longer than a tick may wait.
    const cells = await compress(encoder.copy(), { level: constants.Z_BEST_SPEED });
    if (this.isClosed || !isHere()) return;
    const name = { tier, scale, generation, round };
    bus.publish(this.names.to(gateway), writeBaseline({ ...name, epoch, tick, ask, cells }));
  }

  private publish(channels: readonly EncoderChannel[]): void {
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
      const deltas = [...encoder.changed].map((chunk) => ({
        ...{ chunk, version: encoder.version(chunk), block: encoder.delta(chunk)! },
      }));
      bus.publish(this.names.channel(channel), writeRound({ epoch, ...name, deltas }));
    }
    this.endTick(rounds);
  }

  private endTick(rounds: readonly RoundName[]): void {
    const { bus, epoch, encoders } = this.options;
    bus.publish(this.names.tick, writeTickEnd({ epoch, tick: encoders.tick, rounds }));
  }

  private forgetSilent(): void {
    const now = this.options.clock.now();
    for (const [id, { heardAt }] of this.gateways) if (now - heardAt > silence) this.forget(id);
  }

  private forget(id: string): void {
    for (const { user, channel } of this.gateways.get(id)?.users.values() ?? []) {
      this.options.encoders.leave(channel, user);
    }
    this.gateways.delete(id);
  }
}

const decompress = promisify(inflate);

const { askPause } = DEFAULTS.cluster.frames;

/** Rounds that are kept until the baseline comes which they follow. */
const MAX_WAITING = 64;

export class ChannelMirror implements ChannelName {
  readonly tier: ChannelTier;
  readonly scale: number;
  readonly users = new Set<ChannelUser>();
  /** undefined until the first baseline has come. */
  source: FrameMirror | undefined;
  /** Whether it has all rounds, so far as is known. */
  isCurrent = false;
  /** undefined until it hears of rounds. */
  subscription: Subscription | undefined;
  /** Ends the wait until it may ask again. */
  cancelAsk: (() => void) | undefined;
  /** Tick at which the last user left. */
  idleSince = 0;
  private readonly size: { readonly width: number; readonly height: number };
  private at: Pick<Round, 'epoch' | 'generation' | 'round'> | undefined;
  /** Number of the last request; 0: there was none. */
  private asked = 0;
  private askedAt = Number.NEGATIVE_INFINITY;
  private waiting: Round[] = [];

  /** @param room its size, cells */
  constructor(
    { tier, scale }: ChannelName,
    room: { readonly width: number; readonly height: number },
  ) {
    this.tier = tier;
    this.scale = scale;
    this.size = { width: Math.ceil(room.width / scale), height: Math.ceil(room.height / scale) };
  }

  get want(): Want {
    const { tier, scale, asked: ask } = this;
    const users = [...this.users];
    const chunks = new Set(users.flatMap(({ lists }) => [...lists]).flat());
    const mayReceive = users.some((user) => user.mayReceive);
    return { tier, scale, isUsed: users.length > 0, mayReceive, ask, chunks: [...chunks] };
  }

  /**
   * Asks for a baseline, with the next `want`, unless it has asked a moment ago: what does not help
   * once must not be repeated with each tick.
   *
   * @param now ms
   * @param number another one each time
   * @returns 0: it asks; otherwise ms until it may
   */
  ask(now: number, number: number): number {
    this.isCurrent = false;
    this.waiting = [];
    const pause = Math.max(0, this.askedAt + askPause - now);
    if (pause === 0) {
      this.asked = number;
      this.askedAt = now;
    }
    return pause;
  }

  /** Whether it has waited for a baseline since some time, ms. */
  isOverdue(since: number): boolean {
    return !this.isCurrent && this.asked > 0 && this.askedAt <= since;
  }

  isAt({ generation, round }: Pick<RoundName, 'generation' | 'round'>): boolean {
    return this.at?.generation === generation && this.at.round === round;
  }

  /** Takes a round over, now or when the baseline is there. @returns false: it needs a new one */
  take(round: Round): boolean {
    if (!this.isCurrent) {
      this.waiting = [...this.waiting.slice(1 - MAX_WAITING), round];
      return true;
    }
    const { epoch, generation, round: number } = round;
    if (!this.isAt({ generation, round: number - 1 })) return false;
    try {
      this.source!.apply(round.deltas);
    } catch (error) {
      if (error instanceof FrameError) return false;
      throw error;
    }
    this.at = { epoch, generation, round: number };
    return true;
  }

  /** @returns the cells of a baseline; undefined if it is not the one that is waited for */
  async unpack({ ask, cells }: Baseline): Promise<Uint8Array | undefined> {
    const { width, height } = this.size;
    const maxOutputLength = 16 * (width + 1) * (height + 1);
    const bytes = await decompress(cells, { maxOutputLength }).catch(() => undefined);
    return ask === this.asked && !this.isCurrent ? bytes : undefined;
  }

  /**
   * Begins with the cells of a baseline, and goes on with the rounds that have come meanwhile.
   *
   * @param now ms
   * @returns false: it needs a new one
   */
  restore({ epoch, generation, round }: Baseline, cells: Uint8Array, now: number): boolean {
    const isSame = this.at?.epoch === epoch && this.at.generation === generation;
    const source = isSame ? this.source! : new FrameMirror(this.size, this.scale);
    try {
      source.restore(cells);
    } catch (error) {
      // It is asked for again when it is overdue.
      if (error instanceof FrameError) return true;
      throw error;
    }
    this.source = source;
    this.at = { epoch, generation, round };
    this.isCurrent = true;
    const next = this.waiting.filter((one) => one.generation !== generation || one.round > round);
    this.waiting = [];
    const isWhole = next.every((one) => this.take(one));
    if (!isSame) for (const user of this.users) user.useSource(source, now);
    return isWhole;
  }
}
