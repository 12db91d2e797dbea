/** Starts a complete server on a free port. */

import {
  createVivariumServer,
  type VivariumServer,
  type VivariumServerOptions,
} from '../../server/composition/create-server.ts';
import { DEFAULT_LIMITS } from '../../server/realtime/limits/connection-limits.ts';
import { readConfig } from '../../server/settings/server.ts';
import { CHECKPOINT_FOLDER } from './organisms.ts';
import { flagsOf, type ServerSettings } from './process.ts';

/**
 * Settings of a server that lets one connection send whatever it likes, for tests of what comes
 * behind the limits.
 */
export const UNLIMITED = Object.keys(DEFAULT_LIMITS)
  .filter((name) => !name.endsWith('Seconds'))
  .map((name) => `${name}=1e9`)
  .join(',');

/** A step each tick and no end, so that tests need not wait for life as people watch it. */
export const PACE = { birth: 1, healing: 1, liveliness: 0, lifetime: 0 } as const;

/**
 * A wall clock that runs from noon on, today: no midnight comes between two looks at what belongs
 * to a day.
 */
export function noonClock(): () => number {
  const noon = new Date().setHours(12, 0, 0, 0);
  const start = performance.now();
  return () => noon + performance.now() - start;
}

export type { ServerSettings };

/** What tests and benches replace in a server; by default it has no pages. */
export interface ServerOptions extends Partial<Omit<VivariumServerOptions, 'config' | 'onFatal'>> {
  /** It gets ready for a first drawing as soon as a page is open: for suites that draw. */
  readonly drawsSoon?: boolean;
}

/**
 * Suites run side by side: another thread of an engine would only cost its start. Some ask for two
 * (`engineThreads`), so that rooms are tested with their patches on both.
 */
const isBesideOthers =
  process.env.JEST_WORKER_ID !== undefined && process.env.VIVARIUM_TEST_FULL !== '1';

/**
 * Starts a server in this process, with the shipped organisms, and nothing
 * stored unless the settings say so.
 *
 * @throws SettingsError, and what `createVivariumServer` throws
 */
export async function startServer(
  settings: ServerSettings = {},
  { clientFolder = '.', drawsSoon = false, ...options }: ServerOptions = {},
): Promise<VivariumServer> {
  const args = flagsOf({
    port: 0,
    host: '127.0.0.1',
    checkpoint: CHECKPOINT_FOLDER,
    data: 'none',
    attract: 'off',
    ...PACE,
    ...settings,
  });
  const config = readConfig(args, {});
  if (config === 'help') throw new Error('no help wanted');
  const server = await createVivariumServer({
    ...{ config, clientFolder },
    ...(isBesideOthers && { engineThreads: 1 }),
    ...options,
    onFatal: (error) => {
      throw error;
    },
  });
  if (isBesideOthers && !drawsSoon) neverPrepare(server);
  return server;
}

/**
 * Has a server start the thread that refines drawings with the first of them: that compiles a net
 * and its gradient, and the end of the server waits for it.
 */
function neverPrepare({ roomServers }: VivariumServer): void {
  for (const roomServer of roomServers.values()) {
    const { previews } = Reflect.get(roomServer, 'options') as { previews: object };
    Object.assign(previews, { prepareToDraw() {} });
  }
}
