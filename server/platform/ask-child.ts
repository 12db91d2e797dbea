/** Asks a process of its own, so that a crash or a hang of a native library ends only that process. */
import { type ForkOptions, fork } from 'node:child_process';

/**
 * Starts a module, whose only message is the answer, and kills it afterwards. What it prints is
 * discarded.
 *
 * @param options.patience time to wait for the answer, ms; absent: for ever
 * @throws Error how it failed: 'no answer in 3 s', 'its process ended with SIGSEGV'
 */
export async function askChild<T>(
  module: URL,
  args: readonly string[],
  { patience, ...options }: ForkOptions & { readonly patience?: number } = {},
): Promise<T> {
  const child = fork(module, args, { ...options, silent: true });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      const fail = (how: string): void => reject(new Error(how));
      if (patience) timer = setTimeout(fail, patience, `no answer in ${patience / 1000} s`);
      child.on('message', (answer) => resolve(answer as T));
      child.on('error', reject);
      child.on('exit', (code, signal) =>
        fail(`its process ended with ${signal ?? `code ${code}`}`),
      );
    });
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}
