/**
 * Servers that share a room, with a real Valkey: whatever happens to the owner or to Valkey, another
 * goes on, nobody sees two of them, and nothing is lost that was answered.
 */
import { reopenRoom, replay } from '../../server/storage/recovery.ts';
import { Store } from '../../server/storage/store.ts';
import { World } from '../../server/world/world.ts';
import { createRandom, type Random } from '../../shared/random.ts';
import { openClusterParts } from '../support/cluster-parts.ts';
import { startEngine } from '../support/engine.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { describeNeeding } from '../support/needs.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { afterSuite } from '../support/suite.ts';
import { hasValkey, ValkeyServer } from '../support/valkey.ts';
import { Visitor } from '../support/visitor.ts';

const isFull = process.env.VIVARIUM_TEST_FULL === '1';
const ROUNDS = isFull ? 100 : 3;
const SIDE = 96;
/** How long an owner is suspended, ms. */
const SUSPENDED = isFull ? 10_000 : 4_000;

/** A node has followed the room since it last opened it. */
const FOLLOWED = /is followed, (?![\s\S]*(?:is restored|taken over as))/;

const OPENED = /is restored|taken over as it was followed/g;

const say = (figure: string): void => {
  if (process.env.VIVARIUM_FIGURES) process.stderr.write(`${figure}\n`);
};

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

/** All that has arrived has been read. */
const turn = async (): Promise<void> => {
  for (let i = 0; i < 2; i++) await new Promise((go) => setImmediate(go));
};

interface Node {
  readonly server: ServerProcess;
  readonly port: number;
  /** Its way to Valkey. */
  readonly proxy: FaultProxy;
}

async function startNode(valkey: ValkeyServer): Promise<Node> {
  const proxy = await FaultProxy.open({ port: valkey.port, random: createRandom(1) });
  const url = `redis://127.0.0.1:${proxy.port}`;
  const server = new ServerProcess(
    flagsOf({
      ...{
        port: 0,
        host: '127.0.0.1',
        data: 'none',
        cluster: url,
        role: 'owner',
        size: `${SIDE}x${SIDE}`,
      },
      ...{ 'max-organisms': 8, snapshot: 0.5, attract: 'off', energy: 'plant=0,damagePerCell=0' },
    }),
  );
  return { server, port: await server.alive(), proxy };
}

/** Knocks at the nodes in turn, as a page behind a balancer does, until one lets the visitor in. */
async function joinAny(nodes: readonly Node[], resume?: string): Promise<[Visitor, Node]> {
  for (let i = 0; ; i++) {
    const node = nodes[i % nodes.length];
    const visitor = new Visitor(node.port);
    visitor.requestJoin(resume === undefined ? {} : { resume });
    const isOver = (): boolean => visitor.heard.some(({ name }) => name !== 'frame');
    // A server that is suspended takes the connection, but does not answer.
    await Promise.race([visitor.until(() => isOver() || visitor.tick !== undefined), sleep(1_000)]);
    if (visitor.welcome) {
      await visitor.until(() => visitor.tick !== undefined);
      return [visitor, node];
    }
    visitor.leave();
    await sleep(100);
  }
}

/** Plants and wounds without a pause until the connection breaks. @returns ids of what was accepted */
async function beBusy(visitor: Visitor, random: Random, first: number): Promise<number[]> {
  const accepted: number[] = [];
  const answered = new Set<number>();
  const isGone = (): boolean => visitor.heard.some(({ name }) => name === 'disconnect');
  const place = (): number => 16 + random.integer(SIDE - 32);
  let read = 0;
  for (let id = first; !isGone(); id++) {
    if (random.integer(2)) {
      visitor.say('plant', {
        id,
        x: place(),
        y: place(),
        seed: { from: 'gallery', index: id % 9 },
      });
    } else visitor.say('damage', { id, radius: 3, points: [place(), place()] });
    await visitor.until(() => {
      for (; read < visitor.heard.length; read++) {
        const { name, message } = visitor.heard[read];
        const answer = message as { id?: number };
        if (name === 'accepted') accepted.push(answer.id!);
        if (name === 'accepted' || name === 'rejected') answered.add(answer.id!);
      }
      return answered.has(id) || isGone();
    });
  }
  return accepted;
}

/** What the cluster keeps: a participant's commands, and how many checksums of a replay differ. */
async function readKept(
  url: string,
  engine: Awaited<ReturnType<typeof startEngine>>,
  participant: number,
) {
  const parts = await openClusterParts(url);
  const store = new Store(parts.records);
  const tail = (await store.tail('garden'))!;
  const first = (await store.snapshotTicks('garden')).at(-1)!;
  const world = new World(engine.engine);
  const place = { name: 'garden', width: SIDE, height: SIDE, species: engine.species };
  const room = await reopenRoom(world, place, await store.moment('garden', first));
  const { equal, unequal } = await replay({
    ...{ world, room, to: tail.tick },
    journal: store.journal('garden', first + 1, tail.tick),
    marks: store.marks('garden', first + 1, tail.tick),
    moment: (tick) => store.moment('garden', tick),
  });
  const commands: number[] = [];
  for await (const { events } of store.journal('garden', first + 1, tail.tick)) {
    for (const event of events) {
      if (event.what === 'command' && event.command.by.id === participant) commands.push(event.id);
    }
  }
  await world.close(room);
  await parts.close();
  return { commands, equal, unequal };
}

describeNeeding('Valkey', hasValkey)('two servers with one Valkey', () => {
  const closing: (() => unknown)[] = [];
  afterSuite(async () => {
    for (const close of closing) await close();
  });
  const launch = async (valkey: ValkeyServer): Promise<Node> => {
    const node = await startNode(valkey);
    closing.unshift(async () => {
      node.server.child.kill('SIGCONT');
      await node.server.end('SIGKILL');
      await node.proxy.close();
    });
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
    await b.server.says(FOLLOWED);
    const begun = performance.now();
    const ended = a.server.end('SIGTERM');
    // Who they were: the token is of the other server.
    const [back] = await joinAny([b], visitor.welcome!.resume);
    say(`handed over in ${Math.round(performance.now() - begun)} ms`);
    await ended;
    await b.server.says(/taken over as it was followed/);
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
  });

  test(`${ROUNDS} times something happens to the owner or to Valkey, and the room goes on`, async () => {
    const random = createRandom(20261127);
    const engine = await startEngine();
    closing.push(() => engine.engine.close());
    const valkey = await ValkeyServer.start();
    closing.push(() => valkey.remove());
    let nodes = [await launch(valkey), await launch(valkey)];
    let launched: Promise<Node> | undefined;
    const accepted: number[] = [];
    let [visitor, owner] = await joinAny(nodes);
    const { id } = visitor.welcome!.you;
    for (let round = 0; round < ROUNDS; round++) {
      const resume = visitor.welcome!.resume;
      const busy = beBusy(visitor, createRandom(random.integer(2 ** 31)), 1 + round * 100_000);
      await visitor.until(() => visitor.heard.filter(({ name }) => name === 'accepted').length > 5);
      if (launched) nodes = [owner, await launched];
      launched = undefined;
      const others = nodes.filter((node) => node !== owner);
      await others[0].server.says(FOLLOWED);
      await sleep(random.integer(1_500));
      const openings = [...others[0].server.output.matchAll(OPENED)].length;
      const what = (['SIGKILL', 'SIGSTOP', 'partition', 'valkey'] as const)[round % 4];
      const begun = performance.now();
      if (what === 'valkey') {
        await valkey.kill();
        await sleep(random.integer(4_000));
        await valkey.up();
      } else if (what === 'partition') owner.proxy.set({ unplugged: true });
      else owner.server.child.kill(what);
      const old = visitor;
      const [next, nextOwner] = await joinAny(what === 'valkey' ? nodes : others, resume);
      say(`${round}: ${what}, back after ${Math.round(performance.now() - begun)} ms`);
      if (what !== 'valkey') {
        const { server } = nextOwner;
        await server.says(new RegExp(`(?:${OPENED.source}[^]*){${openings + 1}}`));
        // Not from its snapshot.
        expect([...server.output.matchAll(OPENED)].at(-1)![0]).toMatch(/taken over/);
      }
      // From here on, the old owner shows nothing: its room has gone on elsewhere.
      await turn();
      const shown = old.heard.filter(({ name }) => name === 'frame').length;
      const isBack = what === 'SIGSTOP' || what === 'partition';
      if (isBack) await sleep(SUSPENDED - (performance.now() - begun));
      if (what === 'SIGSTOP') owner.server.child.kill('SIGCONT');
      if (what === 'partition') owner.proxy.set({ unplugged: false });
      accepted.push(...(await busy));
      await turn();
      expect(old.heard.filter(({ name }) => name === 'frame').length).toBe(shown);
      expect(next.welcome!.you.id).toBe(id);
      if (what === 'SIGKILL') launched = launch(valkey);
      [visitor, owner] = [next, nextOwner];
    }
    await launched;
    visitor.leave();
    for (const { server } of nodes) await server.end('SIGTERM');
    const kept = await readKept(valkey.url, engine, id);
    expect(kept.unequal).toBe(0);
    expect(kept.equal).toBeGreaterThan(0);
    expect(accepted.length).toBeGreaterThan(5 * ROUNDS);
    const done = new Set(kept.commands);
    expect(accepted.filter((one) => !done.has(one))).toEqual([]);
    // Each is done once.
    expect(kept.commands).toHaveLength(done.size);
  });
});
