import { join } from 'node:path';
import { defineConfig } from 'vite';

const page = (name: string): string => join(import.meta.dirname, `${name}.html`);

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // Says which page loads what: what a phone has to fetch is kept small by a test.
    manifest: true,
    target: 'es2022',
    rollupOptions: {
      input: { visitor: page('index'), wall: page('wall'), host: page('host') },
    },
  },
});
