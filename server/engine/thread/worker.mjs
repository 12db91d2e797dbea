import { enter } from '../../launch/worker-entry.mjs';

await enter('engine', new URL('./worker.ts', import.meta.url));
