/** HTTP client of the host API: validates answers, throws refusals as errors. */
import * as v from 'valibot';
import { DEFAULTS } from '../../shared/defaults.ts';
import {
  CALLS,
  type CallAnswer,
  type CallBody,
  type CallName,
  KEY_HEADER,
  pathOf,
  USED_HEADER,
} from '../../shared/host/api.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import { refusal } from '../../shared/host/state.ts';

/** Values for the placeholders in the path of a call. */
export type Parts = Readonly<Record<string, string | number>>;

/** The server did not answer, or the answer was not one of the host API. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/**
 * How long a call that only reads may take before the server counts as unreachable, ms: longer than
 * that one waits for another.
 */
const READ_LIMIT = DEFAULTS.cluster.hostCalls.patience + 2_000;

/** Holds the session's key and makes calls. */
export class HostApi {
  /** Sent with every call that changes something; set after a login. */
  key = '';
  /** Whether the host has used the page since the last call. This keeps the session alive. */
  touched = false;

  /**
   * Makes a call.
   *
   * @throws HostRefusal if the server refuses it
   * @throws Unreachable if the server does not answer
   */
  async call<N extends CallName>(name: N, parts: Parts, body: CallBody<N>): Promise<CallAnswer<N>> {
    const { method, path, answer } = CALLS[name];
    const isWrite = method !== 'GET';
    const used = this.touched;
    this.touched = false;
    let response: Response;
    let content: unknown;
    try {
      response = await fetch(pathOf(path, parts), {
        method,
        headers: {
          ...(isWrite && { 'content-type': 'application/json', [KEY_HEADER]: this.key }),
          ...(used && { [USED_HEADER]: '1' }),
        },
        ...(isWrite
          ? { body: JSON.stringify(body) }
          : { signal: AbortSignal.timeout?.(READ_LIMIT) ?? null }),
      });
      content = await response.json();
    } catch (error) {
      this.touched ||= used;
      throw new Unreachable('no answer', { cause: error });
    }
    if (response.ok) return v.parse(answer, content) as CallAnswer<N>;
    const refused = v.safeParse(refusal, content);
    if (!refused.success) throw new Unreachable(`status ${response.status}`);
    const { reason, detail, retryAfter } = refused.output;
    throw new HostRefusal(reason, detail, retryAfter);
  }
}
