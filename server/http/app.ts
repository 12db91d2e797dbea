/** The pages and pictures over HTTP. */
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
import type { MapPoint } from '../../shared/latent-map.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { StaticFiles } from './static-files.ts';

export interface AppOptions {
  /** The built client. */
  readonly files: StaticFiles;
  /** Serves the pictures of the checkpoints' seeds. */
  readonly gallery: RequestHandler<{ name: string }>;
  /** Latent maps of the served checkpoints, by name. */
  readonly maps?: ReadonlyMap<string, readonly MapPoint[]>;
  readonly defaultRoom: string;
  /** The calls of the host's page. */
  readonly host?: Router;
  /** Whether a wall of this room is up at the address that asks; undefined where no such room is open. */
  readonly hasWall: (room: string, request: IncomingMessage) => boolean | undefined;
  /** Told of each request but those for health. @returns 0, or how long its address should wait before it asks again, ms */
  readonly admit: (request: IncomingMessage) => number;
  /** What the server cannot live without; all that is `false` speaks against it. */
  readonly health: () => Readonly<Record<string, boolean>>;
  /** What must be so for visitors to be sent here; all that is `false` speaks against it. */
  readonly readiness: () => Readonly<Record<string, boolean | null>>;
  /** Figures, where they are served beside the pages. */
  readonly metrics?: Pick<Metrics, 'contentType' | 'text'> | undefined;
}

/** The most that one is asked to wait, ms. */
const LONGEST_WAIT = 60_000;

/** For files whose names carry their hash. */
const FOREVER = 'public, max-age=31536000, immutable';

/** Sockets of the host that gave the page, and of no other; older browsers do not count those as 'self'. */
function ownSockets(request: IncomingMessage): string {
  const { host = '' } = request.headers;
  return /^[\w.:[\]-]+$/.test(host) ? `ws://${host} wss://${host}` : "'self'";
}

export function createApp(options: AppOptions): Express {
  const app = express();
  // Whatever goes wrong, nobody is shown a stack.
  app.set('env', 'production');
  app.disable('x-powered-by');
  // Requests that came in one piece with the one that ended their connection.
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
      // A venue's LAN has plain http: nothing may tell browsers to insist on TLS.
      strictTransportSecurity: false,
      crossOriginOpenerPolicy: false,
      originAgentCluster: false,
    }),
  );
  app.get('/healthz', (_request, response) => {
    const health = options.health();
    const healthy = Object.values(health).every((is) => is);
    response.status(healthy ? 200 : 503).json(health);
  });
  app.get('/readyz', (_request, response) => {
    const readiness = options.readiness();
    // A disk that is full is a worry, but no reason to send visitors away.
    const { keeping: _, ...needed } = readiness;
    const ready = Object.values(needed).every((is) => is !== false);
    response.status(ready ? 200 : 503).json(readiness);
  });
  // After what tells a supervisor of the server's health: a flood must not get it restarted.
  app.use((request, response, next) => {
    const wait = options.admit(request);
    if (wait === 0) return next();
    response.set('Retry-After', `${Math.ceil(Math.min(wait, LONGEST_WAIT) / 1000)}`);
    response.status(429).type('text').send('Too much at once. Please try again in a moment.');
  });
  const { metrics } = options;
  if (metrics) {
    app.get('/metrics', async (_request, response) => {
      const text = await metrics.text();
      response.set('Content-Type', metrics.contentType).send(text);
    });
  }
  if (options.host) app.use(API, options.host);
  app.get('/', (_request, response) => response.redirect(`/r/${options.defaultRoom}`));
  const { files } = options;
  const page = (path: string) => (request: Request, response: Response, next: NextFunction) => {
    if (!files.send(path, 'no-cache', request, response)) next();
  };
  app.get('/r/:room', page('/index.html'));
  app.get('/wall/:room', page('/wall.html'));
  // For the wall's own machine, to know that its browser has died; where there is no room, a new one would not help.
  app.get('/wall/:room/alive', (request, response) => {
    const alive = options.hasWall(request.params.room, request) ?? null;
    response.set('Cache-Control', 'no-store');
    response.status(alive === false ? 503 : 200).json({ wall: alive });
  });
  app.get('/host', page('/host.html'));
  app.get('/checkpoints/:name/gallery.png', options.gallery);
  app.get('/checkpoints/:name/map.json', (request, response, next) => {
    const map = options.maps?.get(request.params.name);
    if (!map) return next();
    response.set('Cache-Control', 'max-age=3600');
    // Places to a thousandth of a screen are enough for the eye.
    response.json(map.map(({ x, y }) => [Math.round(x * 1e4) / 1e4, Math.round(y * 1e4) / 1e4]));
  });
  app.use((request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    const caching = request.path.startsWith('/assets/') ? FOREVER : 'public, max-age=0';
    if (!files.send(request.path, caching, request, response)) next();
  });
  app.use((_request, response) => {
    response.status(404).type('text').send('There is nothing here.');
  });
  // An address that cannot be read is no fault of ours, and no stranger's business how we are built.
  app.use((error: { status?: number }, _: Request, response: Response, next: NextFunction) => {
    const { status = 500 } = error;
    if (response.headersSent || status >= 500) next(error);
    else response.status(status).type('text').send('There is nothing here.');
  });
  return app;
}
