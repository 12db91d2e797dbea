/**
 * Lets other servers answer requests about their rooms, and answers their requests about rooms
 * here.
 */
import type { IncomingMessage } from 'node:http';
import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import { API } from '../../shared/host/api.ts';
import type { Bus } from '../cluster/bus/bus.ts';
import { RelayError, type RelayTarget, RequestRelay } from '../cluster/bus/request-relay.ts';
import { isTarget } from '../host/serve-calls.ts';
import { type LineageOptions, lineageRoutes } from '../http/room-pages.ts';
import { WALL_ALIVE, wallAlive } from '../http/routes.ts';
import type { Clock } from '../platform/clock.ts';
import type { ClusterRooms } from '../rooms/cluster-rooms.ts';
import type { RoomRegistry } from '../rooms/room-registry.ts';

export interface PageRelayOptions extends LineageOptions {
  /** Connects to the other servers; undefined if this server runs alone. */
  readonly bus: Bus | undefined;
  readonly cluster: ClusterRooms | undefined;
  readonly clock: Clock;
  /** Returns the key of a request's address, by which limits count requests. */
  readonly addressOf: (request: IncomingMessage) => string;
  readonly rooms: RoomRegistry;
  /** The host's API, for requests that another server has authenticated. */
  readonly hostApi: RequestHandler;
}

/** Relays requests about rooms and servers. Without a bus, all requests are answered here. */
export class PageRelay {
  /** Routes of the family trees of this server's rooms. */
  readonly lineage: Router;
  private relay: RequestRelay | undefined;

  private constructor(private readonly options: PageRelayOptions) {
    this.lineage = lineageRoutes({ ...options, addressOf: this.addressOf });
  }

  /** @throws Error if the bus has been closed */
  static async open(options: PageRelayOptions): Promise<PageRelay> {
    const pages = new PageRelay(options);
    const { bus, cluster, clock, hostApi } = options;
    if (!bus || !cluster) return pages;
    const serve = express();
    serve.set('env', 'production');
    serve.disable('x-powered-by');
    serve.use(API, hostApi);
    serve.use(pages.lineage);
    serve.get(WALL_ALIVE, wallAlive(pages.hasWall));
    const isFor = (to: RelayTarget): boolean => isTarget(to, cluster);
    pages.relay = await RequestRelay.open({ bus, clock, isFor, serve });
    return pages;
  }

  /**
   * Whether a wall is connected from the requesting address; undefined if the room is not open
   * here.
   */
  readonly hasWall = (room: string, request: IncomingMessage): boolean | undefined =>
    this.options.rooms.roomServers.get(room)?.walls.hasWallAt(this.addressOf(request));

  /**
   * Lets another server answer a request.
   *
   * @returns false if no server answers; nothing has been sent in that case
   */
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

  /**
   * Sends a GET request to another server and returns the JSON of the answer.
   *
   * @param time how long to wait for the answer, in ms
   * @throws Error if no server answers
   */
  readonly get = async (to: RelayTarget, path: string, time: number): Promise<unknown> =>
    this.relay?.get(to, path, time);

  /** Passes on a request about a room that another server runs. */
  readonly passRoom: RequestHandler = async (request, response, next) => {
    const room = `${request.params.room}`;
    const isElsewhere = this.options.cluster?.isElsewhere(room) ?? false;
    if (!isElsewhere || !(await this.pass({ room }, request, response))) next();
  };

  close(): void {
    this.relay?.close();
  }

  /** The key of the visitor's address, even if another server has passed the request on. */
  private readonly addressOf = (request: IncomingMessage): string =>
    this.relay?.addressOf(request) ?? this.options.addressOf(request);
}
