/** Leases and a fenced log in memory, as Valkey keeps them, and a model of processes that share a room with them. */

import { ANSWER_TIMEOUT } from '../../server/cluster/bus/bus.ts';
import {
  type Acquired,
  type Epoch,
  type FencedLog,
  type Held,
  LEASE,
  type LeaseStore,
  type Position,
  type Release,
  type Renewals,
  RoomLeases,
  Standby,
} from '../../server/cluster/lease.ts';
import type { Clock } from '../../server/platform/clock.ts';
import { createRandom, type Random } from '../../shared/random.ts';

interface RoomState<W> {
  epoch: Epoch;
  /** Number of the epoch's last write. */
  last: number;
  /** The last epoch whose owner has given the room up with all of it stored. */
  released: Epoch;
  renewals: Renewals;
  /** Who the room was given to. */
  heir?: { readonly holder: string; readonly until: number };
  lease: { readonly holder: string; readonly epoch: Epoch; until: number } | undefined;
  readonly writes: { readonly epoch: Epoch; readonly write: W }[];
}

/** Ways in which it can be broken, to see that tests notice. */
export interface Faults {
  /** Takes writes of any epoch. */
  readonly noFence?: boolean;
  /** Repeats writes that it has seen. */
  readonly noNumbers?: boolean;
  /** Does not tell that a lease has been renewed. */
  readonly noCount?: boolean;
  /** Believes that all is stored of whatever is given up. */
  readonly trustsReleases?: boolean;
}

/** One store for any number of processes. */
export class MemoryCluster<W> implements LeaseStore, FencedLog<W> {
  private readonly rooms = new Map<string, RoomState<W>>();

  /** @param now its own clock, ms; it may be set in either direction */
  constructor(
    private readonly now: () => number,
    private readonly faults: Faults = {},
  ) {}

  /** What has been written, in order. */
  writesOf(room: string): readonly { readonly epoch: Epoch; readonly write: W }[] {
    return this.stateOf(room).writes;
  }

  async acquire(room: string, holder: string, abandoned?: Renewals): Promise<Acquired | Held> {
    const state = this.stateOf(room);
    const { renewals } = state;
    const heir = state.heir && state.heir.until > this.now() ? state.heir.holder : holder;
    if (heir !== holder) return { renewals };
    const isLeased = state.lease !== undefined && state.lease.until > this.now();
    const isAbandoned = renewals === abandoned;
    if (isLeased && !isAbandoned) return { renewals };
    state.renewals++;
    const isReleased = state.released === state.epoch;
    const epoch = ++state.epoch;
    state.last = 0;
    state.lease = { holder, epoch, until: this.now() + LEASE.lease };
    return { epoch, isReleased, renewals };
  }

  async renew(room: string, holder: string, epoch: Epoch): Promise<boolean> {
    const lease = this.leaseOf(room, holder, epoch);
    if (lease) {
      lease.until = this.now() + LEASE.lease;
      if (!this.faults.noCount) this.stateOf(room).renewals++;
    }
    return lease !== undefined;
  }

  async release(room: string, holder: string, epoch: Epoch, how: Release): Promise<void> {
    if (!this.leaseOf(room, holder, epoch)) return;
    const { heir, isStored } = how;
    const state = this.stateOf(room);
    state.lease = undefined;
    if (isStored || this.faults.trustsReleases) state.released = epoch;
    if (heir) state.heir = { holder: heir, until: this.now() + LEASE.offer };
  }

  async write(room: string, { epoch, number }: Position, write: W): Promise<boolean> {
    const state = this.stateOf(room);
    if (epoch !== state.epoch && !this.faults.noFence) return false;
    if (number <= state.last && !this.faults.noNumbers) return true;
    state.last = number;
    state.writes.push({ epoch, write });
    return true;
  }

  private leaseOf(room: string, holder: string, epoch: Epoch) {
    const { lease } = this.stateOf(room);
    const isValid = lease?.holder === holder && lease.epoch === epoch && lease.until > this.now();
    return isValid ? lease : undefined;
  }

  private stateOf(room: string): RoomState<W> {
    let state = this.rooms.get(room);
    if (!state) {
      const never = { epoch: 0, last: 0, released: 0, renewals: 0 };
      state = { ...never, lease: undefined, writes: [] };
      this.rooms.set(room, state);
    }
    return state;
  }
}

const ROOM = 'garden';
/** ms */
const TICK = 300;
const NODES = 3;
/** Time in which things go wrong, and time after which all must be well, ms. */
const WILD = 16_000;
const CALM = 12_000;

/** The stored end of the room, and the commands of that tick. */
interface Write {
  readonly tick: number;
  readonly commands: readonly number[];
}

/** Ticks without commands are stored with every so many. */
const MARK = 4;

/** Ways in which the processes can be broken, to see that the model notices. */
export interface ModelFaults extends Faults {
  /** An owner goes on as if its lease never ended. */
  readonly trustsLease?: boolean;
  /** A new owner ticks at once. */
  readonly noSettling?: boolean;
}

/** Simulated time, with what happens in it. */
class Timeline {
  now = 0;
  private events: { readonly at: number; readonly order: number; readonly call: () => void }[] = [];
  private count = 0;

  at(time: number, call: () => void): void {
    const event = { at: Math.max(time, this.now), order: this.count++, call };
    let index = this.events.length;
    while (index > 0 && isBefore(event, this.events[index - 1])) index--;
    this.events.splice(index, 0, event);
  }

  async runUntil(end: number): Promise<void> {
    while (this.events.length > 0 && this.events[0].at <= end) {
      const event = this.events.shift()!;
      this.now = event.at;
      event.call();
      // Enough for the longest chain of promises between two events.
      for (let i = 0; i < 12; i++) await undefined;
    }
    this.now = end;
  }
}

const isBefore = (
  a: { readonly at: number; readonly order: number },
  b: { readonly at: number; readonly order: number },
): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** A process. While it is suspended, nothing of it happens, and its clock goes on. */
class Process {
  private suspendedUntil = 0;
  private hasEnded = false;
  private readonly skew: number;

  constructor(
    private readonly time: Timeline,
    random: Random,
  ) {
    this.skew = random.integer(1_000_000);
  }

  readonly clock: Clock = {
    now: () => this.time.now + this.skew,
    after: (delay, call) => {
      let isCancelled = false;
      this.do(this.time.now + delay, () => {
        if (!isCancelled) call();
      });
      return () => {
        isCancelled = true;
      };
    },
  };

  /** Does something at that time, or as soon as the process goes on. */
  do(at: number, call: () => void): void {
    this.time.at(at, () => {
      if (this.hasEnded) return;
      if (this.suspendedUntil > this.time.now) this.do(this.suspendedUntil, call);
      else call();
    });
  }

  suspend(duration: number): void {
    this.suspendedUntil = Math.max(this.suspendedUntil, this.time.now + duration);
  }

  end(): void {
    this.hasEnded = true;
  }
}

export interface Outcome {
  /** What must never be; empty if all is well. */
  readonly wrong: readonly string[];
  /** Owners whose ticks were seen. */
  readonly owners: number;
  readonly acknowledged: number;
}

/**
 * Runs one schedule of processes that share a room: their own leases, standby and fenced writes, on a simulated network with
 * simulated clocks. The seed decides everything: which processes are suspended or end, which messages are late or lost, when the
 * store's clock jumps, and when the store is away.
 */
export async function runModel(seed: number, faults: ModelFaults = {}): Promise<Outcome> {
  const random = createRandom(seed);
  const time = new Timeline();
  let storeAhead = 0;
  let awayUntil = 0;
  const isWild = (): boolean => time.now < WILD;
  const chance = (one: number): boolean => isWild() && random.integer(one) === 0;
  const store = new MemoryCluster<Write>(() => time.now + storeAhead, faults);
  const wrong: string[] = [];
  const acknowledged = new Set<number>();
  let lastSeen = { epoch: 0, tick: 0, from: 0 };
  let owners = 0;
  let lastCommand = 0;
  let lastTickAt = 0;

  /** Has the store do something: late or never; and its answer may be late or lost. */
  const ask = <T>(process: Process, call: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const isUp = (): boolean => time.now >= awayUntil;
      const timeout = time.now + ANSWER_TIMEOUT;
      process.do(timeout, () => reject(new Error('no answer')));
      const delay = (): number => (chance(12) ? random.integer(6_000) : 1 + random.integer(20));
      if (chance(15)) return;
      time.at(time.now + delay(), () => {
        if (!isUp()) return;
        const isLost = chance(15);
        const back = delay();
        void call().then(
          (answer) => {
            if (!isLost) process.do(time.now + back, () => resolve(answer));
          },
          (error) => process.do(time.now + back, () => reject(error)),
        );
      });
    });

  const start = (name: string): Process => {
    const process = new Process(time, random);
    const { clock } = process;
    const remote: LeaseStore & FencedLog<Write> = {
      acquire: (...of) => ask(process, () => store.acquire(...of)),
      renew: (...of) => ask(process, () => store.renew(...of)),
      release: (...of) => ask(process, () => store.release(...of)),
      write: (...of) => ask(process, () => store.write(...of)),
    };
    let isOpen = false;
    let isClosing = false;
    let tick = 0;
    const leases = new RoomLeases({
      ...{ leases: remote, holder: name, clock },
      onEnd: () => {
        if (!faults.trustsLease) isOpen = false;
      },
    });
    /** One life of the room in this process. */
    const open = async (): Promise<void> => {
      const lease = leases.of(ROOM)!;
      // Only what is read after the lease was acquired is the whole of what was written before.
      const stored = await ask(process, async () => store.writesOf(ROOM).at(-1)?.write.tick ?? 0);
      if (chance(4)) throw new Error('it cannot be opened');
      if (!lease.isHeld) return;
      isOpen = true;
      tick = stored;
      if (!lease.isStored) while (++tick % MARK !== 0);
      lease.isStored = false;
      const mayShow = (): boolean =>
        faults.trustsLease ? isOpen : faults.noSettling ? lease.isHeld : lease.mayTick;
      const see = (commands: readonly number[]): void => {
        if (lease.epoch < lastSeen.epoch)
          wrong.push(`tick of epoch ${lease.epoch} after one of ${lastSeen.epoch}`);
        if (tick <= lastSeen.tick) wrong.push(`tick ${tick} was seen before`);
        if (lease.epoch > lastSeen.epoch) owners++;
        lastSeen = { epoch: lease.epoch, tick, from: time.now };
        lastTickAt = time.now;
        for (const one of commands) acknowledged.add(one);
      };
      const run = async (): Promise<void> => {
        if (!isOpen || leases.of(ROOM) !== lease) return;
        if (mayShow()) {
          const commands = random.integer(3) > 0 ? [++lastCommand] : [];
          tick++;
          const isDurable =
            (commands.length === 0 && tick % MARK !== 1) ||
            (await lease.write(remote, { tick, commands }));
          if (mayShow() && isDurable) see(commands);
        }
        clock.after(TICK, run);
      };
      await run();
    };
    new Standby({
      ...{ leases, clock, open },
      waiting: () => (isOpen || isClosing ? [] : [ROOM]),
      onFailure: () => void leases.release(ROOM),
    });
    // A room that is closed in good order, as when a process is told to end.
    const handOver = async (): Promise<void> => {
      if (isWild()) clock.after(3_000, handOver);
      const lease = leases.of(ROOM);
      if (random.integer(8) > 0 || !isOpen || !lease) return;
      [isOpen, isClosing] = [false, true];
      // To somebody, who may have ended.
      const heir = random.integer(NODES + 1);
      const last = { tick, commands: [] };
      // Its last snapshot may fail.
      lease.isStored = !chance(3) && (await lease.write(remote, last));
      await leases.release(ROOM, heir < NODES ? `${heir}` : undefined);
      isClosing = false;
    };
    clock.after(3_000, handOver);
    return process;
  };

  const processes = Array.from({ length: NODES }, (_, i) => start(`${i}`));
  const disturb = (): void => {
    const which = random.integer(NODES);
    const what = random.integer(8);
    if (what < 3) processes[which].suspend(200 + random.integer(8_000));
    else if (what === 3) {
      processes[which].end();
      processes[which] = start(`${which}/${time.now}`);
    } else if (what === 4) storeAhead += random.integer(12_000) - 4_000;
    else if (what === 5) awayUntil = time.now + random.integer(5_000);
    if (isWild()) time.at(time.now + 200 + random.integer(2_000), disturb);
  };
  time.at(1_000, disturb);
  await time.runUntil(WILD + CALM);

  const writes = store.writesOf(ROOM);
  const written = writes.flatMap(({ write }) => write.commands);
  const epochs = writes.map(({ epoch }) => epoch);
  if (epochs.some((epoch, i) => i > 0 && epoch < epochs[i - 1]))
    wrong.push('a write of an earlier owner after one of a later owner');
  if (new Set(written).size < written.length) wrong.push('a command was done twice');
  for (const one of acknowledged)
    if (!written.includes(one)) wrong.push(`command ${one} was acknowledged and is lost`);
  if (time.now - lastTickAt > 2 * TICK) wrong.push('nobody runs the room in the end');
  return { wrong, owners, acknowledged: acknowledged.size };
}
