/**
 * Two owners and a gateway with a real Valkey: whatever happens to the owner or to Valkey, the room
 * goes on soon, nobody sees two of it, and nothing is lost that was answered.
 *
 * Three rounds in `npm test`, a hundred with VIVARIUM_TEST_FULL=1. VIVARIUM_ROUNDS=40-59 runs those
 * of these seeds.
 */
import { setTimeout } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { JournalRecord } from '../../server/storage/record-schemas.ts';
import { replay } from '../../server/storage/recovery.ts';
import { Store } from '../../server/storage/store.ts';
import { TickSums } from '../../server/storage/watched-room.ts';
import { World } from '../../server/world/world.ts';
import type { Planes } from '../../shared/codec/chunks.ts';
import { createRandom, type Random } from '../../shared/random.ts';
import { afterTest } from '../support/closing.ts';
import {
  FOLLOWED,
  isGone,
  joinAny,
  lastHeard,
  type Node,
  openings,
  type Role,
  SIDE,
  say,
  sleep,
  startNode,
} from '../support/cluster-nodes.ts';
import { startEngine } from '../support/engine.ts';
import { describeNeeding, isFull } from '../support/needs.ts';
import { SMALL } from '../support/organisms.ts';
import { hasValkey, openClusterParts, ValkeyServer } from '../support/valkey.ts';
import type { Visitor } from '../support/visitor.ts';
import { countStalls, generousTimeout, within } from '../support/waiting.ts';

const [FIRST, LAST] = (process.env.VIVARIUM_ROUNDS ?? '0-99').split('-').map(Number);
/** How long an owner is suspended or cut off, ms. */
const SUSPENDED = 10_000;
/** ms until all clients have seen another tick, with a standby that has followed, or without. */
const LIMIT = { warm: 4_000, cold: 8_000 };
/** How long the answer to a command may take while servers are away, ms. */
const ANSWER = 20_000;
/** A round in which this process stood still for so long at once says nothing about times, ms. */
const STALLED = 250;
const KINDS = ['SIGKILL', 'SIGSTOP', 'valkey', 'partition'] as const;
const ROOM = 'garden';

/** Plants and wounds without a pause, until it is told to stop. */
class Busy {
  readonly accepted: number[] = [];
  readonly refused: number[] = [];
  /** What was not answered in time. */
  readonly unanswered: number[] = [];
  private id = 0;
  private read = 0;
  private isStopped = false;
  private readonly done: Promise<void>;

  constructor(
    private readonly visitor: Visitor,
    private readonly random: Random,
  ) {
    this.done = this.run();
  }

  /** Waits until so many more have been accepted. @throws Error in words */
  async more(count: number): Promise<void> {
    const { accepted, refused, unanswered } = this;
    const enough = accepted.length + count;
    const found = (): string =>
      `${count} commands accepted; there were ${accepted.length - enough + count}, ` +
      `${refused.length} refused and ${unanswered.length} not answered in all, and ` +
      `${this.visitor.heard.length} messages; ${lastHeard([], [this.visitor])}`;
    await within(
      found,
      this.visitor.until(() => accepted.length >= enough),
    );
  }

  stop(): Promise<void> {
    this.isStopped = true;
    return within(() => `the answer to command ${this.id}`, this.done);
  }

  private async run(): Promise<void> {
    const { visitor, random } = this;
    const place = (): number => 16 + random.integer(SIDE - 32);
    while (!this.isStopped) {
      const id = ++this.id;
      const [x, y] = [place(), place()];
      if (random.integer(2))
        visitor.say('plant', { id, x, y, seed: { from: 'gallery', index: id % 9 } });
      else visitor.say('damage', { id, radius: 3, points: [x, y] });
      const patience = new AbortController();
      const late = setTimeout(ANSWER * generousTimeout(), id, { signal: patience.signal });
      late.catch(() => {});
      const answer = visitor.until(() => this.isAnswered(id));
      if ((await Promise.race([answer, late])) === id) this.unanswered.push(id);
      patience.abort();
    }
  }

  private isAnswered(id: number): boolean {
    const { heard } = this.visitor;
    let isAnswered = false;
    for (; this.read < heard.length; this.read++) {
      const { name, message } = heard[this.read];
      if (name !== 'accepted' && name !== 'rejected') continue;
      const answer = message as { id?: number };
      if (answer.id === undefined) continue;
      (name === 'accepted' ? this.accepted : this.refused).push(answer.id);
      isAnswered ||= answer.id === id;
    }
    return isAnswered;
  }
}

/** Resolves with the time of a visitor's next frame; of another owner, if a welcome must come first. */
function nextFrame({ socket }: Visitor, isOfAnother: boolean): Promise<number> {
  let isDue = !isOfAnother;
  return new Promise((resolve) => {
    const hear = (name: string): void => {
      if (name === 'welcome') isDue = true;
      if (name !== 'frame' || !isDue) return;
      socket.offAny(hear);
      resolve(performance.now());
    };
    socket.onAny(hear);
  });
}

const ownersOf = ({ owner }: Planes): number => crc32(new Uint8Array(owner.slice().buffer));

/** Replays what Valkey keeps of the room, from its first snapshot on. */
async function openKept(url: string) {
  const { engine, species } = await startEngine('auto', SMALL.checkpoint);
  const parts = await openClusterParts(url);
  const store = new Store(parts.records);
  const world = new World(engine);
  const first = (await store.snapshotTicks(ROOM)).at(-1)!;
  const place = { name: ROOM, width: SIDE, height: SIDE, species };
  const room = await world.restore(place, await store.moment(ROOM, first));
  const { planes } = room.grid;
  const sums = new TickSums(planes);
  /** How often each command was done, by participant and id. */
  const commands = new Map<string, number>();
  /** Checksums of who owns which place, by tick. */
  const owners = new Map<number, number>();
  const result = { equal: 0, unequal: 0 };
  async function* noted(journal: AsyncIterable<JournalRecord>): AsyncIterable<JournalRecord> {
    for await (const record of journal) {
      for (const event of record.events) {
        if (event.what !== 'command') continue;
        const key = `${event.command.by.id}/${event.id}`;
        commands.set(key, (commands.get(key) ?? 0) + 1);
      }
      yield record;
    }
  }
  return {
    ...{ commands, owners, result },
    /** Replays on to the last tick that is kept. */
    async advance(): Promise<void> {
      // A connection that Valkey's restart has ended is there again soon.
      let tail = await store.tail(ROOM).catch(() => undefined);
      for (; !tail; tail = await store.tail(ROOM).catch(() => undefined)) await sleep(100);
      const to = tail.tick;
      const { equal, unequal } = await replay({
        ...{ world, room, to, sums, moment: (tick) => store.moment(ROOM, tick) },
        journal: noted(store.journal(ROOM, room.tick + 1, to)),
        marks: store.marks(ROOM, room.tick + 1, to),
        onTick: ({ tick }) => void owners.set(tick, ownersOf(planes)),
      });
      result.equal += equal;
      result.unequal += unequal;
    },
    async close(): Promise<void> {
      await world.close(room);
      await parts.close();
      await engine.close();
    },
  };
}

// In `npm test`, `unit/cluster/model.test.ts` does so in a model, and `cluster.test.ts` once for real.
describeNeeding('Valkey and a full run', hasValkey && isFull)('two owners and a gateway', () => {
  const launch = async (valkey: ValkeyServer, role: Role): Promise<Node> => {
    const node = await startNode(valkey, role);
    afterTest(node.close);
    return node;
  };

  const rounds = LAST - FIRST + 1;
  test(
    `${rounds} times something happens to the owner or to Valkey, and the room goes on`,
    async () => {
      const valkey = await ValkeyServer.start();
      afterTest(() => valkey.remove());
      const owners = await Promise.all([launch(valkey, 'owner'), launch(valkey, 'owner')]);
      const gateway = await launch(valkey, 'gateway');
      /** Checksums of who owned which place in the pictures of each visitor, by tick. */
      const shown = new Map<Visitor, Map<number, number>>();
      const watch = (visitor: Visitor): void => {
        const pictures = new Map<number, number>();
        shown.set(visitor, pictures);
        visitor.socket.on('frame', () => pictures.set(visitor.tick!, ownersOf(visitor.planes!)));
      };
      const [anna] = await joinAny([gateway], undefined, watch);
      const [bert] = await joinAny([gateway], undefined, watch);
      let [eve, owner] = await joinAny(owners, undefined, watch);
      const ids = [anna, bert, eve].map(({ welcome }) => welcome!.you.id);
      const kept = await openKept(valkey.url);
      afterTest(kept.close);
      const busy = new Busy(anna, createRandom(FIRST));
      afterTest(() => busy.stop());
      const whole = countStalls();
      afterTest(() => whole.stop());
      const heard = (): string =>
        `${lastHeard([...owners, gateway], [anna, bert, eve])}\n` +
        `this process stood still for ${Math.round(whole.longest)} ms at once`;
      const lost = Promise.race([anna, bert].map((one) => one.until(() => isGone(one)))).then(
        () => {
          throw new Error(`A visitor of the gateway has lost the connection: ${heard()}`);
        },
      );
      lost.catch(() => {});
      /** Of those at the gateway, nothing more comes when they are gone. */
      const wait = <T>(what: string, work: Promise<T>): Promise<T> =>
        within(() => `${what}: ${heard()}`, Promise.race([work, lost]));
      const advance = () => wait('the replay of what is kept', kept.advance());
      let launched: Promise<Node> | undefined;
      const faults: string[] = [];

      const standby = (): Node => owners.find((one) => one !== owner)!;
      /** A machine that stands still for long costs an owner its lease, and another has the room. */
      const ready = async (): Promise<void> => {
        for (;;) {
          const isReplica = standby().server.says(FOLLOWED);
          await wait(
            'the standby follows',
            Promise.race([isReplica, eve.until(() => isGone(eve))]),
          );
          if (!isGone(eve)) return;
          [eve, owner] = await joinAny(owners, { resume: eve.welcome!.resume }, watch);
        }
      };

      for (let seed = FIRST; seed <= LAST; seed++) {
        const random = createRandom(seed);
        const kind = KINDS[seed % 4];
        if (launched) owners.push(await launched);
        launched = undefined;
        // Every second standby of those that take over from the dead has only just started.
        const isCold = seed % 8 === 4;
        if (isCold) {
          await standby().close();
          owners.splice(owners.indexOf(standby()), 1, await launch(valkey, 'owner'));
        } else {
          await ready();
          await wait('more commands', busy.more(5));
          await sleep(random.integer(1_500));
          await ready();
        }
        const heir = standby();
        const before = openings(heir).length;
        const isOfAnother = kind !== 'valkey';
        const stalls = countStalls();
        const lastTick = Math.max(...[anna, bert, eve].map(({ tick }) => tick!));
        const old = eve;
        // What the old owner sent, and when it came.
        const frames: { readonly at: number; readonly tick: number }[] = [];
        old.socket.on('frame', () => frames.push({ at: performance.now(), tick: old.tick! }));
        let begun = performance.now();
        let nexts = [anna, bert].map((one) => nextFrame(one, isOfAnother));
        if (kind === 'valkey') {
          await valkey.kill();
          await sleep(random.integer(4_000));
          await valkey.up();
          begun = performance.now();
          nexts = [anna, bert].map((one) => nextFrame(one, false));
        } else if (kind === 'partition') owner.proxy.set({ unplugged: true });
        else owner.server.child.kill(kind);
        const last = owner;
        const { resume } = old.welcome!;
        [eve, owner] = await joinAny(isOfAnother ? [heir] : owners, { resume }, watch);
        const shownAt = [
          performance.now(),
          ...(await wait(`frames in round ${seed}`, Promise.all(nexts))),
        ];
        const times = shownAt.map((at) => at - begun);
        stalls.stop();
        const isWarm = openings(heir)
          .slice(before)
          .every((words) => words.includes('taken over'));
        const most = Math.max(...times);
        const isLate = most > LIMIT[isWarm ? 'warm' : 'cold'];
        const isStalled = stalls.longest > STALLED;
        say(
          `round ${seed} ${kind} ${isWarm ? 'warm' : 'cold'} ${times.map(Math.round).join(' ')} ms, ` +
            `stalled for ${Math.round(stalls.longest)} ms`,
        );
        const fail = (fault: string): void => {
          say(`round ${seed} FAULT ${fault}`);
          faults.push(`${seed}, ${kind}: ${fault}`);
        };
        if (isLate && !isStalled) fail(`the next tick came after ${Math.round(most)} ms`);
        if (!isCold && !isWarm) fail('the standby had followed, and opened its snapshot');

        if (kind === 'SIGSTOP' || kind === 'partition') {
          await sleep(SUSPENDED - (performance.now() - begun));
          if (kind === 'SIGSTOP') last.server.child.kill('SIGCONT');
          last.proxy.set({ unplugged: false });
          await within(
            () => `the end of what the old owner shows: ${lastHeard([last], [old])}`,
            old.until(() => isGone(old)),
          );
        }
        await wait('commands after a fault', busy.more(3));
        // Once its room has gone on elsewhere, the old owner shows nothing. But it may have been stopped
        // just as it sent a tick that is kept, and this process may have been slow to take it.
        const heirAt = Math.min(...shownAt) + stalls.longest;
        const twins = frames.filter(({ at, tick }) => at > heirAt && tick > lastTick + 1);
        if (isOfAnother && twins.length > 0)
          fail(`two owners were seen: ${twins.map(({ tick }) => tick)} after ${lastTick}`);
        if (kind === 'SIGKILL') {
          owners.splice(owners.indexOf(last), 1);
          launched = launch(valkey, 'owner');
        }
        const [accepted, refused] = [[...busy.accepted], [...busy.refused]];
        await advance();
        const timesOf = (id: number) => kept.commands.get(`${ids[0]}/${id}`) ?? 0;
        const lost = accepted.filter((id) => timesOf(id) !== 1);
        if (lost.length > 0) fail(`accepted, but not done once: ${lost}`);
        const done = refused.filter((id) => timesOf(id) > 0);
        if (done.length > 0) fail(`refused, but done: ${done}`);
        // A picture of a tick after the fault must be the room's. Some frames bring nothing, so it
        // may come a little later.
        const isUpToDate = (one: Visitor): boolean =>
          [...shown.get(one)!].some(
            ([tick, owners]) => tick > lastTick && kept.owners.get(tick) === owners,
          );
        for (let i = 0; i < 20 && ![anna, bert, eve].every(isUpToDate); i++) {
          await wait('commands to compare', busy.more(2));
          await advance();
        }
        if (![anna, bert, eve].every(isUpToDate)) fail(`no tick after ${lastTick} is as shown`);
        const now = [anna, bert, eve].map(({ welcome }) => welcome!.you.id);
        if (`${now}` !== `${ids}`) fail(`${ids} have become ${now}`);
      }
      await launched;
      await busy.stop();
      say(
        `${busy.accepted.length} commands accepted, ${busy.refused.length} refused, ` +
          `${kept.result.equal} checksums equal`,
      );
      const gone = [anna, bert].map(isGone);
      for (const one of [anna, bert, eve]) one.leave();
      expect(faults).toEqual([]);
      expect(busy.unanswered).toEqual([]);
      expect(kept.result).toEqual({ equal: expect.any(Number), unequal: 0 });
      expect(kept.result.equal).toBeGreaterThan(0);
      // The gateway's visitors have noticed no more than a pause.
      expect(gone).toEqual([false, false]);
    },
    900_000 + rounds * 60_000,
  );
});
