import { createRequire } from 'node:module';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { orderedKinds } from './locale/kind-order.ts';
import { SHORT_ID } from './locale/short-id.ts';

/**
 * Each page is a build of its own (`--mode`), so that no page carries code of another. The visitor's
 * page is built last, which completes the client.
 */
const PAGES = {
  wall: 'wall.html',
  host: 'host.html',
  keep: 'keep.html',
  lineage: 'lineage.html',
  visitor: 'index.html',
} as const;

type PageName = keyof typeof PAGES;

const isPage = (mode: string): mode is PageName => Object.hasOwn(PAGES, mode);

/** Removes what shaders need only to be read: spaces, and zeros at the ends of numbers. */
const shrinkShader = (glsl: string): string =>
  glsl
    .replace(/ *([-+*/=<>?:,;(){}]) */g, '$1')
    .replace(/\b(\d+\.\d*?)0+\b/g, '$1')
    .replace(/\b0(\.\d)/g, '$1');

/** Removes what styles need only to be read; a space beside an expression may separate values. */
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

/** Shortens the ids of texts. @throws Error: two of them would be one */
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
    return { code: short, map: null };
  },
};

/** Leaves out the English names of kinds, which the room tells. */
const orderKinds: Plugin = {
  name: 'order-kinds',
  enforce: 'pre',
  transform(code, id) {
    if (!/\/locale\/kinds\/[\w-]+\.json$/.test(id)) return undefined;
    return { code: JSON.stringify(orderedKinds(JSON.parse(code))), map: null };
  },
};

/**
 * Removes comments, spaces and line breaks from templates, which the minifier leaves alone: 4 kB of
 * the visitor's page. Only CSS and shaders have block comments; after minifying, only templates
 * have lines.
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
      // A shader's directives keep a line of their own.
      chunk.code = chunk.code.replace(/\n\s+/g, '\n').replace(/([;{])\n(?!#)/g, '$1');
    }
  },
};

/** What libraries carry and no page needs: where, what, and what stands there instead. */
const UNUSED: readonly (readonly [RegExp, RegExp, string])[] = [
  // Pages connect by WebSocket alone.
  [
    /engine\.io-client\/.*\/transports\/index\.js$/,
    /.*/s,
    "import { WS } from './websocket.js'; export const transports = { websocket: WS };",
  ],
  // What is binary goes as it is, never as text.
  [
    /engine\.io-parser\/.*\/encodePacket\.browser\.js$/,
    /^const (withNative|isView|encode).*(?=^function toArray)/ms,
    `const encodePacket = ({ type, data }, _, callback) =>
      callback(typeof data === 'object' ? data : PACKET_TYPES[type] + (data ?? ''));
    `,
  ],
  [
    /engine\.io-parser\/.*\/decodePacket\.browser\.js$/,
    /^import \{ decode \}.*?$|^ {4}if \(type === "b"\).*?^ {4}\}$|^const decodeBase64.*?^\};$/gms,
    '',
  ],
  // Options of other platforms.
  [/engine\.io-client\/.*\/websocket\.js$/, /isReactNative\s+\? \{\}\s+: pick\(.*?\)/s, '{}'],
  // Hence no transport is ever changed for a better one.
  [
    /engine\.io-client\/.*\/socket\.js$/,
    /this\.opts\.rememberUpgrade &&.*?\? "websocket"\s+: (?=this)|^ +Socket\.priorWebsocketSuccess = .*?;$|^ {8}if \(this\.opts\.withCredentials\).*?\}$|^ {4}_(probe|filterUpgrades)\(.*?^ {4}\}$|^ {8}this\._upgrades = this.*?;$|^ {12}for \(let i = 0; i < this\._upgrades.*?^ {12}\}$/gms,
    '',
  ],
  // Nothing is acknowledged but by messages of its own.
  [
    /socket\.io-client\/.*\/socket\.js$/,
    /^ {4}(emitWithAck|_registerAckCallback|_addToQueue|timeout|send|ack|onack|compress|get volatile|get disconnected|prependAny|offAny|listenersAny|\w+AnyOutgoing)\(.*?^ {4}\}$/gms,
    '',
  ],
  // Pages bring a parser of their own, and set what they set when they connect.
  [
    /socket\.io-client\/.*\/manager\.js$/,
    /(?<=opts\.parser) \|\| parser|^ {4}(reconnection\w*|randomizationFactor|timeout|connect|disconnect)\(.*?^ {4}\}$|^ +if \(this\.opts\.autoUnref\).*?\}$/gms,
    '',
  ],
  [
    /socket\.io-client\/.*\/manager\.js$/,
    /^ {8}this\.reconnection\(.*?(?=^ {8}this\._readyState)/ms,
    `this._reconnection = true;
    this._reconnectionAttempts = Infinity;
    this.backoff = new Backoff({
      min: opts.reconnectionDelay, max: opts.reconnectionDelayMax, jitter: 0.5,
    });
    this._timeout = opts.timeout;
    `,
  ],
  [/socket\.io-client\/.*\/backo2\.js$/, /^Backoff\.prototype\.set\w+ = .*?^\};$/gms, ''],
  // The server has read each painter before, and says what is wrong with one.
  [
    /shared\/(safetensors|painter\/net)\.ts$/,
    /(?<=\b(?:fail|bad|SafetensorsError)\(\s*)(?:`[^`]*`|'[^']*')|(?<=PainterError\('[\w-]+', )`[^`]*`/g,
    "''",
  ],
  [
    /shared\/safetensors\.ts$/,
    /^ {2}if \((bytes\.length|headerLength|LENGTH_BYTES|!isObject).*?$(?:.*?^ {2}\}$)?|^ {2}const seen = .*?(?=^ {2}return header)|^ {2}for \(const \[key, value\].*?^ {2}\}$|^ {2}checkCover\(.*?;$|^ {4}ranges\.push\(.*?;$|^ {2}const ranges.*?;$/gms,
    '',
  ],
  [
    /shared\/safetensors\.ts$/,
    /(?<=^function checkEntry\([^\n]*\n).*?(?=^\})/ms,
    `const { dtype, shape, data_offsets: [begin, end] } = entry as any;
    return { dtype, shape, begin, end };
    `,
  ],
  [
    /shared\/painter\/net\.ts$/,
    /^ {2}if \((bytes\.length|dtype) .*?^ {2}\}$|^ {2}if \(!values\.every.*?;$|^ {4}const step = .*?^ {4}\}$/gms,
    '',
  ],
  // Pages ignore what does not match a schema, and nobody reads why.
  [
    /valibot\/dist\/index\.mjs$/,
    /^function _addIssue\(.*?^\}$/ms,
    `function _addIssue({ kind }, _, dataset) {
      if (kind === 'schema') dataset.typed = false;
      (dataset.issues ??= []).push({});
    }`,
  ],
  [
    /valibot\/dist\/index\.mjs$/,
    /(?<=_addIssue\(this, )"[\w ]+", dataset[^;]*(?=\);)/g,
    '0, dataset',
  ],
  [
    /valibot\/dist\/index\.mjs$/,
    /const pathItem = \{[^}]*\};\s+for \(const issue of \w+\.issues\) \{[^}]*\}/g,
    '',
  ],
  [
    /valibot\/dist\/index\.mjs$/,
    /(?<=^function (?:_stringify|_joinExpects)\([^\n]*\) \{\n).*?(?=^\})/gms,
    "return '';",
  ],
  [
    /valibot\/dist\/index\.mjs$/,
    /^\t+(reference: [\w$]+|expects: [^\n]*|async: false|message: message\$1),$|^\tschema\["~standard"\] = \{.*?^\t\};$|^\t+if \(config\$1\.abortEarly\) (\{.*?\}|break;)$/gms,
    '',
  ],
  [
    /valibot\/dist\/index\.mjs$/,
    /(?<=^function getGlobalConfig\(config\$1\) \{$).*?(?=^\}$)/ms,
    ' return {}; ',
  ],
  // Links have no letters of other scripts.
  [/lean-qr\/index\.mjs$/, /let w=\(\)=>\{.*?y\._=!0;|,y(?=,h\])|shift_jis:y,/g, ''],
  // No part that is loaded later has styles of its own to load before it.
  [/vite\/preload-helper\.js$/, /.*/s, 'export const __vitePreload = (load) => load();'],
];

const resolveFrom = (file: string, name: string): string => createRequire(file).resolve(name);
const EMITTER = resolveFrom(
  resolveFrom(import.meta.url, 'socket.io-client'),
  '@socket.io/component-emitter',
).replace('cjs', 'esm');

/** Keeps the visitor's page small. */
const leaveOutUnused: Plugin = {
  name: 'leave-out-unused',
  enforce: 'pre',
  transform(code, id) {
    if (
      !/\/node_modules\/((engine|socket)\.io-|valibot|lean-qr)|vite\/preload-helper|shared\/(safetensors|painter\/net)\.ts$/.test(
        id,
      )
    )
      return undefined;
    const used = UNUSED.filter(([where]) => where.test(id)).reduce((rest, [, what, instead]) => {
      const less = rest.replace(what, instead);
      if (less === rest) throw new Error(`${id} has changed: nothing matches ${what}`);
      return less;
    }, code);
    return { code: used, map: null, moduleSideEffects: false };
  },
};

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
        // Its "browser" file is CommonJS, which cannot be tree-shaken: 1 kB more.
        gifenc: 'gifenc/dist/gifenc.esm.js',
        // Each library has a copy of its own.
        '@socket.io/component-emitter': EMITTER,
      },
    },
    // A name for each entry of a JSON file would make it twice as large.
    json: { namedExports: false },
    build: {
      outDir: 'dist',
      emptyOutDir: mode === 'wall',
      // Says what the page loads: what a phone has to fetch is kept small by a test.
      manifest: `.vite/${mode}.json`,
      target: 'es2022',
      modulePreload: false,
      rollupOptions: {
        input: { [mode]: join(import.meta.dirname, PAGES[mode]) },
        // All languages in one file, which `npm run keep-page` puts into the page.
        ...(mode === 'keep' && { output: { codeSplitting: false } }),
      },
    },
  };
});
