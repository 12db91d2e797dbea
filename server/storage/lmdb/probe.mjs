import { enter } from '../../launch/worker-entry.mjs';

await enter('store-probe', new URL('./probe.ts', import.meta.url));
