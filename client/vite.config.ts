import { createRequire } from 'node:module';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { orderedKinds, SHORT_ID } from './locale/page-words.ts';

/**
 * Each page has its own build (`--mode`), so that no page contains code of another page. The
 * visitor's page is built last, which completes the client.
 */
const PAGES = {
  wall: 'wall.html',
  table: 'table.html',
  host: 'host.html',
  keep: 'keep.html',
  lineage: 'lineage.html',
  visitor: 'index.html',
} as const;

type PageName = keyof typeof PAGES;

const isPage = (mode: string): mode is PageName => Object.hasOwn(PAGES, mode);

/** Minifies shaders: removes spaces, and zeros at the ends of numbers. */
const shrinkShader = (glsl: string): string =>
  glsl
    .replace(/ *([-+*/=<>?:,;(){}]) */g, '$1')
    .replace(/\b(\d+\.\d*?)0+\b/g, '$1')
    .replace(/\b0(\.\d)/g, '$1');

/** Minifies styles. A space beside an expression may separate values, so it is kept. */
const shrinkStyle = (css: string): string =>
  css
    .replace(/\/\*.*?\*\//gs, '')
    .split(/(\$\{[^}]*\})/)
    .map((part) => (part.startsWith('${') ? part : shrinkRules(part)))
    .join('');

const shrinkRules = (rules: string): string =>
  rules
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,>]) ?/g, '$1')
    .replace(/: /g, ':')
    .replaceAll(';}', '}');

/**
 * Copy of the library's function `str` for files of texts, because importing `str` would add
 * another file to each page.
 */
const STR = 'const str = (strings, ...values) => ({ strTag: true, strings, values });';

/** Shortens the ids of texts. @throws Error if two ids would become equal */
const shortenIds: Plugin = {
  name: 'shorten-ids',
  enforce: 'pre',
  transform(code, id) {
    if (!/\/locale\/words\/\w+\/[\w-]+\.ts$/.test(id)) return undefined;
    const ids = code.match(/(?<=')s[0-9a-f]{16}(?=':)/g) ?? [];
    if (new Set(ids.map((full) => full.slice(0, SHORT_ID))).size < ids.length) {
      throw new Error(`${id}: two texts share the first characters of their ids; raise SHORT_ID`);
    }
    const short = code.replace(/'(s[0-9a-f]{16})':/g, (_, full) => `${full.slice(0, SHORT_ID)}:`);
    const alone = short.replace(/import \{ ?str ?\} from '@lit\/localize';/, STR);
    return { code: alone, map: null };
  },
};

/** Omits the English names of kinds, which the room sends. */
const orderKinds: Plugin = {
  name: 'order-kinds',
  enforce: 'pre',
  transform(code, id) {
    if (!/\/locale\/kinds\/[\w-]+\.json$/.test(id)) return undefined;
    return { code: JSON.stringify(orderedKinds(JSON.parse(code))), map: null };
  },
};

/**
 * Removes comments, spaces and line breaks from templates, which the minifier does not touch. This
 * saves 4 kB of the visitor's page. Only CSS and shaders have block comments; after minifying, only
 * templates still contain line breaks.
 */
const shrinkTemplates: Plugin = {
  name: 'shrink-templates',
  transform(code, id) {
    if (!/\/client\/.*\.ts$/.test(id)) return undefined;
    const shrunk = /\/shaders\//.test(id)
      ? code.replace(/\/\*[^`]*?\*\//g, '').replace(/`[^`]*`/g, shrinkShader)
      : code.replace(/css`[^`]*`/g, shrinkStyle);
    return { code: shrunk, map: null };
  },
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue;
      // A shader's directives keep their own lines. Elsewhere in markup, a space compresses better
      // than a line break.
      chunk.code = chunk.code
        .replace(/\n\s+/g, '\n')
        .replace(/([;{])\n(?!#)/g, '$1')
        .replace(/([">}]|<[\w-]+)\n(?=[<>/@.?$\w])/g, '$1 ');
    }
  },
};

/**
 * Code of libraries that no page runs, by the ends of their files' paths, and what replaces it.
 * Bundlers cannot remove this code, because only at run time is it known to be unused.
 */
const UNUSED: Readonly<Record<string, readonly [what: RegExp, by: string]>> = {
  // Pages connect only by WebSocket.
  'engine.io-client/build/esm/transports/index.js': [
    /.*/s,
    "import { WS } from './websocket.js'; export const transports = { websocket: WS };",
  ],
  // Pages pass their own parser.
  'socket.io-client/build/esm/manager.js': [/(?<=opts\.parser) \|\| parser/, ''],
  // Pages ignore messages that do not match their schema, without reading why.
  'valibot/dist/index.mjs': [
    /^function _addIssue\(.*?^\}$/ms,
    `function _addIssue({ kind }, _, dataset) {
      if (kind === 'schema') dataset.typed = false;
      (dataset.issues ??= []).push({});
    }`,
  ],
  // Modules that a page loads later have no style sheets.
  'vite/preload-helper.js': [/.*/s, 'export const __vitePreload = (load) => load();'],
};

/** Replaces unused code, and lets the bundler omit modules of Socket.IO that are not used. */
const leaveOutUnused: Plugin = {
  name: 'leave-out-unused',
  enforce: 'pre',
  transform(code, id) {
    const file = Object.keys(UNUSED).find((end) => id.endsWith(end));
    if (!file && !/\/node_modules\/(engine|socket)\.io-/.test(id)) return undefined;
    const used = file ? code.replace(...UNUSED[file]) : code;
    if (file && used === code) throw new Error(`${id} has changed: nothing matches`);
    return { code: used, map: null, moduleSideEffects: false };
  },
};

const resolveFrom = (file: string, name: string): string => createRequire(file).resolve(name);
const EMITTER = resolveFrom(
  resolveFrom(import.meta.url, 'socket.io-client'),
  '@socket.io/component-emitter',
).replace('cjs', 'esm');

export default defineConfig(({ mode }) => {
  if (!isPage(mode)) throw new Error(`--mode is one of ${Object.keys(PAGES).join(', ')}`);
  return {
    root: import.meta.dirname,
    base: '/',
    plugins: [
      leaveOutUnused,
      shortenIds,
      ...(mode === 'visitor' ? [orderKinds] : []),
      shrinkTemplates,
    ],
    resolve: {
      alias: {
        // Use gifenc's ES module: its "browser" file is CommonJS, which cannot be tree-shaken and
        // adds 1 kB.
        gifenc: 'gifenc/dist/gifenc.esm.js',
        // Share one emitter, because otherwise each library includes its own copy.
        '@socket.io/component-emitter': EMITTER,
      },
    },
    // Exporting each entry of a JSON file by name would double the file's size.
    json: { namedExports: false },
    build: {
      outDir: 'dist',
      emptyOutDir: mode === 'wall',
      // The manifest lists the files that the page loads. A test limits their total size, for
      // phones.
      manifest: `.vite/${mode}.json`,
      // The installed package contains the licences of the libraries in its pages.
      license: { fileName: `.vite/${mode}-licenses.json` },
      target: 'es2022',
      modulePreload: false,
      rollupOptions: {
        input: { [mode]: join(import.meta.dirname, PAGES[mode]) },
        // Put all languages into one file, which `npm run keep-page` inlines in the page.
        ...(mode === 'keep' && { output: { codeSplitting: false } }),
      },
    },
  };
});
