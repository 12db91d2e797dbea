/** A server whose data lie on a small disk that others fill, and the alerts that it sends. */
import { spawnSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DISK_RESERVE } from '../../server/storage/lmdb/disk-space.ts';
import { afterSuite, afterTest, suiteFolder } from '../support/closing.ts';
import { isFull, testNeeding } from '../support/needs.ts';
import { SMALL } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { AlertReceiver } from '../support/receivers.ts';
import { Visitor } from '../support/visitor.ts';

const MEGABYTE = 2 ** 20;
const scratch = suiteFolder();
const mount = ['-t', 'tmpfs', '-o', 'size=256m', 'none', scratch];
const isMounted = isFull && spawnSync('mount', mount).status === 0;
if (isMounted) afterSuite(() => spawnSync('umount', [scratch]));

const free = (): number => {
  const { bavail, bsize } = statfsSync(scratch);
  return bavail * bsize;
};
const filler = (name: string): string => join(scratch, name);
const fill = (name: string, left: number): void =>
  writeFileSync(filler(name), Buffer.alloc(Math.max(0, free() - left)));

/** Wakes the organisms, so that their cells have to be stored again. */
const cut = (visitor: Visitor, i: number) =>
  visitor.ask('damage', { radius: 1, points: [16, 8 + (i % 80), 80, 8 + (i % 80)] });

const start = (alerts: string): ServerProcess => {
  const place = { port: 0, host: '127.0.0.1', size: '96x96', data: join(scratch, 'data') };
  return new ServerProcess(flagsOf({ ...place, ...SMALL, alerts, energy: 'off', snapshot: 0.05 }));
};

// In `npm test`, `full-disk.test.ts` fills a disk that only seems full.
testNeeding('a full run, and the right to mount a disk', isMounted)(
  'on a disk that becomes full it stops writing in time, goes on, and stores again by itself; the host hears of it',
  async () => {
    const receiver = await AlertReceiver.open();
    afterTest(() => receiver.close());
    const server = start(receiver.url);
    const visitor = await Visitor.join(await server.alive());
    for (const x of [16, 80]) {
      for (const y of [16, 80]) await visitor.ask('plant', { x, y, seed: { from: 'prior' } });
    }
    expect(server.errors).toMatch(/disk-filling: Only \d+ MiB are free/);
    fill('first', DISK_RESERVE + MEGABYTE / 2);
    for (let i = 0; !server.errors.includes('not-kept'); i++) await cut(visitor, i);
    expect(server.errors).toMatch(/not-kept: The disk is nearly full: only \d+ MiB are free/);
    expect(free()).toBeGreaterThan(DISK_RESERVE - 16 * MEGABYTE);
    expect(await receiver.hears('raised disk-low')).toMatchObject({ severity: 'critical' });
    await receiver.hears('raised not-kept');
    fill('second', 0);
    const { tick } = visitor;
    for (let i = 0; i < 40; i++) expect(await cut(visitor, i)).not.toHaveProperty('reason');
    expect(visitor.tick).toBeGreaterThan(tick!);
    visitor.leave();
    await server.end('SIGKILL');

    const again = start(receiver.url);
    const other = await Visitor.join(await again.alive());
    expect(other.welcome!.organisms.length).toBeGreaterThan(0);
    rmSync(filler('first'));
    rmSync(filler('second'));
    for (let i = 0; !again.errors.includes('kept-again'); i++) await cut(other, i);
    other.leave();
    await receiver.hears('cleared not-kept');
    await receiver.hears('cleared disk-low');
    expect(receiver.faults).toEqual([]);
    expect((await again.end()).code).toBe(0);
  },
);
