// If the extension is written in TypeScript and tsx is installed, use tsx as the compiler. It is
// installed in a clone of the repository. Register it for `require` as well as for `import`,
// because Node loads `.ts` files with `require` unless a package.json sets the type "module". The
// published package does not include tsx; there, Node must compile TypeScript itself, which Node
// 22.18 and later can.
import { workerData } from 'node:worker_threads';
import { enter } from '../../launch/worker-entry.mjs';

const isTypeScript = /ts$/.test(workerData);
const compilers = isTypeScript ? [import('tsx/cjs/api'), import('tsx/esm/api')] : [];
for (const compiler of await Promise.allSettled(compilers)) {
  if (compiler.status === 'fulfilled') compiler.value.register();
}
await enter('extension', new URL('./worker.ts', import.meta.url));
