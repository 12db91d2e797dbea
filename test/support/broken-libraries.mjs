// Preloaded by tests: TensorFlow.js is not installed, and loading ONNX Runtime ends the process, as a
// library for another processor does.
import { register } from 'node:module';

const hooks = `
  export async function resolve(name, context, next) {
    if (name === '@tensorflow/tfjs-core') throw new Error("Cannot find package '@tensorflow/tfjs-core'");
    if (name === 'onnxruntime-node') process.kill(process.pid, 'SIGILL');
    return next(name, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
