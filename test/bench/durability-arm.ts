/**
 * A whole server with a busy room that lives in slices of time, so that several of them can be
 * compared in one process.
 */
import { performance } from 'node:perf_hooks';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import type { BackendName } from '../../server/engine/backend.ts';
import { checksumOf } from '../../server/storage/watched-room.ts';
import type { Room } from '../../server/world/room.ts';
import { GARDEN, Gardener } from '../load/garden.ts';
import { startServer } from '../support/server.ts';
import { SlicedClock } from './sliced-clock.ts';

export interface ArmSettings {
  /** A folder, or `none`. */
  readonly data: string;
  readonly checkpoint: string;
  readonly engine?: BackendName | undefined;
  /** Seconds between two snapshots of a busy room. */
  readonly snapshot?: number;
  /** That live in the garden, at most. */
  readonly organisms: number;
}

/** What a slice has cost, ms; each number is of one tick. */
export interface Slice {
  /** From each tick's beginning until all was published, the wait for engine and disk included. */
  readonly took: readonly number[];
  /** Of the main thread, mean. */
  readonly busy: number;
  /** Processor time of all threads, mean. */
  readonly cpu: number;
}

/** So fast the garden grows up. */
const FAST = 60;
/** What a slice has begun ends before the next slice, ms. */
const REST = 300;

export class Arm {
  /** ms that each transaction of a tick took. */
  readonly commits: number[] = [];
  /** Ticks of the snapshots that were taken. */
  readonly snapshots = new Set<number>();
  readonly room: Room;
  private took: number[] = [];
  private target = 0;
  /** Tick after which snapshots count. */
  private since = 0;
  private reached: (() => void) | undefined;
  private readonly gardener: Gardener;

  private constructor(
    readonly server: VivariumServer,
    private readonly clock: SlicedClock,
    private readonly organisms: number,
  ) {
    this.room = server.world.rooms.get('garden')!;
    this.gardener = new Gardener(this.room);
    if (server.journalWriter) this.watchCommits();
  }

  /** The garden is planted and grown up. @throws CheckpointError, EngineError, StoreError */
  static async open({ data, checkpoint, engine, snapshot, organisms }: ArmSettings): Promise<Arm> {
    const clock = new SlicedClock();
    let arm: Arm | undefined;
    const settings = {
      ...{ data, checkpoint, energy: 'off' },
      size: `${GARDEN.width}x${GARDEN.height}`,
      'tick-rate': GARDEN.tickRate,
      'max-organisms': organisms,
      ...(engine && { engine }),
      ...(snapshot !== undefined && { snapshot }),
    };
    const server = await startServer(settings, {
      clock,
      onTick: ({ took }) => {
        arm?.ticked(took);
      },
    });
    arm = new Arm(server, clock, organisms);
    await arm.grow();
    return arm;
  }

  /** So many ticks, at the room's rate. */
  async run(ticks: number): Promise<Slice> {
    this.took = [];
    const before = performance.eventLoopUtilization();
    const cpu = process.cpuUsage();
    await this.live(ticks);
    await new Promise((wake) => setTimeout(wake, REST));
    this.lookForSnapshots();
    const { active } = performance.eventLoopUtilization(before);
    const { user, system } = process.cpuUsage(cpu);
    return { took: this.took, busy: active / ticks, cpu: (user + system) / 1000 / ticks };
  }

  /** What was counted so far was not meant. */
  reset(): void {
    this.commits.length = 0;
    this.snapshots.clear();
    this.since = this.room.tick;
  }

  get planes(): number {
    return checksumOf(this.room.grid.planes);
  }

  async close(): Promise<void> {
    this.clock.go();
    await this.server.close();
  }

  private async grow(): Promise<void> {
    const { schedule } = this.room.species;
    this.server.setTickRate(this.room, FAST);
    this.gardener.plantFirst(this.organisms);
    await this.live(2 * schedule.length);
    this.server.setTickRate(this.room, GARDEN.tickRate);
  }

  private live(ticks: number): Promise<void> {
    this.target = this.room.tick + ticks;
    const done = new Promise<void>((resolve) => {
      this.reached = resolve;
    });
    this.clock.go();
    return done;
  }

  private ticked(took: number): void {
    const { room, gardener } = this;
    this.took.push(took);
    // Commands come with every tick, as where many play: so every tick has its transaction.
    gardener.cutSomewhere();
    if (room.tick % GARDEN.tickRate === 0) {
      gardener.makeRoom();
      gardener.plantSomewhere();
    }
    this.lookForSnapshots();
    if (room.tick < this.target) return;
    this.clock.stop();
    this.reached?.();
  }

  /** Those that are not kept for long are seen at least once. */
  private lookForSnapshots(): void {
    for (const { tick } of this.server.journalWriter?.snapshotsOf(this.room) ?? []) {
      if (tick > this.since) this.snapshots.add(tick);
    }
  }

  private watchCommits(): void {
    const { world } = this.server;
    const journal = world.journal!;
    world.journal = async (ticks) => {
      const begun = performance.now();
      await journal(ticks);
      if (ticks.some(({ events }) => events.length > 0)) {
        this.commits.push(performance.now() - begun);
      }
    };
  }
}
