// Not every supported Node runs TypeScript as a worker's entry, so this file loads tsx first.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
