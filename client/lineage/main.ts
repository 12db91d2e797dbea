import './vivarium-lineage.ts';
import { startLanguage } from '../locale/locale.ts';
import { LOADERS } from '../locale/words/lineage/index.ts';

startLanguage(LOADERS);
