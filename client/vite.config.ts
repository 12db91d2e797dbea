import { createRequire } from 'node:module';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { orderedKinds, SHORT_ID } from './locale/page-words.ts';

/**
 * HTML file of each page. Each page has a build of its own (`--mode`), so that no page contains code
 * of another page. Build the visitor's page last: the server considers the client built as soon as
 * `index.html` exists.
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

/** Minifies a shader: removes spaces, and unnecessary zeros in numbers. */
const shrinkShader = (glsl: string): string =>
  glsl
    .replace(/ *([-+*/=<>?:,;(){}]) */g, '$1')
    .replace(/\b(\d+\.\d*?)0+\b/g, '$1')
    .replace(/\b0(\.\d)/g, '$1');

/** Minifies CSS in a template. Keeps spaces next to `${…}`, because these spaces may separate values. */
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
 * Copy of the library function `str`. Replaces the import in generated modules of texts, because the
 * import would add another file to each page.
 */
const STR = 'const str = (strings, ...values) => ({ strTag: true, strings, values });';

/** Shortens the message ids of texts. @throws Error if two shortened ids would be equal */
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

/** Converts the files of translated names to lists, without the English names, which the room sends. */
const orderKinds: Plugin = {
  name: 'order-kinds',
  enforce: 'pre',
  transform(code, id) {
    if (!/\/locale\/kinds\/[\w-]+\.json$/.test(id)) return undefined;
    return { code: JSON.stringify(orderedKinds(JSON.parse(code))), map: null };
  },
};

/**
 * Removes comments, spaces and line breaks from CSS and shader templates, which the minifier does not
 * change. Saves 4 kB on the visitor's page. Relies on two facts: only CSS and shaders contain block
 * comments, and after minification, only templates contain line breaks.
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
      // Keep line breaks before shader directives (`#`). In HTML, replace a line break by a space,
      // which compresses better.
      chunk.code = chunk.code
        .replace(/\n\s+/g, '\n')
        .replace(/([;{])\n(?!#)/g, '$1')
        .replace(/([">}]|<[\w-]+)\n(?=[<>/@.?$\w])/g, '$1 ');
    }
  },
};

/**
 * Library code that no page runs, and its replacement; keyed by the end of the file's path. Bundlers
 * cannot remove this code, because they cannot know that it is never used.
 */
const UNUSED: Readonly<Record<string, readonly [what: RegExp, by: string]>> = {
  // The pages connect only by WebSocket.
  'engine.io-client/build/esm/transports/index.js': [
    /.*/s,
    "import { WS } from './websocket.js'; export const transports = { websocket: WS };",
  ],
  // The pages provide their own parser.
  'socket.io-client/build/esm/manager.js': [/(?<=opts\.parser) \|\| parser/, ''],
  // The pages ignore messages that do not match their schema, and never read valibot's
  // explanations.
  'valibot/dist/index.mjs': [
    /^function _addIssue\(.*?^\}$/ms,
    `function _addIssue({ kind }, _, dataset) {
      if (kind === 'schema') dataset.typed = false;
      (dataset.issues ??= []).push({});
    }`,
  ],
  // Modules that a page loads on demand have no style sheets to preload.
  'vite/preload-helper.js': [/.*/s, 'export const __vitePreload = (load) => load();'],
};

/** Replaces unused library code, and lets the bundler drop unused modules of Socket.IO. */
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
        // By default, Vite would use gifenc's CommonJS file, whose unused code (1 kB) cannot be
        // removed.
        gifenc: 'gifenc/dist/gifenc.esm.js',
        // Make all libraries share one copy of the emitter. Otherwise, each would include its own.
        '@socket.io/component-emitter': EMITTER,
      },
    },
    // Named exports for all entries of a JSON file would double the file's size.
    json: { namedExports: false },
    build: {
      outDir: 'dist',
      emptyOutDir: mode === 'wall',
      // The manifest lists the files that the page loads. A test uses it to limit their total size.
      manifest: `.vite/${mode}.json`,
      // Writes a list of the licences of all libraries in the page, for the installed package.
      license: { fileName: `.vite/${mode}-licenses.json` },
      target: 'es2022',
      modulePreload: false,
      rollupOptions: {
        input: { [mode]: join(import.meta.dirname, PAGES[mode]) },
        // Put all languages into one file, because `npm run keep-page` inlines that file in the page.
        ...(mode === 'keep' && { output: { codeSplitting: false } }),
      },
    },
  };
});
