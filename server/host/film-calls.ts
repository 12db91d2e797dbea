/** Handlers for films. */
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { Handlers } from './api.ts';
import type { FilmJobs } from './film-jobs.ts';
import type { HostContext } from './host-context.ts';

/** The handlers of the film calls. */
export function filmCalls(context: HostContext, films: FilmJobs) {
  const { rooms, storage, folder, checkpointFolder } = context;
  return {
    timelapse: async (wish, parts) => {
      const { name, checkpoint } = rooms.planOf(parts.room);
      const grown = checkpointFolder(checkpoint);
      if (!storage || folder === undefined) throw new HostRefusal('not-kept');
      if (grown === undefined) throw new HostRefusal('no-such-checkpoint', checkpoint);
      await storage.journalWriter.flushed();
      return films.begin(name, wish, { data: folder, checkpoint: grown });
    },
    stopJob: (_, { job }) => {
      films.stop(job);
      return {};
    },
  } satisfies Partial<Handlers>;
}
