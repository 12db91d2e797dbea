/**
 * One owner and two gateways with a real Valkey: visitors of both are in one room, and stay who they
 * are whichever server ends.
 */

import type { Command } from '../../shared/protocol/commands.ts';
import { afterSuite } from '../support/closing.ts';
import { decideAsHost, expectDecided, HostClient } from '../support/host-client.ts';
import { describeNeeding } from '../support/needs.ts';
import { CHECKPOINT_FOLDER } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { hasValkey, ValkeyServer } from '../support/valkey.ts';
import { Visitor } from '../support/visitor.ts';

const SEED = { from: 'gallery', index: 1 };

const pause = (): Promise<void> => new Promise((wake) => setTimeout(wake, 200));

/** Joins, and tries again as pages do while no server has the room. */
async function enter(port: number, wishes: Partial<Command<'join'>> = {}): Promise<Visitor> {
  for (;;) {
    const visitor = new Visitor(port);
    visitor.requestJoin(wishes);
    const isRefused = (): boolean => visitor.heard.some(({ name }) => name === 'rejected');
    await visitor.until(() => visitor.tick !== undefined || isRefused());
    if (!isRefused()) return visitor;
    visitor.leave();
    await pause();
  }
}

interface Node {
  readonly server: ServerProcess;
  readonly port: number;
}

describeNeeding('Valkey', hasValkey)('an owner and two gateways', () => {
  const closing: (() => unknown)[] = [];
  afterSuite(async () => {
    for (const close of closing) await close();
  });
  const launch = async (url: string, role: string): Promise<Node> => {
    const server = new ServerProcess(
      flagsOf({
        ...{ port: 0, host: '127.0.0.1', data: 'none', cluster: url, role, size: '96x96' },
        ...{ 'max-organisms': 8, snapshot: 0.5, attract: 'off', energy: 'plant=0,damagePerCell=0' },
        ...{ birth: 1, checkpoint: CHECKPOINT_FOLDER },
      }),
    );
    closing.unshift(() => server.end('SIGKILL'));
    return { server, port: await server.alive() };
  };
  const ready = async ({ port }: Node): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
  const welcomes = ({ heard }: Visitor): number =>
    heard.filter(({ name }) => name === 'welcome').length;

  test('visitors of both see each other, and go on when a gateway or the owner ends', async () => {
    const valkey = await ValkeyServer.start();
    closing.push(() => valkey.remove());
    const owner = await launch(valkey.url, 'owner');
    const [a, b] = await Promise.all([
      launch(valkey.url, 'gateway'),
      launch(valkey.url, 'gateway'),
    ]);
    expect(await Promise.all([a, b].map(ready))).toEqual([200, 200]);

    const anna = await enter(a.port, { name: 'Anna' });
    const bert = await enter(b.port, { name: 'Bert' });
    await anna.next(({ message }) => JSON.stringify(message)?.includes('"Bert"'));
    expect(bert.welcome!.participants.map(({ name }) => name).sort()).toEqual(['Anna', 'Bert']);
    expect(await anna.ask('plant', { x: 30, y: 30, seed: SEED })).not.toHaveProperty('reason');
    await bert.until(() => bert.life.some(({ what }) => what === 'born'));
    const isSeen = ({ planes }: Visitor): boolean => planes!.owner.some((place) => place > 0);
    await bert.until(() => isSeen(bert));
    await anna.until(() => isSeen(anna));

    // The host's page works on a gateway too. Behind a balancer, each call may reach another one.
    const token = await owner.server.hostToken();
    for (let i = 0; i < 5; i++) {
      const { cookie } = await HostClient.login(b.port, token);
      expect((await new HostClient(a.port, { cookie }).fetch('/session')).status).toBe(200);
    }
    const host = await HostClient.login(a.port, token);
    const [garden] = (await host.call('state')).rooms;
    expect(garden).toMatchObject({ name: 'garden', participants: 2, organisms: 1 });
    await host.call('changeSettings', { cooldown: 1 });
    await bert.next(
      ({ name, message }) =>
        name === 'settings' && (message as { cooldown: number }).cooldown === 1,
    );
    await host.call('changeSettings', { cooldown: 0 });
    const pond = { name: 'pond', width: 64, height: 64, checkpoint: garden.checkpoint };
    await host.call('createRoom', pond);
    const carl = await enter(a.port, { name: 'Carl', room: 'pond' });
    await host.call('closeRoom', {}, { room: 'pond' });
    expect(await carl.refusal()).toBe('room-closed');
    await host.call('removeRoom', { confirm: 'pond' }, { room: 'pond' });

    // Another owner takes the full room over. Nobody's connection ends, nobody passes the line, and what the host has
    // decided still holds.
    const byGateway = (resume?: string) => enter(a.port, resume === undefined ? {} : { resume });
    await host.call('clearArea', { x: 0, y: 0, width: 96, height: 96 });
    const decided = await decideAsHost(a.port, token, byGateway);
    await host.call('changeSettings', { capacity: 2 });
    const line: Visitor[] = [];
    for (const { port } of [b, a, b]) {
      line.push(new Visitor(port));
      line.at(-1)!.requestJoin();
      await line.at(-1)!.next(({ name }) => name === 'waiting');
    }
    const standby = await launch(valkey.url, 'owner');
    const before = [anna, bert].map(({ welcome }) => welcome!.you);
    const counts = [anna, bert].map(welcomes);
    await owner.server.end('SIGKILL');
    const answer = anna.ask('plant', { x: 30, y: 70, seed: SEED });
    await anna.until(() => welcomes(anna) > counts[0]);
    await bert.until(() => welcomes(bert) > counts[1]);
    expect([anna, bert].map(({ welcome }) => welcome!.you)).toEqual(before);
    expect(await answer).not.toHaveProperty('reason');
    const { tick } = bert;
    await bert.until(() => bert.tick !== tick);
    await bert.until(() => bert.life.some(({ what }) => what === 'born'));
    expect((await host.call('state')).rooms[0]).toMatchObject({ participants: 2, waiting: 3 });
    const ahead = ({ heard }: Visitor) =>
      heard.flatMap(({ name, message }) => (name === 'waiting' ? [message] : [])).at(-1);
    expect(line.map(ahead)).toMatchObject([{ ahead: 0 }, { ahead: 1 }, { ahead: 2 }]);
    for (const { heard } of [anna, bert, ...line]) {
      expect(heard.map(({ name }) => name)).not.toContain('disconnect');
    }
    await host.call('changeSettings', { capacity: 20 });
    await expectDecided(a.port, decided, byGateway);

    // A gateway that dies, and one that is told to end: a page tries the next one, with its token.
    await b.server.end('SIGKILL');
    const { resume, you } = bert.welcome!;
    const back = await enter(a.port, { name: 'Bert', resume });
    expect(back.welcome!.you).toEqual(you);

    // Without any owner, a page is told to try again; the picture of the others stays.
    await standby.server.end('SIGTERM');
    const late = new Visitor(a.port);
    late.requestJoin();
    expect(await late.refusal()).toBe('elsewhere');
    expect(anna.socket.connected).toBe(true);
    await a.server.end('SIGTERM');
    await anna.until(() => anna.heard.some(({ name }) => name === 'disconnect'));
  });
});
