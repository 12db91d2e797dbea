/** Counts visits by hour and day. Stores only sums, and no data about individual visitors. */

import {
  type DayStatistics,
  DWELL_SPANS,
  HEAT_SIDE,
  type HourStatistics,
  type Statistics,
} from '../../shared/host/visit-statistics.ts';
import { HOUSE, type ParticipantId } from '../../shared/vocabulary.ts';
import { localTime, repeat } from '../platform/clock.ts';
import { getOrAdd } from '../platform/collections.ts';
import { Mutex } from '../platform/queues.ts';
import { SEATS } from '../realtime/sessions/seats.ts';
import { StoreError } from '../storage/records.ts';
import type { Store } from '../storage/store.ts';
import { isStroke, type RoomCommand } from '../world/commands.ts';
import type { Room } from '../world/room.ts';
import { continues, endOf, type StrokeEnd } from '../world/strokes.ts';
import type { TickEvents } from '../world/world.ts';
import type { HostContext } from './room-operations.ts';

/** Maximum number of stored records: one per hour in `hours`, and one per day in `counted`. */
export const MOST_COUNTED = { hours: 840, counted: 1_100 } as const;

type Sums = Omit<HourStatistics, 'hour'>;

const COUNTED: Partial<Record<RoomCommand['what'], 'seeds' | 'wounds' | 'crosses' | 'grafts'>> = {
  plant: 'seeds',
  damage: 'wounds',
  cross: 'crosses',
  graft: 'grafts',
};

/** Interval at which the counts are stored, in ms. */
const STORE_INTERVAL = 60_000;

interface Visit {
  /** When the visitor arrived (wall clock, ms). */
  readonly since: number;
  /** Where the visitor's last stroke of each kind (such as `damage`) ended, and its radius. */
  readonly ends: Partial<Record<RoomCommand['what'], StrokeEnd>>;
}

interface Counted {
  hour: HourStatistics;
  day: DayStatistics;
  changed: boolean;
}

export class VisitCounter {
  private readonly counted = new Map<string, Counted>();
  /** Visitors who are in a room now, by room. */
  private readonly present = new Map<string, Map<ParticipantId, Visit>>();
  private readonly stop: () => void;
  /** Ensures that ticks are counted in order, although counting is asynchronous. */
  private readonly mutex = new Mutex();
  private readonly store: Store;

  constructor(private readonly context: HostContext) {
    this.store = context.hostStore;
    this.stop = repeat(context.clock, STORE_INTERVAL, () => this.flush().catch(this.warn));
  }

  record(ticks: readonly TickEvents[]): void {
    const { roomServers } = this.context.rooms;
    const busy = ticks.flatMap((one) => {
      const most = roomServers.get(one.room.name)?.seats.size;
      return most !== undefined && most + one.events.length > 0 ? [{ ...one, most }] : [];
    });
    if (busy.length === 0) return;
    this.mutex.runExclusive(() => this.count(busy)).catch(this.warn);
  }

  private async count(ticks: readonly (TickEvents & { readonly most: number })[]): Promise<void> {
    for (const { room, events, refused, most } of ticks) {
      const counted = await this.now(room.name);
      for (const sums of [counted.hour, counted.day]) {
        if (most <= sums.most) continue;
        sums.most = most;
        counted.changed = true;
      }
      let place = 0;
      for (const event of events) {
        if (event.what === 'enter') this.enter(counted, room.name, event.participant);
        else if (event.what === 'leave') this.leave(counted, room.name, event.participant);
        else if (event.what === 'command') {
          this.act(counted, room, event.command, refused.includes(place++));
        }
      }
    }
  }

  /**
   * Ends all visits in a closed room, and stores the room's sums. Then forgets the sums, because
   * another server may change the stored sums. Resolves even if storing fails.
   */
  closed(room: string): Promise<void> {
    return this.mutex.runExclusive(() => this.empty(room)).catch(this.warn);
  }

  private async empty(room: string): Promise<void> {
    const counted = await this.now(room);
    for (const participant of this.present.get(room)?.keys() ?? []) {
      // Usually, a visit ends when the seat has been kept for `SEATS.grace` after the visitor went,
      // so `leave` subtracts this time. Closing a room ends its visits immediately: subtract 0.
      this.leave(counted, room, participant, 0);
    }
    if (counted.changed) await this.keep(room, counted);
    this.counted.delete(room);
  }

  async of(room: string): Promise<Statistics> {
    await this.flush();
    const { store } = this;
    return { room, hours: await store.hours(room), days: await store.countedDays(room) };
  }

  forget(room: string): void {
    this.counted.delete(room);
    this.present.delete(room);
  }

  async flush(): Promise<void> {
    await this.mutex.waitForUnlock();
    for (const [room, counted] of this.counted) {
      if (counted.changed) await this.keep(room, counted);
    }
  }

  private async keep(room: string, counted: Counted): Promise<void> {
    counted.changed = false;
    try {
      await this.store.putCounted(room, counted.hour, counted.day, MOST_COUNTED);
    } catch (error) {
      counted.changed = true;
      // Another server runs the room now, and continues to count from the stored sums.
      if (error instanceof StoreError && error.reason === 'not-owner') this.counted.delete(room);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.stop();
    await this.flush();
  }

  private readonly warn = (error: unknown): void => {
    this.context.log.warn('not-counted', (error as Error).message);
  };

  private async now(room: string): Promise<Counted> {
    const { store, context } = this;
    const hour = hourOf(context.date());
    const known = this.counted.get(room);
    if (known?.hour.hour === hour) return known;
    // The previous hour's sums are replaced below. If storing fails now, they are lost.
    if (known?.changed) await this.keep(room, known).catch(this.warn);
    const day = hour.slice(0, 10);
    const counted: Counted = {
      hour: (await store.hours(room)).find((one) => one.hour === hour) ?? { hour, ...noSums() },
      day: (known?.day.day === day ? known.day : undefined) ??
        (await store.countedDays(room)).find((one) => one.day === day) ?? { day, ...noSums() },
      // If storing failed above, keep `changed` true: the day's sums must still be stored.
      changed: known?.changed ?? false,
    };
    this.counted.set(room, counted);
    return counted;
  }

  private enter(counted: Counted, room: string, participant: ParticipantId): void {
    const present = getOrAdd(this.present, room, () => new Map<ParticipantId, Visit>());
    present.set(participant, { since: this.context.date(), ends: {} });
    this.add(counted, (sums) => sums.visits++);
  }

  private leave(
    counted: Counted,
    room: string,
    participant: ParticipantId,
    grace: number = SEATS.grace,
  ): void {
    const present = this.present.get(room);
    const visit = present?.get(participant);
    if (!visit) return;
    present!.delete(participant);
    const seconds = Math.max(0, this.context.date() - visit.since - grace) / 1000;
    const span = DWELL_SPANS.findIndex((end) => seconds < end);
    this.add(counted, (sums) => sums.dwell[span < 0 ? DWELL_SPANS.length : span]++);
  }

  private act(counted: Counted, room: Room, command: RoomCommand, isRefused: boolean): void {
    const { id } = command.by;
    const isVisitor = this.context.rooms.roomServers.get(room.name)?.seats.memberOf(id);
    if (id === HOUSE.id || !isVisitor) return;
    const sum = isRefused ? 'refused' : COUNTED[command.what];
    // A stroke may be sent in several messages, but is counted only once.
    if (!isRefused && isStroke(command) && this.goesOn(room.name, command)) return;
    if (sum) this.add(counted, (sums) => sums[sum]++);
    if (isRefused) return;
    if (command.what === 'plant') this.warm(counted, room, command.x, command.y);
    if (isStroke(command)) this.warm(counted, room, command.points[0], command.points[1]);
  }

  private goesOn(room: string, stroke: RoomCommand<'damage' | 'graft'>): boolean {
    const ends: Visit['ends'] = this.present.get(room)?.get(stroke.by.id)?.ends ?? {};
    const goesOn = continues(ends[stroke.what], stroke);
    ends[stroke.what] = endOf(stroke);
    return goesOn;
  }

  private warm(counted: Counted, { grid: ground }: Room, x: number, y: number): void {
    const column = Math.min(HEAT_SIDE - 1, Math.floor((x / ground.width) * HEAT_SIDE));
    const row = Math.min(HEAT_SIDE - 1, Math.floor((y / ground.height) * HEAT_SIDE));
    this.add(counted, (sums) => sums.heat[row * HEAT_SIDE + column]++);
  }

  private add(counted: Counted, count: (sums: Sums) => unknown): void {
    count(counted.hour);
    count(counted.day);
    counted.changed = true;
  }
}

const noSums = (): Sums => ({
  visits: 0,
  seeds: 0,
  wounds: 0,
  crosses: 0,
  grafts: 0,
  refused: 0,
  most: 0,
  dwell: Array(DWELL_SPANS.length + 1).fill(0),
  heat: Array(HEAT_SIDE * HEAT_SIDE).fill(0),
});

/** Formats an hour in local time, such as `2026-11-25T14`. @param at wall-clock time, in ms */
const hourOf = (at: number): string => localTime(at).slice(0, 13);

/** Formats statistics as CSV, with one row per hour or day. The heat map is omitted. */
export function csvOf({ hours, days }: Statistics, by: 'hour' | 'day'): string {
  const sums = ['visits', 'seeds', 'wounds', 'crosses', 'grafts', 'refused', 'most'] as const;
  const spans = [...DWELL_SPANS.map((end) => `stayed_under_${end}_s`), 'stayed_longer'];
  const header = [by, ...sums.map((sum) => (sum === 'most' ? 'most_at_once' : sum)), ...spans];
  const rows = (by === 'hour' ? hours : days).map((one) => [
    'hour' in one ? one.hour : one.day,
    ...[...sums.map((sum) => one[sum]), ...one.dwell],
  ]);
  return `${[header, ...rows].map((row) => row.join(',')).join('\r\n')}\r\n`;
}
