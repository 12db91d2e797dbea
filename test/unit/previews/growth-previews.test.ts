import { PNG } from 'pngjs';
import type { PatchStep } from '../../../server/engine/engine.ts';
import {
  DrawingEncoder,
  type GrowthFilm,
  GrowthPreviews,
  type GrowthPreviewsOptions,
  PREVIEWS,
} from '../../../server/previews/growth-previews.ts';
import { growthStep } from '../../../server/world/species.ts';
import { GROWN, SPECIES } from '../../support/rooms.ts';

/** An engine whose cells show how old they are; each step takes `cost` ms. */
function previewsWith(settings: Partial<GrowthPreviewsOptions['settings']> = {}, cost = 2) {
  const ages = new Map<number, number>();
  const batches: number[] = [];
  /** First numbers of the latents, in the order in which they begin to grow. */
  const planted: number[] = [];
  let time = 0;
  let patches = 0;
  let broken = false;
  const growthPreviews = new GrowthPreviews({
    species: SPECIES,
    newPatch: () => ++patches,
    now: () => time,
    settings: { ...PREVIEWS, ...settings },
    engine: {
      plant: async (news) => {
        for (const { patch, latent } of news) {
          ages.set(patch, 0);
          planted.push(latent[0]);
        }
      },
      step: async (steps: readonly PatchStep[]) => {
        if (broken) throw new Error('no engine');
        batches.push(steps.length);
        time += cost;
        return steps.map(({ patch, divide }) => {
          const age = ages.get(patch)!;
          const { stage, divide: wanted } = growthStep(SPECIES, age);
          expect(divide).toBe(wanted);
          ages.set(patch, age + 1);
          const rgba = new Uint8Array(4 * stage * stage).fill(100 + age);
          const presence = new Uint8Array(stage * stage).fill(255);
          return { patch, stage, rgba, presence, change: 9 };
        });
      },
      dispose: async (gone) => {
        for (const patch of gone) ages.delete(patch);
      },
    },
  });
  /** Pauses one after another, each of this length. */
  const pause = async (length: number, times = 1): Promise<void> => {
    for (let i = 0; i < times; i++) {
      growthPreviews.pause(time + length);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  /** Grows a seed in one long pause. */
  const grown = async (value: number): Promise<GrowthFilm> => {
    const film = growthPreviews.grow({ latent: latent(value) });
    await pause(1_000);
    return film;
  };
  const breakDown = () => (broken = true);
  return { growthPreviews, grown, ages, batches, planted, pause, breakDown, now: () => time };
}

const latent = (value: number) => new Float32Array([value, 0]);

test('a film shows each stage in the centre of its frame, the grown organism last', async () => {
  const { grown, ages } = previewsWith();
  const { side, frames, png } = await grown(1);
  expect([side, frames]).toEqual([8, GROWN]);
  const picture = PNG.sync.read(Buffer.from(png));
  expect([picture.width, picture.height]).toEqual([8 * GROWN, 8]);
  const alpha = (frame: number, x: number, y: number) =>
    picture.data[4 * (y * picture.width + 8 * frame + x) + 3];
  for (let frame = 0; frame < frames; frame++) {
    const { stage } = growthStep(SPECIES, frame);
    const inset = (8 - stage) / 2;
    for (let y = 0; y < 8; y++) {
      for (let x = 0; x < 8; x++) {
        const inside = [x, y].every((at) => at >= inset && at < 8 - inset);
        expect(alpha(frame, x, y)).toBe(inside ? 100 + frame : 0);
      }
    }
  }
  expect(ages.size).toBe(0);
});

test('a seed that is previewed again does not grow again', async () => {
  const { growthPreviews, pause, batches } = previewsWith();
  const films = [
    growthPreviews.grow({ latent: latent(1) }),
    growthPreviews.grow({ latent: latent(1) }),
  ];
  await pause(1_000);
  const again = growthPreviews.grow({ latent: latent(1) });
  expect(new Set(await Promise.all([...films, again])).size).toBe(1);
  expect(batches).toHaveLength(GROWN);
});

test('previews keep the most recently used films', async () => {
  const { grown, batches } = previewsWith({ films: 2 });
  for (const value of [1, 2, 1, 3, 1]) await grown(value);
  expect(batches).toHaveLength(3 * GROWN);
  await grown(2);
  expect(batches).toHaveLength(4 * GROWN);
});

test('previews limit how many seeds grow and wait', async () => {
  const { growthPreviews, grown, pause, batches } = previewsWith({ growing: 2, maxWaiting: 3 });
  const films = [1, 2, 3].map((value) => growthPreviews.grow({ latent: latent(value) }));
  await expect(growthPreviews.grow({ latent: latent(4) })).rejects.toThrow('room-busy');
  await pause(1_000);
  await Promise.all(films);
  expect(Math.max(...batches)).toBe(2);
  // A refused preview can be requested again.
  expect((await grown(4)).frames).toBe(GROWN);
});

test('growing stops early enough that one more step and the reserve fit before the next tick', async () => {
  const { growthPreviews, pause, now } = previewsWith({ reserve: 8 }, 5);
  void growthPreviews.grow({ latent: latent(1) });
  await pause(4_000);
  // The first step had no cost to go by; from then on it is known.
  const second = previewsWith({ reserve: 8 }, 5);
  void second.growthPreviews.grow({ latent: latent(1) });
  await second.pause(30);
  expect(second.now()).toBeLessThanOrEqual(30 - 8);
  expect(second.batches.length).toBeGreaterThan(2);
  expect(now()).toBe(GROWN * 5);
});

test('a few cells grow now and then when ticks leave no pause', async () => {
  const { growthPreviews, pause, batches } = previewsWith({ patience: 4, reserve: 8 });
  const films = [
    growthPreviews.grow({ latent: latent(1) }),
    growthPreviews.grow({ latent: latent(2) }),
  ];
  await pause(1, 12);
  expect(batches).toEqual([2, 2, 2]);
  await pause(1, 4 * 2 * GROWN);
  // Two of 8×8 are more than one organism has: they take turns, the first one first.
  expect(batches.at(-1)).toBe(1);
  expect((await Promise.all(films)).map(({ frames }) => frames)).toEqual([GROWN, GROWN]);
});

test('previews are rejected when the engine fails, and start again on the next request', async () => {
  const { growthPreviews, grown, breakDown } = previewsWith();
  breakDown();
  await expect(grown(1)).rejects.toThrow('room-busy');
  expect(growthPreviews.size).toBe(0);
  const again = growthPreviews.grow({ latent: latent(1) });
  await growthPreviews.stop();
  await expect(again).rejects.toThrow('shutting-down');
  await expect(growthPreviews.grow({ latent: latent(5) })).rejects.toThrow('shutting-down');
});
const encoder = {
  size: 4,
  channels: 1 as const,
  *encode(pixels: Float32Array) {
    for (let i = 0; i < 10; i++) yield;
    return pixels;
  },
};

test('drawings are encoded one after another, in short slices', async () => {
  let time = 0;
  let pauses = 0;
  const drawingEncoder = new DrawingEncoder({
    encoder,
    settings: { maxDrawings: 2, slice: 2, refining: 0, refiningAll: 0 },
    now: () => time++,
    pause: async () => void pauses++,
  });
  const drawings = [1, 2, 3].map((value) =>
    drawingEncoder.encode(new Uint8Array(4).fill(value * 51)),
  );
  await expect(drawingEncoder.encode(new Uint8Array(4).fill(1))).rejects.toThrow('room-busy');
  const [first, second] = await Promise.all(drawings);
  expect(first[0]).toBeCloseTo(0.2);
  expect(second[0]).toBeCloseTo(0.4);
  expect(pauses).toBeGreaterThan(4);
  await expect(drawingEncoder.encode(new Uint8Array(4).fill(1))).resolves.toHaveLength(4);
});

test('drawings share the time to refine them: one alone gets all of its own, many are done in time', async () => {
  let time = 0;
  const budgets: number[] = [];
  const drawingEncoder = new DrawingEncoder({
    encoder,
    settings: { maxDrawings: 32, slice: 2, refining: 1_000, refiningAll: 3_500 },
    refine: async ({ latent, budget }) => {
      budgets.push(budget);
      time += budget;
      return latent.map((value) => 2 * value);
    },
    now: () => time,
    pause: async () => {},
  });
  const draw = (source: string) => drawingEncoder.encode(new Uint8Array(4).fill(51), source);
  expect((await draw('alone'))[0]).toBeCloseTo(0.4);
  expect(budgets).toEqual([1_000]);
  time = 10_000;
  await Promise.all(Array.from({ length: 10 }, (_, i) => draw(`${i}`)));
  expect(time).toBeLessThanOrEqual(13_500);
  for (const budget of budgets.slice(1)) expect(budget).toBeCloseTo(350);
});
