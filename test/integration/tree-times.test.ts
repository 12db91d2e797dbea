/** The times of a family tree and a film, over nights with the machine off and changes of the speed. */

import { dateOf } from '../../client/family-tree/tree-text.ts';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import type { LineagePage } from '../../shared/lineage.ts';
import { momentOfFrame } from '../../shared/time-points.ts';
import { afterTest, suiteFolder } from '../support/closing.ts';
import { HostClient } from '../support/host-client.ts';
import { SMALL } from '../support/organisms.ts';
import { noonClock, startServer } from '../support/server.ts';
import { hostOf } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const HOUR = 3_600_000;
// Without a painter, films are soon made.
const SETTINGS = { size: '160x96', 'tick-rate': 60, energy: 'off', ...SMALL };
const noon = noonClock();
/** How far the clock has been moved since then, ms. */
let moved = 0;
const date = () => noon() + moved;

async function start(data: string): Promise<VivariumServer> {
  const server = await startServer({ ...SETTINGS, data }, { date });
  afterTest(() => server.close());
  return server;
}

/** Plants one. @returns when, ms */
async function plant(server: VivariumServer, x: number): Promise<number> {
  const visitor = await Visitor.join(server.port, 'garden', 'Ada');
  afterTest(() => visitor.leave());
  const at = date();
  await visitor.plant(x, 40);
  return at;
}

/** Lets the machine sleep, and the room tick once after that: a command of that tick counts as before. */
async function sleepForAnHour(server: VivariumServer): Promise<void> {
  moved += HOUR;
  const { room } = server.roomServers.get('garden')!;
  const { tick } = room;
  while (room.tick === tick) await new Promise(setImmediate);
}

/** Makes a film of the last hours. @returns when its pictures were, ms */
async function filmed(host: HostClient, hours: number): Promise<(number | null)[]> {
  const { id } = await host.call('timelapse', { kind: 'gif', seconds: 1, hours });
  let job = (await host.call('state')).jobs[0];
  while (job.state === 'going') {
    await new Promise((wake) => setTimeout(wake, 100));
    job = (await host.call('state')).jobs.find((one) => one.id === id)!;
  }
  expect(job).toMatchObject({ state: 'done' });
  const { total, from, since: until, times } = job;
  return Array.from({ length: total! }, (_, frame) =>
    momentOfFrame({ frames: total!, from, until, times }, frame),
  );
}

/** Expects that the tree says when its organisms were planted. */
async function expectBirths({ port }: VivariumServer, real: readonly number[]): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/lineage/garden`);
  const page = (await response.json()) as LineagePage;
  const told = page.organisms.map(({ born }) => dateOf(page, born + 1));
  expect(told).toHaveLength(real.length);
  // As exactly as the tree knows times.
  for (const [i, at] of real.entries()) expect(Math.abs(told[i] - at)).toBeLessThan(6_000);
}

test.each(['a stored room', 'a room that is not stored'])(
  'the tree of %s tells when organisms were planted, also after its speed has changed',
  async (which) => {
    const server = await start(which === 'a stored room' ? suiteFolder() : 'none');
    const real = [await plant(server, 20)];
    await sleepForAnHour(server);
    real.push(await plant(server, 70));
    await (await hostOf(server)).call('changeSettings', { tickRate: 1 });
    real.push(await plant(server, 120));
    await expectBirths(server, real);
  },
);

test('the tree tells when organisms were planted before the machine was off', async () => {
  const data = suiteFolder();
  let server = await start(data);
  const { hostToken } = server;
  const real = [await plant(server, 20)];
  await server.close();
  moved += 15 * HOUR;
  server = await start(data);
  real.push(await plant(server, 70));
  // Once more, as each start replaces the snapshot of the end before.
  await server.close();
  moved += 15 * HOUR;
  server = await start(data);
  real.push(await plant(server, 120));
  await expectBirths(server, real);

  // And so does a film of both nights.
  const host = await HostClient.login(server.port, hostToken!);
  const dates = await filmed(host, 48);
  // Each picture was while the machine ran, none at night.
  for (const at of dates) {
    expect(Math.min(...real.map((birth) => Math.abs(at! - birth)))).toBeLessThan(60_000);
  }
  expect(Math.abs(dates.at(-1)! - real.at(-1)!)).toBeLessThan(60_000);
});

test('a clock that was 800 days ahead is told to the host, and no time is of then', async () => {
  const data = suiteFolder();
  let server = await start(data);
  const { hostToken } = server;
  let host = await HostClient.login(server.port, hostToken!);
  const real = [await plant(server, 20)];
  moved += 800 * 24 * HOUR;
  real.push((await plant(server, 70)) - 800 * 24 * HOUR);
  await host.call('takeSnapshot', { name: 'ahead' });
  expect(await host.call('state')).toMatchObject({ clockSetBack: false });
  moved -= 800 * 24 * HOUR;
  real.push(await plant(server, 120));
  await host.call('takeSnapshot', { name: 'right' });
  expect(await host.call('state')).toMatchObject({ clockSetBack: true });
  // After a restart as before.
  for (const isAgain of [false, true]) {
    if (isAgain) {
      await server.close();
      server = await start(data);
      host = await HostClient.login(server.port, hostToken!);
    }
    const snapshots = await host.call('snapshots', {});
    expect(snapshots.map(({ name }) => name).filter(Boolean)).toEqual(['right', 'ahead']);
    for (const { at } of snapshots) expect(Math.abs(at - date())).toBeLessThan(10 * 60_000);
    if (isAgain) {
      for (const at of await filmed(host, 8))
        expect(Math.abs(at! - date())).toBeLessThan(10 * 60_000);
    }
    await expectBirths(server, real);
  }
});
