/**
 * Kernels that were compiled in advance. Releases contain them, so hosts need no compiler.
 * `npm run kernels` compiles them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled, ROOT } from '../../platform/installation.ts';
import { callCompiler, FLAGS, missingCompiler, unitsOf } from './compile.ts';

/** Folder in which a release has the kernels. In a clone, its kernels may be of older sources. */
const FOLDER = isInstalled ? join(ROOT, 'dist/kernels') : undefined;

const AVX2 = ['avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe'];
const AVX512 = ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'];

interface Target {
  readonly arch: NodeJS.Architecture;
  /** Compiler, as Debian names it on every machine. */
  readonly compiler: string;
  readonly processor: string;
  /** What the processor must have, as Linux names it in /proc/cpuinfo. */
  readonly features: readonly string[];
}

const x64 = { arch: 'x64', compiler: 'x86_64-linux-gnu-gcc' } as const;

/** Kinds of processors, all with Linux. The first that fits a machine is the fastest there. */
export const TARGETS: Readonly<Record<string, Target>> = {
  avx512: { ...x64, processor: '-march=x86-64-v4', features: [...AVX2, ...AVX512] },
  avx2: { ...x64, processor: '-march=x86-64-v3', features: AVX2 },
  arm64: {
    arch: 'arm64',
    compiler: 'aarch64-linux-gnu-gcc',
    processor: '-march=armv8-a',
    features: [],
  },
};

/**
 * Compiles the kernel for a kind of processor. The file refers to no version of the C library, so
 * it loads with old ones, too: whatever Node itself has loaded serves it.
 *
 * @param target a key of `TARGETS`
 * @returns the file
 * @throws StartError if it does not compile
 */
export async function buildKernel(target: string, folder: string): Promise<string> {
  const { compiler, processor } = TARGETS[target];
  const linking = ['-shared', '-nodefaultlibs', '-s'];
  const file = join(folder, `${target}.node`);
  await callCompiler([...FLAGS, processor, ...linking, ...unitsOf(), '-o', file], compiler);
  return file;
}

/** Returns the features of this machine's processor, as Linux names them. */
function featuresHere(): ReadonlySet<string> {
  const [, found = ''] = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
  return new Set(found.split(' '));
}

/** Returns the file of the best prebuilt kernel for this machine; undefined if there is none. */
export function findPrebuilt(folder = FOLDER): string | undefined {
  if (process.platform !== 'linux' || folder === undefined) return undefined;
  const here = featuresHere();
  return Object.entries(TARGETS)
    .filter(({ 1: { arch } }) => arch === process.arch)
    .filter(({ 1: { features } }) => features.every((feature) => here.has(feature)))
    .map(([target]) => join(folder, `${target}.node`))
    .find((file) => existsSync(file));
}

/** Returns why there is no kernel for this machine, as far as known without trying. */
export const missingKernel = (): string | undefined =>
  findPrebuilt() === undefined ? missingCompiler() : undefined;
