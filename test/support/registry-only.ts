/** Runs commands that reach nothing but what their proxy lets through, and lists what they ask for. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';

/** Whether this user may run commands in a network of their own. */
export const canIsolate = spawnSync('unshare', ['-rn', 'ip', 'link']).status === 0;

/** Passes a port of the isolated network on to the socket of the proxy, then runs a command. */
const INSIDE = `
  const { spawn } = require('node:child_process');
  const { connect, createServer } = require('node:net');
  const [socket, command] = process.argv.slice(1);
  const relay = createServer((one) => one.pipe(connect(socket)).on('error', () => {}).pipe(one).on('error', () => {}));
  relay.listen(0, '127.0.0.1', () => {
    const proxy = 'http://127.0.0.1:' + relay.address().port;
    const env = { ...process.env, https_proxy: proxy, http_proxy: proxy, HTTPS_PROXY: proxy, HTTP_PROXY: proxy };
    const child = spawn('sh', ['-c', command], { stdio: 'inherit', env });
    child.on('exit', (code) => process.exit(code ?? 1));
  });
`;

/**
 * Opens the proxy.
 *
 * @param folder takes its socket
 */
export async function openProxy(folder: string) {
  /** Hosts, in the order of the requests. */
  const asked: string[] = [];
  const path = join(folder, 'proxy.sock');
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(403).end();
  });
  server.on('connect', ({ url = '' }, socket) => {
    asked.push(url);
    const [host, port] = url.split(':');
    const far = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n');
      far.pipe(socket).pipe(far);
    });
    for (const end of [far, socket]) {
      end.on('error', () => {
        far.destroy();
        socket.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  // In a process group of its own, which a signal can end as a whole: npm passes no signals on.
  const run = (command: string, options: { cwd: string }): ChildProcess =>
    spawn(
      'unshare',
      [
        '-rn',
        'sh',
        '-c',
        'ip link set lo up && exec "$0" -e "$@"',
        process.execPath,
        INSIDE,
        path,
        command,
      ],
      { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
    );
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { asked, run, close };
}
