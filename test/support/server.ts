/** Starts a complete server on a free port. */

import {
  createVivariumServer,
  type VivariumServer,
  type VivariumServerOptions,
} from '../../server/app/create-server.ts';
import type { Clock } from '../../server/platform/clock.ts';
import type { Log } from '../../server/platform/log.ts';
import { readConfig } from '../../server/settings/server.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import { CHECKPOINT_FOLDER } from './engine.ts';

/** Settings of a server that lets one connection send whatever it likes, for tests of what comes behind the limits. */
export const UNLIMITED = Object.keys(DEFAULTS.limits)
  .filter((name) => !name.endsWith('Seconds'))
  .map((name) => `${name}=1e9`)
  .join(',');

/** A wall clock that runs from noon on, today: no midnight comes between two looks at what belongs to a day. */
export function noonClock(): () => number {
  const noon = new Date().setHours(12, 0, 0, 0);
  const start = performance.now();
  return () => noon + performance.now() - start;
}

export async function startServer(
  settings: Record<string, string | number> = {},
  clientFolder = '.',
  clock?: Clock,
  log?: Log,
  onTick?: VivariumServerOptions['onTick'],
  date?: () => number,
): Promise<VivariumServer> {
  const args = Object.entries({
    port: 0,
    host: '127.0.0.1',
    checkpoint: CHECKPOINT_FOLDER,
    data: 'none',
    attract: 'off',
    ...settings,
  }).flatMap(([flag, value]) => [`--${flag}`, `${value}`]);
  const config = readConfig(args, {});
  if (config === 'help') throw new Error('no help wanted');
  return createVivariumServer({
    config,
    clientFolder,
    ...(clock && { clock }),
    ...(log && { log }),
    ...(onTick && { onTick }),
    ...(date && { date }),
    onFatal: (error) => {
      throw error;
    },
  });
}
