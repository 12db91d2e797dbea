/** Serves metrics on a port of their own, on the loopback interface only. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '../platform/log.ts';
import type { Metrics } from './metrics.ts';

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
