/**
 * Makes films of rooms, one at a time, each in a separate process. Keeps the latest films for
 * download. Each picture is also stored as a file, so that pages can show any moment of a film.
 */
import { type ChildProcess, fork as forkProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Response } from 'express';
import type { Planes } from '../../shared/codec/chunks.ts';
import type { CallBody } from '../../shared/host/api.ts';
import { HostRefusal, type JobReason } from '../../shared/host/reasons.ts';
import type { JobState } from '../../shared/host/state.ts';
import type { FilmTimes } from '../../shared/time-points.ts';
import type { BackendName } from '../engine/backend.ts';
import { type Clock, localTime } from '../platform/clock.ts';
import { getOrAdd } from '../platform/collections.ts';
import { Mutex } from '../platform/queues.ts';
import type { When } from '../replay/journal-range.ts';
import type { PictureWriter } from '../replay/run-replay.ts';

export const FILMS = {
  /** Pictures per second. */
  rate: 15,
  /** Minimum length of a picture's shorter side, in pixels. */
  side: 480,
  /** Maximum number of finished films to keep. */
  kept: 4,
  /** Default length of a film, in seconds. */
  seconds: 20,
} as const;

/** Tells the film process which film to make. */
export interface FilmOrder extends Pick<CallBody<'timelapse'>, 'kind'> {
  /** Where rooms are stored: the data folder, or the Valkey URL of the cluster. */
  readonly records: { readonly folder: string } | { readonly cluster: string };
  readonly room: string;
  readonly checkpoint: string;
  readonly engine: BackendName | 'auto';
  readonly from: When;
  readonly to?: When;
  /** When the host requested the film (wall clock, ms). */
  readonly now: number;
  /** Maximum length of the film, in seconds. */
  readonly seconds: number;
  readonly out: string;
}

/**
 * Messages from the film process. The first contains the time at which the film begins (wall clock,
 * ms), the times of its pictures, and the number of pictures. Each of the next messages contains
 * the progress (0 to 1) and the number of pictures made so far. The last one says whether the film
 * was made.
 */
export type FilmNews =
  | { readonly from: number | null; readonly times?: FilmTimes; readonly total: number }
  | { readonly progress: number; readonly frames: number }
  | { readonly done: true; readonly frames: number }
  | { readonly error: JobReason; readonly message: string };

/**
 * Returns the path of a picture's file. The file contains the cells' RGBA pixels and then the
 * cells' owners, gzipped.
 */
const frameFile = (film: string, index: number): string => join(`${film}.frames`, `${index}`);

/**
 * Creates a writer that stores each picture in a separate file and passes the picture on to
 * `pictures`.
 *
 * @param film path of the film's file
 */
export function withFrames(
  film: string,
  pictures: PictureWriter,
): PictureWriter & { readonly count: number } {
  let count = 0;
  return {
    get count() {
      return count;
    },
    async add(planes, tick, room) {
      const file = frameFile(film, count++);
      await mkdir(`${film}.frames`, { recursive: true });
      await writeFile(file, await promisify(gzip)(bytesOf(planes)));
      await pictures.add(planes, tick, room);
    },
    end: () => pictures.end(),
  };
}

function bytesOf({ rgba, owner }: Planes): Uint8Array {
  return Buffer.concat([rgba, new Uint8Array(owner.buffer, owner.byteOffset, owner.byteLength)]);
}

/** Allows only one picture file to be read at a time, to limit the number of open files. */
const reading = new Mutex();
/** Pictures that are being sent, by path, with the number of clients receiving each. */
const sending = new Map<string, { readonly bytes: Promise<Buffer>; receivers: number }>();

/**
 * Sends a picture of a film. Reads the whole file first, because a slow client would keep a
 * streamed file open. Clients that get a picture at the same time share its bytes.
 */
export function sendFrame(file: string, response: Response): void {
  const frame = getOrAdd(sending, file, () => {
    return { bytes: reading.runExclusive(() => readFile(file)), receivers: 0 };
  });
  frame.receivers++;
  response.once('close', () => {
    if (--frame.receivers === 0) sending.delete(file);
  });
  // Browsers may cache a film's pictures, because the pictures never change.
  response.set({ 'Content-Encoding': 'gzip', 'Cache-Control': 'private, max-age=86400' });
  response.type('application/octet-stream');
  frame.bytes.then(
    (bytes) => response.end(bytes),
    () => response.destroy(),
  );
}

interface Job {
  state: JobState;
  readonly path: string;
  readonly child: ChildProcess;
  cancelTimeout: () => void;
}

const PROCESS = fileURLToPath(new URL('./film-process.mjs', import.meta.url));
const HOUR = 3_600_000;
/** Maximum time without progress before a job fails, in ms. */
const STALLED = 900_000;
/** Options for removing a folder in which a process may still be writing. */
const REMOVAL = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 } as const;

const fork = (): ChildProcess =>
  forkProcess(PROCESS, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });

export class FilmJobs {
  private readonly jobs = new Map<string, Job>();
  private folder: string | undefined;

  /**
   * @param options.date returns the wall-clock time, in ms
   * @param options.warn logs the details of a failure
   * @param options.onGone called with the film's id just before its pictures are deleted
   */
  constructor(
    private readonly options: Pick<FilmOrder, 'engine'> & {
      readonly clock: Clock;
      readonly date: () => number;
      readonly warn: (message: string) => void;
      readonly onGone: (job: string) => void;
      readonly start?: () => ChildProcess;
    },
  ) {}

  /** The states of all jobs, oldest first. */
  get states(): JobState[] {
    return [...this.jobs.values()].map(({ state }) => state);
  }

  /**
   * Starts making a film.
   *
   * @param place where the room is stored, and the checkpoint's folder
   * @throws HostRefusal 'too-many-jobs'
   */
  begin(
    room: string,
    { kind, hours = 24, from, to, seconds = FILMS.seconds }: CallBody<'timelapse'>,
    place: Pick<FilmOrder, 'records' | 'checkpoint'>,
  ): JobState {
    if (this.states.some(({ state }) => state === 'going')) throw new HostRefusal('too-many-jobs');
    const { date, engine, start = fork } = this.options;
    this.folder ??= mkdtempSync(join(tmpdir(), 'vivarium-films-'));
    // The operating system may have removed the folder if it was unused for days.
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const id = randomBytes(9).toString('base64url');
    const extension = kind === 'gif' ? 'gif' : 'zip';
    const path = join(this.folder, `${id}.${extension}`);
    const day = localTime(date()).slice(0, 10);
    const job: Job = {
      path,
      child: start(),
      cancelTimeout: () => {},
      state: {
        ...{ id, room, kind, state: 'going', progress: 0, bytes: null, error: null },
        ...{ from: null, frames: 0, total: null, since: date() },
        hours: from === undefined ? hours : null,
        file: `${room}-${day}.${extension}`,
      },
    };
    const { child } = job;
    this.wait(job);
    child.on('message', (news: FilmNews) => this.hear(job, news));
    // Use `on`, not `once`: `child.send` below may cause a second `error` event, and an unhandled
    // one would end the server.
    child.on('error', (error) => this.fail(job, 'failed', error.message));
    child.once('exit', (code, signal) => {
      const how = signal ?? `exit code ${code}`;
      this.fail(job, 'ended', `The process that makes the film ended with ${how}.`);
    });
    child.send({
      ...{ room, kind, engine },
      ...place,
      from: from === undefined ? { time: date() - hours * HOUR } : { tick: from },
      ...(to !== undefined && { to: { tick: to } }),
      ...{ now: date(), seconds, out: path },
    } satisfies FilmOrder);
    this.jobs.set(id, job);
    this.sweep();
    return job.state;
  }

  stop(id: string): void {
    const job = this.get(id);
    this.end(job, 'stopped');
    this.jobs.delete(id);
    this.remove(job);
  }

  /**
   * Returns the state of a film that has at least one picture, even if the film is unfinished.
   *
   * @throws HostRefusal 'no-such-job', or 'job-not-done' if there is no picture
   */
  shown(id: string): JobState & { readonly total: number } {
    const { state } = this.get(id);
    const isShown = state.state === 'done' || state.state === 'going';
    if (!isShown || state.frames === 0 || state.total === null)
      throw new HostRefusal('job-not-done');
    return { ...state, total: state.total };
  }

  /**
   * Returns the path of a picture's file.
   *
   * @throws HostRefusal 'no-such-job', 'job-not-done' or 'no-such-time'
   */
  frame(id: string, index: number): string {
    const { frames } = this.shown(id);
    const isThere = Number.isInteger(index) && index >= 0 && index < frames;
    if (!isThere) throw new HostRefusal('no-such-time');
    return frameFile(this.get(id).path, index);
  }

  /**
   * Returns the path and the download name of a finished film.
   *
   * @throws HostRefusal 'no-such-job' or 'job-not-done'
   */
  file(id: string) {
    const { state, path } = this.get(id);
    if (state.state !== 'done') throw new HostRefusal('job-not-done', state.error ?? '');
    return { path, name: state.file };
  }

  async close(): Promise<void> {
    for (const job of this.jobs.values()) this.end(job, 'stopped');
    if (this.folder !== undefined) await this.tidy(this.folder, rm(this.folder, REMOVAL));
  }

  private get(id: string): Job {
    const job = this.jobs.get(id);
    if (!job) throw new HostRefusal('no-such-job');
    return job;
  }

  private hear(job: Job, news: FilmNews): void {
    if (job.state.state !== 'going') return;
    this.wait(job);
    if ('error' in news) this.fail(job, news.error, news.message);
    else if (!('done' in news)) job.state = { ...job.state, ...news };
    else {
      const { frames } = news;
      try {
        const bytes = statSync(job.path).size;
        job.state = { ...job.state, frames, total: frames, bytes, progress: 1 };
        this.end(job, 'done');
      } catch (error) {
        this.fail(job, 'failed', `The finished film cannot be read: ${(error as Error).message}`);
      }
    }
  }

  private wait(job: Job): void {
    job.cancelTimeout();
    job.cancelTimeout = this.options.clock.after(STALLED, () => {
      this.fail(job, 'stalled', 'The process that makes the film made no progress for too long.');
    });
  }

  private fail(job: Job, error: JobReason, message: string): void {
    if (job.state.state !== 'going') return;
    this.options.warn(`A film of the room "${job.state.room}" could not be made: ${message}`);
    this.end(job, 'failed', error);
    this.remove(job);
  }

  private end(job: Job, state: JobState['state'], error: JobReason | null = null): void {
    if (job.state.state !== 'going') return;
    job.cancelTimeout();
    job.state = { ...job.state, state, error };
    job.child.kill('SIGKILL');
  }

  /** Removes all ended jobs and their films, except the latest `FILMS.kept`. */
  private sweep(): void {
    const over = [...this.jobs].filter(([, { state }]) => state.state !== 'going');
    for (const [id, job] of over.slice(0, -FILMS.kept)) {
      this.jobs.delete(id);
      this.remove(job);
    }
  }

  private remove({ path, state }: Job): void {
    this.options.onGone(state.id);
    void this.tidy(path, Promise.all([rm(path, { force: true }), rm(`${path}.frames`, REMOVAL)]));
  }

  private tidy(path: string, removal: Promise<unknown>): Promise<unknown> {
    return removal.catch(({ message }: Error) => {
      this.options.warn(`The film ${path} could not be deleted: ${message}`);
    });
  }
}
