/** Options, messages, signals and errors that all training commands share. */
import { COMPUTE_NAMES, type Compute } from '../autodiff/compute.ts';
import { createCompute } from '../autodiff/create.ts';
import type { Options } from '../settings/command-line.ts';
import { runCommand } from '../settings/document.ts';
import { oneOf, wholeNumber } from '../settings/server-types.ts';

/** Positional argument of commands that read a checkpoint. */
export const CHECKPOINT_FOLDER = {
  key: 'folder',
  noun: 'checkpoint folder',
  help: 'folder of a checkpoint, with card.json and model.safetensors',
} as const;

/** Options of all commands that run a model. */
export const COMPUTE_OPTIONS = {
  backend: {
    value: 'NAME',
    type: oneOf(['auto', ...COMPUTE_NAMES]),
    default: 'auto',
    help: `back end that computes: ${COMPUTE_NAMES.join(', ')} or auto. auto uses a real GPU if the machine has one. Without a GPU, auto uses native, or onnx if native cannot run`,
  },
  threads: {
    type: wholeNumber(1),
    defaultInWords: 'all',
    help: 'number of CPU threads for the back ends native and onnx',
  },
} as const;

/** Prints a line to standard error. Standard output is reserved for results. */
export const say = (line: string): void => void process.stderr.write(`${line}\n`);

export const openCompute = (
  backend: Parameters<typeof createCompute>[0],
  threads: number | undefined,
): Promise<Compute> =>
  createCompute(backend, { threads, onSkip: (reason) => say(`back end not used: ${reason}`) });

/**
 * Runs a command and prints its error, if any. Errors with a `reason` are expected, so they are
 * printed without their stack.
 *
 * @param name name of the command, printed before the error message
 */
export async function runTool<O extends Options, K extends string = never>(
  name: string,
  ...command: Parameters<typeof runCommand<O, K>>
): Promise<void> {
  await runCommand(...command).catch((error: unknown) => {
    const { message, stack } = error as Error;
    const isKnown = error instanceof Error && 'reason' in error;
    process.stderr.write(`${name}: ${isKnown ? message : (stack ?? error)}\n`);
    process.exitCode = 1;
  });
}

/**
 * Formats a duration: in seconds below 90 s, in minutes below 90 min, else in hours and minutes.
 */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Runs an operation called `what` and prints how long it took. */
export type Measure = <T>(what: string, run: () => Promise<T>) => Promise<T>;

export const measure: Measure = async (what, run) => {
  const started = performance.now();
  const result = await run();
  say(`${what}: done in ${duration((performance.now() - started) / 1000)}`);
  return result;
};

/**
 * Time after a stop signal, in ms, during which another signal counts as the same Ctrl-C. npm may
 * forward one Ctrl-C twice.
 */
const SAME_SIGNAL = 1_000;

/** Says whether a signal has asked the process to stop. */
export interface StopSignal {
  isAsked(): boolean;
}

/**
 * Listens for SIGINT and SIGTERM. After the first signal, `isAsked` returns true; a second signal
 * ends the process immediately.
 */
export function listenForStop(): StopSignal {
  let askedAt: number | undefined;
  const stop = (): void => {
    if (askedAt !== undefined && performance.now() - askedAt > SAME_SIGNAL) process.exit(130);
    if (askedAt !== undefined) return;
    askedAt = performance.now();
    say('\nstopping after this update; press Ctrl-C again to quit immediately');
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return { isAsked: () => askedAt !== undefined };
}
