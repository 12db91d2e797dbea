/** Entry of the host's page. */
import { startLanguage } from '../locale/locale.ts';
import { LOADERS } from '../locale/words/host/index.ts';

// Load the language first, because modules translate their constant texts when they are evaluated.
startLanguage(LOADERS).then(() => import('./vivarium-host.ts'));
