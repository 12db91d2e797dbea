import './elements/vivarium-room.ts';
import { startLanguage } from './locale/locale.ts';

startLanguage();
