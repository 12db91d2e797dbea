/**
 * Keeps pages small, the visitor's most of all: phones fetch it in a crowd, over one network, and a test holds its size.
 * Libraries carry code for browsers, transports and options that no page has, which their
 * bundlers cannot see, because it is reached at run time. Each cut must find what it removes, so that a library's
 * new version fails the build instead of being cut wrongly; browser tests run what is left.
 */
import type { Plugin } from 'vite';

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
  // Only polling asks how large a message is, and only a page of old Firefox says goodbye to it.
  [
    /engine\.io-client\/.*\/socket\.js$/,
    /(?<=^ {4}_getWritablePackets\(\) \{$).*?(?=^ {4}\}$)/ms,
    ' return this.writeBuffer; ',
  ],
  [
    /engine\.io-client\/.*\/socket\.js$/,
    /^ {12}if \(this\.opts\.closeOnBeforeunload\).*?^ {12}\}$|^ {16}if \(this\._beforeunloadEventListener\).*?^ {16}\}$|^ {12}closeOnBeforeunload: false,$/gms,
    '',
  ],
  // Pages give the parts of their address, and nobody reads the folders of one.
  [
    /engine\.io-client\/.*\/parseuri\.js$/,
    /^ {4}uri\.(pathNames|queryKey) = .*?;$|^function (pathNames|queryKey)\(.*?^\}$/gms,
    '',
  ],
  // Nothing is acknowledged but by messages of its own.
  [
    /socket\.io-client\/.*\/socket\.js$/,
    /^ {4}(emitWithAck|_registerAckCallback|_addToQueue|timeout|send|ack|onack|compress|get volatile|get disconnected|prependAny|offAny|listenersAny|\w+AnyOutgoing)\(.*?^ {4}\}$/gms,
    '',
  ],
  // Pages and their server are of one release, and no page names an event as the library names its own.
  [
    /socket\.io-client\/.*\/socket\.js$/,
    /"It seems you are trying[^"]*"|^ {8}if \(RESERVED_EVENTS\..*?^ {8}\}$/gms,
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
    /^\t+(reference: [\w$]+|expects: [^\n]*|async: false|message: message\$1),$|^\tschema\["~standard"\] = \{.*?^\t\};$|^\t+if \(config\$1\.abortEarly\) (\{.*?\}|break;)$/gms,
    '',
  ],
  // Links have no letters of other scripts.
  [/lean-qr\/index\.mjs$/, /let w=\(\)=>\{.*?y\._=!0;|,y(?=,h\])|shift_jis:y,/g, ''],
  // No part that is loaded later has styles of its own to load before it.
  [/vite\/preload-helper\.js$/, /.*/s, 'export const __vitePreload = (load) => load();'],
];

/**
 * Checks of painters that the server has read before, and the reasons that they give. Only visitors' pages spare
 * them: other pages read more than that, and have room.
 */
const CHECKED: typeof UNUSED = [
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
  [
    /shared\/painter\/net\.ts$/,
    /(?<=^function read\([^\n]*\n).*?(?=^\})/ms,
    'return readSafetensors(bytes);\n',
  ],
  [
    /shared\/safetensors\.ts$/,
    /^ {2}try \{.*?^ {2}\}$/ms,
    'header = JSON.parse(new TextDecoder().decode(bytes));',
  ],
];

/** Leaves code out: of every page what no page uses, of the visitor's also what the server has checked. */
export const leaveOutUnused = (mode: string): Plugin => ({
  name: 'leave-out-unused',
  enforce: 'pre',
  transform(code, id) {
    if (
      !/\/node_modules\/((engine|socket)\.io-|valibot|lean-qr)|vite\/preload-helper|shared\/(safetensors|painter\/net)\.ts$/.test(
        id,
      )
    )
      return undefined;
    const cuts = mode === 'visitor' ? [...UNUSED, ...CHECKED] : UNUSED;
    const used = cuts
      .filter(([where]) => where.test(id))
      .reduce((rest, [, what, instead]) => {
        const less = rest.replace(what, instead);
        if (less === rest) throw new Error(`${id} has changed: nothing matches ${what}`);
        return less;
      }, code);
    return { code: used, map: null, moduleSideEffects: false };
  },
});
