/** Child processes: a server that tests can stop and kill, and scripts of package.json. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class ServerProcess {
  output = '';
  errors = '';
  private readonly listeners = new Set<() => void>();

  /** Its end. */
  readonly ended: Promise<Ended>;

  /**
   * @param before a shell's words, before the server takes its place
   * @param folder which the server is started from
   */
  constructor(args: readonly string[], before = '', folder = root) {
    const command = [process.execPath, 'server/start.mjs', ...args];
    const options = { cwd: folder } as const;
    this.child = before
      ? spawn('bash', ['-c', `${before}; exec "$@"`, 'bash', ...command], options)
      : spawn(command[0], command.slice(1), options);
    this.child.stdout!.on('data', (chunk) => this.hear('output', chunk));
    this.child.stderr!.on('data', (chunk) => this.hear('errors', chunk));
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        resolve({ code, signal });
        this.hear('output', '');
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
    let over = false;
    void this.ended.then(() => {
      over = true;
    });
    while (!words.test(this.output + this.errors)) {
      if (over) throw new Error(`the server ended: ${this.output}${this.errors}`);
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          this.listeners.delete(listener);
          resolve();
        };
        this.listeners.add(listener);
      });
      await Promise.resolve();
    }
  }

  /** Ends it; nothing can be done about `SIGKILL`. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }

  private hear(where: 'output' | 'errors', chunk: unknown): void {
    this[where] += chunk;
    for (const listener of [...this.listeners]) listener();
  }
}

export interface ScriptRun {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** `npm run <name> -- <args>`, until it ends. */
export function runScript(
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<ScriptRun> {
  const child = spawn('npm', ['run', '--silent', name, '--', ...args], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, output, errors }));
  });
}
