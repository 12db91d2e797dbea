/** After a restart of the server, returning visitors keep their identity and what they held. */

import { suiteFolder } from '../support/closing.ts';
import { decideAsHost, expectDecided } from '../support/host-client.ts';
import { CHECKPOINT_FOLDER, SMALL } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

test('a visitor who reconnects after a restart keeps number, energy and the seeds in hand', async () => {
  const data = suiteFolder();
  const settings = {
    ...{ data, size: '96x64', 'tick-rate': 30, energy: 'refillPerSecond=0' },
    ...SMALL,
  };
  const first = await startServer(settings);
  const [ada, bo] = [
    await Visitor.join(first.port, 'garden', 'Ada'),
    await Visitor.join(first.port, 'garden', 'Bo'),
  ];
  await ada.ask('plant', { x: 20, y: 20, seed: { from: 'gallery', index: 3 } });
  const [{ id }] = first.world.rooms.get('garden')!.organisms;
  const answer = await ada.ask('cross', { a: id, b: id, mix: 0.5 });
  const { seed, energy } = answer as { seed: { id: number }; energy: number };
  await first.close();

  const second = await startServer(settings);
  const mallory = await Visitor.join(second.port, 'garden', 'Mallory');
  expect(mallory.welcome!.you.id).toBeGreaterThan(bo.welcome!.you.id);
  const again = await Visitor.join(second.port, 'garden', 'Ada', { resume: ada.welcome!.resume });
  expect(again.welcome!.you).toEqual(ada.welcome!.you);
  expect(again.welcome!.energy.level).toBe(energy);
  const planted = await again.ask('plant', { x: 60, y: 30, seed: { from: 'hand', seed: seed.id } });
  expect(planted).not.toHaveProperty('reason');
  expect(second.world.rooms.get('garden')!.organisms.at(-1)).toMatchObject({
    origin: 'cross',
    planter: ada.welcome!.you,
  });
  for (const visitor of [ada, bo, mallory, again]) visitor.leave();
  await second.close();
});

test('after a kill, mutes, approved and waiting drawings and reports are as they were answered', async () => {
  const settings = { port: 0, host: '127.0.0.1', data: suiteFolder(), size: '96x96' };
  const more = { checkpoint: CHECKPOINT_FOLDER, attract: 'off', energy: 'off', birth: 1 };
  const start = () => new ServerProcess(flagsOf({ ...settings, ...more }));
  const first = start();
  const port = await first.alive();
  const enter = (at: number) => (resume?: string) =>
    Visitor.join(at, 'garden', undefined, resume === undefined ? {} : { resume });
  const decided = await decideAsHost(port, await first.hostToken(), enter(port));
  await first.end('SIGKILL');
  const second = start();
  const later = await second.alive();
  await expectDecided(later, decided, enter(later));
  await second.end('SIGKILL');
});
