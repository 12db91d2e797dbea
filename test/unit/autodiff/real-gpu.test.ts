/** Tells a GPU from a driver that computes on the CPU, for training and engine. */
import { isRealGpu } from '../../../server/engine/webgpu/device.ts';

test.each([
  ['llvmpipe (LLVM 15.0.6, 256 bits)', '', false],
  ['SwiftShader Device (Subzero)', 'swiftshader', false],
  ['', 'swiftshader', false],
  ['Microsoft Basic Render Driver', '', false],
  ['NVIDIA H100 80GB HBM3', 'hopper', true],
  ['AMD Radeon RX 7900 XTX (RADV NAVI31)', 'rdna-3', true],
  ['Intel(R) Iris(R) Xe Graphics (TGL GT2)', 'gen-12lp', true],
  ['Apple M2', 'metal-3', true],
  ['', '', true],
])('whether "%s" (%s) is a GPU: %p', (description, architecture, isReal) => {
  expect(isRealGpu({ description, architecture, isFallbackAdapter: false })).toBe(isReal);
  expect(isRealGpu({ description, architecture, isFallbackAdapter: true })).toBe(false);
});
