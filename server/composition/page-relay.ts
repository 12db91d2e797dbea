/** Has requests for rooms of other servers answered there, and answers those of others. */
import type { IncomingMessage } from 'node:http';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { API } from '../../shared/host/api.ts';
import type { Bus } from '../cluster/bus/bus.ts';
import { RelayError, type RelayTarget, RequestRelay } from '../cluster/bus/request-relay.ts';
import { lineageRoutes } from '../http/room-pages.ts';
import { wallAlive } from '../http/routes.ts';
import type { Clock } from '../platform/clock.ts';
import type { Bans } from '../realtime/policy/bans.ts';
import type { ClusterRooms } from '../rooms/cluster-rooms.ts';
import type { LoadedCheckpoint } from '../rooms/loaded-checkpoint.ts';
import type { RoomRegistry } from '../rooms/room-registry.ts';

export interface PageRelayOptions {
  /** undefined: this server is alone. */
  readonly bus: Bus | undefined;
  readonly cluster: ClusterRooms | undefined;
  readonly clock: Clock;
  /** What the address of a visitor's request is called. */
  readonly addressOf: (request: IncomingMessage) => string;
}

export interface RoomPagesOptions {
  readonly rooms: RoomRegistry;
  /** By name. */
  readonly checkpoints: ReadonlyMap<string, LoadedCheckpoint>;
  readonly bans: Bans;
  /** Wall clock, ms. */
  readonly date: () => number;
  /** Files of the host's API, for those who have checked that they may see them. */
  readonly files: RequestHandler;
}

/** Relays requests about rooms and servers; without a bus, all are answered here. */
export class PageRelay {
  private relay: RequestRelay | undefined;
  private readonly inner = express();
  /** Whether it has routes: without them, each answer would be that there is no such page. */
  private hasPages = false;

  private constructor(private readonly options: PageRelayOptions) {}

  /** @throws Error the bus has been closed */
  static async open(options: PageRelayOptions): Promise<PageRelay> {
    const pages = new PageRelay(options);
    const { bus, cluster, clock } = options;
    pages.inner.set('env', 'production');
    pages.inner.disable('x-powered-by');
    if (bus && cluster) {
      const isFor = (to: RelayTarget): boolean =>
        pages.hasPages &&
        ('server' in to
          ? to.server === cluster.name
          : cluster.roomServers.has(to.room) && !cluster.isElsewhere(to.room));
      pages.relay = await RequestRelay.open({ bus, clock, isFor, serve: pages.inner });
    }
    return pages;
  }

  /** What belongs to rooms and is asked for over HTTP, from here on by other servers too. */
  roomPages({ rooms, checkpoints, bans, date, files }: RoomPagesOptions) {
    const lineage = lineageRoutes({
      findServer: (room) => rooms.findServer(room),
      checkpointOf: (room) => checkpoints.get(rooms.planOf(room).checkpoint),
      ...{ addressOf: this.addressOf, bans, date },
    });
    const hasWall = (room: string, request: IncomingMessage) =>
      rooms.roomServers.get(room)?.walls.hasWallAt(this.addressOf(request));
    this.inner.use(API, files);
    this.inner.use(lineage);
    this.inner.get('/wall/:room/alive', wallAlive(hasWall));
    this.hasPages = true;
    return { lineage, hasWall, passRoom: this.passRoom };
  }

  /** See `PageRelayOptions`; of a request that another server has passed on too. */
  private readonly addressOf = (request: IncomingMessage): string =>
    this.relay?.addressOf(request) ?? this.options.addressOf(request);

  /** Has another server answer a request. @returns false if none does; nothing is answered then */
  readonly pass = async (
    to: RelayTarget,
    request: Request,
    response: Response,
  ): Promise<boolean> => {
    if (!this.relay) return false;
    try {
      await this.relay.pass(to, request, response, this.options.addressOf(request));
      return true;
    } catch (error) {
      if (error instanceof RelayError) return false;
      throw error;
    }
  };

  /** The same for a request about a room, if that runs on another server. */
  private readonly passRoom: RequestHandler = async (request, response, next) => {
    const room = `${request.params.room}`;
    const isElsewhere = this.options.cluster?.isElsewhere(room) ?? false;
    if (!isElsewhere || !(await this.pass({ room }, request, response))) next();
  };

  close(): void {
    this.relay?.close();
  }
}
