import { enter } from '../launch/worker-entry.mjs';

await enter('film', new URL('./film-process.ts', import.meta.url));
