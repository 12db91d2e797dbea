/**
 * Renders films of rooms, one at a time, each in its own process, and keeps the latest for
 * download.
 */
import { type ChildProcess, fork as forkProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CallBody } from '../../shared/host/api.ts';
import { HostRefusal, type JobReason } from '../../shared/host/reasons.ts';
import type { JobState } from '../../shared/host/state.ts';
import { type Clock, localTime } from '../platform/clock.ts';
import { frameFile, REMOVAL, removeFilm } from './film-frames.ts';
import type { FilmNews, FilmOrder } from './film-process.ts';

/** Time-lapse films. */
export const FILMS = {
  /** Pictures per second. */
  rate: 15,
  /** Minimum side of a picture, in pixels. */
  side: 480,
  /** Number of finished films that are kept. */
  kept: 4,
  /** Default length of a film, in seconds. */
  seconds: 20,
} as const;

export interface FilmJobsOptions {
  readonly clock: Clock;
  /** Wall clock, ms. */
  readonly date: () => number;
  readonly engine: FilmOrder['engine'];
  /** Receives the details of a failure, for the log. */
  readonly warn: (message: string) => void;
  /** Called when a film's pictures have been deleted because the film failed or was removed. */
  readonly onGone: (job: string) => void;
  readonly start?: () => ChildProcess;
}

interface Job {
  state: JobState;
  readonly path: string;
  child: ChildProcess | undefined;
  /** Cancels the stall timeout. */
  cancelTimeout: () => void;
}

const PROCESS = fileURLToPath(new URL('./film-process.mjs', import.meta.url));
const HOUR = 3_600_000;
/** Longest time without progress before a job fails, in ms. The total time is not limited. */
const STALLED = 900_000;

const fork = (): ChildProcess =>
  forkProcess(PROCESS, {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });

export class FilmJobs {
  private readonly jobs = new Map<string, Job>();
  private folder: string | undefined;

  constructor(private readonly options: FilmJobsOptions) {}

  /** The states of all jobs, latest last. */
  get states(): JobState[] {
    return [...this.jobs.values()].map(({ state }) => state);
  }

  /**
   * Starts a film.
   *
   * @param place where the rooms are stored, and the folder of the checkpoint
   * @throws HostRefusal too-many-jobs
   */
  begin(
    room: string,
    { kind, hours = 24, from, to, seconds = FILMS.seconds }: CallBody<'timelapse'>,
    place: Pick<FilmOrder, 'records' | 'checkpoint'>,
  ): JobState {
    if (this.states.some(({ state }) => state === 'going')) throw new HostRefusal('too-many-jobs');
    const { date, engine, start = fork } = this.options;
    this.folder ??= mkdtempSync(join(tmpdir(), 'vivarium-films-'));
    // The system may remove the temporary folder if it is unused for days.
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
        ...{ id, room, kind },
        state: 'going',
        progress: 0,
        bytes: null,
        error: null,
        hours: from === undefined ? hours : null,
        from: null,
        frames: 0,
        total: null,
        since: date(),
        file: `${room}-${day}.${extension}`,
      },
    };
    const child = job.child!;
    this.wait(job);
    child.on('message', (news: FilmNews) => this.hear(job, news));
    // Use `on`, not `once`: if the process cannot start, `child.send` below causes a second error.
    child.on('error', (error) => this.fail(job, 'failed', error.message));
    child.once('exit', (code) =>
      this.fail(job, 'ended', `The process that makes it ended (${code}).`),
    );
    child.send({
      ...{ room, kind, engine },
      ...place,
      from: from === undefined ? { time: date() - hours * HOUR } : { tick: from },
      ...(to !== undefined && { to: { tick: to } }),
      now: date(),
      pictures: seconds * FILMS.rate,
      delay: Math.round(1000 / FILMS.rate),
      side: FILMS.side,
      out: path,
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
   * Returns the state of a film that has pictures to show, even if it is unfinished.
   *
   * @throws HostRefusal no-such-job, job-not-done
   */
  shown(id: string): JobState & { readonly total: number } {
    const { state } = this.get(id);
    const isShown = state.state === 'done' || state.state === 'going';
    if (!isShown || state.frames === 0 || state.total === null)
      throw new HostRefusal('job-not-done');
    return { ...state, total: state.total };
  }

  /**
   * Path of the file of one finished picture: the gzipped planes, colours first.
   *
   * @throws HostRefusal no-such-job, job-not-done, no-such-time
   */
  frame(id: string, index: number): string {
    const { frames } = this.shown(id);
    const isThere = Number.isInteger(index) && index >= 0 && index < frames;
    if (!isThere) throw new HostRefusal('no-such-time');
    return frameFile(this.get(id).path, index);
  }

  /** Path and download name of a finished film. @throws HostRefusal no-such-job, job-not-done */
  file(id: string): { readonly path: string; readonly name: string } {
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
    // The job may have been stopped while this message was in transit, so ignore the message.
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
        this.fail(job, 'failed', `The film's file cannot be read: ${(error as Error).message}`);
      }
    }
  }

  private wait(job: Job): void {
    job.cancelTimeout();
    job.cancelTimeout = this.options.clock.after(STALLED, () => {
      this.fail(job, 'stalled', 'The process that makes it stopped making progress.');
    });
  }

  private fail(job: Job, error: JobReason, message: string): void {
    if (job.state.state !== 'going') return;
    this.options.warn(`A film of "${job.state.room}" was not made: ${message}`);
    this.end(job, 'failed', error);
    this.remove(job);
  }

  private end(job: Job, state: JobState['state'], error: JobReason | null = null): void {
    if (job.state.state !== 'going') return;
    job.cancelTimeout();
    job.state = { ...job.state, state, error };
    job.child?.kill('SIGKILL');
    job.child = undefined;
  }

  /** Removes ended jobs and their films, except the latest `FILMS.kept`. */
  private sweep(): void {
    const over = [...this.jobs].filter(([, { state }]) => state.state !== 'going');
    for (const [id, job] of over.slice(0, -FILMS.kept)) {
      this.jobs.delete(id);
      this.remove(job);
    }
  }

  private remove({ path, state }: Job): void {
    this.options.onGone(state.id);
    void this.tidy(path, removeFilm(path));
  }

  private tidy(path: string, removal: Promise<unknown>): Promise<unknown> {
    return removal.catch(({ message }: Error) => {
      this.options.warn(`A film could not be removed from ${path}: ${message}`);
    });
  }
}
