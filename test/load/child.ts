/** Processes of the load tool: started on cores of their own, asked, and told to end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Asked {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

/** One process, seen from the one that started it. */
export class Child<Question, Note> {
  private readonly waiting = new Map<number, Asked>();
  private readonly ended: Promise<void>;
  private nextId = 1;
  private hasEnded = false;
  onNote: (note: Note) => void = () => {};

  private constructor(
    private readonly name: string,
    private readonly process: ChildProcess,
  ) {
    process.on('message', (message: { id?: number; answer?: never; note?: Note }) => {
      if (message.id === undefined) this.onNote(message.note!);
      else {
        this.waiting.get(message.id)?.resolve(message.answer!);
        this.waiting.delete(message.id);
      }
    });
    this.ended = new Promise((resolve) => {
      process.once('exit', (code, signal) => {
        this.hasEnded = true;
        const error = new Error(`the process ${name} has ended with ${signal ?? code}`);
        for (const { reject } of this.waiting.values()) reject(error);
        this.waiting.clear();
        resolve();
      });
    });
  }

  /**
   * @param file a module of this folder, or the URL of one
   * @param cores as `taskset -c` takes them; undefined: any
   */
  static start<Question, Note>(
    file: string | URL,
    argument: unknown,
    cores?: string,
  ): Child<Question, Note> {
    const path = fileURLToPath(new URL(file, import.meta.url));
    const node = [process.execPath, '--expose-gc', ...process.execArgv, path];
    const [command, ...args] = [...(cores === undefined ? [] : ['taskset', '-c', cores]), ...node];
    // A single argument has at most 128 KiB on Linux.
    const text = JSON.stringify(argument).match(/.{1,30000}/gs)!;
    const child = spawn(command, [...args, ...text], {
      serialization: 'advanced',
      // Standard output is for figures alone.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    return new Child(`${file}`, child);
  }

  /** @throws Error the process has ended before it answered */
  ask<Answer>(question: Question): Promise<Answer> {
    const id = this.nextId++;
    return new Promise<Answer>((resolve, reject) => {
      if (this.hasEnded) reject(new Error(`the process ${this.name} has ended`));
      this.waiting.set(id, { resolve, reject });
      this.process.send({ id, question });
    });
  }

  async stop(): Promise<void> {
    if (!this.hasEnded) this.process.kill();
    await this.ended;
  }
}

/** What the process that started this one has given it. */
export const startArgument = <Argument>(): Argument =>
  JSON.parse(process.argv.slice(2).join('')) as Argument;

/** Answers the questions of the process that started this one; ends with it. */
export function answerParent<Question>(answer: (question: Question) => unknown): void {
  process.on('message', async ({ id, question }: { id: number; question: Question }) => {
    process.send!({ id, answer: await answer(question) });
  });
  process.on('disconnect', () => process.exit());
}

/** Tells the process that started this one. */
export function noteParent(note: unknown): void {
  process.send?.({ note });
}
