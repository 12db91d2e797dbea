/**
 * Removes code from libraries to keep pages small, above all the visitor's page, because crowds of
 * phones fetch it over one network. A test limits its size. Libraries contain code for browsers,
 * transports and options that no page uses; bundlers cannot remove this code, because only at run
 * time is it known to be unused. Each cut must match, so that a new version of a library fails the
 * build instead of being cut wrongly. Browser tests run the remaining code.
 */
import type { Plugin } from 'vite';

/** A part of a file to remove, or to replace with something shorter. */
type Cut = RegExp | readonly [what: RegExp, by: string];

/** Code that no page runs, keyed by the end of its file's path. */
const UNUSED: Readonly<Record<string, readonly Cut[]>> = {
  'engine.io-client/build/esm/transports/index.js': [
    // Pages connect only by WebSocket.
    [/.*/s, "import { WS } from './websocket.js'; export const transports = { websocket: WS };"],
  ],
  'engine.io-parser/build/esm/encodePacket.browser.js': [
    // Binary data is sent as it is, never as text.
    [
      /^const (withNative|isView|encode).*(?=^function toArray)/ms,
      `const encodePacket = ({ type, data }, _, callback) =>
      callback(typeof data === 'object' ? data : PACKET_TYPES[type] + (data ?? ''));
    `,
    ],
  ],
  'engine.io-parser/build/esm/decodePacket.browser.js': [
    /^import \{ decode \}.*?$|^ {4}if \(type === "b"\).*?^ {4}\}$|^const decodeBase64.*?^\};$/gms,
  ],
  'engine.io-client/build/esm/transports/websocket.js': [
    // Options that only React Native uses.
    [/isReactNative\s+\? \{\}\s+: pick\(.*?\)/s, '{}'],
  ],
  'engine.io-client/build/esm/socket.js': [
    // Upgrades of the transport, because pages use only one transport; and cross-origin cookies,
    // because pages use none.
    /this\.opts\.rememberUpgrade &&.*?\? "websocket"\s+: (?=this)|^ +Socket\.priorWebsocketSuccess = .*?;$|^ {8}if \(this\.opts\.withCredentials\).*?\}$|^ {4}_(probe|filterUpgrades)\(.*?^ {4}\}$|^ {8}this\._upgrades = this.*?;$|^ {12}for \(let i = 0; i < this\._upgrades.*?^ {12}\}$/gms,
    // Only polling limits the size of a message. Only old versions of Firefox need to close the
    // connection when the page unloads.
    [/(?<=^ {4}_getWritablePackets\(\) \{$).*?(?=^ {4}\}$)/ms, ' return this.writeBuffer; '],
    /^ {8}if \(uri && "object".*?(?=^ {8}installTimerFunctions)|^ {8}if \(opts\.transportImplementations && .*?^ {8}\}$|^ {8}if \(this\.opts\.tryAllTransports.*?^ {8}\}$/gms,
    [
      /^ {8}if \(opts\.transportImplementations \|\|.*?(?=^ {8}this\.opts = )/ms,
      `this.transports = opts.transports;
    this._transportsByName = DEFAULT_TRANSPORTS;
    `,
    ],
    [
      /(?<=^ {4}close\(\) \{$).*?(?=^ {8}if \("opening")/ms,
      `
    const close = () => {
      this._onClose('forced close');
      this.transport.close();
    };
    `,
    ],
    [/^ {16}this\.once\("drain".*?^ {16}\}\);$/ms, 'this.once("drain", close);'],
    /^ {12}else if \(this\.upgrading\) \{.*?^ {12}\}$/ms,
    /^ {12}if \(this\.opts\.closeOnBeforeunload\).*?^ {12}\}$|^ {16}if \(this\._beforeunloadEventListener\).*?^ {16}\}$|^ {12}closeOnBeforeunload: false,$/gms,
  ],
  'engine.io-client/build/esm/transport.js': [
    // Browsers put an IPv6 address in brackets themselves.
    [/(?<=^ {4}_hostname\(\) \{$).*?(?=^ {4}\}$)/ms, ' return this.opts.hostname; '],
  ],
  'socket.io-client/build/esm/index.js': [
    // Other servers, and sharing of connections, because a page connects once, to its own server.
    [
      /^const cache = .*(?=^\/\*\*\n \* Protocol)/ms,
      "const lookup = (opts) => new Manager(undefined, opts).socket('/', opts);",
    ],
  ],
  'socket.io-client/build/esm/socket.js': [
    // Acknowledgements of Socket.IO, because our protocol has its own.
    /^ {4}(emitWithAck|_registerAckCallback|_addToQueue|timeout|send|ack|onack|compress|get volatile|get disconnected|prependAny|offAny|listenersAny|\w+AnyOutgoing)\(.*?^ {4}\}$/gms,
    [
      /(?<=^ {4}emit\(ev, \.\.\.args\) \{$).*?(?=^ {4}\}$)/ms,
      `
    const packet = { type: PacketType.EVENT, data: [ev, ...args], options: {} };
    if (this.connected && !this.io.engine?._hasPingExpired()) this.packet(packet);
    else this.sendBuffer.push(packet);
    return this;
    `,
    ],
    /^ {4}(_drainQueue|_clearAcks|notifyOutgoingListeners)\(.*?^ {4}\}$|^ {8}this\.(_drainQueue\(true\)|_clearAcks\(\));$|^ {12}this\.notifyOutgoingListeners\(packet\);$|^ {8}this\.(_queue|_queueSeq|ids|acks|flags|recovered) = .*?;$|^ {12}case PacketType\.(BINARY_)?ACK:$|^ {16}this\.onack\(packet\);\s+break;$|^ {8}if \(null != packet\.id\) \{.*?^ {8}\}$/gms,
    // Checks that never fail, because page and server are of one release and none of our events has
    // a name reserved by the library.
    /"It seems you are trying[^"]*"|^ {8}if \(RESERVED_EVENTS\..*?^ {8}\}$/gms,
  ],
  'socket.io-client/build/esm/manager.js': [
    // Pages pass their own parser and set all options when they connect.
    /(?<=opts\.parser) \|\| parser|^ {4}(reconnection\w*|randomizationFactor|timeout|connect|disconnect)\(.*?^ {4}\}$|^ +if \(this\.opts\.autoUnref\).*?\}$/gms,
    [
      /^ {8}this\.reconnection\(.*?(?=^ {8}this\._readyState)/ms,
      `this._reconnection = true;
    this._reconnectionAttempts = Infinity;
    this.backoff = new Backoff({
      min: opts.reconnectionDelay, max: opts.reconnectionDelayMax, jitter: 0.5,
    });
    this._timeout = opts.timeout;
    `,
    ],
  ],
  'valibot/dist/index.mjs': [
    // Reasons why a message does not match its schema, because pages ignore such messages without
    // reading the reason.
    [
      /^function _addIssue\(.*?^\}$/ms,
      `function _addIssue({ kind }, _, dataset) {
      if (kind === 'schema') dataset.typed = false;
      (dataset.issues ??= []).push({});
    }`,
    ],
    [/(?<=_addIssue\(this, )"[\w ]+", dataset[^;]*(?=\);)/g, '0, dataset'],
    /const pathItem = \{[^}]*\};\s+for \(const issue of \w+\.issues\) \{[^}]*\}/g,
    /^\t+(reference: [\w$]+|expects: [^\n]*|async: false|message: message\$1),$|^\tschema\["~standard"\] = \{.*?^\t\};$|^\t+if \(config\$1\.abortEarly\) (\{.*?\}|break;)$/gms,
  ],
  '@lit/reactive-element/css-tag.js': [
    // Browsers without adopted style sheets, because they are too old for the pages' colours, and
    // checks of styles.
    [/e=t\.ShadowRoot.*?(?=,s=Symbol)/, 'e=!0'],
    /if\(o!==s\)throw Error\(.*?\);|(?<=if\("number"==typeof t\)return t;)throw Error\(.*?\)(?=\}\)\(s\))|(?<=t\.styleSheet\));else for\(.*?\}(?=\})/g,
    [/(?<=c=)e\?t=>t:.*?(?=;export)/, 't=>t'],
  ],
  '@lit/reactive-element/decorators/property.js': [
    // Decorators of the standard, because pages use TypeScript's.
    [/,r=\(t=o,e,r\)=>\{.*?(?=;function n)/, ''],
    [/"object"==typeof o\?r\(t,e,o\):/, ''],
    [/,r as standardProperty/, ''],
  ],
  '@lit/reactive-element/decorators/query.js': [
    // Elements that are found only once.
    [/if\(r\)\{.*?(?=return t\(n,s,\{get\(\)\{return o)/, ''],
  ],
  'lean-qr/index.mjs': [
    // Support for letters of other scripts, because links contain none.
    /let w=\(\)=>\{.*?y\._=!0;|,y(?=,h\])|shift_jis:y,/g,
  ],
  'vite/preload-helper.js': [
    // Loading of style sheets, because modules loaded on demand have none.
    [/.*/s, 'export const __vitePreload = (load) => load();'],
  ],
};

/**
 * Events of tables, and checks of painters that the server has already made. Only the visitor's page
 * omits these, because other pages read painters from other sources, and the size of these pages is
 * not limited.
 */
const CHECKED: typeof UNUSED = {
  'shared/protocol/events.ts': [/^ {2}\/\*\* An event for one ring.*?^ {2}\}\),$/ms],
  'shared/safetensors.ts': [
    /^ {2}if \((bytes\.length|headerLength|LENGTH_BYTES|!isObject).*?$(?:.*?^ {2}\}$)?|^ {2}const seen = .*?(?=^ {2}return header)|^ {2}for \(const \[key, value\].*?^ {2}\}$|^ {2}checkCover\(.*?;$|^ {4}ranges\.push\(.*?;$|^ {2}const ranges.*?;$/gms,
    [
      /(?<=^function checkEntry\([^\n]*\n).*?(?=^\})/ms,
      `const { dtype, shape, data_offsets: [begin, end] } = entry as any;
    return { dtype, shape, begin, end };
    `,
    ],
    [/^ {2}try \{.*?^ {2}\}$/ms, 'header = JSON.parse(new TextDecoder().decode(bytes));'],
  ],
  'shared/painter/net.ts': [
    /^ {2}if \((bytes\.length|dtype) .*?^ {2}\}$|^ {2}if \(!values\.every.*?;$|^ {4}const step = .*?^ {4}\}$/gms,
    [/(?<=^function read\([^\n]*\n).*?(?=^\})/ms, 'return readSafetensors(bytes);\n'],
  ],
};

/**
 * Removes unused code from all pages and, from the visitor's page, the checks that the server has
 * made.
 */
export function leaveOutUnused(mode: string): Plugin {
  const cuts = mode === 'visitor' ? { ...UNUSED, ...CHECKED } : UNUSED;
  return {
    name: 'leave-out-unused',
    enforce: 'pre',
    transform(code, id) {
      const file = Object.keys(cuts).find((end) => id.endsWith(end));
      if (!file && !/\/node_modules\/(engine|socket)\.io-/.test(id)) return undefined;
      const used = (file ? cuts[file] : []).reduce((rest: string, cut) => {
        const [what, by] = cut instanceof RegExp ? [cut, ''] : cut;
        const less = rest.replace(what, by);
        if (less === rest) throw new Error(`${id} has changed: nothing matches ${what}`);
        return less;
      }, code);
      return { code: used, map: null, moduleSideEffects: false };
    },
  };
}
