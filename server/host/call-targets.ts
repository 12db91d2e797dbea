/** Finds the server of a cluster that a call or file of the host is for. */
import type { CallName } from '../../shared/host/api.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { JobState } from '../../shared/host/state.ts';
import type { RelayTarget } from '../cluster/bus/request-relay.ts';
import type { ClusterRooms } from '../rooms/cluster-rooms.ts';
import type { Host, Parts } from './calls.ts';

/** Calls for rooms that no server runs: any server that runs rooms can execute them. */
const OF_ANY_OWNER: readonly string[] = ['createRoom', 'openRoom', 'removeRoom'];

/**
 * The server that a call or file is for: the named one, the one that has made the film, or the one
 * that runs the room.
 *
 * @param call undefined for a file
 * @returns undefined: this one
 * @throws HostRefusal no-such-server
 */
export function targetOf(
  { cluster, films }: Pick<Host, 'cluster'> & { readonly films: Pick<Host['films'], 'states'> },
  { room, server, job }: Parts,
  call?: CallName,
): RelayTarget | undefined {
  if (!cluster) return undefined;
  if (server !== undefined && !cluster.knows(server)) throw new HostRefusal('no-such-server');
  const hasFilm = (jobs: readonly JobState[]): boolean => jobs.some(({ id }) => id === job);
  const elsewhere = hasFilm(films.states) ? [] : [...cluster.filmsElsewhere];
  const name = server ?? elsewhere.find(([, jobs]) => hasFilm(jobs))?.[0];
  if (name !== undefined) return name === cluster.name ? undefined : { server: name };
  // First, as a room that was just closed may seem to be open here.
  const of = call && OF_ANY_OWNER.includes(call) ? cluster.ownedElsewhere(room) : undefined;
  if (of !== undefined) return { room: of };
  return room !== undefined && cluster.isElsewhere(room) ? { room } : undefined;
}

/** Whether this server is a target. */
export const isTarget = (
  target: RelayTarget,
  cluster: Pick<ClusterRooms, 'name' | 'roomServers' | 'isElsewhere'>,
): boolean =>
  'server' in target
    ? target.server === cluster.name
    : cluster.roomServers.has(target.room) && !cluster.isElsewhere(target.room);
