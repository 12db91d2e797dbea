/** The compiled kernel: its read-outs, and how it is compiled. */
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readerOf } from '../../../../server/engine/core/patch-store.ts';
import { compileKernel, compilerRemedy } from '../../../../server/engine/native/compile.ts';
import { loadKernel, prepareNative, startNative } from '../../../../server/engine/native/native.ts';
import fc, { forRuns } from '../../../support/property.ts';
import { tinyModel } from '../../vnca/tiny-model.ts';
import { CONTRACT_MODELS } from '../support.ts';
import { testNative } from './support.ts';

const GENOME = CONTRACT_MODELS.find(({ card }) => card.name === 'genome')!;

const READOUTS = [
  { readout: { kind: 'rgba-premultiplied', channels: [0, 1, 2, 3] } },
  { readout: { kind: 'rgba-premultiplied', channels: [5, 0, 2, 4] }, presence: { channel: 1 } },
  { readout: { kind: 'bernoulli', channel: 2 }, presence: {} },
  { readout: { kind: 'bernoulli', channel: 0 }, presence: { channel: 3 } },
  { readout: { kind: 'bernoulli', channel: 1 }, presence: { channel: 0 } },
];

/** Numbers around every edge of a byte, and those that are none. */
const number = fc.oneof(
  fc.float(),
  fc.float({ min: -8, max: 8 }),
  fc.integer({ min: -2, max: 257 }).map((byte) => Math.fround((byte - 0.5) / 255)),
  fc.constantFrom(0, -0, 1, 6.25, -6.25),
);

testNative.each(READOUTS)('it reads out byte for byte as in JavaScript: %j', async (fields) => {
  const model = tinyModel({ ...fields, presence: { threshold: 0.1, ...fields.presence } });
  const rule = await (await startNative()).load(model);
  const reference = readerOf(model.card, false);
  const cells = 16;
  const cell = fc.oneof(
    fc.constant(new Array<number>(model.card.channels).fill(0)),
    fc.array(number, { minLength: model.card.channels, maxLength: model.card.channels }),
  );
  forRuns(300, fc.array(cell, { minLength: cells, maxLength: cells }), (numbers) => {
    const state = Float32Array.from(numbers.flat());
    const [ours, wanted] = [rule.read!, reference].map((read) => {
      const [rgba, presence] = [new Uint8Array(4 * cells), new Uint8Array(cells)];
      return { isFinite: read(state, rgba, presence), rgba, presence };
    });
    expect(ours).toEqual(wanted);
  });
});

testNative('numbers that do not fit the net are refused before anything is read', async () => {
  const rule = await (await startNative()).load(tinyModel());
  const states = new Float32Array(4 * 6);
  const batch = { count: 1, stage: 2, states, after: states.slice() };
  for (const bad of [{ count: 2 }, { stage: 32 }, { after: states.slice(1) }]) {
    expect(() => rule.step({ ...batch, ...bad })).toThrow('length does not fit');
  }
  expect(() => rule.read!(states, new Uint8Array(16), new Uint8Array(5))).toThrow(
    'length does not fit',
  );
  // Of chimeras: genomes too many, weights of too few cells, patches beside it, and no genomes.
  const { channels, latentSize } = GENOME.card;
  const reading = await (await startNative()).load(GENOME);
  const row = reading.condition!(new Float32Array(latentSize));
  const of = (genomes: number, patches = 1) => ({
    ...{ count: patches, stage: 2, states: new Float32Array(4 * channels * patches) },
    ...{ after: new Float32Array(4 * channels * patches), weights: new Float32Array(4 * genomes) },
    conditioning: new Float32Array(genomes * row.length),
  });
  expect(() => reading.step(of(4))).not.toThrow();
  const { conditioning, ...none } = of(2);
  for (const bad of [of(5), { ...of(2), weights: new Float32Array(7) }, of(2, 2), none]) {
    expect(() => reading.step(bad)).toThrow('length does not fit');
  }
});

describe('compiling', () => {
  /** Compiles soonest. */
  const processor = '-O0';
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vivarium-native-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  testNative('two at once leave one whole file, which the next one finds', async () => {
    const cache = join(folder, 'cache');
    const made = await Promise.all([
      compileKernel({ cache, processor }),
      compileKernel({ cache, processor }),
    ]);
    const found = await compileKernel({ cache, processor });
    expect(found.isNew).toBe(false);
    expect(made.map(({ file }) => file)).toEqual([found.file, found.file]);
    expect(await readdir(cache)).toHaveLength(1);
  });

  testNative(
    'where the cache cannot be written to, it is kept in a folder of this user',
    async () => {
      const [cache, spare] = [join(folder, 'cache'), join(folder, 'spare')];
      await writeFile(cache, 'no folder');
      const { file } = await compileKernel({ cache, spare, processor });
      expect(dirname(file)).toBe(spare);
      expect(await compileKernel({ cache, spare, processor })).toEqual({ file, isNew: false });
      await chmod(spare, 0o777);
      await expect(compileKernel({ cache, spare, processor })).rejects.toMatchObject({
        name: 'StartError',
        remedy: `let the server write to ${cache}`,
      });
    },
  );

  testNative('threads are told why the kernel could not be prepared, and do not try', async () => {
    const file = join(folder, 'no folder');
    await writeFile(file, '');
    await prepareNative({ cache: file, spare: file });
    await expect(startNative()).rejects.toMatchObject({
      name: 'StartError',
      remedy: `let the server write to ${file}`,
    });
    await prepareNative();
    expect((await startNative()).info.name).toBe('native');
  });

  testNative('a kept file that does not load is compiled once more', async () => {
    const cache = join(folder, 'cache');
    const { file } = await compileKernel({ cache, processor });
    await writeFile(file, 'what a power cut has left');
    const kernel = { step: expect.any(Function) };
    expect(await loadKernel({ cache, processor })).toMatchObject({ kernel, file });
    expect(await compileKernel({ cache, processor })).toEqual({ file, isNew: false });
  });
});

test('a compiler is recommended only where it helps, by the command of the system', () => {
  expect(compilerRemedy('win32')).toBeUndefined();
  expect(compilerRemedy('darwin')).toContain('xcode-select');
  expect(compilerRemedy('linux')).toContain('apt-get');
});
