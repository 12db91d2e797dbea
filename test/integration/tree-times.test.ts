/** The times of a family tree and a film, over nights with the machine off and changes of the speed. */

import { dateOf } from '../../client/family-tree/time-marks.ts';
import type { VivariumServer } from '../../server/app/create-server.ts';
import { momentOfFrame } from '../../shared/film-moment.ts';
import type { LineagePage } from '../../shared/lineage.ts';
import { afterTest, suiteFolder } from '../support/closing.ts';
import { HostClient } from '../support/host-client.ts';
import { noonClock, startServer } from '../support/server.ts';
import { hostOf } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const HOUR = 3_600_000;
const SETTINGS = { size: '160x96', 'tick-rate': 60, energy: 'off' };
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
  const wish = { x, y: 40, seed: { from: 'gallery', index: 0 } };
  expect(await visitor.ask('plant', wish)).not.toHaveProperty('reason');
  return at;
}

/** What the tree says when its organisms were planted, ms. */
async function births({ port }: VivariumServer): Promise<number[]> {
  const page = (await (
    await fetch(`http://127.0.0.1:${port}/lineage/garden`)
  ).json()) as LineagePage;
  return page.organisms.map(({ born }) => dateOf(page, born));
}

async function expectBirths(server: VivariumServer, real: readonly number[]): Promise<void> {
  const told = await births(server);
  expect(told).toHaveLength(real.length);
  // As exactly as the tree knows times.
  for (const [i, at] of real.entries()) expect(Math.abs(told[i] - at)).toBeLessThan(6_000);
}

test.each(['a stored room', 'a room that is not stored'])(
  'the tree of %s tells when organisms were planted, also after its speed has changed',
  async (which) => {
    const server = await start(which === 'a stored room' ? suiteFolder() : 'none');
    const real = [await plant(server, 20)];
    // The machine sleeps for an hour.
    moved += HOUR;
    real.push(await plant(server, 70));
    await (await hostOf(server)).call('changeSettings', { tickRate: 1 }, { room: 'garden' });
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
  const { id } = await host.call('timelapse', { kind: 'gif', seconds: 1, hours: 48 });
  let job = (await host.call('state')).jobs[0];
  while (job.state === 'going') {
    await new Promise((wake) => setTimeout(wake, 100));
    job = (await host.call('state')).jobs.find((one) => one.id === id)!;
  }
  expect(job).toMatchObject({ state: 'done' });
  const { total, from, since: until, times } = job;
  const dates = Array.from({ length: total! }, (_, frame) =>
    momentOfFrame({ frames: total!, from, until, times }, frame),
  );
  // Each picture was while the machine ran, none at night.
  for (const at of dates) {
    expect(Math.min(...real.map((birth) => Math.abs(at! - birth)))).toBeLessThan(60_000);
  }
  expect(Math.abs(dates.at(-1)! - real.at(-1)!)).toBeLessThan(60_000);
});
