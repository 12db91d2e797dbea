import { join } from 'node:path';
import { defineConfig } from 'vite';

/**
 * Each page is a build of its own (`--mode`), so that what one needs makes no other larger. The visitor's is the last: with it
 * the whole is there.
 */
const PAGES = { wall: 'wall.html', host: 'host.html', visitor: 'index.html' } as const;

type PageName = keyof typeof PAGES;

const isPage = (mode: string): mode is PageName => Object.hasOwn(PAGES, mode);

export default defineConfig(({ mode }) => {
  if (!isPage(mode)) throw new Error(`--mode is one of ${Object.keys(PAGES).join(', ')}`);
  return {
    root: import.meta.dirname,
    base: '/',
    // A name for each entry of a JSON file would make it twice as large.
    json: { namedExports: false },
    build: {
      outDir: 'dist',
      emptyOutDir: mode === 'wall',
      // Says what the page loads: what a phone has to fetch is kept small by a test.
      manifest: `.vite/${mode}.json`,
      target: 'es2022',
      rollupOptions: { input: { [mode]: join(import.meta.dirname, PAGES[mode]) } },
    },
  };
});
