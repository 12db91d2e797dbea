import { createRequire } from 'node:module';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { orderedKinds, SHORT_ID } from './locale/page-words.ts';

/**
 * The HTML file of each page. Pages are built one at a time (`--mode`), so that no page contains
 * code of another. The visitor's page must be last: the server considers the client to be built as
 * soon as `index.html` exists.
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

const shrinkShader = (glsl: string): string =>
  glsl
    .replace(/ *([-+*/=<>?:,;(){}]) */g, '$1')
    .replace(/\b(\d+\.\d*?)0+\b/g, '$1')
    .replace(/\b0(\.\d)/g, '$1');

/**
 * Minifies the CSS in a template. Keeps spaces beside `${…}`, because they may separate two values.
 */
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
 * Definition of the function `str`, as source code. In the generated modules with translations, it
 * replaces the import of `str` from `@lit/localize`.
 */
const STR = 'const str = (strings, ...values) => ({ strTag: true, strings, values });';

/**
 * Shortens the message ids in the generated modules with translations.
 *
 * @throws Error if two ids would become equal
 */
const shortenIds: Plugin = {
  name: 'shorten-ids',
  enforce: 'pre',
  transform(code, id) {
    if (!/\/locale\/words\/\w+\/[\w-]+\.ts$/.test(id)) return undefined;
    const ids = code.match(/(?<=')s[0-9a-f]{16}(?=':)/g) ?? [];
    if (new Set(ids.map((full) => full.slice(0, SHORT_ID))).size < ids.length) {
      const text = `${id}: the ids of two texts start with the same ${SHORT_ID} characters. Raise SHORT_ID.`;
      throw new Error(text);
    }
    const short = code.replace(/'(s[0-9a-f]{16})':/g, (_, full) => `${full.slice(0, SHORT_ID)}:`);
    const alone = short.replace(/import \{ ?str ?\} from '@lit\/localize';/, STR);
    return { code: alone, map: null };
  },
};

/**
 * For each language, replaces the map from creatures' English names to translations with a list of
 * only the translations (see `OrderedKinds`).
 */
const orderKinds: Plugin = {
  name: 'order-kinds',
  enforce: 'pre',
  transform(code, id) {
    if (!/\/locale\/kinds\/[\w-]+\.json$/.test(id)) return undefined;
    return { code: JSON.stringify(orderedKinds(JSON.parse(code))), map: null };
  },
};

/**
 * Removes comments, spaces and line breaks from templates that contain CSS or shaders, because the
 * bundler does not minify the contents of templates. Assumes that block comments occur only in CSS
 * and shaders, and that minified code has line breaks only in templates.
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
      // Keep line breaks before shader directives (`#`). In HTML, replace line breaks by spaces,
      // which compress better.
      chunk.code = chunk.code
        .replace(/\n\s+/g, '\n')
        .replace(/([;{])\n(?!#)/g, '$1')
        .replace(/([">}]|<[\w-]+)\n(?=[<>/@.?$\w])/g, '$1 ');
    }
  },
};

/** Library code that no page runs, and its replacement. Each key is the end of a file's path. */
const UNUSED: Readonly<Record<string, readonly [what: RegExp, by: string]>> = {
  // The pages connect only by WebSocket.
  'engine.io-client/build/esm/transports/index.js': [
    /.*/s,
    "import { WS } from './websocket.js'; export const transports = { websocket: WS };",
  ],
  // All pages pass the option `parser`, so the default is not needed.
  'socket.io-client/build/esm/manager.js': [/(?<=opts\.parser) \|\| parser/, ''],
  // Pages ignore messages that do not match their schema, so nobody reads valibot's explanations.
  'valibot/dist/index.mjs': [
    /^function _addIssue\(.*?^\}$/ms,
    `function _addIssue({ kind }, _, dataset) {
      if (kind === 'schema') dataset.typed = false;
      (dataset.issues ??= []).push({});
    }`,
  ],
  // Vite's helper preloads style sheets, but modules that a page loads on demand have none.
  'vite/preload-helper.js': [/.*/s, 'export const __vitePreload = (load) => load();'],
};

/**
 * Replaces library code that never runs. Also declares that Socket.IO's modules have no side
 * effects, so that the bundler can leave out unused ones.
 */
const leaveOutUnused: Plugin = {
  name: 'leave-out-unused',
  enforce: 'pre',
  transform(code, id) {
    const file = Object.keys(UNUSED).find((end) => id.endsWith(end));
    if (!file && !/\/node_modules\/(engine|socket)\.io-/.test(id)) return undefined;
    const used = file ? code.replace(...UNUSED[file]) : code;
    if (file && used === code) {
      const text = `${id} no longer contains the code that UNUSED replaces.`;
      throw new Error(`${text} Update UNUSED in client/vite.config.ts.`);
    }
    return { code: used, map: null, moduleSideEffects: false };
  },
};

const resolveFrom = (file: string, name: string): string => createRequire(file).resolve(name);
const CLIENT = resolveFrom(import.meta.url, 'socket.io-client');
const EMITTER = resolveFrom(CLIENT, '@socket.io/component-emitter').replace('cjs', 'esm');

export default defineConfig(({ mode }) => {
  if (!isPage(mode)) throw new Error(`--mode must be one of ${Object.keys(PAGES).join(', ')}`);
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
        // The CommonJS version, Vite's default, contains 1 kB of unused code that the bundler
        // cannot remove.
        gifenc: 'gifenc/dist/gifenc.esm.js',
        // Share one copy of the emitter among all libraries.
        '@socket.io/component-emitter': EMITTER,
      },
    },
    // Named exports for all entries of a JSON file would double the file's size.
    json: { namedExports: false },
    build: {
      outDir: 'dist',
      emptyOutDir: mode === 'wall',
      // List the files that the page loads. A test limits their total size.
      manifest: `.vite/${mode}.json`,
      // List the licences of all libraries in the page. They become part of the npm package.
      license: { fileName: `.vite/${mode}-licenses.json` },
      target: 'es2022',
      modulePreload: false,
      rollupOptions: {
        input: { [mode]: join(import.meta.dirname, PAGES[mode]) },
        // `npm run keep-page` copies a single script into the keepsake page, so this script must
        // contain the texts of all languages.
        ...(mode === 'keep' && { output: { codeSplitting: false } }),
      },
    },
  };
});
