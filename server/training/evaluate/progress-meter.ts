/** Reports the progress of long work. */

/** Seconds between lines. */
const INTERVAL = 5;

/** Follows one piece of work after the other. */
export interface Meter {
  /** Starts work of this name and size. */
  begin(what: string, total: number): void;
  /** Adds work that is done. */
  worked(amount: number): void;
  /** Ends the work. */
  end(): void;
}

/** Creates a meter. @param now time, ms @param say prints a line */
export function createMeter(now: () => number, say: (line: string) => void): Meter {
  let name = '';
  let size = 0;
  let done = 0;
  let started = 0;
  let lastLine = 0;
  return {
    begin(what, total) {
      name = what;
      size = total;
      done = 0;
      started = now();
      lastLine = started;
    },
    worked(amount) {
      done += amount;
      const time = now();
      if (time - lastLine < INTERVAL * 1000 || done >= size) return;
      lastLine = time;
      const seconds = ((time - started) / 1000) * (size / done - 1);
      say(`${name}: ${Math.floor((100 * done) / size)} %, ${duration(seconds)} left`);
    },
    end() {
      say(`${name}: done in ${duration((now() - started) / 1000)}`);
    },
  };
}

/** A duration for people: seconds below 90 s, then minutes, then hours. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
