/** Prints the progress of a run. */
import type { ComputeName } from '../autodiff/compute.ts';
import type { UpdateReport } from './trainer.ts';

/** Seconds between lines. */
const INTERVAL = 10;

/** Options of `createProgress`. */
export interface ProgressOptions {
  /** Updates of the whole run. */
  readonly updates: number;
  /** Updates done before. */
  readonly done: number;
  /** Time, ms. */
  readonly now: () => number;
  /** Prints a line. */
  readonly say: (line: string) => void;
  readonly backend: ComputeName;
}

/**
 * Starts the progress of a run at the current time.
 *
 * @returns receives every update and prints a line from time to time
 */
export function createProgress({ updates, done, now, say, backend }: ProgressOptions) {
  const started = now();
  let lastLine = started;
  let window: UpdateReport[] = [];
  return (report: UpdateReport): void => {
    window.push(report);
    const time = now();
    // The first update shows that training works, and how long an update takes.
    const isEdge = report.update === done + 1 || report.update === updates;
    if (time - lastLine < INTERVAL * 1000 && !isEdge) return;
    const rate = window.length / ((time - lastLine) / 1000);
    const overall = (report.update - done) / ((time - started) / 1000);
    const left = (updates - report.update) / overall;
    const mean = (pick: (report: UpdateReport) => number | undefined): number => {
      const numbers = window.map(pick).filter((x) => x !== undefined);
      return numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    };
    const pooled = mean((x) => x.pooled);
    const patients = mean((x) => x.patients);
    const reconstruction = mean((x) => x.reconstruction);
    const divergence = mean((x) => x.divergence);
    say(
      [
        `${report.update}/${updates}`,
        `${rate.toPrecision(3)} updates/s on ${backend}`,
        `${duration(left)} left`,
        `ELBO ${(-reconstruction - divergence).toFixed(1)}`,
        `reconstruction ${reconstruction.toFixed(1)}`,
        `KL ${divergence.toFixed(1)}`,
        ...(Number.isNaN(pooled)
          ? []
          : [`pool ${pooled.toFixed(1)} (age ${mean((x) => x.age).toFixed(0)})`]),
        ...(Number.isNaN(patients) ? [] : [`patients ${patients.toFixed(1)}`]),
        `gradient ${mean((x) => x.gradientNorm).toPrecision(2)}`,
      ].join(' · '),
    );
    window = [];
    lastLine = time;
  };
}

function duration(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
