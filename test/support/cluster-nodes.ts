/** Processes of a cluster, which tests stop, kill and cut off. */
import type { Command } from '../../shared/protocol/commands.ts';
import { createRandom } from '../../shared/random.ts';
import { FaultProxy } from './fault-proxy.ts';
import { SMALL } from './organisms.ts';
import { flagsOf, ServerProcess } from './process.ts';
import type { ValkeyServer } from './valkey.ts';
import { Visitor } from './visitor.ts';
import { within } from './waiting.ts';

/** Of the room, cells. */
export const SIDE = 96;

/** A node has followed the room since it last opened it. */
export const FOLLOWED = /This server keeps a copy of room (?![\s\S]*(?:is restored|taken over in))/;

const OPENED = /is restored|taken over in its current state/g;

/** How a node has opened the room, each time that it has. */
export const openings = ({ server }: Node): readonly string[] =>
  [...server.output.matchAll(OPENED)].map(([words]) => words);

/** A server of the cluster, in a process of its own. */
export interface Node {
  readonly server: ServerProcess;
  readonly port: number;
  /** Its way to Valkey. */
  readonly proxy: FaultProxy;
  close(): Promise<void>;
}

/** What `--role` takes. */
export type Role = 'owner' | 'gateway' | 'both';

/**
 * Starts one with a room in which acts cost nothing and nobody gardens.
 *
 * @param more settings; `port` 0 takes a free one
 */
export async function startNode(
  valkey: ValkeyServer,
  role: Role,
  more: Readonly<Record<string, string | number>> = {},
): Promise<Node> {
  const proxy = await FaultProxy.open({ port: valkey.port, random: createRandom(1) });
  const cluster = `redis://127.0.0.1:${proxy.port}`;
  const server = new ServerProcess(
    flagsOf({
      ...{ port: 0, host: '127.0.0.1', data: 'none', cluster, role, size: `${SIDE}x${SIDE}` },
      ...{ 'max-organisms': 8, snapshot: 0.5, attract: 'off', energy: 'plant=0,damagePerCell=0' },
      ...SMALL,
      ...more,
    }),
  );
  const close = async (): Promise<void> => {
    server.child.kill('SIGCONT');
    await server.end('SIGKILL');
    await proxy.close();
  };
  const port = await within(() => `the start of the ${role}: ${lastWords(server)}`, server.alive());
  return { server, port, proxy, close };
}

const lastWords = ({ output, errors }: ServerProcess): string =>
  (output + errors).trim().split('\n').slice(-6).join('\n');

/** What nodes have said last, and what visitors have heard last: for who waits in vain. */
export function lastHeard(nodes: readonly Node[], visitors: readonly Visitor[]): string {
  const said = nodes.map(({ server, port }) => `${port} says:\n${lastWords(server)}`);
  const heard = visitors.map(({ tick, heard }, i) => {
    const events = heard.filter(({ name }) => name !== 'frame' && name !== 'cursors');
    const last = events.slice(-6).map(({ name, message }) => {
      if (name === 'disconnect') return `${name} (${message})`;
      const { reason = '', id = '' } = (message ?? {}) as { reason?: string; id?: number };
      return `${name} ${reason} ${id}`.trim();
    });
    return `visitor ${i + 1} is at tick ${tick}, and has heard ${last.join(', ')}`;
  });
  return [...said, ...heard].join('\n');
}

/** Prints a figure, if figures are asked for. */
export const say = (figure: string): void => {
  if (process.env.VIVARIUM_FIGURES) process.stderr.write(`${figure}\n`);
};

/** Waits. @param ms of this machine's clock */
export const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

/**
 * Knocks at the nodes in turn, as a page behind a balancer does, until one lets the visitor in.
 *
 * @param watch called with each connection before it says anything
 * @throws Error none does
 */
export async function joinAny(
  nodes: readonly Node[],
  wishes: Partial<Command<'join'>> = {},
  watch: (visitor: Visitor) => void = () => {},
): Promise<[Visitor, Node]> {
  let latest: Visitor | undefined;
  let hasGivenUp = false;
  const knock = async (): Promise<[Visitor, Node]> => {
    for (let i = 0; ; i++) {
      const node = nodes[i % nodes.length];
      const visitor = new Visitor(node.port);
      latest = visitor;
      watch(visitor);
      visitor.requestJoin(wishes);
      const isOver = (): boolean => visitor.heard.some(({ name }) => name !== 'frame');
      // A server that is suspended takes the connection, but does not answer.
      const isAnswered = visitor.until(() => isOver() || visitor.tick !== undefined);
      await Promise.race([isAnswered, sleep(1_000)]);
      if (visitor.welcome) {
        await visitor.until(() => visitor.tick !== undefined);
        return [visitor, node];
      }
      visitor.leave();
      if (hasGivenUp) throw new Error('Nobody waits any more.');
      await sleep(100);
    }
  };
  try {
    return await within(() => `entry: ${lastHeard(nodes, latest ? [latest] : [])}`, knock());
  } finally {
    hasGivenUp = true;
  }
}

/** Whether a visitor's connection has ended. */
export const isGone = ({ heard }: Visitor): boolean =>
  heard.some(({ name }) => name === 'disconnect');
