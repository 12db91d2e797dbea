/** Tells how far long work is and how long it will take. */

/** Seconds between lines. */
const EVERY = 5;

export interface Meter {
  /** Work of this name and size begins. */
  begin(what: string, total: number): void;
  /** So much more of it is done. */
  worked(amount: number): void;
  /** The work is over. */
  end(): void;
}

/**
 * @param now milliseconds
 * @param say prints a line
 */
export function createMeter(now: () => number, say: (line: string) => void): Meter {
  let name = '';
  let size = 0;
  let done = 0;
  let started = 0;
  let last = 0;
  return {
    begin(what, total) {
      name = what;
      size = total;
      done = 0;
      started = now();
      last = started;
    },
    worked(amount) {
      done += amount;
      const at = now();
      if (at - last < EVERY * 1000 || done >= size) return;
      last = at;
      const seconds = ((at - started) / 1000) * (size / done - 1);
      say(`${name}: ${Math.floor((100 * done) / size)} %, ${duration(seconds)} left`);
    },
    end() {
      say(`${name}: done in ${duration((now() - started) / 1000)}`);
    },
  };
}

export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
