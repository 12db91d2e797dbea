/** A server that a suite of tests shares: started once, at the top of its file, and closed after its last test. */
import type { VivariumServer } from '../../server/composition/create-server.ts';
import type { Room } from '../../server/world/room.ts';
import { afterSuite, afterTest } from './closing.ts';
import { HostClient } from './host-client.ts';
import { type ServerOptions, type ServerSettings, startServer } from './server.ts';
import { Visitor } from './visitor.ts';

export interface SuiteServer {
  readonly server: VivariumServer;
  /** Its room `garden`. */
  readonly room: Room;
  /** http://host:port */
  readonly url: string;
  /** The visitor's page of `garden`. */
  readonly roomUrl: string;
  /** Comes into `garden`, and leaves after the test. */
  join(name?: string, wishes?: Parameters<typeof Visitor.join>[3]): Promise<Visitor>;
  /** A connection that has not joined, until the test ends. */
  connect(headers?: Record<string, string>, greeting?: object): Visitor;
}

/** Starts a server for all tests of this file. */
export async function suiteServer(
  settings?: ServerSettings,
  options?: ServerOptions,
): Promise<SuiteServer> {
  const server = await startServer(settings, options);
  afterSuite(() => server.close());
  const leaving = (visitor: Visitor): Visitor => {
    afterTest(() => visitor.leave());
    return visitor;
  };
  return {
    server,
    room: server.world.rooms.get('garden')!,
    url: `http://127.0.0.1:${server.port}`,
    roomUrl: `http://127.0.0.1:${server.port}/r/garden`,
    join: async (name, wishes) => leaving(await Visitor.join(server.port, 'garden', name, wishes)),
    connect: (headers, greeting) => leaving(new Visitor(server.port, headers, greeting)),
  };
}

/** The host of a server, signed in. */
export const hostOf = ({ port, hostToken }: VivariumServer): Promise<HostClient> =>
  HostClient.login(port, hostToken!);

/** A visitor who stays through all tests of this file. */
export async function suiteVisitor({ port }: VivariumServer, name?: string): Promise<Visitor> {
  const visitor = await Visitor.join(port, 'garden', name);
  afterSuite(() => visitor.leave());
  return visitor;
}
