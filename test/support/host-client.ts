/** A host without a browser: real HTTP calls with the session cookie and key of a page. */
import * as v from 'valibot';
import {
  API,
  CALLS,
  type CallAnswer,
  type CallBody,
  type CallName,
  KEY_HEADER,
  pathOf,
} from '../../shared/host/api.ts';
import { type RefusalState, refusal } from '../../shared/host/state.ts';

/** The server refused a call. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly refusal: RefusalState,
  ) {
    super(`${status} ${refusal.reason} ${refusal.detail ?? ''}`);
  }

  get reason(): string {
    return this.refusal.reason;
  }
}

/** Keeps the session of one host. */
export class HostClient {
  cookie = '';
  key = '';

  /** @param headers sent with each call */
  constructor(
    readonly port: number,
    readonly headers: Record<string, string> = {},
  ) {}

  /** Signs in with the host token. */
  static async login(port: number, token: string): Promise<HostClient> {
    const client = new HostClient(port);
    await client.call('login', { token });
    return client;
  }

  /** Makes a call, for room `garden` if it is for a room. @throws Refused */
  async call<N extends CallName>(
    name: N,
    body: Partial<CallBody<N>> | Record<string, unknown> = {},
    parts: Record<string, string | number> = {},
  ): Promise<CallAnswer<N>> {
    const { method, path, answer } = CALLS[name];
    const response = await this.fetch(pathOf(path, { room: 'garden', ...parts }), {
      method,
      ...(method !== 'GET' && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    const json: unknown = await response.json();
    if (!response.ok) throw new Refused(response.status, v.parse(refusal, json));
    const [cookie] = response.headers.getSetCookie();
    if (cookie) this.cookie = cookie.split(';')[0];
    const parsed = v.parse(answer as v.GenericSchema<unknown, CallAnswer<N>>, json);
    if (name === 'login') this.key = (parsed as CallAnswer<'login'>).key;
    return parsed;
  }

  /** The reason why a call is refused. @throws Error if it is not */
  async refusal<N extends CallName>(
    name: N,
    body: Record<string, unknown> = {},
    parts: Record<string, string | number> = {},
  ): Promise<string> {
    try {
      await this.call(name, body, parts);
    } catch (error) {
      if (error instanceof Refused) return error.reason;
      throw error;
    }
    throw new Error(`${name} was not refused`);
  }

  /** @param path with or without the prefix of the API */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const url = path.startsWith(API) ? path : API + path;
    return fetch(`http://127.0.0.1:${this.port}${url}`, {
      ...init,
      headers: {
        ...(this.cookie && { cookie: this.cookie }),
        ...(this.key && { [KEY_HEADER]: this.key }),
        ...this.headers,
        ...(init.headers as Record<string, string>),
      },
    });
  }
}
