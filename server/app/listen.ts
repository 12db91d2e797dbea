/** Turns errors of listening on a port into a sentence that tells the host what to do. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { networkAddresses } from './network-addresses.ts';

/** Why a server cannot listen. */
export type ListenReason =
  /** Another program listens on the port. */
  | 'port-taken'
  /** The system does not let this user have the port. */
  | 'not-allowed'
  /** This machine has no such address. */
  | 'no-such-address';

/** The server cannot listen. The message is one sentence for the host. */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  constructor(
    readonly reason: ListenReason,
    message: string,
  ) {
    super(message);
  }
}

/** Where to listen, and the flag that sets the port. */
export interface ListenTarget {
  readonly flag: string;
  readonly host: string;
  readonly port: number;
}

const REASONS: Readonly<Record<string, ListenReason>> = {
  EADDRINUSE: 'port-taken',
  EACCES: 'not-allowed',
  EADDRNOTAVAIL: 'no-such-address',
  EAFNOSUPPORT: 'no-such-address',
  EAI_AGAIN: 'no-such-address',
  EINVAL: 'no-such-address',
  ENOTFOUND: 'no-such-address',
};

/** Ports below this one need privileges. */
const FIRST_UNPRIVILEGED = 1024;

const next = (port: number): number => (port < 65_535 ? port + 1 : FIRST_UNPRIVILEGED);

const SENTENCES: Readonly<Record<ListenReason, (target: ListenTarget) => string>> = {
  'port-taken': ({ flag, port }) =>
    `${flag}: another program uses port ${port}; choose another one, for example ${flag} ${next(port)}.`,
  'not-allowed': ({ flag, port }) =>
    port < FIRST_UNPRIVILEGED
      ? `${flag}: this user may not use port ${port}; choose ${FIRST_UNPRIVILEGED} or higher, for example ${flag} 8080, or, under systemd, give the service AmbientCapabilities=CAP_NET_BIND_SERVICE.`
      : `${flag}: the system does not allow port ${port}; choose another one, for example ${flag} ${next(port)}.`,
  'no-such-address': ({ host }) =>
    `--host: this machine has no address ${host}; it has ${['127.0.0.1', ...networkAddresses()].join(', ')}. Use 0.0.0.0 for all of them.`,
};

/**
 * Starts listening.
 *
 * @throws ListenError if the host can fix the cause, else the error of `start`
 */
export async function listen<T>(target: ListenTarget, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const reason = REASONS[(error as NodeJS.ErrnoException).code ?? ''];
    throw reason ? new ListenError(reason, SENTENCES[reason](target)) : error;
  }
}

/** Makes an HTTP server listen. @throws ListenError, as `listen` */
export function listenHttp(http: Server, target: ListenTarget): Promise<void> {
  return listen(target, async () => {
    http.listen(target.port, target.host);
    await once(http, 'listening');
  });
}
