import { startLanguage } from '../locale/locale.ts';
import { loadHostDictionary } from './locale/load.ts';

// Tables of words are read when their modules are: the language must be there before.
startLanguage(loadHostDictionary).then(() => import('./vivarium-host.ts'));
