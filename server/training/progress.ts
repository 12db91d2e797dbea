/** Lines that tell how a run goes. */
import type { ComputeName } from './autodiff/compute.ts';
import type { UpdateReport } from './trainer.ts';

export interface Progress {
  add(report: UpdateReport): void;
}

/** Seconds between lines. */
const EVERY = 10;

/**
 * @param updates of the whole run
 * @param done before now
 * @param now milliseconds
 * @param say prints a line
 * @param backend what computes
 */
export function createProgress(
  updates: number,
  done: number,
  now: () => number,
  say: (line: string) => void,
  backend: ComputeName,
): Progress {
  const started = now();
  let last = started;
  let window: UpdateReport[] = [];
  return {
    add(report) {
      window.push(report);
      const at = now();
      // The first one shows at once that it works, and how long an update takes.
      const edge = report.update === done + 1 || report.update === updates;
      if (at - last < EVERY * 1000 && !edge) return;
      const rate = window.length / ((at - last) / 1000);
      const overall = (report.update - done) / ((at - started) / 1000);
      const left = (updates - report.update) / overall;
      const mean = (pick: (report: UpdateReport) => number | undefined): number => {
        const numbers = window.map(pick).filter((x) => x !== undefined);
        return numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
      };
      const pooled = mean((x) => x.pooled);
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
          `gradient ${mean((x) => x.gradientNorm).toPrecision(2)}`,
        ].join(' · '),
      );
      window = [];
      last = at;
    },
  };
}

function duration(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
