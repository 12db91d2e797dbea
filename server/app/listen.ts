/** What a host can do about a port that cannot be listened to. */
import { networkAddresses } from './network-addresses.ts';

export type ListenReason =
  /** Another program listens there. */
  | 'port-taken'
  /** The system keeps this port for others. */
  | 'not-allowed'
  /** This machine has no such address. */
  | 'no-such-address';

/** The message is one sentence for the host. */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  constructor(
    readonly reason: ListenReason,
    message: string,
  ) {
    super(message);
  }
}

/** A port, and what the flag that sets it is called. */
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

/** Ports below are for programs that the administrator trusts. */
const FREE_FOR_ALL = 1024;

const next = (port: number): number => (port < 65_535 ? port + 1 : FREE_FOR_ALL);

const SENTENCES: Readonly<Record<ListenReason, (place: ListenTarget) => string>> = {
  'port-taken': ({ flag, port }) =>
    `${flag}: another program has port ${port}; choose another one, like ${flag} ${next(port)}.`,
  'not-allowed': ({ flag, port }) =>
    port < FREE_FOR_ALL
      ? `${flag}: this user may not have port ${port}; choose one from ${FREE_FOR_ALL} on, like ${flag} 8080, or, under systemd, give the service AmbientCapabilities=CAP_NET_BIND_SERVICE.`
      : `${flag}: the system does not give port ${port}; choose another one, like ${flag} ${next(port)}.`,
  'no-such-address': ({ host }) =>
    `--host: this machine has no address ${host}; it has ${['127.0.0.1', ...networkAddresses()].join(', ')}, and 0.0.0.0 stands for all of them.`,
};

/** Waits until a server listens. @throws ListenError, where the host can mend it */
export async function listen<T>(place: ListenTarget, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const reason = REASONS[(error as NodeJS.ErrnoException).code ?? ''];
    throw reason ? new ListenError(reason, SENTENCES[reason](place)) : error;
  }
}
