/** What a server knows of a room, open or closed, and what the host's page shows of it. */
import type { RoomSummary } from '../../shared/host/state.ts';
import type { Mutex } from '../platform/mutex.ts';
import type { RoomPolicy } from '../realtime/policy/room-policy.ts';
import type { PlanRecord } from '../storage/record-schemas.ts';
import type { LiveRoomOptions, OpenRoom } from './live-room.ts';

/** A room, open or closed. */
export interface RoomEntry {
  plan: PlanRecord;
  readonly policy: RoomPolicy;
  /** A closed room stays in memory if there is no store. */
  live: OpenRoom | undefined;
  busy: RoomSummary['busy'];
  /** Held while the plan changes. */
  readonly mutex: Mutex;
}

/** A room's state for the host's page. */
export function summaryOf(
  { plan, policy, live, busy }: RoomEntry,
  { ticker, places }: Pick<LiveRoomOptions, 'ticker' | 'places'>,
): RoomSummary {
  const { settings } = policy;
  const { tickRate } = settings;
  const open = plan.open ? live : undefined;
  return {
    name: plan.name,
    width: plan.width,
    height: plan.height,
    checkpoint: plan.checkpoint,
    open: plan.open,
    fixed: !plan.made,
    participants: open?.server.size ?? 0,
    waiting: open?.server.slots.waiting ?? 0,
    reported: open?.server.reports.size ?? 0,
    drawingsWaiting: open?.server.drawings.waiting.length ?? 0,
    organisms: live?.room.size ?? null,
    awake: open?.room.awake ?? 0,
    tick: live?.room.tick ?? 0,
    pace: (open && ticker.pace(open.room)) ?? { tickRate, actual: 0, slow: false },
    settings,
    farewell: policy.isFarewell,
    busy,
    walls: {
      up: open?.server.walls.upCount ?? 0,
      lost: open ? places.of(plan.name).filter(({ lost }) => lost !== null).length : 0,
      showing: open?.server.walls.showing ?? null,
    },
  };
}
