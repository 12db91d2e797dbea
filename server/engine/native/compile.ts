/**
 * Finds or builds the native kernel for this machine. A release contains prebuilt kernels. If none
 * of them fits the machine, the kernel is compiled with the system's C compiler and cached.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { access, lstat, mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isInstalled, ROOT } from '../../platform/installation.ts';
import { StartError } from '../backend.ts';

const SOURCES = fileURLToPath(new URL('.', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../.cache/native', import.meta.url));
/**
 * Folder for compiled kernels if `CACHE` is not writable. Code is loaded from this folder, so other
 * users must have no access to it.
 */
const SPARE = join(tmpdir(), `vivarium-native-${process.getuid?.()}`);
const COMPILER = 'cc';
/** Maximum time for a run of the compiler, in ms. */
const PATIENCE = 180_000;
/**
 * Compiler flags. With `-ffp-contract=off`, the compiler does not replace a multiplication and an
 * addition with one fused operation.
 */
const FLAGS = ['-O3', '-ffp-contract=off', '-fvisibility=hidden', '-fPIC', '-w'];
/**
 * Compiler flag that optimises for this machine's processor. For ARM64, Apple's compiler supports
 * only `-mcpu`.
 */
const PROCESSOR = process.arch === 'arm64' ? '-mcpu=native' : '-march=native';
/**
 * Linker flags. They allow undefined symbols, because Node defines the functions of Node-API when
 * it loads the add-on.
 */
const LINKING =
  process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];

/**
 * Returns advice on how to install a C compiler; undefined if the kernel does not support this
 * system.
 */
export function compilerRemedy(platform: NodeJS.Platform = process.platform): string | undefined {
  if (!isFor(platform, process.arch)) return undefined;
  const command =
    platform === 'darwin'
      ? 'xcode-select --install'
      : 'apt-get install gcc libc6-dev (Alpine: apk add build-base)';
  return `install a C compiler: ${command}`;
}

const isFor = (platform: NodeJS.Platform, arch: string): boolean =>
  platform !== 'win32' && ['x64', 'arm64', 'arm'].includes(arch);

/**
 * Returns why the kernel cannot be compiled on this machine; undefined if no reason is known. Does
 * not run the compiler.
 */
export function missingCompiler(path = process.env.PATH ?? ''): string | undefined {
  const { platform, arch } = process;
  if (!isFor(platform, arch)) return `it does not support ${platform} on ${arch}`;
  const isThere = path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, COMPILER), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  return isThere ? undefined : 'no C compiler was found';
}

const sources = (): string[] =>
  readdirSync(SOURCES)
    .filter((name) => /\.[ch]$/.test(name))
    .sort()
    .map((name) => join(SOURCES, name));

const unitsOf = (): string[] => sources().filter((file) => file.endsWith('.c'));

/**
 * Compiles the kernel, unless the cache already holds a kernel for the same compiler and processor.
 *
 * @param folders.cache folder for compiled kernels
 * @param folders.spare folder to use if `cache` is not writable; created if it does not exist. Only
 * this user may have access to it
 * @param folders.processor compiler flag for the target processor. Default: this machine's
 * processor
 * @returns the file of the add-on for Node, and whether this call compiled it
 * @throws StartError if the kernel cannot be compiled, or if neither folder can be used
 */
export async function compileKernel({
  cache = CACHE,
  spare = SPARE,
  processor = PROCESSOR,
} = {}): Promise<{
  readonly file: string;
  readonly isNew: boolean;
}> {
  const version = await callCompiler(['--version']);
  const hash = createHash('sha256');
  for (const file of sources()) hash.update(readFileSync(file));
  hash.update(`${FLAGS} ${processor} ${LINKING} ${version} ${features()}`);
  const name = `${hash.digest('hex').slice(0, 32)}.node`;
  if (existsSync(join(cache, name))) return { file: join(cache, name), isNew: false };
  const folder = await mkdir(cache, { recursive: true })
    .then(() => access(cache, constants.W_OK))
    .then(
      () => cache,
      () => ownFolder(spare, cache),
    );
  const file = join(folder, name);
  if (existsSync(file)) return { file, isNew: false };

  // Compile to a temporary folder, because another thread or server may look for `file` at the same
  // time.
  const draft = await mkdtemp(join(folder, 'draft-'));
  try {
    const made = join(draft, name);
    await callCompiler([...FLAGS, processor, ...LINKING, ...unitsOf(), '-o', made]);
    // Write the content to disk before renaming the file. Otherwise, a power failure could leave an
    // empty file with the final name, and loading it would crash the process.
    const handle = await open(made, 'r+');
    await handle.sync().finally(() => handle.close());
    await rename(made, file);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return { file, isNew: true };
}

/**
 * Creates a folder if it does not exist, and checks that only this user has access to it.
 *
 * @throws StartError if the folder cannot be created, or if other users have access to it
 */
async function ownFolder(folder: string, instead: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => {});
  const found = await lstat(folder).catch(() => undefined);
  const isOwn = found?.isDirectory() && found.uid === process.getuid?.() && !(found.mode & 0o077);
  if (isOwn) return folder;
  const text = `the server cannot write to ${instead}, and ${folder} is not a private folder of the server's user`;
  throw new StartError(text, `let the server write to ${instead}`);
}

/**
 * Runs the C compiler and returns its standard output.
 *
 * @throws StartError with the compiler's first error message, or if the compiler takes too long
 */
async function callCompiler(args: readonly string[], compiler = COMPILER): Promise<string> {
  const options = { timeout: PATIENCE, killSignal: 'SIGKILL' } as const;
  try {
    return (await promisify(execFile)(compiler, [...args], options)).stdout;
  } catch (error) {
    const { killed, stderr = '' } = error as { killed?: boolean; stderr?: string };
    if (killed) throw new StartError(`the C compiler took more than ${PATIENCE / 1000} s`);
    const said = stderr.split('\n').find((line) => /error/.test(line)) ?? stderr;
    const first = said.trim().split('\n')[0] || (error as Error).message;
    throw new StartError(`the C compiler failed: ${first}`, compilerRemedy());
  }
}

/**
 * Describes the processor's features, on which the output of `-march=native` depends. The
 * processor's model is not enough, because a virtual machine may hide some features.
 */
function features(): string {
  const model = `${process.arch} ${cpus()[0]?.model}`;
  try {
    const found = /^(?:flags|Features)\s*:.*$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
    return `${model} ${found?.[0]}`;
  } catch {
    return model;
  }
}

/**
 * Folder of a release's prebuilt kernels. Undefined in a clone of the repository, where prebuilt
 * kernels may be older than the sources.
 */
const FOLDER = isInstalled ? join(ROOT, 'dist/kernels') : undefined;

const AVX2 = ['avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe'];
const AVX512 = ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'];

interface Target {
  readonly arch: NodeJS.Architecture;
  /** Command of the compiler for this target on Debian. */
  readonly compiler: string;
  readonly processor: string;
  /** Processor features that the kernel needs, by their names in /proc/cpuinfo. */
  readonly features: readonly string[];
}

const x64 = { arch: 'x64', compiler: 'x86_64-linux-gnu-gcc' } as const;

/**
 * The targets of a release's prebuilt kernels, all for Linux. Faster targets come before slower
 * ones.
 */
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
 * Compiles a kernel for a release. The kernel uses the C library that Node has loaded, so it works
 * on old systems, too.
 *
 * @param target a key of `TARGETS`
 * @returns the path of the compiled file
 * @throws StartError if the kernel cannot be compiled
 */
export async function buildKernel(target: string, folder: string): Promise<string> {
  const { compiler, processor } = TARGETS[target];
  const linking = ['-shared', '-nodefaultlibs', '-s'];
  const file = join(folder, `${target}.node`);
  await callCompiler([...FLAGS, processor, ...linking, ...unitsOf(), '-o', file], compiler);
  return file;
}

/** Returns the path of the best prebuilt kernel for this machine; undefined if none fits. */
export function findPrebuilt(folder = FOLDER): string | undefined {
  if (process.platform !== 'linux' || folder === undefined) return undefined;
  const [, flags = ''] = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
  const here = new Set(flags.split(' '));
  return Object.entries(TARGETS)
    .filter(({ 1: { arch } }) => arch === process.arch)
    .filter(({ 1: { features } }) => features.every((feature) => here.has(feature)))
    .map(([target]) => join(folder, `${target}.node`))
    .find((file) => existsSync(file));
}

/**
 * Returns why there can be no kernel for this machine; undefined if no reason is known. Does not
 * run the compiler.
 */
export const missingKernel = (): string | undefined =>
  findPrebuilt() === undefined ? missingCompiler() : undefined;
