/** Before all tests: what several test files need and only one process may make. */
import '../../server/engine/onnx/no-telemetry.ts';
import { ensureClient } from '../../server/http/client-build.ts';
import { unpackBrowser } from './browser.ts';

export default async function setup(): Promise<void> {
  await ensureClient(() => {});
  await unpackBrowser();
}
