/** Entry of the host's page. */
import { startLanguage } from '../locale/locale.ts';
import { LOADERS } from '../locale/words/host/index.ts';

// Modules translate their constant texts when they load, so the language comes first.
startLanguage(LOADERS).then(() => import('./vivarium-host.ts'));
