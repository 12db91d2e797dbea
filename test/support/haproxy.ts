/** HAProxy with the configuration that is shipped, in front of gateways of this machine. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ended, freePort } from './programs.ts';

/** Whether this machine has HAProxy (Debian: haproxy). */
export const hasHaproxy = spawnSync('haproxy', ['-v']).status === 0;

const SHIPPED = fileURLToPath(new URL('../../server/deploy/cluster/haproxy.cfg', import.meta.url));

/** Has HAProxy check a configuration. @throws Error it refuses it, or warns of something */
export function checkHaproxy(...files: readonly string[]): void {
  const flags = files.flatMap((file) => ['-f', file]);
  const { status, stderr } = spawnSync('haproxy', ['-c', '-dW', ...flags], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

/** A running HAProxy. */
export class Haproxy {
  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly child: ChildProcess,
  ) {}

  /**
   * Starts it.
   *
   * @param gateways ports, in the order of the servers in the configuration
   * @throws Error HAProxy refuses the configuration
   */
  static async start(gateways: readonly number[]): Promise<Haproxy> {
    const folder = mkdtempSync(join(tmpdir(), 'vivarium-haproxy-'));
    const port = await freePort();
    // Only addresses are others, fewer files are open, and the state of the servers can be asked for.
    const config = readFileSync(SHIPPED, 'utf8')
      .replace('bind :80', `bind 127.0.0.1:${port}`)
      .replace(/gateway-([ab]):8080/g, (_, name) => `127.0.0.1:${gateways['ab'.indexOf(name)]}`)
      .replace('maxconn 20000', 'maxconn 500')
      .replace('global\n', `global\n  stats socket ${folder}/state level user\n`);
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, config);
    checkHaproxy(file);
    const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
    return new Haproxy(port, folder, child);
  }

  /** Waits until a server is up, or is not. @param name as in the configuration */
  async sees(name: string, isUp = true): Promise<void> {
    const wanted = new RegExp(`^gateways,${name},${isUp ? 'UP' : '(?!UP)'}`, 'm');
    while (!wanted.test(await this.states().catch(() => ''))) {
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }

  async close(): Promise<void> {
    this.child.kill('SIGKILL');
    await ended(this.child);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Lines of `backend,server,state`. */
  private states(): Promise<string> {
    return new Promise((resolve, reject) => {
      let answer = '';
      const socket = connect(join(this.folder, 'state'), () => socket.write('show stat\n'));
      socket.on('data', (chunk) => {
        answer += chunk;
      });
      socket.on('error', reject);
      socket.on('close', () => {
        const rows = answer.split('\n').map((line) => line.split(','));
        const state = rows[0].indexOf('status');
        resolve(rows.map((row) => `${row[0]},${row[1]},${row[state]}`).join('\n'));
      });
    });
  }
}
