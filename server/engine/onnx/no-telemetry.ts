/**
 * Disables the telemetry of ONNX Runtime 1.30, which stores a device id in the user's home folder.
 * The library reads the variable when it is loaded, from the process itself. So import this file in
 * the main thread: in a worker, `process.env` is only a copy.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
