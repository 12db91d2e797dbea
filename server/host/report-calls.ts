/** Handlers for the organisms that visitors have reported: their list, pictures, dismissal. */
import { createPlanes } from '../../shared/codec/planes.ts';
import { FILES } from '../../shared/host/api.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { ReportState } from '../../shared/host/state.ts';
import { png } from '../replay/pictures.ts';
import type { OpenRoom } from '../rooms/live-room.ts';
import type { FileHandler, Handlers } from './api.ts';
import type { HostContext } from './host-context.ts';

/** The reported organisms of a room, as the host's page shows them. @param now ms */
export function reportsOf({ room, server }: OpenRoom, now: number): ReportState[] {
  return server.reports.list.map(({ organism, reporters, since }) => {
    const { kind, origin, planter } = room.viewOf(organism)!;
    return { organism, kind, origin, planter, reporters, waited: now - since };
  });
}

/** The handlers of the calls about reports. */
export function reportCalls({ rooms }: HostContext) {
  return {
    dismissReport: ({ organism }, { room }) => {
      const { reports } = rooms.requireOpen(room).server;
      if (!reports.dismiss(organism)) throw new HostRefusal('no-such-organism');
      return {};
    },
  } satisfies Partial<Handlers>;
}

/** Pictures of living organisms, by path. */
export function reportFiles({ rooms }: HostContext): Readonly<Record<string, FileHandler>> {
  return {
    [FILES.organism]: async ({ params }, response) => {
      const live = rooms.requireOpen(`${params.room}`);
      response.type('png').send(await png(cellsOf(live, Number(params.organism))));
    },
  };
}

/** The places of an organism's window, those of others black. @throws HostRefusal */
function cellsOf({ room }: OpenRoom, organism: number) {
  const view = room.viewOf(organism);
  if (!view) throw new HostRefusal('no-such-organism');
  const { rgba, owner, width } = room.grid.planes;
  const { side } = view;
  const [left, top] = [view.x - side / 2, view.y - side / 2];
  const cells = createPlanes(side, side);
  for (let i = 0; i < side * side; i++) {
    const place = (top + Math.floor(i / side)) * width + left + (i % side);
    if (owner[place] === organism) cells.rgba.set(rgba.subarray(4 * place, 4 * place + 4), 4 * i);
  }
  return cells;
}
