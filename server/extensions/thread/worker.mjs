// Not every supported Node version can run a TypeScript file as a worker, so this registers tsx.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
