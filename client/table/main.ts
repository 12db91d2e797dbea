import './vivarium-table.ts';
import { startLanguage } from '../locale/locale.ts';
import { LOADERS } from '../locale/words/table/index.ts';

startLanguage(LOADERS);
