// Jest runs tests in a vm context with its own Float32Array and friends, which native code and workers do not know;
// the real ones are put in their place.
const { AsyncLocalStorage } = require('node:async_hooks');
const vm = require('node:vm');
const { TestEnvironment } = require('jest-environment-node');

const { createContext } = vm;
const PLAIN = vm.constants?.DONT_CONTEXTIFY;
if (PLAIN === undefined) {
  throw new Error(
    `Tests need Node 20.19 or newer of 20, or 22.12 or newer; this is ${process.version}.`,
  );
}

/** Storages with a store since the suite began. */
const storages = new Set();
for (const name of ['run', 'enterWith']) {
  const original = AsyncLocalStorage.prototype[name];
  AsyncLocalStorage.prototype[name] = function (...args) {
    storages.add(this);
    return original.apply(this, args);
  };
}

module.exports = class extends TestEnvironment {
  constructor(...args) {
    // Jest's own context asks a proxy for each global: whatever calls `Math` or makes an array takes many times as
    // long. This one has a global object like any other.
    vm.createContext = () => createContext(PLAIN);
    try {
      super(...args);
    } finally {
      vm.createContext = createContext;
    }
    if (this.global !== this.context) {
      throw new Error(
        'Jest makes its contexts in another way: test/environment.cjs has no effect.',
      );
    }
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      if (
        /^(Big)?(Int|Uint|Float)\d+(Clamped)?Array$|^(Shared)?ArrayBuffer$|^DataView$/.test(name)
      ) {
        this.global[name] = globalThis[name];
      }
    }
    // Loaded once for all suites of this process, as it takes half a second and knows nothing of Jest.
    this.global.loadPlaywright = () => require('playwright-core');
  }

  async teardown() {
    await super.teardown();
    // Jest makes one for each suite, Playwright too; before Node 24 each that is not disabled makes every promise of the
    // process slower: those of the hundredth suite in it took twenty times as long.
    for (const storage of storages) storage.disable();
    storages.clear();
    // The object is the process's own: with another clock, servers of later suites would stand still.
    if (Object.hasOwn(performance, 'now')) {
      delete performance.now;
      throw new Error('a suite has replaced `performance.now` of all suites');
    }
  }
};
