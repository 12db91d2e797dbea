import { enter } from '../../entry.mjs';

await enter('store', new URL('./worker.ts', import.meta.url));
