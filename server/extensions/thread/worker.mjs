// In a clone, tsx lets every supported Node version run extensions in TypeScript. Register tsx for
// `require`, too, because Node uses `require` for `.ts` files without a package.json that says
// "module". The installed package has no tsx: there, Node itself runs TypeScript, from 22.18 on.
import { workerData } from 'node:worker_threads';
import { enter } from '../../launch/worker-entry.mjs';

const isTypeScript = /ts$/.test(workerData);
const compilers = isTypeScript ? [import('tsx/cjs/api'), import('tsx/esm/api')] : [];
for (const compiler of await Promise.allSettled(compilers)) {
  if (compiler.status === 'fulfilled') compiler.value.register();
}
await enter('extension', new URL('./worker.ts', import.meta.url));
