/**
 * Seeds before they are planted, over real sockets: previews, drawings, crosses, the map, the hand
 * that holds them, and what the host allows.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { PNG } from 'pngjs';
import { FILES, pathOf } from '../../shared/host/api.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { encodeSeed } from '../../shared/seed-token.ts';
import { UNLIMITED } from '../support/server.ts';
import { hostOf, suiteServer, suiteVisitor } from '../support/suite.ts';
import type { Visitor } from '../support/visitor.ts';

type Accepted = Event<'accepted'>;
type Film = NonNullable<Accepted['film']>;

const { server, room, join } = await suiteServer(
  { size: '160x96', 'tick-rate': 30, energy: 'off', limits: UNLIMITED },
  { drawsSoon: true },
);
const ada = await suiteVisitor(server, 'Ada');
const host = await hostOf(server);

async function filmOf(seed: unknown, visitor = ada): Promise<Film> {
  const answer = (await visitor.ask('preview', { seed })) as Accepted;
  if (!answer.film) throw new Error(JSON.stringify(answer));
  return answer.film;
}

/** A disc of one colour, the smaller the larger `n`. */
function disc(n = 0): Uint8Array {
  const pixels = new Uint8Array(32 * 32 * 4);
  for (let y = 0; y < 32; y++) {
    for (let x = 0; x < 32; x++) {
      if (Math.hypot(x - 15.5, y - 15.5) < 12 - n) pixels.set([230, 60, 40, 255], 4 * (32 * y + x));
    }
  }
  return pixels;
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
async function grownAt(x: number, y: number, seed: object): Promise<number[]> {
  const id = await ada.plant(x, y, seed);
  const { side } = room.viewOf(id)!;
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
  const { seed } = (await ada.ask('draw', { pixels: disc() })) as Accepted;
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

test('seeds with latents out of range are refused, and so are crosses of them: they cannot crash the engine', async () => {
  const far = (latent: Float32Array): string =>
    encodeSeed({ kind: undefined, latent }, room.species);
  const near = far(new Float32Array(96).fill(1));
  // That such a token is one of this checkpoint's.
  await ada.plant(20, 70, { from: 'token', token: near });
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

  const organism = await ada.plant(60, 76, { from: 'gallery', index });
  const { token } = (await ada.ask('keep', { organism })) as Accepted;
  await ada.plant(100, 76, { from: 'token', token });
  expect(room.organisms.at(-1)).toMatchObject({ kind: 'Pile of Poo', origin: 'keepsake', x: 100 });
});

describe('what the host allows', () => {
  const waiting = async () => (await host.call('room')).drawings;
  const until = async (count: number): Promise<Awaited<ReturnType<typeof waiting>>> => {
    const drawings = await waiting();
    if (drawings.length === count) return drawings;
    await pause(20);
    return until(count);
  };
  const decide = (id: number, approve: boolean) =>
    host.call('decideDrawing', { approve }, { drawing: id });
  const set = (change: object) => host.call('changeSettings', change);
  const plant = (visitor: Visitor, seed: object) => visitor.ask('plant', { x: 40, y: 40, seed });

  beforeEach(async () => {
    await set({ drawings: 'on', tokens: true, latents: true });
    for (const { id } of room.organisms) await host.call('removeOrganism', { organism: id });
  });

  test('drawing, keepsakes and own latents are refused by name while they are off, for planting and previews', async () => {
    const { seed: drawn } = (await ada.ask('draw', { pixels: disc() })) as Accepted;
    const latent = [...room.species.gallery[0].latent];
    const token = encodeSeed({ kind: 0, latent: room.species.gallery[0].latent }, room.species);
    await set({ drawings: 'off', tokens: false, latents: false });
    await ada.until(() => ada.all('settings').at(-1)!.drawings === 'off');
    expect(await ada.ask('draw', { pixels: disc() })).toMatchObject({ reason: 'no-drawings' });
    for (const [seed, reason] of [
      [{ from: 'token', token }, 'no-tokens'],
      [{ from: 'latent', latent }, 'no-latents'],
      [{ from: 'hand', seed: drawn!.id }, 'no-drawings'],
    ] as const) {
      expect(await plant(ada, seed)).toMatchObject({ reason });
      expect(await ada.ask('preview', { seed })).toMatchObject({ reason });
    }
    expect(room.size).toBe(0);
    expect(await plant(ada, { from: 'gallery', index: 0 })).not.toHaveProperty('reason');
  });

  test('the host sees a waiting drawing and what it grows into; the visitor has the seed after the yes, and no seed after a no', async () => {
    await set({ drawings: 'ask' });
    const ada = await join('Ada');
    const answer = ada.ask('draw', { pixels: disc() }) as Promise<Accepted>;
    const [{ id, by }] = await until(1);
    expect(by).toEqual(ada.welcome!.you);
    expect((await host.call('state')).rooms[0].drawingsWaiting).toBe(1);
    const parts = { room: 'garden', drawing: id };
    const picture = async (path: string) =>
      PNG.sync.read(Buffer.from(await (await host.fetch(pathOf(path, parts))).arrayBuffer()));
    const drawn = await picture(FILES.drawing);
    expect([drawn.width, drawn.height]).toEqual([32, 32]);
    expect([...drawn.data.subarray(4 * (32 * 16 + 16)).subarray(0, 4)]).toEqual([230, 60, 40, 255]);
    const grown = await picture(FILES.grownDrawing);
    expect(grown.height).toBe(32);
    expect(grown.width % 32).toBe(0);
    expect(room.seedsOf(by.id)).toEqual([]);
    await decide(id, true);
    const { seed } = await answer;
    expect(seed).toMatchObject({ origin: 'drawing' });
    expect(await plant(ada, { from: 'hand', seed: seed!.id })).not.toHaveProperty('reason');
    expect(await host.refusal('decideDrawing', { approve: true }, { drawing: id })).toBe(
      'no-such-drawing',
    );
    const declined = ada.ask('draw', { pixels: disc(2) });
    await decide((await until(1))[0].id, false);
    expect(await declined).toMatchObject({ reason: 'drawing-declined' });
  });

  test('nobody fills the queue alone, and without a session nobody sees or decides anything', async () => {
    await set({ drawings: 'ask' });
    const [dag, eve] = [await join('Dag'), await join('Eve')];
    for (const n of [4, 5, 6]) void dag.ask('draw', { pixels: disc(n) });
    await until(3);
    expect(await dag.ask('draw', { pixels: disc(7) })).toMatchObject({
      reason: 'drawings-waiting',
    });
    void eve.ask('draw', { pixels: disc(7) });
    const drawings = await until(4);
    expect(drawings.map(({ by }) => by.name)).toEqual(['Dag', 'Dag', 'Dag', 'Eve']);
    const path = pathOf(FILES.drawing, { room: 'garden', drawing: drawings[0].id });
    expect((await fetch(`http://127.0.0.1:${server.port}${path}`)).status).toBe(401);
    for (const drawing of [0, 1e9, 'x', -1]) {
      expect(await host.refusal('decideDrawing', { approve: true }, { drawing })).toBe(
        'no-such-drawing',
      );
    }
    expect(await host.refusal('decideDrawing', {}, { drawing: drawings[0].id })).toBe('bad-call');
    expect(await host.refusal('changeSettings', { drawings: 'perhaps' })).toBe('bad-call');
    await set({ drawings: 'off' });
    expect(await eve.refusal()).toBe('no-drawings');
    expect(await waiting()).toEqual([]);
  });
});
