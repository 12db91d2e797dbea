import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const page = (name: string): string => join(import.meta.dirname, `${name}.html`);

/** Without the list of pages that share it. */
const shortName = (name: string): string => name.replace(/[~.].*$/, '');

/** Takes indentation off styles, templates and shaders, where it means nothing and no minifier looks. */
const outdent: Plugin = {
  name: 'outdent',
  enforce: 'pre',
  transform: (code, id) =>
    /\/client\/(elements|keepsake|render|style)\/.*\.ts$/.test(id)
      ? { code: code.replaceAll(/\n[ \t]+/g, '\n'), map: null }
      : undefined,
};

export default defineConfig({
  plugins: [outdent],
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
      output: {
        chunkFileNames: ({ name }) => `assets/${shortName(name)}-[hash].js`,
        assetFileNames: ({ names }) => `assets/${shortName(names[0] ?? '')}-[hash][extname]`,
        // Few files: a browser asks an http server for six at once, and each further one waits for a way there and back.
        codeSplitting: {
          groups: [
            {
              name: 'common',
              tags: ['$initial'],
              minShareCount: 2,
              entriesAware: true,
              entriesAwareMergeThreshold: 30_000,
            },
          ],
        },
      },
    },
  },
});
