/** A GPU without free memory. The errors are the driver's own: no GPU has so large a buffer. */
import { type Engine, EngineError } from '../../../../server/engine/engine.ts';
import { type Gpu, openGpu } from '../../../../server/engine/webgpu/device.ts';
import { createGpuStore } from '../../../../server/engine/webgpu/store.ts';
import { speciesOf } from '../../../../server/rooms/loaded-checkpoint.ts';
import { World } from '../../../../server/world/world.ts';
import { createRandom } from '../../../../shared/random.ts';
import { ANNA } from '../../../support/rooms.ts';
import { tinyModel } from '../../vnca/tiny-model.ts';
import { bitsOf, seedOf, still } from '../support.ts';
import { engineOf, testGpu } from './support.ts';

const model = tinyModel({ name: 'plain', update: { kind: 'simple', hidden: 8, stateLimit: 4 } });
const { channels } = model.card;
/** Patches that the first page of the store takes. */
const FIRST = 16;

const seed = (patch: number) => seedOf(model, patch);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, patch) => patch);

/** An engine on a GPU whose memory can be filled up. */
async function opened(): Promise<{ engine: Engine; fill(): void; relieve(): void }> {
  let gpu!: Gpu;
  const store = await createGpuStore([model], async () => (gpu = await openGpu()));
  const { device } = gpu;
  const create = device.createBuffer.bind(device);
  return {
    engine: engineOf(store),
    fill: () => {
      device.createBuffer = () =>
        create({ size: 2 ** 32 - 4, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
    },
    relieve: () => {
      device.createBuffer = create;
    },
  };
}

testGpu('patches without memory are not planted, and all others live on', async () => {
  const [{ engine, fill, relieve }, { engine: other }] = [await opened(), await opened()];
  for (const one of [engine, other]) {
    await one.plant(upTo(FIRST).map(seed));
    await one.step(upTo(FIRST).map(still));
  }
  fill();
  const planted = engine.plant([seed(FIRST), seed(FIRST + 1)]);
  // Made before the GPU has answered.
  const calls = [
    engine.step([still(FIRST)]),
    engine.step(upTo(FIRST).map(still)),
    engine.exportStates([FIRST + 1]),
  ] as const;
  await expect(planted).rejects.toBeInstanceOf(EngineError);
  await expect(planted).rejects.toMatchObject({ reason: 'out-of-memory' });
  await expect(calls[0]).rejects.toMatchObject({ reason: 'unknown-patch' });
  await expect(calls[2]).rejects.toMatchObject({ reason: 'unknown-patch' });
  expect(await calls[1]).toEqual(await other.step(upTo(FIRST).map(still)));
  // A disposed patch frees memory.
  await engine.dispose([3]);
  await engine.plant([seed(FIRST)]);
  relieve();
  await engine.plant([seed(FIRST + 1)]);
  await other.plant([seed(FIRST), seed(FIRST + 1)]);
  const living = upTo(FIRST + 2).filter((patch) => patch !== 3);
  for (const one of [engine, other]) await one.step(living.map(still));
  const states = await other.exportStates(living);
  expect((await engine.exportStates(living)).map(bitsOf)).toEqual(states.map(bitsOf));
  await engine.close();
  await other.close();
});

testGpu('TIM-2: a seed without memory is refused, and its room is unchanged', async () => {
  const { engine, fill } = await opened();
  const world = new World(engine);
  const species = speciesOf({ ...model, folder: '' });
  const size = { width: 256, height: 64 };
  const room = world.open({ name: 'a', ...size, maxOrganisms: 99, seed: 1, species });
  const plant = (i: number): void => {
    const at = { x: 8 + 16 * (i % 16), y: 8 + 16 * Math.floor(i / 16) };
    room.enqueue(i, { what: 'plant', by: ANNA, ...at, seed: { from: 'prior' } });
  };
  upTo(FIRST).forEach(plant);
  await world.tick([room]);
  fill();
  plant(FIRST);
  room.enqueue(99, { what: 'damage', by: ANNA, points: [8.5, 24.5], radius: 0.5 });
  const [{ result }] = await world.tick([room]);
  const refused = expect.objectContaining({ reason: 'garden-full' });
  expect(result.answers).toEqual([
    { by: ANNA.id, id: FIRST, what: 'plant', energy: 1, refused },
    { by: ANNA.id, id: 99, what: 'damage', energy: 1 },
  ]);
  expect(result.life).toEqual([]);
  expect(room.size).toBe(FIRST);
  expect(room.grid.ownerAt(room.grid.place(7, 24))).toBe(0);
  // Memory for larger answers was reserved when they were planted.
  for (let tick = 0; tick < 4; tick++) await world.tick([room]);
  expect(room.organisms.map(({ stage }) => stage)).toEqual(Array(FIRST).fill(8));
  await engine.close();
});

testGpu(
  'states cannot be read without memory; steps go on, and states can be read later',
  async () => {
    const [{ engine, fill, relieve }, { engine: other }] = [await opened(), await opened()];
    const states = upTo(FIRST).map((patch) => ({
      patch,
      state: createRandom(patch).latent(16 * 16 * channels),
    }));
    for (const one of [engine, other]) {
      await one.plant(upTo(FIRST).map(seed));
      await one.importStates(states);
    }
    fill();
    const refused = engine.exportStates(upTo(FIRST));
    const going = engine.step(upTo(FIRST).map(still));
    await expect(refused).rejects.toMatchObject({ reason: 'out-of-memory' });
    expect(await going).toEqual(await other.step(upTo(FIRST).map(still)));
    relieve();
    const living = await other.exportStates(upTo(FIRST));
    expect((await engine.exportStates(upTo(FIRST))).map(bitsOf)).toEqual(living.map(bitsOf));
    await engine.close();
    await other.close();
  },
);

testGpu('a step that fails for lack of memory names the reason', async () => {
  const { engine, fill } = await opened();
  await engine.plant(upTo(FIRST).map(seed));
  fill();
  const failure = { reason: 'failed', detail: expect.stringMatching(/memory/i) };
  // More calls at once than memory was reserved for.
  const calls = [1, 2, 3, 4].map((patch) => engine.step([still(patch)]));
  await Promise.allSettled(calls);
  await expect(calls.at(-1)).rejects.toMatchObject(failure);
  await expect(engine.step([still(1)])).rejects.toMatchObject(failure);
  await engine.close();
});
