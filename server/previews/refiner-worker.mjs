import { enter } from '../launch/worker-entry.mjs';

await enter('refiner', new URL('./refiner-worker.ts', import.meta.url));
