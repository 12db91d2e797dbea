/**
 * Keeps copies of the cells of rooms that run on other servers. Each copy, called a mirror,
 * contains one channel (the cells at one level of detail). This server's viewers receive frames
 * that are built from the mirrors. Start reading at `FrameMirrors`.
 */
import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import type { Planes } from '../../../shared/codec/chunks.ts';
import { FrameError } from '../../../shared/codec/frame.ts';
import { FrameMirror } from '../../../shared/codec/frame-source.ts';
import type { Clock } from '../../platform/clock.ts';
import { getOrAdd } from '../../platform/collections.ts';
import { RoomBroadcaster } from '../streaming/room-broadcaster.ts';
import {
  type ChannelName,
  type ChannelUser,
  chunksOf,
  type FrameFeed,
  isFresh,
  keyOf,
} from '../streaming/room-encoders.ts';
import type { Item, News, Round } from './messages.ts';

const decompress = promisify(inflate);

export type Size = Pick<Planes, 'width' | 'height'>;

/**
 * Maximum number of rounds (encoded updates) that a mirror stores until its baseline (all cells of
 * the channel) arrives. If more rounds arrive, the mirror requests the baseline again.
 */
const MAX_WAITING = 64;

/** A copy of the cells of one channel, kept up to date by rounds (encoded updates). */
class ChannelMirror {
  readonly users = new Set<ChannelUser>();
  /** The copied cells; undefined until the first baseline (all cells of the channel) arrives. */
  source: FrameMirror | undefined;
  /**
   * `lacking`: a baseline (all cells of the channel) must be requested. `asked`: the baseline has
   * been requested, but has not arrived yet. `current`: the copy is up to date.
   */
  state: 'lacking' | 'asked' | 'current' = 'lacking';
  /** Tick in which the last user left the channel. */
  idleSince = 0;
  /** Size of the channel, in cells. */
  readonly size: Size;
  private generation: number | undefined;
  private round = 0;
  /** Updates (rounds) received before the awaited copy of all cells (baseline), oldest first. */
  private waiting: Round[] = [];

  /** @param room size of the room, in cells */
  constructor(
    readonly name: ChannelName,
    room: Size,
  ) {
    const { scale } = name;
    this.size = { width: Math.ceil(room.width / scale), height: Math.ceil(room.height / scale) };
  }

  /** Makes the next call of `takeWants` request a baseline (all cells of the channel). */
  ask(): void {
    this.state = 'lacking';
    this.waiting = [];
  }

  /**
   * Applies a round (an encoded update of the channel). If the mirror is waiting for a baseline
   * (all cells of the channel), stores the round until the baseline has arrived.
   */
  take(next: Round): void {
    if (this.state !== 'current') {
      if (this.waiting.push(next) > MAX_WAITING) this.ask();
      return;
    }
    const { generation, round, deltas } = next;
    const follows = generation === this.generation && round === this.round + 1;
    const isApplied =
      follows &&
      attempt(() => {
        this.source!.apply(deltas.map(([chunk, version, block]) => ({ chunk, version, block })));
      });
    if (isApplied) this.round = round;
    else this.ask();
  }

  /**
   * Replaces all cells with those of a baseline, and then applies the newer stored rounds (encoded
   * updates).
   *
   * @param cells all cells of the channel, decompressed from the baseline
   * @param now current time, in ms
   */
  restore({ generation, round }: Item<'baseline'>, cells: Uint8Array, now: number): void {
    const isSame = generation === this.generation;
    const source = isSame ? this.source! : new FrameMirror(this.size, this.name.scale);
    if (!attempt(() => source.restore(cells))) return;
    const next = this.waiting.filter((one) => one.generation !== generation || one.round > round);
    this.waiting = [];
    this.source = source;
    this.generation = generation;
    this.round = round;
    this.state = 'current';
    for (const one of next) this.take(one);
    if (!isSame) for (const user of this.users) user.useSource(source, now);
  }
}

/** Runs a function. @returns false if the function throws a FrameError */
function attempt(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof FrameError) return false;
    throw error;
  }
}

export class FrameMirrors implements FrameFeed {
  tick = 0;
  /** Whether `tick` may be outdated, because of missed ticks or a new leader (room's server). */
  private isTickOld = true;
  private readonly mirrors = new Map<string, ChannelMirror>();

  /**
   * @param size size of the room, in cells
   * @param wantedChanged called if the result of `takeWants` may have changed
   */
  constructor(
    private readonly size: Size,
    private readonly clock: Clock,
    readonly wantedChanged: () => void,
  ) {}

  /** Whether every mirror that has viewers is up to date. */
  get isCurrent(): boolean {
    return [...this.mirrors.values()].every((one) => one.state === 'current' || !one.users.size);
  }

  join(name: ChannelName, user: ChannelUser): FrameMirror | undefined {
    // While this server uses no channel, it may get no updates. So `tick` may now be outdated.
    if (this.mirrors.size === 0) this.isTickOld = true;
    const mirror = getOrAdd(this.mirrors, keyOf(name), () => {
      return new ChannelMirror({ tier: name.tier, scale: name.scale }, this.size);
    });
    mirror.users.add(user);
    this.wantedChanged();
    return mirror.source;
  }

  leave(name: ChannelName, user: ChannelUser): void {
    const mirror = this.mirrors.get(keyOf(name));
    if (!mirror?.users.delete(user)) return;
    mirror.idleSince = this.tick;
    this.wantedChanged();
  }

  /**
   * Requests a baseline (all cells) of each channel. Call when a new link to the room's server is
   * opened.
   */
  renew(): void {
    this.isTickOld = true;
    for (const mirror of this.mirrors.values()) mirror.ask();
  }

  /**
   * Lists the channels that the viewers use, for the room's server. If a channel's baseline (all
   * cells) is missing, the list requests it, but the next list does not repeat the request. So the
   * caller must send each list: otherwise, requests are lost.
   */
  takeWants(): Item<'wants'>['channels'] {
    for (const [key, { users, idleSince, state }] of this.mirrors) {
      const isKept = state === 'current' && isFresh(idleSince, this.tick);
      if (users.size === 0 && !isKept) this.mirrors.delete(key);
    }
    return [...this.mirrors.values()].map((mirror) => {
      const asks = mirror.state === 'lacking';
      if (asks) mirror.state = 'asked';
      const users = [...mirror.users];
      const chunks = [...chunksOf(users)].sort((a, b) => a - b);
      const mayReceive = users.some((user) => user.mayReceive);
      return { ...mirror.name, isUsed: users.length > 0, asks, chunks, mayReceive };
    });
  }

  /** Applies the rounds (encoded updates of channels) of a tick. */
  take({ tick, rounds }: NonNullable<News['frames']>): void {
    for (const round of rounds) this.mirrors.get(keyOf(round))?.take(round);
    this.tick = tick;
    this.isTickOld = false;
  }

  async takeBaseline(baseline: Item<'baseline'>): Promise<void> {
    const key = keyOf(baseline);
    const mirror = this.mirrors.get(key);
    if (!mirror) return;
    const { width, height } = mirror.size;
    const maxOutputLength = 16 * (width + 1) * (height + 1);
    const cells = await decompress(baseline.cells, { maxOutputLength }).catch(() => undefined);
    if (!cells || mirror.state === 'current' || this.mirrors.get(key) !== mirror) return;
    // Set `tick` first: `restore` may cause frames to be sent, which must contain this tick.
    if (this.isTickOld) this.tick = baseline.tick;
    this.isTickOld = false;
    mirror.restore(baseline, cells, this.clock.now());
    // Viewers that waited for the baseline now use this channel. Request the chunks that they see.
    this.wantedChanged();
  }

  close(): void {
    this.mirrors.clear();
  }
}

/**
 * Creates the mirrors of a room that runs on another server, and the broadcaster that sends frames
 * from the mirrors to this server's viewers.
 */
export function openFrames(size: Size, clock: Clock, wantedChanged: () => void) {
  const feed = new FrameMirrors(size, clock, wantedChanged);
  return { size, feed, broadcaster: new RoomBroadcaster(feed) };
}
