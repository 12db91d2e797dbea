/**
 * The host names that requests may be for. With DNS rebinding, a page of elsewhere gives this
 * server's address a name of its own, and counts as a page of this server.
 */
import type { IncomingMessage } from 'node:http';

const status = 421;
const text =
  'This server is not known by this name. Whoever runs it can allow the name with --hosts.';

/** The answer to a request for another host. */
export const WRONG_HOST = {
  status,
  text,
  /** As it is sent to WebSockets. */
  response: [
    `HTTP/1.1 ${status} Misdirected Request`,
    'Connection: close',
    'Content-Type: text/plain',
    `Content-Length: ${text.length}`,
    '',
    text,
  ].join('\r\n'),
} as const;

const LOCAL = ['localhost', '127.0.0.1', '[::1]'];

/** @returns the name of a Host header as browsers write it, without port; undefined if invalid */
function nameIn(header = ''): string | undefined {
  const url = `http://${header}`;
  return /^[\w.:[\]-]+$/.test(header) && URL.canParse(url) ? new URL(url).hostname : undefined;
}

/**
 * @param names that are allowed besides localhost
 * @param origins of this server; they may change
 * @returns whether a request is for one of these hosts, whatever the port
 */
export function hostCheck(
  names: readonly string[],
  origins: () => readonly string[],
): (request: IncomingMessage) => boolean {
  const allowed = new Set([...LOCAL, ...names.map(nameIn)]);
  return ({ headers }) => {
    const name = nameIn(headers.host);
    if (name === undefined) return false;
    return allowed.has(name) || origins().some((origin) => new URL(origin).hostname === name);
  };
}
