/**
 * ONNX Runtime, on the CPU. Import it from here: without the first line, version 1.30 stores a device
 * id in the user's home folder. The library reads that variable from the process when it is loaded.
 */
import './no-telemetry.ts';
import { InferenceSession } from 'onnxruntime-node';

export { Tensor } from 'onnxruntime-node';

/** Loads a model. Threads within a run would wait for each other at every layer; there is one. */
export const openSession = (model: Uint8Array): Promise<InferenceSession> =>
  InferenceSession.create(model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
