/**
 * Two owners and two gateways behind HAProxy, as they are shipped: visitors' pages lose no more than
 * a moment when a gateway dies, and when all servers are updated one after the other.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { Connection } from '../../client/room/connection.ts';
import { systemClock } from '../../server/platform/clock.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { afterTest, suiteFolder } from '../support/closing.ts';
import { FOLLOWED, type Node, type Role, say, sleep, startNode } from '../support/cluster-nodes.ts';
import { checkHaproxy, Haproxy, hasHaproxy } from '../support/haproxy.ts';
import { describeNeeding, isFull } from '../support/needs.ts';
import { hasValkey, ValkeyServer } from '../support/valkey.ts';
import { countStalls } from '../support/waiting.ts';

const PAGES = 4;
/** Energy that a seed takes. */
const COST = 20;
/** ms until the pages of a gateway that was killed are back. */
const BACK = 2_000;
/** ms without frames while all servers are updated, at most. */
const GAP = 1_000;
/** A part of the test in which this process stood still for so long at once says nothing about times, ms. */
const STALLED = 250;

/** A visitor's page without a picture. */
class Page {
  readonly connection: Connection;
  welcome: Event<'welcome'> | undefined;
  /** As of its last accepted command. */
  energy: number | undefined;
  /** How often its connection has ended. */
  losses = 0;
  /** Whether a frame has come over its present connection. */
  isLive = false;
  private last = performance.now();
  private longest = 0;
  private wake = (): void => {};

  constructor(port: number, name: string) {
    const store = (kept: string | null = null) => ({
      read: () => kept,
      write: (text: string) => void (kept = text),
    });
    const stores = { seat: store(), mark: store() };
    this.connection = new Connection('garden', { name, watches: false }, stores, {
      dial: (options) => {
        const socket = io(`http://127.0.0.1:${port}`, { ...options, forceNew: true });
        socket.on('disconnect', () => {
          this.losses++;
          this.isLive = false;
        });
        socket.on('frame', () => {
          this.isLive = true;
          this.framed();
        });
        return socket;
      },
      random: Math.random,
      after: systemClock.after,
    });
    this.connection.model.on('welcome', (welcome) => {
      this.welcome = welcome;
    });
    this.connection.model.on('accepted', ({ energy }) => {
      this.energy = energy ?? this.energy;
    });
    this.connection.open();
  }

  /** Longest time without a frame since the last call, ms. */
  takeLongest(): number {
    this.framed();
    const { longest } = this;
    this.longest = 0;
    return longest;
  }

  /** Waits for the answer to its first command. */
  async accepted(): Promise<void> {
    while (this.energy === undefined) await sleep(10);
  }

  /** Waits for a frame. */
  frame(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  private framed(): void {
    const now = performance.now();
    this.longest = Math.max(this.longest, now - this.last);
    this.last = now;
    this.wake();
  }
}

const DEBIANS = '/etc/haproxy/haproxy.cfg';

describeNeeding('HAProxy', hasHaproxy && existsSync(DEBIANS))('the recipe for a balancer', () => {
  test('HAProxy takes what HOSTING.md appends to its file', () => {
    const hosting = readFileSync('server/deploy/HOSTING.md', 'utf8');
    const [, lines] = hosting.split(`cat >> ${DEBIANS} <<'END'\n`)[1].match(/^([\s\S]*?)^ *END$/m)!;
    const file = join(suiteFolder(), 'haproxy.cfg');
    writeFileSync(file, readFileSync(DEBIANS, 'utf8') + lines);
    checkHaproxy(file);
  });
});

const isPresent = hasValkey && hasHaproxy;
// In `npm test`, `cluster.test.ts` stops a gateway and an owner.
describeNeeding('Valkey, HAProxy and a full run', isPresent && isFull)(
  'two owners and two gateways',
  () => {
    let valkey: ValkeyServer;
    const launch = async (role: Role, port = 0): Promise<Node> => {
      const costs = { energy: `plant=${COST},damagePerCell=0,refillPerSecond=0.01` };
      const node = await startNode(valkey, role, { port, 'trust-proxy': 1, ...costs });
      afterTest(node.close);
      return node;
    };

    test('pages are back soon, as who they were, when a gateway dies; an update of all is hardly seen', async () => {
      valkey = await ValkeyServer.start();
      afterTest(() => valkey.remove());
      const owners = [await launch('owner')];
      const gateways = [await launch('gateway'), await launch('gateway')];
      owners.push(await launch('owner'));
      const balancer = await Haproxy.start(gateways.map(({ port }) => port));
      afterTest(() => balancer.close());
      await balancer.sees('gateway-a');
      await balancer.sees('gateway-b');
      const pages = Array.from({ length: PAGES }, (_, i) => new Page(balancer.port, `Page ${i}`));
      afterTest(() => pages.map(({ connection }) => connection.close()));
      await Promise.all(pages.map((page) => page.frame()));
      let id = 0;
      const [busy] = pages;
      const timer = setInterval(() => {
        const points = [20 + (id % 50), 40];
        busy.connection.send('damage', { id: ++id, radius: 3, points });
      }, 250);
      afterTest(() => clearInterval(timer));
      for (const [i, { connection }] of pages.entries()) {
        const seed = { from: 'gallery', index: i } as const;
        connection.send('plant', { id: ++id, x: 24 + 24 * (i % 2), y: 24 + 24 * (i >> 1), seed });
      }
      await Promise.all(pages.map((page) => page.accepted()));
      await owners[1].server.says(FOLLOWED);
      const whoAre = () => pages.map(({ welcome }) => [welcome!.you.id, welcome!.you.name]);
      const ids = whoAre();

      const killed = gateways[0];
      const had = pages.map(({ losses }) => losses);
      for (const page of pages) page.takeLongest();
      let stalls = countStalls();
      await killed.server.end('SIGKILL');
      // Not all notice it at once: who has not is not back, but not yet gone.
      const findLost = () => pages.filter(({ losses }, i) => losses > had[i]);
      let lost = findLost();
      while (lost.length === 0 || !lost.every(({ isLive }) => isLive)) {
        await sleep(10);
        lost = findLost();
      }
      stalls.stop();
      const back = lost.map((page) => Math.round(page.takeLongest()));
      say(
        `${back.length} of ${PAGES} back after ${back} ms, stalled for ${Math.round(stalls.longest)} ms`,
      );
      expect(stalls.longest > STALLED || Math.max(...back) <= BACK).toBe(true);
      expect(whoAre()).toEqual(ids);
      // The first one also wounds, which may take energy.
      const quiet = lost.filter((page) => page !== busy);
      for (const page of quiet) expect(page.welcome!.energy.level).toBeCloseTo(page.energy!, -1);

      gateways[0] = await launch('gateway', killed.port);
      await balancer.sees('gateway-a');
      for (const page of pages) page.takeLongest();
      const faults: string[] = [];
      const update = async (what: string, stop: Node, start: () => Promise<unknown>) => {
        stalls = countStalls();
        const ended = stop.server.end('SIGTERM');
        await ended;
        await start();
        await Promise.all(pages.map((page) => page.frame()));
        stalls.stop();
        const gaps = pages.map((page) => Math.round(page.takeLongest()));
        say(`${what}: without frames for ${gaps} ms, stalled for ${Math.round(stalls.longest)} ms`);
        if (Math.max(...gaps) > GAP && stalls.longest < STALLED) faults.push(`${what}: ${gaps}`);
      };
      // `npm test` updates one of each role.
      for (const [place, name] of [
        [1, 'gateway-b'],
        ...(isFull ? ([[0, 'gateway-a']] as const) : []),
      ] as const) {
        await update(name, gateways[place], async () => {
          gateways[place] = await launch('gateway', gateways[place].port);
          await balancer.sees(name);
        });
      }
      if (isFull) {
        await update('the owner that waits', owners[1], async () => {
          owners[1] = await launch('owner');
          await owners[1].server.says(FOLLOWED);
        });
      }
      await update('the owner', owners[0], async () => {
        owners[0] = await launch('owner');
        await owners[0].server.says(FOLLOWED);
      });
      expect(faults).toEqual([]);
      expect(whoAre()).toEqual(ids);

      // What all gateways lack is no reason to lead anybody from one to another.
      const losses = () => pages.map((page) => page.losses);
      const before = losses();
      stalls = countStalls();
      valkey.signal('SIGSTOP');
      for (const name of ['gateway-a', 'gateway-b']) await balancer.sees(name, false);
      const status = async () => (await fetch(`http://127.0.0.1:${balancer.port}/r/garden`)).status;
      expect(await status()).toBe(200);
      valkey.signal('SIGCONT');
      for (const name of ['gateway-a', 'gateway-b']) await balancer.sees(name);
      await Promise.all(pages.map((page) => page.frame()));
      stalls.stop();
      if (stalls.longest < STALLED) expect(losses()).toEqual(before);
      expect(whoAre()).toEqual(ids);
    });
  },
);
