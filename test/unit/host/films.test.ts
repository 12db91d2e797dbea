/** Film jobs: their period, their progress, and why they fail. */
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, errorMonitor } from 'node:events';
import { mkdirSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import type { Response } from 'express';
import { FilmPainter } from '../../../server/host/film-process.ts';
import {
  FILMS,
  FilmJobs,
  type FilmNews,
  type FilmOrder,
  sendFrame,
} from '../../../server/host/films.ts';
import { createPlanes, type Planes } from '../../../shared/codec/chunks.ts';
import { paint } from '../../../shared/painter/paint.ts';
import { afterTest, suiteFolder } from '../../support/closing.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { testNeeding } from '../../support/needs.ts';
import { chanceNet } from '../../support/painter-net.ts';
import fc, { forRuns } from '../../support/property.ts';

const HOUR = 3_600_000;
const NOW = 1_790_000_000_000;

class Maker extends EventEmitter {
  orders: FilmOrder[] = [];
  killed = 0;
  send(order: FilmOrder): void {
    this.orders.push(order);
  }
  kill(): void {
    this.killed++;
  }
  say(news: FilmNews): void {
    this.emit('message', news);
  }
}

let clock: FakeClock;
let films: FilmJobs;
let maker: Maker;
let warned: string[];
let gone: string[];
let start: () => ChildProcess;

beforeEach(() => {
  [clock, warned, gone] = [new FakeClock(), [], []];
  start = () => {
    maker = new Maker();
    return maker as unknown as ChildProcess;
  };
  films = new FilmJobs({
    ...{ clock, date: () => NOW, engine: 'auto', start: () => start() },
    warn: (message) => warned.push(message),
    onGone: (job) => gone.push(job),
  });
});

afterEach(() => films.close());

const begin = (wish: Partial<Parameters<FilmJobs['begin']>[1]> = {}) =>
  films.begin(
    'garden',
    { kind: 'gif', ...wish },
    { records: { folder: 'data' }, checkpoint: 'checkpoint' },
  );

test('a film of the last hours begins at a time, as the tick rate may have changed', () => {
  begin({ hours: 8 });
  expect(maker.orders[0].from).toEqual({ time: NOW - 8 * HOUR });
  films.stop(films.states[0].id);
  begin();
  expect(maker.orders[0].from).toEqual({ time: NOW - 24 * HOUR });
  expect(films.states).toMatchObject([{ hours: 24 }]);
});

test('a film may take long, but fails when it makes no progress', async () => {
  begin();
  maker.say({ from: NOW - 6 * HOUR, total: 300 });
  for (let i = 0; i < 60; i++) {
    await clock.advance(10 * 60_000);
    maker.say({ progress: i / 100, frames: i });
  }
  expect(films.states).toMatchObject([{ state: 'going', progress: 0.59, from: NOW - 6 * HOUR }]);
  await clock.advance(HOUR);
  expect(films.states).toMatchObject([{ state: 'failed', error: 'stalled' }]);
  expect(maker.killed).toBe(1);
  expect(clock.waiting).toBe(0);
});

test('a failed film has a reason from a closed set; the log has the details', () => {
  begin();
  maker.say({ error: 'not-kept', message: 'Of room "garden" nothing is kept.' });
  begin();
  maker.emit('exit', 1);
  begin();
  maker.emit('error', new Error('spawn failed'));
  expect(films.states.map(({ error }) => error)).toEqual(['not-kept', 'ended', 'failed']);
  expect(warned).toEqual([
    'A film of the room "garden" could not be made: Of room "garden" nothing is kept.',
    'A film of the room "garden" could not be made: The process that makes the film ended with exit code 1.',
    'A film of the room "garden" could not be made: spawn failed',
  ]);
});

test('a film whose file has vanished fails with a sentence, and the next one is made', () => {
  begin();
  const { out } = maker.orders[0];
  maker.say({ done: true, frames: 3 });
  // It cannot be removed either.
  begin();
  mkdirSync(maker.orders[0].out);
  maker.emit('exit', 1);
  expect(films.states).toMatchObject([{ state: 'failed' }, { state: 'failed' }]);
  const sentence = expect.stringMatching(/^A film of the room "garden" could not be made: The /);
  expect(warned).toEqual([sentence, sentence]);
  // As the system does with temporary folders that nobody has used for days.
  rmSync(dirname(out), { recursive: true });
  begin();
  writeFileSync(maker.orders[0].out, '1234');
  maker.say({ done: true, frames: 1 });
  expect(films.states.at(-1)).toMatchObject({ state: 'done', bytes: 4 });
});

test('a film whose process cannot start fails, though two errors tell of it', async () => {
  const errors: string[] = [];
  const twice = new Promise<void>((resolve) => {
    start = () => {
      const child: EventEmitter = fork('none.mjs', { execPath: '/nonexistent/node' });
      // Told of errors without counting as a listener.
      child.on(errorMonitor, ({ code }) => {
        if (errors.push(code) === 2) resolve();
      });
      return child as ChildProcess;
    };
  });
  begin();
  await twice;
  expect(errors[0]).toBe('ENOENT');
  expect(films.states).toMatchObject([{ state: 'failed', error: 'failed' }]);
});

test('walls are told of films that have failed, were stopped or made room for later ones, only', () => {
  const { id: failed } = begin();
  maker.say({ error: 'failed', message: '' });
  expect(gone).toEqual([failed]);
  const { id: stopped } = begin();
  films.stop(stopped);
  maker.emit('exit', null);
  expect(gone).toEqual([failed, stopped]);
  expect([warned.length, clock.waiting]).toEqual([1, 0]);
  const made = Array.from({ length: FILMS.kept + 1 }, () => {
    const { id } = begin();
    writeFileSync(maker.orders[0].out, '');
    maker.say({ done: true, frames: 1 });
    return id;
  });
  begin();
  expect(gone.slice(2)).toContain(made[0]);
  expect(gone).not.toContain(made.at(-1));
});

test('pictures that are made have files, also before the film is done; there are none beyond', () => {
  const { id } = begin();
  expect(() => films.frame(id, 0)).toThrow('job-not-done');
  maker.say({ from: NOW - HOUR, total: 12 });
  expect(() => films.frame(id, 0)).toThrow('job-not-done');
  maker.say({ progress: 0.3, frames: 4 });
  expect(films.frame(id, 3)).toMatch(/3$/);
  expect(() => films.frame(id, 4)).toThrow('no-such-time');
  writeFileSync(maker.orders[0].out, '');
  maker.say({ done: true, frames: 12 });
  expect(films.frame(id, 11)).toMatch(/11$/);
  for (const index of [12, -1, 0.5]) expect(() => films.frame(id, index)).toThrow('no-such-time');
  const { id: failed } = begin();
  maker.say({ from: NOW - HOUR, total: 12 });
  maker.say({ progress: 0.3, frames: 4 });
  maker.say({ error: 'failed', message: '' });
  expect(() => films.frame(failed, 0)).toThrow('job-not-done');
});

const picture = join(suiteFolder(), 'picture');
writeFileSync(picture, Buffer.alloc(300_000, 1));

/** A response whose client does not read. */
class Unread extends Writable {
  /** The first bytes that are sent. */
  readonly first: Promise<Buffer>;
  private tell!: (bytes: Buffer) => void;

  constructor() {
    super({ highWaterMark: 1 });
    this.first = new Promise((tell) => {
      this.tell = tell;
    });
    afterTest(() => this.destroy());
  }

  set(): this {
    return this;
  }

  type(): this {
    return this;
  }

  override _write(bytes: Buffer): void {
    this.tell(bytes);
  }
}

function isOpen(file: string): boolean {
  return readdirSync('/proc/self/fd').some((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`) === file;
    } catch {
      // It was that of this search.
      return false;
    }
  });
}

testNeeding('Linux', process.platform === 'linux')(
  'clients that do not read a picture hold no file open, and share its bytes',
  async () => {
    const clients = [new Unread(), new Unread()];
    for (const client of clients) sendFrame(picture, client as unknown as Response);
    const [one, other] = await Promise.all(clients.map(({ first }) => first));
    expect(one).toHaveLength(300_000);
    expect(other).toBe(one);
    expect(isOpen(picture)).toBe(false);
  },
);

const net = chanceNet(3);
const SIZE = { width: 40, height: 36 };
const SCALE = 2;

const painterOf = (limit = Infinity, now = () => 0) => new FilmPainter(net, SCALE, limit, now);

function reference({ width, height, rgba, owner }: Planes): number[] {
  const pixels = paint({ cells: rgba, owners: owner, width, height, net, scale: SCALE });
  return [...pixels].filter((_, i) => i % 4 < 3);
}

function live(planes: Planes, x: number, y: number, value: number): void {
  const place = y * planes.width + x;
  planes.rgba.fill(value, 4 * place, 4 * place + 4);
  planes.owner[place] = 1 + (value % 3);
}

const cells = fc.array(
  fc.record({ x: fc.nat(SIZE.width - 1), y: fc.nat(SIZE.height - 1), value: fc.nat(255) }),
  { minLength: 1, maxLength: 20 },
);

test('each picture of a film is what the reference paints, whatever has changed', () => {
  forRuns(4, fc.array(cells, { minLength: 2, maxLength: 3 }), (steps) => {
    const painter = painterOf();
    const planes = createPlanes(SIZE.width, SIZE.height);
    for (const step of steps) {
      for (const { x, y, value } of step) live(planes, x, y, value);
      expect([...painter.draw(planes)!]).toEqual(reference(planes));
    }
  });
});

test('painting ends when its time is over, and does not begin again', () => {
  let time = 0;
  const painter = painterOf(12, () => time++);
  const planes = createPlanes(SIZE.width, SIZE.height);
  expect(painter.draw(planes)).toBeDefined();
  const first = structuredClone(planes);
  for (let i = 0; i < SIZE.width; i++) live(planes, i, i % SIZE.height, 200);
  expect(painter.draw(planes)).toBeUndefined();
  // Nothing of this one has changed since it was painted, but half of its pixels have been painted over.
  expect(painter.draw(first)).toBeUndefined();
});
