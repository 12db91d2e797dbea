/** The shipped organisms. */
import { fileURLToPath } from 'node:url';

export const CHECKPOINT_FOLDER = fileURLToPath(
  new URL('../../checkpoints/organisms', import.meta.url),
);
