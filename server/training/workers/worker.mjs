// A worker's entry cannot be TypeScript on every Node that we run on, so this one brings tsx into the thread.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
