/** Compiles the kernel for this machine, once, with the system's C compiler. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOURCES = fileURLToPath(new URL('.', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../.cache/native', import.meta.url));
const COMPILER = 'cc';
/** Of each call of the compiler, ms. */
const PATIENCE = 10_000;
/** Without contraction, multiplications are fused with additions only where the source says so. */
const FLAGS = ['-O3', '-ffp-contract=off', '-fvisibility=hidden', '-fPIC', '-w'];
/** Apple's compiler knows the processor by the second flag only. */
const PROCESSOR = process.arch === 'arm64' ? '-mcpu=native' : '-march=native';
/** Node itself provides Node-API when the add-on is loaded. */
const LINKING =
  process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];

/** Why the kernel cannot be compiled here, as far as that can be told without trying. */
export function missingCompiler(path = process.env.PATH ?? ''): string | undefined {
  if (process.platform === 'win32') return 'it is not for Windows';
  if (process.arch !== 'x64' && process.arch !== 'arm64') return `it is not for ${process.arch}`;
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

/** A compiled kernel. */
export interface CompiledKernel {
  /** An add-on for Node. */
  readonly file: string;
  /** Call it once the add-on is loaded. */
  release(): Promise<void>;
}

/**
 * Compiles the kernel, unless that was done before with the same compiler and processor. Where the
 * cache cannot be written to, it is compiled anew each time.
 *
 * @param cache folder that keeps it
 * @throws Error it does not compile
 */
export async function compileKernel(cache = CACHE): Promise<CompiledKernel> {
  const names = (await readdir(SOURCES)).filter((name) => /\.[ch]$/.test(name)).sort();
  const hash = createHash('sha256');
  for (const name of names) hash.update(await readFile(join(SOURCES, name)));
  hash.update(`${FLAGS} ${LINKING} ${await call(['--version'])} ${processor()}`);
  const name = `${hash.digest('hex').slice(0, 32)}.node`;
  const kept = { file: join(cache, name), release: async () => {} };
  if (await exists(kept.file)) return kept;

  const isWritable = await mkdir(cache, { recursive: true }).then(
    () => access(cache, constants.W_OK).then(() => true, no),
    no,
  );
  // Another thread or server may be compiling it too: only a complete file gets the final name.
  const draft = await mkdtemp(join(isWritable ? cache : tmpdir(), 'vivarium-draft-'));
  const remove = (): Promise<void> => rm(draft, { recursive: true, force: true });
  const file = join(draft, name);
  try {
    const units = names.filter((unit) => unit.endsWith('.c')).map((unit) => join(SOURCES, unit));
    await call([...FLAGS, PROCESSOR, ...LINKING, ...units, '-o', file]);
    if (!isWritable) return { file, release: remove };
    await rename(file, kept.file);
  } catch (error) {
    await remove();
    throw error;
  }
  await remove();
  return kept;
}

/** @returns what it printed @throws Error what it said first, or that it took too long */
async function call(args: readonly string[]): Promise<string> {
  const options = { timeout: PATIENCE, killSignal: 'SIGKILL' } as const;
  try {
    return (await promisify(execFile)(COMPILER, [...args], options)).stdout;
  } catch (error) {
    const { killed, stderr = '' } = error as { killed?: boolean; stderr?: string };
    if (killed) throw new Error(`the C compiler took more than ${PATIENCE / 1000} s`);
    const said = stderr.split('\n').find((line) => /error/.test(line)) ?? stderr;
    throw new Error(
      `the C compiler failed: ${said.trim().split('\n')[0] || (error as Error).message}`,
    );
  }
}

/** What `-march=native` depends on. Models of virtual machines do not tell what they can do. */
function processor(): string {
  const model = `${process.arch} ${cpus()[0]?.model}`;
  try {
    const features = /^(?:flags|Features)\s*:.*$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
    return `${model} ${features?.[0]}`;
  } catch {
    return model;
  }
}

const no = (): boolean => false;
const exists = (file: string): Promise<boolean> => access(file).then(() => true, no);
