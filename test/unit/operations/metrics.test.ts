import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { createMetrics, serveMetrics } from '../../../server/operations/metrics.ts';
import { silentLog } from '../../../server/platform/log.ts';
import { afterTest } from '../../support/closing.ts';

const ENGINE = { name: 'onnx', device: 'cpu' };

test('a closed or removed room has no metrics', async () => {
  const room = (name: string, size: number) => {
    const cells = { name, size: 1, awake: 1, tick: 9 };
    const walls = { upCount: 0, states: [] };
    return [name, { room: cells, seats: { size }, reports: { size: 0 }, walls }] as const;
  };
  const roomServers = new Map([room('garden', 3), room('attic', 2)]);
  const metrics = createMetrics({
    ...{ engine: ENGINE, roomServers: roomServers as never, rateOf: () => 15 },
    remote: () => [{ room: 'garden', server: 'gateway-a', connections: 5 }],
    cluster: () => ({ latency: 2, epochs: [{ room: 'garden', epoch: 7 }] }),
    ...{ rejections: () => ({}), alerts: () => [] },
    ...{ isPersisting: () => undefined, diskFree: () => undefined, setAside: () => undefined },
  });
  const figures = async () => (await metrics.text()).match(/^vivarium_room_participants.*$/gm);
  expect(await figures()).toEqual([
    'vivarium_room_participants{room="garden"} 3',
    'vivarium_room_participants{room="attic"} 2',
  ]);
  roomServers.delete('attic');
  roomServers.set(...room('garden', 4));
  expect(await figures()).toEqual(['vivarium_room_participants{room="garden"} 4']);
  const text = await metrics.text();
  expect(text).toMatch(/^vivarium_remote_connections\{room="garden",server="gateway-a"\} 5$/m);
  expect(text).toMatch(/^vivarium_lease_epoch\{room="garden"\} 7$/m);
  expect(text).toMatch(/^vivarium_bus_latency_seconds 0\.002$/m);
  expect(text).not.toContain('attic');
  roomServers.clear();
  expect(await figures()).toBeNull();
  metrics.close();
});

/** Node tells of each request that an HTTP server takes, and of the server. */
const REQUESTS = 'http.server.request.start';

test('metrics that fail, and a connection that cannot be accepted, are logged and no more', async () => {
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (...words: string[]) => void warnings.push(words.join(' ')) };
  let fails = true;
  const text = async (): Promise<string> => {
    if (fails) throw new Error('no figure');
    return 'figures';
  };
  const figures = { text, contentType: 'text/plain' };
  const served = await serveMetrics(figures, 0, () => true, log as never);
  afterTest(() => served.close());
  let server: Server | undefined;
  const see = (request: unknown): void => {
    server = (request as { server: Server }).server;
  };
  subscribe(REQUESTS, see);
  afterTest(() => void unsubscribe(REQUESTS, see));
  const ask = () => fetch(`http://127.0.0.1:${served.port}/metrics`);
  expect((await ask()).status).toBe(500);
  fails = false;
  server!.emit('error', new Error('accept EMFILE'));
  expect(await (await ask()).text()).toBe('figures');
  expect(warnings).toEqual(['no-metrics no figure', 'not-accepted accept EMFILE']);
});
