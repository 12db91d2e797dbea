/** Tells a GPU from a driver that computes on the CPU, for training and engine. */
import { isRealGpu } from '../../../server/engine/webgpu/device.ts';

const adapter = (description: string, architecture = '', isFallbackAdapter = false) => ({
  description,
  architecture,
  isFallbackAdapter,
});

test.each([
  adapter('llvmpipe (LLVM 15.0.6, 256 bits)'),
  adapter('SwiftShader Device (Subzero)', 'swiftshader'),
  adapter('', 'swiftshader'),
  adapter('Microsoft Basic Render Driver'),
  adapter('A driver that says so of itself', '', true),
])('$description $architecture is not a GPU', (info) => {
  expect(isRealGpu(info)).toBe(false);
});

test.each([
  adapter('NVIDIA H100 80GB HBM3', 'hopper'),
  adapter('NVIDIA GeForce RTX 3060', 'ampere'),
  adapter('AMD Radeon RX 7900 XTX (RADV NAVI31)', 'rdna-3'),
  adapter('Intel(R) Iris(R) Xe Graphics (TGL GT2)', 'gen-12lp'),
  adapter('Apple M2', 'metal-3'),
  adapter(''),
])('$description $architecture is a GPU', (info) => {
  expect(isRealGpu(info)).toBe(true);
});
