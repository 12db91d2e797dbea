// If the extension is written in TypeScript, register tsx as its compiler, provided that tsx is
// installed. It is installed in a clone of the repository. Register it for `require` as well as for
// `import`, because Node loads `.ts` files with `require` unless a package.json sets the type
// "module". The published package does not include tsx. Node then compiles TypeScript itself, which
// needs Node 22.18 or later.
import { workerData } from 'node:worker_threads';
import { enter } from '../../launch/worker-entry.mjs';

const isTypeScript = /ts$/.test(workerData);
const compilers = isTypeScript ? [import('tsx/cjs/api'), import('tsx/esm/api')] : [];
for (const compiler of await Promise.allSettled(compilers)) {
  if (compiler.status === 'fulfilled') compiler.value.register();
}
await enter('extension', new URL('./worker.ts', import.meta.url));
