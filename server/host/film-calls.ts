/** Handlers for films on walls, and the pictures that walls and the host's page show. */
import { readFile } from 'node:fs/promises';
import type { Request, Response } from 'express';
import { FILES } from '../../shared/host/api.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import { getOrAdd } from '../platform/get-or-add.ts';
import { Mutex } from '../platform/mutex.ts';
import type { FileHandler, Handlers } from './api.ts';
import type { FilmJobs } from './film-jobs.ts';
import type { HostContext } from './host-context.ts';

/** The handlers of the calls about films on walls. */
export function filmCalls({ rooms }: Pick<HostContext, 'rooms'>, films: FilmJobs) {
  return {
    showFilm: ({ job, frame, speed }, { room }) => {
      const { walls } = rooms.requireOpen(room).server;
      const { room: of, frames, total, from, since: until, times } = films.shown(job);
      if (of !== room) throw new HostRefusal('no-such-job');
      if (frame >= frames) throw new HostRefusal('no-such-time');
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const shown = { id: job, frames: total, frame, speed, from, until, zone };
      walls.show({ film: { ...shown, ...(times && { times: [...times] }) } });
      return {};
    },
  } satisfies Partial<Handlers>;
}

/** A picture that is being sent, and to how many. */
interface Sending {
  readonly bytes: Promise<Buffer>;
  receivers: number;
}

/**
 * The pictures of films, by path: all for the host, and for walls those that they show. Responses
 * hold no file descriptors, as some clients never read them.
 */
export function filmFiles({ rooms }: Pick<HostContext, 'rooms'>, films: Pick<FilmJobs, 'frame'>) {
  const reading = new Mutex();
  /** By path of the file. */
  const sending = new Map<string, Sending>();
  const send = ({ params }: Request, response: Response): void => {
    const path = films.frame(`${params.job}`, Number(params.frame));
    const picture = getOrAdd(sending, path, () => {
      return { bytes: reading.runExclusive(() => readFile(path)), receivers: 0 };
    });
    picture.receivers++;
    response.once('close', () => {
      if (--picture.receivers === 0) sending.delete(path);
    });
    // A finished film does not change.
    response.set({ 'Content-Encoding': 'gzip', 'Cache-Control': 'private, max-age=86400' });
    response.type('application/octet-stream');
    picture.bytes.then(
      (bytes) => response.end(bytes),
      () => response.destroy(),
    );
  };
  const forHost: Readonly<Record<string, FileHandler>> = { [FILES.frame]: send };
  const forWalls: Readonly<Record<string, FileHandler>> = {
    [FILES.wallFrame]: (request, response) => {
      const isShown = [...rooms.roomServers.values()].some(
        ({ walls }) => walls.film?.id === request.params.job,
      );
      if (!isShown) throw new HostRefusal('no-such-job');
      send(request, response);
    },
  };
  return { forHost, forWalls };
}
