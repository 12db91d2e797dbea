/** Real Valkey servers, each with its own port and folder, and one process's connections to them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RoomLeases } from '../../server/cluster/lease.ts';
import { valkeyLeases } from '../../server/cluster/open-cluster.ts';
import { ValkeyConnection } from '../../server/cluster/valkey-connection.ts';
import { openValkeyRecords } from '../../server/cluster/valkey-records.ts';
import { systemClock } from '../../server/platform/clock.ts';
import type { Records } from '../../server/storage/records.ts';
import { ended, freePort, says } from './programs.ts';

/** Whether this machine has Valkey (Debian: valkey-server). */
export const hasValkey = spawnSync('valkey-server', ['--version']).status === 0;

/** What `--cluster` needs. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

export class ValkeyServer {
  private child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly flags: readonly string[],
  ) {}

  /** @param flags in addition to what a cluster needs */
  static async start(
    flags: readonly string[] = [],
    folder = mkdtempSync(join(tmpdir(), 'vivarium-valkey-')),
  ): Promise<ValkeyServer> {
    const server = new ValkeyServer(await freePort(), folder, flags);
    await server.up();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, also after a kill. */
  async up(): Promise<void> {
    const where = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.folder];
    const child = spawn('valkey-server', [...where, '--save', '', ...DURABLE, ...this.flags]);
    this.child = child;
    await says(child, child.stdout, /Ready to accept connections/);
  }

  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  /** Ends it as a loss of power would, but for what the system still has to write. */
  async kill(): Promise<void> {
    this.child?.kill('SIGKILL');
    if (this.child) await ended(this.child);
  }

  /** Another server with what this one has on its disk now. */
  copy(): Promise<ValkeyServer> {
    const folder = mkdtempSync(join(tmpdir(), 'vivarium-valkey-'));
    cpSync(this.folder, folder, { recursive: true });
    return ValkeyServer.start(this.flags, folder);
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface ClusterParts {
  readonly leases: RoomLeases;
  readonly records: Records;
  close(): Promise<void>;
}

let count = 0;

export async function openClusterParts(url: string): Promise<ClusterParts> {
  const connect = () => ValkeyConnection.open(url, systemClock);
  const [ofLeases, reads, writes] = [await connect(), await connect(), await connect()];
  const holder = `process-${++count}`;
  const leases = new RoomLeases({ leases: valkeyLeases(ofLeases), holder, clock: systemClock });
  const records = openValkeyRecords({ reads, writes, leases, clock: systemClock });
  return {
    leases,
    records,
    async close() {
      await leases.releaseAll();
      await records.close();
      for (const one of [ofLeases, reads, writes]) one.close();
    },
  };
}
