// Preloaded by tests: ONNX Runtime is not installed, and loading TensorFlow.js for WebAssembly ends
// the process, as a library for another processor does.
import { register } from 'node:module';

const hooks = `
  export async function resolve(name, context, next) {
    if (name === 'onnxruntime-node') throw new Error("Cannot find package 'onnxruntime-node'");
    if (name === '@tensorflow/tfjs-backend-wasm') process.kill(process.pid, 'SIGILL');
    return next(name, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
