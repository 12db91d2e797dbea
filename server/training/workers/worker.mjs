// Some supported versions of Node cannot start a worker from a TypeScript file, so load tsx first.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
