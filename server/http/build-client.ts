/** The pages of `npm run build`. */
import { buildClient } from './client-build.ts';

await buildClient();
