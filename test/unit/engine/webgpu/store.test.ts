/**
 * The store on a GPU: lost, leaking nothing, without free memory, and compared with another backend.
 * Errors of memory are the driver's own: no GPU has so large a buffer.
 */
import type { BackendName, PatchStore } from '../../../../server/engine/backend.ts';
import { openStore } from '../../../../server/engine/choose-backend.ts';
import {
  type Engine,
  EngineError,
  type PatchStep,
  type Readout,
} from '../../../../server/engine/engine.ts';
import type { ThreadEngine } from '../../../../server/engine/thread/protocol.ts';
import { recoveringThread } from '../../../../server/engine/thread/recovering-thread.ts';
import { type Gpu, openGpu } from '../../../../server/engine/webgpu/device.ts';
import { createGpuStore } from '../../../../server/engine/webgpu/store.ts';
import { speciesOf } from '../../../../server/rooms/loaded-checkpoint.ts';
import type { Model } from '../../../../server/vnca/checkpoint.ts';
import { genomeWeights } from '../../../../server/vnca/chimera.ts';
import { World } from '../../../../server/world/world.ts';
import { createRandom } from '../../../../shared/random.ts';
import { describeNeeding, isFull } from '../../../support/needs.ts';
import { ANNA } from '../../../support/rooms.ts';
import { genomeUpdate, tinyModel } from '../../vnca/tiny-model.ts';
import { describeLosses, LOSS_MODELS } from '../losses.ts';
import { bitsOf, CONTRACT_MODELS, seedOf, still, threadOver } from '../support.ts';
import { engineOf, isGpuHere, testGpu } from './support.ts';

const update = { kind: 'simple', hidden: 8, stateLimit: 4 };
const plain = tinyModel({ name: 'plain', update });
/** The same weights, but half of the cells stay as they are. */
const chance: Model = {
  tensors: plain.tensors,
  card: { ...plain.card, name: 'chance', update: { ...plain.card.update, updateProbability: 0.5 } },
};
const MODELS = [plain, chance];
const CHANNELS = plain.card.channels;

const seed = (patch: number, model = plain) => seedOf(model, patch);
const stateOf = (n: number, side: number): Float32Array =>
  createRandom(n).latent(side * side * CHANNELS);

/** A store on a GPU, and its device. */
async function opened(models = MODELS): Promise<{ store: PatchStore; device: GPUDevice }> {
  const gpu = await openGpu();
  return { store: await createGpuStore(models, async () => gpu), device: gpu.device };
}

if (isGpuHere) {
  describeLosses(
    'a GPU that is lost',
    async () => {
      const heard: string[] = [];
      let lose!: () => void;
      const restart = async (): Promise<ThreadEngine> => {
        const { store, device } = await opened(LOSS_MODELS);
        lose = () => device.destroy();
        return threadOver(store, { name: 'webgpu', device: 'GPU' });
      };
      const engine = recoveringThread(await restart(), {
        start: restart,
        onLoss: (what, why) => heard.push(`${what}: ${why}`),
      });
      return { engine, heard, lose: () => lose() };
      // In short, without 'chance' and 'calm', which threads lose in engines.test.ts.
    },
    isFull ? undefined : ['tiny', 'tiny', 'genome', 'tiny'],
  );
}

describeNeeding('WebGPU', isGpuHere)('a store on a GPU', () => {
  let store: PatchStore;
  let device: GPUDevice;
  beforeAll(async () => {
    ({ store, device } = await opened());
    // Compiles the kernels.
    store.plant([seed(1), seed(2, chance)]);
    await store.step([still(1), still(2)]);
    store.dispose([1, 2]);
  });
  afterAll(() => store.close());
  afterEach(() => {
    store.dispose([1, 2, 3, 4, 5]);
  });

  test('by chance, cells take the whole step or stay as they are', async () => {
    store.plant([seed(1), seed(2, chance)]);
    const state = stateOf(5, 16);
    store.importStates([1, 2].map((patch) => ({ patch, state })));
    await store.step([still(1), still(2)]);
    const [all, some] = await store.exportStates([1, 2]);
    let moved = 0;
    for (let cell = 0; cell < 256; cell++) {
      const at = [cell * CHANNELS, (cell + 1) * CHANNELS] as const;
      const acts = some[at[0]] !== state[at[0]];
      if (acts) moved++;
      const wanted = (acts ? all : state).subarray(...at);
      some.subarray(...at).forEach((x, c) => {
        expect(x).toBeCloseTo(wanted[c], 5);
      });
    }
    // Four standard deviations of 256 fair coins.
    expect(Math.abs(moved - 128)).toBeLessThan(32);
  });

  test('2,000 rounds of planting and disposing leak no buffers', async () => {
    let created = 0;
    let destroyed = 0;
    const create = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      created++;
      const buffer = create(descriptor);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        destroyed++;
        destroy();
      };
      return buffer;
    };
    const ids = Array.from({ length: 40 }, (_, i) => 100 + i);
    const round = async (): Promise<void> => {
      await store.plant(ids.map((id) => seed(id, id % 2 ? plain : chance)));
      await store.dispose(ids);
    };
    await round();
    const before = created - destroyed;
    for (let k = 0; k < 2_000; k++) {
      store.plant([seed(1)]);
      if (k % 100 === 0) await store.step([still(1)]);
      store.dispose([1]);
      if (k % 250 === 0) await round();
    }
    expect(created - destroyed).toBe(before);
    expect(created).toBeLessThan(200);
    device.createBuffer = create;
  });
});

/** Patches that the first page of the store takes. */
const FIRST = 16;

const upTo = (count: number): number[] => Array.from({ length: count }, (_, patch) => patch);

/** An engine on a GPU whose memory can be filled up. */
async function fillable(): Promise<{ engine: Engine; fill(): void; relieve(): void }> {
  let gpu!: Gpu;
  const store = await createGpuStore([plain], async () => (gpu = await openGpu()));
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
  const [{ engine, fill, relieve }, { engine: other }] = [await fillable(), await fillable()];
  for (const one of [engine, other]) {
    await one.plant(upTo(FIRST).map((patch) => seed(patch)));
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
  const { engine, fill } = await fillable();
  const world = new World(engine);
  const species = speciesOf({ ...plain, folder: '' });
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
    const [{ engine, fill, relieve }, { engine: other }] = [await fillable(), await fillable()];
    const states = upTo(FIRST).map((patch) => ({ patch, state: stateOf(patch, 16) }));
    for (const one of [engine, other]) {
      await one.plant(upTo(FIRST).map((patch) => seed(patch)));
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

testGpu(
  'a genome does nothing to cells that it does not count for, even if it diverges',
  async () => {
    // In short, kernels that other tests have compiled.
    const { card, tensors } = isFull
      ? tinyModel({
          ...{ name: 'wide', side: 32, latentSize: 11 },
          update: { ...genomeUpdate(7), leak: 0.2, stateLimit: 2, updateProbability: 0.7 },
        })
      : CONTRACT_MODELS.find(({ card }) => card.name === 'genome')!;
    const { name: checkpoint, channels, latentSize, side } = card;
    const latent = createRandom(1).latent(latentSize);
    const store = await createGpuStore([{ card, tensors }]);
    const labels = new Uint8Array(side * side).fill(1, 9 * side + 10, 9 * side + 11);
    const huge = new Float32Array(latentSize).fill(3e38);
    const genomes = { latents: [latent, huge], labels };
    await store.plant([
      { patch: 0, checkpoint, latent },
      { patch: 1, checkpoint, latent, genomes },
    ]);
    const state = createRandom(1).latent(side * side * channels);
    const closed = genomeWeights(labels, 2, side)
      .slice(side * side)
      .map(Math.ceil);
    const step = async (closed?: Uint8Array) => {
      await store.importStates([0, 1].map((patch) => ({ patch, state })));
      return store.step(
        [0, 1].map((patch) => ({ patch, divide: false, ...(closed && { closed }) })),
      );
    };
    const [alone, chimera] = await step(Uint8Array.from(closed));
    expect(chimera).toEqual({ ...alone, patch: 1 });
    expect((await step())[1].broken).toBe(true);
    await store.close();
  },
);

const standingInput = true;

/** Few, with much in each: a software adapter takes seconds to compile a kernel. */
const ALL_COMPARED: readonly Model[] = [
  ...CONTRACT_MODELS.filter(({ card }) => card.name === 'genome'),
  ...[
    {
      name: 'expressed',
      channels: 9,
      latentSize: 14,
      update: {
        ...{ kind: 'residual', hidden: 20, activation: 'relu', leak: 0.5, stateLimit: 4 },
        standingInput,
        genome: { hidden: 11, expressed: 5, scalesPerception: false, gain: 0.3 },
      },
      readout: { kind: 'rgba-premultiplied', channels: [5, 0, 8, 4] },
    },
    {
      name: 'colours',
      channels: 20,
      latentSize: 20,
      update: { kind: 'simple', hidden: 12, outBias: true, standingInput, genome: { hidden: 5 } },
      readout: { kind: 'dmol', mixtures: 2 },
      presence: { channel: 17, threshold: 0.1 },
    },
    {
      name: 'ink',
      side: 12,
      growth: { kind: 'doubling', seedSide: 3, stepsPerStage: 2 },
      update: { kind: 'res4', hidden: 9, standingInput },
      readout: { kind: 'bernoulli', channel: 5 },
      presence: { threshold: 0.1 },
    },
    // Channels that do not all fit beside each other, and more of them than hidden units.
    { name: 'deep', channels: 130, latentSize: 130, update: { kind: 'simple', hidden: 16 } },
    // Too wide for the largest tile.
    { name: 'wide', update: { kind: 'residual', hidden: 200 } },
  ].map((fields, i) => tinyModel(fields, i + 20)),
];
/** In short, genomes are left to golden.test.ts. */
const COMPARED = isFull
  ? ALL_COMPARED
  : ALL_COMPARED.filter(({ card }) => !['genome', 'expressed'].includes(card.name));

/** Divides, masks all but a corner, and steps on with each model. */
async function live(backend: BackendName) {
  const { store } = await openStore(backend, COMPARED);
  const ids = COMPARED.map((_, i) => i);
  store.plant(COMPARED.map(seedOf));
  const readouts: Readout[][] = [];
  for (let k = 0; k < 5; k++) {
    const divide = k === 1 || k === 3;
    const steps = ids.map((patch): PatchStep => {
      const doubles = divide && COMPARED[patch].card.growth.kind === 'doubling';
      if (k !== 3) return { patch, divide: doubles };
      const { growth, side } = COMPARED[patch].card;
      const stage = growth.kind === 'doubling' ? 4 * growth.seedSide : side;
      const keep = Uint8Array.from({ length: stage * stage }, (_, i) => (i % 5 < 2 ? 0 : 1));
      return { patch, divide: doubles, keep };
    });
    readouts.push(await store.step(steps));
  }
  const states = await store.exportStates(ids);
  await store.close();
  return { readouts, states };
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a).toHaveLength(b.length);
  let most = 0;
  // NaN counts as the largest difference.
  for (let i = 0; i < a.length; i++)
    most = Math.max(most, Math.abs(a[i] - b[i]) || (a[i] === b[i] ? 0 : 1e9));
  return most;
};

describeNeeding('WebGPU', isGpuHere)('on webgpu', () => {
  let [wanted, got]: Awaited<ReturnType<typeof live>>[] = [];
  beforeAll(async () => {
    [wanted, got] = [await live('onnx'), await live('webgpu')];
  });

  test.each(COMPARED.map(({ card }, i) => [card.name, i] as const))('%s', (_, i) => {
    expect(largest(got.states[i], wanted.states[i])).toBeLessThan(1e-4);
    for (const [k, readouts] of wanted.readouts.entries()) {
      const seen = got.readouts[k][i];
      expect(seen.stage).toBe(readouts[i].stage);
      // A value that lies between two bytes may round to either.
      expect(largest(seen.rgba, readouts[i].rgba)).toBeLessThanOrEqual(1);
      expect(largest(seen.presence, readouts[i].presence)).toBeLessThanOrEqual(1);
      expect(Math.abs(seen.change - readouts[i].change)).toBeLessThanOrEqual(2);
    }
  });
});
