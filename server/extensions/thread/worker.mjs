// For extensions in TypeScript, register tsx if it is installed, which is the case in a clone of the
// repository. Register it for `require` too, because Node loads `.ts` files with `require` if no
// package.json sets the type "module". The installed package has no tsx: there, TypeScript needs
// Node 22.18 or later.
import { workerData } from 'node:worker_threads';
import { enter } from '../../launch/worker-entry.mjs';

const isTypeScript = /ts$/.test(workerData);
const compilers = isTypeScript ? [import('tsx/cjs/api'), import('tsx/esm/api')] : [];
for (const compiler of await Promise.allSettled(compilers)) {
  if (compiler.status === 'fulfilled') compiler.value.register();
}
await enter('extension', new URL('./worker.ts', import.meta.url));
