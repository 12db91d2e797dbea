/** What a gateway knows of one channel of a room that runs elsewhere. */
import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import { FrameError } from '../../../shared/codec/frame.ts';
import { FrameMirror } from '../../../shared/codec/frame-mirror.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Subscription } from '../../bus/bus.ts';
import type { ChannelTier } from './channel-tiers.ts';
import type { ChannelName, ChannelUser } from './frame-feed.ts';
import type { Baseline, Round, RoundName, Want } from './frame-messages.ts';

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
