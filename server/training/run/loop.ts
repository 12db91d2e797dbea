/**
 * The training loop for rules and painters: runs updates, prints progress, saves the state and
 * handles failures.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isNativeError } from 'node:util/types';
import type { Compute } from '../../autodiff/compute.ts';
import { retry, systemClock } from '../../platform/clock.ts';
import { TrainingError } from '../errors.ts';
import { duration, type StopSignal } from '../terminal.ts';
import { appendLog, PICTURES_FOLDER } from './run-folder.ts';
import type { UpdateReport } from './trainer.ts';

/** A training run and the functions that `runUpdates` calls. */
export interface UpdatedRun<Report extends { readonly update: number }> {
  readonly folder: string;
  /** Number of updates in the complete run. */
  readonly updates: number;
  /** Number of updates done before this start of the run. */
  readonly done: number;
  /** Training time before this start of the run, in seconds. */
  readonly seconds: number;
  /** Time limit from this start of the run, in minutes. If absent, there is no limit. */
  readonly minutes?: number | undefined;
  /** Interval at which the state and a picture sheet are saved, in minutes. */
  readonly saveMinutes: number;
  readonly compute: Pick<Compute, 'name'>;
  readonly stop: StopSignal;
  readonly say: (line: string) => void;
  /** Runs one update. If an error is thrown, the run's state must be unchanged. */
  update(): Promise<Report>;
  /** Saves the run's state. @param seconds total training time so far */
  save(seconds: number): Promise<void>;
  /** Draws a sheet of pictures that shows the progress of training. Returns a PNG file. */
  readonly draw: () => Promise<Buffer>;
  /**
   * Formats figures for a progress line.
   *
   * @param mean averages a figure over all updates since the previous progress line
   */
  describe(mean: Mean<Report>): string;
}

/**
 * Runs updates until the run is complete, the time limit is reached, or a stop is requested. Then
 * saves the state.
 *
 * @returns total training time so far, in seconds
 */
export async function runUpdates<Report extends { readonly update: number }>(
  run: UpdatedRun<Report>,
): Promise<number> {
  const { folder, updates, minutes = Infinity, saveMinutes, stop, say } = run;
  const started = performance.now();
  const seconds = (): number => run.seconds + (performance.now() - started) / 1000;
  const progress = createProgress(run, () => performance.now());
  const tryWriting = createWriter(say);
  let { done } = run;
  const saveState = (): Promise<void> => run.save(seconds());
  const savePicture = async (): Promise<void> => {
    const picture = await retryLostThreads(run.draw, 'Drawing the pictures again.', say);
    await tryWriting('the picture sheet', async () => {
      for (const name of [`${done}`, 'latest']) {
        await writeFile(join(folder, PICTURES_FOLDER, `${name}.png`), picture);
      }
    });
  };
  let saved = started;
  while (!stop.isAsked() && done < updates) {
    const report = await run.update().catch(async (error: unknown) => {
      await saveAfterFailure(error, saveState, say);
      throw error;
    });
    done = report.update;
    progress(report);
    const line = { ...report, seconds: Math.round(seconds()) };
    await tryWriting('the log', () => appendLog(folder, line));
    if (performance.now() - started > minutes * 60_000) break;
    if (performance.now() - saved > saveMinutes * 60_000) {
      await tryWriting('the state', saveState);
      await savePicture();
      saved = performance.now();
    }
  }
  await saveState();
  await savePicture();
  return seconds();
}

/** Minimum time between two progress lines, in seconds. */
const INTERVAL = 10;

/** Averages a figure over the updates that have this figure; NaN if no update has the figure. */
type Mean<Report> = (pick: (report: Report) => number | undefined) => number;

/**
 * Creates a function to call after each update. This function prints a progress line for the first
 * update, for the last update, and every `INTERVAL` seconds.
 *
 * @param now returns the current time, in ms
 */
export function createProgress<Report extends { readonly update: number }>(
  run: Pick<UpdatedRun<Report>, 'updates' | 'done' | 'say' | 'compute' | 'describe'>,
  now: () => number,
) {
  const { updates, done, say, compute, describe } = run;
  const started = now();
  let lastLine = started;
  let window: Report[] = [];
  return (report: Report): void => {
    window.push(report);
    const time = now();
    const { update } = report;
    // Always print the first update, which shows that training works and how long an update takes.
    const isEdge = update === done + 1 || update === updates;
    if (time - lastLine < INTERVAL * 1000 && !isEdge) return;
    const rate = window.length / ((time - lastLine) / 1000);
    const left = ((updates - update) * (time - started)) / 1000 / (update - done);
    const figures = describe((pick) => {
      const numbers = window.map(pick).filter((x) => x !== undefined);
      return numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    });
    const speed = `${rate.toPrecision(3)} updates/s on ${compute.name}`;
    say(`${update}/${updates} · ${speed} · ${duration(left)} left · ${figures}`);
    window = [];
    lastLine = time;
  };
}

/** Formats the figures of a rule's training for a progress line. */
export function describeUpdates(mean: Mean<UpdateReport>): string {
  const [pooled, patients] = [mean((x) => x.pooled), mean((x) => x.patients)];
  const [reconstruction, divergence] = [mean((x) => x.reconstruction), mean((x) => x.divergence)];
  return [
    `ELBO ${(-reconstruction - divergence).toFixed(1)}`,
    `reconstruction ${reconstruction.toFixed(1)}`,
    `KL ${divergence.toFixed(1)}`,
    !Number.isNaN(pooled) && `pool ${pooled.toFixed(1)} (age ${mean((x) => x.age).toFixed(0)})`,
    !Number.isNaN(patients) && `patients ${patients.toFixed(1)}`,
    `gradient ${mean((x) => x.gradientNorm).toPrecision(2)}`,
  ]
    .filter(Boolean)
    .join(' · ');
}

/**
 * Runs a function, up to three times if a worker thread dies. A later attempt may succeed, because
 * threads may die from a temporary lack of memory.
 *
 * @param work must have no effects if it fails
 * @param remedy text printed after a thread has died; says what happens next
 */
export const retryLostThreads = <T>(
  work: () => Promise<T>,
  remedy: string,
  say: (line: string) => void,
): Promise<T> =>
  retry(work, {
    clock: systemClock,
    pauses: [0, 0],
    isTransient: (error) => error instanceof TrainingError && error.reason === 'lost-thread',
    onFailure: (error) => say(`${(error as TrainingError).message}. ${remedy}`),
  });

/**
 * Creates a function that writes a file and ignores file errors, because the file will be written
 * again later. Prints only the first of several consecutive file errors. Throws errors that are not
 * file errors.
 */
export function createWriter(say: (line: string) => void) {
  const failing = new Set<string>();
  return async (what: string, write: () => Promise<void>): Promise<void> => {
    try {
      await write();
      failing.delete(what);
    } catch (error) {
      // File errors may come from another realm (a global environment with its own `Error`), so do
      // not use `instanceof Error`.
      if (!isNativeError(error) || !('syscall' in error)) throw error;
      if (!failing.has(what))
        say(`${what} cannot be written: ${error.message}. The run continues.`);
      failing.add(what);
    }
  };
}

/**
 * Saves the state after an update has failed. Never throws, so that the caller can throw the error
 * of the update.
 *
 * @param error error of the failed update
 */
export async function saveAfterFailure(
  error: unknown,
  save: () => Promise<void>,
  say: (line: string) => void,
): Promise<void> {
  // Do not save the current state, because the next update from this state would fail again.
  if (error instanceof TrainingError && error.reason === 'not-finite') return;
  await save().then(
    () => say('The update failed, but all earlier updates are saved.'),
    (why: Error) => say(`The state in memory cannot be saved: ${why.message}`),
  );
}
