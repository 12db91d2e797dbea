/**
 * Replays what a cluster keeps of a room, and proves by it what visitors were shown and told: one
 * history, in which each command that was accepted is done once.
 */

import { crc32 } from 'node:zlib';
import type { JournalRecord } from '../../server/storage/record-schemas.ts';
import { reopenRoom, replay } from '../../server/storage/recovery.ts';
import { Store } from '../../server/storage/store.ts';
import { TickSums } from '../../server/storage/watched-room.ts';
import type { Room } from '../../server/world/room.ts';
import { World } from '../../server/world/world.ts';
import { chunkCount, chunkRect, type Planes } from '../../shared/codec/chunks.ts';
import { COARSE_SHIFT } from '../../shared/codec/frame-source.ts';
import { TIERS, type TierName } from '../../shared/codec/tiers.ts';
import { SIDE, sleep } from './cluster-nodes.ts';
import { startEngine } from './engine.ts';
import { SMALL } from './organisms.ts';
import { openClusterParts } from './valkey.ts';
import type { Visitor } from './visitor.ts';

const ROOM = 'garden';

/** [chunks] checksums of who owns the places of each. */
function ownersOf(planes: Planes): number[] {
  return Array.from({ length: chunkCount(planes) }, (_, chunk) => {
    const { x, y, width, height } = chunkRect(planes, chunk);
    let sum = 0;
    for (let row = y; row < y + height; row++) {
      const from = row * planes.width + x;
      sum = crc32(new Uint8Array(planes.owner.slice(from, from + width).buffer), sum);
    }
    return sum;
  });
}

/** The most by which a colour may differ from the room's while it moves; a key may lack its lowest bits. */
const slackOf = (tier: TierName): number =>
  Math.max(TIERS[tier].hold, TIERS[tier].step) + 2 ** COARSE_SHIFT;

const furthest = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

/** Ticks by which a gateway's first frames of a new owner may be newer than they say. */
const LEAD = 5;
/** Ticks by which a chunk may be older than its frame says, as some frames do not bring it. */
const LAG = 60;

/** When a chunk looked one way without a change: its first and last tick. */
interface Run {
  readonly first: number;
  last: number;
}

interface Picture {
  readonly visitor: Visitor;
  readonly tick: number;
  readonly tier: TierName;
  readonly owners: readonly number[];
}

interface Colours {
  readonly tick: number;
  readonly rgba: Uint8Array;
}

/** What visitors were shown. */
export class Shown {
  private pictures: Picture[] = [];
  private isOver = false;
  /** Each one's latest. */
  private readonly colours = new Map<Visitor, Colours>();

  /** Notes each frame of a visitor from now on. */
  watch(visitor: Visitor): void {
    visitor.socket.on('frame', () => {
      const { planes, tick, tier } = visitor;
      if (this.isOver || !planes || tick === undefined || tier === undefined) return;
      this.pictures.push({ visitor, tick, tier, owners: ownersOf(planes) });
      this.colours.set(visitor, { tick, rgba: planes.rgba.slice() });
    });
  }

  /** Notes nothing more. */
  stop(): void {
    this.isOver = true;
  }

  /** Takes what was shown since the last call. */
  take(): { readonly pictures: readonly Picture[]; readonly colours: Map<Visitor, Colours> } {
    const taken = { pictures: this.pictures, colours: new Map(this.colours) };
    this.pictures = [];
    return taken;
  }
}

export class KeptRoom {
  /** How often each command of a participant was done. */
  readonly commands = new Map<string, number>();
  /** Checksums of the journal that the replay met. */
  equal = 0;
  unequal = 0;
  /** Pictures that were compared. */
  compared = 0;
  /** The most ticks by which a chunk was older than its frame said. */
  lag = 0;
  /** Pictures that could not be proven yet. */
  private later: readonly Picture[] = [];
  /** Pictures of ticks that are not kept yet: whether they are exact is not known. */
  private ahead: readonly Picture[] = [];
  /** The last tick that each visitor was shown as it was. */
  readonly exact = new Map<Visitor, number>();
  private readonly from: number;
  /** [chunks] by what owned their places so far: when it did. */
  private readonly history: Map<number, Run[]>[] = [];
  /** [chunks] what owns their places. */
  private owners: readonly number[] = [];

  private constructor(
    private readonly store: Store,
    private readonly world: World,
    private readonly room: Room,
    private readonly sums: TickSums,
    readonly close: () => Promise<void>,
  ) {
    this.from = room.tick;
    this.note(ownersOf(room.grid.planes));
  }

  /** Begins with the first snapshot that there is. */
  static async open(url: string): Promise<KeptRoom> {
    const { engine, species } = await startEngine('auto', SMALL.checkpoint);
    const parts = await openClusterParts(url);
    const store = new Store(parts.records);
    const world = new World(engine);
    const first = (await store.snapshotTicks(ROOM)).at(-1)!;
    const place = { name: ROOM, width: SIDE, height: SIDE, species };
    const room = await reopenRoom(world, place, await store.moment(ROOM, first));
    return new KeptRoom(store, world, room, new TickSums(room.grid.planes), async () => {
      await world.close(room);
      await parts.close();
      await engine.close();
    });
  }

  /**
   * Replays on to what was stored last. Each chunk that anybody was shown must be one of the room's,
   * of that tick or shortly before, as some frames bring nothing. Ticks without events are kept with
   * the next event or checksum: those after the last are proven by the next call.
   *
   * @returns what is wrong, in words; empty: nothing
   */
  async prove(shown: Shown): Promise<string[]> {
    const { store, world, room, sums } = this;
    const faults: string[] = [];
    const again: Picture[] = [];
    const { pictures, colours } = shown.take();
    const tail = await this.tail();
    const to = tail.tick;
    const { equal, unequal } = await replay({
      ...{ world, room, to, sums },
      journal: this.noted(store.journal(ROOM, room.tick + 1, to)),
      marks: store.marks(ROOM, room.tick + 1, to),
      moment: (tick) => store.moment(ROOM, tick),
      onTick: ({ tick }) => {
        const { planes } = room.grid;
        const owners = ownersOf(planes);
        this.note(owners);
        for (const picture of pictures) {
          const { visitor, tier } = picture;
          if (picture.tick !== tick || !owners.every((sum, i) => sum === picture.owners[i]))
            continue;
          const seen = colours.get(visitor)!;
          const off = seen.tick === tick ? furthest(seen.rgba, planes.rgba) : 0;
          if (off > slackOf(tier)) faults.push(`colours of tick ${tick} were ${off} off`);
        }
      },
    });
    // By the history: they may have come after the replay passed their tick, or before it is kept.
    const comparable = [...this.ahead, ...pictures];
    this.ahead = comparable.filter(({ tick }) => tick > to);
    for (const { visitor, tick, owners } of comparable) {
      if (!this.isExact(owners, tick)) continue;
      this.exact.set(visitor, Math.max(this.exact.get(visitor) ?? 0, tick));
    }
    for (const picture of [...this.later, ...pictures]) {
      const { tick, tier, owners } = picture;
      if (tick < this.from) continue;
      const lags = owners.map((sum, chunk) => this.lagOf(chunk, sum, tick));
      const lag = Math.max(...lags);
      if (lag <= LAG) {
        this.compared++;
        this.lag = Math.max(this.lag, lag);
      } else if (tick > to - LEAD) again.push(picture);
      else faults.push(`chunks of the ${tier} picture of tick ${tick} are ${lags} ticks old`);
    }
    this.later = again;
    this.equal += equal;
    this.unequal += unequal;
    if (unequal > 0) faults.push(`${unequal} checksums differ`);
    return faults;
  }

  /** Pictures that the next calls of `prove` must prove. */
  get unproven(): number {
    return this.later.length;
  }

  /** What was refused, but is kept. */
  kept(participant: number, refused: readonly number[]): number[] {
    return refused.filter((id) => this.commands.has(`${participant}/${id}`));
  }

  /** What was accepted, but is not kept, or is kept twice. */
  missing(participant: number, accepted: readonly number[]): number[] {
    return accepted.filter((id) => this.commands.get(`${participant}/${id}`) !== 1);
  }

  private note(owners: readonly number[]): void {
    const { tick } = this.room;
    for (const [chunk, sum] of owners.entries()) {
      this.history[chunk] ??= new Map();
      const runs = this.history[chunk].get(sum) ?? [];
      if (sum === this.owners[chunk]) runs.at(-1)!.last = tick;
      else runs.push({ first: tick, last: tick });
      this.history[chunk].set(sum, runs);
    }
    this.owners = owners;
  }

  /** Whether the room was like this in a tick that was replayed. */
  private isExact(owners: readonly number[], tick: number): boolean {
    return owners.every((sum, chunk) =>
      (this.history[chunk].get(sum) ?? []).some(({ first, last }) => first <= tick && tick <= last),
    );
  }

  /** By how many ticks a chunk of a picture is too old; Infinity: it is none of the room's. */
  private lagOf(chunk: number, sum: number, tick: number): number {
    const runs = this.history[chunk].get(sum) ?? [];
    const near = runs.filter(({ first }) => first <= tick + LEAD);
    return Math.min(...near.map(({ last }) => Math.max(0, tick - last)));
  }

  private async tail(): Promise<{ readonly tick: number }> {
    for (let tries = 0; tries < 100; tries++) {
      // A connection that Valkey's restart has ended is there again soon.
      const tail = await this.store.tail(ROOM).catch(() => undefined);
      if (tail) return tail;
      await sleep(100);
    }
    throw new Error('Valkey does not say what is kept of the room.');
  }

  private async *noted(journal: AsyncIterable<JournalRecord>): AsyncIterable<JournalRecord> {
    for await (const record of journal) {
      for (const event of record.events) {
        if (event.what !== 'command') continue;
        const key = `${event.command.by.id}/${event.id}`;
        this.commands.set(key, (this.commands.get(key) ?? 0) + 1);
      }
      yield record;
    }
  }
}
