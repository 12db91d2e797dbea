/** Gives all rooms of a server to others while the host wants that, and takes none. */
import { DEFAULTS } from '../../shared/defaults.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { NodeLoad } from '../cluster/node-loads.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';

const { drainUnfollowed, drainAgain, takeBack } = DEFAULTS.cluster;

export interface DrainingOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Rooms that run here. */
  readonly running: () => readonly string[];
  /**
   * Stops a room and gives it up.
   *
   * @param heir who is to have it; undefined: whoever takes it first
   * @returns whether it has stopped here
   */
  readonly give: (room: string, heir: string | undefined) => Promise<boolean>;
}

/** Whether a server takes rooms. One of an earlier release does not say so, but follows some. */
const takesRooms = ({ server, followed }: NodeLoad): boolean =>
  server ? server.role !== 'gateway' && !server.draining : followed.length > 0;

/** The server that should have a room: one that has followed it, and of these the least busy. */
export function chooseHeir(room: string, others: readonly NodeLoad[]): string | undefined {
  const load = ({ rooms }: NodeLoad): number => Object.values(rooms).reduce((a, b) => a + b, 0);
  const followers = others.filter((one) => takesRooms(one) && one.followed.includes(room));
  return followers.sort((a, b) => load(a) - load(b))[0]?.node;
}

export class Draining {
  private since: number | undefined;
  /** When rooms were given away, ms, until another server is seen to run them. */
  private readonly given = new Map<string, number>();
  /** When rooms that nobody has taken are offered again, ms. */
  private readonly kept = new Map<string, number>();

  constructor(private readonly options: DrainingOptions) {}

  get isOn(): boolean {
    return this.since !== undefined;
  }

  /** @throws HostRefusal nobody-takes-over; then nothing has changed */
  begin(others: readonly NodeLoad[]): void {
    const { clock, log, running } = this.options;
    if (running().length > 0 && !others.some(takesRooms)) {
      throw new HostRefusal('nobody-takes-over');
    }
    if (this.isOn) return;
    this.since = clock.now();
    log.info('draining', 'The host drains this server: it gives its rooms away and takes none.');
  }

  end(): void {
    if (!this.isOn) return;
    this.since = undefined;
    this.given.clear();
    this.kept.clear();
    this.options.log.info('not-draining', 'This server takes rooms again.');
  }

  /** Whether this server may take a room that runs nowhere. */
  takes(room: string): boolean {
    if (!this.isOn) return true;
    const at = this.given.get(room);
    // Better here than nowhere.
    return at !== undefined && this.options.clock.now() - at >= takeBack;
  }

  /** Whether a room runs here only because nobody has taken it. */
  isKept(room: string): boolean {
    return this.kept.has(room);
  }

  /** Gives away what can be given now. @param others what the other servers have just said */
  async look(others: readonly NodeLoad[]): Promise<void> {
    const { clock, log, running, give } = this.options;
    for (const { rooms } of others) for (const room of Object.keys(rooms)) this.given.delete(room);
    for (const room of running()) {
      if (this.since === undefined) return;
      const now = clock.now();
      if (this.given.delete(room)) {
        this.kept.set(room, now + drainAgain);
        log.warn('not-drained', `No server has taken "${room}", so it runs here again.`, { room });
      }
      if (now < (this.kept.get(room) ?? 0) || !others.some(takesRooms)) continue;
      const heir = chooseHeir(room, others);
      // Who follows it goes on from the same picture at once.
      if (heir === undefined && now - this.since < drainUnfollowed) continue;
      if (!(await give(room, heir))) continue;
      this.kept.delete(room);
      this.given.set(room, clock.now());
    }
  }
}
