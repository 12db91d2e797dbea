import './vivarium-keep.ts';
import { startLanguage } from '../locale/locale.ts';
import { LOADERS } from '../locale/words/keep/index.ts';

startLanguage(LOADERS);
