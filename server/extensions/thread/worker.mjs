// Not every supported Node version can run a TypeScript file as a worker, so this registers tsx:
// also for `require`, as Node loads `.js` and `.ts` beside no package.json that says "module" by it.
import { register as registerRequire } from 'tsx/cjs/api';
import { register } from 'tsx/esm/api';

registerRequire();
register();
await import('./worker.ts');
