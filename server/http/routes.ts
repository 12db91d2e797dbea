/** The HTTP routes: pages, pictures, health, metrics and the host's API. */
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
import { WRONG_HOST } from '../realtime/limits/connection-limits.ts';
import { PAINTERS } from '../vnca/checkpoint.ts';
import type { Species } from '../world/species.ts';
import type { Representation, StaticFiles } from './static-files.ts';

export interface AppOptions {
  /** The built client. */
  readonly files: StaticFiles;
  /** Serves the checkpoints' gallery pictures. */
  readonly gallery: RequestHandler<{ name: string }>;
  /** Latent maps by checkpoint name. */
  readonly maps?: ReadonlyMap<string, Pick<Species, 'map' | 'wholeMap'>>;
  /** Models for the page of keepsakes, by identity. */
  readonly models: ReadonlyMap<string, Representation>;
  /** The files of painters, by their paths. */
  readonly painters?: ReadonlyMap<string, Buffer>;
  readonly defaultRoom: string;
  /** The family trees of rooms. */
  readonly lineage?: Router;
  /** The API of the host's page. */
  readonly host?: Router;
  /**
   * Whether a wall is connected from the requesting address; undefined if the room is not open.
   */
  readonly hasWall: (room: string, request: IncomingMessage) => boolean | undefined;
  /** Has another server answer a request about a room that runs there. */
  readonly passRoom?: RequestHandler;
  /** Number of trusted proxies in front of the server, which say whether a request came by TLS. */
  readonly trustProxy: number;
  /** Whether a request is for a host that is allowed. */
  readonly admitHost: (request: IncomingMessage) => boolean;
  /**
   * Called for each request except health checks.
   *
   * @returns how long the address must wait, ms; 0: not at all
   */
  readonly admit: (request: IncomingMessage) => number;
  /** Checks that a restart can fix; any `false` means unhealthy. */
  readonly health: () => Readonly<Record<string, boolean>>;
  /** Checks for traffic; any `false`, except `keeping`, means not ready. */
  readonly readiness: () => Readonly<Record<string, boolean | null>>;
  /** Metrics, if they are served on this port. */
  readonly metrics?: Pick<Metrics, 'contentType' | 'text'> | undefined;
}

/** The longest wait that Retry-After asks for, ms. */
const LONGEST_WAIT = 60_000;

/** Answer also to requests without a Host, as balancers send them. Browsers always name one. */
const HEALTH_PATHS = ['/healthz', '/readyz'];

/** For files with a hash in their name. */
const FOREVER = 'public, max-age=31536000, immutable';

/** The page's own host as a WebSocket source; older browsers do not include it in 'self'. */
function ownSockets(request: IncomingMessage): string {
  const { host = '' } = request.headers;
  return /^[\w.:[\]-]+$/.test(host) ? `ws://${host} wss://${host}` : "'self'";
}

/**
 * Lets the wall's machine find out that its browser has crashed. `null` means that the room is not
 * open, which a new browser would not change.
 */
export const wallAlive =
  (hasWall: AppOptions['hasWall']): RequestHandler<{ room: string }> =>
  (request, response) => {
    const alive = hasWall(request.params.room, request) ?? null;
    response.set('Cache-Control', 'no-store');
    response.status(alive === false ? 503 : 200).json({ wall: alive });
  };

/** Creates the Express application. */
export function createApp(options: AppOptions): Express {
  const app = express();
  // Error pages must not show stack traces.
  app.set('env', 'production');
  app.disable('x-powered-by');
  app.set('trust proxy', options.trustProxy);
  // Drops requests that arrived together with the one that ended their connection.
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
          frameAncestors: ["'self'"],
        },
      },
      // Venues use plain http on their networks, so browsers must not insist on TLS.
      strictTransportSecurity: false,
      crossOriginOpenerPolicy: false,
      originAgentCluster: false,
    }),
  );
  app.use((request, response, next) => {
    const isProbe = request.headers.host === undefined && HEALTH_PATHS.includes(request.path);
    if (isProbe || options.admitHost(request)) return next();
    response.status(WRONG_HOST.status).type('text').send(WRONG_HOST.text);
  });
  app.get('/healthz', (_request, response) => {
    const health = options.health();
    const healthy = Object.values(health).every(Boolean);
    response.status(healthy ? 200 : 503).json(health);
  });
  app.get('/readyz', (request, response) => {
    const readiness = options.readiness();
    // A full disk needs the host's attention, but visitors can still be served.
    const { keeping: _, ...needed } = readiness;
    const ready = Object.values(needed).every((passed) => passed !== false);
    // To HAProxy, 404 means: no new visitors, but those who are connected stay.
    const unready = request.query.unready === '404' ? 404 : 503;
    response.status(ready ? 200 : unready).json(readiness);
  });
  // After the health checks: a flood of requests must not make a supervisor restart the server.
  app.use((request, response, next) => {
    const wait = options.admit(request);
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
  if (options.host) app.use(API, options.host);
  app.get('/', (request, response) => {
    // A keepsake that does not name its room.
    const query = request.originalUrl.match(/\?seed=[\w-]+$/)?.[0] ?? '';
    response.redirect(`/r/${options.defaultRoom}${query}`);
  });
  const { files } = options;
  const page = (path: string) => (request: Request, response: Response, next: NextFunction) => {
    if (!files.send(path, 'no-cache', request, response)) next();
  };
  app.get('/r/:room', page('/index.html'));
  app.get('/wall/:room', page('/wall.html'));
  if (options.passRoom) app.get(['/wall/:room/alive', '/lineage/:room{/*more}'], options.passRoom);
  app.get('/wall/:room/alive', wallAlive(options.hasWall));
  app.get('/host', page('/host.html'));
  app.get('/keep', page('/keep.html'));
  app.get('/lineage', page('/lineage.html'));
  if (options.lineage) app.use(options.lineage);
  app.get<{ name: string }>(modelPath(':name'), (request, response, next) => {
    const model = options.models.get(request.params.name);
    if (!model) return next();
    response.set({ 'Cache-Control': 'public, max-age=3600', ETag: model.etag });
    response.type('application/octet-stream').send(model.bytes);
  });
  app.get(`${PAINTERS}/:hash`, (request, response, next) => {
    const painter = options.painters?.get(request.path);
    if (!painter) return next();
    response.set('Cache-Control', FOREVER).type('application/octet-stream').send(painter);
  });
  app.get('/checkpoints/:name/gallery.png', options.gallery);
  app.get('/checkpoints/:name/map.json', (request, response, next) => {
    const maps = options.maps?.get(request.params.name);
    const map = request.query.whole === undefined ? maps?.map : maps?.wholeMap;
    if (!map) return next();
    response.set('Cache-Control', 'max-age=3600');
    // Four decimals are finer than a pixel.
    const rounded = (share: number): number => Math.round(share * 1e4) / 1e4;
    response.json(map.map((place) => place && [rounded(place.x), rounded(place.y)]));
  });
  app.use((request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    const caching = request.path.startsWith('/assets/') ? FOREVER : 'public, max-age=0';
    if (!files.send(request.path, caching, request, response)) next();
  });
  app.use((_request, response) => {
    response.status(404).type('text').send('Page not found.');
  });
  // Malformed URLs are the client's error; the default handler would reveal internals.
  app.use((error: { status?: number }, _: Request, response: Response, next: NextFunction) => {
    const { status = 500 } = error;
    if (response.headersSent || status >= 500) next(error);
    else response.status(status).type('text').send('Page not found.');
  });
  return app;
}
