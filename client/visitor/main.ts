/** Entry point of the visitor's page. */
import './elements/vivarium-room.ts';
import { startLanguage } from '../locale/locale.ts';
import { LOADERS } from '../locale/words/visitor/index.ts';

startLanguage(LOADERS);
