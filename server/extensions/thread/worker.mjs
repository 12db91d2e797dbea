// Use tsx, if it is installed, to compile extensions written in TypeScript. Register tsx for
// `require` as well, because Node may load `.ts` files with `require`. The published package does
// not include tsx: without it, Node (22.18 or later) compiles TypeScript itself.
import { workerData } from 'node:worker_threads';
import { enter } from '../../launch/worker-entry.mjs';

const isTypeScript = /ts$/.test(workerData);
const compilers = isTypeScript ? [import('tsx/cjs/api'), import('tsx/esm/api')] : [];
for (const compiler of await Promise.allSettled(compilers)) {
  if (compiler.status === 'fulfilled') compiler.value.register();
}
await enter('extension', new URL('./worker.ts', import.meta.url));
