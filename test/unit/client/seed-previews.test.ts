/** Previews of seeds, and the colours in which a page draws grafts at first. */
import type { Answers } from '../../../client/room/connection.ts';
import { Previews, SeedColours } from '../../../client/room/seed-previews.ts';
import { InteractionState } from '../../../client/state/interaction-state.ts';
import type { Rgb } from '../../../client/style/fragments.ts';
import type { PreviewSource } from '../../../shared/protocol/commands.ts';

function open() {
  const asked: { seed: PreviewSource; answers: Answers }[] = [];
  const revoked: string[] = [];
  let later: (() => void)[] = [];
  let urls = 0;
  Object.assign(URL, {
    createObjectURL: () => `blob:${++urls}`,
    revokeObjectURL: (url: string) => revoked.push(url),
  });
  const ask = (_: string, { seed }: { seed: PreviewSource }, answers: Answers) =>
    asked.push({ seed, answers });
  const previews = new Previews(ask as never, (_, call) => later.push(call));
  const film = { side: 8, frames: 3, png: new Uint8Array(4) };
  return {
    previews,
    asked,
    revoked,
    answer: (n: number) => asked[n].answers.accepted?.({ id: 1, film }),
    refuse: (n: number, reason: 'room-busy' | 'no-such-seed') =>
      asked[n].answers.rejected?.(reason),
    wait: () => {
      const due = later;
      later = [];
      for (const call of due) call();
    },
  };
}

const dice = (n: number): PreviewSource => ({ from: 'prior', throw: n });

test('a preview is requested once and delivered to all who want it', () => {
  const { previews, asked, answer } = open();
  let told = 0;
  previews.onChange(() => told++);
  const [a, b] = [{}, {}];
  previews.want(a, dice(1));
  previews.want(b, dice(1));
  expect(asked).toHaveLength(1);
  expect(previews.film(dice(1))).toBeUndefined();
  answer(0);
  expect(told).toBe(1);
  expect(previews.film(dice(1))).toMatchObject({ url: 'blob:1', frames: 3 });
  previews.want({}, dice(1));
  expect(asked).toHaveLength(1);
});

test('while a finger moves, only the latest point is requested next', () => {
  const { previews, asked, answer } = open();
  const finger = {};
  for (let n = 0; n < 50; n++) previews.want(finger, dice(n));
  expect(asked.map(({ seed }) => seed)).toEqual([dice(0), dice(1)]);
  answer(0);
  expect(asked.at(-1)?.seed).toEqual(dice(49));
  answer(1);
  answer(2);
  expect(asked).toHaveLength(3);
  expect(previews.film(dice(49))).toBeDefined();
});

test('a busy server is asked again later; a seed that does not exist is not requested twice', () => {
  const { previews, asked, refuse, answer, wait } = open();
  previews.want({}, dice(1));
  refuse(0, 'room-busy');
  previews.want({}, dice(2));
  expect(asked).toHaveLength(1);
  wait();
  expect(asked).toHaveLength(3);
  answer(1);
  refuse(2, 'no-such-seed');
  expect([previews.film(dice(1)), previews.film(dice(2))]).toContain('none');
  previews.want({}, asked[2].seed);
  expect(asked).toHaveLength(3);
});

test('after a reconnect, pending previews are requested again; those of another participant’s hand are dropped', () => {
  const { previews, asked, answer, revoked } = open();
  previews.renew(1);
  const own: PreviewSource = { from: 'hand', seed: 4 };
  previews.want({}, own);
  answer(0);
  previews.want({}, dice(1));
  previews.renew(1);
  expect(asked.map(({ seed }) => seed)).toEqual([own, dice(1), dice(1)]);
  answer(1);
  expect(previews.film(dice(1))).toBeUndefined();
  answer(2);
  expect(previews.film(dice(1))).toBeDefined();
  expect(previews.film(own)).toBeDefined();
  previews.renew(2);
  expect(revoked).toEqual(['blob:1']);
  expect(previews.film(own)).toBeUndefined();
});

test('the oldest films are dropped', () => {
  const { previews, answer, revoked, asked } = open();
  const viewer = {};
  for (let n = 0; n < 200; n++) {
    previews.want(viewer, dice(n));
    answer(asked.length - 1);
  }
  expect(revoked.length).toBe(120);
  expect(previews.film(dice(199))).toBeDefined();
});

test('when an organism has turned into another, previews of crosses are asked for anew, and only those', () => {
  const { previews, asked, answer, revoked } = open();
  const cross = { from: 'cross', a: 1, b: 2, mix: 0.5 } as const;
  const viewer = {};
  previews.want(viewer, dice(1));
  answer(0);
  previews.want(viewer, cross);
  answer(1);
  let told = 0;
  previews.onChange(() => told++);
  previews.outdate(3);
  expect(previews.film(cross)).toBeDefined();
  told = 0;
  previews.outdate(2);
  expect([told, revoked]).toEqual([1, ['blob:2']]);
  expect([previews.film(cross), previews.film(dice(1))]).toMatchObject([
    undefined,
    { url: 'blob:1', frames: 3 },
  ]);
  // An answer that was on its way is of the organism as it was.
  previews.outdate(1);
  answer(2);
  expect(previews.film(cross)).toBeUndefined();
  answer(3);
  expect(asked.slice(2).map(({ seed }) => seed)).toEqual([cross, cross]);
  expect(previews.film(cross)).toMatchObject({ url: 'blob:3', frames: 3 });
});

test('once there is a painter, films that are shown are painted one after the other', async () => {
  const { previews, revoked, answer } = open();
  const painting: ((url: string) => void)[] = [];
  previews.want({}, dice(1));
  previews.want({}, dice(2));
  for (const n of [0, 1]) answer(n);
  previews.film(dice(1));
  let told = 0;
  previews.onChange(() => told++);
  previews.paintWith(() => new Promise((resolve) => painting.push(resolve)));
  expect(told).toBe(1);
  // As viewers do when they are told.
  for (const n of [1, 2, 1]) previews.film(dice(n));
  await null;
  expect(painting).toHaveLength(1);
  expect(previews.film(dice(1))).toMatchObject({ url: 'blob:1' });
  painting[0]('painted:1');
  while (painting.length < 2) await null;
  expect(told).toBe(2);
  expect(previews.film(dice(1))).toMatchObject({ url: 'painted:1', frames: 3 });
  expect(revoked).toEqual(['blob:1']);
});

test('a film that is dropped while it is painted, or cannot be painted, is not shown painted', async () => {
  const { previews, revoked, answer } = open();
  const painting: { done(url: string): void; failed(error: Error): void }[] = [];
  previews.paintWith(
    () => new Promise((done, failed) => painting.push({ done, failed } as (typeof painting)[0])),
  );
  const cross: PreviewSource = { from: 'cross', a: 4, b: 5, mix: 0.5 };
  previews.want({}, cross);
  previews.want({}, dice(2));
  for (const n of [0, 1]) answer(n);
  previews.film(cross);
  previews.film(dice(2));
  while (painting.length < 1) await null;
  previews.outdate(4);
  painting[0].done('painted:1');
  while (painting.length < 2) await null;
  expect(revoked).toEqual(['blob:1', 'painted:1']);
  painting[1].failed(new Error('no memory'));
  await new Promise((resolve) => setTimeout(resolve));
  expect(previews.film(dice(2))).toMatchObject({ url: 'blob:2' });
});

const settled = () => new Promise<void>((resolve) => setTimeout(resolve));

test('the colours are those of the seed in hand, and of no earlier one', async () => {
  const state = new InteractionState();
  const films = new Map<string, string>();
  const read = new Map<string, (colours: Rgb[]) => void>();
  let tell = (): void => {};
  const previews = {
    film: (seed: object) => {
      const url = films.get(JSON.stringify(seed));
      return url && { url, frames: 4 };
    },
    onChange: (listener: () => void) => {
      tell = listener;
    },
  };
  const seeds = new SeedColours(
    previews as never,
    state,
    (url) => new Promise((resolve) => read.set(url, resolve)),
  );
  const arrive = (index: number, url: string): void => {
    films.set(JSON.stringify({ from: 'gallery', index }), url);
    tell();
  };
  state.hold({ from: 'gallery', index: 1 });
  arrive(1, 'one');
  // A visitor who plants needs no colours.
  expect(read.size).toBe(0);
  state.take('graft');
  state.hold({ from: 'gallery', index: 2 });
  arrive(2, 'two');
  expect([...read.keys()]).toEqual(['one', 'two']);
  read.get('two')!([[0, 0, 1]]);
  await settled();
  read.get('one')!([[1, 0, 0]]);
  await settled();
  expect(seeds.colours).toEqual([[0, 0, 1]]);
  state.hold({ from: 'gallery', index: 3 });
  expect(seeds.colours).toEqual([]);
});
