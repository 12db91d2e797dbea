/**
 * The host's HTTP API: authenticates and validates requests, passes them to the right server of a
 * cluster, and sends error responses. calls.ts executes the calls, and files.ts sends the files.
 */
import { type ConversionConfig, toJsonSchema } from '@valibot/to-json-schema';
import express, {
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from 'express';
import * as v from 'valibot';
import {
  API,
  CALLS,
  type CallName,
  FILES,
  KEY_HEADER,
  LOGIN_CALLS,
  OPENAPI,
  USED_HEADER,
} from '../../shared/host/api.ts';
import { type HostReason, HostRefusal } from '../../shared/host/reasons.ts';
import { type Role, roleOf } from '../../shared/host/roles.ts';
import {
  type JobState,
  type RefusalState,
  refusal,
  type SessionState,
} from '../../shared/host/state.ts';
import { MAX_LOGO_BYTES } from '../../shared/limits.ts';
import type { RelayTarget } from '../cluster/bus/request-relay.ts';
import type { Log } from '../platform/log.ts';
import { isAllowedOrigin } from '../realtime/limits/connection-limits.ts';
import type { ClusterRooms } from '../rooms/cluster-rooms.ts';
import { HANDLERS, type Host, type Parts } from './calls.ts';
import { FILE_HANDLERS } from './files.ts';
import { type HostSession, type HostSessions, hasKey, SESSION } from './host-sessions.ts';
import type { HostToken } from './host-token.ts';
import type { LoginThrottle } from './login-throttle.ts';

/** Maximum size of request bodies, in bytes. Only `putLogo` has a different limit. */
export const MAX_BODY_BYTES = 16_384;

/**
 * Calls about a room that perhaps no server runs. Any server that can run rooms may execute these
 * calls.
 */
const OF_ANY_OWNER: readonly string[] = ['createRoom', 'openRoom', 'removeRoom'];

/**
 * Finds the server that must answer a request: the server in the request's path, or the server that
 * has the film or runs the room in the path.
 *
 * @param call name of the call; undefined for a file
 * @returns undefined if this server must answer
 * @throws HostRefusal 'no-such-server'
 */
export function targetOf(
  { cluster, films }: Pick<Host, 'cluster'> & { readonly films: Pick<Host['films'], 'states'> },
  { room, server, job }: Parts,
  call?: CallName,
): RelayTarget | undefined {
  if (!cluster) return undefined;
  if (server !== undefined && !cluster.knows(server)) throw new HostRefusal('no-such-server');
  const hasFilm = (jobs: readonly JobState[]): boolean => jobs.some(({ id }) => id === job);
  const elsewhere = hasFilm(films.states) ? [] : [...cluster.filmsElsewhere];
  const name = server ?? elsewhere.find(([, jobs]) => hasFilm(jobs))?.[0];
  if (name !== undefined) return name === cluster.name ? undefined : { server: name };
  // If this server cannot run rooms, or is handing its rooms over (draining), pass the calls in
  // `OF_ANY_OWNER` to a server that runs another room. Such a server can run rooms.
  const of = call && OF_ANY_OWNER.includes(call) ? cluster.ledElsewhere(room) : undefined;
  if (of !== undefined) return { room: of };
  return room !== undefined && cluster.isElsewhere(room) ? { room } : undefined;
}

export const isTarget = (
  target: RelayTarget,
  cluster: Pick<ClusterRooms, 'name' | 'roomServers' | 'isElsewhere'>,
): boolean =>
  'server' in target
    ? target.server === cluster.name
    : cluster.roomServers.has(target.room) && !cluster.isElsewhere(target.room);

/** Passes requests to other servers of the cluster. */
export interface Relay {
  /**
   * Passes a request to another server, and that server's answer to the client.
   *
   * @returns false if the other server does not answer; the client has then been sent nothing
   */
  pass(to: RelayTarget, request: Request, response: Response): Promise<boolean>;
  /**
   * Sends a GET request to another server, and returns the parsed JSON of the answer.
   *
   * @param time timeout, in ms
   * @throws Error if the other server does not answer in time
   */
  get(to: RelayTarget, path: string, time: number): Promise<unknown>;
}

export interface ApiOptions {
  readonly host: Host;
  readonly relay: () => Relay;
  readonly token: HostToken;
  readonly sessions: HostSessions;
  readonly throttle: LoginThrottle;
  readonly addressOf: (request: Request) => string;
  /**
   * Name of the session cookie. Servers on one machine need different names, because a browser
   * sends cookies to all ports of a machine.
   */
  readonly cookie: string;
}

/** Files that walls and visitors fetch without signing in. */
const PUBLIC_FILES: readonly FileName[] = ['wallFrame', 'logo'];
/** Files that no other server may send, because they contain this server's network addresses. */
const OWN_FILES: readonly FileName[] = ['sign'];

/**
 * HTTP status by reason. Reasons that are not listed have status 404 if they begin with `no-such-`,
 * otherwise 409.
 */
const STATUS: Partial<Record<HostReason, number>> = {
  'no-session': 401,
  'wrong-token': 401,
  'too-many-tries': 429,
  'wrong-origin': 403,
  'wrong-key': 403,
  'not-allowed': 403,
  'too-many-calls': 429,
  'unknown-call': 404,
  'bad-call': 400,
  'not-json': 400,
  'too-large': 413,
  failed: 500,
};

const COOKIE = { httpOnly: true, sameSite: 'strict', path: '/host' } as const;

const parseJson = express.json({ limit: MAX_BODY_BYTES, strict: true });
/** Parses the body of `putLogo`, which contains a picture in base64. */
const parsePicture = express.json({ limit: 1.4 * MAX_LOGO_BYTES, strict: true });

/** Creates the router for all calls and files of the host's API. */
export function createHostApi(options: ApiOptions): Router {
  const { host, relay } = options;
  const router = express.Router();
  router.use((request, response, next) => {
    response.set('Cache-Control', 'no-store');
    if (request.method !== 'GET') requireOwnPage(request);
    next();
  });
  const signedIn = async (request: Request, _response: Response, next: NextFunction) => {
    const session = await sessionOf(request, options);
    if (request.method !== 'GET' && !hasKey(session, request.get(KEY_HEADER))) {
      throw new HostRefusal('wrong-key');
    }
    next();
  };
  /**
   * Creates middleware that admits the signed-in host, and programs whose access token allows the
   * call or file `name`.
   */
  const admitted =
    (name: string) => async (request: Request, response: Response, next: NextFunction) => {
      const token = /^bearer (\S{1,256})$/i.exec(request.get('authorization') ?? '')?.[1];
      if (token === undefined) return signedIn(request, response, next);
      response.locals.role = roleOfProgram(token, name, request, options);
      next();
    };
  router.post(CALLS.login.path, parseJson, async (request, response) => {
    const { token } = parsed(CALLS.login.body, request);
    const address = options.addressOf(request);
    if (!options.token.is(token)) throw wrongToken('a wrong host token', address, options);
    options.throttle.succeed(address);
    const { word, session } = await options.sessions.begin();
    const maxAge = SESSION.life;
    response.cookie(options.cookie, word, { ...COOKIE, secure: request.secure, maxAge });
    host.log.info('host-signed-in', 'The host has signed in.');
    response.json(stateOf(session, options));
  });
  router.post(CALLS.logout.path, signedIn, async (request, response) => {
    await options.sessions.end(wordOf(request, options.cookie));
    response.clearCookie(options.cookie, COOKIE).json({});
  });
  router.get(CALLS.session.path, async (request, response) => {
    response.json(stateOf(await sessionOf(request, options), options));
  });
  let document: ReturnType<typeof openApi> | undefined;
  router.get(OPENAPI, (_request, response) => {
    document ??= openApi(host.version);
    response.json(document);
  });
  const elsewhere =
    (call?: CallName) => async (request: Request, response: Response, next: NextFunction) => {
      const target = targetOf(host, request.params as Parts, call);
      if (!target) return next();
      // Validate the body before passing it on: the relay forwards bodies as JSON, so any other
      // body must be refused here.
      if (call && request.method !== 'GET') parsed(CALLS[call].body, request);
      if (await relay().pass(target, request, response)) return;
      // The other server has not answered. If the request is for a file, this server may have the
      // file, too.
      if (!call) return next();
      throw new HostRefusal('server' in target ? 'no-such-server' : 'elsewhere');
    };
  // Authenticate before reading the body.
  addCalls(router, host, (call) => [
    ...[admitted(call), call === 'putLogo' ? parsePicture : parseJson, elsewhere(call)],
  ]);
  addFiles(router, host, (name) => [
    ...(PUBLIC_FILES.includes(name) ? [] : [admitted(name)]),
    ...(OWN_FILES.includes(name) ? [] : [elsewhere()]),
  ]);
  router.use(() => {
    throw new HostRefusal('unknown-call');
  });
  router.use(refusing(host.log));
  return router;
}

/**
 * Creates the router for requests that another server has authenticated and passed on.
 *
 * @param isClosed returns whether the host's services have been closed. If so, requests are refused
 */
export function createRelayedApi(host: Host, isClosed: () => boolean): Router {
  const router = express.Router();
  router.use((_request, _response, next) => {
    if (isClosed()) throw new HostRefusal('elsewhere');
    next();
  });
  addCalls(router, host, () => [parseJson]);
  addFiles(router, host, () => []);
  router.use(refusing(host.log));
  return router;
}

type HandledCall = keyof typeof HANDLERS;
type FileName = keyof typeof FILES;

function addCalls(router: Router, host: Host, before: (call: HandledCall) => RequestHandler[]) {
  for (const name of Object.keys(HANDLERS) as HandledCall[]) {
    const { method, path, body } = CALLS[name];
    const handle = HANDLERS[name] as (...all: [Host, unknown, Parts, Role]) => unknown;
    const verb = method.toLowerCase() as Lowercase<typeof method>;
    router[verb](path, ...before(name), async (request: Request, response: Response) => {
      const given = method === 'GET' ? {} : parsed(body, request);
      const { role = 'host' } = response.locals as { role?: Role };
      response.json((await handle(host, given, request.params as Parts, role)) ?? {});
    });
  }
}

function addFiles(router: Router, host: Host, before: (name: FileName) => RequestHandler[]): void {
  for (const name of Object.keys(FILES) as FileName[]) {
    router.get(FILES[name], ...before(name), (request, response) =>
      FILE_HANDLERS[name](host, request, response),
    );
  }
}

/**
 * Rejects calls from pages of other sites, which could otherwise use the host's cookie. Calls with
 * neither a `sec-fetch-site` nor an `origin` header come from programs, and are accepted.
 */
function requireOwnPage(request: Request): void {
  const site = request.get('sec-fetch-site');
  const foreign = site !== undefined && site !== 'same-origin' && site !== 'none';
  if (foreign || !isAllowedOrigin(request.headers, [])) throw new HostRefusal('wrong-origin');
}

function parsed<T>(schema: v.GenericSchema<unknown, T>, request: Request): T {
  if (request.body === undefined && Number(request.get('content-length') ?? 0) > 0) {
    throw new HostRefusal('not-json', 'send it with content-type: application/json');
  }
  const result = v.safeParse(schema, request.body ?? {}, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue);
  throw new HostRefusal('bad-call', `${where ? `${where}: ` : ''}${issue.message}`);
}

/**
 * Creates the refusal for a wrong token. Also counts the token, unless earlier wrong tokens have
 * delayed the network address and the delay is not over. Correct tokens are never delayed:
 * otherwise, somebody with the host's address could lock the host out with wrong tokens.
 */
function wrongToken(
  credential: string,
  address: string,
  { throttle, host }: ApiOptions,
): HostRefusal {
  const wait = throttle.wait(address);
  if (wait > 0) return new HostRefusal('too-many-tries', '', wait);
  const delay = throttle.fail(address);
  host.log.warn('wrong-host-token', `Somebody tried to sign in with ${credential}.`);
  return new HostRefusal('wrong-token', '', delay > 0 ? delay : undefined);
}

/**
 * Returns the role of a program's access token if the token allows the request.
 *
 * @param name name of the requested call or file
 * @throws HostRefusal 'wrong-token', 'too-many-tries', 'too-many-calls' or 'not-allowed'
 */
function roleOfProgram(token: string, name: string, request: Request, options: ApiOptions): Role {
  const { access, log } = options.host;
  const found = access.find(token);
  if (!found) throw wrongToken('a wrong access token', options.addressOf(request), options);
  access.charge(found, roleOf(name));
  if (request.method !== 'GET') {
    log.info('program-call', `The program “${found.name}” (role: ${found.role}) calls ${name}.`);
  }
  return found.role;
}

function stateOf(session: HostSession, { host, sessions }: ApiOptions): SessionState {
  return { key: session.key, until: host.date() + sessions.left(session) };
}

/** Finds the host's session by the request's cookie. @throws HostRefusal 'no-session' */
async function sessionOf(request: Request, { sessions, cookie }: ApiOptions): Promise<HostSession> {
  const isUse = request.method !== 'GET' || request.get(USED_HEADER) !== undefined;
  const session = await sessions.find(wordOf(request, cookie), isUse);
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

/** Maps the error type of Express's body parser to the reason with which the request is refused. */
const UNREADABLE: Readonly<Record<string, HostReason>> = {
  'entity.too.large': 'too-large',
  'entity.parse.failed': 'not-json',
  'encoding.unsupported': 'not-json',
  'charset.unsupported': 'not-json',
};

/** Creates the Express error handler, which answers failed requests. */
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

type Schema = Parameters<typeof toJsonSchema>[0];

/**
 * Options for converting a Valibot schema to JSON Schema. Validations that JSON Schema cannot
 * express are left out.
 */
const INPUT: ConversionConfig = { typeMode: 'input', errorMode: 'ignore' };

const content = (schema: Schema) => {
  const { $schema: _, ...json } = toJsonSchema(schema, INPUT);
  return { 'application/json': { schema: json } };
};

function operation(name: string, id: string, path: string) {
  const parameters = [...path.matchAll(/:(\w+)/g)].map(([, part]) => {
    return { name: part, in: 'path', required: true, schema: { type: 'string' } };
  });
  const role = roleOf(name);
  return {
    operationId: id,
    description: `The access token must have the role ${role}${role === 'host' ? '' : ' or a higher role'}.`,
    'x-role': role,
    ...(parameters.length > 0 && { parameters }),
  };
}

/** Creates the OpenAPI document of the host's API. @param version version of the server */
function openApi(version: string) {
  const paths: Record<string, Record<string, unknown>> = {};
  const add = (path: string, method: string, value: unknown): void => {
    const at = path.replace(/:(\w+)/g, '{$1}');
    paths[at] = { ...paths[at], [method.toLowerCase()]: value };
  };
  const refused = { $ref: '#/components/responses/Refused' };
  for (const [name, { method, path, body, answer }] of Object.entries(CALLS)) {
    if (LOGIN_CALLS.includes(name)) continue;
    add(path, method, {
      ...operation(name, name, path),
      ...(method !== 'GET' && { requestBody: { required: true, content: content(body) } }),
      responses: { 200: { description: 'Done.', content: content(answer) }, default: refused },
    });
  }
  for (const [name, path] of Object.entries(FILES)) {
    add(path, 'GET', {
      ...operation(name, `${name}File`, path),
      responses: { 200: { description: 'The file.' }, default: refused },
    });
  }
  const description =
    'The call was refused and changed nothing. The field `reason` names the cause, as one of a fixed set of words.';
  return {
    openapi: '3.1.0',
    info: { title: 'Vivarium', version },
    servers: [{ url: API }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      responses: { Refused: { description, content: content(refusal) } },
    },
  };
}
