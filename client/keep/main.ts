/** Entry point of the page of keepsakes. */
import './vivarium-keep.ts';
import { startLanguage } from '../locale/locale.ts';
import { LOADERS } from '../locale/words/keep/index.ts';

startLanguage(LOADERS);
