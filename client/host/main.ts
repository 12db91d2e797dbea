/** Entry point of the host's page. */
import { startLanguage } from '../locale/locale.ts';
import { LOADERS } from '../locale/words/host/index.ts';

// Load the language before the page's modules, because some of their constants are translated
// texts.
startLanguage(LOADERS).then(() => import('./vivarium-host.ts'));
