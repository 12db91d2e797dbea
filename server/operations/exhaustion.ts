/** Reacts to exhausted file descriptors: logs an error, and restarts the process if it may. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { DescriptorWatch, type DescriptorWatchOptions } from './descriptors.ts';
import type { RestartLimit } from './restart-limit.ts';

export interface ExhaustionOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly limit: RestartLimit;
  /** See DescriptorWatch. */
  readonly file: string;
  readonly probe?: DescriptorWatchOptions['probe'];
  /** Exits, so that the supervisor starts the server again; undefined without a supervisor. */
  readonly restart: (() => void) | undefined;
}

const CONSEQUENCE = 'no new connections are possible until the server is restarted';

/** Starts the checks. They run until `stop` is called on the returned watch. */
export function watchExhaustion(options: ExhaustionOptions): DescriptorWatch {
  const { clock, log, limit, file, probe, restart } = options;
  const { descriptorLook: every, descriptorFailures: failures } = DEFAULTS.operations;
  let isHandling = false;
  let isLogged = false;
  const onExhausted = async (): Promise<void> => {
    if (isHandling) return;
    isHandling = true;
    if (restart && (await limit.take())) {
      log.error('no-descriptors', 'The process has no file descriptors left. It restarts.');
      return restart();
    }
    isHandling = false;
    if (isLogged) return;
    isLogged = true;
    const why = restart ? 'It restarts by itself only a few times an hour' : 'It has no supervisor';
    log.error(
      'no-descriptors',
      `The process has no file descriptors left. ${why}: ${CONSEQUENCE}.`,
    );
  };
  return new DescriptorWatch({
    ...{ clock, file, every, failures },
    onExhausted: () => void onExhausted(),
    ...(probe && { probe }),
  });
}
