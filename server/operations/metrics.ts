/** Prometheus metrics in a registry of their own. They contain no personal data. */

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { WallState } from '../../shared/host/state.ts';
import type { EngineInfo } from '../engine/engine.ts';
import type { Log } from '../platform/log.ts';
import type { TickTiming } from '../world/ticker.ts';
import type { RoomTick } from '../world/world.ts';
import type { AlertMessage } from './alerts/alert.ts';

export interface MetricsOptions {
  readonly engine: EngineInfo;
  /** The open rooms; read when metrics are requested. `rate` is in ticks per second. */
  readonly rooms: () => readonly {
    readonly name: string;
    readonly participants: number;
    readonly organisms: number;
    readonly awake: number;
    /** Reported organisms that the host has not decided about. */
    readonly reported: number;
    readonly rate: number;
    readonly tick: number;
    /** Walls that are up. */
    readonly walls: number;
    readonly wallStates: readonly WallState[];
  }[];
  /** Connections of other servers to rooms here, and of this one to rooms of others. */
  readonly remote: () => readonly {
    readonly room: string;
    /** Where they are connected. */
    readonly server: string;
    readonly connections: number;
  }[];
  /** What this server has of a cluster; undefined: it is alone. */
  readonly cluster: () =>
    | {
        /** See `Bus.latency`, ms. */
        readonly latency: number | undefined;
        /** The epochs of its leases. */
        readonly epochs: readonly { readonly room: string; readonly epoch: number }[];
      }
    | undefined;
  /** Rejections since the start, by reason. */
  readonly rejections: () => Readonly<Record<string, number>>;
  /** Whether the journal is being written; undefined if nothing is stored. */
  readonly isPersisting: () => boolean | undefined;
  /** Bytes free on the disk of the data folder; undefined if that is not known. */
  readonly diskFree: () => number | undefined;
  /** Damaged data that were set aside; undefined if they are refused. */
  readonly setAside: () => number | undefined;
  /** The alerts that are not over. */
  readonly alerts: () => readonly AlertMessage[];
}

/** Records metrics and renders them as text. */
export interface Metrics {
  /** Records the results of a tick of some rooms. */
  ticked(ticks: readonly RoomTick[]): void;
  /** Records how late a tick began and how long it took. */
  timed(timing: TickTiming): void;
  /** Records a commit of the journal. @param duration ms */
  committed(duration: number): void;
  readonly contentType: string;
  /** The metrics in the Prometheus text format. */
  text(): Promise<string>;
  /** Removes all metrics from the registry. */
  close(): void;
}

/** Histogram buckets, s. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Figures of a wall; one that is null is left out. */
const WALL_FIGURES: Readonly<
  Record<string, { readonly help: string; readonly of: (wall: WallState) => number | null }>
> = {
  up: { help: '1 while it is up, else 0', of: ({ upFor }) => Number(upFor !== null) },
  up_seconds: { help: 'how long it has been up', of: ({ upFor }) => upFor && upFor / 1000 },
  frames_per_second: {
    help: 'frames per second that it confirms, one in a room at rest',
    of: ({ upFor, frameRate }) => (upFor === null ? null : frameRate),
  },
  lost_timestamp_seconds: {
    help: 'when it was lost, in seconds since the epoch',
    of: ({ lost }) => lost && lost / 1000,
  },
};

/** Creates the metrics of a server. Their names begin with `vivarium_`. */
export function createMetrics(options: MetricsOptions): Metrics {
  const { engine, rooms, isPersisting, rejections } = options;
  const registers = [new Registry()];
  const [registry] = registers;
  // Event-loop delay, heap, file descriptors.
  collectDefaultMetrics({ register: registry });
  /** What all metrics have in common. */
  const metric = (name: string, help: string) => ({ name: `vivarium_${name}`, help, registers });
  const histogram = (name: string, help: string) =>
    new Histogram({ ...metric(name, help), buckets: SECONDS });
  const tick = histogram(
    'tick_seconds',
    'Duration of a tick, including journal and broadcast unless the broadcast is deferred to the next tick.',
  );
  const late = histogram(
    'tick_late_seconds',
    'Delay between when a tick was due and when it began.',
  );
  const commit = histogram(
    'commit_seconds',
    'Time until a tick that was handed to the journal is on disk.',
  );
  const cells = new Counter(metric('cells_stepped', 'Cells stepped.'));
  const refused = new Counter({
    ...metric('refused_total', 'Commands that rooms rejected.'),
    labelNames: ['reason'],
  });
  const accepted = new Counter(metric('accepted_total', 'Commands that rooms accepted.'));
  const perRoom = [
    ...(['participants', 'organisms', 'awake', 'reported'] as const),
    ...(['rate', 'tick', 'walls'] as const),
  ];
  for (const what of perRoom) {
    new Gauge({
      ...metric(`room_${what}`, `Per room: ${what}.`),
      labelNames: ['room'],
      collect() {
        // Closed rooms have no metrics.
        this.reset();
        for (const room of rooms()) this.set({ room: room.name }, room[what]);
      },
    });
  }
  new Gauge({
    ...metric('remote_connections', 'Connections to a room over another server, by that server.'),
    labelNames: ['room', 'server'],
    collect() {
      this.reset();
      for (const { room, server, connections } of options.remote()) {
        this.set({ room, server }, connections);
      }
    },
  });
  new Gauge({
    ...metric('lease_epoch', 'Per room whose lease this server has: owners that it has had.'),
    labelNames: ['room'],
    collect() {
      this.reset();
      for (const { room, epoch } of options.cluster()?.epochs ?? []) this.set({ room }, epoch);
    },
  });
  new Counter({
    ...metric(
      'turned_away_total',
      'Connections, requests and messages rejected before they reached a room.',
    ),
    labelNames: ['reason'],
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(rejections())) this.inc({ reason }, count);
    },
  });
  const optional = (name: string, help: string, value: () => number | undefined) =>
    new Gauge({
      ...metric(name, help),
      collect() {
        const now = value();
        if (now === undefined) this.remove();
        else this.set(now);
      },
    });
  optional(
    'bus_latency_seconds',
    'Time that messages to the other servers of a cluster take; absent: it is alone, or Valkey is away.',
    () => {
      const latency = options.cluster()?.latency;
      return latency === undefined ? undefined : latency / 1000;
    },
  );
  optional(
    'keeping',
    '1: the journal is being written; 0: it is not, see the log; absent: nothing is stored.',
    () => {
      const persisting = isPersisting();
      return persisting === undefined ? undefined : Number(persisting);
    },
  );
  optional(
    'disk_free_bytes',
    "Bytes free on the data folder's disk; absent: nothing is stored.",
    options.diskFree,
  );
  optional(
    'set_aside',
    "Damaged data that were set aside and not yet dismissed on the host's page.",
    options.setAside,
  );
  for (const [what, { help, of }] of Object.entries(WALL_FIGURES)) {
    new Gauge({
      ...metric(`wall_${what}`, `Per wall that has a place of its own: ${help}.`),
      labelNames: ['room', 'wall'],
      collect() {
        this.reset();
        for (const { name: room, wallStates } of rooms()) {
          for (const state of wallStates.filter(({ id }) => id !== null)) {
            const figure = of(state);
            if (figure !== null) this.set({ room, wall: state.name }, figure);
          }
        }
      },
    });
  }
  new Gauge({
    ...metric('alert', 'Always 1: an alert that is not over. See HOSTING.md.'),
    labelNames: ['alert', 'room', 'wall'],
    collect() {
      this.reset();
      for (const { alert, room = '', wall = '' } of options.alerts()) {
        this.set({ alert, room, wall }, 1);
      }
    },
  });
  new Gauge({
    ...metric('engine', 'Always 1; the labels name the engine and its device.'),
    labelNames: ['name', 'device'],
  }).set({ ...engine }, 1);
  return {
    timed({ late: delay, took }) {
      late.observe(delay / 1000);
      tick.observe(took / 1000);
    },
    ticked(ticks) {
      for (const { result, cells: stepped } of ticks) {
        cells.inc(stepped);
        for (const { refused: refusal } of result.answers) {
          if (refusal) refused.inc({ reason: refusal.reason });
          else accepted.inc();
        }
      }
    },
    committed: (duration) => commit.observe(duration / 1000),
    contentType: registry.contentType,
    text: () => registry.metrics(),
    close: () => registry.clear(),
  };
}

/** A running metrics server. */
export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

export interface MetricsServerOptions {
  /** Whether a request is for a host that is allowed. */
  readonly admitHost: (request: IncomingMessage) => boolean;
  readonly log: Log;
}

/**
 * Serves `/metrics` on 127.0.0.1.
 *
 * @throws the error of listening
 */
export async function serveMetrics(
  metrics: Pick<Metrics, 'text' | 'contentType'>,
  port: number,
  { admitHost, log }: MetricsServerOptions,
): Promise<MetricsServer> {
  const server = createServer(async (request, response) => {
    const status = !admitHost(request) ? 421 : request.url !== '/metrics' ? 404 : undefined;
    if (status !== undefined) {
      response.writeHead(status).end();
      return;
    }
    try {
      const text = await metrics.text();
      response.writeHead(200, { 'Content-Type': metrics.contentType }).end(text);
    } catch (error) {
      log.warn('no-metrics', (error as Error).message);
      response.writeHead(500).end();
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  // For example a connection that could not be accepted: the server continues without it.
  server.on('error', (error) => log.warn('not-accepted', error.message));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * The heap may grow to three times its live size before a full collection. By default, a small
 * heap may grow by 8 MB, external buffers included. A busy room allocates that in a second, which
 * would mean a pause of 30 to 60 ms every second. Young objects are still collected, in 2 ms.
 */
const GROWTH_PERCENT = 200;

/** Makes full collections rare, in this process and all its threads. */
export function collectGarbageRarely(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
