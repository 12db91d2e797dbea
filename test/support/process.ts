/** Child processes: a server that tests can stop, kill and limit, and scripts of package.json. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
// @ts-expect-error It is JavaScript, without declarations.
import { BUNDLE } from '../../server/launch/worker-entry.mjs';
import { Changes } from './waiting.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Settings by the names of their flags, without dashes. */
export type ServerSettings = Readonly<Record<string, string | number | undefined>>;

/** Returns the flags of all settings that are not undefined. */
export const flagsOf = (settings: ServerSettings): string[] =>
  Object.entries(settings).flatMap(([flag, value]) =>
    value === undefined ? [] : [`--${flag}`, `${value}`],
  );

/**
 * Starts a server from a folder: these sources, or another in which the package is installed. Of
 * these sources, tests have a bundle already: `start.mjs` would hash them all to find it, hundreds
 * of times.
 */
function commandIn(folder: string): readonly string[] {
  if (folder !== root) return ['node_modules/.bin/vivarium'];
  const bundle = process.env[BUNDLE];
  return bundle === undefined
    ? ['server/start.mjs']
    : ['--enable-source-maps', join(bundle, 'main.mjs')];
}

/** Those that have not ended. */
const running = new Set<ChildProcess>();

// Nobody else ends the server of a test that failed. Benches have no tests, and end theirs.
if (typeof afterAll === 'function') {
  afterAll(() => {
    for (const child of running) child.kill('SIGKILL');
  });
}

export class ServerProcess {
  output = '';
  errors = '';
  private readonly changes = new Changes();
  private hasEnded = false;

  /** Its end. */
  readonly ended: Promise<Ended>;

  /**
   * @param before a shell's words, before the server takes its place
   * @param folder which the server is started from
   */
  constructor(args: readonly string[], before = '', folder = root) {
    const command = [process.execPath, ...commandIn(folder), ...args];
    const options = { cwd: folder } as const;
    this.child = before
      ? spawn('bash', ['-c', `${before}; exec "$@"`, 'bash', ...command], options)
      : spawn(command[0], command.slice(1), options);
    running.add(this.child);
    this.child.stdout!.on('data', (chunk) => this.hear('output', chunk));
    this.child.stderr!.on('data', (chunk) => this.hear('errors', chunk));
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        this.hasEnded = true;
        running.delete(this.child);
        resolve({ code, signal });
        this.changes.changed();
      });
    });
  }

  readonly child: ChildProcess;

  /** Waits until it is alive. @returns its port @throws Error it ended before */
  async alive(): Promise<number> {
    await this.says(/localhost:(\d+)\/r/);
    return Number(/localhost:(\d+)\/r/.exec(this.output)![1]);
  }

  /** Waits until it has said something. @throws Error it ended before */
  async says(words: RegExp): Promise<void> {
    const isSaid = () => words.test(this.output + this.errors);
    await this.changes.until(() => isSaid() || this.hasEnded);
    if (!isSaid()) throw new Error(`the server ended: ${this.output}${this.errors}`);
  }

  /** Waits for the host's token, which a first start shows. */
  async hostToken(): Promise<string> {
    const shown = /host's token, shown only once: ([\w-]+)/;
    await this.says(shown);
    return shown.exec(this.output)![1];
  }

  /** Ends it; nothing can be done about `SIGKILL`. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }

  private hear(where: 'output' | 'errors', chunk: unknown): void {
    this[where] += chunk;
    this.changes.changed();
  }
}

export interface ScriptRun {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/**
 * Collects what a process prints until it ends.
 *
 * @param whenSaid is called with all that it has printed so far
 */
export function collected(
  child: ChildProcess,
  whenSaid: (said: { output: string; errors: string }) => void = () => {},
): Promise<ScriptRun> {
  const said = { output: '', errors: '' };
  for (const [stream, where] of [
    [child.stdout, 'output'],
    [child.stderr, 'errors'],
  ] as const) {
    stream!.on('data', (chunk) => {
      said[where] += chunk;
      whenSaid(said);
    });
  }
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, ...said }));
  });
}

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

/** Environment of a script whose threads start from the bundle: from the sources each would take long to start. */
export const FROM_BUNDLE: Readonly<Record<string, string>> = { [BUNDLE]: process.env[BUNDLE]! };

/** What `npm run <name> -- <args>` runs, until it ends; from the sources, without npm's own start. */
export const runScript = (
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<ScriptRun> =>
  collected(
    spawn('sh', ['-c', `${scripts[name]} "$@"`, name, ...args], {
      cwd: root,
      env: {
        ...process.env,
        PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`,
        [BUNDLE]: undefined,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
