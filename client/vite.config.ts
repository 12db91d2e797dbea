import { join } from 'node:path';
import { defineConfig } from 'vite';

const page = (name: string): string => join(import.meta.dirname, `${name}.html`);

/** Without the list of pages that share it. */
const shortName = (name: string): string => name.replace(/[~.].*$/, '');

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  plugins: [
    {
      // Markup, styles and shaders are texts to the minifier, with their indents and remarks, which no phone needs.
      name: 'bare-texts',
      enforce: 'pre',
      transform: (code, id) =>
        id.startsWith(import.meta.dirname)
          ? code.replace(
              /\n[ \t]*(\/\/.*|\/\*(?:(?!\*\/)[\s\S])*\*\/(?=\n))?[ \t]*(?=[^ \t])/g,
              '\n',
            )
          : undefined,
    },
  ],
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
