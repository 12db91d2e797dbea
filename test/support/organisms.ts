/** The shipped organisms, and others that load faster. */
import { fileURLToPath } from 'node:url';

export const CHECKPOINT_FOLDER = fileURLToPath(
  new URL('../../checkpoints/organisms', import.meta.url),
);

/** For tests in which it does not matter what organisms look like: 24 creatures, without an encoder, a map or a painter. */
export const SMALL_CHECKPOINT = fileURLToPath(
  new URL('../fixtures/checkpoints/small', import.meta.url),
);
