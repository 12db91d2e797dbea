// Use tsx, if it is installed, to compile an extension written in TypeScript. Register tsx for
// `require` as well: Node loads `.ts` files with `require` unless a package.json sets the type
// "module". The published package does not include tsx; there, Node (22.18 or later) compiles
// TypeScript itself.
import { workerData } from 'node:worker_threads';
import { enter } from '../../launch/worker-entry.mjs';

const isTypeScript = /ts$/.test(workerData);
const compilers = isTypeScript ? [import('tsx/cjs/api'), import('tsx/esm/api')] : [];
for (const compiler of await Promise.allSettled(compilers)) {
  if (compiler.status === 'fulfilled') compiler.value.register();
}
await enter('extension', new URL('./worker.ts', import.meta.url));
