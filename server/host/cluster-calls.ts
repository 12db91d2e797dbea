/** Handlers for the servers of a cluster, and which of them a call is for. */

import { readFileSync } from 'node:fs';
import type { Request, Response } from 'express';
import { FILES } from '../../shared/host/api.ts';
import { type HostReason, HostRefusal } from '../../shared/host/reasons.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { SystemCommand } from '../realtime/commands/command-dispatcher.ts';
import type { ClusterRooms } from '../rooms/cluster-rooms.ts';
import type { OpenRoom } from '../rooms/live-room.ts';
import type { Answer } from '../world/commands.ts';
import type { FileHandler, Handlers, Parts } from './api.ts';
import type { FilmJobs } from './film-jobs.ts';
import type { HostContext } from './host-context.ts';

/** The handlers of the calls about this server. */
export function clusterCalls({ cluster }: Pick<HostContext, 'cluster'>) {
  const required = (): ClusterRooms => {
    if (!cluster) throw new HostRefusal('no-such-server');
    return cluster;
  };
  return {
    drain: async () => {
      await required().drain();
      return {};
    },
    stopDraining: async () => {
      await required().stopDraining();
      return {};
    },
  } satisfies Partial<Handlers>;
}

/**
 * The server that does what has these parts, whatever rooms it runs: the one that is named, or that
 * has made the film.
 *
 * @returns undefined: that does not matter
 * @throws HostRefusal no-such-server
 */
export function serverFor(
  { server, job }: Parts,
  cluster: ClusterRooms,
  films: Pick<FilmJobs, 'states'>,
): string | undefined {
  if (server !== undefined) {
    if (!cluster.knows(server)) throw new HostRefusal('no-such-server');
    return server;
  }
  if (job === undefined || films.states.some(({ id }) => id === job)) return undefined;
  for (const [name, jobs] of cluster.filmsElsewhere) {
    if (jobs.some(({ id }) => id === job)) return name;
  }
  return undefined;
}

/** Has another server answer a request. @returns false if none does; nothing is answered then */
export type PassOn = (
  to: { readonly room: string } | { readonly server: string },
  request: Request,
  response: Response,
) => Promise<boolean>;

/** Files that any server has, or that tell of the one that is asked. */
const OWN_FILES: ReadonlySet<string> = new Set([FILES.sign]);

/** The handlers of files, by path, but where the file is on another server, that one is asked. */
export function elsewhereFirst(
  files: Readonly<Record<string, FileHandler>>,
  options: {
    readonly cluster: ClusterRooms | undefined;
    readonly films: Pick<FilmJobs, 'states'>;
    readonly passOn: PassOn;
  },
): Readonly<Record<string, FileHandler>> {
  const { cluster, films, passOn } = options;
  if (!cluster) return files;
  const placeOf = ({ room, job }: Parts) => {
    const server = job === undefined ? undefined : serverFor({ job }, cluster, films);
    if (server !== undefined) return { server };
    return room !== undefined && cluster.isElsewhere(room) ? { room } : undefined;
  };
  return Object.fromEntries(
    Object.entries(files).map(([path, handle]): [string, FileHandler] => [
      path,
      async (request, response) => {
        const to = OWN_FILES.has(path) ? undefined : placeOf(request.params as Parts);
        if (!to || !(await passOn(to, request, response))) await handle(request, response);
      },
    ]),
  );
}

/**
 * Runs a command; resolves to its answer with the next tick.
 *
 * @throws HostRefusal room-busy; room-closed, elsewhere: the room has stopped
 */
export async function runSystemCommand(
  { server: roomServer }: OpenRoom,
  act: SystemCommand,
): Promise<Answer> {
  try {
    return await roomServer.dispatcher.hostActor.act(act);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { reason } = error;
    if (reason === 'room-closed' || reason === 'elsewhere') throw new HostRefusal(reason);
    throw new HostRefusal('room-busy', reason);
  }
}

/** Whether the room has done what a command asked for. */
export const isDone = (result: PromiseSettledResult<Answer>): boolean =>
  result.status === 'fulfilled' && !result.value.refused;

const REASONS: Readonly<Record<string, HostReason>> = {
  'no-such-organism': 'no-such-organism',
  'off-grid': 'off-grid',
};

/** As `runSystemCommand`; a refusal is thrown. @throws HostRefusal */
export async function requireSystemCommand(live: OpenRoom, act: SystemCommand): Promise<Answer> {
  const answer = await runSystemCommand(live, act);
  const { refused } = answer;
  if (refused) throw new HostRefusal(REASONS[refused.reason] ?? 'failed', refused.detail);
  return answer;
}

/** The version of this server. */
export function serverVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
