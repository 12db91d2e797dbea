/** Collects and serves Prometheus metrics. They contain no personal data. */

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { WallState } from '../../shared/host/state.ts';
import type { EngineInfo } from '../engine/engine.ts';
import type { Log } from '../platform/log.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import type { Room } from '../world/room.ts';
import type { TickTiming } from '../world/ticker.ts';
import type { RoomTick } from '../world/world.ts';
import type { AlertMessage } from './alerts.ts';

type MeasuredRoom = Pick<RoomServer, 'room' | 'seats' | 'reports' | 'walls'>;

type ClusterFigures = { latency: number | undefined; epochs: { room: string; epoch: number }[] };

interface MetricsOptions {
  readonly engine: EngineInfo;
  /** The open rooms, by name. Read whenever metrics are requested. */
  readonly roomServers: ReadonlyMap<string, MeasuredRoom>;
  /** Returns a room's actual tick rate, in ticks per second. */
  readonly rateOf: (room: Room) => number;
  /**
   * Counts the visitors who are connected to one server while another runs their room, by room and
   * by the server to which they are connected. Includes only visitors whose connection or room is
   * on this server.
   */
  readonly remote: () => readonly { room: string; server: string; connections: number }[];
  /**
   * Returns the latency of the bus in ms, and the epochs of the leases that this server holds;
   * undefined outside a cluster.
   */
  readonly cluster: () => ClusterFigures | undefined;
  /**
   * Returns the numbers of connections and messages rejected since the server's start, by reason.
   */
  readonly rejections: () => Readonly<Record<string, number>>;
  /** Returns whether the journal is being written; undefined if storage is off. */
  readonly isPersisting: () => boolean | undefined;
  /** Returns the free space on the disk of the data folder, in bytes; undefined if unknown. */
  readonly diskFree: () => number | undefined;
  /**
   * Returns the number of damaged records that were set aside; undefined if this server never sets
   * records aside.
   */
  readonly setAside: () => number | undefined;
  /** Returns the announcements of all problems that are not over. */
  readonly alerts: () => readonly AlertMessage[];
}

export type Metrics = ReturnType<typeof createMetrics>;

/** Upper bounds of the buckets of histograms, in seconds. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/**
 * The metrics of each wall, by name: the help text, and a function that returns the value. A null
 * value is not reported.
 */
const WALL_FIGURES: Readonly<Record<string, [help: string, (wall: WallState) => number | null]>> = {
  up: ['1 while the wall is connected, otherwise 0', ({ upFor }) => Number(upFor !== null)],
  up_seconds: ['seconds since the wall came up', ({ upFor }) => upFor && upFor / 1000],
  frames_per_second: [
    'frames per second that the wall reports as shown; 1 while its room is at rest',
    ({ upFor, frameRate }) => (upFor === null ? null : frameRate),
  ],
  lost_timestamp_seconds: [
    'time at which the wall was lost, in seconds since the epoch',
    ({ lost }) => lost && lost / 1000,
  ],
};

/** Creates the metrics of a server. */
export function createMetrics(options: MetricsOptions) {
  const { engine, roomServers, rateOf } = options;
  const registers = [new Registry()];
  const [registry] = registers;
  collectDefaultMetrics({ register: registry });
  const metric = (name: string, help: string) => ({ name: `vivarium_${name}`, help, registers });
  const histogram = (name: string, help: string) =>
    new Histogram({ ...metric(name, help), buckets: SECONDS });
  /** Creates a gauge whose values are read only when metrics are requested. */
  const gauge = (
    name: string,
    help: string,
    labelNames: string[],
    read: () => Iterable<readonly [labels: Record<string, string>, value: number]>,
  ) =>
    new Gauge({
      ...{ ...metric(name, help), labelNames },
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.set(labels, value);
      },
    });
  const optional = (name: string, help: string, read: () => number | boolean | undefined) =>
    new Gauge({
      ...metric(name, help),
      collect() {
        const value = read();
        if (value === undefined) this.remove();
        else this.set(Number(value));
      },
    });
  const tick = histogram(
    'tick_seconds',
    'Duration of a tick, including the journal and the broadcast. A broadcast deferred to the next tick is not included.',
  );
  const late = histogram(
    'tick_late_seconds',
    'Delay of a tick: the time between when the tick was due and when it began.',
  );
  const commit = histogram(
    'commit_seconds',
    'Time from handing a tick to the journal until the tick is on disk.',
  );
  const cells = new Counter(metric('cells_stepped', 'Number of cell steps computed.'));
  const refused = new Counter({
    ...metric('refused_total', 'Commands that rooms rejected.'),
    labelNames: ['reason'],
  });
  const accepted = new Counter(metric('accepted_total', 'Commands that rooms accepted.'));
  const openRooms = () => [...roomServers.values()];
  const perRoom = (what: string, figureOf: (roomServer: MeasuredRoom) => number) =>
    gauge(`room_${what}`, `Per room: ${what}.`, ['room'], () =>
      openRooms().map((one) => [{ room: one.room.name }, figureOf(one)]),
    );
  perRoom('participants', ({ seats }) => seats.size);
  perRoom('organisms', ({ room }) => room.size);
  perRoom('awake', ({ room }) => room.awake);
  perRoom('reported', ({ reports }) => reports.size);
  perRoom('rate', ({ room }) => rateOf(room));
  perRoom('tick', ({ room }) => room.tick);
  perRoom('walls', ({ walls }) => walls.upCount);
  gauge(
    'remote_connections',
    'Visitors connected to a server that does not run their room. The label "server" names the server to which they are connected.',
    ['room', 'server'],
    () => options.remote().map(({ connections, ...labels }) => [labels, connections]),
  );
  gauge(
    'lease_epoch',
    'Number of owners that a room has had so far, reported only by the server that runs the room.',
    ['room'],
    () => (options.cluster()?.epochs ?? []).map(({ room, epoch }) => [{ room }, epoch]),
  );
  new Counter({
    ...metric(
      'turned_away_total',
      'Connections, requests and messages rejected before they reached a room.',
    ),
    labelNames: ['reason'],
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(options.rejections())) {
        this.inc({ reason }, count);
      }
    },
  });
  optional(
    'bus_latency_seconds',
    'Latency of messages to other servers of the cluster; absent if this server runs alone or Valkey does not answer.',
    () => {
      const latency = options.cluster()?.latency;
      return latency && latency / 1000;
    },
  );
  optional(
    'keeping',
    '1 if the journal is being written, 0 if writing has failed (see the log); absent if this server stores nothing.',
    options.isPersisting,
  );
  optional(
    'disk_free_bytes',
    "Free bytes on the data folder's disk; absent if this server stores nothing on disk.",
    options.diskFree,
  );
  optional(
    'set_aside',
    "Number of times that damaged data were set aside, without entries that the host has dismissed on the host's page.",
    options.setAside,
  );
  for (const [what, [help, figureOf]] of Object.entries(WALL_FIGURES)) {
    const about = `For each wall that has a seat in a room: ${help}.`;
    gauge(`wall_${what}`, about, ['room', 'wall'], () =>
      openRooms().flatMap(({ room, walls }) =>
        walls.states.flatMap((wall) => {
          const figure = wall.id === null ? null : figureOf(wall);
          return figure === null ? [] : [[{ room: room.name, wall: wall.name }, figure] as const];
        }),
      ),
    );
  }
  gauge(
    'alert',
    'Always 1; there is one series for each current alert. See "Alerts" in HOSTING.md.',
    ['alert', 'room', 'wall'],
    () => options.alerts().map(({ alert, room = '', wall = '' }) => [{ alert, room, wall }, 1]),
  );
  new Gauge({
    ...metric('engine', 'Always 1; the labels name the engine and its device.'),
    labelNames: ['name', 'device'],
  }).set({ ...engine }, 1);
  return {
    timed({ late: delay, took }: TickTiming): void {
      late.observe(delay / 1000);
      tick.observe(took / 1000);
    },
    ticked(ticks: readonly RoomTick[]): void {
      for (const { result, cells: stepped } of ticks) {
        cells.inc(stepped);
        for (const { refused: refusal } of result.answers) {
          if (refusal) refused.inc({ reason: refusal.reason });
          else accepted.inc();
        }
      }
    },
    /** Records a commit of the journal. @param duration how long the commit took, in ms */
    committed: (duration: number): void => commit.observe(duration / 1000),
    contentType: registry.contentType as string,
    text: () => registry.metrics(),
    close: () => registry.clear(),
  };
}

export type MetricsServer = Awaited<ReturnType<typeof serveMetrics>>;

/**
 * Serves the metrics at `/metrics` on 127.0.0.1.
 *
 * @param admitHost returns whether the `Host` header of a request is allowed
 * @throws Error of the system if the server cannot listen on the port
 */
export async function serveMetrics(
  metrics: Pick<Metrics, 'text' | 'contentType'>,
  port: number,
  admitHost: (request: IncomingMessage) => boolean,
  log: Log,
) {
  const server = createServer(async (request, response) => {
    if (!admitHost(request)) return response.writeHead(421).end();
    if (request.url !== '/metrics') return response.writeHead(404).end();
    try {
      const text = await metrics.text();
      return response.writeHead(200, { 'Content-Type': metrics.contentType }).end(text);
    } catch (error) {
      log.warn('no-metrics', (error as Error).message);
      return response.writeHead(500).end();
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  // An error may affect only one connection, so log it and continue.
  server.on('error', (error) => log.warn('not-accepted', error.message));
  return {
    port: (server.address() as AddressInfo).port,
    async close(): Promise<void> {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/**
 * How much the heap may grow before a full garbage collection, in per cent of the live objects.
 * V8's default lets a small heap grow by 8 MB, which a busy room allocates every second, and each
 * full collection pauses the room for 30 to 60 ms.
 */
const GROWTH_PERCENT = 100;

/** Makes full garbage collections rare in this process and its threads. */
export function collectGarbageRarely(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
