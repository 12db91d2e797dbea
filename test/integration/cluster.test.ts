/** Two servers that share a room, with a real Valkey: one hands it over to the other. */

import { afterSuite } from '../support/closing.ts';
import { FOLLOWED, joinAny, type Node, SIDE, startNode } from '../support/cluster-nodes.ts';
import { decideAsHost, expectDecided, HostClient } from '../support/host-client.ts';
import { describeNeeding } from '../support/needs.ts';
import { hasValkey, ValkeyServer } from '../support/valkey.ts';
import { Visitor } from '../support/visitor.ts';

const say = (figure: string): void => {
  if (process.env.VIVARIUM_FIGURES) process.stderr.write(`${figure}\n`);
};

describeNeeding('Valkey', hasValkey)('two servers with one Valkey', () => {
  const closing: (() => unknown)[] = [];
  afterSuite(async () => {
    for (const close of closing) await close();
  });
  const launch = async (valkey: ValkeyServer): Promise<Node> => {
    const node = await startNode(valkey, 'owner', { birth: 1 });
    closing.unshift(node.close);
    return node;
  };

  test('one has the room, the other waits for it, and takes it over when the first is told to end', async () => {
    const valkey = await ValkeyServer.start();
    closing.push(() => valkey.remove());
    const [a, b] = [await launch(valkey), await launch(valkey)];
    const visitor = await Visitor.join(a.port);
    expect(await Visitor.knock(b.port)).toBe('elsewhere');
    const ready = async ({ port }: Node) => (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
    expect(await ready(a)).toBe(200);
    expect(await ready(b)).toBe(503);
    const planted = await visitor.ask('plant', {
      x: 48,
      y: 48,
      seed: { from: 'gallery', index: 1 },
    });
    expect(planted).not.toHaveProperty('reason');
    const token = await a.server.hostToken();
    const enterBy = (node: Node) => async (resume?: string) => (await joinAny([node], resume))[0];
    const decided = await decideAsHost(a.port, token, enterBy(a));
    await b.server.says(FOLLOWED);
    const begun = performance.now();
    const ended = a.server.end('SIGTERM');
    // Who they were: the token is of the other server.
    const [back] = await joinAny([b], visitor.welcome!.resume);
    say(`handed over in ${Math.round(performance.now() - begun)} ms`);
    await ended;
    await b.server.says(/taken over in its current state/);
    // It goes on after the last tick that was shown.
    expect(back.tick).toBeGreaterThanOrEqual(visitor.tick!);
    await back.until(() => back.tick! > visitor.tick!);
    expect(back.welcome!.you.id).toBe(visitor.welcome!.you.id);
    const own = ({ welcome }: Visitor): number[] =>
      welcome!.organisms.flatMap(({ id, planter }) =>
        planter?.id === welcome!.you.id ? [id] : [],
      );
    expect(own(back)).toHaveLength(1);
    expect(await ready(b)).toBe(200);
    await expectDecided(b.port, decided, enterBy(b));

    // Without Valkey the room stops; the connection ends with a reason that pages come back from.
    await valkey.kill();
    expect(await back.refusal()).toBe('elsewhere');
    const stopped = back.tick;
    expect(await Visitor.knock(b.port)).toBe('elsewhere');
    await valkey.up();
    const [again] = await joinAny([b], visitor.welcome!.resume);
    expect(again.welcome!.you.id).toBe(visitor.welcome!.you.id);
    expect(own(again)).toEqual(own(back));
    expect(back.tick).toBe(stopped);
    again.leave();

    // The host has it go to another server.
    const host = await HostClient.login(b.port, token);
    await host.call('clearArea', { x: 0, y: 0, width: SIDE, height: SIDE });
    const c = await launch(valkey);
    const later = await decideAsHost(b.port, token, enterBy(b));
    const { own: server } = (await host.call('state')).cluster!;
    await c.server.says(FOLLOWED);
    await host.call('drain', {}, { server });
    await expectDecided(c.port, later, enterBy(c));
  });
});
