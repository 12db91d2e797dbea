/**
 * Entry point of the visitor's page: registers its elements, in an order that compresses well, and
 * starts in the visitor's language.
 */
import './elements/toast-layer.ts';
import './elements/vivarium-room.ts';
import '../elements/cursor-layer.ts';
import './elements/key-help.ts';
import './elements/room-status.ts';
import './elements/wayfinding.ts';
import './elements/room-story.ts';
import './elements/tool-dock.ts';
import './seeds/gallery-grid.ts';
import './organisms/organism-card.ts';
import './organisms/my-creatures.ts';
import './seeds/seed-row.ts';
import './seeds/seed-tray.ts';
import './seeds/seed-sheet.ts';
import './seeds/cross-panel.ts';
import './seeds/latent-map.ts';
import './drawing/draw-pad.ts';
import { startLanguage } from '../locale/locale.ts';
import { LOADERS } from '../locale/words/visitor/index.ts';

startLanguage(LOADERS);
