/** A log that records its lines for tests. */
import type { Log } from '../../server/platform/log.ts';

export class LogRecorder implements Log {
  readonly lines: { readonly event: string; readonly sentence: string }[] = [];
  private listeners = new Set<() => void>();

  readonly info = (event: string, sentence: string): void => this.take(event, sentence);
  readonly warn = this.info;
  readonly error = this.info;

  has(event: string, part = ''): boolean {
    return this.lines.some((line) => line.event === event && line.sentence.includes(part));
  }

  /** Waits for such a line. */
  until(event: string, part = ''): Promise<void> {
    if (this.has(event, part)) return Promise.resolve();
    return new Promise((resolve) => {
      const listener = () => {
        if (!this.has(event, part)) return;
        this.listeners.delete(listener);
        resolve();
      };
      this.listeners.add(listener);
    });
  }

  private take(event: string, sentence: string): void {
    this.lines.push({ event, sentence });
    for (const listener of [...this.listeners]) listener();
  }
}
