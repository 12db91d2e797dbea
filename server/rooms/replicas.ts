/**
 * Keeps replicas of rooms that other servers run, so that this server can take over these rooms
 * immediately. If this server also runs rooms, it spends at most half of its time on replicas.
 * Start reading at `Replicas`.
 */
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { StoreError } from '../storage/records.ts';
import { NotReplicated, type RoomReplica } from '../storage/recovery.ts';

export const REPLICAS = {
  /** Maximum number of other servers' rooms that a server replicates. */
  followed: 8,
  /** Interval at which replicated rooms are updated, in ms. */
  follow: 200,
  /** Maximum number of ticks that a replica replays in one step. */
  followTicks: 30,
  /** Delay before a failed replication is retried, in ms. */
  followRetry: 10_000,
} as const;

interface ReplicasOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Lists the open rooms that do not run on this server. */
  readonly waiting: () => Iterable<string>;
  /** Whether a room is about to start on this server. */
  readonly isOpening: (room: string) => boolean;
  /** Whether no room runs on this server. */
  readonly isIdle: () => boolean;
  /** Opens a replica. @throws NotReplicated; StoreError; EngineError */
  readonly open: (room: string) => Promise<RoomReplica>;
}

/** The rooms of other servers that this server replicates. */
export class Replicas {
  private readonly replicas = new Map<string, RoomReplica>();
  /** Names of the rooms whose replica has reached the end of the stored journal. */
  private readonly complete = new Set<string>();
  /** When to retry a failed replication, in ms, by room name. */
  private readonly notBefore = new Map<string, number>();
  /**
   * The sentence last logged about each room, to avoid logging the same sentence twice in a row.
   */
  private readonly said = new Map<string, string>();
  /** The room whose replica is being updated now. `done` resolves when the update has ended. */
  private current: { readonly room: string; readonly done: Promise<void> } | undefined;
  private stopped = false;
  private cancel: () => void;

  constructor(private readonly options: ReplicasOptions) {
    this.cancel = options.clock.after(REPLICAS.follow, this.look);
  }

  /** Names of rooms that this server could take over immediately. */
  get names(): readonly string[] {
    return [...this.complete];
  }

  /** Removes and returns the replica of a room; undefined if there is no replica. */
  async take(room: string): Promise<RoomReplica | undefined> {
    // Wait only for the update of this room's replica, because updating all replicas may take long.
    if (this.current?.room === room) await this.current.done;
    this.said.delete(room);
    return this.remove(room);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel();
    await this.current?.done;
    await this.retainOnly(new Set());
  }

  private readonly look = async (): Promise<void> => {
    const { clock, isIdle } = this.options;
    const begun = clock.now();
    const rooms = [...this.options.waiting()].slice(0, REPLICAS.followed);
    await this.retainOnly(new Set(rooms));
    let isBehind = false;
    for (const room of rooms) {
      const done = this.step(room).then((isComplete) => {
        isBehind ||= !isComplete;
      });
      this.current = { room, done };
      await done;
    }
    this.current = undefined;
    if (this.stopped) return;
    const spent = isIdle() ? 0 : clock.now() - begun;
    this.cancel = clock.after(Math.max(isBehind ? 1 : REPLICAS.follow, spent), this.look);
  };

  /**
   * Replays the next part of a room's journal in the room's replica. Opens the replica if
   * necessary.
   *
   * @returns false if a part of the stored journal still has to be replayed
   */
  private async step(room: string): Promise<boolean> {
    const { clock, log, isOpening, open } = this.options;
    if (this.stopped || clock.now() < (this.notBefore.get(room) ?? 0)) return true;
    try {
      let replica = this.replicas.get(room);
      if (!replica) {
        if (isOpening(room)) return true;
        replica = await open(room);
        this.replicas.set(room, replica);
      }
      const isComplete = await replica.catchUp(REPLICAS.followTicks);
      if (!isComplete) this.complete.delete(room);
      if (!isComplete || this.complete.has(room)) return isComplete;
      this.complete.add(room);
      const sentence = `This server keeps a copy of room "${room}" up to date and can take over the room immediately.`;
      if (this.isNew(room, sentence)) log.info('room-followed', sentence, { room });
    } catch (error) {
      const isAway = error instanceof StoreError && error.reason === 'unreachable';
      // While the store is unreachable, keep the replica.
      if (isAway && this.replicas.has(room)) return true;
      this.notBefore.set(room, clock.now() + REPLICAS.followRetry);
      await this.discard(room);
      if (!(error instanceof NotReplicated)) return true;
      const why = `This server cannot keep a copy of room "${room}" up to date: ${error.message}.`;
      if (this.isNew(room, why)) log.info('room-not-followed', why, { room });
    }
    return true;
  }

  private async retainOnly(rooms: ReadonlySet<string>): Promise<void> {
    for (const room of this.replicas.keys()) if (!rooms.has(room)) await this.discard(room);
  }

  private isNew(room: string, sentence: string): boolean {
    if (this.said.get(room) === sentence) return false;
    this.said.set(room, sentence);
    return true;
  }

  private remove(room: string): RoomReplica | undefined {
    const replica = this.replicas.get(room);
    this.replicas.delete(room);
    this.complete.delete(room);
    return replica;
  }

  private async discard(room: string): Promise<void> {
    // Ignore the error: closing fails only after the engine has failed.
    await this.remove(room)
      ?.close()
      .catch(() => {});
  }
}
