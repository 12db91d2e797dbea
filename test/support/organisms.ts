/** The shipped organisms, and others that load faster. */
import { fileURLToPath } from 'node:url';

export const CHECKPOINT_FOLDER = fileURLToPath(
  new URL('../../checkpoints/organisms', import.meta.url),
);

/** Setting of servers in tests in which it does not matter what organisms look like: 24 creatures that hardly rest, without an encoder, a map or a painter. */
export const SMALL = {
  checkpoint: fileURLToPath(new URL('../fixtures/checkpoints/small', import.meta.url)),
} as const;
