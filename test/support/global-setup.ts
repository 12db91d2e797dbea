/** Before all tests: what several test files need and only one process may make. */
import '../../server/engine/onnx/no-telemetry.ts';
import { ensureClient } from '../../server/http/serve-client.ts';
// @ts-expect-error It is JavaScript, without declarations.
import { ensureBundle } from '../../server/launch/bundle.mjs';
// @ts-expect-error It is JavaScript, without declarations.
import { BUNDLE } from '../../server/launch/worker-entry.mjs';
import { unpackBrowser } from './browser.ts';

/**
 * Builds the pages and the server's bundle, and unpacks the browser.
 *
 * @throws Error one of them fails
 */
export default async function setup(): Promise<void> {
  await ensureClient(() => {});
  await unpackBrowser();
  // Threads of servers start from the bundle, as with `npm start`: hundreds are started.
  process.env[BUNDLE] = await ensureBundle();
}
