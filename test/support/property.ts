/** fast-check, whose examples are the same in each run, and others each time in whole runs. */
import fc from 'fast-check';
import { SEED } from './chance.ts';

fc.configureGlobal({ seed: SEED });

export default fc;
