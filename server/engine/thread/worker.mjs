import { enter } from '../../entry.mjs';

await enter('engine', new URL('./worker.ts', import.meta.url));
