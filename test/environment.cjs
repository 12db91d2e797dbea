// Jest runs tests in a vm context with its own Float32Array and friends, which native code and workers do not know;
// the real ones are put in their place.
const { TestEnvironment } = require('jest-environment-node');

module.exports = class extends TestEnvironment {
  constructor(...args) {
    super(...args);
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      if (
        /^(Big)?(Int|Uint|Float)\d+(Clamped)?Array$|^(Shared)?ArrayBuffer$|^DataView$/.test(name)
      ) {
        this.global[name] = globalThis[name];
      }
    }
  }
};
