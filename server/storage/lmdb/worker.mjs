import { enter } from '../../launch/worker-entry.mjs';

await enter('store', new URL('./worker.ts', import.meta.url));
