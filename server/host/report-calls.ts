/** Handlers for the organisms that visitors have reported: their list, pictures, dismissal. */
import { FILES } from '../../shared/host/api.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { ReportState } from '../../shared/host/state.ts';
import { openOf } from '../realtime/policy/reports.ts';
import { png } from '../replay/pictures.ts';
import type { OpenRoom } from '../rooms/live-room.ts';
import type { FileHandler, Handlers } from './api.ts';
import type { HostContext } from './host-context.ts';

/** The reported organisms of a room, as the host's page shows them. @param now wall clock, ms */
export function reportsOf({ server: { reports } }: OpenRoom, now: number): ReportState[] {
  return reports.list.map((report) => {
    const { id, kind, origin, planter, pictured, since } = report;
    return {
      ...{ organism: id, kind, origin, planter, pictured, lives: reports.lives(report) },
      ...{ reporters: openOf(report), waited: Math.max(0, now - since) },
    };
  });
}

/** The handlers of the calls about reports. */
export function reportCalls({ rooms }: HostContext) {
  return {
    dismissReport: async ({ organism }, { room }) => {
      const { reports } = rooms.requireOpen(room).server;
      if (!(await reports.dismiss(organism))) throw new HostRefusal('no-such-organism');
      return {};
    },
  } satisfies Partial<Handlers>;
}

/** Pictures of reported organisms, by path. */
export function reportFiles({ rooms }: HostContext): Readonly<Record<string, FileHandler>> {
  return {
    [FILES.organism]: async ({ params }, response) => {
      const { reports } = rooms.requireOpen(`${params.room}`).server;
      const report = reports.find(Number(params.organism));
      if (!report) throw new HostRefusal('no-such-organism');
      const { rgba, side } = report;
      const planes = { rgba, width: side, height: side, owner: new Uint32Array(side * side) };
      response.type('png').send(await png(planes));
    },
  };
}
