/**
 * Posts messages to the URL of the host's settings, one at a time and in order. Nothing waits for
 * it: messages queue, failed requests are repeated with growing pauses, and the queue is bounded.
 */
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { AlertMessage } from './alert.ts';

/** Messages that may wait; the oldest is dropped for one more. */
export const MAX_WAITING = 64;
/** Time for a request, ms. */
const TIMEOUT = 10_000;
/** Pauses after failed requests, ms: doubled each time. */
const PAUSE = { first: 1_000, longest: 300_000 };

/** How a request ended: the status of the answer, or the reason why there is none. */
export type PostResult = number | string;

/** Posts a JSON text. Must not reject. */
export type Post = (url: string, body: string, signal: AbortSignal) => Promise<PostResult>;

export interface WebhookOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Left over from an earlier process. */
  readonly waiting?: readonly AlertMessage[];
  /** Called when a message has been delivered or dropped. */
  readonly onChange: () => void;
  readonly post?: Post;
}

/** Redirects are not followed: only the host's own URL is ever requested. */
const postJson: Post = async (url, body, signal) => {
  try {
    const response = await fetch(url, {
      ...{ method: 'POST', body, redirect: 'manual' },
      headers: { 'content-type': 'application/json', 'user-agent': 'Vivarium' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
    });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    const { name, cause } = error as Error;
    return (cause as NodeJS.ErrnoException | undefined)?.code ?? name;
  }
};

/** Whether the receiver will refuse the same request again: all of 3xx and most of 4xx. */
const isFinal = (result: PostResult): boolean =>
  typeof result === 'number' && result >= 300 && result < 500 && ![408, 425, 429].includes(result);

/** The queue. */
export class Webhook {
  /** The messages that are not delivered yet, oldest first. */
  readonly waiting: AlertMessage[];
  private readonly stopped = new AbortController();
  private isSending = false;
  private failures = 0;
  private cancel = (): void => {};

  constructor(private readonly options: WebhookOptions) {
    this.waiting = [...(options.waiting ?? [])];
    void this.sendNext();
  }

  /** Queues a message. */
  send(message: AlertMessage): void {
    this.waiting.push(message);
    if (this.waiting.length > MAX_WAITING) {
      this.waiting.shift();
      this.warn('alert-dropped', 'Too many alerts wait; the oldest is dropped.');
    }
    void this.sendNext();
  }

  /** Ends all requests. What waits stays in `waiting`. */
  stop(): void {
    this.stopped.abort();
    this.cancel();
  }

  private async sendNext(): Promise<void> {
    const [message] = this.waiting;
    const { signal } = this.stopped;
    if (this.isSending || !message || signal.aborted) return;
    const { url, clock, post = postJson, onChange } = this.options;
    this.isSending = true;
    const result = await post(url, JSON.stringify(message), signal);
    if (signal.aborted) return;
    const isDelivered = typeof result === 'number' && result >= 200 && result < 300;
    if (isDelivered || isFinal(result)) {
      if (!isDelivered) this.warn('alert-dropped', `The receiver refuses an alert (${result}).`);
      this.failures = 0;
      this.isSending = false;
      // It may have been dropped meanwhile.
      if (this.waiting[0] === message) this.waiting.shift();
      onChange();
      return this.sendNext();
    }
    if (this.failures === 0) {
      this.warn('alert-not-sent', `An alert could not be sent (${result}); retrying.`);
    }
    const pause = Math.min(PAUSE.longest, PAUSE.first * 2 ** this.failures++);
    this.cancel = clock.after(pause, () => {
      this.isSending = false;
      void this.sendNext();
    });
  }

  /** The path of the URL may be a secret, so only its host is logged. */
  private warn(event: string, sentence: string): void {
    this.options.log.warn(event, sentence, { receiver: new URL(this.options.url).host });
  }
}
