/** fast-check with a fixed seed, and a different seed each time in full runs. */
import fc from 'fast-check';
import { SEED } from './chance.ts';

fc.configureGlobal({ seed: SEED });

export default fc;
