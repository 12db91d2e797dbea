/**
 * Runs the updates of a run of any kind: prints progress, saves from time to time, and handles
 * failures. Start reading at `runUpdates`.
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

/** A run whose updates `runUpdates` runs. */
export interface UpdatedRun<Report extends { readonly update: number }> {
  readonly folder: string;
  /** Number of updates of the whole run. */
  readonly updates: number;
  /** Number of updates done before. */
  readonly done: number;
  /** Training time before, in seconds. */
  readonly seconds: number;
  /** Time limit in minutes. If absent, there is no limit. */
  readonly minutes?: number | undefined;
  /** Time between saved states and picture sheets, in minutes. */
  readonly saveMinutes: number;
  readonly compute: Pick<Compute, 'name'>;
  readonly stop: StopSignal;
  readonly say: (line: string) => void;
  /** Runs one update. If it throws, nothing has changed. */
  update(): Promise<Report>;
  /** Saves the state. @param seconds training time so far */
  save(seconds: number): Promise<void>;
  /** Draws the picture sheet, a PNG file. */
  readonly draw: () => Promise<Buffer>;
  /** Formats the figures of the updates since the last line. */
  describe(mean: Mean<Report>): string;
}

/**
 * Runs updates until the last one, the time limit or a signal, and saves the state.
 *
 * @returns training time of the whole run, in seconds
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
    const picture = await retryLostThreads(run.draw, 'the pictures are being drawn again', say);
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

/** Minimum time between two lines, in seconds. */
const INTERVAL = 10;

/** Averages a figure over the updates that have it. Returns NaN if no update has it. */
type Mean<Report> = (pick: (report: Report) => number | undefined) => number;

/**
 * Starts to measure the progress of a run, from the current time on.
 *
 * @param now returns the time, in ms
 * @returns a function that receives every update and prints a line from time to time
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
    // Always report the first update, which shows that training works and how long an update takes.
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

/** Describes updates of a rule, for `createProgress`. */
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
 * Does work that may lose a thread. After a lost thread, tries twice more: a lack of memory can
 * pass, but an error that kills a thread every time does not.
 *
 * @param work changes nothing if it fails
 * @param remedy what happens after a thread is lost, for `say`
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
    onFailure: (error) => say(`${(error as TrainingError).message}; ${remedy}`),
  });

/**
 * Creates a function that writes a file and tolerates failures, because a later write replaces the
 * file. Reports a failure only once, until writing works again. Throws errors that do not concern
 * files.
 */
export function createWriter(say: (line: string) => void) {
  const failing = new Set<string>();
  return async (what: string, write: () => Promise<void>): Promise<void> => {
    try {
      await write();
      failing.delete(what);
    } catch (error) {
      // Use `isNativeError`, because errors of files may come from another realm than the caller's,
      // and `instanceof` would not recognise them.
      if (!isNativeError(error) || !('syscall' in error)) throw error;
      if (!failing.has(what)) say(`${what} cannot be written: ${error.message}; the run continues`);
      failing.add(what);
    }
  };
}

/**
 * Saves the state before a failed update. Does not throw, so that the error of the update is
 * reported.
 *
 * @param error error of the update
 */
export async function saveAfterFailure(
  error: unknown,
  save: () => Promise<void>,
  say: (line: string) => void,
): Promise<void> {
  // Keep the earlier state, because a run resumed from this one would stop at the same gradient.
  if (error instanceof TrainingError && error.reason === 'not-finite') return;
  await save().then(
    () => say('the update failed; all earlier updates are saved'),
    (why: Error) => say(`the state in memory cannot be saved: ${why.message}`),
  );
}
