/**
 * Entry point of the visitor's page: registers its elements, and starts it in the visitor's
 * language. The order of the imports affects the compressed size of the bundle.
 */
import './elements/announcements.ts';
import './elements/toast-layer.ts';
import './elements/vivarium-room.ts';
import '../elements/cursor-layer.ts';
import './elements/key-help.ts';
import './elements/my-creatures.ts';
import './elements/room-status.ts';
import './elements/tool-dock.ts';
import './seeds/seed-sheet.ts';
import './organisms/organism-card.ts';
import './organisms/portraits.ts';
import './seeds/seed-tray.ts';
import './seeds/latent-map.ts';
import './drawing/draw-pad.ts';
import { startLanguage } from '../locale/locale.ts';
import { LOADERS } from '../locale/words/visitor/index.ts';

startLanguage(LOADERS);
