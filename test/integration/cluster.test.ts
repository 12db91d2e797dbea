/** Servers that share rooms, with a real Valkey: whichever ends, visitors stay who they are, and what the host has decided holds. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from '../../shared/protocol/commands.ts';
import { afterTest, suiteFolder } from '../support/closing.ts';
import {
  FOLLOWED,
  joinAny,
  type Node,
  type Role,
  SIDE,
  say,
  startNode,
} from '../support/cluster-nodes.ts';
import { decideAsHost, expectDecided, HostClient, type Refused } from '../support/host-client.ts';
import { describeNeeding } from '../support/needs.ts';
import { CHECKPOINT_FOLDER, SMALL } from '../support/organisms.ts';
import { hasValkey, ValkeyServer } from '../support/valkey.ts';
import { Visitor } from '../support/visitor.ts';

const SEED = { from: 'gallery', index: 1 };

describeNeeding('Valkey', hasValkey)('servers with one Valkey', () => {
  let valkey: ValkeyServer;
  beforeEach(async () => {
    const started = await ValkeyServer.start();
    afterTest(() => started.remove());
    valkey = started;
  });

  const launch = async (role: Role = 'owner', more = {}): Promise<Node> => {
    const node = await startNode(valkey, role, { birth: 1, ...more });
    afterTest(node.close);
    return node;
  };
  const ready = async ({ port }: Node): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
  const enter = async (node: Node, wishes?: Partial<Command<'join'>>): Promise<Visitor> =>
    (await joinAny([node], wishes))[0];
  const enterBy = (node: Node) => (resume?: string) => enter(node, resume ? { resume } : {});

  test('one has the room, the other waits for it, and takes it over when the first is told to end', async () => {
    const [a, b] = [await launch(), await launch()];
    const visitor = await Visitor.join(a.port);
    const { resume, you } = visitor.welcome!;
    expect(await Visitor.knock(b.port)).toBe('elsewhere');
    expect(await Promise.all([a, b].map(ready))).toEqual([200, 503]);
    await visitor.plant(48, 48, SEED);
    await b.server.says(FOLLOWED);
    const begun = performance.now();
    const ended = a.server.end('SIGTERM');
    // Who they were: the token is of the other server.
    const back = await enter(b, { resume });
    say(`handed over in ${Math.round(performance.now() - begun)} ms`);
    await ended;
    await b.server.says(/taken over in its current state/);
    // It goes on after the last tick that was shown.
    expect(back.tick).toBeGreaterThanOrEqual(visitor.tick!);
    await back.until(() => back.tick! > visitor.tick!);
    const own = ({ welcome }: Visitor): number[] =>
      welcome!.organisms.flatMap(({ id, planter }) => (planter?.id === you.id ? [id] : []));
    expect([back.welcome!.you.id, own(back).length]).toEqual([you.id, 1]);
    expect(await ready(b)).toBe(200);

    // Without Valkey the room stops; the connection ends with a reason that pages come back from.
    await valkey.kill();
    expect(await back.refusal()).toBe('elsewhere');
    const stopped = back.tick;
    expect(await Visitor.knock(b.port)).toBe('elsewhere');
    await valkey.up();
    const again = await enter(b, { resume });
    expect([again.welcome!.you.id, own(again)]).toEqual([you.id, own(back)]);
    expect(back.tick).toBe(stopped);
    again.leave();
  });

  test('visitors of two gateways see each other, and go on when a gateway or the owner ends', async () => {
    // Visitors draw, which the small checkpoint cannot.
    const shipped = { checkpoint: CHECKPOINT_FOLDER };
    const [library, ofOwner] = [suiteFolder(), suiteFolder()];
    cpSync(SMALL.checkpoint, join(library, 'later'), { recursive: true });
    const owner = await launch('owner', { ...shipped, library: ofOwner });
    const [a, b] = await Promise.all(
      ['gateway', 'gateway'].map((role) => launch(role as Role, { ...shipped, library })),
    );
    expect(await Promise.all([a, b].map(ready))).toEqual([200, 200]);

    const anna = await enter(a, { name: 'Anna' });
    const bert = await enter(b, { name: 'Bert' });
    await anna.next(({ message }) => JSON.stringify(message)?.includes('"Bert"'));
    expect(bert.welcome!.participants.map(({ name }) => name).sort()).toEqual(['Anna', 'Bert']);
    await anna.plant(30, 30, SEED);
    await bert.until(() => bert.life.some(({ what }) => what === 'born'));
    for (const one of [bert, anna]) {
      await one.until(() => one.planes!.owner.some((place) => place > 0));
    }

    // The host's page works on a gateway too. Behind a balancer, each call may reach another one.
    const token = await owner.server.hostToken();
    for (let i = 0; i < 5; i++) {
      const { cookie } = await HostClient.login(b.port, token);
      expect((await new HostClient(a.port, { cookie }).fetch('/session')).status).toBe(200);
    }
    const host = await HostClient.login(a.port, token);
    const gardenNow = async () => (await host.call('state')).rooms[0];
    let garden = await gardenNow();
    // A busy owner may answer too late, and is then asked again.
    while (garden.organisms === null) garden = await gardenNow();
    expect(garden).toMatchObject({ name: 'garden', participants: 2, organisms: 1 });
    await host.call('changeSettings', { cooldown: 1 });
    await bert.until(() => bert.all('settings').at(-1)!.cooldown === 1);
    await host.call('changeSettings', { cooldown: 0 });
    // A program's token is valid on all servers, until it is revoked on one.
    const made = await host.call('makeToken', { name: 'Lights', role: 'operator' });
    const program = new HostClient(b.port, { authorization: `Bearer ${made.token}` });
    const isKnown = (): Promise<boolean> =>
      program.call('pause', { paused: false }).then(
        () => true,
        ({ reason }: Refused) => reason !== 'wrong-token',
      );
    while (!(await isKnown())) await pause(20);
    expect(await program.refusal('room')).toBe('not-allowed');
    await host.call('revokeToken', {}, { token: made.id });
    const revoked = performance.now();
    while (await isKnown()) await pause(20);
    const took = performance.now() - revoked;
    say(`a revoked token ended on another server in ${Math.round(took)} ms`);
    expect(took).toBeLessThan(1_000);
    // A checkpoint is added when all servers have it.
    expect(await host.refusal('addCheckpoint', { folder: 'later' })).toBe('not-everywhere');
    cpSync(SMALL.checkpoint, join(ofOwner, 'later'), { recursive: true });
    const added = await host.call('addCheckpoint', { folder: 'later' });
    const pond = { name: 'pond', width: 64, height: 64, ...added };
    await host.call('createRoom', pond);
    const carl = await enter(a, { name: 'Carl', room: 'pond' });
    await host.call('closeRoom', {}, { room: 'pond' });
    expect(await carl.refusal()).toBe('room-closed');
    await host.call('removeRoom', { confirm: 'pond' }, { room: 'pond' });

    // Another owner takes the full room over. Nobody's connection ends, nobody passes the line, and what the host has
    // decided still holds.
    await host.call('clearArea', { x: 0, y: 0, width: SIDE, height: SIDE });
    const decided = await decideAsHost(a.port, token, enterBy(a));
    await host.call('changeSettings', { capacity: 2 });
    const line: Visitor[] = [];
    for (const { port } of [b, a, b]) {
      const waiting = new Visitor(port);
      waiting.requestJoin();
      await waiting.until(() => waiting.all('waiting').length > 0);
      line.push(waiting);
    }
    const standby = await launch('owner', shipped);
    const before = [anna, bert].map(({ welcome }) => welcome!.you);
    const counts = [anna, bert].map((one) => one.all('welcome').length);
    await owner.server.end('SIGKILL');
    const answer = anna.ask('plant', { x: 30, y: 70, seed: SEED });
    await anna.until(() => anna.all('welcome').length > counts[0]);
    await bert.until(() => bert.all('welcome').length > counts[1]);
    expect([anna, bert].map(({ welcome }) => welcome!.you)).toEqual(before);
    expect(await answer).not.toHaveProperty('reason');
    const { tick } = bert;
    await bert.until(() => bert.tick !== tick);
    expect((await host.call('state')).rooms[0]).toMatchObject({ participants: 2, waiting: 3 });
    expect(line.map((one) => one.all('waiting').at(-1)!.ahead)).toEqual([0, 1, 2]);
    for (const { heard } of [anna, bert, ...line]) {
      expect(heard.map(({ name }) => name)).not.toContain('disconnect');
    }
    await host.call('changeSettings', { capacity: 20 });
    await expectDecided(a.port, decided, enterBy(a));

    // A gateway that dies, and one that is told to end: a page tries the next one, with its token.
    await b.server.end('SIGKILL');
    const { resume, you } = bert.welcome!;
    expect((await enter(a, { name: 'Bert', resume })).welcome!.you).toEqual(you);

    // Without any owner, a page is told to try again; the picture of the others stays.
    await standby.server.end('SIGTERM');
    expect(await Visitor.knock(a.port)).toBe('elsewhere');
    expect(anna.socket.connected).toBe(true);
    await a.server.end('SIGTERM');
    await anna.next(({ name }) => name === 'disconnect');
  });
});
