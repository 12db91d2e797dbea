/**
 * Replays what a cluster keeps of a room, and proves by it what visitors were shown and told: one
 * history, in which each command that was accepted is done once.
 */
import { crc32 } from 'node:zlib';
import { TickSums } from '../../server/storage/plane-checksums.ts';
import type { JournalRecord } from '../../server/storage/record-schemas.ts';
import { reopenRoom, replay } from '../../server/storage/recovery.ts';
import { Store } from '../../server/storage/store.ts';
import type { Room } from '../../server/world/room.ts';
import { World } from '../../server/world/world.ts';
import type { Planes } from '../../shared/codec/planes.ts';
import { TIERS, type TierName } from '../../shared/codec/tiers.ts';
import { SIDE, sleep } from './cluster-nodes.ts';
import { openClusterParts } from './cluster-parts.ts';
import { startEngine } from './engine.ts';
import type { Visitor } from './visitor.ts';

const ROOM = 'garden';

const ownersOf = ({ owner }: Planes): number =>
  crc32(new Uint8Array(owner.buffer, owner.byteOffset, owner.byteLength));

/** The most by which a colour may differ from the room's while it moves. */
const slackOf = (tier: TierName): number => Math.max(TIERS[tier].hold, TIERS[tier].step);

const furthest = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

interface Frame {
  readonly tick: number;
  readonly owners: number;
  readonly tier: TierName;
}

/** What visitors were shown. */
export class Shown {
  private frames: Frame[] = [];
  /** Each one's latest picture. */
  private readonly last = new Map<Visitor, Frame & { readonly rgba: Uint8Array }>();

  /** Notes each frame of a visitor from now on. */
  watch(visitor: Visitor): void {
    visitor.socket.on('frame', () => {
      const { planes, tick, tier } = visitor;
      if (!planes || tick === undefined || tier === undefined) return;
      const { every, after } = TIERS[tier];
      // Others bring nothing new.
      if (tick % every !== after) return;
      const frame = { tick, owners: ownersOf(planes), tier };
      this.frames.push(frame);
      this.last.set(visitor, { ...frame, rgba: planes.rgba.slice() });
    });
  }

  /** Takes what was shown since the last call. */
  take(): {
    readonly frames: readonly Frame[];
    readonly last: Iterable<Frame & { rgba: Uint8Array }>;
  } {
    const taken = { frames: this.frames, last: [...this.last.values()] };
    this.frames = [];
    this.last.clear();
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
  /** By tick, of what the replay has led to. */
  private readonly owners = new Map<number, number>();

  private constructor(
    private readonly store: Store,
    private readonly world: World,
    private readonly room: Room,
    private readonly sums: TickSums,
    readonly close: () => Promise<void>,
  ) {}

  /** Begins with the first snapshot that there is. */
  static async open(url: string): Promise<KeptRoom> {
    const { engine, species } = await startEngine();
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
   * Replays on to what was shown last.
   *
   * @returns what is wrong, in words; empty: nothing
   */
  async prove(shown: Shown): Promise<string[]> {
    const { store, world, room, sums } = this;
    const faults: string[] = [];
    const { frames, last } = shown.take();
    const tail = await this.tail();
    const to = frames.reduce((most, { tick }) => Math.max(most, tick), tail.tick);
    if (to > tail.tick)
      faults.push(`tick ${to} was shown, but ${tail.tick} is the last that is kept`);
    const { equal, unequal } = await replay({
      ...{ world, room, to, sums },
      journal: this.noted(store.journal(ROOM, room.tick + 1, to)),
      marks: store.marks(ROOM, room.tick + 1, to),
      moment: (tick) => store.moment(ROOM, tick),
      onTick: ({ tick }) => {
        const { planes } = room.grid;
        this.owners.set(tick, ownersOf(planes));
        for (const picture of last) {
          const off = picture.tick === tick ? furthest(picture.rgba, planes.rgba) : 0;
          if (off > slackOf(picture.tier)) faults.push(`colours of tick ${tick} were ${off} off`);
        }
      },
    });
    for (const { tick, owners } of frames) {
      const kept = this.owners.get(tick);
      if (kept === undefined) continue;
      this.compared++;
      if (kept !== owners) faults.push(`another picture of tick ${tick} was shown`);
    }
    this.equal += equal;
    this.unequal += unequal;
    if (unequal > 0) faults.push(`${unequal} checksums differ`);
    return faults;
  }

  /** What was accepted, but is not kept, or is kept twice. */
  missing(participant: number, accepted: readonly number[]): number[] {
    return accepted.filter((id) => this.commands.get(`${participant}/${id}`) !== 1);
  }

  private async tail(): Promise<{ readonly tick: number }> {
    for (;;) {
      // A connection that Valkey's restart has ended is there again soon.
      const tail = await this.store.tail(ROOM).catch(() => undefined);
      if (tail) return tail;
      await sleep(100);
    }
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
