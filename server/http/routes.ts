/** Defines the server's HTTP routes: pages, pictures, health checks, metrics and the host's API. */
import type { IncomingMessage } from 'node:http';
import express, {
  type Express,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from 'express';
import helmet from 'helmet';
import { API } from '../../shared/host/api.ts';
import { modelPath } from '../../shared/seed-token.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { ExhaustionWatch, TickWatchdog } from '../operations/watches.ts';
import { type ConnectionLimits, WRONG_HOST } from '../realtime/limits/connection-limits.ts';
import { type Checkpoint, PAINTERS, paintersByPath } from '../vnca/checkpoint.ts';
import type { Species } from '../world/species.ts';
import { pageModels } from './keep-page.ts';
import type { StaticFiles } from './serve-client.ts';

interface AppOptions {
  readonly files: StaticFiles;
  readonly gallery: RequestHandler<{ name: string }>;
  readonly checkpoints: ReadonlyMap<string, { readonly species: Species }>;
  /** The checkpoints with their weights and painters. */
  readonly checkpointList: readonly Checkpoint[];
  readonly defaultRoom: string;
  /** Router of the host's API. */
  readonly host: Router;
  /** Handlers of requests about rooms, including rooms that run on other servers of the cluster. */
  readonly relay: {
    readonly lineage: Router;
    readonly hasWall: HasWall;
    readonly passRoom: RequestHandler;
  };
  /**
   * Number of reverse proxies in front of the server. The server trusts these proxies to report the
   * client's network address and the use of TLS.
   */
  readonly trustProxy: number;
  readonly connectionLimits: Pick<ConnectionLimits, 'admitHost' | 'admitRequest'>;
  /** Origins of other sites that may show the server's pages in frames. */
  readonly embed: readonly string[];
  /** Origins of other sites whose pages may load the client library and pictures. */
  readonly origins: readonly string[];
  /**
   * State that changes while the server runs. `hasFailed`: whether the rooms have stopped because
   * of an error. `closing`: set when the server starts to shut down.
   */
  readonly later: { readonly hasFailed: boolean; readonly closing?: unknown };
  readonly watchdog: Pick<TickWatchdog, 'isTicking'>;
  readonly descriptors: Pick<ExhaustionWatch, 'hasSome'>;
  /** Tells whether the rooms' changes are being stored; undefined if storage is off. */
  readonly journalWriter: { readonly isPersisting: boolean } | undefined;
  /** `isReady` tells whether visitors can join through this server; undefined outside a cluster. */
  readonly serverRooms: { readonly isReady?: (() => boolean) | undefined };
  /** The metrics to serve at `/metrics`; undefined if this port serves none. */
  readonly metrics: Pick<Metrics, 'contentType' | 'text'> | undefined;
}

/**
 * Returns whether a wall or table is connected from the network address of the request; undefined
 * if the room is closed.
 */
type HasWall = (room: string, request: IncomingMessage) => boolean | undefined;

/** Maximum delay in a `Retry-After` header, in ms. */
const LONGEST_WAIT = 60_000;

/** Paths that accept requests without a `Host` header, which some load balancers do not send. */
const HEALTH_PATHS = ['/healthz', '/readyz'];

/** Paths at which the computer of a wall or table can ask whether its browser is connected. */
export const WALL_ALIVE = ['/wall/:room/alive', '/table/:room/alive'];

/** `Cache-Control` header for files that never change, because their names contain a hash. */
const FOREVER = 'public, max-age=31536000, immutable';

/**
 * Returns the entry of the content security policy that allows WebSockets to the page's own host.
 * In older browsers, 'self' does not allow WebSockets.
 */
function ownSockets(request: IncomingMessage): string {
  const { host = '' } = request.headers;
  return /^[\w.:[\]-]+$/.test(host) ? `ws://${host} wss://${host}` : "'self'";
}

/**
 * Creates a handler that tells a wall's computer whether the wall's browser is connected, so that
 * the computer can restart the browser. The answer is `null` if the room is closed, because a
 * restart would not help.
 */
export const wallAlive =
  (hasWall: HasWall): RequestHandler<{ room: string }> =>
  (request, response) => {
    const alive = hasWall(request.params.room, request) ?? null;
    response.set('Cache-Control', 'no-store');
    response.status(alive === false ? 503 : 200).json({ wall: alive });
  };

/**
 * Returns a function that computes a value from a list, and caches the value until the list grows.
 */
function following<I, T>(list: readonly I[], of: (list: readonly I[]) => T): () => T {
  let [length, value] = [list.length, of(list)];
  return () => {
    if (list.length > length) [length, value] = [list.length, of(list)];
    return value;
  };
}

export function createApp(options: AppOptions): Express {
  const { connectionLimits, files, relay, checkpointList, later, watchdog, descriptors } = options;
  const models = following(checkpointList, pageModels);
  const painters = following(checkpointList, paintersByPath);
  const app = express();
  // In production mode, error pages do not show stack traces.
  app.set('env', 'production');
  app.disable('x-powered-by');
  app.set('trust proxy', options.trustProxy);
  // Ignore a request if an earlier request has made the server close the connection.
  app.use((request, _response, next) => {
    if (!request.socket.destroyed) next();
  });
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'"],
          styleSrc: ["'self'", "'unsafe-inline'"],
          imgSrc: ["'self'", 'data:', 'blob:'],
          fontSrc: ["'self'"],
          connectSrc: ["'self'", ownSockets],
          manifestSrc: ["'self'"],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          frameAncestors: ["'self'", ...options.embed],
        },
      },
      // Do not make browsers insist on TLS, because venues use plain HTTP on their networks.
      strictTransportSecurity: false,
      crossOriginOpenerPolicy: false,
      originAgentCluster: false,
    }),
  );
  app.use((request, response, next) => {
    const isProbe = request.headers.host === undefined && HEALTH_PATHS.includes(request.path);
    if (isProbe || connectionLimits.admitHost(request)) return next();
    response.status(WRONG_HOST.status).type('text').send(WRONG_HOST.text);
  });
  app.get('/healthz', (_request, response) => {
    // A supervisor restarts an unhealthy server, so count only problems that a restart can fix.
    const [ticking, hasDescriptors] = [!later.hasFailed, descriptors.hasSome];
    const health = { ticking, descriptors: hasDescriptors };
    response.status(ticking && hasDescriptors ? 200 : 503).json(health);
  });
  app.get('/readyz', (request, response) => {
    const [engine, open] = [!later.hasFailed, !later.closing];
    const needed = { engine, ticking: watchdog.isTicking, descriptors: descriptors.hasSome, open };
    const owner = options.serverRooms.isReady?.();
    const isReady = Object.values(needed).every(Boolean) && owner !== false;
    // If the answer is 404, HAProxy sends no new visitors here, but keeps connected visitors.
    const unready = request.query.unready === '404' ? 404 : 503;
    // `keeping` does not affect the status: the server can serve visitors even if changes are not
    // stored.
    const keeping = options.journalWriter?.isPersisting ?? null;
    response.status(isReady ? 200 : unready).json({ ...needed, keeping, owner });
  });
  // Apply the rate limit only to the routes below. If the limit made the health checks fail, a
  // supervisor would restart the server.
  app.use((request, response, next) => {
    const wait = connectionLimits.admitRequest(request);
    if (wait === 0) return next();
    response.set('Retry-After', `${Math.ceil(Math.min(wait, LONGEST_WAIT) / 1000)}`);
    response.status(429).type('text').send('Too many requests. Please try again in a moment.');
  });
  const { metrics } = options;
  if (metrics) {
    app.get('/metrics', async (_request, response) => {
      const text = await metrics.text();
      response.set('Content-Type', metrics.contentType).send(text);
    });
  }
  app.use(API, options.host);
  app.use((request, response, next) => {
    const { origin } = request.headers;
    const isKnown = origin !== undefined && options.origins.includes(origin);
    if (isKnown) response.set('Access-Control-Allow-Origin', origin);
    if (options.origins.length > 0) response.vary('Origin');
    next();
  });
  app.get('/', (request, response) => {
    // A keepsake's link may name a seed but no room, so pass on the seed in the redirect.
    const query = request.originalUrl.match(/\?seed=[\w-]+$/)?.[0] ?? '';
    response.redirect(`/r/${options.defaultRoom}${query}`);
  });
  const page = (path: string) => (request: Request, response: Response, next: NextFunction) => {
    if (!files.send(path, 'no-cache', request, response)) next();
  };
  app.get('/r/:room', page('/index.html'));
  app.get('/wall/:room', page('/wall.html'));
  app.get('/table/:room', page('/table.html'));
  app.get([...WALL_ALIVE, '/lineage/:room{/*more}'], relay.passRoom);
  app.get(WALL_ALIVE, wallAlive(relay.hasWall));
  app.get('/host', page('/host.html'));
  app.get('/keep', page('/keep.html'));
  app.get('/lineage', page('/lineage.html'));
  app.use(relay.lineage);
  app.get<{ name: string }>(modelPath(':name'), (request, response, next) => {
    const model = models().get(request.params.name);
    if (!model) return next();
    response.set({ 'Cache-Control': 'public, max-age=3600', ETag: model.etag });
    response.type('application/octet-stream').send(model.bytes);
  });
  app.get(`${PAINTERS}/:hash`, (request, response, next) => {
    const painter = painters().get(request.path);
    if (!painter) return next();
    response.set('Cache-Control', FOREVER).type('application/octet-stream').send(painter);
  });
  app.get('/checkpoints/:name/gallery.png', options.gallery);
  app.get('/checkpoints/:name/map.json', (request, response, next) => {
    const species = options.checkpoints.get(request.params.name)?.species;
    const map = request.query.whole === undefined ? species?.map : species?.wholeMap;
    if (!map) return next();
    response.set('Cache-Control', 'max-age=3600');
    // Four decimals of a position (0…1) are finer than a pixel.
    const rounded = (share: number): number => Math.round(share * 1e4) / 1e4;
    response.json(map.map((place) => place && [rounded(place.x), rounded(place.y)]));
  });
  app.use((request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    const caching = request.path.startsWith('/assets/') ? FOREVER : 'public, max-age=0';
    if (!files.send(request.path, caching, request, response)) next();
  });
  app.use((_request, response) => {
    response.status(404).type('text').send('Page not found. Check the address.');
  });
  // Answer malformed URLs with plain text, because the default error page shows internal details.
  app.use((error: { status?: number }, _: Request, response: Response, next: NextFunction) => {
    const { status = 500 } = error;
    if (response.headersSent || status >= 500) next(error);
    else response.status(status).type('text').send('Page not found. Check the address.');
  });
  return app;
}
