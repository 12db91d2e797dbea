/** Ends the process: in good order once, and at once for a host who does not want to wait. */
import type { Clock } from '../platform/clock.ts';

/** Two signals within this time count as one, ms. */
const SAME_SIGNAL = 1_000;

export interface ProcessEndOptions {
  readonly clock: Clock;
  /** Closes the server. */
  readonly close: () => Promise<void>;
  /** Longest time for that, ms. */
  readonly longest: number;
  readonly exit: (code: number) => void;
  /** Closing takes longer; the process exits next. */
  readonly onTooSlow: () => void;
  readonly onFailure: (error: unknown) => void;
}

export class ProcessEnd {
  private closing = false;
  private signalledAt: number | undefined;

  constructor(private readonly options: ProcessEndOptions) {}

  /** Closes the server, unless it is closing already. @param code the exit code */
  begin(code: number): void {
    if (this.closing) return;
    this.closing = true;
    const { clock, close, longest, exit, onTooSlow, onFailure } = this.options;
    clock.after(longest, () => {
      onTooSlow();
      exit(1);
    });
    close().then(() => exit(code), onFailure);
  }

  /**
   * Handles a signal. A second one means that the host does not want to wait. npm forwards signals
   * that the terminal has sent to this process already, so two in quick succession count as one.
   */
  readonly signal = (): void => {
    const { clock, exit } = this.options;
    const now = clock.now();
    if (this.signalledAt !== undefined && now - this.signalledAt > SAME_SIGNAL) exit(1);
    this.signalledAt ??= now;
    this.begin(0);
  };
}
