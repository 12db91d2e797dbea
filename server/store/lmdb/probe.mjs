import { enter } from '../../entry.mjs';

await enter('store-probe', new URL('./probe.ts', import.meta.url));
