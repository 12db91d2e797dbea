/**
 * `kill -9` at any moment: accepted commands are stored, and the room equals the replay of its journal.
 *
 * What the last snapshots and the journal say is worked out here, by another engine of the same
 * kind: the checksums of planes that the server made before the kill must be equal, and what it
 * makes is compared with what visitors heard before the kill and find after the restart.
 */

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFolder } from '../../server/storage/lmdb/open.ts';
import { replay } from '../../server/storage/recovery.ts';
import { Store } from '../../server/storage/store.ts';
import type { TickResult } from '../../server/world/room.ts';
import { World } from '../../server/world/world.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { createRandom, type Random } from '../../shared/random.ts';
import type { LifeEvent, OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import { afterSuite, suiteFolder } from '../support/closing.ts';
import { startEngine } from '../support/engine.ts';
import { isFull } from '../support/needs.ts';
import { CHECKPOINT_FOLDER, SMALL } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { Visitor } from '../support/visitor.ts';

const rounds = isFull ? 200 : 1;
const SIDE = 96;

const folder = suiteFolder();
/** Figures are those of the shipped organisms. */
const checkpoint = isFull || process.env.VIVARIUM_FIGURES ? CHECKPOINT_FOLDER : SMALL.checkpoint;
const { engine, species } = await startEngine('auto', checkpoint);
afterSuite(() => engine.close());

/** Frequent snapshots, so that kills also hit a snapshot or the deletion of old data after it. */
const start = (): ServerProcess =>
  new ServerProcess(
    flagsOf({
      ...{ port: 0, host: '127.0.0.1', data: folder, snapshot: 0.05, size: `${SIDE}x${SIDE}` },
      ...{ 'max-organisms': 8, energy: 'plant=0,damagePerCell=0', checkpoint },
    }),
  );

interface Answered {
  readonly by: number;
  readonly id: number;
  /** The last tick seen before the answer. */
  readonly after: number;
}

/** Lives by tick, as text. */
type Lives = Map<number, string>;

/**
 * Sends commands without a pause until the connection breaks, and records each one that was
 * accepted.
 *
 * @returns the life events that the visitor received
 */
async function beBusy(visitor: Visitor, random: Random, answered: Answered[]): Promise<Lives> {
  const lives: Lives = new Map();
  const by = visitor.welcome!.you.id;
  const place = () => 8 + random.integer(SIDE - 16);
  let alive = true;
  const ids = new Set<number>();
  for (let id = 1; alive; id++) {
    const what = random.integer(4);
    if (what === 0) {
      const seed = random.integer(2) ? { from: 'prior' } : { from: 'gallery', index: id % 9 };
      visitor.say('plant', { id, x: place(), y: place(), seed });
    } else if (what === 1) {
      visitor.say('cross', { id, a: 1 + random.integer(9), b: 1 + random.integer(9), mix: 0.4 });
    } else {
      const points = [place(), place(), place(), place()];
      visitor.say('damage', { id, radius: 1 + random.integer(6), points });
    }
    await visitor.until(() => {
      for (const { name, message } of visitor.heard.splice(0)) {
        if (name === 'disconnect') alive = false;
        if (name === 'life') {
          const { tick, events } = message as Event<'life'>;
          lives.set(tick, JSON.stringify(events));
        }
        if (name !== 'accepted' && name !== 'rejected') continue;
        const answer = message as { id: number; reason?: string };
        ids.add(answer.id);
        // Refused commands change nothing and are not in the journal.
        if (!answer.reason) answered.push({ by, id: answer.id, after: visitor.tick! });
      }
      return ids.has(id) || !alive;
    });
  }
  return lives;
}

/** @param lives of one tick */
const diedIn = (lives = '[]'): OrganismId[] =>
  (JSON.parse(lives) as LifeEvent[]).flatMap((one) => (one.what === 'died' ? [one.id] : []));

/** A copy of the data folder after a kill, because the next server changes the original. */
function copyKept(): string {
  const copy = mkdtempSync(join(tmpdir(), 'vivarium-copy-'));
  cpSync(folder, copy, { recursive: true, filter: (path) => !path.endsWith('.sock') });
  return copy;
}

/**
 * Replays what is kept from a snapshot on, and goes on from there to a later tick.
 *
 * @param from the last snapshot up to this tick is used; if there is none, the oldest
 * @returns what happened and who was there, by tick; commands since that snapshot
 */
async function readKept(copy: string, from: number, until: number) {
  const store = new Store(await openFolder(copy));
  const tail = (await store.tail('garden'))!;
  const ticks = await store.snapshotTicks('garden');
  const first = ticks.find((tick) => tick <= from) ?? ticks.at(-1)!;
  const world = new World(engine);
  const moment = await store.moment('garden', first);
  const room = await world.restore({ name: 'garden', width: SIDE, height: SIDE, species }, moment);
  const lives: Lives = new Map();
  const organisms = new Map([[room.tick, JSON.stringify(room.organisms)]]);
  const note = ({ tick, life }: Pick<TickResult, 'tick' | 'life'>): void => {
    if (life.length > 0) lives.set(tick, JSON.stringify(life));
    organisms.set(tick, JSON.stringify(room.organisms));
  };
  const { unequal } = await replay({
    world,
    room,
    to: tail.tick,
    journal: store.journal('garden', first + 1, tail.tick),
    marks: store.marks('garden', first + 1, tail.tick),
    moment: (tick) => store.moment('garden', tick),
    onTick: note,
  });
  expect(unequal).toBe(0);
  while (room.tick < until) {
    const [{ result }] = await world.tick([room]);
    note(result);
  }
  const commands = new Set<string>();
  for await (const { events } of store.journal('garden', first + 1, tail.tick)) {
    for (const event of events) {
      if (event.what === 'command') commands.add(`${event.command.by.id}/${event.id}`);
    }
  }
  await world.close(room);
  await store.close();
  rmSync(copy, { recursive: true });
  return { lives, organisms, first, last: tail.tick, commands };
}

/** Told at once, for Jest keeps what a console is told until a file's tests have ended. */
function tell(when: string, answered: number, back: readonly number[]): void {
  const sorted = back.toSorted((a, b) => a - b);
  const [median, most] = [sorted[sorted.length >> 1], sorted.at(-1)];
  const line = `${when}: ${answered} answered; back after ${median} ms median, ${most} ms at most`;
  process.stderr.write(`${line}\n`);
}

test(
  `killed ${rounds} times at random moments, a busy room loses nothing that was answered`,
  async () => {
    const random = createRandom(20261125);
    let total = 0;
    /** ms from each start until a visitor is in the room. */
    const back: number[] = [];
    let server = start();
    let port = await server.alive();
    for (let round = 0; round < rounds; round++) {
      const visitors = [await Visitor.join(port), await Visitor.join(port)];
      const began = visitors[0].welcome!.room.tick;
      const answered: Answered[] = [];
      const busy = visitors.map((visitor) =>
        beBusy(visitor, createRandom(random.integer(2 ** 31)), answered),
      );
      await visitors[0].until(() => answered.length > 10);
      await new Promise((wake) => setTimeout(wake, 300 + random.integer(2_500)));
      await server.end('SIGKILL');
      const [heard] = await Promise.all(busy);
      total += answered.length;
      const until = Math.max(...heard.keys());

      const copy = copyKept();
      const begun = performance.now();
      server = start();
      port = await server.alive();
      const visitor = await Visitor.join(port);
      back.push(Math.round(performance.now() - begun));
      const { room, organisms } = visitor.welcome!;
      visitor.leave();
      // What was before was proven by the rounds before; the last one begins where all that is kept
      // does.
      const from = round === rounds - 1 ? 0 : began;
      const kept = await readKept(copy, from, Math.max(until, room.tick + 1));
      for (const [tick, life] of heard) {
        if (tick > kept.first) expect([tick, kept.lives.get(tick)]).toEqual([tick, life]);
      }
      expect(room.tick).toBeGreaterThanOrEqual(kept.last);
      // Whoever joins in the middle of a tick does not see those that die in it.
      const dying = new Set(diedIn(kept.lives.get(room.tick + 1)));
      for (const { id } of organisms) dying.delete(id);
      const living: OrganismView[] = JSON.parse(kept.organisms.get(room.tick)!);
      expect(organisms).toEqual(living.filter(({ id }) => !dying.has(id)));
      // Older ones are in the snapshots alone.
      const late = answered.filter(({ after }) => after >= kept.first);
      expect(late.filter(({ by, id }) => !kept.commands.has(`${by}/${id}`))).toEqual([]);
      if (isFull && round % 10 === 9) tell(`round ${round + 1} of ${rounds}`, total, back);
    }
    await server.end('SIGKILL');
    expect(total).toBeGreaterThan(10 * rounds);
    if (process.env.VIVARIUM_FIGURES) tell(`${rounds} rounds`, total, back);
  },
  300_000 + rounds * 60_000,
);
