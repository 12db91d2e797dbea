/** The calls of the host's page, over fetch: checked answers, refusals as errors. */
import * as v from 'valibot';
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

export type Parts = Readonly<Record<string, string | number>>;

/** The server did not answer, or with something that is no answer of ours. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

export class HostApi {
  /** Goes with all that changes something; known after a login. */
  key = '';
  /** Whether the host has touched the page since the last call: by that her session lives on. */
  touched = false;

  /**
   * @throws HostRefusal when the server says no
   * @throws Unreachable when it says nothing
   */
  async call<N extends CallName>(name: N, parts: Parts, body: CallBody<N>): Promise<CallAnswer<N>> {
    const { method, path, answer } = CALLS[name];
    const asks = method !== 'GET';
    const used = this.touched;
    this.touched = false;
    let response: Response;
    let content: unknown;
    try {
      response = await fetch(pathOf(path, parts), {
        method,
        headers: {
          ...(asks && { 'content-type': 'application/json', [KEY_HEADER]: this.key }),
          ...(used && { [USED_HEADER]: '1' }),
        },
        ...(asks && { body: JSON.stringify(body) }),
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
