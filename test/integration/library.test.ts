/** Checkpoints that the host adds without a restart, from the folder that `--library` names. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterSuite, suiteFolder } from '../support/closing.ts';
import { HostClient } from '../support/host-client.ts';
import { SMALL } from '../support/organisms.ts';
import { startServer } from '../support/server.ts';
import { hostOf } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const library = suiteFolder();
/** Puts the small checkpoint into the library under another name. */
function copyAs(folder: string, name = folder): void {
  cpSync(SMALL.checkpoint, join(library, folder), { recursive: true });
  const file = join(library, folder, 'card.json');
  const { identity: _, ...card } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...card, name, trustedSteps: 77 }));
}
const settings = { ...SMALL, library, data: suiteFolder(), size: '64x64', birth: 1 };
let server = await startServer(settings);
afterSuite(() => server.close());
const token = server.hostToken!;
let host = await hostOf(server);

test('a checkpoint that was copied there grows in a new room, now and after a restart', async () => {
  copyAs('later');
  mkdirSync(join(library, 'empty'));
  expect((await host.call('state')).library).toEqual(['empty', 'later']);
  const garden = await Visitor.join(server.port);
  await garden.plant(20, 20);
  expect(await host.call('addCheckpoint', { folder: 'later' })).toEqual({ checkpoint: 'later' });
  const { library: left, checkpoints } = await host.call('state');
  expect([left, checkpoints.map(({ name }) => name)]).toEqual([['empty'], ['small', 'later']]);
  const room = { name: 'attic', width: 64, height: 64, checkpoint: 'later' };
  await host.call('createRoom', room);
  for (const wait of [false, true]) {
    if (wait) {
      await server.close();
      server = await startServer(settings);
      host = await HostClient.login(server.port, token);
      expect((await host.call('state')).library).toEqual(['empty']);
    }
    const visitor = await Visitor.join(server.port, 'attic');
    expect(visitor.welcome!.checkpoint.name).toBe('later');
    expect(visitor.welcome!.organisms).toHaveLength(wait ? 1 : 0);
    await visitor.plant(wait ? 20 : 44, 32);
    await visitor.until(() => visitor.planes!.owner.some((owner) => owner > 0));
    const sheet = `http://127.0.0.1:${server.port}${visitor.welcome!.checkpoint.sheet.url}`;
    expect((await fetch(sheet)).status).toBe(200);
    visitor.leave();
  }
  garden.leave();
});

test.each([
  ['empty', 'bad-checkpoint'],
  ['missing', 'bad-checkpoint'],
  ['twin', 'bad-checkpoint'],
  ['../library', 'bad-call'],
  ['..', 'bad-call'],
])('%s is refused, and nothing changes', async (folder, reason) => {
  copyAs('twin', 'small');
  const before = await host.call('state');
  expect(await host.refusal('addCheckpoint', { folder })).toBe(reason);
  const { checkpoints, library: left } = await host.call('state');
  expect([checkpoints, left]).toEqual([before.checkpoints, before.library]);
});
