/** Collects and serves Prometheus metrics, which contain no personal data. */

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
   * Counts the visitors who are connected to this server but are in another server's room, and
   * those who are connected to another server but are in this server's room. The numbers are
   * grouped by room and by the server of the connection (`server`).
   */
  readonly remote: () => readonly { room: string; server: string; connections: number }[];
  /**
   * Returns the bus's latency in ms, and the epochs of the leases that this server holds; undefined
   * outside a cluster.
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
  up_seconds: ['seconds since the wall connected', ({ upFor }) => upFor && upFor / 1000],
  frames_per_second: [
    'frames per second that the wall shows, as reported by the wall; if nothing in the room changes, the wall shows 1 frame per second',
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
    'Duration of a tick, including the time to write the journal and to send frames to viewers. If the frames are sent only after the tick has ended, the time to send them is not included.',
  );
  const late = histogram(
    'tick_late_seconds',
    'Delay of a tick: time from when the tick was due until the tick began.',
  );
  const commit = histogram('commit_seconds', 'Time until the journal has written a tick to disk.');
  const cells = new Counter(
    metric('cells_stepped', 'Number of cell steps that the engine has computed.'),
  );
  const refused = new Counter({
    ...metric('refused_total', 'Number of commands that rooms rejected.'),
    labelNames: ['reason'],
  });
  const accepted = new Counter(metric('accepted_total', 'Number of commands that rooms accepted.'));
  const openRooms = () => [...roomServers.values()];
  const perRoom = (name: string, help: string, figureOf: (roomServer: MeasuredRoom) => number) =>
    gauge(`room_${name}`, help, ['room'], () =>
      openRooms().map((one) => [{ room: one.room.name }, figureOf(one)]),
    );
  perRoom('participants', 'Number of participants in the room.', ({ seats }) => seats.size);
  perRoom('organisms', 'Number of organisms in the room.', ({ room }) => room.size);
  perRoom('awake', 'Number of growing or awake organisms in the room.', ({ room }) => room.awake);
  perRoom(
    'reported',
    "Number of organisms that visitors have reported as unsuitable and that await the host's decision.",
    ({ reports }) => reports.size,
  );
  perRoom('rate', 'Actual tick rate of the room, in ticks per second.', ({ room }) => rateOf(room));
  perRoom('tick', 'Number of the latest tick of the room.', ({ room }) => room.tick);
  perRoom('walls', 'Number of connected walls of the room.', ({ walls }) => walls.upCount);
  gauge(
    'remote_connections',
    'Number of visitors who are connected to a server that does not run their room. The label "server" names the server to which the visitors are connected.',
    ['room', 'server'],
    () => options.remote().map(({ connections, ...labels }) => [labels, connections]),
  );
  gauge(
    'lease_epoch',
    "Number of times that a server has become the room's owner (the server that runs the room). Only the current owner reports this number.",
    ['room'],
    () => (options.cluster()?.epochs ?? []).map(({ room, epoch }) => [{ room }, epoch]),
  );
  new Counter({
    ...metric(
      'turned_away_total',
      'Number of connections, requests and messages that were rejected before they reached a room.',
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
    'Latency of messages to other servers of the cluster. Absent if this server is not in a cluster, or if Valkey does not answer.',
    () => {
      const latency = options.cluster()?.latency;
      return latency && latency / 1000;
    },
  );
  optional(
    'keeping',
    '1 if the server can write its journal, 0 if writing has failed (the log names the cause). Absent if this server stores nothing.',
    options.isPersisting,
  );
  optional(
    'disk_free_bytes',
    "Free bytes on the data folder's disk. Absent if this server stores nothing on disk.",
    options.diskFree,
  );
  optional(
    'set_aside',
    "Number of entries in the list of damaged data on the host's page. Entries that the host has dismissed are not counted.",
    options.setAside,
  );
  for (const [what, [help, figureOf]] of Object.entries(WALL_FIGURES)) {
    const about = `For each wall (large display) that has a reserved place in a room, with "pass=" in the wall's address: ${help}.`;
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
    'Always 1. Each current alert has its own time series. See "Alerts" in HOSTING.md.',
    ['alert', 'room', 'wall'],
    () => options.alerts().map(({ alert, room = '', wall = '' }) => [{ alert, room, wall }, 1]),
  );
  new Gauge({
    ...metric('engine', "Always 1. The labels name the engine and the engine's device."),
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
  // Log the error and continue, because it may affect only one connection.
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
 * With V8's default, a busy room would cause a full collection every second, and each full
 * collection pauses the room for 30 to 60 ms.
 */
const GROWTH_PERCENT = 100;

/** Makes full garbage collections rare in this process and its threads. */
export function collectGarbageRarely(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
