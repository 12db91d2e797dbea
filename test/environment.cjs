// Jest runs tests in a vm context with its own Float32Array and friends, which native code and workers do not know;
// the real ones are put in their place.
const vm = require('node:vm');
const { TestEnvironment } = require('jest-environment-node');

const { createContext } = vm;
const PLAIN = vm.constants?.DONT_CONTEXTIFY;
if (PLAIN === undefined) {
  throw new Error(
    `Tests need Node 20.19 or newer of 20, or 22.12 or newer; this is ${process.version}.`,
  );
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
  }
};
