import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { serveMetrics } from '../../../server/operations/metrics.ts';
import { silentLog } from '../../../server/platform/log.ts';
import { afterTest } from '../../support/closing.ts';

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
  const served = await serveMetrics({ text, contentType: 'text/plain' }, 0, {
    ...{ admitHost: () => true, log: log as never },
  });
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
