/** A log that records its lines for tests. */

import type { Log } from '../../server/platform/log.ts';
import { Changes } from './changes.ts';

export class LogRecorder implements Log {
  readonly lines: { readonly event: string; readonly sentence: string }[] = [];
  private readonly changes = new Changes();

  readonly info = (event: string, sentence: string): void => this.take(event, sentence);
  readonly warn = this.info;
  readonly error = this.info;

  has(event: string, part = ''): boolean {
    return this.lines.some((line) => line.event === event && line.sentence.includes(part));
  }

  /** Waits for such a line. */
  until(event: string, part = ''): Promise<void> {
    return this.changes.until(() => this.has(event, part));
  }

  private take(event: string, sentence: string): void {
    this.lines.push({ event, sentence });
    this.changes.changed();
  }
}
