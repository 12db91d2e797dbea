/** Which GPUs are here, which engine is selected, and why the others are not. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BACKEND_NAMES,
  type Backend,
  type BackendName,
  StartError,
} from '../../../server/engine/backend.ts';
import {
  autoOrder,
  CANDIDATES,
  type Candidates,
  expectedBackend,
  explain,
  findGpus,
  type GpuVendor,
  NoBackendError,
  notLoaded,
  selectBackend,
  threadsFor,
  withRemedy,
} from '../../../server/engine/choose-backend.ts';
import { EngineError } from '../../../server/engine/engine.ts';
import { isRealGpu } from '../../../server/engine/webgpu/device.ts';
import { suiteFolder } from '../../support/closing.ts';

/** Started backends, in order. */
let started: BackendName[];

beforeEach(() => {
  started = [];
});

type Outcome = 'gpu' | 'cpu' | Error;

/** The real table with given outcomes; backends without one do not start. */
function candidatesWith(outcomes: Partial<Record<BackendName, Outcome>>): Candidates {
  const entries = BACKEND_NAMES.map((name) => {
    const start = async (): Promise<Backend> => {
      started.push(name);
      const outcome = outcomes[name] ?? new Error(`${name} is broken`);
      if (outcome instanceof Error) throw outcome;
      const device = outcome === 'gpu' ? 'GPU (fake)' : 'CPU (fake)';
      return { info: { name, device }, gpu: outcome === 'gpu' } as Backend;
    };
    const { unavailableReason: absent, ...candidate } = CANDIDATES[name];
    return [name, { ...candidate, start }];
  });
  return Object.fromEntries(entries) as Candidates;
}

const select = (
  wanted: BackendName | 'auto',
  candidates: Candidates,
  gpus: readonly GpuVendor[] = [],
) => selectBackend(wanted, async () => {}, { candidates, gpus });

async function refused(wanted: BackendName | 'auto', candidates: Candidates) {
  const error = await select(wanted, candidates).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(NoBackendError);
  return error as NoBackendError;
}

describe('auto', () => {
  test('takes a real GPU first and starts nothing else', async () => {
    const candidates = candidatesWith({ webgpu: 'gpu', tensorflow: 'gpu', onnx: 'cpu' });
    const { backend, skipped } = await select('auto', candidates, ['nvidia']);
    expect(backend.info.device).toBe('GPU (fake)');
    expect(skipped).toEqual([]);
    expect(started).toEqual(['webgpu']);
  });

  test('never takes a driver that emulates a GPU on the CPU', async () => {
    const candidates = candidatesWith({ webgpu: 'cpu', onnx: 'cpu' });
    for (const gpus of [[], ['intel']] as const) {
      const { backend, skipped } = await select('auto', candidates, gpus);
      expect(backend.info.name).toBe('onnx');
      expect(skipped[0].reason).toBe('found no usable GPU, only CPU (fake)');
    }
    // It can still be selected by name.
    const { backend } = await select('webgpu', candidates);
    expect(backend.info.name).toBe('webgpu');
  });

  test('notices a silent fallback to the CPU, and says how to fix it', async () => {
    const candidates = candidatesWith({
      ...{ webgpu: new Error('no libvulkan\n  and a stack'), tensorflow: 'cpu', native: 'cpu' },
    });
    const { backend, skipped } = await select('auto', candidates, ['nvidia']);
    expect(backend.info.name).toBe('native');
    expect(skipped[0]).toMatchObject({ name: 'webgpu', onlyGpu: true, reason: 'no libvulkan' });
    expect(withRemedy(skipped.slice(1)).map(explain)).toEqual([
      `tensorflow on a GPU: found no usable GPU, only CPU (fake) (remedy: ${CANDIDATES.tensorflow.gpu!.remedy})`,
    ]);
  });

  test.each([[[]], [['amd']], [['intel', 'apple']]] as const)(
    'recommends nothing when none of the GPUs (%p) could be used',
    async (gpus) => {
      const candidates = candidatesWith({ onnx: 'cpu' });
      const { skipped } = await select('auto', candidates, gpus);
      const own = skipped.filter(({ name }) => name === 'tensorflow');
      expect(own.map(explain)).toEqual(['tensorflow on a GPU: tensorflow is broken']);
      expect(withRemedy(own)).toEqual([]);
    },
  );

  test('is unavailable when nothing starts, with every reason', async () => {
    const error = await refused('auto', candidatesWith({}));
    expect(error).toBeInstanceOf(EngineError);
    expect(error.reason).toBe('unavailable');
    for (const name of BACKEND_NAMES) expect(error.message).toContain(`${name} is broken`);
    expect(error.skipped).toHaveLength(autoOrder().length);
  });
});

describe('a backend that cannot start here', () => {
  const onlyOnnx = (absent: Partial<Record<BackendName, string>>): Candidates => {
    const all = candidatesWith({ onnx: 'cpu' });
    for (const name of BACKEND_NAMES) {
      Object.assign(all[name], { unavailableReason: () => absent[name] });
    }
    return all;
  };

  test('is skipped without loading it when that is known', async () => {
    const candidates = onlyOnnx({
      ...{ webgpu: 'there is no GPU', tensorflow: 'no native part', native: 'no compiler' },
    });
    const { backend, skipped } = await select('auto', candidates);
    expect(backend.info.name).toBe('onnx');
    expect(skipped.map(explain)).toEqual([
      'webgpu on a GPU: there is no GPU',
      'tensorflow on a GPU: no native part',
      `native: no compiler (remedy: ${CANDIDATES.native.remedy})`,
    ]);
    expect(started).toEqual(['onnx']);
  });

  test('which one will be selected is known unless it may be a GPU', () => {
    const gone = 'gone';
    const expected = (wanted: BackendName | 'auto', absent: Partial<Record<BackendName, string>>) =>
      expectedBackend(wanted, onlyOnnx(absent));
    expect(expected('auto', { webgpu: gone, tensorflow: gone })).toBe('native');
    expect(expected('auto', { webgpu: gone, tensorflow: gone, native: gone })).toBe('onnx');
    expect(expected('auto', { tensorflow: gone })).toBeUndefined();
    expect(expected('auto', { webgpu: gone })).toBeUndefined();
    expect(expected('onnx', {})).toBe('onnx');
    expect(expected('onnx', { onnx: gone })).toBeUndefined();
    expect([threadsFor('native'), threadsFor('webgpu')]).toEqual([threadsFor('onnx'), 1]);
  });
});

test('a backend that was chosen by name and does not start is unavailable, with its remedy', async () => {
  const absent = Object.assign(new Error("Cannot find package 'steam' imported from backend"), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
  const error = await refused('onnx', candidatesWith({ onnx: absent, native: 'cpu' }));
  expect(started).toEqual(['onnx']);
  expect(error.message).toBe(
    'engine: unavailable: onnx: the package steam is not installed (remedy: run npm ci)',
  );
  const locked = new StartError('it is locked', 'unlock it');
  const { message } = await refused('native', candidatesWith({ native: locked }));
  expect(message).toContain('native: it is locked (remedy: unlock it)');
});

test.each([
  ['linux', 'x64', undefined, 'ONNX Runtime has no library for linux on x64 without glibc'],
  ['linux', 'arm', '2.36', 'ONNX Runtime has no library for linux on arm'],
  ['freebsd', 'x64', undefined, 'ONNX Runtime has no library for freebsd on x64'],
  ['linux', 'x64', '2.36', 'it is broken'],
] as const)('on %s, %s, with glibc %s: %s', (platform, arch, glibcVersionRuntime, reason) => {
  const report = { getReport: () => ({ header: { glibcVersionRuntime } }) } as never;
  const load = () => notLoaded(new Error('it is broken'), { platform, arch, report });
  expect(load).toThrow(reason);
});

const folder = suiteFolder();

test.each<[string, Record<string, Record<string, string>>, GpuVendor[]]>([
  [
    'display controllers of vendors that make them, each vendor once',
    {
      '0000:00:00.0': { vendor: '0x8086', class: '0x060000' },
      '0000:01:00.0': { vendor: '0x10de', class: '0x030000' },
      '0000:02:00.0': { vendor: '0x10de', class: '0x030200' },
      '0000:03:00.0': { vendor: '0x1002', class: '0x038000' },
    },
    ['amd', 'nvidia'],
  ],
  [
    'none of a virtual machine’s display adapters',
    { '0000:00:02.0': { vendor: '0x1234', class: '0x030000' }, '0000:00:03.0': {} },
    [],
  ],
])('GPUs are %s', (name, slots, wanted) => {
  const devices = join(folder, name);
  for (const [slot, facts] of Object.entries(slots)) {
    mkdirSync(join(devices, slot), { recursive: true });
    for (const [file, value] of Object.entries(facts))
      writeFileSync(join(devices, slot, file), `${value}\n`);
  }
  expect(findGpus('linux', devices).sort()).toEqual(wanted);
});

test('nothing is found where devices are not listed, except on a Mac, which has a GPU', () => {
  expect(findGpus('linux', join(folder, 'nowhere'))).toEqual([]);
  expect(findGpus('win32')).toEqual([]);
  expect(findGpus('darwin')).toEqual(['apple']);
});

test.each([
  ['llvmpipe (LLVM 15.0.6, 256 bits)', '', false],
  ['SwiftShader Device (Subzero)', 'swiftshader', false],
  ['', 'swiftshader', false],
  ['Microsoft Basic Render Driver', '', false],
  ['NVIDIA H100 80GB HBM3', 'hopper', true],
  ['AMD Radeon RX 7900 XTX (RADV NAVI31)', 'rdna-3', true],
  ['', '', true],
])('whether "%s" (%s) is a GPU: %p', (description, architecture, isReal) => {
  expect(isRealGpu({ description, architecture, isFallbackAdapter: false })).toBe(isReal);
  expect(isRealGpu({ description, architecture, isFallbackAdapter: true })).toBe(false);
});
