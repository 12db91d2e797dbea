/** Other sites, each with an origin of its own, whose pages show rooms. */
import { createServer } from 'node:http';
import { afterSuite } from './closing.ts';
import { freePort } from './programs.ts';

export interface OtherSite {
  readonly origin: string;
  /** The page that it shows at each address. */
  page: string;
}

/** Starts a site until the last test of this file has run. */
export async function otherSite(): Promise<OtherSite> {
  const port = await freePort();
  const site = { origin: `http://127.0.0.1:${port}`, page: '' };
  const http = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html').end(site.page);
  });
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  afterSuite(() => {
    http.closeAllConnections();
    http.close();
  });
  return site;
}
