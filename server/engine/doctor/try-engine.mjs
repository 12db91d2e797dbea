import { enter } from '../../launch/worker-entry.mjs';

await enter('try-engine', new URL('./try-engine.ts', import.meta.url));
