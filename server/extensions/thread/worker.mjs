// Not every supported Node version can run a TypeScript file as a worker, so register tsx. Register
// it for `require`, too, because Node uses `require` for `.js` and `.ts` files without a
// package.json that says "module".
import { register as registerRequire } from 'tsx/cjs/api';
import { register } from 'tsx/esm/api';

registerRequire();
register();
await import('./worker.ts');
