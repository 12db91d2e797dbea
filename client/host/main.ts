import { startLanguage } from '../locale/locale.ts';
import { LOADERS } from '../locale/words/host/index.ts';

// Tables of words are read when their modules are: the language must be there before.
startLanguage(LOADERS).then(() => import('./vivarium-host.ts'));
