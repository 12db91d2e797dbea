/** The host's HTTP API: authentication, validation and error responses. */
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import * as v from 'valibot';
import { DEFAULTS } from '../../shared/defaults.ts';
import {
  CALLS,
  type CallAnswer,
  type CallBody,
  type CallName,
  KEY_HEADER,
  USED_HEADER,
} from '../../shared/host/api.ts';
import { type HostReason, HostRefusal } from '../../shared/host/reasons.ts';
import type { RefusalState, SessionState } from '../../shared/host/state.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { isAllowedOrigin } from '../realtime/limits/connection-limits.ts';
import {
  type HostSession,
  type HostSessions,
  type HostToken,
  hasKey,
  type LoginThrottle,
} from './host-sessions.ts';

/** Parameters of a path, such as the room in `/rooms/:room`. */
export type Parts = Readonly<Record<string, string>>;

/** One function for each call; all may throw `HostRefusal`. */
export type Handlers = {
  readonly [N in Exclude<CallName, 'login' | 'logout' | 'session'>]: (
    body: CallBody<N>,
    parts: Parts,
  ) => CallAnswer<N> | Promise<CallAnswer<N>>;
};

/** Sends a file or picture. */
export type FileHandler = (request: Request, response: Response) => void | Promise<void>;

/** The files that a router serves. */
export interface FileRoutes {
  /** By path under the API. */
  readonly files: Readonly<Record<string, FileHandler>>;
  /** The same, for which no session is needed. */
  readonly publicFiles: Readonly<Record<string, FileHandler>>;
  readonly log: Log;
}

export interface ApiOptions extends FileRoutes {
  readonly token: HostToken;
  readonly sessions: HostSessions;
  readonly throttle: LoginThrottle;
  readonly handlers: Handlers;
  /** What the address of a request is called. */
  readonly addressOf: (request: Request) => string;
  /** Name of the session's cookie: servers on one machine share its cookies. */
  readonly cookie: string;
  readonly clock: Clock;
  /** Wall clock, ms. */
  readonly date: () => number;
}

/** All `no-such-…` are 404; the others are 409. */
const STATUS: Partial<Record<HostReason, number>> = {
  'no-session': 401,
  'wrong-token': 401,
  'too-many-tries': 429,
  'wrong-origin': 403,
  'wrong-key': 403,
  'unknown-call': 404,
  'bad-call': 400,
  'not-json': 400,
  'too-large': 413,
  failed: 500,
};

const COOKIE = { httpOnly: true, sameSite: 'strict', path: '/host' } as const;

/** Creates the router of all calls and files. */
export function createHostApi(options: ApiOptions): Router {
  const { handlers, files, publicFiles } = options;
  const router = express.Router();
  router.use((request, response, next) => {
    response.set('Cache-Control', 'no-store');
    if (request.method !== 'GET') requireOwnPage(request);
    next();
  });
  const json = express.json({ limit: DEFAULTS.host.maxBodyBytes, strict: true });
  const signedIn = async (request: Request, _response: Response, next: NextFunction) => {
    const session = await sessionOf(request, options);
    if (request.method !== 'GET' && !hasKey(session, request.get(KEY_HEADER))) {
      throw new HostRefusal('wrong-key');
    }
    next();
  };
  const answerTo = (name: CallName, wish: unknown, request: Request, response: Response) => {
    if (name === 'login') return login(wish as CallBody<'login'>, request, response, options);
    if (name === 'logout') return logout(request, response, options);
    if (name === 'session')
      return sessionOf(request, options).then((session) => stateOf(session, options));
    const handle = handlers[name] as (wish: unknown, parts: Parts) => unknown;
    return handle(wish, request.params as Parts);
  };
  for (const name of Object.keys(CALLS) as CallName[]) {
    const { method, path, body } = CALLS[name];
    const verb = method.toLowerCase() as Lowercase<typeof method>;
    const answer = async (request: Request, response: Response): Promise<void> => {
      const wish = method === 'GET' ? {} : parsed(body, request);
      response.json(await answerTo(name, wish, request, response));
    };
    // Authenticate before reading the body.
    if (name === 'login') router[verb](path, json, answer);
    else if (method === 'GET') router[verb](path, signedIn, answer);
    else router[verb](path, signedIn, json, answer);
  }
  for (const [path, handle] of Object.entries(files)) router.get(path, signedIn, handle);
  for (const [path, handle] of Object.entries(publicFiles)) router.get(path, handle);
  router.use(() => {
    throw new HostRefusal('unknown-call');
  });
  router.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    refuse(error, response, options.log);
  });
  return router;
}

/** The router of the files alone, for those who have checked that they may see them. */
export function createFileRouter({ files, publicFiles, log }: FileRoutes): Router {
  const router = express.Router();
  for (const [path, handle] of Object.entries({ ...files, ...publicFiles })) {
    router.get(path, handle);
  }
  router.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    refuse(error, response, log);
  });
  return router;
}

/** Rejects calls from other sites' pages. Programs send no such headers, and have no cookie. */
function requireOwnPage(request: Request): void {
  const site = request.get('sec-fetch-site');
  const foreign = site !== undefined && site !== 'same-origin' && site !== 'none';
  if (foreign || !isAllowedOrigin(request.headers, [])) throw new HostRefusal('wrong-origin');
}

function parsed(schema: v.GenericSchema, request: Request): unknown {
  if (request.body === undefined && Number(request.get('content-length') ?? 0) > 0) {
    throw new HostRefusal('not-json', 'say content-type: application/json');
  }
  const result = v.safeParse(schema, request.body ?? {}, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue);
  throw new HostRefusal('bad-call', `${where ? `${where}: ` : ''}${issue.message}`);
}

async function login(
  { token }: CallBody<'login'>,
  request: Request,
  response: Response,
  options: ApiOptions,
): Promise<SessionState> {
  const { throttle, clock, sessions, cookie, log } = options;
  const address = options.addressOf(request);
  // The right token never waits: it cannot be guessed, and others at the host's address must not be
  // able to keep the host out.
  if (!options.token.is(token)) {
    const now = clock.now();
    const wait = throttle.wait(address, now);
    if (wait > 0) throw new HostRefusal('too-many-tries', '', wait);
    const delay = throttle.fail(address, now);
    log.warn('wrong-host-token', 'Somebody tried a wrong host token.');
    throw new HostRefusal('wrong-token', '', delay > 0 ? delay : undefined);
  }
  throttle.succeed(address);
  const { word, session } = sessions.begin();
  // The page's next call may reach another server.
  await sessions.caughtUp();
  const maxAge = DEFAULTS.session.life;
  response.cookie(cookie, word, { ...COOKIE, secure: request.secure, maxAge });
  log.info('host-signed-in', 'The host has signed in.');
  return stateOf(session, options);
}

function logout(request: Request, response: Response, options: ApiOptions): Record<string, never> {
  options.sessions.end(wordOf(request, options.cookie));
  response.clearCookie(options.cookie, COOKIE);
  return {};
}

function stateOf(session: HostSession, { sessions, date }: ApiOptions): SessionState {
  return { key: session.key, until: date() + sessions.left(session) };
}

/** @throws HostRefusal no-session */
async function sessionOf(request: Request, { sessions, cookie }: ApiOptions): Promise<HostSession> {
  const isUse = request.method !== 'GET' || request.get(USED_HEADER) !== undefined;
  const word = wordOf(request, cookie);
  // A session that has just begun at another server may not have arrived here.
  if (word && !sessions.find(word, false)) await sessions.caughtUp();
  const session = sessions.find(word, isUse);
  if (!session) throw new HostRefusal('no-session');
  return session;
}

function wordOf(request: Request, cookie: string): string | undefined {
  for (const part of (request.get('cookie') ?? '').split(';')) {
    const [name, word] = part.trim().split('=');
    if (name === cookie) return word;
  }
  return undefined;
}

/** Errors of the body parser, by type. */
const UNREADABLE: Readonly<Record<string, HostReason>> = {
  'entity.too.large': 'too-large',
  'entity.parse.failed': 'not-json',
  'encoding.unsupported': 'not-json',
  'charset.unsupported': 'not-json',
};

function refuse(error: unknown, response: Response, log: Log): void {
  const refusal = refusalOf(error, log);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { reason, detail, retryAfter } = refusal;
  if (retryAfter !== undefined) response.set('Retry-After', `${Math.ceil(retryAfter / 1000)}`);
  const body: RefusalState = {
    reason,
    ...(detail && { detail }),
    ...(retryAfter !== undefined && { retryAfter }),
  };
  const otherwise = reason.startsWith('no-such-') ? 404 : 409;
  response.status(STATUS[reason] ?? otherwise).json(body);
}

function refusalOf(error: unknown, log: Log): HostRefusal {
  if (error instanceof HostRefusal) return error;
  const { type = '', status = 500, message } = error as Error & { type?: string; status?: number };
  const reason = UNREADABLE[type] ?? (status < 500 ? 'bad-call' : 'failed');
  if (reason === 'failed') log.error('host-call-failed', message);
  return new HostRefusal(reason);
}
