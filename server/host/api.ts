/** The host's HTTP API: authentication, validation and error responses. */
import express, {
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from 'express';
import * as v from 'valibot';
import { DEFAULTS } from '../../shared/defaults.ts';
import {
  CALLS,
  type CallBody,
  type CallName,
  FILES,
  KEY_HEADER,
  USED_HEADER,
} from '../../shared/host/api.ts';
import { type HostReason, HostRefusal } from '../../shared/host/reasons.ts';
import type { RefusalState, SessionState } from '../../shared/host/state.ts';
import type { RelayTarget } from '../cluster/bus/request-relay.ts';
import type { Log } from '../platform/log.ts';
import { isAllowedOrigin } from '../realtime/admission/connection-admission.ts';
import type { Host, Parts } from './calls.ts';
import { FILE_HANDLERS } from './files.ts';
import {
  type HostSession,
  type HostSessions,
  hasKey,
  type LoginThrottle,
} from './host-sessions.ts';
import type { HostToken } from './host-token.ts';
import { targetOf } from './remote-calls.ts';

export interface ApiOptions {
  readonly host: Host;
  /** Executes a call, wherever it belongs. */
  readonly call: (name: CallName, body: unknown, parts: Parts) => unknown;
  /** Lets another server answer a request. @returns false if none does */
  readonly passOn: (to: RelayTarget, request: Request, response: Response) => Promise<boolean>;
  readonly token: HostToken;
  readonly sessions: HostSessions;
  readonly throttle: LoginThrottle;
  /** The client address of a request. */
  readonly addressOf: (request: Request) => string;
  /** Name of the session's cookie: servers on one machine share its cookies. */
  readonly cookie: string;
}

/** Files that a wall shows, so no session is needed. */
const PUBLIC_FILES: readonly string[] = [FILES.wallFrame];
/** Files that depend on the server that is asked. */
const OWN_FILES: readonly string[] = [FILES.sign];

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
  const { host, call, passOn } = options;
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
  const answerTo = (name: CallName, body: unknown, request: Request, response: Response) => {
    if (name === 'login') return login(body as CallBody<'login'>, request, response, options);
    if (name === 'logout') return logout(request, response, options);
    if (name === 'session')
      return sessionOf(request, options).then((session) => stateOf(session, options));
    return call(name, body, request.params as Parts);
  };
  for (const name of Object.keys(CALLS) as CallName[]) {
    const { method, path, body } = CALLS[name];
    const verb = method.toLowerCase() as Lowercase<typeof method>;
    const answer = async (request: Request, response: Response): Promise<void> => {
      const given = method === 'GET' ? {} : parsed(body, request);
      response.json((await answerTo(name, given, request, response)) ?? {});
    };
    // Authenticate before reading the body.
    if (name === 'login') router[verb](path, json, answer);
    else if (method === 'GET') router[verb](path, signedIn, answer);
    else router[verb](path, signedIn, json, answer);
  }
  const passed = async (request: Request, response: Response, next: NextFunction) => {
    const target = targetOf(request.params as Parts, host);
    if (!target || !(await passOn(target, request, response))) next();
  };
  addFiles(router, host, (path) => [
    ...(PUBLIC_FILES.includes(path) ? [] : [signedIn]),
    ...(OWN_FILES.includes(path) ? [] : [passed]),
  ]);
  router.use(() => {
    throw new HostRefusal('unknown-call');
  });
  router.use(refusing(host.log));
  return router;
}

/** The router of the files alone, for requests that another server has authenticated. */
export function createFileRouter(host: Host): Router {
  const router = express.Router();
  addFiles(router, host, () => []);
  router.use(refusing(host.log));
  return router;
}

function addFiles(router: Router, host: Host, checks: (path: string) => RequestHandler[]): void {
  for (const name of Object.keys(FILES) as (keyof typeof FILES)[]) {
    router.get(FILES[name], ...checks(FILES[name]), (request, response) =>
      FILE_HANDLERS[name](host, request, response),
    );
  }
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
  const { throttle, sessions, cookie, host } = options;
  const address = options.addressOf(request);
  // The right token never waits: it cannot be guessed, and others at the host's address must not be
  // able to keep the host out.
  if (!options.token.is(token)) {
    const wait = throttle.wait(address);
    if (wait > 0) throw new HostRefusal('too-many-tries', '', wait);
    const delay = throttle.fail(address);
    host.log.warn('wrong-host-token', 'Somebody tried a wrong host token.');
    throw new HostRefusal('wrong-token', '', delay > 0 ? delay : undefined);
  }
  throttle.succeed(address);
  const { word, session } = sessions.begin();
  // The page's next call may reach another server.
  await sessions.caughtUp();
  const maxAge = DEFAULTS.session.life;
  response.cookie(cookie, word, { ...COOKIE, secure: request.secure, maxAge });
  host.log.info('host-signed-in', 'The host has signed in.');
  return stateOf(session, options);
}

function logout(request: Request, response: Response, { sessions, cookie }: ApiOptions): void {
  sessions.end(wordOf(request, cookie));
  response.clearCookie(cookie, COOKIE);
}

function stateOf(session: HostSession, { sessions, host }: ApiOptions): SessionState {
  return { key: session.key, until: host.date() + sessions.left(session) };
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

/** Answers a request that has failed. */
const refusing =
  (log: Log) =>
  (error: unknown, _request: Request, response: Response, _next: NextFunction): void => {
    const { reason, detail, retryAfter } = refusalOf(error, log);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (retryAfter !== undefined) response.set('Retry-After', `${Math.ceil(retryAfter / 1000)}`);
    const body: RefusalState = {
      reason,
      ...(detail && { detail }),
      ...(retryAfter !== undefined && { retryAfter }),
    };
    const otherwise = reason.startsWith('no-such-') ? 404 : 409;
    response.status(STATUS[reason] ?? otherwise).json(body);
  };

function refusalOf(error: unknown, log: Log): HostRefusal {
  if (error instanceof HostRefusal) return error;
  const { type = '', status = 500, message } = error as Error & { type?: string; status?: number };
  const reason = UNREADABLE[type] ?? (status < 500 ? 'bad-call' : 'failed');
  if (reason === 'failed') log.error('host-call-failed', message);
  return new HostRefusal(reason);
}
