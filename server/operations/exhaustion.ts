/** What the server does about having no file descriptors left: it says so, and restarts where it may. */
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
  readonly look?: DescriptorWatchOptions['look'];
  /** Ends the process for its supervisor; undefined where nothing would start it again. */
  readonly restart: (() => void) | undefined;
}

const GOES_ON = 'nobody new can come in until the server is restarted';

/** Watches until it is stopped. */
export function watchExhaustion(options: ExhaustionOptions): DescriptorWatch {
  const { clock, log, limit, file, look, restart } = options;
  const { descriptorLook: every, descriptorFailures: failures } = DEFAULTS.operations;
  let asked = false;
  let told = false;
  const onExhausted = async (): Promise<void> => {
    if (asked) return;
    asked = true;
    if (restart && (await limit.take())) {
      log.error('no-descriptors', 'The process has no file descriptors left. It restarts.');
      return restart();
    }
    asked = false;
    if (told) return;
    told = true;
    const why = restart ? 'It restarts by itself only a few times an hour' : 'It has no supervisor';
    log.error('no-descriptors', `The process has no file descriptors left. ${why}: ${GOES_ON}.`);
  };
  return new DescriptorWatch({
    ...{ clock, file, every, failures },
    onExhausted: () => void onExhausted(),
    ...(look && { look }),
  });
}
