/** Serves metrics on a port of their own, on the loopback interface only. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.ts';

/** A running metrics server. */
export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `/metrics` on 127.0.0.1.
 *
 * @param admitHost whether a request is for a host that is allowed
 * @throws the error of listening
 */
export async function serveMetrics(
  metrics: Metrics,
  port: number,
  admitHost: (request: IncomingMessage) => boolean,
): Promise<MetricsServer> {
  const server = createServer(async (request, response) => {
    const status = !admitHost(request) ? 421 : request.url !== '/metrics' ? 404 : undefined;
    if (status !== undefined) {
      response.writeHead(status).end();
      return;
    }
    const text = await metrics.text();
    response.writeHead(200, { 'Content-Type': metrics.contentType }).end(text);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
