/** Calls about films. */
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { Handlers } from './api.ts';
import type { Desk } from './desk.ts';
import type { Films } from './films.ts';

export function filmCalls(
  { rooms, kept, folder, checkpointFolder }: Desk,
  films: Films,
): Pick<Handlers, 'timelapse' | 'stopJob'> {
  return {
    timelapse: async (wish, parts) => {
      const { name, checkpoint } = rooms.plan(parts.room);
      const grown = checkpointFolder(checkpoint);
      if (!kept || folder === undefined) throw new HostRefusal('not-kept');
      if (grown === undefined) throw new HostRefusal('no-such-checkpoint', checkpoint);
      await kept.chronicle.settled();
      return films.begin(name, wish, { data: folder, checkpoint: grown });
    },
    stopJob: (_, { job }) => {
      films.stop(job);
      return {};
    },
  };
}
