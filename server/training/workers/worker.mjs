// Not every supported Node runs TypeScript as a worker's entry, so this one loads tsx into the thread first.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
