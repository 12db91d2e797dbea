/**
 * Seeds before they are planted, over real sockets: previews, drawings, crosses, the map, and the
 * hand that holds them.
 */

import { PNG } from 'pngjs';
import { PREVIEWS } from '../../server/previews/growth-previews.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { encodeSeed } from '../../shared/seed-token.ts';
import { UNLIMITED } from '../support/server.ts';
import { suiteServer, suiteVisitor } from '../support/suite.ts';

type Accepted = Event<'accepted'>;
type Film = NonNullable<Accepted['film']>;

const { server, room, join } = await suiteServer(
  { size: '160x96', 'tick-rate': 30, energy: 'off', limits: UNLIMITED },
  { drawsSoon: true },
);
const ada = await suiteVisitor(server, 'Ada');

async function filmOf(seed: unknown, visitor = ada): Promise<Film> {
  const answer = (await visitor.ask('preview', { seed })) as Accepted;
  if (!answer.film) throw new Error(JSON.stringify(answer));
  return answer.film;
}

/** Last picture of a film, premultiplied RGBA. */
function lastOf({ png, side, frames }: Film): number[] {
  const { data, width } = PNG.sync.read(Buffer.from(png));
  const last: number[] = [];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = 4 * (y * width + (frames - 1) * side + x);
      const alpha = data[at + 3];
      for (let c = 0; c < 3; c++) last.push(Math.round((data[at + c] * alpha) / 255));
      last.push(alpha);
    }
  }
  return last;
}

/** Plants, and gives what the room shows in its window at the tick it is grown. */
async function grownAt(x: number, y: number, seed: unknown): Promise<number[]> {
  const answer = await ada.ask('plant', { x, y, seed });
  expect(answer).not.toHaveProperty('reason');
  const { id, side } = room.organisms.at(-1)!;
  await ada.until(() => ada.life.some((event) => event.what === 'grown' && event.id === id));
  const { rgba, width } = room.grid.planes;
  const shown: number[] = [];
  for (let j = y - side / 2; j < y + side / 2; j++) {
    const from = 4 * (j * width + x - side / 2);
    shown.push(...rgba.subarray(from, from + 4 * side));
  }
  return shown;
}

function meanError(a: number[], b: number[]): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;
}

test('the organism grows as previewed, from the dice and from the map', async () => {
  for (const [i, seed] of [
    { from: 'prior', throw: 4711 },
    { from: 'map', x: 0.31, y: 0.62 },
  ].entries()) {
    const film = await filmOf(seed);
    expect(film).toMatchObject({ side: 32, frames: 20 });
    const grown = await grownAt(20 + 40 * i, 20, seed);
    // The message may come some ticks after: alive things move a little, others look quite
    // different.
    expect(meanError(lastOf(film), grown)).toBeLessThan(8);
    const other = await filmOf({ from: 'prior', throw: 4712 });
    expect(meanError(lastOf(other), grown)).toBeGreaterThan(16);
  }
});

test('a preview is the same for everybody, and changes nothing', async () => {
  const bo = await join('Bo');
  const before = room.size;
  const seed = { from: 'gallery', index: 7 };
  const films = await Promise.all([filmOf(seed), filmOf(seed, bo)]);
  expect(Buffer.compare(films[0].png, films[1].png)).toBe(0);
  expect(room.size).toBe(before);
});

test('a cross can be previewed while it is mixed, and then lies in the hand', async () => {
  const [{ id: a }, { id: b }] = room.organisms;
  const looked = await filmOf({ from: 'cross', a, b, mix: 0.5 });
  const { seed } = (await ada.ask('cross', { a, b, mix: 0.5 })) as Accepted;
  expect(seed).toMatchObject({ origin: 'cross', parents: [a, b] });
  const made = await filmOf({ from: 'hand', seed: seed!.id });
  expect(Buffer.compare(looked.png, made.png)).toBe(0);
  const mutant = (await ada.ask('cross', { a, b, mix: 0.5, mutation: 0.6 })) as Accepted;
  const changed = await filmOf({ from: 'hand', seed: mutant.seed!.id });
  expect(meanError(lastOf(changed), lastOf(made))).toBeGreaterThan(2);
  const parent = await filmOf({ from: 'organism', organism: a });
  expect(meanError(lastOf(parent), lastOf(await filmOf({ from: 'cross', a, b, mix: 0 })))).toBe(0);
});

test('a drawing becomes a seed that grows into something like it', async () => {
  expect(ada.welcome!.checkpoint.draws).toBe('colour');
  // What the gallery shows of an orange is a drawing too: red ink in a round.
  const pixels = new Uint8Array(32 * 32 * 4);
  for (let y = 0; y < 32; y++) {
    for (let x = 0; x < 32; x++) {
      if (Math.hypot(x - 15.5, y - 15.5) < 12) pixels.set([230, 60, 40, 255], 4 * (32 * y + x));
    }
  }
  const { seed } = (await ada.ask('draw', { pixels })) as Accepted;
  expect(seed).toMatchObject({ origin: 'drawing', parents: [] });
  const last = lastOf(await filmOf({ from: 'hand', seed: seed!.id }));
  const middle = (c: number) => last[4 * (32 * 16 + 16) + c];
  expect(middle(3)).toBeGreaterThan(180);
  expect(middle(0)).toBeGreaterThan(middle(1) + 40);
  await grownAt(100, 20, { from: 'hand', seed: seed!.id });
  expect(room.organisms.at(-1)).toMatchObject({ origin: 'drawing' });
});

test.each([
  ['a drawing of another size', 'draw', { pixels: new Uint8Array(9) }, 'bad-drawing'],
  ['an empty drawing', 'draw', { pixels: new Uint8Array(4096) }, 'bad-drawing'],
  ['a drawing that is none', 'draw', { pixels: 'a house' }, 'bad-message'],
  ['a huge drawing', 'draw', { pixels: new Uint8Array(15_000) }, 'bad-message'],
  ['a look at chance', 'preview', { seed: { from: 'prior' } }, 'no-such-seed'],
  ['a look into an empty hand', 'preview', { seed: { from: 'hand', seed: 99 } }, 'no-such-seed'],
  ['a look at nobody', 'preview', { seed: { from: 'organism', organism: 99 } }, 'no-such-organism'],
  ['a look beside the map', 'preview', { seed: { from: 'map', x: 2, y: 0 } }, 'bad-message'],
  ['too short a latent', 'preview', { seed: { from: 'latent', latent: [1] } }, 'bad-latent'],
] as const)('%s is refused with its reason', async (_, what, message, reason) => {
  expect(await ada.ask(what, message)).toMatchObject({ reason });
});

test('a returning visitor still has the seeds in hand', async () => {
  const cleo = await join('Cleo');
  expect(cleo.welcome!.hand).toEqual([]);
  const [{ id: a }, { id: b }] = room.organisms;
  const { seed } = (await cleo.ask('cross', { a, b, mix: 0.3 })) as Accepted;
  cleo.leave();
  const again = await join('Cleo', { resume: cleo.welcome!.resume });
  expect(again.welcome!.hand).toEqual([seed]);
  const stranger = await join('Mallory');
  expect(stranger.welcome!.hand).toEqual([]);
});

test('a visitor may have only a few pending previews', async () => {
  const dag = await join('Dag');
  const { maxWaitingEach } = PREVIEWS;
  const answers = await Promise.all(
    Array.from({ length: maxWaitingEach + 2 }, (_, i) =>
      dag.ask('preview', { seed: { from: 'prior', throw: 1000 + i } }),
    ),
  );
  const refused = answers.filter((answer) => 'reason' in answer);
  expect(refused.map((answer) => (answer as Event<'rejected'>).reason)).toEqual([
    'too-fast',
    'too-fast',
  ]);
});

test('the map is served at the URL in the welcome, with a position for each gallery organism', async () => {
  const { map, gallery } = ada.welcome!.checkpoint;
  const places = (await (
    await fetch(`http://127.0.0.1:${server.port}${map}`)
  ).json()) as number[][];
  expect(places).toHaveLength(gallery.length);
  expect(places.flat().every((value) => value >= 0 && value <= 1)).toBe(true);
});

test('seeds with latents out of range are refused, and so are crosses of them: they cannot crash the engine', async () => {
  const far = (latent: Float32Array): string =>
    encodeSeed({ kind: undefined, latent }, room.species);
  const near = far(new Float32Array(96).fill(1));
  // That such a token is one of this checkpoint's.
  expect(
    await ada.ask('plant', { x: 20, y: 70, seed: { from: 'token', token: near } }),
  ).not.toHaveProperty('reason');
  for (const latent of [new Float32Array(96).fill(1.6e38), new Float32Array(96).fill(5_000)]) {
    const seed = { from: 'token', token: far(latent) };
    expect(await ada.ask('plant', { x: 60, y: 70, seed })).toMatchObject({ reason: 'bad-token' });
    expect(await ada.ask('preview', { seed })).toMatchObject({ reason: 'bad-token' });
  }
  const { tick } = room;
  await ada.until(() => room.tick > tick + 3);
});

test('a creature that is offered only in the whole gallery is on no other map, and its keepsake grows everywhere', async () => {
  const names = room.species.gallery.map(({ name }) => name);
  const index = names.indexOf('Pile of Poo');
  const { featured, unsuitable } = ada.welcome!.checkpoint;
  expect(unsuitable).toContain(index);
  expect(featured).not.toContain(index);
  const places = async (query: string) => {
    const url = `http://127.0.0.1:${server.port}${ada.welcome!.checkpoint.map}${query}`;
    return (await fetch(url).then((response) => response.json())) as ([number, number] | null)[];
  };
  const [map, whole] = [await places(''), await places('?whole')];
  expect(map.flatMap((place, i) => (place ? [i] : []))).toEqual(
    [...featured!].sort((a, b) => a - b),
  );
  expect(whole.every(Boolean)).toBe(true);
  // At its own place on the whole map it is itself; on the other map, what is offered there grows.
  const [x, y] = whole[index]!;
  const self = lastOf(await filmOf({ from: 'gallery', index }));
  expect(meanError(lastOf(await filmOf({ from: 'map', x, y, whole: true })), self)).toBeLessThan(8);
  expect(meanError(lastOf(await filmOf({ from: 'map', x, y })), self)).toBeGreaterThan(16);

  const planted = await ada.ask('plant', { x: 60, y: 76, seed: { from: 'gallery', index } });
  expect(planted).not.toHaveProperty('reason');
  const { token } = (await ada.ask('keep', { organism: room.organisms.at(-1)!.id })) as Accepted;
  await ada.ask('plant', { x: 100, y: 76, seed: { from: 'token', token } });
  expect(room.organisms.at(-1)).toMatchObject({ kind: 'Pile of Poo', origin: 'keepsake', x: 100 });
});
